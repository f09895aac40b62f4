#pragma once
// The auditor: takes in the stream "audit" of every service and adds each event to one log as a
// leaf of a Merkle tree, under signed checkpoints. It is the only appender, so sequences have no
// gaps.
//
// Exactly once: entries, nodes, checkpoint, head and the cursor of the source are one outbox, that
// is one transaction. The cursor in memory moves when that is decided; if the commit fails the next
// life begins from rows. A pull that acknowledges leaves only after the commit of what it
// acknowledges. A page that does not continue the cursor is never taken in: the source is asked
// again, an error is logged and counted, and its backlog grows until it refuses changes. The log
// waits rather than lose an event.
//
// Files: intake.cpp pulling and appending; queries.cpp reading and proving; translate.cpp events to
// entries. Threads: the actor's. Errors of queries: not_found, invalid, internal (the stored log
// was changed).

#include "common/actor/actor.hpp"
#include "common/actor/rows.hpp"
#include "schemas/auditor.hpp"
#include "services/auditor/core/checkpoint.hpp"
#include "services/auditor/core/proof.hpp"
#include "services/auditor/rows.hpp"

namespace lepton::auditor {

struct Settings {
  crypto::SigningKey key;         // of the log; its file outlives the database
  std::string origin = "lepton";  // name of the log and of its key; see is_key_name
  // The auditor follows itself, too: denied reads of the log are entries of it.
  std::vector<std::string> sources{"auditor", "deployer", "monitor", "scaler", "vault"};
  TimeMs pull_every_ms = 500;
  TimeMs pull_limit_ms = 5'000;
  std::uint32_t page_max = 1'000;        // events asked for at once; halved while pulls fail
  std::uint64_t search_max = 1'000'000;  // entries that one filtered tail looks at
  TimeMs trouble_every_ms = 60'000;      // the same trouble of a source is logged again after
};

// The newest signed state of the log.
struct Head {
  std::uint64_t size = 0;
  Hash root = empty_root();
  std::string checkpoint;
};

class Auditor final : public actor::Actor {
 public:
  explicit Auditor(Settings settings);

  std::vector<store::Table const*> tables() const override;
  // Throws when the stored head contradicts its own signed checkpoint.
  void restore(actor::Rows const& rows) override;
  void start(actor::Context& c) override;
  void on_hint(Hint const& hint, actor::Context& c) override;
  std::map<std::string, std::int64_t> counters() const override;

  Head const& head() const { return head_; }

 private:
  using Context = actor::Context;
  template <class M>
  using Ticket = actor::Ticket<M>;
  using Nodes = std::function<void(Result<NodeTable> const&, Context&)>;

  struct Source {
    std::string name;
    std::int64_t epoch = 0;  // 0: nothing taken in yet
    std::int64_t seq = 0;    // taken in to here
    std::int64_t head = 0;   // last number known to exist
    std::uint32_t limit = 0;
    bool asking = false;
    bool hinted = false;  // while asking
    std::string trouble;  // why the last pull brought nothing; empty: it went well
    TimeMs told_at = 0;
  };

  // intake.cpp
  void tick(Context& c);
  void pull(std::size_t at, Context& c);
  void take(std::size_t at, Result<EventsPage> const& got, Context& c);
  void take_failure(Source& source, Error const& error, Context& c);
  bool begin_epoch(Source& source, EventsPage const& page, Context& c);
  bool continues(Source& source, EventsPage const& page, Context& c);
  void append(Source& source, std::vector<EventRecord> const& events, Context& c);
  void sign_head();
  void report(Source& source, actor::Level level, std::string why, Context& c);

  // queries.cpp
  void tail(AuditTail const& m, Ticket<AuditTail> ticket, Context& c);
  void prove(AuditProve const& m, Ticket<AuditProve> ticket, Context& c);
  Result<AuditProof> proof_of(AuditEntry entry, Head const& head, NodeTable const& nodes);
  Result<AuditCheckpointText> checkpoint(AuditCheckpoint const& m, Context& c);
  void consistency(AuditConsistency const& m, Ticket<AuditConsistency> ticket, Context& c);
  void consistency_at(std::uint64_t old_size, std::uint64_t new_size, std::string checkpoint,
                      Ticket<AuditConsistency> ticket, Context& c);
  void fetch(std::vector<Coordinate> const& needed, Nodes then, Context& c);
  Error changed(std::string const& what, Context& c);

  Settings settings_;
  NoteKey note_key_;
  std::vector<Source> sources_;
  Frontier frontier_;
  Head head_;
  std::string key_warning_;
  std::int64_t entries_ = 0, inexact_ = 0, gaps_ = 0, failed_pulls_ = 0, changed_ = 0;
};

}  // namespace lepton::auditor
