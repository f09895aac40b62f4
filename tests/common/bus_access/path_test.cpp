#include "common/bus/access/path.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lepton::access {
namespace {

TEST(ResourcePath, accepts_the_grammar) {
  for (auto const* text : {"vault", "audit", "secret/ml/hf", "job/ann/train-1", "node/gpu_7.rack-2",
                           "secret/a/b/c/d/e/f/g"}) {
    auto const path = ResourcePath::parse(text);
    ASSERT_TRUE(path) << path.error().what;
    EXPECT_EQ(path->text(), text);
  }
  auto const path = ResourcePath::parse("secret/ml/hf").value();
  EXPECT_EQ(path.segments(), (std::vector<std::string_view>{"secret", "ml", "hf"}));
}

TEST(ResourcePath, refuses_every_other_spelling) {
  for (std::string const text : {"",
                                 "/",
                                 "/secret",
                                 "secret/",
                                 "secret//hf",
                                 "secret/./hf",
                                 "secret/../vault",
                                 "Secret/hf",
                                 "secret/HF",
                                 "secret/hf ",
                                 " secret/hf",
                                 "secret/h*f",
                                 "secret/*",
                                 "secret/+",
                                 "secret/{subject}",
                                 "secret/.hidden",
                                 "secret/-x",
                                 "secret/_x",
                                 "secret\\hf",
                                 "secret/h,f",
                                 "secret/%2e",
                                 "secret/h\xc3\xa4",
                                 "secret/a/b/c/d/e/f/g/h",
                                 "secrets/hf",
                                 "root"})
    EXPECT_EQ(ResourcePath::parse(text).error().code, Code::invalid) << text;
  EXPECT_FALSE(ResourcePath::parse(std::string("secret/h\0f", 10)));
  EXPECT_TRUE(ResourcePath::parse("secret/" + std::string(63, 'a')));
  EXPECT_FALSE(ResourcePath::parse("secret/" + std::string(64, 'a')));
  EXPECT_FALSE(ResourcePath::parse("secret/" + std::string(1'000'000, '/')));
}

TEST(ResourcePath, says_what_was_meant_and_repeats_nothing_dangerous) {
  EXPECT_NE(ResourcePath::parse("secrets/hf").error().what.find("did you mean 'secret'"),
            std::string::npos);
  auto const what = ResourcePath::parse("secret/\x1b[31m\n" + std::string(500, 'x')).error().what;
  EXPECT_EQ(what.find('\x1b'), std::string::npos);
  EXPECT_EQ(what.find('\n'), std::string::npos);
  EXPECT_LT(what.size(), 300u);
}

// An independent statement of the grammar, one character at a time.
bool legal_by_definition(std::string const& text) {
  std::string const starts = "abcdefghijklmnopqrstuvwxyz0123456789";
  if (text.empty() || text.size() > 63 || starts.find(text[0]) == std::string::npos) return false;
  return text.find_first_not_of(starts + "._-") == std::string::npos;
}

RC_GTEST_PROP(Segment, is_legal_by_definition_only, ()) {
  auto const text = *rc::gen::container<std::string>(
      rc::gen::weightedOneOf<char>({{20, rc::gen::elementOf(std::string("az09.-_"))},
                                    {1, rc::gen::elementOf(std::string("AZ*+/ {}\n\x7f"))},
                                    {1, rc::gen::arbitrary<char>()}}));
  RC_ASSERT(legal_segment(text) == legal_by_definition(text));
  if (text.find('/') == std::string::npos)
    RC_ASSERT(ResourcePath::parse("job/" + text).has_value() == legal_by_definition(text));
}

TEST(PathPattern, accepts_and_refuses) {
  for (auto const* text :
       {"*", "+", "secret/*", "secret/+/hf", "job/{subject}/*", "+/+", "vault", "{subject}"}) {
    bool const good = std::string(text) != "{subject}";
    EXPECT_EQ(PathPattern::parse(text).has_value(), good) << text;
  }
  for (auto const* text :
       {"", "secret/", "secret/**", "secret/*/hf", "secret/h*", "secret/h+", "secret/{user}",
        "secret/{subject}x", "secret/..", "Secret/*", "jobs/*", "secret/a/b/c/d/e/f/g/*"})
    EXPECT_FALSE(PathPattern::parse(text)) << text;
}

}  // namespace
}  // namespace lepton::access
