#pragma once
// Result<T>: a value or an Error. Errors that a caller can meet travel as values; broken invariants
// stop the process (check.hpp); exceptions stay inside the adapter that includes their library.
// Member names follow std::expected, which g++ 12 does not have.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "common/base/check.hpp"

namespace lepton {

// Add a code only when some caller reacts to it differently.
enum class Code : std::uint8_t {
  unknown,
  invalid,
  not_found,
  conflict,
  denied,
  exhausted,
  unavailable,
  timeout,
  internal
};

consteval auto enumerators(Code) {
  return std::to_array<std::string_view>({"unknown", "invalid", "not_found", "conflict", "denied",
                                          "exhausted", "unavailable", "timeout", "internal"});
}

struct Error {
  Code code = Code::internal;
  std::string what;  // for people: what happened, why, what to try; no trailing period

  bool operator==(Error const&) const = default;
};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const noexcept { return state_.index() == 0; }
  bool has_value() const noexcept { return state_.index() == 0; }

  T& value() & { return checked(), std::get<0>(state_); }
  T const& value() const& { return checked(), std::get<0>(state_); }
  T&& value() && { return checked(), std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  T const& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  T const* operator->() const { return &value(); }

  Error const& error() const {
    LEPTON_CHECK(!has_value(), "error() called on a Result that holds a value");
    return std::get<1>(state_);
  }

 private:
  void checked() const {
    LEPTON_CHECK(has_value(), "value() called on a Result that holds an error");
  }
  std::variant<T, Error> state_;
};

struct Ok {
  bool operator==(Ok const&) const = default;
};
using Status = Result<Ok>;
inline Status ok() {
  return Ok{};
}

}  // namespace lepton
