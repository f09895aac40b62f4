#pragma once
// `lepton status`: asks every service for its health at the same door that requests go through. One
// thread.

#include <string>
#include <vector>

#include "cli/output/table.hpp"
#include "cli/shell.hpp"
#include "common/schema/schema.hpp"

namespace lepton::cli {

struct ServiceLine {
  std::string service;
  std::string state;
  std::string version;
  std::int64_t uptime_ms = 0;
  std::string detail;
  std::int64_t standbys = 0;

  bool operator==(ServiceLine const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using L = ServiceLine;
    return schema::fields(field(1, "service", &L::service, "Name."),
                          field(2, "state", &L::state, "up, starting or down."),
                          field(3, "version", &L::version, "Version of its program."),
                          field(4, "uptime_ms", &L::uptime_ms, "Since it began, ms."),
                          field(5, "detail", &L::detail, "What it says, or why it is down."),
                          field(6, "standbys", &L::standbys, "Instances ready to take over."));
  }
};
static_assert(schema::complete<ServiceLine>());

struct StatusView {
  std::vector<ServiceLine> services;
  std::uint32_t nodes = 0;
  double gpus = 0;
  double gpus_free = 0;
  std::string nodes_note;

  static consteval auto fields() {
    using schema::field;
    using V = StatusView;
    return schema::fields(field(1, "services", &V::services, "One line each."),
                          field(2, "nodes", &V::nodes, "Machines known."),
                          field(3, "gpus", &V::gpus, "GPUs of these."),
                          field(4, "gpus_free", &V::gpus_free, "Of these free."),
                          field(5, "nodes_note", &V::nodes_note, "Why machines are not known."));
  }
};
static_assert(schema::complete<StatusView>());

Table status_table(StatusView const& view);
// 0 when all are up, 8 when some are, 6 when none is.
int status_exit(StatusView const& view);

Result<int> print_status(Shell& shell);

}  // namespace lepton::cli
