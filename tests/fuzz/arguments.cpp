// The command line of `lepton`: one argument per line; a line end after the last one is an empty
// argument more, which most commands refuse. The commands are all the real ones, but none runs.

#include "cli/all/all_commands.hpp"
#include "cli/parser.hpp"
#include "common/base/check.hpp"
#include "common/base/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace lepton;
  auto all = cli::all_commands();
  auto const owners = all;  // what a command does owns the targets of its options
  for (auto& command : all) command.run = [](cli::Shell&) -> Result<int> { return 0; };
  static std::FILE* const nowhere = std::fopen("/dev/null", "w");
  cli::Shell shell;
  shell.out = shell.err = nowhere;
  auto const words = text::split(std::string_view(reinterpret_cast<char const*>(data), size), '\n');
  std::vector<std::string> kept{"lepton"};
  for (auto const& word : words) kept.push_back(std::string(word).substr(0, word.find('\0')));
  std::vector<char const*> argv;
  for (auto const& word : kept) argv.push_back(word.c_str());
  auto const status = cli::run_command_line(all, shell, static_cast<int>(argv.size()), argv.data());
  LEPTON_CHECK(status >= 0 && status <= 255, "an exit status that no shell can tell");
  return 0;
}
