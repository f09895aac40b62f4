#include "cli/vault/secret_input.hpp"

#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "common/bus/access/path.hpp"

namespace lepton::cli {
namespace {

constexpr std::size_t secret_bytes_max = 64 * 1024;
constexpr std::string_view kind = "secret/";
constexpr std::string_view scheme = "vault://";

// Switches the echo of the terminal off and, whatever happens, on again.
class Hidden {
 public:
  Hidden() {
    is_terminal_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    auto quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~Hidden() {
    if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Hidden(Hidden const&) = delete;
  Hidden& operator=(Hidden const&) = delete;

 private:
  termios before_{};
  bool is_terminal_ = false;
};

// To the end of the input, or of the line.
Secret<> read_input(bool one_line) {
  std::string text;
  text.reserve(secret_bytes_max + 2);  // growing would leave copies behind
  while (text.size() <= secret_bytes_max + 1) {
    char ch = 0;
    auto const n = ::read(STDIN_FILENO, &ch, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || (one_line && ch == '\n')) break;
    text += ch;
  }
  return Secret<>(std::move(text));
}

}  // namespace

Result<std::string> secret_path(std::string const& named) {
  std::string_view rest = named;
  if (rest.starts_with(scheme))
    rest.remove_prefix(scheme.size());
  else if (rest.starts_with(kind))
    rest.remove_prefix(kind.size());
  auto path = access::ResourcePath::parse(std::string(kind) + std::string(rest));
  if (!path) return path.error();
  return path->text();
}

std::string secret_name(std::string const& path) {
  return path.starts_with(kind) ? path.substr(kind.size()) : path;
}

Result<Secret<>> read_secret(Shell& shell, std::string const& what, std::string const& file) {
  Secret<> value;
  if (!file.empty() && file != "-") {
    auto content = read_private_file(file);
    if (!content) return content.error();
    value = Secret<>(std::move(*content));
  } else if (::isatty(STDIN_FILENO) == 1) {
    std::fprintf(shell.err, "%s (not shown): ", what.c_str());
    std::fflush(shell.err);
    {
      Hidden const hidden;
      value = read_input(true);
    }
    shell.say("");
  } else {
    value = read_input(false);
  }
  if (value.reveal().ends_with('\n'))
    value = Secret<>(value.reveal().substr(0, value.reveal().size() - 1));
  if (value.empty())
    return Error{Code::invalid,
                 what + " is missing: type it, pipe it in, or name its file by --file"};
  if (value.reveal().size() > secret_bytes_max)
    return Error{Code::invalid, what + " is longer than 64 KiB"};
  return value;
}

}  // namespace lepton::cli
