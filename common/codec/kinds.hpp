#pragma once
// Which C++ types the codecs know, told apart once for all of them.

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/id.hpp"
#include "common/base/secret.hpp"
#include "common/schema/schema.hpp"

namespace lepton::codec {

template <class T, template <class...> class Template>
inline constexpr bool is_a = false;
template <template <class...> class Template, class... Args>
inline constexpr bool is_a<Template<Args...>, Template> = true;

template <class T>
concept Integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;

// True when a Secret stands anywhere inside T: such a value is never logged or stored in clear.
template <class T>
consteval bool holds_secret() {
  if constexpr (is_a<T, Secret>) {
    return true;
  } else if constexpr (is_a<T, std::optional> || is_a<T, std::vector>) {
    return holds_secret<typename T::value_type>();
  } else if constexpr (is_a<T, std::map>) {
    return holds_secret<typename T::mapped_type>();
  } else if constexpr (schema::Described<T>) {
    bool found = false;
    schema::each<T>([&](auto const& f) {
      found = found || holds_secret<typename std::remove_cvref_t<decltype(f)>::type>();
    });
    return found;
  } else {
    return false;
  }
}

template <schema::NamedEnum E>
constexpr E enum_from_number(std::uint64_t number) {
  return number < enumerators(E{}).size() ? static_cast<E>(number) : E{};
}

template <schema::NamedEnum E>
constexpr E enum_from_name(std::string_view name) {
  constexpr auto names = enumerators(E{});
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<E>(i);
  return E{};
}

}  // namespace lepton::codec
