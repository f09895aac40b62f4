#include "cli/spec/shape.hpp"

#include <algorithm>

#include "cli/spec/fields.hpp"
#include "cli/spec/unsupported.hpp"
#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

using codec::Tree;

Error wrong(Tree const& at, std::string const& path, std::string const& what) {
  return codec::detail::tree_error(at, path, what);
}

template <class T>
std::vector<std::string> names_of(std::string const& prefix) {
  std::vector<std::string> names;
  schema::each<T>([&](auto const& f) { names.push_back(prefix + std::string(f.name)); });
  return names;
}

// A name that is far from every field of its own map may belong one map deeper: "gpus" is
// resources.gpu.
std::string hint(std::string const& key) {
  if (auto own = text::did_you_mean(key, names_of<SpecFile>("")); !own.empty()) return own;
  if (key == "run" || key == "cmd" || key == "args") return ", did you mean 'command'?";
  if (key == "kind") return ", did you mean 'type'?";
  if (auto const found = text::nearest(key, names_of<SpecResources>("")))
    return ", did you mean 'resources." + *found + "'?";
  if (auto const found = text::nearest(key, names_of<SpecRetry>("")))
    return ", did you mean 'retry." + *found + "'?";
  return "";
}

Status check_names(Tree const& tree) {
  auto const known = names_of<SpecFile>("");
  for (auto const& [key, value] : tree.entries) {
    if (auto const why = why_unsupported(key))
      return wrong(value, key, "not supported yet: " + std::string(*why));
    if (std::find(known.begin(), known.end(), key) == known.end())
      return wrong(value, key, "unknown field" + hint(key));
    for (auto const& [inner, below] : value.entries)
      if (auto const why = why_unsupported(key + "." + inner))
        return wrong(below, key + "." + inner, "not supported yet: " + std::string(*why));
  }
  return ok();
}

}  // namespace

Tree const& node_at(Tree const& tree, std::string const& path) {
  auto const* at = &tree;
  for (auto const& name : text::split(path, '.')) {
    auto const* child = at->find(name);
    if (child == nullptr) return *at;
    at = child;
  }
  return *at;
}

Status check_shapes(Tree const& tree) {
  if (tree.kind != Tree::Kind::map)
    return wrong(tree, "", "a spec is a map of fields, from `name:` on");
  if (auto const* type = tree.find("type"); type != nullptr && type->scalar == "service")
    return wrong(*type, "type", "is a service; write `lepton service apply FILE`");
  if (auto good = check_names(tree); !good) return good;
  if (auto const* command = tree.find("command");
      command != nullptr && command->kind == Tree::Kind::text)
    return wrong(*command, "command",
                 "must be a list, because no shell reads it; write [" +
                     text::join(text::split(command->scalar, ' '), ", ") + "], or [sh, -c, '" +
                     command->scalar + "'] for a shell");
  if (auto const* ports = tree.find("ports"); ports != nullptr && ports->kind == Tree::Kind::list)
    return wrong(*ports, "ports",
                 "is how many ports to reserve; which ones they are stands in $PORT of the task");
  auto const& gpu = node_at(tree, "resources.gpu");
  if (tree.find("resources") != nullptr && tree.find("resources")->find("gpu") == &gpu &&
      gpu.kind == Tree::Kind::map)
    return wrong(gpu, "resources.gpu", "write H100:8, or a list in order of preference");
  return ok();
}

void make_lists(Tree& tree) {
  for (auto& [key, value] : tree.entries) {
    if (key != "resources") continue;
    for (auto& [inner, gpu] : value.entries) {
      if (inner != "gpu" || gpu.kind == Tree::Kind::list || gpu.kind == Tree::Kind::null) continue;
      Tree list;
      list.kind = Tree::Kind::list;
      list.line = gpu.line;
      list.items.push_back(std::move(gpu));
      gpu = std::move(list);
    }
  }
}

}  // namespace lepton::cli
