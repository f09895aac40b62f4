#include "services/node/runner/record.hpp"

#include "common/base/text.hpp"

namespace lepton::node {
namespace {

void escape(std::string_view value, std::string& out) {
  for (char c : value) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\0':
        out += "\\0";
        break;
      default:
        out += c;
    }
  }
}

bool unescape(std::string_view value, std::string& out) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\') {
      out += value[i];
      continue;
    }
    if (++i == value.size()) return false;
    switch (value[i]) {
      case '\\':
        out += '\\';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case '0':
        out += '\0';
        break;
      default:
        return false;
    }
  }
  return true;
}

}  // namespace

Result<Record> Record::decode(std::string_view text) {
  if (text.size() > size_max) return Error{Code::exhausted, "the record is larger than 1 MiB"};
  Record record;
  while (!text.empty()) {
    auto const end = text.find('\n');
    if (end == text.npos) return Error{Code::invalid, "the record's last line is cut off"};
    auto const line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) continue;
    auto const equals = line.find('=');
    std::string value;
    if (equals == line.npos || equals == 0 || !unescape(line.substr(equals + 1), value))
      return Error{Code::invalid, "a line of the record is not key=value"};
    record.lines_.emplace_back(line.substr(0, equals), std::move(value));
  }
  return record;
}

std::string Record::encode() const {
  std::string out;
  for (auto const& [key, value] : lines_) {
    out += key;
    out += '=';
    escape(value, out);
    out += '\n';
  }
  return out;
}

void Record::put(std::string_view key, std::string_view value) {
  lines_.emplace_back(key, value);
}

void Record::put(std::string_view key, std::int64_t value) {
  lines_.emplace_back(key, std::to_string(value));
}

std::string Record::text(std::string_view key) const {
  for (auto const& [name, value] : lines_)
    if (name == key) return value;
  return "";
}

std::int64_t Record::number(std::string_view key, std::int64_t fallback) const {
  return text::parse_int(text(key)).value_or(fallback);
}

std::vector<std::string> Record::all(std::string_view key) const {
  std::vector<std::string> values;
  for (auto const& [name, value] : lines_)
    if (name == key) values.push_back(value);
  return values;
}

std::pair<std::string, std::string> split_pair(std::string_view pair) {
  auto const equals = pair.find('=');
  if (equals == pair.npos) return {std::string(pair), ""};
  return {std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1))};
}

}  // namespace lepton::node
