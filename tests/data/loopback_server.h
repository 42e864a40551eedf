#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>

/// A web server on 127.0.0.1 for tests: serves what it is told to and 404 for the rest, one request after another.
class LoopbackServer {
 public:
  LoopbackServer();
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  /// `announced` is the Content-Length, the body's size if 0: more than that, and the transfer is cut off.
  void serve(const std::string& path, const std::string& body, std::size_t announced = 0);
  /// http://127.0.0.1:PORT/
  std::string address() const;
  /// The number of requests so far.
  int requests() const { return requests_; }

 private:
  void run();
  std::string response(const std::string& request);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> requests_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::map<std::string, std::string> responses_;
  std::thread thread_;
};
