#pragma once
// Small text helpers that the standard library of g++ 12 lacks.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lepton::text {

std::vector<std::string> split(std::string_view s, char separator);
std::string join(std::vector<std::string> const& parts, std::string_view separator);
std::string_view trim(std::string_view s);
std::string hex(std::string_view bytes);
std::optional<std::string> unhex(std::string_view digits);  // nothing on a bad digit or odd length
std::optional<std::int64_t> parse_int(std::string_view s);  // the whole text, or nothing

// A label of RFC 1123: a-z, 0-9 and '-', 1 to 63 of them, no '-' at either end.
bool is_dns_label(std::string_view s);

// Number of insertions, deletions, changes and swaps of neighbours between two words
// (optimal string alignment distance).
std::size_t distance(std::string_view a, std::string_view b);

// The candidate nearest to `word`, when it is near enough to be what the writer meant.
std::optional<std::string> nearest(std::string_view word,
                                   std::vector<std::string> const& candidates);

// ", did you mean 'gpu'?" or "".
std::string did_you_mean(std::string_view word, std::vector<std::string> const& candidates);

// "2026-11-20T19:30:00Z" from ms since the epoch.
std::string utc(std::int64_t wall_ms);

}  // namespace lepton::text
