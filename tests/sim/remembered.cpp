// What the deployer believes is what a new life of it would read: whole rows, once all has ended.

#include "common/codec/json.hpp"
#include "services/deployer/rows.hpp"
#include "services/deployer/service_rows.hpp"
#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

template <class Row>
std::map<std::string, std::string> stored(store::MemoryDisk const& disk) {
  std::map<std::string, std::string> rows;
  for (auto const& [key, cells] : disk.rows(Row::table)) {
    auto const name = std::get<std::string>(cells.front());
    rows.emplace(name, codec::to_json(*store::from_cells<Row>(cells)));
  }
  return rows;
}

}  // namespace

void Suite::check_memory_is_disk() {
  auto const& disk = world_.disk("deployer");
  check_jobs_are_stored(disk);
  std::map<std::string, std::string> nodes;
  for (auto const& [id, link] : deployer()->nodes()) {
    auto const* node = deployer()->cluster().find(id);
    if (node == nullptr || node->spec.state != link.row.state)
      world_.fail("placement does not know the state of " + id.value);
    nodes.emplace(id.value, codec::to_json(link.row));
  }
  if (nodes != stored<deployer::NodeRow>(disk))
    world_.fail("the nodes in memory are not those on disk");
  // The end of the run is that there are none of these.
  for (auto const table : {deployer::PlannedSliceRow::table, deployer::ServiceRow::table,
                           deployer::ReplicaRow::table, deployer::VacatedPortRow::table})
    if (!disk.rows(table).empty())
      world_.fail("a row of table " + std::string(table) +
                  " is stored, and nothing is known of it");
}

void Suite::check_jobs_are_stored(store::MemoryDisk const& disk) {
  auto const rows = stored<deployer::JobRow>(disk);
  auto const runs = stored<deployer::JobRunRow>(disk);
  for (auto const& [id, job] : deployer()->jobs()) {
    if (auto const row = rows.find(id.value);
        row == rows.end() || row->second != codec::to_json(job.row))
      world_.fail("job " + id.value + " is not stored as it is in memory");
    auto const row = runs.find(id.value);
    auto const known = codec::to_json(job.run_row());
    if (row == runs.end() || row->second != known)
      world_.fail("of " + id.value + " is stored " + (row == runs.end() ? "nothing" : row->second) +
                  ", and in memory is " + known);
  }
  for (auto const& [id, cells] : disk.rows(deployer::JobRunRow::table)) {
    auto const row = store::from_cells<deployer::JobRunRow>(cells);
    if (!is_final(row->state) && !deployer()->jobs().contains(row->job))
      world_.fail(row->job.value + " is stored, unfinished, and the deployer does not know it");
  }
}

}  // namespace lepton::sim
