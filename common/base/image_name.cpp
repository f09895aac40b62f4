#include "common/base/image_name.hpp"

namespace lepton {
namespace {

constexpr std::size_t image_max = 255;

}  // namespace

bool is_image(std::string_view name) {
  auto const is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > image_max || !is_word(name[0]) || !is_word(name.back()))
    return false;
  char before = name[0];
  for (char const c : name.substr(1)) {
    auto const joins = c == '.' || c == '/' || c == ':' || c == '@';
    if (!is_word(c) && !joins && c != '-' && c != '_') return false;
    if (joins && !is_word(before)) return false;
    before = c;
  }
  return true;
}

}  // namespace lepton
