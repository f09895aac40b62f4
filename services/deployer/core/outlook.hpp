#pragma once
// Outlook: everything the default policy derives from a mix of tasks, and what one room is worth
// in its light. Pure; built once per mix, read by one thread. Units: milli of a GPU.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "services/deployer/core/host_share.hpp"
#include "services/deployer/core/mix.hpp"
#include "services/deployer/core/remnant.hpp"
#include "services/deployer/core/room.hpp"

namespace lepton::deployer {

// Models as a bit set: those from 64 on count as accepted by every task.
using ModelSet = std::uint64_t;
inline constexpr std::size_t most_models = 64;

// Tasks that accept some models only.
struct Insisting {
  ModelSet models = 0;
  double milli = 0;     // they ask for, per arrival of any task
  double variance = 0;  // of that
};

// Tasks of several whole GPUs need a node with as many free: a block.
struct BlockKind {
  std::uint32_t gpus = 0;
  double arrivals = 0;                   // per arrival of any task
  double cpu_milli = 0, memory_mib = 0;  // that such a task needs beside its GPUs, on average
};
inline constexpr std::size_t most_block_kinds = 4;
using Blocks = std::array<std::uint32_t, most_block_kinds>;

// The free parts of a room's GPUs, equal ones together, and what is beside them.
struct Parts {
  struct Part {
    std::uint32_t milli = 0, count = 0;
    ModelIndex model = 0;
  };
  static constexpr std::size_t most = 32;  // further kinds of part are added to the last
  explicit Parts(Room const& room);
  void add(std::uint32_t milli, ModelIndex model, std::uint32_t count);
  void remove(std::uint32_t milli, ModelIndex model, std::uint32_t count);

  std::array<Part, most> part;
  std::size_t size = 0;
  double cpu_milli = 0, memory_mib = 0;
};

// What follows from the mix alone, whatever GPUs there are: the costly half, some milliseconds.
struct WorthTables {
  explicit WorthTables(Mix const& mix);

  RemnantTable remnants;
  HostTable cpu, memory;
};
using SharedWorth = std::shared_ptr<WorthTables const>;

// Those of the unknown mix, with which every placer begins, are made once in a process.
SharedWorth worth_of(Mix const& mix);

class Outlook {
 public:
  Outlook(Mix const& mix, std::vector<std::string> const& models)
      : Outlook(mix, models, worth_of(mix)) {}
  Outlook(Mix const& mix, std::vector<std::string> const& models, SharedWorth worth);

  // Milli of the room's free GPUs that will probably never be given away; may be below 0, as a
  // remnant's waste may.
  double stranded(Parts const& parts) const;
  // Calls each(part, milli of it that are useful yet).
  template <class F>
  void for_useful(Parts const& parts, F const& each) const {
    auto const share = shares(parts);
    for (std::size_t i = 0; i < parts.size; ++i) {
      auto const& p = parts.part[i];
      each(p, p.count * (p.milli - waste_of(p.milli, share)));
    }
  }
  // How many tasks of each block kind the room could take, one kind at a time; and how many fewer
  // once so many whole GPUs of a group, and so much beside them, are taken.
  Blocks blocks(Room const& room) const;
  Blocks blocks_lost(Room const& room, std::uint32_t group, std::uint32_t gpus,
                     std::int64_t cpu_milli, std::int64_t memory_mib) const;

  SharedWorth const& worth() const { return worth_; }
  RemnantTable const& remnants() const { return worth_->remnants; }
  double milli_per_arrival() const { return milli_per_arrival_; }
  std::vector<Insisting> const& insisting() const { return insisting_; }
  std::vector<BlockKind> const& block_kinds() const { return block_kinds_; }

 private:
  struct Shares {
    double cpu = 0, memory = 0;  // per useful milli
  };
  Shares shares(Parts const& parts) const;
  double waste_of(std::uint32_t milli, Shares const& share) const;
  void find_insisting(Mix const& mix, std::vector<std::string> const& models);
  void find_blocks(Mix const& mix);

  SharedWorth worth_;
  double milli_per_arrival_ = 0;
  std::vector<Insisting> insisting_;
  std::vector<BlockKind> block_kinds_;  // falling by gpus
};

}  // namespace lepton::deployer
