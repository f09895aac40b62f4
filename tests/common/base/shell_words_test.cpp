#include "common/base/shell_words.hpp"

#include <gtest/gtest.h>

namespace lepton {
namespace {

TEST(ShellWords, PlainWordsStayAsTheyAre) {
  EXPECT_EQ(shell_words({"ps", "-ef", "/a/b_c.d:e=f,g+h@i%"}), "ps -ef /a/b_c.d:e=f,g+h@i%");
  EXPECT_EQ(shell_words({}), "");
}

TEST(ShellWords, OthersAreQuotedSoThatAShellReadsThemBack) {
  EXPECT_EQ(shell_words({"sh", "-c", "echo $HOME; ls"}), "sh -c 'echo $HOME; ls'");
  EXPECT_EQ(shell_words({"it's"}), "'it'\\''s'");
  EXPECT_EQ(shell_words({"", "~"}), "'' '~'");
}

TEST(ShellWords, NothingThatATerminalWouldObeyIsLeft) {
  EXPECT_EQ(shell_words({"a\x1b[2J'\\\n"}), "$'a\\x1b[2J\\'\\\\\\x0a'");
}

}  // namespace
}  // namespace lepton
