#pragma once
// The grammar of Prometheus text exposition 0.0.4: names, escapes, numbers. Pure functions, any
// thread. Source: the Prometheus project's documentation of exposition formats and of metric
// naming.

#include <string>
#include <string_view>
#include <vector>

namespace lepton::metrics {

inline constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr std::size_t max_label_value_bytes = 128;

enum class Kind { counter, gauge, histogram };
std::string_view name_of(Kind kind);

// Why this name must not be used for a metric of this kind, or "". Names begin with lepton_, are
// lower case, carry base units (seconds, bytes, ratio, joules ...) and only counters end in _total.
std::string name_problem(std::string_view name, Kind kind);
std::string label_problem(std::string_view label);

// Valid UTF-8 of at most max_label_value_bytes: one bad byte would make a scraper drop the whole
// page. A byte that is no UTF-8 and a control character other than LF become '?'; a text that is
// too long is cut between characters.
std::string clean_label_value(std::string_view value);

std::string escape_help(std::string_view text);         // backslash and line feed
std::string escape_label_value(std::string_view text);  // and the double quote
std::string number(double value);  // the shortest text that reads back the same; +Inf, -Inf, NaN

// {a="x",b="y"}, or "" without labels. `names` and `values` are equally long.
std::string label_set(std::vector<std::string> const& names,
                      std::vector<std::string> const& values);

}  // namespace lepton::metrics
