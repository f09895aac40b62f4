#include "cli/jobs/fetch.hpp"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <thread>

#include "cli/connect.hpp"
#include "cli/jobs/landing.hpp"
#include "common/crypto/hash.hpp"
#include "schemas/deployer.hpp"
#include "schemas/outputs.hpp"

namespace lepton::cli {
namespace {

constexpr std::size_t window = 4;  // parts of a file on their way
constexpr std::size_t files_max = 100'000;
constexpr int tries_max = 5;
constexpr auto pause = std::chrono::milliseconds(500);

class Fetch {
 public:
  Fetch(Shell const& shell, FetchOptions const& options, JobView const& job, bus::Client& client)
      : shell_(shell), options_(options), job_(job), client_(client) {}

  Status task(std::uint32_t index, std::string const& folder) {
    task_ = index;
    auto const files = list();
    if (!files) return files.error();
    for (auto const& file : *files) bytes_ += file.size;
    if (bytes_ > options_.limit_gib << 30)
      return Error{Code::exhausted,
                   fmt::format("the outputs are {} GiB and more than the limit of {}; --limit-gib "
                               "raises it",
                               bytes_ >> 30, options_.limit_gib)};
    if (files->empty()) return ok();
    auto landing = Landing::open(folder);
    if (!landing) return landing.error();
    for (auto const& file : *files)
      if (auto done = bring(*landing, file); !done) return done;
    return ok();
  }

  void tell() const {
    shell_.say(fmt::format("fetched {} files, {} KiB; {} were here already", fetched_,
                           (fetched_bytes_ + 1023) / 1024, here_));
    if (passed_over_ > 0)
      shell_.say(
          fmt::format("{} links, devices and files of other users were left out", passed_over_));
  }

 private:
  template <class M>
  Result<typename M::Reply> patient(M const& message) {
    auto reply = client_.call(message, shell_.timeout_ms());
    for (int i = 1; i < tries_max && !reply && is_passing(reply.error().code); ++i) {
      std::this_thread::sleep_for(pause);
      reply = client_.call(message, shell_.timeout_ms());
    }
    return reply;
  }

  Result<std::vector<OutputFile>> list() {
    std::vector<OutputFile> files;
    JobOutputs question{job_.job, task_, ""};
    for (;;) {
      auto page = patient(question);
      if (!page) return page.error();
      attempt_ = page->attempt;
      passed_over_ += question.after.empty() ? page->passed_over : 0;
      for (auto& file : page->files) files.push_back(std::move(file));
      if (page->complete || page->files.empty()) return files;
      if (files.size() > files_max)
        return Error{Code::exhausted, "the task has left more than 100,000 files"};
      question.after = files.back().path;
    }
  }

  Status bring(Landing& landing, OutputFile const& file) {
    auto const begun =
        landing.begin({file.path, file.size, file.modified_ns, file.executable, attempt_.value},
                      options_.overwrite);
    if (!begun) return begun.error();
    here_ += *begun ? 0 : 1;
    if (!*begun) return ok();
    auto at = **begun;
    for (int i = 0; i < tries_max; ++i) {
      if (i > 0) std::this_thread::sleep_for(pause);
      auto const read = read_from(landing, file, at);
      if (read) {
        ++fetched_;
        return landing.finish();
      }
      if (!is_passing(read.error().code)) return read;
      trouble_ = read.error();
    }
    return trouble_;
  }

  // Parts are asked for ahead and appended in their order. `at` goes on with what was written.
  Status read_from(Landing& landing, OutputFile const& file, std::int64_t& at) {
    std::map<std::int64_t, Result<OutputChunk>> arrived;
    auto asked = at;
    while (at < file.size) {
      while (asked < file.size && client_.in_flight() < window) {
        JobOutputRead const wish{job_.job, task_, attempt_, file.path, asked};
        auto const posted = client_.submit(
            wish,
            [&arrived, asked](Result<OutputChunk> chunk) {
              arrived.insert_or_assign(asked, std::move(chunk));
            },
            shell_.timeout_ms());
        if (!posted) return settle(posted);
        asked += wish.limit;
      }
      client_.pump(1'000);
      for (auto next = arrived.find(at); next != arrived.end(); next = arrived.find(at)) {
        auto const taken = take(landing, file, next->second);
        if (!taken) return settle(taken);
        at += static_cast<std::int64_t>(next->second->data.data.size());
        arrived.erase(next);
      }
    }
    return ok();
  }

  // What is still on its way must not meet what is gone.
  Status settle(Status status) {
    while (client_.in_flight() > 0) client_.pump(1'000);
    return status;
  }

  Status take(Landing& landing, OutputFile const& file, Result<OutputChunk> const& chunk) {
    if (!chunk) return chunk.error();
    auto const& data = chunk->data.data;
    if (chunk->size != file.size || chunk->modified_ns != file.modified_ns || data.empty())
      return Error{Code::conflict, "output " + file.path + " is not what was listed any more"};
    if (crypto::view(crypto::sha256(data)) != chunk->hash.data)
      return Error{Code::unavailable, "a part of " + file.path + " arrived spoilt"};
    fetched_bytes_ += static_cast<std::int64_t>(data.size());
    return landing.append(data);
  }

  Shell const& shell_;
  FetchOptions const& options_;
  JobView const& job_;
  bus::Client& client_;
  std::uint32_t task_ = 0;
  AttemptId attempt_;
  std::int64_t bytes_ = 0, fetched_bytes_ = 0;
  std::size_t fetched_ = 0, here_ = 0, passed_over_ = 0;
  Error trouble_;
};

}  // namespace

Result<int> fetch_outputs(Shell& shell, FetchOptions const& options) {
  if (options.limit_gib < 1) return Error{Code::invalid, "--limit-gib must be at least 1"};
  auto client = connect(shell, Service::deployer);
  if (!client) return client.error();
  auto const job = client->call(JobShow{JobId{options.job}}, shell.timeout_ms());
  if (!job) return job.error();
  auto const folder = options.folder.empty() ? job->spec.name : options.folder;
  Fetch fetch(shell, options, *job, *client);
  for (std::uint32_t task = 0; task < job->spec.nodes; ++task) {
    auto const own = job->spec.nodes == 1 ? folder : folder + "/" + std::to_string(task);
    if (auto done = fetch.task(task, own); !done) return done.error();
  }
  fetch.tell();
  return 0;
}

}  // namespace lepton::cli
