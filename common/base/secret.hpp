#pragma once
// Secret<T>: a value that no log, JSON or row codec accepts, so that it cannot leak by accident.
// Only the wire codec reads it (the wire is encrypted). The memory is overwritten on destruction.

#include <compare>
#include <string>
#include <utility>

namespace lepton {

void wipe(void* data, std::size_t size) noexcept;

template <class T = std::string>
class Secret {
 public:
  Secret() = default;
  explicit Secret(T value) : value_(std::move(value)) {}
  Secret(Secret const&) = default;
  Secret(Secret&& other) noexcept : value_(std::exchange(other.value_, T{})) {}
  Secret& operator=(Secret other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Secret() { wipe(value_.data(), value_.size()); }

  // Named so that a reader of the call sees what happens.
  T const& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  T value_;
};

}  // namespace lepton
