// Taking jobs in: who may, what is refused, and the same again.

#include "schemas/registry.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class SubmitTest : public DeployerTest {
 protected:
  void SetUp() override {
    boot();
    orders(n1);
  }
  std::size_t stored() const { return test::rows_of<JobRow>(*store.disk).size(); }
};

TEST_F(SubmitTest, TheSameAgainGivesTheSameAnswer) {
  auto as = ann;
  as.id = "s1";
  auto const first = submit("job-1", spec(), as);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->state, JobState::starting);
  EXPECT_EQ(first->nodes, std::vector<NodeId>{NodeId{"n1"}});
  auto const again = submit("job-1", spec(), as);
  ASSERT_TRUE(again);
  EXPECT_EQ(codec::encode(*again), codec::encode(*first));
  auto const other_request = submit("job-1");
  ASSERT_TRUE(other_request);
  EXPECT_EQ(other_request->queued_at_ms, first->queued_at_ms);
  EXPECT_EQ(stored(), 1u);
  EXPECT_EQ(orders(n1).starts.size(), 1u);
}

TEST_F(SubmitTest, AnIdentityIsGivenOnce) {
  ASSERT_TRUE(submit("job-1"));
  EXPECT_EQ(outcome(submit("job-1", spec("other"))), "conflict");
  EXPECT_EQ(outcome(submit("job-1", spec(), bob)), "conflict");
  EXPECT_EQ(stored(), 1u);
  EXPECT_EQ(view("job-1").owner, "ann");
}

TEST_F(SubmitTest, WhatNoPolicyAllowsIsDeniedAndEntered) {
  rule_gate.rule = [](actor::Caller const&, Verb verb, std::string_view) -> Status {
    return verb == Verb::run ? Status(Error{Code::denied, "no policy allows it"}) : ok();
  };
  EXPECT_EQ(outcome(submit("job-1")), "denied");
  EXPECT_EQ(stored(), 0u);
  auto const entries = audited("deployer.job.submit");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].outcome, AuditOutcome::denied);
  EXPECT_EQ(entries[0].actor, "ann");
  EXPECT_EQ(entries[0].resource, "job/ann/train");
}

TEST_F(SubmitTest, SpecsThatCannotRunAreRefused) {
  auto bad = spec();
  bad.command.clear();
  EXPECT_EQ(outcome(submit("job-1", bad)), "invalid");
  EXPECT_EQ(outcome(submit("job-1", spec("Not A Label"))), "invalid");
  EXPECT_EQ(outcome(submit("bad id", spec())), "invalid");
  EXPECT_EQ(stored(), 0u);
}

TEST_F(SubmitTest, AJobLargerThanAnyNodeIsRefused) {
  auto const answer = submit("job-1", spec("train", 3));
  EXPECT_EQ(outcome(answer), "invalid");
  EXPECT_NE(answer.error().what.find("never start here"), std::string::npos);
  EXPECT_EQ(stored(), 0u);
}

TEST_F(SubmitTest, InAPoolWithoutNodesAJobWaits) {
  auto s = spec();
  s.pool = PoolId{"later"};
  auto const answer = submit("job-1", s);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->state, JobState::queued);
  EXPECT_FALSE(answer->why.empty());
  n2.pool = PoolId{"later"};
  EXPECT_EQ(orders(n2).starts.size(), 1u);
}

TEST_F(SubmitTest, AJobThatDoesNotWaitIsRefusedInItsState) {
  ASSERT_TRUE(submit("job-1", spec("train", 2)));
  auto s = spec();
  s.no_fit = NoFit::refuse;
  auto const answer = submit("job-2", s);
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->state, JobState::refused);
  EXPECT_FALSE(answer->why.empty());
  EXPECT_EQ(state("job-2"), "refused");
  EXPECT_EQ(audited("deployer.job.refused").size(), 1u);
  boot();
  EXPECT_EQ(state("job-2"), "refused");
}

TEST_F(SubmitTest, ABusyPoolQueuesAndPlacesWhenFreed) {
  ASSERT_TRUE(submit("job-1", spec("train", 2)));
  auto const attempt = run_on(n1);
  auto const second = submit("job-2", spec("train", 1));
  EXPECT_EQ(second->state, JobState::queued);
  EXPECT_FALSE(second->why.empty());
  EXPECT_TRUE(orders(n1).starts.empty());
  end_on(n1, attempt);
  EXPECT_EQ(state("job-1"), "succeeded");
  EXPECT_EQ(state("job-2"), "starting");
  EXPECT_EQ(run_on(n1).value, "job-2-0-1");
}

TEST_F(SubmitTest, AGangIsPlacedAllOrNothing) {
  auto gang = spec("gang", 2);
  gang.nodes = 2;
  EXPECT_EQ(outcome(submit("job-1", gang)), "invalid") << "one node alone never holds it";
  orders(n2);
  ASSERT_TRUE(submit("job-0"));
  auto& busy = orders(n1).starts.empty() ? n2 : n1;
  auto const first = run_on(busy);
  ASSERT_TRUE(submit("job-1", gang));
  EXPECT_EQ(state("job-1"), "queued");
  EXPECT_EQ(gpu_milli_free(), 3'000) << "nothing is held by half a gang";
  end_on(busy, first);
  EXPECT_EQ(state("job-1"), "starting");
  EXPECT_EQ(gpu_milli_free(), 0);
  auto const a = orders(n1), b = orders(n2);
  ASSERT_EQ(a.starts.size() + b.starts.size(), 2u);
  EXPECT_NE(a.starts.at(0).index, b.starts.at(0).index);
  EXPECT_EQ(a.starts[0].size, 2u);
  n1.says(a.starts[0].attempt, AttemptState::running);
  orders(n1);
  EXPECT_EQ(state("job-1"), "starting");
  n2.says(b.starts[0].attempt, AttemptState::running);
  orders(n2);
  EXPECT_EQ(state("job-1"), "running");
  // One member fails: the others are stopped, and the job ends when all are over.
  n1.says(a.starts[0].attempt, AttemptState::exited, 3);
  orders(n1);
  EXPECT_EQ(state("job-1"), "stopping");
  EXPECT_TRUE(stops(orders(n2), b.starts[0].attempt));
  n2.says(b.starts[0].attempt, AttemptState::exited, 143);
  orders(n2);
  EXPECT_EQ(state("job-1"), "failed");
  EXPECT_EQ(gpu_milli_free(), 4'000);
}

TEST_F(SubmitTest, UnfinishedJobsAreLimited) {
  deployer_settings.jobs_max = 2;
  boot();
  ASSERT_TRUE(submit("job-1"));
  ASSERT_TRUE(submit("job-2"));
  EXPECT_EQ(outcome(submit("job-3")), "exhausted");
  ASSERT_TRUE(ask(JobCancel{JobId{"job-2"}, ""}, ann));
  n1.says(AttemptId{"job-2-0-1"}, AttemptState::exited, 143);
  orders(n1);
  EXPECT_TRUE(submit("job-3"));
}

TEST_F(SubmitTest, TheAnswerWaitsForItsRows) {
  store.hold_commits = true;
  auto const id = post_as(JobSubmit{JobId{"job-1"}, spec()}, ann);
  auto const sync_id = post_as(n1.next(0), {.name = "n1"});
  EXPECT_TRUE(answers(id).empty());
  EXPECT_TRUE(answers(sync_id).empty()) << "no start leaves before its claim is durable";
  store.hold_commits = false;
  settle();
  EXPECT_EQ(answers(id).size(), 1u);
  EXPECT_EQ(answer_to<NodeSync>(sync_id)->value().starts.size(), 1u);
}

// Secrets

class SecretSubmitTest : public SubmitTest {
 protected:
  JobSpec with_secret() {
    auto s = spec();
    s.secrets["HF"] = "vault://ann/hf";
    return s;
  }
  std::string begin() { return post_as(JobSubmit{JobId{"job-1"}, with_secret()}, ann); }
  void take_in() {
    auto const id = begin();
    reply_to<SecretCheck>(open_requests<SecretCheck>().at(0), SecretsChecked{1});
    ASSERT_EQ(outcome(*answer_to<JobSubmit>(id)), "ok");
  }
  SecretsResolved resolved() {
    SecretsResolved values;
    values.values["HF"] = Secret<>(std::string("hf_canary"));
    return values;
  }
};

TEST_F(SecretSubmitTest, SecretsAreCheckedWithTheRightsOfThePerson) {
  auto const id = begin();
  EXPECT_TRUE(answers(id).empty());
  auto const asked = open_requests<SecretCheck>();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].to, "vault");
  auto const check = *codec::decode<SecretCheck>(asked[0].body);
  EXPECT_EQ(check.who.subject, "ann");
  EXPECT_EQ(check.who.policies, ann.policies);
  EXPECT_EQ(check.who.token, "token-of-ann");
  EXPECT_EQ(check.secrets.at("HF"), "secret/ann/hf");
  reply_to<SecretCheck>(asked[0], Error{Code::denied, "no policy allows it"});
  EXPECT_EQ(outcome(*answer_to<JobSubmit>(id)), "denied");
  EXPECT_EQ(stored(), 0u);
  EXPECT_EQ(audited("deployer.job.submit").size(), 1u);
}

TEST_F(SecretSubmitTest, CredentialsOfAnImageAreASecretLikeTheOthers) {
  auto s = spec();
  s.image = "ghcr.io/team/model:1";
  s.image_credentials = "vault://ann/ghcr";
  s.resources.where.requirements = {{std::string(containers_label), {}, false}};
  n1.labels["containers"] = "docker";
  orders(n1);
  auto const id = post_as(JobSubmit{JobId{"job-1"}, s}, ann);
  EXPECT_TRUE(answers(id).empty()) << "not before the vault has said yes";
  auto const asked = open_requests<SecretCheck>();
  ASSERT_EQ(asked.size(), 1u);
  std::map<std::string, std::string> const wanted{{registry_secret, "secret/ann/ghcr"}};
  EXPECT_EQ(codec::decode<SecretCheck>(asked[0].body)->secrets, wanted);
  reply_to<SecretCheck>(asked[0], SecretsChecked{1});
  EXPECT_TRUE(orders(n1).starts.empty()) << "not before they are here";
  auto const resolve = open_requests<SecretResolve>();
  ASSERT_EQ(resolve.size(), 1u);
  SecretsResolved values;
  values.values[registry_secret] = Secret<>(std::string("ann:password"));
  reply_to<SecretResolve>(resolve[0], values);
  auto const starts = orders(n1).starts;
  ASSERT_EQ(starts.size(), 1u);
  EXPECT_EQ(starts[0].secrets.at(registry_secret).reveal(), "ann:password");
}

TEST_F(SecretSubmitTest, ASealedVaultRefusesTheSubmitOnly) {
  auto const id = begin();
  reply_to<SecretCheck>(open_requests<SecretCheck>().at(0),
                        Error{Code::unavailable, "the vault is sealed; run `lepton vault unseal`"});
  EXPECT_EQ(outcome(*answer_to<JobSubmit>(id)), "unavailable");
  EXPECT_EQ(stored(), 0u);
  EXPECT_TRUE(submit("job-2"));
}

TEST_F(SecretSubmitTest, ValuesTravelWithTheStartOnlyAndStandInNoRow) {
  take_in();
  EXPECT_TRUE(orders(n1).starts.empty()) << "not before its secrets are here";
  auto const asked = open_requests<SecretResolve>();
  ASSERT_EQ(asked.size(), 1u);
  auto const wish = *codec::decode<SecretResolve>(asked[0].body);
  EXPECT_EQ(wish.attempt, "job-1-0-1");
  EXPECT_EQ(wish.node, "n1");
  auto const waiting = park(n1);
  reply_to<SecretResolve>(asked[0], resolved());
  auto const got = answer_to<NodeSync>(waiting);
  ASSERT_TRUE(got && *got) << "the waiting node hears at once";
  ASSERT_EQ((*got)->starts.size(), 1u);
  EXPECT_EQ((*got)->starts[0].secrets.at("HF").reveal(), "hf_canary");
  for (auto const* table : {"job", "job_run", "node", "event", "request"})
    for (auto const& [key, cells] : store.disk->rows(table))
      for (auto const& cell : cells) {
        auto const* text = std::get_if<std::string>(&cell);
        if (auto const* bytes = std::get_if<Bytes>(&cell)) text = &bytes->data;
        if (text != nullptr) {
          EXPECT_EQ(text->find("hf_canary"), std::string::npos) << table;
        }
      }
}

TEST_F(SecretSubmitTest, ADenialAtTheStartEndsTheJob) {
  take_in();
  reply_to<SecretResolve>(open_requests<SecretResolve>().at(0),
                          Error{Code::denied, "the token has been revoked"});
  EXPECT_EQ(state("job-1"), "failed");
  EXPECT_NE(view("job-1").why.find("revoked"), std::string::npos);
  EXPECT_TRUE(orders(n1).starts.empty());
  EXPECT_EQ(gpu_milli_free(), 2'000);
}

TEST_F(SecretSubmitTest, ASealedVaultAtTheStartIsWaitedFor) {
  take_in();
  reply_to<SecretResolve>(open_requests<SecretResolve>().at(0),
                          Error{Code::unavailable, "the vault is sealed"});
  EXPECT_EQ(state("job-1"), "starting");
  EXPECT_NE(view("job-1").why.find("sealed"), std::string::npos);
  EXPECT_TRUE(open_requests<SecretResolve>().empty());
  keep({&n1}, 3'000);
  auto const again = open_requests<SecretResolve>();
  ASSERT_EQ(again.size(), 1u);
  reply_to<SecretResolve>(again[0], resolved());
  EXPECT_EQ(orders(n1).starts.size(), 1u);
}

TEST_F(SecretSubmitTest, ARestartResolvesAgain) {
  take_in();
  reply_to<SecretResolve>(open_requests<SecretResolve>().at(0), resolved());
  boot();
  EXPECT_TRUE(orders(n1).starts.empty());
  auto const again = open_requests<SecretResolve>();
  ASSERT_EQ(again.size(), 1u);
  reply_to<SecretResolve>(again[0], resolved());
  EXPECT_EQ(orders(n1).starts.size(), 1u);
}

TEST_F(SecretSubmitTest, ACancelledJobGetsNoLateValues) {
  take_in();
  ASSERT_TRUE(ask(JobCancel{JobId{"job-1"}, ""}, ann));
  reply_to<SecretResolve>(open_requests<SecretResolve>().at(0), resolved());
  auto const got = orders(n1);
  EXPECT_TRUE(got.starts.empty());
  EXPECT_TRUE(stops(got, AttemptId{"job-1-0-1"}));
}

}  // namespace
}  // namespace lepton::deployer::testing
