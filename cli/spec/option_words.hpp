#pragma once
// What people type behind an option, read as what it means. Errors: invalid, with the name of the
// option and what would be right. Pure; any thread.

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/text.hpp"
#include "common/schema/schema.hpp"

namespace lepton::cli {

// The enumerator of this name; `unknown` is none.
template <schema::NamedEnum E>
Result<E> enumerator_of(char const* option, std::string const& word) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i < enumerators(E{}).size(); ++i) {
    auto const value = static_cast<E>(i);
    names.emplace_back(schema::name_of(value));
    if (names.back() == word) return value;
  }
  return Error{Code::invalid, std::string(option) + ": '" + word + "' is none of " +
                                  text::join(names, ", ") + text::did_you_mean(word, names)};
}

// `example`: a number that would be right, for the error.
Result<double> number_of(char const* option, std::string const& word, char const* example);

// Nothing typed leaves the target as it is; else what `parse` makes of it.
template <class Parse>
Status set_amount(char const* option, std::string const& word, Parse const& parse,
                  std::int64_t& target) {
  if (word.empty()) return ok();
  auto const amount = parse(word);
  if (!amount) return Error{Code::invalid, std::string(option) + ": " + amount.error().what};
  target = *amount;
  return ok();
}

Status set_duration(char const* option, std::string const& word, std::int64_t& target_ms);

}  // namespace lepton::cli
