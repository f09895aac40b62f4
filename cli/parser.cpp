#include "cli/parser.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <sstream>

#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

constexpr int exit_usage = 2;

std::map<std::string, std::string> const groups = {
    {"audit", "The log of all changes, and proofs about it"},
    {"job", "Work that was submitted"},
    {"node", "Machines"},
    {"policy", "Who may do what"},
    {"secret", "Values that only the vault knows"},
    {"stack", "A control plane of containers"},
    {"token", "Proofs of identity"},
    {"vault", "The keeper of secrets, tokens and policies"},
};

struct Globals {
  std::string output = "table";
  std::string colour = "auto";
};

class Parser {
 public:
  Parser(Commands const& commands, Shell& shell) : commands_(commands), shell_(shell) {
    app_.name("lepton");
    app_.require_subcommand(0, 1);
    app_.failure_message(
        [](CLI::App const*, CLI::Error const& e) { return std::string(e.what()); });
    add_globals();
    for (auto const& command : commands_) add(command);
  }

  int run(int argc, char const* const* argv) {
    words_.assign(argv + 1, argv + argc);
    if (auto const wrong = unknown_word(); !wrong.empty()) return complain(wrong);
    try {
      app_.parse(argc, argv);
    } catch (CLI::CallForHelp const&) {
      return help();
    } catch (CLI::CallForAllHelp const&) {
      return help();
    } catch (CLI::ParseError const& e) {
      auto const wrong = unknown_option();
      return complain(wrong.empty() ? std::string(e.what()) : wrong);
    }
    if (auto const wrong = apply_globals(); !wrong.empty()) return complain(wrong);
    if (chosen_ == nullptr) {
      shell_.print(deepest(&app_)->help());
      return words_.empty() ? 0 : exit_usage;
    }
    return perform();
  }

 private:
  void add_globals() {
    app_.add_option("-o,--output", globals_.output,
                    "Form of the data: table, json, yaml or name (identities only)");
    app_.add_option("--context", shell_.context_path, "Client context file, else $LEPTON_CONTEXT");
    app_.add_option("--timeout", shell_.timeout_s, "Longest wait for one answer, seconds")
        ->check(CLI::Range(1, 3600));
    app_.add_option("--color", globals_.colour, "Colours: auto, always or never");
    app_.add_flag("-y,--yes", shell_.yes, "Ask nothing");
  }

  void add(Command const& command) {
    auto const words = text::split(command.words, ' ');
    auto* at = &app_;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      auto* group = sub_of(at, words[i]);
      if (group == nullptr) {
        auto const known = groups.find(words[i]);
        group = at->add_subcommand(words[i], known == groups.end() ? "" : known->second);
        group->require_subcommand(0, 1)->fallthrough();
      }
      at = group;
    }
    auto* sub = at->add_subcommand(words.back(), command.summary)->fallthrough();
    sub->footer("Example:\n  " + indented(command.example));
    for (auto const& option : command.options) add(*sub, option);
    sub->callback([this, &command] { chosen_ = &command; });
  }

  static std::string indented(std::string const& lines) {
    return text::join(text::split(lines, '\n'), "\n  ");
  }

  static void add(CLI::App& sub, Option const& option) {
    auto* added = std::visit(
        [&](auto* target) -> CLI::Option* {
          if constexpr (std::is_same_v<decltype(target), bool*>)
            return sub.add_flag(option.names, *target, option.doc);
          else
            return sub.add_option(option.names, *target, option.doc);
        },
        option.target);
    if (option.must) added->required();
  }

  static CLI::App* sub_of(CLI::App* app, std::string const& name) {
    for (auto* sub : app->get_subcommands([](CLI::App*) { return true; }))
      if (sub->get_name() == name) return sub;
    return nullptr;
  }

  static CLI::App* deepest(CLI::App* app) {
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return app;
  }

  int help() {
    shell_.print(deepest(&app_)->help());
    return 0;
  }

  // Where a value follows, it is no word of a command.
  static bool takes_value(std::string const& word) {
    return word == "-o" || word == "--output" || word == "--context" || word == "--timeout" ||
           word == "--color";
  }

  // Walks down the tree of commands as far as the words lead.
  std::string unknown_word() {
    auto* at = &app_;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (takes_value(words_[i])) {
        ++i;
        continue;
      }
      if (words_[i].empty() || words_[i].front() == '-') continue;
      std::vector<std::string> names;
      for (auto const* sub :
           std::as_const(*at).get_subcommands([](CLI::App const*) { return true; }))
        names.push_back(sub->get_name());
      aimed_ = at;
      if (names.empty()) return "";
      auto* next = sub_of(at, words_[i]);
      if (next == nullptr)
        return "unknown command '" + path(at) + words_[i] + "'" +
               text::did_you_mean(words_[i], names) + " Known: " + text::join(names, ", ");
      at = next;
    }
    aimed_ = at;
    return "";
  }

  static std::string path(CLI::App const* app) {
    return app->get_parent() == nullptr ? "" : path(app->get_parent()) + app->get_name() + " ";
  }

  std::string unknown_option() {
    std::vector<std::string> names;
    for (auto const* app = aimed_; app != nullptr; app = app->get_parent())
      for (auto const* option : app->get_options())
        for (auto const& name : text::split(option->get_name(false, true), ','))
          if (!name.empty() && name.front() == '-') names.push_back(name);
    for (auto const& word : words_) {
      if (word == "--") return "";
      auto const name = word.substr(0, word.find('='));
      if (!name.starts_with("--") || std::find(names.begin(), names.end(), name) != names.end())
        continue;
      return "unknown option '" + name + "'" + text::did_you_mean(name, names);
    }
    return "";
  }

  int complain(std::string const& what) {
    shell_.say("error: " + what);
    auto const at = aimed_ == nullptr ? std::string() : path(aimed_);
    shell_.say("see: lepton " + at + "--help");
    return exit_usage;
  }

  std::string apply_globals() {
    auto const names = std::vector<std::string>{"table", "json", "yaml", "name"};
    auto const at = std::find(names.begin(), names.end(), globals_.output);
    if (at == names.end())
      return "-o: '" + globals_.output + "' is not one of " + text::join(names, ", ") +
             text::did_you_mean(globals_.output, names);
    shell_.format = static_cast<Format>(at - names.begin() + 1);
    if (globals_.colour == "never") shell_.colour = false;
    if (globals_.colour == "always") shell_.colour = true;
    if (globals_.colour != "auto" && globals_.colour != "never" && globals_.colour != "always")
      return "--color: '" + globals_.colour + "' is not one of auto, always, never";
    return "";
  }

  int perform() {
    auto const status = chosen_->run(shell_);
    if (status) return *status;
    shell_.say("error: " + status.error().what);
    return chosen_->error_status > 0 ? chosen_->error_status : exit_status(status.error().code);
  }

  Commands const& commands_;
  Shell& shell_;
  Globals globals_;
  CLI::App app_{"Lepton, a control plane for GPUs"};
  CLI::App const* aimed_ = nullptr;
  Command const* chosen_ = nullptr;
  std::vector<std::string> words_;
};

}  // namespace

int run_command_line(Commands const& commands, Shell& shell, int argc, char const* const* argv) {
  Parser parser(commands, shell);
  return parser.run(argc, argv);
}

}  // namespace lepton::cli
