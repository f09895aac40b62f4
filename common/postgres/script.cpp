#include "common/postgres/script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/postgres/session.hpp"

namespace lepton::postgres {
namespace {

constexpr std::array<std::string_view, 8> transaction_words{
    "begin", "commit", "rollback", "abort", "end", "start", "savepoint", "prepare"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Lexical structure as in PostgreSQL's manual, chapter 4.1, with standard_conforming_strings on.
class Scanner {
 public:
  Scanner(std::string_view sql, ScriptNames const& names, bool body)
      : sql_(sql), names_(names), body_(body) {}

  Result<std::string> scan() {
    while (at_ < sql_.size()) {
      if (auto const status = step(); !status) return status.error();
    }
    return std::move(out_);
  }

 private:
  bool starts(std::string_view token) const { return sql_.substr(at_).starts_with(token); }

  void copy_to(std::size_t end) {
    end = std::min(end, sql_.size());
    out_ += sql_.substr(at_, end - at_);
    at_ = end;
  }

  Status step() {
    char const c = sql_[at_];
    if (starts("--")) return copy_to(sql_.find('\n', at_)), ok();
    if (starts("/*")) return copy_comment(), ok();
    if (starts("::")) return copy_to(at_ + 2), ok();
    if (c == '\'' || c == '"') return copy_quoted(c, false), ok();
    if (c == '$' && (at_ == 0 || !is_word(sql_[at_ - 1]))) return dollar();
    if (c == ':') return placeholder(), ok();
    if (is_word(c)) return word();
    if (c == ';') statement_start_ = true;
    copy_to(at_ + 1);
    return ok();
  }

  void copy_comment() {
    int depth = 0;
    auto end = at_;
    do {
      auto const token = sql_.substr(end, 2);
      depth += token == "/*" ? 1 : token == "*/" ? -1 : 0;
      end += token == "/*" || token == "*/" ? 2 : 1;
    } while (depth > 0 && end < sql_.size());
    copy_to(end);
  }

  void copy_quoted(char quote, bool backslashes) {
    auto end = at_ + 1;
    while (end < sql_.size() && sql_[end] != quote) end += backslashes && sql_[end] == '\\' ? 2 : 1;
    copy_to(end + 1);
  }

  Status dollar() {
    auto tag_end = at_ + 1;
    while (tag_end < sql_.size() && is_word(sql_[tag_end])) ++tag_end;
    if (tag_end >= sql_.size() || sql_[tag_end] != '$') return copy_to(tag_end), ok();
    auto const tag = sql_.substr(at_, tag_end + 1 - at_);
    auto const start = tag_end + 1;
    auto const end = sql_.find(tag, start);
    if (end == sql_.npos)
      return Error{Code::invalid, fmt::format("the text that starts with {} never ends", tag)};
    auto inner = Scanner(sql_.substr(start, end - start), names_, true).scan();
    if (!inner) return inner.error();
    out_ += fmt::format("{}{}{}", tag, *inner, tag);
    at_ = end + tag.size();
    return ok();
  }

  void placeholder() {
    auto end = at_ + 1;
    while (end < sql_.size() && is_word(sql_[end])) ++end;
    auto const name = sql_.substr(at_ + 1, end - at_ - 1);
    if (name == "schema" || name == "service_role") {
      out_ += identifier(name == "schema" ? names_.schema : names_.service_role);
      at_ = end;
    } else {
      copy_to(end);
    }
  }

  Status word() {
    auto end = at_;
    while (end < sql_.size() && (is_word(sql_[end]) || sql_[end] == '$')) ++end;
    std::string lower(sql_.substr(at_, end - at_));
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto const controls = std::find(transaction_words.begin(), transaction_words.end(), lower);
    if (!body_ && statement_start_ && controls != transaction_words.end())
      return Error{Code::invalid,
                   fmt::format("'{}' is not allowed: each migration already is one transaction",
                               sql_.substr(at_, end - at_))};
    statement_start_ = false;
    copy_to(end);
    if (lower == "e" && at_ < sql_.size() && sql_[at_] == '\'') copy_quoted('\'', true);
    return ok();
  }

  std::string_view sql_;
  ScriptNames const& names_;
  bool body_;  // inside $$: statements there belong to a function
  std::size_t at_ = 0;
  bool statement_start_ = true;
  std::string out_;
};

}  // namespace

Result<std::string> prepare_script(std::string_view sql, ScriptNames const& names) {
  return Scanner(sql, names, false).scan();
}

}  // namespace lepton::postgres
