#include "apps/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace apps {

namespace {

constexpr double seconds_on_terminal = 0.1, seconds_elsewhere = 30;  // between two lines

/// The line, cut to what the terminal shows in one: a longer one would not be rewritten, but scroll.
std::string fitting(std::string line) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && line.size() >= size.ws_col)
    line.resize(size.ws_col - 1U);
  return line;
}

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::string spoken_duration(double seconds) {
  const auto whole = static_cast<long long>(std::lround(seconds));
  char text[64];
  if (whole < 100)
    std::snprintf(text, sizeof text, "%lld s", whole);
  else if (whole < 100 * 60)
    std::snprintf(text, sizeof text, "%lld min", (whole + 30) / 60);
  else
    std::snprintf(text, sizeof text, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
  return text;
}

Progress::Progress(std::ostream& out, bool terminal, std::int64_t first, std::int64_t total, const std::string& title,
                   const std::string& quantity)
    : out_(out),
      title_(title.empty() ? "" : title + ": "),
      quantity_(quantity),
      terminal_(terminal),
      first_(first),
      total_(total),
      shown_(first) {}

void Progress::update(std::int64_t done, double loss, double seconds_left) {
  const Clock::time_point now = Clock::now();
  const double since_shown = seconds_between(shown_at_, now);
  const bool by_clock = total_ == 0;
  const bool edge = shown_ == first_ || (by_clock ? seconds_left <= 0 : done == total_);
  const bool twentieth = !by_clock && done - shown_ >= std::max<std::int64_t>(1, (total_ - first_) / 20);
  const bool due = terminal_ ? since_shown >= seconds_on_terminal : since_shown >= seconds_elsewhere || twentieth;
  if (!edge && !due) return;
  shown_ = done;

  const double elapsed = std::max(seconds_between(start_, now), 1e-9);
  const double rate = static_cast<double>(done - first_) / elapsed;
  const std::string of_total = by_clock ? "" : "/" + std::to_string(total_);
  const double left = by_clock ? std::max(seconds_left, 0.0) : static_cast<double>(total_ - done) / rate;
  char line[160];
  std::snprintf(line, sizeof line, "iteration %lld%s  %s %.4f  %.*f iterations/s  %s left",
                static_cast<long long>(done), of_total.c_str(), quantity_.c_str(), loss, rate < 10 ? 2 : 0, rate,
                spoken_duration(left).c_str());
  show(line, now);
}

void Progress::tell(const std::string& words) {
  const Clock::time_point now = Clock::now();
  if (seconds_between(shown_at_, now) >= (terminal_ ? seconds_on_terminal : seconds_elsewhere)) show(words, now);
}

void Progress::show(const std::string& line, Clock::time_point now) {
  shown_at_ = now;
  if (terminal_)
    out_ << '\r' << fitting(title_ + line) << "\033[K" << std::flush;
  else
    out_ << title_ << line << std::endl;
  line_open_ = terminal_;
}

void Progress::add(const std::string& line) {
  end();
  out_ << title_ << line << std::endl;
}

void Progress::end() {
  if (line_open_) out_ << std::endl;
  line_open_ = false;
}

}  // namespace apps
