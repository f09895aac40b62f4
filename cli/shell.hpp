#pragma once
// Shell: what a command has of the world: the global options, where data and messages go, and the
// context. Data goes to `out`, everything for people's eyes to `err`; colour and progress only
// where a person looks. One thread.

#include <cstdio>
#include <optional>
#include <string>

#include "cli/context.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace lepton::cli {

enum class Format : std::uint8_t { unknown, table, json, yaml, name };
consteval auto enumerators(Format) {
  return std::to_array<std::string_view>({"unknown", "table", "json", "yaml", "name"});
}

// The one table of exit statuses: 0 ok, 1 failed, 2 usage, 3 not found, 4 denied, 5 conflict, 6
// unreachable, 7 timeout, 8 partial.
inline constexpr int exit_partial = 8;
int exit_status(Code code);

class Shell {
 public:
  Format format = Format::table;
  std::string context_path;     // empty: the default
  std::int64_t timeout_s = 10;  // of one request
  bool yes = false;             // no questions
  bool colour = false;          // on `out`
  bool progress = false;        // on `err`: a person looks, so lines may be redrawn
  bool person = false;          // somebody can be asked
  std::FILE* out = stdout;
  std::FILE* err = stderr;

  TimeMs timeout_ms() const { return timeout_s * 1000; }
  Result<ClientContext> context() const;
  std::string context_file() const;  // its path
  std::string folder() const;        // the client folder

  void print(std::string const& data) const;    // as it is
  void say(std::string const& message) const;   // a line for people
  void next(std::string const& command) const;  // "next: COMMAND"
  // Asks; true with --yes, and where nobody can be asked.
  bool confirm(std::string const& question) const;
};

// Colour and progress as the streams and NO_COLOR, TERM allow.
void look_around(Shell& shell);

}  // namespace lepton::cli
