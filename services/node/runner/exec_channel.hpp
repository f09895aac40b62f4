#pragma once
// Between the node and the runner of an attempt, for commands that people run beside the task
// (`lepton exec`): a socket `exec` in the attempt's folder, which only the node's own user can
// reach. The node sends the command with the three ends of pipes that become its standard streams;
// the runner answers once that it runs or why not, and once how it ended. Blocking.
//
// The command's standard input is framed, so that its end and the node's end differ:
//   'd' and the length in four octets, big end first, and so many octets;   'e' and four zeros: the
//   input has ended.   A hang-up: nobody is there any more; whatever runs must end.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "services/node/runner/files.hpp"

namespace lepton::node {

struct ExecCall {
  std::vector<std::string> command;
  std::array<Fd, 3> streams;
};

struct ExecWord {
  enum class Kind : std::uint8_t { running, refused, ended } kind = Kind::refused;
  int exit_code = -1;
  std::string why;
};

Result<Fd> open_exec_door(std::string const& attempt_folder);
// `conflict`: nobody listens: the task has ended, or an older version of the runner watches it.
Result<Fd> reach_exec_door(std::string const& attempt_folder);
// The next one who knocks, when it is of the own user.
Result<Fd> accept_exec(Fd const& door);

Status send_call(Fd const& socket, ExecCall const& call);
Result<ExecCall> receive_call(Fd const& socket);  // waits a second at most
Status send_word(Fd const& socket, ExecWord const& word);
Result<ExecWord> receive_word(Fd const& socket);  // `unavailable`: the runner has hung up

std::string input_frame(std::string_view data);
std::string input_end();

}  // namespace lepton::node
