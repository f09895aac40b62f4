// The lives of an actor: load its rows, make a new instance, end it.

#include <algorithm>

#include "common/actor/host.hpp"
#include "common/base/planted.hpp"

namespace lepton::actor {
namespace {

store::Table const* const platform_tables[] = {&store::table_of<StreamRow>(),
                                               &store::table_of<CursorRow>()};

template <store::Row T>
std::vector<T> rows_of(std::vector<store::Cells> const& cells) {
  return Rows({{&store::table_of<T>(), cells}}).of<T>();
}

}  // namespace

Host::Host(std::string name, std::size_t index, Factory make, HostSettings settings, Ports ports,
           HostOwner& owner)
    : name_(std::move(name)),
      index_(index),
      make_(std::move(make)),
      settings_(std::move(settings)),
      ports_(std::move(ports)),
      owner_(owner),
      mailbox_(settings_.mailbox),
      intensity_(settings_.restarts_max, settings_.restarts_period_ms),
      recorded_(settings_.recorded_max) {
  for (auto const& stream : settings_.streams)
    outlets_.emplace_back(
        stream, stream == "audit" ? settings_.audit_consumers : std::vector<std::string>{},
        settings_.outlet);
}

Host::~Host() = default;

void Host::start() {
  started_at_ = now();
  reload();
}

// Ends the present life, if any; the next one begins when what was decided is durable and rows are
// read.
void Host::reload() {
  end_life();
  phase_ = stopping_ ? Phase::stopped : Phase::draining;
  flush();
  if (stopping_)
    refuse_waiting({Code::unavailable, name_ + " is stopping; send the same request again", 1'000});
  else if (!is_committing())
    load_tables();
}

void Host::end_life() {
  ++life_;
  if (!planted("timer_of_old_life")) timers_.clear();
  mailbox_.drop_continuations();
  refuse_open_calls(
      {Code::unavailable, name_ + " was interrupted; send the same request again", 1'000});
  recorded_.clear();
  reads_out_ = 0;
}

void Host::refuse_open_calls(Refusal const& refusal) {
  for (auto const& [number, call] : std::exchange(calls_, {})) {
    recorded_.forget(call->request.caller.name, call->request.header.id);
    refuse(call->request, refusal);
  }
}

void Host::refuse_waiting(Refusal const& refusal) {
  while (auto mail = mailbox_.pop())
    if (auto const* request = std::get_if<Request>(&mail->content)) refuse(*request, refusal);
}

void Host::load_tables() {
  phase_ = Phase::loading;
  loaded_.clear();
  if (planted("timer_of_old_life")) static_cast<void>(actor_.release());  // they still call it
  actor_ = make_();
  if (!settings_.durable) return begin_life();
  std::vector<store::Table const*> tables(std::begin(platform_tables), std::end(platform_tables));
  for (auto const* table : actor_->tables()) tables.push_back(table);
  ports_.store.load(tables, [this, tables, life = life_](auto loaded) {
    if (life != life_) return;
    if (!loaded) return retry_load(loaded.error().what);
    for (std::size_t i = 0; i < tables.size(); ++i) loaded_[tables[i]] = std::move((*loaded)[i]);
    load_streams(0, rows_of<StreamRow>(loaded_[platform_tables[0]]),
                 rows_of<CursorRow>(loaded_[platform_tables[1]]));
  });
}

// Only the newest events come to memory; a consumer that is far behind is served from the table.
void Host::load_streams(std::size_t next, std::vector<StreamRow> rows,
                        std::vector<CursorRow> cursors) {
  if (next == outlets_.size()) return load_recorded();
  auto const& stream = outlets_[next].stream();
  store::Query query{&store::table_of<EventRow>(),
                     {{"stream", store::Compare::equal, stream}},
                     "seq",
                     true,
                     std::min<std::size_t>(settings_.outlet.kept_max, 5'000)};
  ports_.store.find(query, [this, next, rows, cursors, life = life_](auto found) {
    if (life != life_) return;
    if (!found) return retry_load(found.error().what);
    auto newest = rows_of<EventRow>(*found);
    std::reverse(newest.begin(), newest.end());
    std::optional<StreamRow> own;
    for (auto const& row : rows)
      if (row.name == outlets_[next].stream()) own = row;
    outlets_[next].restore(own, cursors, std::move(newest));
    load_streams(next + 1, rows, cursors);
  });
}

void Host::load_recorded() {
  recorded_.clear();
  auto const oldest = wall() - settings_.recorded_for_ms;
  store::Query query{&store::table_of<RequestRow>(),
                     {{"at_ms", store::Compare::greater, oldest}},
                     "at_ms",
                     true,
                     std::min<std::size_t>(settings_.recorded_max, 20'000)};
  ports_.store.find(query, [this, life = life_](auto found) {
    if (life != life_) return;
    if (!found) return retry_load(found.error().what);
    auto rows = rows_of<RequestRow>(*found);
    std::for_each(rows.rbegin(), rows.rend(), [this](auto const& row) { recorded_.finish(row); });
    begin_life();
  });
}

void Host::begin_life() {
  phase_ = Phase::running;
  down_reason_.clear();
  run([this](Context& c) {
    actor_->restore(Rows(std::move(loaded_)));
    loaded_.clear();
    actor_->start(c);
  });
  begin_purging();
  flush();
}

// The store is away: what waits is refused, and loading is tried again.
void Host::retry_load(std::string const& why) {
  if (down_reason_ != why) log(Level::warning, "the store is away: " + why);
  down_reason_ = why;
  phase_ = Phase::waiting;
  timers_.clear();
  refuse_waiting({Code::unavailable,
                  "the database is away (" + why + "); send the same request again in a moment",
                  1'000});
  auto const life = ++life_;
  timers_.emplace(now() + settings_.store_retry_ms, [this, life](Context&) {
    if (life == life_) load_tables();
  });
}

void Host::crash(std::string const& reason) {
  if (phase_ == Phase::stopped) return;
  ++stats_.restarts;
  log(Level::error, "actor '" + name_ + "' failed: " + reason);
  if (!intensity_.allow(now()))
    return owner_.give_up("actor '" + name_ + "' failed more than " +
                          std::to_string(settings_.restarts_max) + " times within " +
                          std::to_string(settings_.restarts_period_ms / 1000) +
                          " s; the last time: " + reason);
  reload();
  owner_.host_down(index_, reason);
}

void Host::stop() {
  stopping_ = true;
  if (phase_ == Phase::running) {
    phase_ = Phase::stopping;
    return;
  }
  phase_ = Phase::stopped;
  timers_.clear();
  refuse_waiting({Code::unavailable, name_ + " is stopping; send the same request again", 1'000});
}

bool Host::is_stopped() const {
  if (is_committing()) return false;
  return phase_ == Phase::stopped ||
         (phase_ == Phase::stopping && mailbox_.empty() && calls_.empty() && reads_out_ == 0);
}

Health Host::health() const {
  Health h;
  h.service = name_;
  h.version = LEPTON_VERSION;
  h.ready = is_ready();
  h.detail = down_reason_;
  h.uptime_ms = now() - started_at_;
  if (actor_ && phase_ == Phase::running) h.counters = actor_->counters();
  h.counters["lives"] = static_cast<std::int64_t>(life_);
  h.counters["handled"] = stats_.handled;
  h.counters["refused"] = stats_.refused;
  h.counters["dead_letters"] = stats_.dead_letters;
  h.counters["expired"] = stats_.expired;
  h.counters["restarts"] = stats_.restarts;
  h.counters["commits"] = stats_.commits;
  h.counters["rows"] = stats_.rows;
  h.counters["replays"] = stats_.replays;
  h.counters["denied"] = stats_.denied;
  h.counters["mailbox_depth"] = static_cast<std::int64_t>(mailbox_.size());
  if (settings_.standbys) h.counters["standbys"] = settings_.standbys();
  for (auto const& outlet : outlets_)
    h.counters["stream_" + outlet.stream() + "_backlog"] = outlet.head() - outlet.acknowledged();
  return h;
}

}  // namespace lepton::actor
