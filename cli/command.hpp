#pragma once
// A command of `lepton` as data: words, help, options and what it does. CLI11 is included in
// parser.cpp only; everyone else declares commands with this header. One thread.
//
//   auto const o = std::make_shared<Options>();
//   Command c{"node drain", "Takes no new work on a node", "lepton node drain gpu-7"};
//   c.required("NODE", "Name of the node", &o->node).flag("--now", "Ends its tasks too", &o->now);
//   c.run = [o](Shell& shell) -> Result<int> { ... };

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/shell.hpp"

namespace lepton::cli {

struct Option {
  using Target = std::variant<bool*, std::string*, std::vector<std::string>*, std::int64_t*>;
  std::string names;  // "-f,--file", or "NODE" for a word without a dash
  std::string doc;
  Target target;
  bool must = false;
};

struct Command {
  Command(std::string the_words, std::string the_summary, std::string the_example)
      : words(std::move(the_words)),
        summary(std::move(the_summary)),
        example(std::move(the_example)) {}

  Command& flag(std::string names, std::string doc, bool* target) {
    options.push_back({std::move(names), std::move(doc), target, false});
    return *this;
  }
  // The default is what the target holds.
  Command& option(std::string names, std::string doc, Option::Target target) {
    options.push_back({std::move(names), std::move(doc), target, false});
    return *this;
  }
  Command& required(std::string names, std::string doc, Option::Target target) {
    options.push_back({std::move(names), std::move(doc), target, true});
    return *this;
  }

  std::string words;    // "job list"
  std::string summary;  // one line
  std::string example;  // one line or more
  std::vector<Option> options;
  // The exit status, or an error that exit_status() turns into one.
  std::function<Result<int>(Shell&)> run;
  int error_status = 0;  // above 0: every error ends with it
};

using Commands = std::vector<Command>;

}  // namespace lepton::cli
