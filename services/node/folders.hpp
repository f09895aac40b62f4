#pragma once
// Folders: fetches the working folder of an attempt before its start, part by part, verified, a few
// parts at a time, and builds it. A part of the node, on its thread; the disk is a worker's, one
// job at a time, so that the runner's calls are never behind all of them.

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "common/actor/actor.hpp"
#include "schemas/workdir.hpp"
#include "services/node/folder/folder_store.hpp"

namespace lepton::node {

class Folders {
 public:
  using Wanted = std::function<bool()>;  // false: the attempt is to be stopped
  using Ready = std::function<void(Result<std::string> path, actor::Context&)>;

  Folders(NodeId node, std::shared_ptr<FolderStore> store)
      : node_(std::move(node)), store_(std::move(store)) {}

  // `ready` is called once, with where it stands, or why there is none: `invalid` for what is not
  // what it should be, `conflict` when it is not wanted any more; all else is the machine's fault.
  void fetch(std::string const& attempt, std::string const& folder, Wanted wanted, Ready ready,
             actor::Context& c);
  void drop(std::string const& attempt, actor::Context& c);

 private:
  struct Fetch {
    std::string attempt, folder;
    Wanted wanted;
    Ready ready;
    FolderManifest manifest;
    std::deque<std::uint32_t> missing;
    std::size_t asked = 0;  // parts on their way
    int builds = 0;
    bool over = false;
  };
  using Job = std::shared_ptr<Fetch>;
  struct Work {
    std::function<void()> run;
    actor::Continue then;
  };

  void ask(Job const& job, std::uint32_t part, actor::Context& c);
  void got(Job const& job, std::uint32_t part, Result<WorkdirData> const& data, actor::Context& c);
  void got_manifest(Job const& job, std::string const& data, actor::Context& c);
  void got_chunk(Job const& job, std::uint32_t place, std::string data, actor::Context& c);
  void look(Job const& job, actor::Context& c);
  void go_on(Job const& job, actor::Context& c);
  void build(Job const& job, actor::Context& c);
  void end(Job const& job, Result<std::string> const& result, actor::Context& c);
  void work(std::function<void()> run, actor::Continue then, actor::Context& c);
  void next_work(actor::Context& c);

  NodeId node_;
  std::shared_ptr<FolderStore> store_;  // may be empty: this node has none
  std::deque<Work> works_;
  bool working_ = false;
};

}  // namespace lepton::node
