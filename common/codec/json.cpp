#include "common/codec/json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace lepton::codec {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t bytes_max = 4u << 20;
constexpr int depth_max = 32;

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

Tree from_nlohmann(Json const& j) {
  Tree t;
  if (j.is_boolean()) {
    t.kind = Tree::Kind::boolean;
    t.scalar = j.get<bool>() ? "true" : "false";
  } else if (j.is_number()) {
    t = Tree::of_number(j.dump());
  } else if (j.is_string()) {
    t = Tree::of_text(j.get<std::string>());
  } else if (j.is_array()) {
    t.kind = Tree::Kind::list;
    for (auto const& item : j) t.items.push_back(from_nlohmann(item));
  } else if (j.is_object()) {
    t.kind = Tree::Kind::map;
    for (auto const& [key, value] : j.items()) t.entries.emplace_back(key, from_nlohmann(value));
  }
  return t;
}

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
  bool too_deep = false;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  std::string twice;
  auto const watch = [&](int depth, Json::parse_event_t event, Json& value) {
    too_deep = too_deep || depth > depth_max;
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      twice = value.get<std::string>();
    return !too_deep;
  };
  try {
    auto const parsed = Json::parse(text, watch);
    if (too_deep) return Error{Code::invalid, "JSON text is nested too deeply"};
    if (!twice.empty()) return Error{Code::invalid, "the JSON field '" + twice + "' stands twice"};
    return from_nlohmann(parsed);
  } catch (std::exception const& e) {
    return Error{Code::invalid, std::string("not valid JSON: ") + e.what()};
  }
}

}  // namespace lepton::codec
