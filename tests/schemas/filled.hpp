#pragma once
// filled<T>(): a value of any described type in which nothing is left out and nothing is a default:
// texts are the names of their fields, lists have two members, numbers are within their bounds. The
// same in every run. Pure.

#include <algorithm>
#include <string>

#include "common/codec/kinds.hpp"

namespace lepton::test {

template <class T>
T filled();

// `name`: of the field that holds it.
template <class T>
T filled_value(std::string const& name) {
  using codec::is_a;
  if constexpr (std::is_same_v<T, bool>) {
    return true;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return 40;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return name;
  } else if constexpr (std::is_same_v<T, Bytes> || is_a<T, Id>) {
    return T{name};
  } else if constexpr (is_a<T, Secret>) {
    return T(std::string(name));
  } else if constexpr (schema::NamedEnum<T>) {
    return static_cast<T>(enumerators(T{}).size() - 1);
  } else if constexpr (is_a<T, std::optional>) {
    return filled_value<typename T::value_type>(name);
  } else if constexpr (is_a<T, std::vector>) {
    return T(2, filled_value<typename T::value_type>(name));
  } else if constexpr (is_a<T, std::map>) {
    T map;
    map.emplace(name, filled_value<typename T::mapped_type>(name));
    return map;
  } else {
    return filled<T>();
  }
}

template <class T>
T filled() {
  T out;
  schema::each<T>([&](auto const& f) {
    using Value = typename std::remove_cvref_t<decltype(f)>::type;
    if constexpr (std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>) {
      auto const number = 40.0 + f.id;
      out.*f.member = static_cast<Value>(f.bounded ? std::clamp(number, f.min, f.max) : number);
    } else {
      out.*f.member = filled_value<Value>(std::string(f.name));
    }
  });
  return out;
}

}  // namespace lepton::test
