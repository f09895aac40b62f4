// Commands beside tasks: the deployer between a person and a node, both of which the test plays.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

constexpr std::int64_t full_bytes = 262'144;  // of one direction's buffer

class ExecsTest : public DeployerTest {
 protected:
  AttemptId attempt;

  void SetUp() override {
    DeployerTest::SetUp();
    orders(n1);
    EXPECT_TRUE(submit("job-1"));
    attempt = run_on(n1);
  }
  JobExec wish(std::vector<std::string> command = {"ps", "-ef"}) {
    return {JobId{"job-1"}, 0, std::move(command), 60'000};
  }
  std::string opened(As const& who) {
    auto const done = ask(wish(), who);
    EXPECT_TRUE(done) << done.error().what;
    return done ? done->exec : "";
  }
  std::string opened() { return opened(ann); }
  // One that the node has claimed.
  std::string begun() {
    auto const exec = opened();
    EXPECT_EQ(orders(n1).execs.size(), 1u);
    EXPECT_TRUE(report(exec));
    return exec;
  }
  ExecReport said(std::string const& exec, std::int64_t offset = 0, std::string const& text = "") {
    ExecReport m;
    m.node = NodeId{n1.name};
    m.incarnation = n1.incarnation;
    m.exec = exec;
    m.output_offset = offset;
    if (!text.empty()) m.output.push_back({false, {text}});
    return m;
  }
  Result<ExecInput> report(ExecReport const& m) { return ask(m, {.name = n1.name}); }
  Result<ExecInput> report(std::string const& exec) { return report(said(exec)); }
  Result<ExecHeard> talk(std::string const& exec, std::int64_t taken = 0) {
    ExecTalk m;
    m.exec = exec;
    m.output_taken = taken;
    return ask(m, ann);
  }
  Result<ExecHeard> give(std::string const& exec, std::int64_t offset, std::string const& input,
                         bool ended = false) {
    ExecTalk m;
    m.exec = exec;
    m.input_offset = offset;
    m.input.data = input;
    m.input_ended = ended;
    return ask(m, ann);
  }
  static std::string text_of(ExecHeard const& heard) {
    std::string all;
    for (auto const& piece : heard.output) all += piece.data.data;
    return all;
  }
  // The one end that is in the audit log.
  AuditEvent audited_end() {
    auto const ends = audited("deployer.job.exec_ended");
    EXPECT_EQ(ends.size(), 1u);
    return ends.empty() ? AuditEvent{} : ends.back();
  }
};

TEST_F(ExecsTest, AnOrderIsNewsAndGoesToTheNodeOfTheTask) {
  auto const waiting = park(n1);
  auto const exec = opened();
  auto const heard = answer_to<NodeSync>(waiting);
  ASSERT_TRUE(heard && *heard);
  ASSERT_EQ((*heard)->execs.size(), 1u);
  auto const order = (*heard)->execs[0];
  EXPECT_EQ(order.exec, exec);
  EXPECT_EQ(order.attempt, attempt);
  EXPECT_EQ(order.command, (std::vector<std::string>{"ps", "-ef"}));
  EXPECT_EQ(order.limit_ms, 60'000);
  EXPECT_TRUE(orders(n1).execs.empty()) << "told again after a while only";
  advance(2'500);
  EXPECT_EQ(orders(n1).execs.size(), 1u) << "nobody has claimed it";
  ASSERT_TRUE(report(exec));
  advance(2'500);
  EXPECT_TRUE(orders(n1).execs.empty());
}

TEST_F(ExecsTest, WhatIsPrintedComesOnceAndInOrderWhateverIsLostOrDoubled) {
  auto const exec = begun();
  auto two = said(exec, 0, "one ");
  two.output.push_back({true, {"two "}});
  EXPECT_EQ(report(two)->output_taken, 8);
  EXPECT_EQ(report(two)->output_taken, 8) << "the answer was lost, and it says it again";
  EXPECT_EQ(report(said(exec, 4, "two three"))->output_taken, 13) << "overlapping";
  post_as(said(exec, 20, "later"), {.name = n1.name});  // something is missing before it
  auto const heard = talk(exec);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->output_offset, 0);
  EXPECT_EQ(text_of(*heard), "one two three");
  EXPECT_TRUE(heard->output.at(1).is_error);
  EXPECT_EQ(text_of(*talk(exec)), "one two three") << "the answer was lost";
  auto const rest = talk(exec, 4);
  EXPECT_EQ(rest->output_offset, 4);
  EXPECT_EQ(text_of(*rest), "two three");
}

TEST_F(ExecsTest, ItsEndComesAfterItsOutputAndIsAuditedOnce) {
  auto const exec = begun();
  auto last = said(exec, 0, "bye");
  last.end = {true, 7, ""};
  ASSERT_TRUE(report(last));
  ASSERT_TRUE(report(last));
  auto const heard = talk(exec);
  EXPECT_EQ(text_of(*heard), "bye");
  EXPECT_EQ(heard->end, (ExecEnd{true, 7, ""}));
  EXPECT_EQ(talk(exec, 3)->end.exit_code, 7) << "until it is forgotten";
  auto const end = audited_end();
  EXPECT_EQ(end.actor, "ann");
  EXPECT_EQ(end.resource, "job/ann/train");
  EXPECT_EQ(end.outcome, AuditOutcome::failed);
  EXPECT_EQ(end.detail.at("exit_code"), "7");
  EXPECT_EQ(end.detail.at("exec"), exec);
  EXPECT_TRUE(test::rows_of<ExecRow>(*store.disk).empty());
  advance(17'000);
  EXPECT_EQ(outcome(talk(exec)), "not_found");
}

TEST_F(ExecsTest, WhoAsksForMoreThanTheAnswerHoldsGetsTheEndLast) {
  auto const exec = begun();
  ASSERT_TRUE(report(said(exec, 0, std::string(full_bytes - 1, 'a'))));
  auto last = said(exec, full_bytes - 1, std::string(10, 'b'));
  last.end = {true, 0, ""};
  ASSERT_TRUE(report(last));
  auto const first = talk(exec);
  EXPECT_EQ(text_of(*first).size(), static_cast<std::size_t>(full_bytes));
  EXPECT_FALSE(first->end.ended);
  auto const second = talk(exec, full_bytes);
  EXPECT_EQ(text_of(*second), std::string(9, 'b'));
  EXPECT_TRUE(second->end.ended);
}

TEST_F(ExecsTest, ACommandWaitsWhileNobodyTakesWhatItPrints) {
  auto const exec = begun();
  EXPECT_EQ(report(said(exec, 0, std::string(full_bytes, 'a')))->output_taken, full_bytes);
  auto const waits = post_as(said(exec, full_bytes, "more"), {.name = n1.name});
  EXPECT_FALSE(answer_to<ExecReport>(waits)) << "there is no room";
  ASSERT_TRUE(talk(exec, full_bytes));
  auto const told = answer_to<ExecReport>(waits);
  ASSERT_TRUE(told && *told) << "there is, now";
  EXPECT_EQ(report(said(exec, full_bytes, "more"))->output_taken, full_bytes + 4);
}

TEST_F(ExecsTest, AQuestionThatWaitsIsAnsweredByNews) {
  auto const exec = begun();
  ExecTalk m;
  m.exec = exec;
  m.wait_ms = 5'000;
  auto const waits = post_as(m, ann);
  EXPECT_FALSE(answer_to<ExecTalk>(waits));
  ASSERT_TRUE(report(said(exec, 0, "news")));
  auto const heard = answer_to<ExecTalk>(waits);
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ(text_of(**heard), "news");
  m.output_taken = 4;
  auto const again = post_as(m, ann);
  advance(4'000);
  ASSERT_TRUE(report(exec));
  EXPECT_FALSE(answer_to<ExecTalk>(again));
  advance(1'500);
  EXPECT_TRUE(answer_to<ExecTalk>(again)) << "or by the end of its time";
}

TEST_F(ExecsTest, InputGoesOnceAndInOrder) {
  auto const exec = begun();
  EXPECT_EQ(give(exec, 0, "abc")->input_taken, 3);
  EXPECT_EQ(give(exec, 0, "abcdef")->input_taken, 6) << "said again, and more";
  EXPECT_EQ(give(exec, 9, "xyz")->input_taken, 6) << "something is missing before it";
  auto const first = report(exec);
  EXPECT_EQ(first->input_offset, 0);
  EXPECT_EQ(first->input.data, "abcdef");
  EXPECT_FALSE(first->input_ended);
  auto taken = said(exec);
  taken.input_taken = 4;
  EXPECT_EQ(report(taken)->input.data, "ef") << "the rest again";
  ASSERT_TRUE(give(exec, 6, "", true));
  taken.input_taken = 6;
  auto const last = report(taken);
  EXPECT_EQ(last->input.data, "");
  EXPECT_TRUE(last->input_ended);
}

TEST_F(ExecsTest, InputIsNewsForANodeThatWaits) {
  auto const exec = begun();
  auto m = said(exec);
  m.wait_ms = 2'000;
  auto const waits = post_as(m, {.name = n1.name});
  EXPECT_FALSE(answer_to<ExecReport>(waits));
  ASSERT_TRUE(give(exec, 0, "word"));
  auto const told = answer_to<ExecReport>(waits);
  ASSERT_TRUE(told && *told);
  EXPECT_EQ((*told)->input.data, "word");
}

TEST_F(ExecsTest, OnlyWhoMayAndOnlyBesideARunningTask) {
  EXPECT_EQ(outcome(ask(wish(), bob)), "denied");
  auto const exec = begun();
  EXPECT_EQ(outcome(ask(ExecTalk{.exec = exec}, bob)), "denied");
  EXPECT_EQ(outcome(ask(ExecTalk{.exec = exec}, root)), "denied") << "nor who may everything";
  EXPECT_EQ(outcome(ask(said(exec), {.name = "n2"})), "denied");
  auto theirs = said(exec);
  theirs.node = NodeId{"n2"};
  orders(n2);
  EXPECT_EQ(outcome(ask(theirs, {.name = "n2"})), "not_found") << "it runs on another node";
  ASSERT_TRUE(ask(wish(), root)) << "beside anybody's";
  end_on(n1, attempt);
  EXPECT_EQ(outcome(ask(wish(), ann)), "conflict");
}

TEST_F(ExecsTest, BadCommandsAreRefusedBeforeAnythingIsKept) {
  EXPECT_EQ(outcome(ask(wish({}), ann)), "invalid");
  EXPECT_EQ(outcome(ask(wish({""}), ann)), "invalid");
  EXPECT_EQ(outcome(ask(wish({"a", std::string("b\0c", 3)}), ann)), "invalid");
  EXPECT_EQ(outcome(ask(wish({"a", std::string(17'000, 'b')}), ann)), "invalid");
  EXPECT_EQ(outcome(ask(wish(std::vector<std::string>(300, "a")), ann)), "invalid");
  auto short_one = wish();
  short_one.limit_ms = 10;
  EXPECT_EQ(outcome(ask(short_one, ann)), "invalid");
  EXPECT_TRUE(test::rows_of<ExecRow>(*store.disk).empty());
}

TEST_F(ExecsTest, APersonRunsEightAtATime) {
  std::string last;
  for (int i = 0; i < 8; ++i) last = opened();
  auto const ninth = ask(wish(), ann);
  ASSERT_FALSE(ninth);
  EXPECT_EQ(ninth.error().code, Code::exhausted);
  auto end = said(last);
  end.end = {true, 0, ""};
  ASSERT_TRUE(report(end));
  EXPECT_TRUE(ask(wish(), ann)) << "one has ended";
}

TEST_F(ExecsTest, APersonWhoIsGoneEndsIt) {
  auto const exec = begun();
  for (int i = 0; i < 14; ++i) {
    EXPECT_FALSE(report(exec)->stop);
    advance(1'000);
  }
  advance(2'000);
  auto const told = report(exec);
  EXPECT_TRUE(told->stop);
  EXPECT_NE(told->why.find("has gone"), std::string::npos) << told->why;
  auto last = said(exec);
  last.end = {true, -1, told->why};
  ASSERT_TRUE(report(last));
  EXPECT_NE(audited_end().detail.at("why").find("has gone"), std::string::npos);
}

// What a person has left behind unread must not keep the node from saying the end.
TEST_F(ExecsTest, APersonWhoIsGoneEndsItAlsoWhileNobodyTakesWhatItPrints) {
  auto const exec = begun();
  ASSERT_TRUE(report(said(exec, 0, std::string(full_bytes, 'a'))));
  std::string const more(1'000, 'b');
  for (int i = 0; i < 17; ++i) {
    post_as(said(exec, full_bytes, more), {.name = n1.name});
    advance(1'000);
  }
  auto last = said(exec, full_bytes, more);
  last.end = {true, -1, "it was ended"};
  auto const told = report(last);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->output_taken, full_bytes + 1'000);
  EXPECT_EQ(audited_end().detail.at("why"), "it was ended");
}

TEST_F(ExecsTest, ManySmallPiecesAreAFullBufferToo) {
  auto const exec = begun();
  auto m = said(exec);
  for (int i = 0; i < 1'024; ++i) m.output.push_back({i % 2 == 0, {"x"}});
  EXPECT_EQ(report(m)->output_taken, 1'024);
  auto const waits = post_as(said(exec, 1'024, "more"), {.name = n1.name});
  EXPECT_FALSE(answer_to<ExecReport>(waits));
  m.output.resize(exec_pieces_max + 1, {false, {"x"}});
  EXPECT_EQ(outcome(report(m)), "invalid");
}

TEST_F(ExecsTest, EndsThatNobodyHearsAreFewAndGo) {
  for (int i = 0; i < 32; ++i) {
    ExecTalk m;
    m.exec = opened();
    m.stop = true;
    ASSERT_TRUE(ask(m, ann));
  }
  EXPECT_EQ(outcome(ask(wish(), ann)), "exhausted");
  keep({&n1}, 17'000);
  EXPECT_TRUE(ask(wish(), ann));
}

TEST_F(ExecsTest, ANodeThatIsSilentHasEndedIt) {
  auto const exec = begun();
  for (int i = 0; i < 17; ++i) {
    ASSERT_TRUE(talk(exec));
    advance(1'000);
  }
  auto const heard = talk(exec);
  ASSERT_TRUE(heard->end.ended);
  EXPECT_NE(heard->end.why.find("does not answer"), std::string::npos);
  EXPECT_TRUE(report(exec)->stop) << "should it come back";
}

TEST_F(ExecsTest, APersonEndsItBeforeOrAfterItBegan) {
  auto const early = opened();
  ExecTalk m;
  m.exec = early;
  m.stop = true;
  EXPECT_NE(ask(m, ann)->end.why.find("before it began"), std::string::npos);
  EXPECT_TRUE(orders(n1).execs.empty());
  EXPECT_TRUE(report(early)->stop) << "a late claim of an earlier order begins nothing";
  m.exec = begun();
  EXPECT_FALSE(ask(m, ann)->end.ended) << "the node says when it is over";
  EXPECT_TRUE(report(m.exec)->stop);
}

TEST_F(ExecsTest, AnotherLifeOfTheNodeDoesNotGoOnWithIt) {
  auto const exec = begun();
  auto m = said(exec);
  m.incarnation = "life-2";
  EXPECT_EQ(outcome(report(m)), "conflict");
  EXPECT_NE(talk(exec)->end.why.find("began anew"), std::string::npos);
}

TEST_F(ExecsTest, ANewLifeOfTheDeployerEndsThemAll) {
  auto const exec = begun();
  EXPECT_EQ(test::rows_of<ExecRow>(*store.disk).size(), 1u);
  boot();
  EXPECT_NE(audited_end().detail.at("why").find("began anew"), std::string::npos);
  EXPECT_TRUE(test::rows_of<ExecRow>(*store.disk).empty());
  orders(n1);
  EXPECT_EQ(outcome(talk(exec)), "not_found");
  EXPECT_EQ(outcome(report(exec)), "not_found") << "which ends it there";
}

TEST_F(ExecsTest, TooMuchInputEndsIt) {
  auto const exec = begun();
  std::string const part(full_bytes, 'x');
  std::int64_t sent = 0;
  for (; sent <= 64 << 20; sent += full_bytes) {
    ASSERT_EQ(give(exec, sent, part)->input_taken, sent + full_bytes);
    auto m = said(exec);
    m.input_taken = sent + full_bytes;
    if (report(m)->stop) break;
  }
  EXPECT_EQ(sent, 64 << 20);
  EXPECT_NE(report(exec)->why.find("64 MiB"), std::string::npos);
}

}  // namespace
}  // namespace lepton::deployer::testing
