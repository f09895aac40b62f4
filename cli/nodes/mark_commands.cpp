#include "cli/nodes/mark_commands.hpp"

#include <memory>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/spec/labels.hpp"
#include "schemas/node_marks.hpp"

namespace lepton::cli {
namespace {

struct MarkOptions {
  std::string node;
  std::vector<std::string> words;
  bool soft = false;
};

bool takes_away(std::string const& word) {
  return word.ends_with('-') && word.find('=') == word.npos;
}

Result<NodeMark> labels_of(MarkOptions const& o) {
  NodeMark m{NodeId{o.node}, {}, {}, {}, {}};
  for (auto const& word : o.words) {
    if (takes_away(word)) {
      m.labels_removed.push_back(word.substr(0, word.size() - 1));
      continue;
    }
    auto const label = label_in(word);
    if (!label)
      return Error{Code::invalid, "'" + word + "' is not KEY=VALUE, or KEY- to take one away"};
    m.labels[label->first] = label->second;
  }
  return m;
}

Result<NodeMark> taints_of(MarkOptions const& o) {
  NodeMark m{NodeId{o.node}, {}, {}, {}, {}};
  for (auto const& word : o.words) {
    if (takes_away(word)) {
      m.taints_removed.push_back(word.substr(0, word.size() - 1));
      continue;
    }
    auto taint = parse_taint(word);
    if (!taint) return taint.error();
    taint->soft = o.soft;
    m.taints.push_back(*taint);
  }
  return m;
}

Result<int> send(Shell& shell, Result<NodeMark> const& marks) {
  if (!marks) return marks.error();
  auto const marked = ask(shell, Service::deployer, *marks);
  if (!marked) return marked.error();
  auto table = Table::sheet();
  table.row({"NODE", marked->node.value});
  for (auto const& [key, value] : marked->labels) table.row({"LABEL", key + "=" + value});
  for (auto const& taint : marked->taints) table.row({"TAINT", text_of(taint)});
  emit(shell, *marked, table);
  shell.next("lepton node list");
  return 0;
}

Command label_command() {
  auto const o = std::make_shared<MarkOptions>();
  Command c{"node label", "Sets labels of a machine, which jobs require or prefer",
            "lepton node label gpu-7 rack=r3 zone=eu-1\nlepton node label gpu-7 zone-"};
  c.required("NODE", "Name of the machine, as in `lepton node list`", &o->node)
      .required("LABELS", "KEY=VALUE to set, KEY- to take away", &o->words);
  c.run = [o](Shell& shell) { return send(shell, labels_of(*o)); };
  return c;
}

Command taint_command() {
  auto const o = std::make_shared<MarkOptions>();
  Command c{"node taint",
            "Keeps new work off a machine unless it tolerates that; what runs there goes on",
            "lepton node taint gpu-7 maintenance=planned\nlepton node taint gpu-7 maintenance-"};
  c.required("NODE", "Name of the machine, as in `lepton node list`", &o->node)
      .required("TAINTS", "KEY or KEY=VALUE to set, KEY- to take away", &o->words)
      .flag("--soft", "Only avoid the machine where another fits", &o->soft);
  c.run = [o](Shell& shell) { return send(shell, taints_of(*o)); };
  return c;
}

}  // namespace

Commands mark_commands() {
  return {label_command(), taint_command()};
}

}  // namespace lepton::cli
