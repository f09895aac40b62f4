#pragma once
// Two tables of the same shape (an audit-like row under three indexes) in the schema of a service,
// and the rows that go there.

#include <string>

#include "common/base/secret.hpp"
#include "common/store/store.hpp"

namespace lepton::bench {

inline constexpr char const* schema = "bench";

Status create_tables(Secret<std::string> const& url);

// Both have the same columns; `theirs` receives plain COPY.
extern store::Table const ours, theirs;

// A row of 300 bytes or so, different for each number.
store::Cells row(std::int64_t number);

}  // namespace lepton::bench
