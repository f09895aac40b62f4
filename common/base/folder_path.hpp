#pragma once
// The one grammar of paths inside a folder that travels between machines. Pure.
//
//   path      = component *( "/" component )     ; at most 512 octets, 32 components
//   component = 1*255 octets of UTF-8, no control characters, not "." and not ".."
//   link      = *( "../" ) [ path ]              ; never above the folder, never absolute
//
// So no path leads out of its folder, whatever else is in it: a link's leading ".." walk up real
// folders only (no path of a folder leads through a link), and what follows leads down.

#include <string_view>

#include "common/base/result.hpp"

namespace lepton {

inline constexpr std::size_t folder_path_bytes_max = 512, folder_depth_max = 32;

// `invalid`, with the path (shortened, control characters shown as '?') and the reason.
Status check_folder_path(std::string_view path);

// Where the symbolic link at `path` leads.
Status check_folder_link(std::string_view path, std::string_view target);

}  // namespace lepton
