#include "cli/output/words.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"

namespace lepton::cli {

std::string duration_words(std::int64_t ms) {
  if (ms < 1000) return fmt::format("{}ms", ms);
  auto const s = ms / 1000;
  auto const two = [](std::int64_t a, char const* big, std::int64_t b, char const* small) {
    return b == 0 ? fmt::format("{}{}", a, big) : fmt::format("{}{}{}{}", a, big, b, small);
  };
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return two(s / 60, "m", s % 60, "s");
  if (s < 86400) return two(s / 3600, "h", s % 3600 / 60, "m");
  return two(s / 86400, "d", s % 86400 / 3600, "h");
}

std::string ago(WallMs at_ms, WallMs now_ms) {
  if (at_ms == 0) return "-";
  return duration_words(now_ms > at_ms ? now_ms - at_ms : 0) + " ago";
}

std::string mib_words(std::int64_t mib) {
  if (mib < 1024) return fmt::format("{} MiB", mib);
  return fmt::format("{:.4g} GiB", static_cast<double>(mib) / 1024.0);
}

std::string milli_words(std::int64_t milli) {
  return fmt::format("{:g}", static_cast<double>(milli) / 1000.0);
}

std::string task_words(TaskSize const& size) {
  return milli_words(size.cpu_milli) + " CPU, " + mib_words(size.memory_mib);
}

std::string time_words(WallMs at_ms) {
  return at_ms == 0 ? "-" : text::utc(at_ms);
}

}  // namespace lepton::cli
