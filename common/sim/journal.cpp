#include "common/sim/journal.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace lepton::sim {

void Journal::note(TimeMs at, std::string_view what, std::string_view from, std::string_view to,
                   std::string_view topic, std::string_view id) {
  auto& line = lines_[written_++ % lines_max];
  line.at = at;
  line.what = what;
  line.from = from;
  line.to = to;
  line.topic = topic;
  line.id = id;
}

std::string Journal::text() const {
  std::string out;
  auto const first = written_ > lines_max ? written_ - lines_max : 0;
  for (auto i = first; i < written_; ++i) {
    auto const& line = lines_[i % lines_max];
    out += fmt::format("{:>10} ms  {}", line.at, line.what);
    if (!line.from.empty())
      out += fmt::format(" {} -> {} {} {}", line.from, line.to, line.topic, line.id);
    out += '\n';
  }
  return out;
}

void Journal::trace(TimeMs at, std::string_view from, std::string_view to, std::string_view head,
                    std::string_view body) {
  mix(static_cast<std::uint64_t>(at));
  for (auto part : {from, to, head, body}) mix(part);
}

// FNV-1a's idea with words of 8 octets and a rotation, for speed; collisions of whole runs are what
// matters.
void Journal::mix(std::uint64_t word) {
  hash_ = std::rotl((hash_ ^ word) * 0x100000001b3u, 23) + 0x632be59bd9b4e019u;
}

void Journal::mix(std::string_view bytes) {
  mix(bytes.size());
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    auto const n = std::min<std::size_t>(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), n);
    mix(word);
    bytes.remove_prefix(n);
  }
}

}  // namespace lepton::sim
