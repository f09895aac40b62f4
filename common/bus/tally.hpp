#pragma once
// Tally: what a Bus or a Client counted, by name. Nothing is dropped without a number here. One
// thread.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace lepton::bus {

enum class Count : std::uint8_t {
  requests_in,
  answers_in,
  hints_in,
  requests_out,
  answers_out,
  hints_out,
  redials,
  refused_frame_count,  // refused: malformed input, by Fault
  refused_header_size,
  refused_body_size,
  refused_header,
  refused_version,
  refused_kind,
  refused_hint,       // a hint that cannot be read or speaks for another service
  refused_no_key,     // a message without a proven key
  refused_unlisted,   // by a peer whose key was taken off the list since it connected
  dropped_no_peer,    // dropped: output that could not leave
  dropped_peer_away,  // not connected, or its queue is full
  dropped_too_large,
  dropped_client_gone,
  dropped_client_full,
  dropped_no_route,
  dropped_hint,
  dropped_late_answer,
  resends,
  last
};

class Tally {
 public:
  void add(Count what) { ++numbers_[std::size_t(what)]; }
  std::int64_t of(Count what) const { return numbers_[std::size_t(what)]; }

  std::map<std::string, std::int64_t> all() const {
    std::map<std::string, std::int64_t> out;
    for (std::size_t i = 0; i < numbers_.size(); ++i) out.emplace(names[i], numbers_[i]);
    return out;
  }

 private:
  static constexpr std::array<char const*, std::size_t(Count::last)> names = {"requests_in",
                                                                              "answers_in",
                                                                              "hints_in",
                                                                              "requests_out",
                                                                              "answers_out",
                                                                              "hints_out",
                                                                              "redials",
                                                                              "refused_frame_count",
                                                                              "refused_header_size",
                                                                              "refused_body_size",
                                                                              "refused_header",
                                                                              "refused_version",
                                                                              "refused_kind",
                                                                              "refused_hint",
                                                                              "refused_no_key",
                                                                              "refused_unlisted",
                                                                              "dropped_no_peer",
                                                                              "dropped_peer_away",
                                                                              "dropped_too_large",
                                                                              "dropped_client_gone",
                                                                              "dropped_client_full",
                                                                              "dropped_no_route",
                                                                              "dropped_hint",
                                                                              "dropped_late_answer",
                                                                              "resends"};
  std::array<std::int64_t, std::size_t(Count::last)> numbers_{};
};

}  // namespace lepton::bus
