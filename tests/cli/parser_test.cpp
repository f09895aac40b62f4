#include "cli/parser.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "tests/cli/capture.hpp"

namespace lepton::cli {
namespace {

struct Given {
  std::string name;
  bool all = false;
  std::int64_t limit = 50;
  std::vector<std::string> tags;
};

class ParserTest : public ::testing::Test {
 protected:
  ParserTest() {
    Command list{"job list", "Lists", "lepton job list"};
    list.flag("-a,--all", "All", &given.all)
        .option("--limit", "How many", &given.limit)
        .option("--tag", "Tags", &given.tags);
    list.run = [this](Shell&) -> Result<int> { return ran = "list", 0; };
    Command show{"job show", "Shows", "lepton job show NAME"};
    show.required("JOB", "Which", &given.name);
    show.run = [this](Shell&) -> Result<int> {
      ran = "show";
      if (given.name == "none") return Error{Code::not_found, "there is no job 'none'"};
      return 0;
    };
    Command plan{"plan", "Plans", "lepton plan"};
    plan.error_status = 255;
    plan.run = [](Shell&) -> Result<int> { return Error{Code::denied, "no"}; };
    commands = {list, show, plan};
  }

  int run(std::vector<char const*> words) {
    words.insert(words.begin(), "lepton");
    return run_command_line(commands, capture.shell, static_cast<int>(words.size()), words.data());
  }

  Given given;
  std::string ran;
  Commands commands;
  Capture capture;
};

TEST_F(ParserTest, RunsTheCommandWithItsOptions) {
  EXPECT_EQ(run({"job", "list", "--all", "--limit", "7", "--tag", "a", "--tag", "b"}), 0);
  EXPECT_EQ(ran, "list");
  EXPECT_TRUE(given.all);
  EXPECT_EQ(given.limit, 7);
  EXPECT_EQ(given.tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(capture.err(), "");
}

TEST_F(ParserTest, GlobalOptionsStandBeforeAndAfterTheWords) {
  EXPECT_EQ(run({"-o", "json", "job", "show", "x", "--timeout", "3"}), 0);
  EXPECT_EQ(given.name, "x");
  EXPECT_EQ(capture.shell.format, Format::json);
  EXPECT_EQ(capture.shell.timeout_s, 3);
}

TEST_F(ParserTest, AnErrorIsSaidOnStderrAndDecidesTheStatus) {
  EXPECT_EQ(run({"job", "show", "none"}), 3);
  EXPECT_EQ(capture.err(), "error: there is no job 'none'\n");
  EXPECT_EQ(capture.out(), "");
}

TEST_F(ParserTest, APlanEndsEveryErrorWithItsOwnStatus) {
  EXPECT_EQ(run({"plan"}), 255);
}

TEST_F(ParserTest, UnknownWordsNameTheNearest) {
  EXPECT_EQ(run({"jbo", "list"}), 2);
  EXPECT_NE(capture.err().find("unknown command 'jbo', did you mean 'job'?"), std::string::npos)
      << capture.err();
}

TEST_F(ParserTest, UnknownVerbsNameTheNearest) {
  EXPECT_EQ(run({"job", "shwo", "x"}), 2);
  EXPECT_NE(capture.err().find("unknown command 'job shwo', did you mean 'show'?"),
            std::string::npos)
      << capture.err();
  EXPECT_EQ(ran, "");
}

TEST_F(ParserTest, UnknownOptionsNameTheNearest) {
  EXPECT_EQ(run({"job", "list", "--limt", "7"}), 2);
  EXPECT_NE(capture.err().find("unknown option '--limt', did you mean '--limit'?"),
            std::string::npos)
      << capture.err();
  EXPECT_NE(capture.err().find("see: lepton job list --help"), std::string::npos);
}

TEST_F(ParserTest, WrongFormsAndMissingWordsAreUsageErrors) {
  EXPECT_EQ(run({"job", "list", "-o", "jsn"}), 2);
  EXPECT_NE(capture.err().find("did you mean 'json'?"), std::string::npos) << capture.err();
}

TEST_F(ParserTest, AMissingWordIsNamed) {
  EXPECT_EQ(run({"job", "show"}), 2);
  EXPECT_NE(capture.err().find("JOB"), std::string::npos) << capture.err();
}

TEST_F(ParserTest, HelpShowsTheExample) {
  EXPECT_EQ(run({"job", "list", "--help"}), 0);
  EXPECT_NE(capture.out().find("Example:"), std::string::npos);
  EXPECT_NE(capture.out().find("  lepton job list"), std::string::npos);
  EXPECT_EQ(ran, "");
}

TEST_F(ParserTest, AWordWithoutItsVerbShowsHelpAndIsAUsageError) {
  EXPECT_EQ(run({"job"}), 2);
  EXPECT_NE(capture.out().find("show"), std::string::npos);
}

TEST(ExitStatus, OneTable) {
  EXPECT_EQ(exit_status(Code::invalid), 2);
  EXPECT_EQ(exit_status(Code::not_found), 3);
  EXPECT_EQ(exit_status(Code::denied), 4);
  EXPECT_EQ(exit_status(Code::conflict), 5);
  EXPECT_EQ(exit_status(Code::unavailable), 6);
  EXPECT_EQ(exit_status(Code::timeout), 7);
  for (auto const code : {Code::exhausted, Code::internal, Code::unknown})
    EXPECT_EQ(exit_status(code), 1);
}

}  // namespace
}  // namespace lepton::cli
