#pragma once
// Folders: working folders on their way from people to nodes. People send chunks that are missing
// and then the manifest that names them; a node fetches the folder of an attempt that was placed on
// it, and can name nothing else. The book is the core's (depot.hpp); contents are rows
// (docs/decisions/0009-working-folders-in-postgresql.md). A part of the deployer, on its thread.

#include <set>
#include <string>
#include <vector>

#include "common/actor/actor.hpp"
#include "schemas/workdir.hpp"
#include "services/deployer/core/depot.hpp"
#include "services/deployer/folders/rows.hpp"

namespace lepton::deployer {

class Folders {
 public:
  // What this part has to know of jobs.
  class Jobs {
   public:
    virtual ~Jobs() = default;
    // Of an attempt that is placed on this node and not over; nothing: there is none.
    virtual std::optional<FolderName> folder_of(NodeId const& node,
                                                AttemptId const& attempt) const = 0;
    // Of all jobs that are not over, and of services.
    virtual std::set<FolderName> folders_in_use() const = 0;
  };

  Folders(Jobs const& jobs, DepotLimits limits) : jobs_(jobs), depot_(limits) {}

  static std::vector<store::Table const*> tables();
  void restore(actor::Rows const& rows);
  void start(actor::Context& c);

  Result<WorkdirWanted> missing(WorkdirMissing const& m, actor::Context& c);
  Result<WorkdirStored> store(WorkdirStore const& m, actor::Context& c);
  Result<WorkdirKept> commit(WorkdirCommit const& m, actor::Context& c);
  void fetch(WorkdirFetch const& m, actor::Ticket<WorkdirFetch> ticket, actor::Context& c);

  // A job of this owner is taken in with the folder. `invalid`: it is not here. Ok for none.
  Status check(std::string const& owner, std::string const& folder) const;
  void use(std::string const& owner, std::string const& folder, actor::Context& c);

  Depot const& depot() const { return depot_; }

 private:
  void tick(actor::Context& c);
  void collect(actor::Context& c);
  void erase(Depot::Outlived const& gone, actor::Context& c);
  void save(FolderName const& name, actor::Context& c);

  Jobs const& jobs_;
  Depot depot_;
  std::map<std::string, std::int64_t> crowded_;  // owners who were refused, and what they lacked
  TimeMs collect_at_ = 0;
  std::size_t fetches_ = 0;  // that the store has not answered
};

}  // namespace lepton::deployer
