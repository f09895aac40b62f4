#include "common/codec/json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace lepton::codec {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t bytes_max = 4u << 20;
constexpr std::size_t depth_max = 32;

Json to_nlohmann(Tree const& t) {
  switch (t.kind) {
    case Tree::Kind::null:
      return nullptr;
    case Tree::Kind::boolean:
      return t.scalar == "true";
    case Tree::Kind::number: {
      if (auto const whole = text::parse_int(t.scalar)) return *whole;
      return parse_real(t.scalar).value_or(0.0);
    }
    case Tree::Kind::text:
      return t.scalar;
    case Tree::Kind::list: {
      auto list = Json::array();
      for (auto const& item : t.items) list.push_back(to_nlohmann(item));
      return list;
    }
    case Tree::Kind::map: {
      auto map = Json::object();
      for (auto const& [key, value] : t.entries) map[key] = to_nlohmann(value);
      return map;
    }
  }
  return nullptr;
}

// Makes the tree while the text is read; a document in between would cost twice the time.
class TreeMaker : public nlohmann::json_sax<Json> {
 public:
  Tree root;
  std::string wrong;  // why it ended early

  bool null() override { return add({}); }
  bool boolean(bool value) override {
    Tree t;
    t.kind = Tree::Kind::boolean;
    t.scalar = value ? "true" : "false";
    return add(std::move(t));
  }
  bool number_integer(std::int64_t value) override {
    return add(Tree::of_number(std::to_string(value)));
  }
  bool number_unsigned(std::uint64_t value) override {
    return add(Tree::of_number(std::to_string(value)));
  }
  bool number_float(double value, std::string const&) override {
    return add(Tree::of_number(Json(value).dump()));
  }
  bool string(std::string& value) override { return add(Tree::of_text(std::move(value))); }
  bool binary(Json::binary_t&) override { return false; }  // no JSON has one
  bool start_object(std::size_t) override { return open(Tree::Kind::map); }
  bool start_array(std::size_t) override { return open(Tree::Kind::list); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    auto& entries = open_.back()->entries;
    if (open_.size() > depth_max) return stop("JSON text is nested too deeply");
    if (!twice_ && !is_new(name)) twice_ = name;
    entries.push_back({std::move(name), {}});
    return true;
  }
  bool parse_error(std::size_t, std::string const&, Json::exception const& e) override {
    return stop(std::string("not valid JSON: ") + e.what());
  }
  std::optional<std::string> const& twice() const { return twice_; }

 private:
  bool stop(std::string why) { return wrong = std::move(why), false; }

  // Where the next value belongs.
  Tree& place() {
    if (open_.empty()) return root;
    auto& parent = *open_.back();
    return parent.kind == Tree::Kind::list ? parent.items.emplace_back()
                                           : parent.entries.back().value;
  }
  bool add(Tree value) {
    if (open_.size() > depth_max) return stop("JSON text is nested too deeply");
    place() = std::move(value);
    return true;
  }
  bool open(Tree::Kind kind) {
    if (open_.size() > depth_max) return stop("JSON text is nested too deeply");
    auto& made = place();
    made.kind = kind;
    open_.push_back(&made);  // stays where it is until it is closed: only the innermost grows
    keys_.emplace_back();
    return true;
  }
  bool close() {
    open_.pop_back();
    keys_.pop_back();
    return true;
  }
  // Few keys are compared one by one, many by a set.
  bool is_new(std::string const& name) {
    auto const& entries = open_.back()->entries;
    auto& known = keys_.back();
    if (entries.size() < 16)
      return std::none_of(entries.begin(), entries.end(),
                          [&](TreeEntry const& e) { return e.key == name; });
    if (known.empty())
      for (auto const& e : entries) known.insert(e.key);
    return known.insert(name).second;
  }

  std::vector<Tree*> open_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open, if they are large
  std::optional<std::string> twice_;
};

}  // namespace

namespace detail {

void append_text(std::string& out, std::string_view text) {
  auto const is_plain = [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; };
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    out.append(1, '"').append(text).append(1, '"');
    return;
  }
  out += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// As a number reads that was written and read again.
void append_real(std::string& out, double x) {
  out += json_text(make_tree(x), -1);
}

}  // namespace detail

std::string json_text(Tree const& tree, int indent) {
  return to_nlohmann(tree).dump(indent, ' ', false, Json::error_handler_t::replace);
}

Result<Tree> parse_json(std::string_view text) {
  if (text.size() > bytes_max) return Error{Code::invalid, "JSON text is larger than 4 MiB"};
  TreeMaker maker;
  try {
    if (!Json::sax_parse(text, &maker)) return Error{Code::invalid, maker.wrong};
  } catch (std::exception const& e) {
    return Error{Code::invalid, std::string("not valid JSON: ") + e.what()};
  }
  if (auto const& twice = maker.twice())
    return Error{Code::invalid, "the JSON field '" + *twice + "' stands twice"};
  return std::move(maker.root);
}

}  // namespace lepton::codec
