#pragma once
// Messages about commands that people run beside a task, in its environment (`lepton exec`). The
// deployer owns and serves them; it stands between the person and the node and keeps nothing of
// what goes through. Bytes are numbered from 0 in each direction, so that every message may be
// lost, doubled or late. Sizes in bytes, times in ms.
//
// Conversation (P the person's program, N the node, D the deployer):
//   exec = P:JobExec D:ExecOpened *talk      ; the order goes to N with the answers of its syncs
//   talk = P:ExecTalk ( D:ExecHeard / D:Refusal )    ; parked until there is news, or for wait_ms
//   node = N:ExecReport ( D:ExecInput / D:Refusal )  ; the first one claims: only then N begins

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/ids.hpp"

namespace lepton {

// Limits that both sides of the conversation know.
inline constexpr std::int64_t exec_part_max = 262'144;   // bytes of one message
inline constexpr std::size_t exec_pieces_max = 2'048;    // of one message
inline constexpr std::size_t exec_command_max = 16'384;  // bytes of all arguments
inline constexpr std::size_t exec_arguments_max = 256;
inline constexpr std::int64_t exec_time_max_ms = 86'400'000;

struct ExecPiece {
  bool is_error = false;
  Bytes data;

  static consteval auto fields() {
    using schema::field;
    using T = ExecPiece;
    return schema::fields(
        field(1, "is_error", &T::is_error, "Of standard error; else of standard output."),
        field(2, "data", &T::data, "The bytes, as written."));
  }
};
static_assert(schema::complete<ExecPiece>());
// How a command ended. `exit_code` as shells say it: 128 and the number of a signal.
struct ExecEnd {
  bool ended = false;
  std::int32_t exit_code = -1;
  std::string why;

  bool operator==(ExecEnd const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = ExecEnd;
    return schema::fields(
        field(1, "ended", &T::ended, "It is over; nothing of it runs."),
        field(2, "exit_code", &T::exit_code, "Of the command; -1: it did not end by itself."),
        field(3, "why", &T::why, "Why it did not; empty otherwise."));
  }
};
static_assert(schema::complete<ExecEnd>());
struct ExecOpened {
  std::string exec;
  AttemptId attempt;
  NodeId node;

  static consteval auto fields() {
    using schema::field;
    using T = ExecOpened;
    return schema::fields(field(1, "exec", &T::exec, "Identity, for ExecTalk."),
                          field(2, "attempt", &T::attempt, "Beside which task it runs."),
                          field(3, "node", &T::node, "Where."));
  }
};
static_assert(schema::complete<ExecOpened>());
struct JobExec {
  static constexpr std::string_view topic = "deployer.job.exec";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::exec;
  using Reply = ExecOpened;
  JobId job;
  std::uint32_t task = 0;
  std::vector<std::string> command;
  std::int64_t limit_ms = 3'600'000;

  static consteval auto fields() {
    using schema::field;
    using T = JobExec;
    return schema::fields(
        field(1, "job", &T::job, "As in JobShow."), field(2, "task", &T::task, "Its index."),
        field(3, "command", &T::command, "Program and arguments; it stands in the audit log."),
        field(4, "limit_ms", &T::limit_ms, "It ends after so long, ms.")
            .bounds(1'000, exec_time_max_ms));
  }
};
static_assert(schema::complete<JobExec>());
struct ExecHeard {
  std::vector<ExecPiece> output;
  std::int64_t output_offset = 0;
  std::int64_t input_taken = 0;
  ExecEnd end;

  static consteval auto fields() {
    using schema::field;
    using T = ExecHeard;
    return schema::fields(
        field(1, "output", &T::output, "What was printed, in the order of its arrival."),
        field(2, "output_offset", &T::output_offset, "Number of its first byte, of both streams."),
        field(3, "input_taken", &T::input_taken, "So many bytes of input are taken."),
        field(4, "end", &T::end, "How it ended, once all output before was given."));
  }
};
static_assert(schema::complete<ExecHeard>());
struct ExecTalk {
  static constexpr std::string_view topic = "deployer.exec.talk";
  static constexpr Verb verb = Verb::exec;
  using Reply = ExecHeard;
  std::string exec;
  std::int64_t output_taken = 0;
  std::int64_t input_offset = 0;
  Bytes input;
  bool input_ended = false;
  bool stop = false;
  std::int64_t wait_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using T = ExecTalk;
    return schema::fields(
        field(1, "exec", &T::exec, "As opened; whoever opened it talks."),
        field(2, "output_taken", &T::output_taken, "So many bytes of output have arrived.")
            .bounds(0, 1e15),
        field(3, "input_offset", &T::input_offset, "Number of the first byte of `input`.")
            .bounds(0, 1e15),
        field(4, "input", &T::input, "For its standard input."),
        field(5, "input_ended", &T::input_ended, "Nothing comes after `input`."),
        field(6, "stop", &T::stop, "End it."),
        field(7, "wait_ms", &T::wait_ms, "How long to wait for news, ms.").bounds(0, 20'000));
  }
};
static_assert(schema::complete<ExecTalk>());
// To a node, with the answers of its syncs, until it has claimed it.
struct ExecOrder {
  std::string exec;
  AttemptId attempt;
  std::vector<std::string> command;
  std::int64_t limit_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using T = ExecOrder;
    return schema::fields(field(1, "exec", &T::exec, "Identity."),
                          field(2, "attempt", &T::attempt, "Beside which task."),
                          field(3, "command", &T::command, "Program and arguments."),
                          field(4, "limit_ms", &T::limit_ms, "It ends after so long, ms."));
  }
};
static_assert(schema::complete<ExecOrder>());
struct ExecInput {
  std::int64_t output_taken = 0;
  std::int64_t input_offset = 0;
  Bytes input;
  bool input_ended = false;
  bool stop = false;
  std::string why;

  static consteval auto fields() {
    using schema::field;
    using T = ExecInput;
    return schema::fields(
        field(1, "output_taken", &T::output_taken, "So many bytes of output are here for good."),
        field(2, "input_offset", &T::input_offset, "Number of the first byte of `input`."),
        field(3, "input", &T::input, "For its standard input."),
        field(4, "input_ended", &T::input_ended, "Nothing comes after `input`."),
        field(5, "stop", &T::stop, "End it, or do not begin."),
        field(6, "why", &T::why, "Why it is to end."));
  }
};
static_assert(schema::complete<ExecInput>());
struct ExecReport {
  static constexpr std::string_view topic = "deployer.exec.report";
  static constexpr Verb verb = Verb::write;
  using Reply = ExecInput;
  NodeId node;
  std::string incarnation;
  std::string exec;
  std::int64_t output_offset = 0;
  std::vector<ExecPiece> output;
  std::int64_t input_taken = 0;
  ExecEnd end;
  std::int64_t wait_ms = 0;

  std::string resource() const { return "node/" + node.value; }
  static consteval auto fields() {
    using schema::field;
    using T = ExecReport;
    return schema::fields(
        field(1, "node", &T::node, "Name; must be the caller's own."),
        field(2, "incarnation", &T::incarnation, "As in NodeSync: only who claimed it goes on."),
        field(3, "exec", &T::exec, "As ordered."),
        field(4, "output_offset", &T::output_offset, "Number of the first byte of `output`.")
            .bounds(0, 1e15),
        field(5, "output", &T::output, "What the command printed."),
        field(6, "input_taken", &T::input_taken, "So many bytes of input are taken.")
            .bounds(0, 1e15),
        field(7, "end", &T::end, "How it ended, after that output."),
        field(8, "wait_ms", &T::wait_ms, "How long the answer may wait for news, ms.")
            .bounds(0, 20'000));
  }
};
static_assert(schema::complete<ExecReport>());
}  // namespace lepton
