// The auditor's tables in a real PostgreSQL: what its role may do, what people see, and that the
// actor lives on them.

#include <fmt/format.h>

#include "common/store/postgres_store.hpp"
#include "tests/common/postgres/fixture.hpp"
#include "tests/common/store/columns.hpp"
#include "tests/common/store/mailbox.hpp"
#include "tests/services/auditor/rig.hpp"

namespace lepton::auditor::testing {
namespace {

class AuditorPostgres : public postgres::WithService {
 protected:
  AuditorPostgres() : WithService("auditor") {}
  postgres::Rows read(std::string const& sql) {
    auto session = postgres::Session::open(urls_.at("lepton_reader"));
    if (!session) return ADD_FAILURE() << session.error().what, postgres::Rows{};
    auto found = session->query({sql, {}});
    if (!found) return ADD_FAILURE() << found.error().what << "\n" << sql, postgres::Rows{};
    return *found;
  }
  std::string value(std::string const& sql) {
    auto const found = read(sql);
    return found.size() == 1 ? found[0][0].value_or("NULL") : fmt::format("{} rows", found.size());
  }
};

// One auditor on PostgreSQL, with sources that the test writes; the thread of the test runs it.
struct Live {
  explicit Live(Secret<std::string> const& url) {
    store::PostgresSettings s;
    s.database_url = url;
    s.schema = "auditor";
    s.post = mailbox.post();
    store = std::make_unique<store::PostgresStore>(std::move(s));
    feeds["deployer"], feeds["monitor"], feeds["scaler"], feeds["vault"];
  }
  void boot() {
    system =
        std::make_unique<actor::System>(actor::SystemSettings{.service = "auditor"},
                                        actor::Ports{clock, *store, wire, gate, worker, entropy,
                                                     chance, [](actor::Level, auto const&) {}});
    system->add(
        "auditor",
        [] { return std::make_unique<Auditor>(Settings{.key = log_key(), .origin = origin}); }, {});
    feeds.skip(wire);
    system->start();
  }
  bool run_until(std::function<bool()> const& done) {
    return mailbox.run_until([&] {
      do {
        while (system->step()) {
        }
      } while (feeds.serve(*system, wire));
      return done();
    });
  }
  // Stored, not only taken in: an answer leaves after all commits before it.
  bool has_size(std::uint64_t size) {
    auto const taken = run_until([&] {
      auto const* actor = dynamic_cast<Auditor const*>(system->host("auditor").actor());
      return actor != nullptr && actor->head().size == size;
    });
    return taken && query(AuditTail{.limit = 1}).entries.size() == 1;
  }
  template <class M>
  typename M::Reply query(M const& message) {
    wire.answers.clear();
    actor::Request request;
    request.caller = {actor::Door::client, "ann", "key", {}};
    request.header = {
        .kind = Kind::request, .topic = std::string(M::topic), .id = "q", .deadline_ms = 60'000};
    request.body = codec::encode(message);
    system->deliver_request(std::move(request));
    EXPECT_TRUE(run_until([&] { return !wire.answers.empty(); }));
    auto const reply = codec::decode<typename M::Reply>(wire.answers.at(0).body);
    EXPECT_TRUE(reply) << codec::decode<Refusal>(wire.answers.at(0).body)->what;
    return reply ? *reply : typename M::Reply{};
  }

  lepton::store::Mailbox mailbox;
  test::ManualClock clock;
  test::RecordingWire wire;
  test::NamedGate gate;
  test::HeldWorker worker;
  crypto::SeededEntropy entropy{1};
  Chance chance{1};
  std::unique_ptr<store::PostgresStore> store;
  Feeds feeds;
  std::unique_ptr<actor::System> system;
};

AuditEvent job(std::string const& step, std::int64_t at_ms,
               std::map<std::string, std::string> detail) {
  auto e = event(step == "submit" ? "ann" : "deployer", "deployer.job." + step, "job/ann/train");
  e.at_ms = at_ms;
  e.detail = std::move(detail);
  return e;
}

constexpr std::int64_t in_november_ms = 1'795'000'000'000;  // 2026-11-18

void write_history(Live& live) {
  auto& deployer = live.feeds["deployer"];
  deployer.add(job("submit", in_november_ms, {{"job", "j1"}}));
  deployer.add(job("placed", in_november_ms + 1'000, {{"job", "j1"}, {"node", "n1"}}));
  deployer.add(job("retried", in_november_ms + 2'000, {{"job", "j1"}, {"why", "n1 was lost"}}));
  deployer.add(job("placed", in_november_ms + 3'000, {{"job", "j1"}, {"node", "n2"}}));
  deployer.add(job("succeeded", in_november_ms + 4'000, {{"job", "j1"}}));
  deployer.add(job("submit", in_november_ms + 5'000, {{"job", "j2"}}));
  auto denied = event("eve", "deployer.job.submit", "job/eve/x", AuditOutcome::denied);
  deployer.add(denied);
  auto& vault = live.feeds["vault"];
  vault.add(event("ann", "vault.secret.get", "secret/ml/\xc3\xa4 \"quoted\" \\ \xe2\x82\xac"));
  vault.add_raw("what", "is this");
  vault.add(event("ann", "vault.secret.put", "secret/ml/hf"));
  auto later = event("bob", "vault.secret.resolve", "secret/ml/hf");
  later.at_ms = 4'102'444'800'000;  // 2100: beyond the monthly partitions
  vault.add(later);
}

TEST_F(AuditorPostgres, RowsAreThoseOfTheMigration) {
  auto session = postgres::Session::open(admin_url());
  ASSERT_TRUE(session);
  store::expect_same_columns<EntryRow>(*session, "auditor");
  store::expect_same_columns<MerkleNodeRow>(*session, "auditor");
  store::expect_same_columns<CheckpointRow>(*session, "auditor");
  store::expect_same_columns<HeadRow>(*session, "auditor");
  EXPECT_EQ(
      ask("SELECT count(*) FROM pg_inherits WHERE inhparent = 'auditor.entry'::regclass")[0][0],
      "61");
}

TEST_F(AuditorPostgres, TheServiceCanAddAndNeitherChangeNorRemove) {
  auto const* role = "lepton_auditor";
  EXPECT_EQ(as(role,
               "INSERT INTO auditor.entry VALUES (0, 'v', 's', 1, 1, 1795000000000, 'a', 'b', 'c', "
               "'d', '', '{}')"),
            "ok");
  EXPECT_EQ(as(role, "INSERT INTO auditor.merkle_node VALUES (0, 0, sha256('x'))"), "ok");
  EXPECT_EQ(as(role, "INSERT INTO auditor.checkpoint VALUES (1, 't', 0)"), "ok");
  EXPECT_EQ(
      as(role,
         "INSERT INTO auditor.head VALUES (0, 1, '', '') ON CONFLICT (id) DO UPDATE SET size = 2"),
      "ok");
  for (std::string const table : {"entry", "entry_2026_11", "merkle_node", "checkpoint"}) {
    EXPECT_TRUE(is_refused(role, "DELETE FROM auditor." + table)) << table;
    EXPECT_TRUE(is_refused(role, "TRUNCATE auditor." + table)) << table;
    EXPECT_FALSE(as(role, "ALTER TABLE auditor." + table + " OWNER TO lepton_auditor") == "ok");
    EXPECT_FALSE(as(role, "DROP TABLE auditor." + table) == "ok");
    as(role, "GRANT UPDATE ON auditor." + table + " TO lepton_auditor");  // only warns
  }
  EXPECT_TRUE(is_refused(role, "UPDATE auditor.entry SET actor = 'x'"));
  EXPECT_TRUE(is_refused(role, "UPDATE auditor.entry_2026_11 SET actor = 'x'"));
  EXPECT_TRUE(is_refused(role, "UPDATE auditor.merkle_node SET index = 1"));
  EXPECT_TRUE(is_refused(role, "UPDATE auditor.checkpoint SET text = 'x'"));
  EXPECT_TRUE(is_refused(role, "DELETE FROM auditor.head"));
  EXPECT_FALSE(as(role, "ALTER TABLE auditor.entry DETACH PARTITION auditor.entry_2026_11") ==
               "ok");
  EXPECT_FALSE(as(role, "CREATE RULE quiet AS ON INSERT TO auditor.entry DO INSTEAD NOTHING") ==
               "ok");
  EXPECT_FALSE(as(role, "SET ROLE lepton_owner") == "ok");
  EXPECT_EQ(value("SELECT count(*) FROM auditor.audit_log"), "1");
}

TEST_F(AuditorPostgres, PeopleSeeTheViewsOnly) {
  auto const* role = "lepton_reader";
  for (std::string const view : {"audit_log", "job_history", "denials", "secret_reads",
                                 "audit_tree", "audit_checkpoints", "audit_leaves"})
    EXPECT_EQ(as(role, "SELECT * FROM auditor." + view), "ok") << view;
  for (std::string const table :
       {"entry", "entry_2026_11", "merkle_node", "checkpoint", "head", "inbox", "request"})
    EXPECT_TRUE(is_refused(role, "SELECT * FROM auditor." + table)) << table;
  EXPECT_TRUE(is_refused(role, "INSERT INTO auditor.audit_tree VALUES (0, 0, '')"));
  EXPECT_TRUE(is_refused(role, "DELETE FROM auditor.audit_tree"));
  EXPECT_TRUE(is_refused(role, "UPDATE auditor.audit_checkpoints SET text = ''"));
}

TEST_F(AuditorPostgres, TheActorLivesOnThem) {
  Live live(urls_.at("lepton_auditor"));
  write_history(live);
  live.boot();
  ASSERT_TRUE(live.has_size(11));
  auto const key = *NoteKey::create(origin, log_key().public_key());
  for (std::uint64_t i = 0; i < 11; ++i) {
    auto const proof = live.query(AuditProve{i});
    EXPECT_EQ(proof.index, i);
    EXPECT_TRUE(open_checkpoint(proof.checkpoint, key));
  }
  EXPECT_EQ(live.query(AuditTail{.resource_prefix = "secret/ml/"}).entries.size(), 3u);
  EXPECT_EQ(live.query(AuditTail{.since_ms = in_november_ms, .until_ms = in_november_ms + 2'000})
                .entries.size(),
            2u);
  // A second life begins with the rows of the first.
  live.boot();
  live.feeds["vault"].add(event("ann", "vault.secret.get", "secret/ml/hf"));
  ASSERT_TRUE(live.has_size(12));
  auto const proof = live.query(AuditConsistency{11, 0});
  EXPECT_EQ(proof.new_size, 12u);
  EXPECT_EQ(value("SELECT count(*) FROM auditor.audit_log"), "12");
  EXPECT_EQ(value("SELECT count(*) FROM auditor.audit_checkpoints"), "3");
}

constexpr char const* changed_leaves =
    "SELECT coalesce(t.index, e.sequence) FROM auditor.audit_leaves e FULL JOIN (SELECT * FROM "
    "auditor.audit_tree WHERE level = 0) t ON t.index = e.sequence WHERE e.hash IS DISTINCT FROM "
    "t.hash";
constexpr char const* changed_nodes =
    "SELECT p.level, p.index FROM auditor.audit_tree p "
    "LEFT JOIN auditor.audit_tree l ON l.level = p.level - 1 AND l.index = 2 * p.index "
    "LEFT JOIN auditor.audit_tree r ON r.level = p.level - 1 AND r.index = 2 * p.index + 1 "
    "WHERE p.level > 0 AND p.hash IS DISTINCT FROM sha256('\\x01'::bytea || l.hash || r.hash)";

TEST_F(AuditorPostgres, SqlAloneFindsWhatWasChanged) {
  Live live(urls_.at("lepton_auditor"));
  write_history(live);
  live.boot();
  ASSERT_TRUE(live.has_size(11));
  EXPECT_TRUE(read(changed_leaves).empty());
  EXPECT_TRUE(read(changed_nodes).empty());
  ask("UPDATE auditor.entry SET actor = 'nobody' WHERE sequence = 3");
  ask("DELETE FROM auditor.entry WHERE sequence = 6");
  auto const leaves = read(std::string(changed_leaves) + " ORDER BY 1");
  ASSERT_EQ(leaves.size(), 2u);
  EXPECT_EQ(leaves[0][0], "3");
  EXPECT_EQ(leaves[1][0], "6");
  ask("UPDATE auditor.merkle_node SET hash = sha256('x') WHERE level = 1 AND index = 2");
  EXPECT_EQ(read(changed_nodes).size(), 2u) << "the node and its parent";
}

TEST_F(AuditorPostgres, PeopleReadHistoryDenialsAndSecretReads) {
  Live live(urls_.at("lepton_auditor"));
  write_history(live);
  live.boot();
  ASSERT_TRUE(live.has_size(11));
  auto const jobs = read(
      "SELECT job, resource, submitted_by, placed_at = to_timestamp(1795000003), ended_at - "
      "submitted_at, ending, "
      "node, placements, why FROM auditor.job_history ORDER BY job");
  ASSERT_EQ(jobs.size(), 2u);
  postgres::Rows const wanted{
      {"j1", "job/ann/train", "ann", "t", "00:00:04", "succeeded", "n2", "2", "n1 was lost"},
      {"j2", "job/ann/train", "ann", std::nullopt, std::nullopt, std::nullopt, std::nullopt, "0",
       std::nullopt}};
  EXPECT_EQ(jobs, wanted);
  EXPECT_EQ(value("SELECT string_agg(actor || ' ' || action, ',') FROM auditor.denials"),
            "eve deployer.job.submit");
  EXPECT_EQ(value("SELECT string_agg(actor, ',' ORDER BY sequence) FROM auditor.secret_reads"),
            "ann,bob");
  EXPECT_EQ(value("SELECT detail ->> 'node' FROM auditor.audit_log WHERE sequence = 1"), "n1");
  EXPECT_EQ(value("SELECT at = to_timestamp(1795000000) FROM auditor.audit_log WHERE sequence = 0"),
            "t");
}

TEST_F(AuditorPostgres, AConditionOnTimeReadsOnlyItsMonths) {
  std::string plan;
  for (auto const& line :
       ask("EXPLAIN SELECT * FROM auditor.audit_log WHERE at_ms BETWEEN 1793491200000 AND "
           "1796083199999"))
    plan += line[0].value_or("") + "\n";
  EXPECT_NE(plan.find("entry_2026_11"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("entry_2026_10"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("entry_2026_12"), std::string::npos) << plan;
}

}  // namespace
}  // namespace lepton::auditor::testing
