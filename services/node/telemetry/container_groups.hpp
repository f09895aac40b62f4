#pragma once
// The control groups of attempts that are containers: the engine makes them, elsewhere than those
// of the runner, which hold only the program that watches the container. Found through the main
// process of the container, and remembered while the groups are there. Blocking: worker thread
// only. Source: proc(5), cgroups(7).

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace lepton::node {

class ContainerGroups {
 public:
  // The main process; 0: it does not run (yet); nothing: the attempt is no container. Errors of the
  // engine are no answer: it is asked again later.
  using Find = std::function<Result<std::optional<pid_t>>(std::string const& attempt)>;

  ContainerGroups(std::string mountinfo, Find find, std::string proc = "/proc");

  // Folders, one for each hierarchy; nothing while no container is known.
  std::vector<std::string> of(std::string const& attempt, TimeMs now_ms);
  void keep_only(std::set<std::string> const& attempts);

 private:
  struct Known {
    bool is_container = true;
    std::vector<std::string> groups;
    TimeMs ask_at = 0;
  };
  void look(std::string const& attempt, Known& known, TimeMs now_ms);
  std::vector<std::string> groups_of(pid_t pid) const;

  std::string mountinfo_, proc_;
  Find find_;
  std::map<std::string, Known> known_;
};

}  // namespace lepton::node
