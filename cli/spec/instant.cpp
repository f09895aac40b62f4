#include "cli/spec/instant.hpp"

#include <ctime>

#include "cli/spec/amounts.hpp"

namespace lepton::cli {
namespace {

// A date that there is: the calendar gives back what was written.
Result<WallMs> utc_ms(std::string const& text) {
  for (auto const* format : {"%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ"}) {
    std::tm written{};
    auto const* end = ::strptime(text.c_str(), format, &written);
    if (end == nullptr || *end != '\0') continue;
    auto normal = written;
    auto const seconds = ::timegm(&normal);
    if (seconds < 0 || normal.tm_mday != written.tm_mday || normal.tm_sec != written.tm_sec) break;
    return WallMs{seconds} * 1000;
  }
  return Error{Code::invalid, "'" + text + "' is no instant; write 2026-11-24T08:00Z (UTC) or +2h"};
}

}  // namespace

Result<WallMs> parse_instant_ms(std::string const& text, WallMs base_ms) {
  if (!text.starts_with('+')) return utc_ms(text);
  auto const later = parse_duration_ms(std::string_view(text).substr(1));
  if (!later) return later.error();
  return base_ms + *later;
}

}  // namespace lepton::cli
