// The figures that need a database: durable_rtt_p50_us, bare_commit_p50_us, durable_rps,
// bare_group_commit_rps. Without a database they are left out, and a line says so.

#include <cstdio>

#include "bench/messaging/side.hpp"

namespace lepton::bench {

std::string durable_fields(std::string const& database_url) {
  if (database_url.empty()) std::puts("durable figures: skipped, no --durable URL of a PostgreSQL");
  return {};
}

}  // namespace lepton::bench
