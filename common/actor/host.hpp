#pragma once
// Host: the life of one actor. It owns the mailbox, runs one handler at a time, collects outboxes
// into groups, commits each group in one transaction and only then lets its messages go (group
// commit). Every answer waits for all commits before it, also an answer without rows. Mutations are
// recorded and audited here, once for all services, so that no handler can forget it.
//
// A group that the store rejects is retried item by item; the offender is refused, and everything
// decided after it is decided again by a new life, rebuilt from rows. After a commit in doubt the
// new life decides the requests again too: those that took effect are known by their record. A
// store that is away refuses all that waits for it. A request ends exactly once: answered, refused,
// or decided again; also when the life that held its ticket ends.
//
// Threads: the system's thread only. Owned by System (system.hpp).

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/actor/actor.hpp"
#include "common/actor/intensity.hpp"
#include "common/actor/mailbox.hpp"
#include "common/actor/outlet.hpp"
#include "common/actor/recorded.hpp"

namespace lepton::actor {

struct HostSettings {
  Mailbox::Bounds mailbox;
  std::size_t group_items_max = 256;   // outboxes in one transaction
  std::size_t group_rows_max = 4'000;  // rows in one transaction
  std::size_t reads_max =
      1'024;  // finds and works out at once; beyond, requests wait in the mailbox
  std::size_t calls_max = 20'000;  // requests whose answer comes later
  std::size_t recorded_max = 100'000;
  TimeMs recorded_for_ms = 24 * 3'600'000;
  std::size_t restarts_max = 5;
  TimeMs restarts_period_ms = 60'000;
  TimeMs store_retry_ms = 250;  // between two tries to load while the store is away
  std::vector<std::string> streams{"audit"};
  std::vector<std::string> audit_consumers{"auditor"};  // of the stream "audit"
  Outlet::Settings outlet;
  bool durable = true;  // false: no rows at all (the node), so nothing to load
  std::function<std::int64_t()> standbys = {};  // of this service, for its health; any thread
};

struct HostStats {
  std::int64_t handled = 0, refused = 0, dead_letters = 0, expired = 0, restarts = 0, commits = 0,
               rows = 0, replays = 0, denied = 0, wait_ms_sum = 0;
};

// What a host asks of the system around it.
class HostOwner {
 public:
  virtual ~HostOwner() = default;
  virtual void begin_ask(std::size_t host, std::uint64_t life, AskDraft draft) = 0;
  virtual void deliver_answer(AnswerDraft answer) = 0;
  virtual void host_down(std::size_t host, std::string const& reason) = 0;
  virtual void give_up(std::string const& why) = 0;  // the process must end
};

class Host final : public Desk {
 public:
  Host(std::string name, std::size_t index, Factory make, HostSettings settings, Ports ports,
       HostOwner& owner);
  ~Host() override;

  void start();
  void accept(Request request);                    // refuses it itself when there is no room
  void resume(std::uint64_t life, Continue then);  // a continuation of an earlier handler
  void hint(Hint const& hint);
  void down(Down const& down);
  bool step();  // one slice of work; true when more is ready
  bool has_work() const;
  std::optional<TimeMs> next_timer() const;
  void crash(std::string const& reason);  // ends this life; counted against the restart intensity
  void stop();                            // refuse what is new, finish what is here
  bool is_stopped() const;

  HostStats const& stats() const { return stats_; }
  bool is_ready() const { return phase_ == Phase::running; }
  bool is_committing() const { return in_flight_ || retrying_ || !current_.empty(); }
  Actor const* actor() const { return actor_.get(); }  // for invariants and health
  std::size_t depth() const { return mailbox_.size(); }
  std::uint64_t life() const { return life_; }
  Outlet const* outlet(std::string const& stream) const;
  std::vector<Outlet> const& outlets() const { return outlets_; }
  Health health() const;

  // Desk
  TimeMs now() const override { return ports_.clock.now_ms(); }
  WallMs wall() const override { return ports_.clock.wall_ms(); }
  Chance& chance() override { return ports_.chance; }
  crypto::Entropy& entropy() override { return ports_.entropy; }
  void log(Level level, std::string const& text) override;
  std::string const& name() const override { return name_; }
  void close(std::uint64_t call, Result<std::string> answer, Outbox& out) override;
  Call* find_call(std::uint64_t call) override;
  Status allow(Call& call, Verb verb, std::string resource) override;

 private:
  enum class Phase : std::uint8_t { idle, draining, loading, waiting, running, stopping, stopped };
  struct Item {
    Outbox out;
    std::optional<Request> cause;  // to refuse it or to decide it again
    std::uint64_t call = 0;        // number of the cause's call
    std::uint64_t life = 0;        // that wanted this
    std::vector<EventRow> events;  // numbered
  };
  using Group = std::vector<Item>;

  static Refusal refusal_of(Error const& error);
  bool is_handling() const { return phase_ == Phase::running || phase_ == Phase::stopping; }

  // Life (host_life.cpp)
  void reload();
  void load_tables();
  void load_streams(std::size_t next, std::vector<StreamRow> rows, std::vector<CursorRow> cursors);
  void load_recorded();
  void begin_life();
  void retry_load(std::string const& why);
  void end_life();
  void refuse_waiting(Refusal const& refusal);
  void refuse_open_calls(Refusal const& refusal);

  // Clearing (host_purge.cpp)
  void begin_purging();
  void purge_later(TimeMs wait_ms);
  void purge(Context& c);
  void drop_unread(Outbox& out);

  // Handling (host.cpp, host_request.cpp)
  void handle(Mail mail);
  void handle_request(Request request);
  bool admit_mutation(Call& call);
  void repeat_from_rows(Call call);
  void repeat_or_decide(std::uint64_t number, Result<std::vector<store::Cells>> const& found);
  void repeat_answer(Call const& call, std::string const& reply);
  std::shared_ptr<Call> open(Call call);
  void dispatch(Call call);
  bool is_audit_full() const;
  Status admit(Call& call, std::string resource);
  bool handle_platform(Call& call);
  void give_snapshot(Call const& call, Context& c);
  Actor::Outcome pull_events(Call& call, Context& c);
  void answer_page(std::uint64_t call, Outlet const& outlet, Outlet::Page page, Outbox& out);
  void note_acknowledged(Outlet& outlet, EventsPull const& pull, Outbox& out);
  void run(Continue const& body, std::shared_ptr<Call> const& call = nullptr);
  Item make_item(Outbox out, std::shared_ptr<Call> const& call);
  void fail(char const* why, Context& c, std::shared_ptr<Call> const& call);
  void resume_read(std::uint64_t life, Continue then);
  void record(Call const& call, std::string const& reply, Outbox& out);
  void audit(Call const& call, AuditOutcome outcome, Outbox& out);
  void refuse(Request const& request, Refusal refusal);
  void sweep_calls();

  // Committing (host_commit.cpp)
  void add(Item item);
  void flush();
  void commit(Group group, store::Batch batch);
  void commit_next();
  void committed(store::CommitResult const& result);
  void retry_singly();
  void release(Group group);
  void note_recorded(Item const& item);
  void release_item(Item& item);
  void reject(Item offender, std::string const& why);
  void undo(Item& item, Refusal refusal, bool redeliver);
  void roll_back(Group undone, Refusal const& refusal, bool redeliver);

  Outlet* find_outlet(std::string_view stream);

  std::string name_;
  std::size_t index_;
  Factory make_;
  HostSettings settings_;
  Ports ports_;
  HostOwner& owner_;

  Phase phase_ = Phase::idle;
  std::unique_ptr<Actor> actor_;
  std::uint64_t life_ = 0;
  TimeMs started_at_ = 0;
  std::string down_reason_;
  Mailbox mailbox_;
  Intensity intensity_;
  Recorded recorded_;
  std::vector<Outlet> outlets_;
  std::map<std::uint64_t, std::shared_ptr<Call>> calls_;  // open; a handler keeps its own alive
  std::uint64_t next_call_ = 1;
  TimeMs calls_sweep_at_ = 0;

  Group current_;
  store::Batch current_rows_;  // of `current_`; made while the group before is in flight
  std::optional<Group> in_flight_;
  std::deque<Item> singles_;  // a rejected group, being retried one by one
  bool retrying_ = false;
  bool stopping_ = false;
  std::size_t reads_out_ = 0;

  std::map<std::string, std::int64_t> unread_dropped_;  // by stream: event rows to here are gone
  std::multimap<TimeMs, Continue> timers_;
  std::map<store::Table const*, std::vector<store::Cells>> loaded_;
  HostStats stats_;
};

}  // namespace lepton::actor
