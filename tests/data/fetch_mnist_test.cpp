#include <cstdlib>
#include <vector>

#include "data/sha256.h"
#include "tests/data/files.h"
#include "tests/data/loopback_server.h"

using doctest::Contains;

namespace {

std::string digest(const std::string& content) {
  return data::sha256(std::as_bytes(std::span(content)));
}

// Two stand-in files, a place for them, and the script run against servers on loopback.
class Fetch {
 public:
  Fetch() {
    put(work_ / "checksums", digest(images) + " images\n" + digest(labels) + " labels\n");
    std::filesystem::create_directory(work_ / "bin");
  }

  // Runs the script with the mirrors and returns its exit status; what it printed is in `said`.
  int operator()(const std::vector<std::string>& mirrors) {
    std::string list;
    for (const std::string& mirror : mirrors) list += mirror + ' ';
    const std::string command =
        engine::text("env no_proxy=127.0.0.1 SEMIDUAL_CHECKSUMS='", work_ / "checksums", "' SEMIDUAL_MIRRORS='", list,
                     "' ", path_, "sh data/fetch_mnist.sh '", folder, "' >'", work_ / "said", "' 2>&1");
    const int status = std::system(command.c_str());
    said = get(work_ / "said").c_str();
    return WEXITSTATUS(status);
  }

  // Lets the script find only this downloader (curl or wget). False if the machine has none.
  bool use_only(const std::string& tool) {
    for (const std::string& name : {std::string("sh"), std::string("env"), std::string("dirname"), std::string("cat"),
                                    std::string("mkdir"), std::string("mv"), std::string("rm"), std::string("tr"),
                                    std::string("gzip"), std::string("sha256sum"), std::string("shasum"), tool}) {
      for (const char* place : {"/usr/local/bin/", "/usr/bin/", "/bin/"}) {
        std::error_code error;
        if (std::filesystem::exists(place + name))
          std::filesystem::create_symlink(place + name, work_ / ("bin/" + name), error);
      }
    }
    path_ = "PATH='" + work_ / "bin" + "' ";
    return std::filesystem::exists(work_ / ("bin/" + tool));
  }

  bool holds_both() const { return holds("images", images) && holds("labels", labels) && files() == 2; }
  bool holds(const std::string& name, const std::string& content) const {
    return get(folder + "/" + name + ".gz") == gzipped(content);
  }
  std::int64_t files() const { return std::distance(std::filesystem::directory_iterator(folder), {}); }

  const std::string images = std::string(100000, 'i') + "mages", labels = "labels";

 private:
  TemporaryFolder work_;
  std::string path_;

 public:
  const std::string folder = work_ / "new folder/mnist";
  doctest::String said;
};

}  // namespace

TEST_CASE("the files are downloaded, and not once more") {
  for (const char* tool : {"curl", "wget"}) {
    Fetch fetch;
    if (!fetch.use_only(tool)) continue;
    INFO(tool);
    LoopbackServer mirror;
    mirror.serve("/images.gz", gzipped(fetch.images));
    mirror.serve("/labels.gz", gzipped(fetch.labels));
    CHECK(fetch({mirror.address()}) == 0);
    CAPTURE(fetch.said);
    CHECK(fetch.holds_both());
    CHECK(mirror.requests() == 2);
    CHECK(fetch({mirror.address()}) == 0);
    CHECK(fetch.said == Contains("images.gz: already there"));
    CHECK(mirror.requests() == 2);
    put(fetch.folder + "/labels.gz", "damaged");
    CHECK(fetch({mirror.address()}) == 0);
    CHECK(fetch.holds_both());
    CHECK(mirror.requests() == 3);
  }
}

TEST_CASE("what one mirror lacks, cuts off or has wrong comes from the next") {
  for (const char* tool : {"curl", "wget"}) {
    Fetch fetch;
    if (!fetch.use_only(tool)) continue;
    INFO(tool);
    LoopbackServer empty, bad, good;
    const std::string images = gzipped(fetch.images);
    bad.serve("/images.gz", images.substr(0, images.size() / 2), images.size());
    bad.serve("/labels.gz", gzipped("other labels"));
    good.serve("/images.gz", images);
    good.serve("/labels.gz", gzipped(fetch.labels));
    CHECK(fetch({empty.address(), bad.address(), good.address()}) == 0);
    CAPTURE(fetch.said);
    CHECK(fetch.holds_both());
  }
}

TEST_CASE("without a good mirror it fails, says why, and leaves nothing half-written") {
  for (const char* tool : {"curl", "wget"}) {
    Fetch fetch;
    if (!fetch.use_only(tool)) continue;
    INFO(tool);
    const std::string images = gzipped(fetch.images);
    LoopbackServer missing, cut, wrong, half;
    cut.serve("/images.gz", images.substr(0, images.size() / 2), images.size());
    wrong.serve("/images.gz", gzipped(fetch.images + "!"));
    half.serve("/images.gz", images.substr(0, images.size() / 2));
    CHECK(fetch({missing.address()}) == 1);
    CHECK(fetch.said == Contains("fetch_mnist: images.gz: no mirror had it; http://127.0.0.1:"));
    CHECK(fetch.said == Contains("404"));
    CHECK(fetch({cut.address()}) == 1);
    CHECK(fetch({wrong.address()}) == 1);
    CHECK(fetch.said == Contains("images.gz: damaged or of another SHA-256"));
    CHECK(fetch({half.address()}) == 1);
    CHECK(fetch.said == Contains("images.gz: damaged or of another SHA-256"));
    CHECK(fetch.files() == 0);

    put(fetch.folder + "/images.gz", "of the user");
    CHECK(fetch({wrong.address()}) == 1);
    CHECK(get(fetch.folder + "/images.gz") == "of the user");
    CHECK(fetch.files() == 1);
  }
}

TEST_CASE("a machine without a downloader, or a folder that can't be made, is told so") {
  Fetch fetch;
  fetch.use_only("no-such-downloader");
  CHECK(fetch({}) == 1);
  CHECK(fetch.said == Contains("fetch_mnist: needs curl or wget, install one of them"));
  Fetch blocked;
  put(std::filesystem::path(blocked.folder).parent_path().string(), "a file, not a folder");
  CHECK(blocked({}) == 1);
  CHECK(blocked.said == Contains("can't be made, give another folder"));
}
