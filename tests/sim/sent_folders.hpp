#pragma once
// Working folders in the simulated world: what jobs were sent with, and the machines' real stores
// of them, below one temporary folder. Its disks rot now and then. One thread.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/random.hpp"
#include "schemas/ids.hpp"
#include "schemas/workdir.hpp"
#include "services/node/folder/folder_store.hpp"
#include "services/node/runner/run_spec.hpp"
#include "tests/sim/place.hpp"

namespace lepton::sim {

// Tasks are named by their job and a number (deployer::task_id).
inline JobId job_of_task(std::string const& task) {
  return JobId{task.substr(0, task.rfind('-'))};
}

struct SentFolder {
  std::map<std::string, std::string> files;  // path to content
  std::vector<Bytes> chunks;
  Bytes manifest;
  std::string name() const;

  // A few small files, cut into chunks that end where they like.
  static SentFolder random(Chance& chance);
};

class SentFolders {
 public:
  // Of one machine; a new life of its node finds there what the last one left.
  std::shared_ptr<node::FolderStore> store_of(std::string const& node);
  void note(JobId const& job, SentFolder const& folder) { sent_[job] = folder; }
  // How what the task finds at its start is not what its job was sent with; empty: it is. Asked
  // once for each attempt.
  std::string difference(node::RunSpec const& spec);
  // A bit of a chunk that some machine keeps is not what it was.
  void rot(Chance& chance);
  std::uint64_t compared() const { return compared_.size(); }

 private:
  Place place_;
  std::map<JobId, SentFolder> sent_;
  std::set<std::string> compared_;  // attempts
};

}  // namespace lepton::sim
