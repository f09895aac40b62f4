// People who run commands beside tasks in the simulated world: they send input, hear output, end a
// command or go away, while everything fails. Of what a command prints nobody hears a byte twice,
// too late or not at all; who hears that it has ended by itself has heard all of it.

#include "schemas/exec.hpp"
#include "services/auditor/rows.hpp"
#include "services/deployer/execs/rows.hpp"
#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

constexpr std::int64_t part_bytes = 100;
constexpr TimeMs wait_ms = 1'000, give_up_ms = 60'000;

std::string exec_in(std::string const& detail) {
  constexpr std::string_view key = "\"exec\":\"";
  auto const at = detail.find(key);
  if (at == detail.npos) return "";
  auto const begin = at + key.size();
  return detail.substr(begin, detail.find('"', begin) - begin);
}

}  // namespace

// The one that a person leads with a command.
struct Suite::Conversation {
  Client& client;
  CommandKind kind;
  std::int64_t input_bytes = 0;  // of all
  TimeMs stops_at = 0, leaves_at = 0;
  std::string exec;
  std::int64_t heard = 0, taken = 0;
  TimeMs answered_at = 0;

  bool is_whole() const { return heard == (kind.reads() ? input_bytes : kind.prints()); }
};

std::optional<JobId> Suite::running_job() {
  std::vector<JobId> found;
  if (auto const* d = deployer())
    for (auto const& [id, job] : d->jobs())
      if (!job.run.members.empty() && job.run.members[0].state == AttemptState::running)
        found.push_back(id);
  if (found.empty()) return std::nullopt;
  return found[chance_.below(found.size())];
}

void Suite::run_command() {
  auto const job = running_job();
  if (!job) return;
  auto const amount = static_cast<std::int64_t>(1 + chance_.below(600));
  CommandKind const kinds[] = {{{"echo"}}, {{"count", std::to_string(amount)}}, {{"wait"}}};
  auto const talk = std::make_shared<Conversation>(Conversation{
      *clients_[chance_.below(clients_.size())], kinds[chance_.below(std::size(kinds))]});
  talk->input_bytes = talk->kind.reads() ? amount : 0;
  auto const now = world_.now();
  auto const waits = talk->kind.words[0] == "wait";
  talk->stops_at = now + static_cast<TimeMs>(chance_.below(chance_.happens(0.2) ? 200
                                                           : waits              ? 10'000
                                                                                : 60'000));
  talk->leaves_at = now + (chance_.happens(0.2) ? static_cast<TimeMs>(chance_.below(5'000))
                                                : TimeMs{1'000'000'000});
  talk->answered_at = now;
  auto const limit_ms = static_cast<std::int64_t>(1'000 + chance_.below(30'000));
  ask(talk->client, "deployer", JobExec{*job, 0, talk->kind.words, limit_ms},
      {.deadline_ms = 20'000}, [this, talk](Result<ExecOpened> const& opened) {
        if (!opened) return;
        talk->exec = opened->exec;
        say_more(talk);
      });
}

void Suite::say_more(std::shared_ptr<Conversation> const& talk) {
  auto const now = world_.now();
  if (now >= talk->leaves_at) return;
  auto const left = talk->input_bytes - talk->taken;
  auto const bytes = std::min(part_bytes, left);
  ExecTalk const m{
      talk->exec,    talk->heard,           talk->taken, Bytes{command_text(talk->taken, bytes)},
      bytes == left, now >= talk->stops_at, wait_ms};
  ask(talk->client, "deployer", m, {.deadline_ms = 9'000, .resend_ms = 1'500},
      [this, talk](Result<ExecHeard> const& heard) {
        if (heard) {
          talk->answered_at = world_.now();
          if (hear(*talk, *heard)) return;
        } else if (heard.error().code == Code::not_found ||
                   world_.now() - talk->answered_at > give_up_ms) {
          return;
        }
        world_.at(static_cast<TimeMs>(chance_.below(300)), [this, talk] { say_more(talk); });
      });
}

// Whether it has ended.
bool Suite::hear(Conversation& talk, ExecHeard const& heard) {
  auto const fail = [&](std::string const& what) {
    world_.fail("the person who runs command " + talk.exec + " " + what);
  };
  auto at = heard.output_offset;
  if (at > talk.heard) fail("misses output");
  for (auto const& piece : heard.output) {
    auto const bytes = static_cast<std::int64_t>(piece.data.data.size());
    if (piece.data.data != command_text(at, bytes)) fail("hears what was not printed there");
    at += bytes;
  }
  talk.heard = std::max(talk.heard, at);
  if (heard.input_taken > talk.input_bytes) fail("is told of more input than there is");
  talk.taken = std::max(talk.taken, heard.input_taken);
  if (!heard.end.ended) return false;
  if (heard.end.why.ends_with("before it began")) commands_.told_as_never_begun(talk.exec);
  if (heard.end.exit_code < 0) return true;
  if (!talk.is_whole()) fail("is told of an end before the last of its output");
  if (heard.end.exit_code != talk.kind.exit_code()) fail("is told another exit code");
  ++commands_heard_out_;
  return true;
}

bool Suite::commands_over() {
  return !commands_.any_runs() && world_.disk("deployer").rows(deployer::ExecRow::table).empty();
}

// Each command that began has one end in the log.
void Suite::check_commands(std::vector<auditor::EntryRow> const& entries) {
  std::map<std::string, std::pair<int, int>> seen;  // exec to beginnings and ends
  for (auto const& entry : entries) {
    auto const ends = entry.action == "deployer.job.exec_ended";
    if (!ends && (entry.action != JobExec::topic || entry.outcome != "done")) continue;
    auto& times = seen[exec_in(entry.detail)];
    ++(ends ? times.second : times.first);
  }
  for (auto const& [exec, times] : seen)
    if (times != std::pair{1, 1})
      world_.fail("the log has " + std::to_string(times.first) + " beginnings and " +
                  std::to_string(times.second) + " ends of command " + exec);
}

}  // namespace lepton::sim
