// Runs a fuzz target (LLVMFuzzerTestOneInput) within the test command: first every file of the
// corpus, then inputs that are mutated from it, from a seed, so that a run can be repeated. Without
// coverage, and with the compiler of the product; scripts/fuzz runs the same targets under
// libFuzzer. An input that ends the process, or takes longer than `patience_s`, is written to a
// file first.
//
// usage: fuzz_NAME CORPUS-FOLDER [RUNS [SEED [CRASH-FOLDER]]]

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "common/base/random.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace {

using lepton::Chance;

constexpr unsigned patience_s = 20;
constexpr std::size_t input_max = 1u << 16;

std::string crash_file = "crash-input";
std::string current;  // what runs now

// Only calls that are allowed in a signal handler.
void dump(int signal) {
  int const fd = ::open(crash_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  auto const put = [](int to, char const* text, std::size_t size) {
    if (::write(to, text, size) != ssize_t(size)) ::_exit(4);
  };
  if (fd >= 0) put(fd, current.data(), current.size());
  constexpr char ended[] = "\nthe target ended the process; its input: ";
  constexpr char slow[] = "\nthe target took too long; its input: ";
  signal == SIGALRM ? put(2, slow, sizeof(slow) - 1) : put(2, ended, sizeof(ended) - 1);
  put(2, crash_file.data(), crash_file.size());
  put(2, "\n", 1);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : chance_(seed) {}

  std::string from(std::vector<std::string> const& pool) {
    auto input = pool[chance_.below(pool.size())];
    auto const& other = pool[chance_.below(pool.size())];
    for (auto n = 1 + chance_.below(5); n > 0; --n) change(input, other);
    if (input.size() > input_max) input.resize(input_max);
    return input;
  }

 private:
  std::size_t place(std::string const& s) { return chance_.below(s.size() + 1); }
  char any() {
    constexpr unsigned char telling[] = {0,    1,    0x7f, 0x80, 0xc0, 0xc1, 0xd9, 0xdb, 0xdc, 0xdd,
                                         0xde, 0xdf, 0xff, '\n', ' ',  ':',  '-',  '/',  '*',  '{'};
    return static_cast<char>(chance_.happens(0.3) ? telling[chance_.below(sizeof(telling))]
                                                  : chance_.below(256));
  }
  void change(std::string& s, std::string const& other) {
    auto const at = place(s);
    auto const size = chance_.below(std::min<std::size_t>(s.size() - at, 16) + 1);
    switch (chance_.below(8)) {
      case 0:
        if (at < s.size()) s[at] = static_cast<char>(s[at] ^ (1 << chance_.below(8)));
        return;
      case 1:
        if (at < s.size()) s[at] = any();
        return;
      case 2:
        s.insert(at, 1 + chance_.below(4), any());
        return;
      case 3:
        s.erase(at, size);
        return;
      case 4:
        s.insert(place(s), s.substr(at, size));
        return;
      case 5: {
        auto const from = chance_.below(other.size() + 1);
        s.insert(at, other.substr(from, 1 + chance_.below(64)));
        return;
      }
      case 6:
        s = s.substr(0, at) + other.substr(std::min(other.size(), place(other)));
        return;
      default:
        if (at < s.size())
          s[at] = static_cast<char>(s[at] + static_cast<char>(chance_.below(9)) - 4);
    }
  }
  Chance chance_;
};

void run(std::string input) {
  current = std::move(input);
  ::alarm(patience_s);
  LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(current.data()), current.size());
  ::alarm(0);
}

std::vector<std::string> read_corpus(std::string const& folder) {
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> pool{""};
  for (auto const& file : files) {
    std::ifstream in(file, std::ios::binary);
    pool.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return pool;
}

int fuzz(std::string const& folder, std::uint64_t runs, std::uint64_t seed) {
  auto const pool = read_corpus(folder);
  if (pool.size() < 2) return fmt::print(stderr, "no corpus in {}\n", folder), 2;
  for (auto const& input : pool) run(input);
  auto const began = std::clock();
  Mutator mutator(seed);
  for (std::uint64_t i = 0; i < runs; ++i) run(mutator.from(pool));
  auto const took = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  fmt::print("{} files, {} mutated inputs, {:.1f} s\n", pool.size() - 1, runs, took);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  auto const number = [&](int at, std::uint64_t usual) {
    return argc > at ? std::strtoull(argv[at], nullptr, 10) : usual;
  };
  if (argc < 2) return fmt::print(stderr, "usage: {} CORPUS [RUNS [SEED [CRASHES]]]\n", argv[0]), 2;
  std::string const name = std::filesystem::path(argv[0]).filename();
  crash_file = (argc > 4 ? std::string(argv[4]) : std::string(".")) + "/crash-" + name;
  for (int const signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL, SIGALRM})
    ::signal(signal, dump);
  return fuzz(argv[1], number(2, 10'000), number(3, 1));
}
