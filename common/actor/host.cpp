#include "common/actor/host.hpp"

#include "common/actor/answers.hpp"
#include "common/base/planted.hpp"

namespace lepton::actor {
namespace {

constexpr TimeMs deadline_max_ms = 300'000;
constexpr TimeMs sweep_every_ms = 100;

}  // namespace

Refusal Host::refusal_of(Error const& error) {
  auto const retry_after_ms = error.code == Code::exhausted     ? 200
                              : error.code == Code::unavailable ? 1'000
                                                                : 0;
  return {error.code, error.what, retry_after_ms};
}

void Host::log(Level level, std::string const& text) {
  ports_.log(level, name_ + ": " + text);
}

Outlet* Host::find_outlet(std::string_view stream) {
  for (auto& outlet : outlets_)
    if (outlet.stream() == stream) return &outlet;
  return nullptr;
}

Outlet const* Host::outlet(std::string const& stream) const {
  return const_cast<Host*>(this)->find_outlet(stream);
}

void Host::accept(Request request) {
  request.arrived_at = now();
  request.deadline_at = now() + std::min(request.header.deadline_ms, deadline_max_ms);
  if (request.header.topic == HealthGet::topic) {
    return owner_.deliver_answer(reply_to(request, codec::encode(health())));
  }
  if (phase_ == Phase::waiting)
    return refuse(request,
                  {Code::unavailable,
                   "the database is away (" + down_reason_ + "); try again in a moment", 1'000});
  if (phase_ == Phase::stopping || phase_ == Phase::stopped)
    return refuse(request,
                  {Code::unavailable, name_ + " is stopping; try again in a moment", 1'000});
  Mail mail{std::move(request), now()};
  if (!mailbox_.push(Lane::normal, std::move(mail)))
    refuse(std::get<Request>(mail.content),
           {Code::exhausted, name_ + " has too many requests waiting; try again in a moment", 200});
}

void Host::resume_read(std::uint64_t life, Continue then) {
  if (life != life_) return;
  --reads_out_;
  resume(life, std::move(then));
}

void Host::resume(std::uint64_t life, Continue then) {
  if (life != life_) return;
  if (!mailbox_.push(Lane::control, {std::move(then), now()})) crash("the control lane is full");
}

void Host::hint(Hint const& hint) {
  if (phase_ != Phase::running) return;
  // A lost hint is made good by the next head, so a full lane may drop it.
  mailbox_.push(Lane::control, {[this, hint](Context& c) { actor_->on_hint(hint, c); }, now()});
}

void Host::down(Down const& down) {
  if (phase_ != Phase::running) return;
  if (!mailbox_.push(Lane::control,
                     {[this, down](Context& c) { actor_->on_down(down, c); }, now()}))
    crash("the control lane is full");
}

std::optional<TimeMs> Host::next_timer() const {
  std::optional<TimeMs> next;
  if (!timers_.empty()) next = timers_.begin()->first;
  if (!calls_.empty() && (!next || calls_sweep_at_ < *next)) next = calls_sweep_at_;
  return next;
}

bool Host::step() {
  constexpr int slice = 128;
  for (int i = 0; i < slice && !timers_.empty() && timers_.begin()->first <= now(); ++i) {
    auto const then = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    if (phase_ == Phase::waiting) {
      Context c(*this, nullptr);
      then(c);  // the host's own timer: try to load again
    } else {
      run(then);
    }
  }
  for (int i = 0; i < slice && has_work(); ++i)
    handle(*mailbox_.pop(reads_out_ < settings_.reads_max ? Lane::normal : Lane::control));
  if (is_handling()) sweep_calls();
  flush();
  if (phase_ == Phase::stopping && mailbox_.empty() && reads_out_ == 0 && !is_committing())
    refuse_open_calls(
        {Code::unavailable, name_ + " is stopping; send the same request again", 1'000});
  return has_work();
}

bool Host::has_work() const {
  if (!is_handling() || current_.size() >= settings_.group_items_max ||
      current_rows_.changes.size() >= settings_.group_rows_max)
    return false;
  return !mailbox_.empty(Lane::control) ||
         (reads_out_ < settings_.reads_max && !mailbox_.empty(Lane::normal));
}

void Host::handle(Mail mail) {
  stats_.wait_ms_sum += now() - mail.arrived_at;
  if (auto* then = std::get_if<Continue>(&mail.content)) return run(*then);
  handle_request(std::move(std::get<Request>(mail.content)));
}

// Runs a handler or a continuation. An exception ends this life; what it would have answered is
// refused.
void Host::run(Continue const& body, std::shared_ptr<Call> const& call) {
  Context c(*this, call.get());
  auto const life = life_;
  try {
    body(c);
  } catch (std::exception const& e) {
    return fail(e.what(), c, call);
  } catch (...) {
    return fail("an exception of unknown type", c, call);
  }
  if (life != life_) return;
  ++stats_.handled;
  auto const& out = c.out;
  bool const nothing = !out.has_rows() && out.answers.empty() && out.asks.empty() &&
                       out.timers.empty() && out.works.empty() && out.finds.empty();
  if (!nothing) add(make_item(std::move(c.out), call));
}

Host::Item Host::make_item(Outbox out, std::shared_ptr<Call> const& call) {
  Item item{std::move(out), std::nullopt, 0, life_, {}};
  if (!call) return item;
  item.call = call->number;
  item.cause = calls_.contains(call->number) ? call->request : std::move(call->request);
  return item;
}

void Host::fail(char const* why, Context& c, std::shared_ptr<Call> const& call) {
  if (call) ++stats_.dead_letters;
  auto item = make_item(std::move(c.out), call);
  undo(item, {Code::internal, "the request could not be handled: " + std::string(why), 0}, false);
  crash(why);
}

Call* Host::find_call(std::uint64_t call) {
  auto const found = calls_.find(call);
  return found == calls_.end() ? nullptr : found->second.get();
}

// The one place where a request is answered: with its record, its audit entry and its message, all
// in `out`.
void Host::close(std::uint64_t number, Result<std::string> answer, Outbox& out) {
  auto const found = calls_.find(number);
  if (found == calls_.end()) return;  // answered before, or timed out
  auto const shared = std::move(found->second);
  calls_.erase(found);
  auto const& call = *shared;
  auto const& header = call.request.header;
  if (answer) {
    LEPTON_CHECK(call.allowed || call.traits.open || call.request.caller.door != Door::client,
                 "a client was answered without asking the gate");
    if (call.traits.mutates) record(call, call.traits.secret_reply ? "" : *answer, out);
    if ((call.traits.mutates && !planted("change_without_audit")) || call.traits.audited)
      audit(call, AuditOutcome::done, out);
    out.answers.push_back(reply_to(call.request, std::move(*answer)));
    return;
  }
  ++stats_.refused;
  if (call.traits.mutates) recorded_.forget(call.request.caller.name, header.id);
  if (planted("audit_without_change") && call.traits.mutates) audit(call, AuditOutcome::done, out);
  if (answer.error().code == Code::denied) {
    ++stats_.denied;
    audit(call, AuditOutcome::denied, out);
  }
  out.answers.push_back(refusal_to(call.request, refusal_of(answer.error())));
}

void Host::record(Call const& call, std::string const& reply, Outbox& out) {
  RequestRow const row{call.request.caller.name, call.request.header.id,
                       Bytes{std::string(crypto::view(call.hash))}, Bytes{reply}, wall()};
  auto const op = planted("no_dedup") ? store::Op::upsert : store::Op::append;
  out.changes.push_back({op, &store::table_of<RequestRow>(), store::to_cells(row)});
}

void Host::audit(Call const& call, AuditOutcome outcome, Outbox& out) {
  if (find_outlet("audit") == nullptr) return;
  auto const& actor = call.actor.empty() ? call.request.caller.name : call.actor;
  AuditEvent const event{wall(),        actor,   call.request.header.topic,
                         call.resource, outcome, call.request.header.id,
                         call.detail};
  out.events.push_back({"audit", std::string(AuditEvent::topic), codec::encode(event)});
}

void Host::refuse(Request const& request, Refusal refusal) {
  ++stats_.refused;
  owner_.deliver_answer(refusal_to(request, std::move(refusal)));
}

// An open call that nobody answered in time is refused, so that its caller always hears something.
void Host::sweep_calls() {
  if (calls_.empty() || now() < calls_sweep_at_) return;
  calls_sweep_at_ = now() + sweep_every_ms;
  std::vector<std::uint64_t> late;
  for (auto const& [number, call] : calls_)
    if (call->request.deadline_at <= now()) late.push_back(number);
  for (auto const number : late) {
    ++stats_.expired;
    run([&](Context& c) {
      close(number, Error{Code::timeout, name_ + " could not answer before the deadline"}, c.out);
    });
  }
}

}  // namespace lepton::actor
