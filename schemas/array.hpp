#pragma once
// What a job of an array is told of itself: the deployer sets these, and nobody else may.

namespace lepton {

inline constexpr char const* array_index_variable = "LEPTON_ARRAY_INDEX";
inline constexpr char const* array_size_variable = "LEPTON_ARRAY_SIZE";

}  // namespace lepton
