#pragma once
// One description of a type, read by every part that needs its shape: the wire codec, SQL rows,
// JSON, YAML specs, CLI flags, settings and the generated reference. See docs/architecture.md
// section 3.
//
//   static consteval auto fields() {
//     using schema::field;
//     return schema::fields(field(1, "job", &JobSubmit::job, "Identity chosen by the caller."),
//                           field(2, "gpus", &JobSubmit::gpus, "Whole GPUs.").since(2));
//   }
//   static_assert(schema::complete<JobSubmit>());

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace lepton::schema {

template <class Owner, class T>
struct Field {
  using owner = Owner;
  using type = T;
  int id;                 // wire key; never reused, never renumbered
  std::string_view name;  // column, JSON key and CLI flag
  T Owner::*member;
  std::string_view doc;        // one sentence, with the unit
  int since_version = 0;       // above 0: may be absent on the wire, and then keeps its default
  bool is_key = false;         // part of the primary key of a row
  bool bounded = false;        // min and max hold
  double min = 0, max = 0;     // inclusive
  bool needs_restart = false;  // of a setting

  // The field was added in this version: older senders leave it out.
  consteval Field since(int version) const {
    auto copy = *this;
    copy.since_version = version;
    return copy;
  }
  // May be left out by people in a spec or file as well; same rule as since(1).
  consteval Field optional() const { return since(1); }
  consteval Field key() const {
    auto copy = *this;
    copy.is_key = true;
    return copy;
  }
  consteval Field bounds(double low, double high) const {
    auto copy = *this;
    copy.bounded = true;
    copy.min = low;
    copy.max = high;
    return copy;
  }
  consteval Field restart() const {
    auto copy = *this;
    copy.needs_restart = true;
    return copy;
  }
};

template <class Owner, class T>
consteval auto field(int id, std::string_view name, T Owner::*member, std::string_view doc) {
  return Field<Owner, T>{id, name, member, doc};
}

template <class... F>
consteval auto fields(F... f) {
  return std::tuple{f...};
}

template <class T>
concept Described = std::is_aggregate_v<T> && requires {
  T::fields();
};

// An enum whose names stand in `consteval auto enumerators(E)`, found by ADL. Value 0 is "unknown".
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  enumerators(e);
};

template <NamedEnum E>
constexpr std::string_view name_of(E e) {
  constexpr auto names = enumerators(E{});
  auto const i = static_cast<std::size_t>(e);
  return i < names.size() ? names[i] : names[0];
}

template <Described T>
inline constexpr std::size_t field_count = std::tuple_size_v<decltype(T::fields())>;

// Calls f(field) for each described field, in declaration order.
template <Described T, class F>
constexpr void each(F&& f) {
  std::apply([&](auto const&... x) { (f(x), ...); }, T::fields());
}

namespace detail {

struct Any {
  template <class U>
  operator U&() const& noexcept;
  template <class U>
  operator U&&() const&& noexcept;
};

template <class T, class... A>
consteval std::size_t arity() {
  if constexpr (requires { T{A{}..., Any{}}; })
    return arity<T, A..., Any>();
  else
    return sizeof...(A);
}

template <class A, class B>
constexpr bool same_member(A const& a, B const& b) {
  if constexpr (std::is_same_v<A, B>)
    return a.member == b.member;
  else
    return false;
}

template <class T>
constexpr bool is_retired(int id) {
  if constexpr (requires { T::retired; }) {
    for (int old : T::retired)
      if (old == id) return true;
  }
  return false;
}

}  // namespace detail

// True when each member is described exactly once, ids rise and none is retired, names differ,
// and every field says what it means.
template <Described T>
consteval bool complete() {
  bool good = field_count<T> == detail::arity<T>();
  int last = 0;
  each<T>([&](auto const& f) {
    good = good && f.id > last && !f.name.empty() && !f.doc.empty() && !detail::is_retired<T>(f.id);
    last = f.id;
    int members = 0, names = 0;
    each<T>([&](auto const& g) {
      members += detail::same_member(f, g) ? 1 : 0;
      names += f.name == g.name ? 1 : 0;
    });
    good = good && members == 1 && names == 1;
  });
  return good;
}

}  // namespace lepton::schema
