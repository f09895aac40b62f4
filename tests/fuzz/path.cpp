// Paths of resources, and patterns over them. One spelling for one thing: what is accepted is
// exactly the text that was given.

#include "common/bus/access/path.hpp"
#include "common/base/check.hpp"
#include "common/base/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace lepton;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const cut = std::min(text.find('\n'), text.size());
  auto const pattern = access::PathPattern::parse(text.substr(0, cut));
  auto const rest = cut < text.size() ? text.substr(cut + 1) : std::string_view();
  auto const path = access::ResourcePath::parse(rest);
  if (pattern) LEPTON_CHECK(pattern->text() == text.substr(0, cut), "a pattern was normalised");
  if (!path) return 0;
  LEPTON_CHECK(path->text() == rest, "a path was normalised");
  auto const segments = path->segments();
  LEPTON_CHECK(!segments.empty() && segments.size() <= access::max_segments, "the wrong length");
  for (auto const segment : segments)
    LEPTON_CHECK(access::legal_segment(segment), "a segment outside the grammar");
  auto const same = access::PathPattern::parse(rest);
  LEPTON_CHECK(same && same->matches(segments, "ann"), "a path does not match itself");
  if (pattern) (void)pattern->matches(segments, "ann");
  return 0;
}
