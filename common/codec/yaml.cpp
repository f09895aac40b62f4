#include "common/codec/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <set>
#include <sstream>

namespace lepton::codec {
namespace {

constexpr std::size_t bytes_max = 1u << 20;
constexpr std::size_t depth_max = 32;

// Builds the tree from parser events: unlike YAML::Node it sees repeated keys and aliases.
class Builder : public YAML::EventHandler {
 public:
  void OnDocumentStart(YAML::Mark const&) override {}
  void OnDocumentEnd() override {}

  void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    plain_only(mark, "", anchor);
    if (expects_key()) return fail(mark, "a key is missing before ':'");
    add(mark, Tree{});
  }
  void OnAlias(YAML::Mark const& mark, YAML::anchor_t) override {
    fail(mark, "aliases (*name) are not allowed here; write the value out");
  }
  void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                std::string const& value) override {
    plain_only(mark, tag, anchor);
    if (expects_key()) return key(mark, value);
    auto leaf = Tree::of_text(value);
    leaf.plain = tag == "?";  // quoted scalars carry "!"
    add(mark, std::move(leaf));
  }
  void OnSequenceStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    plain_only(mark, tag, anchor);
    open(mark, Tree::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    plain_only(mark, tag, anchor);
    open(mark, Tree::Kind::map);
  }
  void OnMapEnd() override { close(); }

  Tree root;
  std::string problem;

 private:
  struct Level {
    Tree tree;
    std::optional<std::string> key;
    int key_line = 0;
    std::set<std::string> keys;
  };

  bool expects_key() const {
    return !levels_.empty() && levels_.back().tree.kind == Tree::Kind::map && !levels_.back().key;
  }
  void fail(YAML::Mark const& mark, std::string const& what) {
    if (problem.empty()) problem = "line " + std::to_string(mark.line + 1) + ": " + what;
    throw std::runtime_error(problem);
  }
  // The parser itself gives "?" to plain scalars and "!" to quoted ones.
  void plain_only(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor) {
    if (anchor != 0) fail(mark, "anchors (&name) are not allowed here; write the value out");
    if (!tag.empty() && tag != "?" && tag != "!")
      fail(mark, "tags (!name) are not allowed here; quote the value if it is text");
  }
  void key(YAML::Mark const& mark, std::string const& name) {
    if (!levels_.back().keys.insert(name).second)
      fail(mark, name + ": this field stands here twice");
    levels_.back().key = name;
    levels_.back().key_line = mark.line + 1;
  }
  void open(YAML::Mark const& mark, Tree::Kind kind) {
    if (expects_key()) fail(mark, "a key must be plain text");
    if (levels_.size() >= depth_max) fail(mark, "nested too deeply");
    Level level;
    level.tree.kind = kind;
    level.tree.line = mark.line + 1;
    levels_.push_back(std::move(level));
  }
  void close() {
    auto done = std::move(levels_.back().tree);
    levels_.pop_back();
    place(std::move(done));
  }
  void add(YAML::Mark const& mark, Tree leaf) {
    // The parser places an absent value where the next token stands; people look at its key.
    bool const absent = leaf.kind == Tree::Kind::null && !levels_.empty() && levels_.back().key;
    leaf.line = absent ? levels_.back().key_line : mark.line + 1;
    place(std::move(leaf));
  }
  void place(Tree t) {
    if (levels_.empty()) {
      root = std::move(t);
      return;
    }
    auto& level = levels_.back();
    if (level.tree.kind == Tree::Kind::list) {
      level.tree.items.push_back(std::move(t));
    } else {
      level.tree.entries.emplace_back(std::move(*level.key), std::move(t));
      level.key.reset();
    }
  }

  std::vector<Level> levels_;
};

void emit(YAML::Emitter& out, Tree const& t) {
  switch (t.kind) {
    case Tree::Kind::null:
      out << YAML::Null;
      return;
    case Tree::Kind::boolean:
    case Tree::Kind::number:
      out << t.scalar;
      return;
    case Tree::Kind::text:
      out << YAML::DoubleQuoted << t.scalar;
      return;
    case Tree::Kind::list:
      out << (t.items.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
      for (auto const& item : t.items) emit(out, item);
      out << YAML::EndSeq;
      return;
    case Tree::Kind::map:
      out << (t.entries.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
      for (auto const& [key, value] : t.entries) {
        out << YAML::Key << key << YAML::Value;
        emit(out, value);
      }
      out << YAML::EndMap;
      return;
  }
}

}  // namespace

Result<Tree> parse_yaml(std::string_view text) {
  if (text.size() > bytes_max) return Error{Code::invalid, "YAML text is larger than 1 MiB"};
  Builder builder;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder)) return Error{Code::invalid, "the YAML text is empty"};
    Builder second;
    if (parser.HandleNextDocument(second) && second.root.kind != Tree::Kind::null)
      return Error{Code::invalid, "more than one YAML document in one file"};
    return std::move(builder.root);
  } catch (YAML::Exception const& e) {
    return Error{Code::invalid,
                 "line " + std::to_string(e.mark.line + 1) + ": not valid YAML: " + e.msg};
  } catch (std::exception const& e) {
    return Error{Code::invalid, e.what()};
  }
}

std::string yaml_text(Tree const& tree) {
  YAML::Emitter out;
  emit(out, tree);
  return std::string(out.c_str()) + "\n";
}

}  // namespace lepton::codec
