#include "common/store/process_mark.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "common/base/fd.hpp"
#include "common/base/text.hpp"

namespace lepton::store {
namespace {

struct Mark {
  std::string place;  // boot and PID namespace
  std::int64_t pid = 0;
  std::int64_t start_ticks = 0;
};

std::string first_word_of(std::string const& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::string this_place() {
  char name[64] = "";
  auto const size = readlink("/proc/self/ns/pid", name, sizeof name - 1);
  return first_word_of("/proc/sys/kernel/random/boot_id") + " " +
         std::string(name, size > 0 ? static_cast<std::size_t>(size) : 0);
}

// 0: there is none, or it is a zombie. The name in parentheses may hold anything.
std::int64_t start_of(std::int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::stringstream all;
  all << file.rdbuf();
  auto const line = all.str();
  auto const end = line.rfind(')');
  if (end == line.npos) return 0;
  std::istringstream fields(line.substr(end + 1));
  std::vector<std::string> words;
  for (std::string word; words.size() < 20 && fields >> word;) words.push_back(word);
  if (words.size() < 20 || words[0] == "Z" || words[0] == "X") return 0;
  return text::parse_int(words[19]).value_or(0);
}

bool read(std::string const& text, Mark& mark) {
  std::istringstream words(text);
  std::string boot, space, rest;
  if (!(words >> boot >> space >> mark.pid >> mark.start_ticks) || words >> rest) return false;
  mark.place = boot + " " + space;
  return mark.pid > 0 && mark.start_ticks > 0;
}

}  // namespace

std::string mark_of_this_process() {
  return fmt::format("{} {} {}", this_place(), getpid(), start_of(getpid()));
}

Fate fate_of(std::string const& text) {
  Mark mark;
  if (!read(text, mark) || mark.place != this_place()) return Fate::elsewhere;
  return start_of(mark.pid) == mark.start_ticks ? Fate::lives : Fate::gone;
}

bool end_process(std::string const& text, TimeMs limit_ms) {
  Mark mark;
  if (!read(text, mark) || mark.pid == getpid()) return false;
  Fd const process(static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(mark.pid), 0)));
  // Asked after the descriptor was opened: it means this very process from now on.
  if (auto const fate = fate_of(text); fate != Fate::lives) return fate == Fate::gone;
  if (first_word_of(fmt::format("/proc/{}/comm", mark.pid)) != first_word_of("/proc/self/comm"))
    return false;
  if (process.get() < 0 || syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0)
    return false;
  pollfd ended{process.get(), POLLIN, 0};
  return poll(&ended, 1, static_cast<int>(limit_ms)) == 1;
}

}  // namespace lepton::store
