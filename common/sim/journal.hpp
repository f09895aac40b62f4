#pragma once
// What happened last, for people who look at a failed run, and a hash over everything that was
// delivered: two runs of one seed have the same hash. Keeps the last `lines_max` lines only. Owned
// by World; one thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"

namespace lepton::sim {

class Journal {
 public:
  static constexpr std::size_t lines_max = 40;

  void note(TimeMs at, std::string_view what, std::string_view from, std::string_view to,
            std::string_view topic, std::string_view id);
  void note(TimeMs at, std::string_view what) { note(at, what, {}, {}, {}, {}); }
  std::string text() const;

  void trace(TimeMs at, std::string_view from, std::string_view to, std::string_view head,
             std::string_view body);
  std::uint64_t hash() const { return hash_; }

 private:
  struct Line {
    TimeMs at = 0;
    std::string what, from, to, topic, id;
  };
  void mix(std::string_view bytes);
  void mix(std::uint64_t word);

  std::vector<Line> lines_{lines_max};  // a ring; its strings keep their memory
  std::size_t written_ = 0;
  std::uint64_t hash_ = 0x9e3779b97f4a7c15u;
};

}  // namespace lepton::sim
