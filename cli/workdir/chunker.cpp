#include "cli/workdir/chunker.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "common/base/random.hpp"

namespace lepton::cli {
namespace {

// Fixed for ever: two versions that cut differently would send everything again.
constexpr std::array<std::uint64_t, 256> make_table() {
  std::array<std::uint64_t, 256> numbers{};
  std::uint64_t state = 0;
  for (auto& number : numbers) number = splitmix(state);
  return numbers;
}
constexpr auto table = make_table();

}  // namespace

// The highest bits are looked at: all of the last 64 octets have a say in them.
std::size_t first_chunk(std::string_view data) {
  auto const end = std::min(data.size(), chunk_bytes_max);
  if (end <= chunk_bytes_min) return end;
  std::uint64_t sum = 0;
  for (auto i = chunk_bytes_min - 64; i < end; ++i) {
    sum = (sum << 1) + table[static_cast<unsigned char>(data[i])];
    if (i >= chunk_bytes_min && sum >> (64 - chunk_mean_bits) == 0) return i + 1;
  }
  return end;
}

}  // namespace lepton::cli
