#include "cli/spec/option_words.hpp"

#include <charconv>

#include "cli/spec/amounts.hpp"

namespace lepton::cli {

Result<double> number_of(char const* option, std::string const& word, char const* example) {
  double value = 0;
  auto const* end = word.data() + word.size();
  auto const [stop, error] = std::from_chars(word.data(), end, value);
  if (error == std::errc() && stop == end) return value;
  return Error{Code::invalid, std::string(option) + ": expected a number such as " + example +
                                  ", got '" + word + "'"};
}

Status set_duration(char const* option, std::string const& word, std::int64_t& target_ms) {
  auto const parsed = parse_duration_ms(word);
  if (!parsed) return Error{Code::invalid, std::string(option) + ": " + parsed.error().what};
  target_ms = *parsed;
  return ok();
}

}  // namespace lepton::cli
