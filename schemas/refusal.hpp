#pragma once
// The answer to a request that was not served. The code decides what a caller may do; the text is
// for people. It speaks for one sending: when the same request was sent again meanwhile, that copy
// may still take effect, so a caller goes by the answer to the newest.

#include "common/base/result.hpp"
#include "common/schema/schema.hpp"

namespace lepton {

struct Refusal {
  Code code = Code::unknown;
  std::string what;
  std::int64_t retry_after_ms = 0;
  bool token_wanted = false;
  std::uint32_t attempt = 0;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "code", &Refusal::code, "What kind of refusal."),
        field(2, "what", &Refusal::what, "What happened, why, and what to try next."),
        field(3, "retry_after_ms", &Refusal::retry_after_ms,
              "Worth trying again after, ms; 0: never."),
        field(4, "token_wanted", &Refusal::token_wanted,
              "The name of the token is not known here: send the token itself.")
            .optional(),
        field(5, "attempt", &Refusal::attempt, "Which sending is refused; 0: it is not said.")
            .optional());
  }
};
static_assert(schema::complete<Refusal>());

// The request was sent again after the sending that is refused here.
inline bool is_overtaken(Refusal const& refusal, std::uint32_t attempt) {
  return refusal.attempt != 0 && refusal.attempt < attempt;
}

}  // namespace lepton
