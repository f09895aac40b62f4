// Requests: from the mailbox through admission to their handler, and the streams that consumers
// pull.

#include <stdexcept>

#include "common/actor/answers.hpp"
#include "common/actor/host.hpp"
#include "common/base/planted.hpp"

namespace lepton::actor {

void Host::handle_request(Request request) {
  if (request.deadline_at <= now()) {
    ++stats_.expired;
    return refuse(request, {Code::timeout, "the request waited past its deadline", 0});
  }
  Call call;
  call.number = next_call_++;
  call.request = std::move(request);
  auto const& header = call.request.header;
  if (handle_platform(call)) return;
  auto const* handler = actor_->handler(header.topic);
  if (handler == nullptr)
    return refuse(call.request,
                  {Code::not_found, name_ + " knows no request '" + header.topic + "'", 0});
  call.traits = handler->traits;
  if (calls_.size() >= settings_.calls_max)
    return refuse(
        call.request,
        {Code::exhausted, name_ + " has too many open requests; try again in a moment", 200});
  if (is_audit_full() && (call.traits.mutates || call.traits.audited))
    return refuse(call.request,
                  {Code::exhausted,
                   "the auditor is too far behind, so what it must know of is refused; look at "
                   "`lepton status`, and see that the auditor runs",
                   2'000});
  if (call.traits.mutates && !admit_mutation(call)) return;
  dispatch(std::move(call));
}

bool Host::is_audit_full() const {
  auto const* audit = outlet("audit");
  return audit != nullptr && audit->is_full();
}

// True when the mutation is new. Otherwise it has been dealt with: repeated, refused, or already
// under way.
bool Host::admit_mutation(Call& call) {
  auto const& header = call.request.header;
  auto const& caller = call.request.caller.name;
  if (header.id.empty() || header.id.size() > 64) {
    refuse(call.request, {Code::invalid, "a change needs a request id of 1 to 64 characters", 0});
    return false;
  }
  if (planted("no_dedup")) return true;
  call.hash = crypto::sha256(header.topic + '\0' + call.request.body);
  auto const answer = recorded_.look_up(caller, header.id, call.hash);
  switch (answer.known) {
    case Recorded::Known::fresh:
      break;
    case Recorded::Known::pending:
      return false;  // its answer is on the way
    case Recorded::Known::conflict:
      refuse(call.request,
             {Code::conflict,
              "request id " + header.id + " was used for another change; choose a new id", 0});
      return false;
    case Recorded::Known::done:
      ++stats_.replays;
      repeat_answer(call, answer.reply);
      return false;
  }
  if (header.attempt > 1 && !call.request.rows_asked) {
    repeat_from_rows(std::move(call));
    return false;
  }
  recorded_.begin(caller, header.id, call.hash);
  return true;
}

void Host::repeat_answer(Call const& call, std::string const& reply) {
  if (reply.empty())
    return refuse(call.request,
                  {Code::conflict,
                   "this change was made already and its answer held a secret, which is "
                   "shown once only; make a new request",
                   0});
  auto const give = [&](Context& c) { c.out.answers.push_back(reply_to(call.request, reply)); };
  run(give);
}

// A repeated sending that memory does not know: an earlier life may have recorded it.
void Host::repeat_from_rows(Call call) {
  auto const& header = call.request.header;
  recorded_.begin(call.request.caller.name, header.id, call.hash);
  store::Query query{&store::table_of<RequestRow>(),
                     {{"caller", store::Compare::equal, call.request.caller.name},
                      {"request_id", store::Compare::equal, header.id}},
                     "",
                     false,
                     1};
  auto const number = open(std::move(call))->number;
  ++reads_out_;
  ports_.store.find(std::move(query), [this, number, life = life_](auto found) {
    resume_read(life, [this, number, found = std::move(found)](Context&) {
      repeat_or_decide(number, found);
    });
  });
}

void Host::repeat_or_decide(std::uint64_t number, Result<std::vector<store::Cells>> const& found) {
  auto const at = calls_.find(number);
  if (at == calls_.end()) return;  // timed out meanwhile
  auto const call = std::move(at->second);
  calls_.erase(at);
  auto& request = call->request;
  recorded_.forget(request.caller.name, request.header.id);
  if (!found) return refuse(request, refusal_of(found.error()));
  if (!found->empty())
    if (auto row = store::from_cells<RequestRow>(found->front())) recorded_.finish(*row);
  request.rows_asked = true;
  handle_request(std::move(request));
}

std::shared_ptr<Call> Host::open(Call call) {
  auto shared = std::make_shared<Call>(std::move(call));
  calls_[shared->number] = shared;
  return shared;
}

void Host::dispatch(Call call) {
  auto const opened = open(std::move(call));
  auto const* handler = actor_->handler(opened->request.header.topic);
  auto const admit_this = [this, &opened](std::string resource) {
    return admit(*opened, std::move(resource));
  };
  auto const handle_it = [&](Context& c) {
    auto outcome = handler->run(opened->request.body, admit_this, c);
    if (!outcome) return;
    if (!*outcome) {         // an Error has changed nothing
      if (c.out.has_rows())  // its state may be half changed: this life ends
        throw std::logic_error("the handler wrote rows and then answered: " +
                               outcome->error().what);
      c.out = {};
    }
    close(opened->number, std::move(*outcome), c.out);
  };
  run(handle_it, opened);
}

// A message without a resource of its own is let through to its handler, which must ask allow()
// itself.
Status Host::admit(Call& call, std::string resource) {
  if (call.request.caller.door == Door::client && call.traits.peer_only)
    return Error{Code::denied,
                 "'" + call.request.header.topic + "' is for services of the suite only"};
  if (resource.empty()) return ok();
  return allow(call, call.traits.verb, std::move(resource));
}

Status Host::allow(Call& call, Verb verb, std::string resource) {
  call.resource = std::move(resource);
  auto const& caller = call.request.caller;
  if (caller.door == Door::client && !call.traits.open)
    if (auto allowed = ports_.gate.allow(caller, verb, call.resource); !allowed) return allowed;
  call.allowed = true;
  return ok();
}

bool Host::handle_platform(Call& call) {
  auto const& topic = call.request.header.topic;
  if (topic != EventsPull::topic && topic != SnapshotGet::topic) return false;
  call.traits.peer_only = true;
  auto const opened = open(std::move(call));
  auto const handle_it = [&](Context& c) {
    if (auto admitted = admit(*opened, ""); !admitted)
      return close(opened->number, admitted.error(), c.out);
    if (opened->request.header.topic == SnapshotGet::topic) return give_snapshot(*opened, c);
    if (auto outcome = pull_events(*opened, c)) close(opened->number, std::move(*outcome), c.out);
  };
  run(handle_it, opened);
  return true;
}

// The state may hold events that are numbered but not committed yet; the answer waits for their
// commit.
void Host::give_snapshot(Call const& call, Context& c) {
  auto const get = codec::decode<SnapshotGet>(call.request.body);
  if (!get) return close(call.number, get.error(), c.out);
  auto const* stream = find_outlet(get->stream);
  auto body = actor_->snapshot(get->stream);
  if (!body) return close(call.number, body.error(), c.out);
  Snapshot const snapshot{stream ? stream->epoch() : 1, stream ? stream->numbered() : 0,
                          Bytes{std::move(*body)}};
  close(call.number, codec::encode(snapshot), c.out);
}

Actor::Outcome Host::pull_events(Call& call, Context& c) {
  auto const pull = codec::decode<EventsPull>(call.request.body);
  if (!pull) return Result<std::string>(pull.error());
  auto* outlet = find_outlet(pull->stream);
  if (outlet == nullptr)
    return Result<std::string>(
        Error{Code::not_found, name_ + " has no stream '" + pull->stream + "'"});
  if (call.request.caller.name != pull->consumer)
    return Result<std::string>(Error{Code::denied, "a consumer may move its own cursor only"});
  if (pull->epoch == outlet->epoch()) note_acknowledged(*outlet, *pull, c.out);
  auto page = outlet->page(pull->epoch, pull->after, pull->limit);
  if (!page.in_rows) {
    answer_page(call.number, *outlet, std::move(page), c.out);
    return std::nullopt;
  }
  store::Query query{nullptr,
                     {{"stream", store::Compare::equal, pull->stream},
                      {"seq", store::Compare::greater, pull->after}},
                     "seq",
                     false,
                     pull->limit};
  c.find<EventRow>(query, [this, number = call.number, stream = pull->stream, after = pull->after](
                              Result<std::vector<EventRow>> found, Context& later) {
    if (!found) return close(number, found.error(), later.out);
    auto& from = *find_outlet(stream);
    Outlet::Page late;
    late.reset = found->empty() || found->front().seq != after + 1;
    if (!late.reset)
      for (auto& row : *found)
        if (row.seq <= from.head())
          late.events.push_back({row.seq, row.topic, row.body, row.at_ms});
    answer_page(number, from, std::move(late), later.out);
  });
  return std::nullopt;
}

void Host::answer_page(std::uint64_t call, Outlet const& outlet, Outlet::Page page, Outbox& out) {
  close(
      call,
      codec::encode(EventsPage{outlet.epoch(), outlet.head(), page.reset, std::move(page.events)}),
      out);
}

// The cursor moves at once in memory; its row and the end of old event rows go along with the next
// commit, and not more often than every 64 events, so that a quiet consumer costs nothing.
void Host::note_acknowledged(Outlet& outlet, EventsPull const& pull, Outbox& out) {
  auto const before = outlet.acknowledged();
  if (!outlet.acknowledge(pull.consumer, pull.after)) return;
  auto const after = outlet.acknowledged();
  if (after / 64 == before / 64 && pull.after != outlet.head()) return;
  auto const upsert = [&out](auto const& row) {
    using T = std::remove_cvref_t<decltype(row)>;
    out.changes.push_back({store::Op::upsert, &store::table_of<T>(), store::to_cells(row)});
  };
  upsert(CursorRow{pull.consumer, outlet.stream(), pull.after});
  upsert(StreamRow{outlet.stream(), outlet.epoch(), after});
  out.changes.push_back({store::Op::erase_to,
                         &store::table_of<EventRow>(),
                         {store::Cell(outlet.stream()), store::Cell(after)}});
}

}  // namespace lepton::actor
