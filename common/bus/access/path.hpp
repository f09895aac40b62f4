#pragma once
// The one grammar for resources: segments [a-z0-9][a-z0-9._-]{0,62} joined by '/', at most 8, the
// first naming the kind: secret/ml/hf, job/ann/train, node/gpu-7. Anything else is refused and
// never normalised, so that two spellings cannot mean one thing. Pure; any thread.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace lepton::access {

inline constexpr std::size_t max_segments = 8;
inline constexpr std::size_t max_segment_size = 63;
inline constexpr std::size_t max_path_size = max_segments * (max_segment_size + 1) - 1;

inline constexpr auto kinds = std::to_array<std::string_view>(
    {"alert", "audit", "job", "node", "policy", "pool", "secret", "service", "token", "vault"});

bool legal_segment(std::string_view segment);

// Refuses with the reason and the grammar; `what` names the thing in the sentence ("subject").
Status check_segment(std::string_view what, std::string_view segment);

class ResourcePath {
 public:
  static Result<ResourcePath> parse(std::string_view text);

  std::string const& text() const { return text_; }
  std::vector<std::string_view> segments() const;  // valid as long as this path
  auto operator<=>(ResourcePath const&) const = default;

 private:
  explicit ResourcePath(std::string_view text) : text_(text) {}
  std::string text_;
};

// Literal segments, '+' for exactly one segment, '{subject}' for the caller, and a last '*' for one
// or more remaining segments.
class PathPattern {
 public:
  static Result<PathPattern> parse(std::string_view text);

  // `subject` must be a legal segment; a '{subject}' matches nothing else.
  bool matches(std::vector<std::string_view> const& segments, std::string_view subject) const;
  std::string const& text() const { return text_; }

 private:
  PathPattern() = default;
  std::string text_;
  std::vector<std::string> parts_;
  bool open_ended_ = false;  // the last part was '*' and is not in parts_
};

}  // namespace lepton::access
