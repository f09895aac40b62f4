#pragma once
// The answer to a request that was not served. The code decides what a caller may do; the text is
// for people.

#include "common/base/result.hpp"
#include "common/schema/schema.hpp"

namespace lepton {

struct Refusal {
  Code code = Code::unknown;
  std::string what;
  std::int64_t retry_after_ms = 0;
  bool token_wanted = false;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "code", &Refusal::code, "What kind of refusal."),
        field(2, "what", &Refusal::what, "What happened, why, and what to try next."),
        field(3, "retry_after_ms", &Refusal::retry_after_ms,
              "Worth trying again after, ms; 0: never."),
        field(4, "token_wanted", &Refusal::token_wanted,
              "The name of the token is not known here: send the token itself.")
            .optional());
  }
};
static_assert(schema::complete<Refusal>());

}  // namespace lepton
