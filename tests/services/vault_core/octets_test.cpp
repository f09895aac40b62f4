#include "services/vault/core/octets.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lepton::vault {
namespace {

TEST(Octets, are_big_endian) {
  std::string out;
  put_number(out, 0x01020304, 4);
  put_text(out, "ab");
  EXPECT_EQ(out, std::string("\1\2\3\4\0\0\0\0\0\0\0\2ab", 14));
}

RC_GTEST_PROP(Octets, read_what_was_written, (std::uint64_t a, std::uint32_t b)) {
  std::string out;
  put_number(out, a, 8);
  put_number(out, b, 4);
  out += "rest";
  std::string_view in = out;
  RC_ASSERT(take_number(in, 8) == a);
  RC_ASSERT(take_number(in, 4) == b);
  RC_ASSERT(in == "rest");
}

// Two lists of texts never give the same octets, wherever the borders between the texts are.
RC_GTEST_PROP(Octets, texts_keep_their_borders, ()) {
  auto const words = [] {
    return *rc::gen::resize(4, rc::gen::container<std::vector<std::string>>(
                                   rc::gen::container<std::string>(rc::gen::element('a', '\0'))));
  };
  auto const one = words(), two = words();
  std::string first, second;
  for (auto const& word : one) put_text(first, word);
  for (auto const& word : two) put_text(second, word);
  RC_ASSERT((first == second) == (one == two));
}

}  // namespace
}  // namespace lepton::vault
