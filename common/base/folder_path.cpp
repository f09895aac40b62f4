#include "common/base/folder_path.hpp"

#include <algorithm>
#include <string>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"

namespace lepton {
namespace {

constexpr std::size_t component_bytes_max = 255;

// For a sentence: it may hold anything.
std::string shown(std::string_view path) {
  constexpr std::size_t most = 120;
  std::string text(path.substr(0, most));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return "'" + text + (path.size() > most ? "..." : "") + "'";
}

Error bad(std::string_view path, std::string_view why) {
  return {Code::invalid, shown(path) + " " + std::string(why)};
}

bool has_control(std::string_view s) {
  return std::any_of(s.begin(), s.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Status check_folder_path(std::string_view path) {
  if (path.empty()) return Error{Code::invalid, "a path is empty"};
  if (path.size() > folder_path_bytes_max) return bad(path, "is longer than 512 octets");
  if (path.front() == '/') return bad(path, "is absolute; paths are below the folder");
  if (has_control(path)) return bad(path, "holds a control character");
  if (!text::is_utf8(path)) return bad(path, "is not UTF-8");
  std::size_t depth = 0;
  for (auto const& component : text::split(path, '/')) {
    if (component.empty()) return bad(path, "has an empty component");
    if (component == "." || component == "..") return bad(path, "has a component '.' or '..'");
    if (component.size() > component_bytes_max) return bad(path, "has a name above 255 octets");
    if (++depth > folder_depth_max) return bad(path, "is deeper than 32 folders");
  }
  return ok();
}

Status check_folder_link(std::string_view path, std::string_view target) {
  auto const leaves = [&] {
    return bad(path, "is a link to " + shown(target) + ", which may lead out of the folder");
  };
  if (target.empty() || target.front() == '/') return leaves();
  auto up = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
  auto rest = target;
  while (rest == ".." || rest.starts_with("../")) {
    if (up-- == 0) return leaves();
    rest.remove_prefix(std::min<std::size_t>(rest.size(), 3));
  }
  if (rest.empty()) return ok();
  if (!check_folder_path(rest)) return leaves();
  return ok();
}

}  // namespace lepton
