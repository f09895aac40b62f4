#pragma once
// Where the content of a folder is cut: at places that the content itself decides, so that a change
// moves the cuts near it only and everything else needs not be sent again. A rolling sum over the
// last 64 octets, by a table of 256 numbers (Xia et al., "FastCDC", USENIX ATC 2016, without its
// normalised sizes). Pure. Sizes in bytes.

#include <cstddef>
#include <string_view>

namespace lepton::cli {

inline constexpr std::size_t chunk_bytes_min = 64u << 10, chunk_bytes_max = 1u << 20;
inline constexpr int chunk_mean_bits = 18;  // 256 KiB behind the least size

// The size of the first chunk: `data` has chunk_bytes_max octets, or all that is left.
std::size_t first_chunk(std::string_view data);

}  // namespace lepton::cli
