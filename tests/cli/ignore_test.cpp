// Which files stay at home.

#include "cli/workdir/ignore.hpp"

#include <gtest/gtest.h>

namespace lepton::cli {
namespace {

// "path" a file, "path/" a folder; whether the lines leave it out.
bool left_out(std::string const& lines, std::string path) {
  IgnoreRules rules;
  EXPECT_TRUE(rules.add("", lines));
  auto const is_folder = path.ends_with('/');
  if (is_folder) path.pop_back();
  return !rules.takes(path, is_folder);
}

TEST(Ignore, FollowsItsGrammar) {
  struct Case {
    char const* lines;
    std::vector<std::string> out, in;
  };
  for (auto const& c : std::vector<Case>{
           {"*.pyc", {"a.pyc", "x/y/a.pyc", ".pyc"}, {"a.py", "a.pyc.txt", "pyc"}},
           {"/build", {"build", "build/"}, {"x/build", "builds"}},
           {"build/", {"build/", "x/build/"}, {"build", "x/build"}},
           {"doc/*.txt", {"doc/a.txt"}, {"x/doc/a.txt", "doc/x/a.txt", "doc/a.md"}},
           {"**/logs", {"logs", "a/logs", "a/b/logs/"}, {"logs2"}},
           {"logs/**", {"logs/a", "logs/a/b"}, {"logs/", "a/logs/b"}},
           {"a/**/b", {"a/b", "a/x/b", "a/x/y/b"}, {"b", "a/x/c", "x/a/b"}},
           {"**", {"a", "a/b"}, {}},
           {"a?c", {"abc", "x/a.c"}, {"ac", "abbc"}},
           {"[ab]1", {"a1", "b1"}, {"c1", "ab1"}},
           {"[!ab]1", {"c1"}, {"a1"}},
           {"[^ab]1", {"c1"}, {"b1"}},
           {"[a-c]x", {"bx"}, {"dx", "-x"}},
           {"[]x]", {"]", "x"}, {"a"}},
           {"[a", {"[a"}, {"a"}},
           {"# a\n\n", {}, {"# a", "a"}},
           {"\\#a", {"#a"}, {"a"}},
           {"\\!a", {"!a"}, {"a"}},
           {"a  \r\nb\\ ", {"a", "b "}, {"a  ", "b"}},
           {"a\\*b", {"a*b"}, {"axb"}},
           {"*\n!keep", {"x"}, {"keep", "a/keep"}},
           {"!keep\n*", {"keep"}, {}},
           {"*.log\n!main.log\n/main.log", {"main.log", "a.log"}, {"x/main.log"}},
           {"/", {}, {"a", "a/"}},
           {"a*b*c", {"abc", "axxbyyc", "abbcbc"}, {"ab", "acb"}},
       }) {
    for (auto const& path : c.out) EXPECT_TRUE(left_out(c.lines, path)) << c.lines << " " << path;
    for (auto const& path : c.in) EXPECT_FALSE(left_out(c.lines, path)) << c.lines << " " << path;
  }
}

TEST(Ignore, GitsOwnFolderAlwaysStays) {
  EXPECT_TRUE(left_out("!.git", ".git/"));
  EXPECT_TRUE(left_out("", "sub/.git"));
  EXPECT_FALSE(left_out("", ".gitignore"));
}

TEST(Ignore, AFileSpeaksOfWhatIsBelowItAndHasTheLastWord) {
  IgnoreRules rules;
  ASSERT_TRUE(rules.add("", "*.bin\n/top"));
  ASSERT_TRUE(rules.add("data", "!*.bin\n/top"));
  EXPECT_FALSE(rules.takes("a.bin", false));
  EXPECT_TRUE(rules.takes("data/a.bin", false));
  EXPECT_TRUE(rules.takes("data/deep/a.bin", false));
  EXPECT_FALSE(rules.takes("database/a.bin", false));
  EXPECT_FALSE(rules.takes("data/top", false));
  EXPECT_TRUE(rules.takes("other/top", false));
}

TEST(Ignore, IsBounded) {
  IgnoreRules rules;
  EXPECT_FALSE(rules.add("", std::string(ignore_bytes_max + 1, 'x')));
  EXPECT_FALSE(rules.add("", std::string(2'000, 'x')));
  std::string lines;
  for (std::size_t i = 0; i <= ignore_lines_max; ++i) lines += "a\n";
  EXPECT_FALSE(rules.add("", lines));
  // Many places to go on from cost their product, not more.
  std::string stars, path;
  for (int i = 0; i < 30; ++i) stars += "**/a/", path += "a/";
  EXPECT_FALSE(left_out(stars + "b", path + "c"));
  EXPECT_FALSE(matches_component("a*a*a*a*a*a*a*a*a*a*b", std::string(250, 'a')));
}

}  // namespace
}  // namespace lepton::cli
