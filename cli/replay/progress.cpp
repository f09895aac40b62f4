#include "cli/replay/progress.hpp"

#include <fmt/format.h>

namespace lepton::cli {
namespace {

constexpr std::size_t width = 30;
constexpr auto redraw_every = std::chrono::milliseconds(100);

}  // namespace

void ProgressBar::show(std::size_t done) {
  if (total_ == 0) return;
  auto const now = Clock::now();
  auto const seconds = std::chrono::duration<double>(now - begun_).count();
  auto const rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  if (!shell_.progress) {
    auto const tenth = done * 10 / total_;
    if (tenth > tenth_) shell_.say(fmt::format("{} {} of {}, {:.0f}/s", what_, done, total_, rate));
    tenth_ = tenth;
    return;
  }
  if (done < total_ && now - drawn_ < redraw_every) return;
  drawn_ = now;
  auto const full = done * width / total_;
  fmt::print(shell_.err, "\r{} [{:=<{}}{: <{}}] {}/{} {:.0f}/s{}", what_, "", full, "",
             width - full, done, total_, rate, done >= total_ ? "\n" : "");
  std::fflush(shell_.err);
}

}  // namespace lepton::cli
