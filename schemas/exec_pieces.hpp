#pragma once
// Output of a command in the order in which it came (exec.hpp): pieces of its two streams, whose
// bytes are numbered as one sequence. `Pieces` is a sequence of ExecPiece. Pure.

#include <cstdint>
#include <utility>
#include <vector>

#include "schemas/exec.hpp"

namespace lepton {

template <class Pieces>
std::int64_t bytes_of(Pieces const& pieces) {
  std::int64_t bytes = 0;
  for (auto const& piece : pieces) bytes += static_cast<std::int64_t>(piece.data.data.size());
  return bytes;
}

// The first so many bytes, or all there are; what is left stays.
template <class Pieces>
std::vector<ExecPiece> take_bytes(Pieces& pieces, std::int64_t bytes) {
  std::vector<ExecPiece> taken;
  while (bytes > 0 && !pieces.empty()) {
    auto& front = pieces.front();
    auto& data = front.data.data;
    auto const wanted = static_cast<std::size_t>(bytes);
    if (data.size() > wanted) {
      taken.push_back({front.is_error, {data.substr(0, wanted)}});
      data.erase(0, wanted);
      break;
    }
    bytes -= static_cast<std::int64_t>(data.size());
    taken.push_back(std::move(front));
    pieces.erase(pieces.begin());
  }
  return taken;
}

}  // namespace lepton
