#pragma once
// Record: an ordered list of `key=value` lines, the format of an attempt's small files (spec,
// status, lease, stop). A person can read it with cat, and a program of a few lines can parse it,
// so that the runner links no codec library. A key may repeat: that is a list. Empty lines mean
// nothing. Escapes in values: \\ \n \r and \0 for NUL. Anything else after a backslash is refused.
// Limits: 1 MiB of text. Value type, no thread of its own.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"

namespace lepton::node {

class Record {
 public:
  static constexpr std::size_t size_max = std::size_t{1} << 20;

  static Result<Record> decode(std::string_view text);
  std::string encode() const;

  void put(std::string_view key, std::string_view value);
  void put(std::string_view key, std::int64_t value);

  // The first value under the key, or "" (number: the fallback) where there is none.
  std::string text(std::string_view key) const;
  std::int64_t number(std::string_view key, std::int64_t fallback) const;
  std::vector<std::string> all(std::string_view key) const;

  // The lines themselves, so that an owner of secrets can wipe them.
  std::vector<std::pair<std::string, std::string>>& lines() { return lines_; }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

// "NAME=value" into its two halves; a missing '=' gives an empty value.
std::pair<std::string, std::string> split_pair(std::string_view pair);

}  // namespace lepton::node
