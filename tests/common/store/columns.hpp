#pragma once
// Holds the described rows of a service against the tables of its migrations: same columns, types,
// nullability and primary key. For tests: expect_same_columns<JobRow>(session, "deployer").

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/postgres/session.hpp"
#include "common/store/row.hpp"

namespace lepton::store {

// The differences as sentences; empty when there is none.
std::vector<std::string> column_differences(postgres::Session& session, std::string const& schema,
                                            Table const& table);

inline void expect_same_columns(postgres::Session& session, std::string const& schema,
                                Table const& table) {
  for (auto const& difference : column_differences(session, schema, table))
    ADD_FAILURE() << difference;
}

template <Row T>
void expect_same_columns(postgres::Session& session, std::string const& schema) {
  expect_same_columns(session, schema, table_of<T>());
}

}  // namespace lepton::store
