#include "cli/shell.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace lepton::cli {

int exit_status(Code code) {
  switch (code) {
    case Code::invalid:
      return 2;
    case Code::not_found:
      return 3;
    case Code::denied:
      return 4;
    case Code::conflict:
      return 5;
    case Code::unavailable:
      return 6;
    case Code::timeout:
      return 7;
    case Code::exhausted:
    case Code::internal:
    case Code::unknown:
      return 1;
  }
  return 1;
}

std::string Shell::context_file() const {
  return context_path.empty() ? default_context_path() : context_path;
}

std::string Shell::folder() const {
  return folder_of(context_file());
}

Result<ClientContext> Shell::context() const {
  return read_context(context_file());
}

void Shell::print(std::string const& data) const {
  std::fwrite(data.data(), 1, data.size(), out);
  std::fflush(out);
}

void Shell::say(std::string const& message) const {
  std::fflush(out);
  std::fprintf(err, "%s\n", message.c_str());
}

void Shell::next(std::string const& command) const {
  say("next: " + command);
}

bool Shell::confirm(std::string const& question) const {
  if (yes || !person) return true;
  std::fprintf(err, "%s [y/N] ", question.c_str());
  std::fflush(err);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

void look_around(Shell& shell) {
  auto const* no_colour = std::getenv("NO_COLOR");
  auto const* term = std::getenv("TERM");
  bool const dumb = term == nullptr || std::string_view(term) == "dumb";
  bool const plain = dumb || (no_colour != nullptr && *no_colour != '\0');
  shell.colour = !plain && ::isatty(STDOUT_FILENO) == 1;
  shell.progress = !dumb && ::isatty(STDERR_FILENO) == 1;
  shell.person = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

}  // namespace lepton::cli
