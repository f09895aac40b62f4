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
#include <type_traits>
#include <utility>

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

namespace detail {

template <std::size_t i, class F>
struct Place {
  F field;
};

// A std::tuple would do, but every source file reads many of these lists, and its constructors cost
// the compiler more than all the rest of them.
template <class Indices, class... F>
struct FieldList;
template <std::size_t... i, class... F>
struct FieldList<std::index_sequence<i...>, F...> : Place<i, F>... {
  static constexpr std::size_t size = sizeof...(F);

  template <class Do>
  constexpr void each(Do&& f) const {
    (f(static_cast<Place<i, F> const&>(*this).field), ...);
  }
  template <class Is>
  constexpr bool all(Is const& is) const {
    return (is(static_cast<Place<i, F> const&>(*this).field) && ...);
  }
};

}  // namespace detail

template <class... F>
consteval auto fields(F... f) {
  return detail::FieldList<std::index_sequence_for<F...>, F...>{{f}...};
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
inline constexpr auto all_fields = T::fields();

template <Described T>
inline constexpr std::size_t field_count = decltype(T::fields())::size;

// Calls f(field) for each described field, in declaration order.
template <Described T, class F>
constexpr void each(F&& f) {
  all_fields<T>.each(f);
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

template <Described T>
consteval bool ids_and_names_are_good() {
  constexpr std::size_t n = field_count<T>;
  std::array<std::string_view, n> names;
  std::size_t seen = 0;
  int last = 0;
  bool good = true;
  auto const look = [&](int id, std::string_view name, std::string_view doc) {
    good = good && id > last && !name.empty() && !doc.empty() && !is_retired<T>(id);
    for (std::size_t k = 0; k < seen; ++k) good = good && names[k] != name;
    names[seen++] = name;
    last = id;
  };
  each<T>([&](auto const& f) { look(f.id, f.name, f.doc); });
  return good;
}

// Instantiated for each pair of types of members, not for each pair of members.
template <Described T>
consteval bool members_differ() {
  return all_fields<T>.all([](auto const& f) {
    int same = 0;
    all_fields<T>.each([&](auto const& g) { same += same_member(f, g) ? 1 : 0; });
    return same == 1;
  });
}

}  // namespace detail

// True when each member is described exactly once, ids rise and none is retired, names differ,
// and every field says what it means.
template <Described T>
consteval bool complete() {
  return field_count<T> == detail::arity<T>() && detail::ids_and_names_are_good<T>() &&
         detail::members_differ<T>();
}

}  // namespace lepton::schema
