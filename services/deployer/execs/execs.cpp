#include "services/deployer/execs/execs.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/shell_words.hpp"
#include "common/crypto/encode.hpp"
#include "schemas/exec_pieces.hpp"

namespace lepton::deployer {
namespace {

constexpr TimeMs tick_ms = 1'000, told_again_ms = 2'000, ending_max_ms = 40'000,
                 limit_margin_ms = 5'000;

Status check_command(std::vector<std::string> const& command) {
  if (command.empty() || command[0].empty())
    return Error{Code::invalid, "command: is empty; name a program to run"};
  std::size_t bytes = 0;
  for (auto const& word : command) bytes += word.size() + 1;
  if (command.size() > exec_arguments_max || bytes > exec_command_max)
    return Error{Code::invalid,
                 "command: has more than 256 arguments or 16 KiB; put it into a file of the task"};
  for (auto const& word : command)
    if (word.find('\0') != word.npos)
      return Error{Code::invalid, "command: an argument holds a NUL byte"};
  return ok();
}

void audit_end(ExecRow const& row, ExecEnd const& end, actor::Context& c) {
  AuditEvent event;
  event.actor = row.person;
  event.action = "deployer.job.exec_ended";
  event.resource = row.path;
  event.outcome = end.exit_code == 0 ? AuditOutcome::done : AuditOutcome::failed;
  event.detail["exec"] = row.exec;
  event.detail["job"] = row.job.value;
  event.detail["attempt"] = row.attempt.value;
  event.detail["node"] = row.node.value;
  event.detail["ran_ms"] = std::to_string(std::max<std::int64_t>(0, c.wall() - row.started_at_ms));
  if (end.exit_code >= 0) event.detail["exit_code"] = std::to_string(end.exit_code);
  if (!end.why.empty()) event.detail["why"] = end.why;
  c.audit(std::move(event));
}

}  // namespace

std::vector<store::Table const*> Execs::tables() {
  return {&store::table_of<ExecRow>()};
}

void Execs::restore(actor::Rows const& rows) {
  orphans_ = rows.of<ExecRow>();
}

// Nobody here knows how far they came; their nodes end them when they ask and are not known.
void Execs::start(actor::Context& c) {
  for (auto const& row : std::exchange(orphans_, {})) {
    audit_end(row, {true, -1, "the deployer began anew, and ended it"}, c);
    c.erase(row);
  }
}

std::int64_t Execs::running() const {
  return std::count_if(sessions_.begin(), sessions_.end(),
                       [](auto const& entry) { return !entry.second.end.ended; });
}

Status Execs::check_room(std::string const& person, NodeId const& node) const {
  std::size_t theirs = 0, there = 0, all = 0, kept = 0;
  for (auto const& [exec, s] : sessions_) {
    kept += s.row.person == person ? 1 : 0;
    if (s.end.ended) continue;
    ++all;
    theirs += s.row.person == person ? 1 : 0;
    there += s.row.node == node ? 1 : 0;
  }
  auto const refuse = [](std::string const& who, std::size_t limit) {
    return Error{Code::exhausted, who + " " + std::to_string(limit) +
                                      " commands already, which is the limit; end one first"};
  };
  if (kept >= limits_.kept_per_person)
    return Error{Code::exhausted,
                 "the ends of many of your commands are not heard yet; wait a moment"};
  if (theirs >= limits_.per_person) return refuse("you run", limits_.per_person);
  if (there >= limits_.per_node) return refuse("node " + node.value + " runs", limits_.per_node);
  if (all >= limits_.in_all) return refuse("the nodes run", limits_.in_all);
  return ok();
}

Result<ExecOpened> Execs::open(JobExec const& m, actor::Context& c) {
  auto const place = tasks_.task_place(m.job, m.task, Verb::exec, c);
  if (!place) return place.error();
  if (auto good = check_command(m.command); !good) return good.error();
  if (place->state != AttemptState::running)
    return Error{Code::conflict, "task " + std::to_string(m.task) + " does not run; it is " +
                                     std::string(schema::name_of(place->state))};
  auto const& person = c.caller().name;
  if (auto room = check_room(person, place->node); !room) return room.error();
  Session s;
  s.row = {crypto::uuid7(c.entropy(), c.wall()),
           place->job,
           place->path,
           place->attempt,
           place->node,
           person,
           c.wall()};
  s.command = m.command;
  s.limit_ms = m.limit_ms;
  s.opened_at = s.person_at = s.node_at = c.now();
  c.append(s.row);
  c.note("exec", s.row.exec);
  c.note("attempt", s.row.attempt.value);
  c.note("node", s.row.node.value);
  c.note("command", shell_words(m.command));
  ExecOpened const opened{s.row.exec, s.row.attempt, s.row.node};
  sessions_.emplace(s.row.exec, std::move(s));
  if (!std::exchange(ticking_, true))
    c.after(tick_ms, [this](actor::Context& later) { tick(later); });
  tasks_.wake_node(place->node,
                   c);  // the order leaves when the row is committed, as all answers do
  return opened;
}

void Execs::give(NodeId const& node, NodeOrders& orders, TimeMs now) {
  for (auto& [exec, s] : sessions_) {
    auto const waits = s.row.node == node && s.incarnation.empty() && !s.end.ended;
    if (!waits || (s.told_at > 0 && now - s.told_at < told_again_ms)) continue;
    s.told_at = now;
    orders.execs.push_back({exec, s.row.attempt, s.command, s.limit_ms});
  }
}

// The person.

Result<Execs::Session*> Execs::find(ExecTalk const& m, actor::Context& c) {
  auto const found = sessions_.find(m.exec);
  auto const path =
      found == sessions_.end() ? "job/" + c.caller().name + "/unknown" : found->second.row.path;
  if (auto allowed = c.allow(Verb::exec, path); !allowed) return allowed.error();
  if (found == sessions_.end())
    return Error{Code::not_found,
                 "the command is not known any more, and has ended: the deployer began anew, or "
                 "nobody asked for it in time; run it again"};
  if (found->second.row.person != c.caller().name)
    return Error{Code::denied, "only who began a command talks to it"};
  return &found->second;
}

void Execs::talk(ExecTalk const& m, actor::Ticket<ExecTalk> ticket, actor::Context& c) {
  auto const found = find(m, c);
  if (!found) return c.answer(ticket, found.error());
  auto& s = **found;
  s.person_at = c.now();
  answer_person(s, c);  // an older question, which this one has overtaken
  auto const seen = std::clamp<std::int64_t>(m.output_taken - s.output_offset, 0, s.output_bytes);
  (void)take_bytes(s.output, seen);
  s.output_offset += seen;
  s.output_bytes -= seen;
  auto const input_before = s.input_offset + static_cast<std::int64_t>(s.input.size());
  take_input(s, m, c);
  if (m.stop) stop(s, "the person ended it", c);
  auto const news = s.output_bytes > 0 || s.end.ended ||
                    input_before != s.input_offset + static_cast<std::int64_t>(s.input.size());
  if (seen > 0 || news || s.input_ended || m.stop) answer_node(s, c);
  s.talk = {ticket, c.now() + m.wait_ms};
  if (news || m.wait_ms == 0) return answer_person(s, c);
  c.after(m.wait_ms, [this, exec = m.exec, call = ticket.call](actor::Context& later) {
    auto const again = sessions_.find(exec);
    if (again != sessions_.end() && again->second.talk && again->second.talk->ticket.call == call)
      answer_person(again->second, later);
  });
}

void Execs::take_input(Session& s, ExecTalk const& m, actor::Context& c) {
  auto const have = s.input_offset + static_cast<std::int64_t>(s.input.size());
  auto const skip = have - m.input_offset;
  auto const size = static_cast<std::int64_t>(m.input.data.size());
  if (s.end.ended || s.input_ended || skip < 0 || skip > size) return;
  auto const part = std::string_view(m.input.data).substr(static_cast<std::size_t>(skip));
  auto const room = limits_.buffer_bytes - static_cast<std::int64_t>(s.input.size());
  auto const fits = part.substr(0, static_cast<std::size_t>(std::max<std::int64_t>(0, room)));
  s.input += fits;
  s.input_ended = m.input_ended && fits.size() == part.size();
  if (have + static_cast<std::int64_t>(fits.size()) > limits_.input_bytes)
    stop(s, "more than 64 MiB of input; send a file with the task's working folder", c);
}

ExecHeard Execs::heard(Session const& s) const {
  ExecHeard h;
  h.output_offset = s.output_offset;
  h.input_taken = s.input_offset + static_cast<std::int64_t>(s.input.size());
  std::int64_t bytes = 0;
  for (auto const& piece : s.output) {
    auto const room = static_cast<std::size_t>(exec_part_max - bytes);
    if (room == 0) return h;
    h.output.push_back({piece.is_error, Bytes{piece.data.data.substr(0, room)}});
    bytes += static_cast<std::int64_t>(h.output.back().data.data.size());
  }
  if (bytes == s.output_bytes) h.end = s.end;
  return h;
}

void Execs::answer_person(Session& s, actor::Context& c) {
  auto const talk = std::exchange(s.talk, std::nullopt);
  if (talk) c.answer(talk->ticket, Result<ExecHeard>(heard(s)));
}

// The node.

Status Execs::claim(Session& s, ExecReport const& m, actor::Context& c) {
  if (s.incarnation.empty()) s.incarnation = m.incarnation;
  if (s.incarnation == m.incarnation) return ok();
  end(s, {true, -1, "the node's daemon began anew, and the command ended with it"}, c);
  return Error{Code::conflict, "the command was begun by an earlier life of the node"};
}

void Execs::report(ExecReport const& m, actor::Ticket<ExecReport> ticket, actor::Context& c) {
  if (c.caller().name != m.node.value && c.caller().door == actor::Door::client)
    return c.answer(ticket, Error{Code::denied, "a node may speak for itself only"});
  if (m.output.size() > exec_pieces_max)
    return c.answer(ticket, Error{Code::invalid, "output: is in too many pieces"});
  auto const found = sessions_.find(m.exec);
  if (found == sessions_.end() || found->second.row.node != m.node)
    return c.answer(ticket, Error{Code::not_found, "nobody waits for this command any more"});
  auto& s = found->second;
  auto const is_claim = s.incarnation.empty();
  if (auto claimed = claim(s, m, c); !claimed) return c.answer(ticket, claimed.error());
  s.node_at = c.now();
  answer_node(s, c);  // an older question, which this one has overtaken
  auto const taken = take_output(s, m, c);
  auto const held_back = m.output_offset + bytes_of(m.output) > s.output_offset + s.output_bytes;
  auto const passed = std::clamp<std::int64_t>(m.input_taken - s.input_offset, 0,
                                               static_cast<std::int64_t>(s.input.size()));
  s.input.erase(0, static_cast<std::size_t>(passed));
  s.input_offset += passed;
  if (s.output_bytes > 0 || s.end.ended || passed > 0) answer_person(s, c);
  s.report = {ticket, c.now() + m.wait_ms};
  auto const has_input =
      s.input_offset + static_cast<std::int64_t>(s.input.size()) > s.input_told ||
      (s.input_ended && !s.input_end_told);
  auto const at_once = m.wait_ms == 0 && !held_back;
  if (is_claim || taken || has_input || at_once || !s.stop_why.empty() || s.end.ended)
    return answer_node(s, c);
  // What found no room waits, until the person has taken something.
  c.after(std::max<TimeMs>(m.wait_ms, held_back ? told_again_ms : 0),
          [this, exec = m.exec, call = ticket.call](actor::Context& later) {
            auto const again = sessions_.find(exec);
            if (again == sessions_.end()) return;
            auto& waiting = again->second.report;
            if (waiting && waiting->ticket.call == call) answer_node(again->second, later);
          });
}

// What is stopped has little more to say, and is heard out.
bool Execs::Session::is_full(std::int64_t bytes_max) const {
  return output_bytes >= bytes_max || output.size() >= exec_pieces_max / 2;
}

// Whether something of it is new here.
bool Execs::take_output(Session& s, ExecReport const& m, actor::Context& c) {
  auto const have = s.output_offset + s.output_bytes;
  auto const bytes = bytes_of(m.output);
  auto const skip = have - m.output_offset;
  if (s.end.ended || skip < 0 || skip > bytes) return false;
  auto const is_new = skip < bytes;
  if (is_new && s.stop_why.empty() && s.is_full(limits_.buffer_bytes)) return false;
  std::deque<ExecPiece> fresh(m.output.begin(), m.output.end());
  if (!planted("exec_output_doubled")) (void)take_bytes(fresh, skip);
  for (auto& piece : fresh) s.output.push_back(std::move(piece));
  s.output_bytes += bytes - skip;
  if (have + bytes - skip > limits_.output_bytes)
    stop(s, "more than 256 MiB of output; write to $LEPTON_OUTPUT_DIR and fetch it", c);
  if (m.end.ended) end(s, m.end, c);
  return is_new;
}

ExecInput Execs::input_for(Session const& s) const {
  ExecInput i;
  i.output_taken = s.output_offset + s.output_bytes;
  i.input_offset = s.input_offset;
  i.input.data = s.input.substr(0, exec_part_max);
  i.input_ended = s.input_ended && i.input.data.size() == s.input.size();
  i.stop = s.end.ended || !s.stop_why.empty();
  i.why = i.stop && s.stop_why.empty() ? "it counts as ended already" : s.stop_why;
  return i;
}

void Execs::answer_node(Session& s, actor::Context& c) {
  auto const report = std::exchange(s.report, std::nullopt);
  if (!report) return;
  auto const told = input_for(s);
  s.input_told = told.input_offset + static_cast<std::int64_t>(told.input.data.size());
  s.input_end_told = told.input_ended;
  c.answer(report->ticket, Result<ExecInput>(told));
}

// Ends.

void Execs::stop(Session& s, std::string const& why, actor::Context& c) {
  if (s.end.ended || !s.stop_why.empty()) return;
  s.stop_why = why;
  s.ending_since = c.now();
  if (s.incarnation.empty()) return end(s, {true, -1, why + ", before it began"}, c);
  answer_node(s, c);
}

void Execs::end(Session& s, ExecEnd const& end, actor::Context& c) {
  if (s.end.ended) return;
  s.end = end;
  s.ended_at = c.now();
  s.command.clear();
  s.input.clear();
  if (!planted("exec_end_unaudited")) audit_end(s.row, end, c);
  c.erase(s.row);
  answer_node(s, c);
  answer_person(s, c);
}

void Execs::look_at(Session& s, actor::Context& c) {
  auto const now = c.now();
  if (!s.talk && now - s.person_at > limits_.silence_ms)
    stop(s, "the program that ran `lepton exec` has gone", c);
  if (now - s.opened_at > s.limit_ms + limit_margin_ms) stop(s, "its limit of time has passed", c);
  auto const is_silent = !s.report && now - s.node_at > limits_.silence_ms;
  auto const is_stuck = s.ending_since > 0 && now - s.ending_since > ending_max_ms;
  if (is_silent || is_stuck)
    end(s,
        {true, -1,
         "node " + s.row.node.value +
             " does not answer; what runs there of the command ends by itself"},
        c);
}

void Execs::tick(actor::Context& c) {
  for (auto& [exec, s] : sessions_)
    if (!s.end.ended) look_at(s, c);
  std::erase_if(sessions_, [&](auto const& entry) {
    auto const& s = entry.second;
    if (!s.end.ended || s.talk) return false;
    return c.now() - s.ended_at > limits_.kept_ms ||
           c.now() - std::max(s.ended_at, s.person_at) > limits_.silence_ms;
  });
  ticking_ = !sessions_.empty();
  if (ticking_) c.after(tick_ms, [this](actor::Context& later) { tick(later); });
}

}  // namespace lepton::deployer
