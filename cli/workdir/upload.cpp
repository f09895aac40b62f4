#include "cli/workdir/upload.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "cli/connect.hpp"
#include "cli/workdir/scan.hpp"
#include "common/codec/msgpack.hpp"
#include "schemas/folder_check.hpp"

namespace lepton::cli {
namespace {

constexpr int window = 4;  // messages on their way: a flood would only wait in the deployer
constexpr std::size_t message_bytes = 1u << 20;
constexpr int rounds_max = 4;
constexpr auto pause = std::chrono::seconds(1);

class Upload {
 public:
  Upload(Shell const& shell, std::string const& name, std::string const& root, bus::Client& client)
      : shell_(shell), name_(name), root_(root), client_(client) {}

  Result<WorkdirKept> run(FolderManifest const& folder) {
    Result<WorkdirKept> done = Error{Code::internal, "nothing was tried"};
    for (int round = 0; round < rounds_max; ++round) {
      if (round > 0) std::this_thread::sleep_for(pause);
      done = one_round(folder);
      if (done) return done;
      // A part that is missing at the end was forgotten meanwhile: it is sent again.
      auto const again = is_passing(done.error().code) || done.error().code == Code::conflict;
      if (!again || changed_here_) return done;
    }
    return done;
  }

  std::size_t sent_chunks() const { return sent_chunks_; }
  std::size_t sent_bytes() const { return sent_bytes_; }

 private:
  Result<WorkdirKept> one_round(FolderManifest const& folder) {
    WorkdirMissing question{name_, {}};
    for (auto const& chunk : folder.chunks) question.hashes.push_back(chunk.hash);
    auto const missing = client_.call(question, shell_.timeout_ms());
    if (!missing) return missing.error();
    auto sent = read_chunks(root_, folder, missing->wanted,
                            [this](std::size_t, std::string data) { return add(std::move(data)); });
    if (!sent && sent.error().code == Code::conflict) changed_here_ = true;
    if (sent) sent = flush();
    if (auto settled = settle(0); sent && !settled) sent = settled;
    if (!sent) return sent.error();
    return client_.call(WorkdirCommit{name_, Bytes{codec::encode(folder)}}, shell_.timeout_ms());
  }

  Status add(std::string data) {
    ++sent_chunks_;
    sent_bytes_ += data.size();
    waiting_bytes_ += data.size();
    waiting_.chunks.push_back(Bytes{std::move(data)});
    return waiting_bytes_ < message_bytes ? ok() : flush();
  }

  Status flush() {
    if (waiting_.chunks.empty()) return ok();
    if (auto room = settle(window - 1); !room) return room;
    waiting_.name = name_;
    auto const posted = client_.submit(
        waiting_,
        [this](Result<WorkdirStored> const& stored) {
          if (!stored && trouble_) trouble_ = stored.error();
        },
        shell_.timeout_ms() + 20'000);
    waiting_ = {};
    waiting_bytes_ = 0;
    return posted;
  }

  // Until at most so many are on their way.
  Status settle(std::size_t most) {
    while (client_.in_flight() > most) client_.pump(1'000);
    return std::exchange(trouble_, ok());
  }

  Shell const& shell_;
  std::string const& name_;
  std::string const& root_;
  bus::Client& client_;
  WorkdirStore waiting_;
  std::size_t waiting_bytes_ = 0, sent_chunks_ = 0, sent_bytes_ = 0;
  Status trouble_ = ok();
  bool changed_here_ = false;
};

}  // namespace

Status send_workdir(Shell& shell, std::string const& name, JobSpec& spec) {
  if (spec.workdir.empty()) return ok();
  auto folder = list_folder(spec.workdir);
  if (!folder) return folder.error();
  if (auto cut = cut_folder(spec.workdir, *folder); !cut) return cut;
  if (codec::encode(*folder).size() > folder_manifest_bytes_max)
    return Error{Code::exhausted, "workdir: the names of the files are more than 2 MiB"};
  auto client = connect(shell, Service::deployer);
  if (!client) return client.error();
  Upload upload(shell, name, spec.workdir, *client);
  auto const kept = upload.run(*folder);
  if (!kept) return kept.error();
  shell.say(fmt::format("working folder: {} files, {} KiB; sent {} of {} chunks, {} KiB",
                        kept->files, (kept->size + 1023) / 1024, upload.sent_chunks(),
                        folder->chunks.size(), (upload.sent_bytes() + 1023) / 1024));
  spec.workdir = kept->workdir;
  return ok();
}

}  // namespace lepton::cli
