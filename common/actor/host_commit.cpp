// Group commit: rows of many outboxes in one transaction, then their messages.

#include "common/actor/answers.hpp"
#include "common/actor/host.hpp"
#include "common/base/planted.hpp"

namespace lepton::actor {
namespace {

template <store::Row T>
store::Change append_of(T const& row) {
  return {store::Op::append, &store::table_of<T>(), store::to_cells(row)};
}

template <class Item>
void add_rows(store::Batch& batch, Item const& item) {
  auto& changes = batch.changes;
  changes.insert(changes.end(), item.out.changes.begin(), item.out.changes.end());
  for (auto const& event : item.events)
    if (!planted("lost_event_row") || event.seq % 16 != 0) changes.push_back(append_of(event));
}

Refusal store_away(std::string const& why) {
  return {Code::unavailable,
          "the database is away (" + why + "); send the same request again in a moment", 1'000};
}

bool answers(AnswerDraft const& answer, Request const& request) {
  return answer.header.id == request.header.id && answer.header.topic == request.header.topic &&
         answer.route.door == request.route.door && answer.route.identity == request.route.identity;
}

}  // namespace

void Host::add(Item item) {
  auto const at_ms = wall();
  for (auto& draft : item.out.events) {
    auto* outlet = find_outlet(draft.stream);
    LEPTON_CHECK(outlet != nullptr, "an event for a stream that the service does not have");
    item.events.push_back(outlet->number(std::move(draft.topic), std::move(draft.body), at_ms));
  }
  item.out.events.clear();
  if (planted("read_before_commit") && !item.out.has_rows() && item.events.empty())
    return release_item(item);
  add_rows(current_rows_, item);
  current_.push_back(std::move(item));
}

void Host::flush() {
  if (in_flight_ || retrying_ || current_.empty()) return;
  if (!current_rows_.changes.empty()) return commit_next();
  release(std::exchange(current_, {}));
}

void Host::commit_next() {
  stats_.rows += static_cast<std::int64_t>(current_rows_.changes.size());
  ++stats_.commits;
  commit(std::exchange(current_, {}), std::exchange(current_rows_, {}));
}

void Host::commit(Group group, store::Batch batch) {
  in_flight_ = std::move(group);
  if (planted("ack_before_commit"))
    for (auto& item : *in_flight_)
      for (auto& answer : std::exchange(item.out.answers, {})) owner_.deliver_answer(answer);
  ports_.store.commit(std::move(batch), [this](store::CommitResult result) { committed(result); });
}

void Host::committed(store::CommitResult const& result) {
  LEPTON_CHECK(in_flight_.has_value(), "a commit was answered that was not asked for");
  Group group = std::move(*in_flight_);
  in_flight_.reset();
  switch (result.outcome) {
    case store::Outcome::committed:
      // The store works on the next rows while the messages of these leave.
      if (!retrying_ && !current_rows_.changes.empty()) commit_next();
      release(std::move(group));
      if (retrying_) return retry_singly();
      break;
    case store::Outcome::rejected:
      if (retrying_ || group.size() == 1) return reject(std::move(group.front()), result.why);
      for (auto& item : group) singles_.push_back(std::move(item));
      retrying_ = true;
      return retry_singly();
    case store::Outcome::unavailable:
      return roll_back(std::move(group), store_away(result.why), false);
    case store::Outcome::in_doubt:
      if (planted("in_doubt_is_committed")) return release(std::move(group));
      return roll_back(std::move(group), store_away(result.why), true);
    case store::Outcome::fenced:
      return owner_.give_up("another instance of " + name_ + " has taken over: " + result.why);
  }
  flush();
  if (phase_ == Phase::draining && !is_committing()) load_tables();
}

void Host::retry_singly() {
  while (!singles_.empty()) {
    Group one;
    one.push_back(std::move(singles_.front()));
    singles_.pop_front();
    if (one.front().out.changes.empty() && one.front().events.empty()) {
      release(std::move(one));
      continue;
    }
    store::Batch batch;
    add_rows(batch, one.front());
    return commit(std::move(one), std::move(batch));
  }
  retrying_ = false;
  flush();
  if (phase_ == Phase::draining && !is_committing()) load_tables();
}

// Rows that can never be written. A request that asked for them is refused, and costs no restart:
// else a caller could end the process by sending it a few times. Without one the actor itself is at
// fault.
void Host::reject(Item offender, std::string const& why) {
  ++stats_.dead_letters;
  log(Level::error, "rows rejected: " + why);
  bool const asked_for = offender.cause.has_value() || !offender.out.answers.empty();
  undo(offender, {Code::conflict, "the change was rejected: " + why, 0}, false);
  roll_back({}, {Code::unavailable, name_ + " begins anew; send the same request again", 1'000},
            true);
  if (!asked_for) crash("rows rejected: " + why);
}

// What the item would have answered is refused instead, or decided again by the next life.
void Host::undo(Item& item, Refusal refusal, bool redeliver) {
  bool waits = item.cause && calls_.erase(item.call) > 0;
  for (auto const& answer : item.out.answers) {
    if (item.cause && answers(answer, *item.cause)) {
      waits = true;
      continue;
    }
    ++stats_.refused;
    owner_.deliver_answer(refused_instead(answer, refusal));
  }
  if (!waits) return;
  if (redeliver)
    mailbox_.put_back(Lane::normal, {std::move(*item.cause), now()});
  else
    refuse(*item.cause, refusal);
}

// What was decided on state that will not become durable is undone, the newest first.
void Host::roll_back(Group undone, Refusal const& refusal, bool redeliver) {
  std::move(singles_.begin(), singles_.end(), std::back_inserter(undone));
  std::move(current_.begin(), current_.end(), std::back_inserter(undone));
  singles_.clear();
  current_.clear();
  current_rows_ = {};
  retrying_ = false;
  for (auto item = undone.rbegin(); item != undone.rend(); ++item) undo(*item, refusal, redeliver);
  reload();
}

void Host::release(Group group) {
  std::vector<std::int64_t> heads;
  for (auto const& outlet : outlets_) heads.push_back(outlet.head());
  for (auto& item : group) {
    for (auto& event : item.events) find_outlet(event.stream)->committed(std::move(event));
    note_recorded(item);
    release_item(item);
  }
  for (std::size_t i = 0; i < outlets_.size(); ++i)
    if (auto const& grown = outlets_[i]; grown.head() != heads[i])
      ports_.wire.publish({name_, grown.stream(), grown.epoch(), grown.head()});
}

void Host::note_recorded(Item const& item) {
  for (auto const& change : item.out.changes)
    if (change.table == &store::table_of<RequestRow>() && change.op == store::Op::append)
      if (auto const row = store::from_cells<RequestRow>(change.cells)) recorded_.finish(*row);
}

void Host::release_item(Item& item) {
  for (auto& answer : item.out.answers) owner_.deliver_answer(std::move(answer));
  if (item.life != life_) return;  // the new life decides from rows what comes next
  for (auto& timer : item.out.timers)
    timers_.emplace(now() + timer.delay_ms, std::move(timer.then));
  // One that is refused on the spot may end this life, by a full mailbox.
  for (auto& ask : item.out.asks) owner_.begin_ask(index_, item.life, std::move(ask));
  if (item.life != life_) return;
  for (auto& work : item.out.works) {
    ++reads_out_;
    ports_.worker.run(std::move(work.job), [this, life = life_, then = std::move(work.then)] {
      resume_read(life, then);
    });
  }
  for (auto& find : item.out.finds) {
    ++reads_out_;
    ports_.store.find(find.query, [this, life = life_, then = std::move(find.then)](auto found) {
      auto rows = std::make_shared<Result<std::vector<store::Cells>>>(std::move(found));
      resume_read(life, [then, rows](Context& c) { then(*rows, c); });
    });
  }
}

}  // namespace lepton::actor
