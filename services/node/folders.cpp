#include "services/node/folders.hpp"

#include "common/base/passing.hpp"
#include "common/base/text.hpp"
#include "common/codec/msgpack.hpp"
#include "common/crypto/hash.hpp"
#include "schemas/folder_check.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t asked_max = 4;  // chunks of one folder on their way
constexpr int builds_max = 3;         // a disk that loses chunks again and again is broken
constexpr TimeMs answer_ms = 10'000, pause_ms = 500;

}  // namespace

void Folders::fetch(std::string const& attempt, std::string const& folder, Wanted wanted,
                    Ready ready, actor::Context& c) {
  auto job = std::make_shared<Fetch>();
  job->attempt = attempt;
  job->folder = folder;
  job->wanted = std::move(wanted);
  job->ready = std::move(ready);
  if (store_) return ask(job, 0, c);
  // Later: who asks is not done with what it does.
  work([] {},
       [this, job](actor::Context& later) {
         end(job, Error{Code::invalid, "this node keeps no working folders"}, later);
       },
       c);
}

void Folders::ask(Job const& job, std::uint32_t part, actor::Context& c) {
  ++job->asked;
  c.ask("deployer", WorkdirFetch{node_, AttemptId{job->attempt}, part}, answer_ms,
        [this, job, part](Result<WorkdirData> data, actor::Context& later) {
          got(job, part, data, later);
        });
}

void Folders::got(Job const& job, std::uint32_t part, Result<WorkdirData> const& data,
                  actor::Context& c) {
  --job->asked;
  if (job->over) return;
  if (!job->wanted())
    return end(job, Error{Code::conflict, "stopped before its working folder was here"}, c);
  if (!data && is_passing(data.error().code)) {
    ++job->asked;
    return c.after(pause_ms, [this, job, part](actor::Context& later) {
      --job->asked;
      if (!job->over) ask(job, part, later);
    });
  }
  if (!data) {  // who is denied is this machine, not the work
    auto const denied = data.error().code == Code::denied;
    return end(job, Error{denied ? Code::denied : Code::invalid, data.error().what}, c);
  }
  if (part == 0) return got_manifest(job, data->data.data, c);
  got_chunk(job, part - 1, data->data.data, c);
}

void Folders::got_manifest(Job const& job, std::string const& data, actor::Context& c) {
  if (text::hex(crypto::view(crypto::sha256(data))) != job->folder)
    return end(job,
               Error{Code::invalid,
                     "the manifest of the working folder is not what its name says: it was changed "
                     "where it is kept"},
               c);
  auto manifest = codec::decode<FolderManifest>(data);
  auto const good = manifest ? check_folder(*manifest) : Status(manifest.error());
  if (!good)
    return end(job, Error{Code::invalid, "the working folder's manifest: " + good.error().what}, c);
  job->manifest = std::move(*manifest);
  look(job, c);
}

void Folders::got_chunk(Job const& job, std::uint32_t place, std::string data, actor::Context& c) {
  ++job->asked;  // until it is on the disk
  auto const kept = std::make_shared<Status>(ok());
  work([store = store_, job, place, kept,
        data = std::move(data)] { *kept = store->keep(job->manifest.chunks[place], data); },
       [this, job, kept](actor::Context& later) {
         --job->asked;
         if (job->over) return;
         if (!*kept) return end(job, kept->error(), later);
         go_on(job, later);
       },
       c);
}

void Folders::look(Job const& job, actor::Context& c) {
  auto const missing = std::make_shared<std::vector<std::uint32_t>>();
  work([store = store_, job, missing] { *missing = store->missing(job->manifest); },
       [this, job, missing](actor::Context& later) {
         job->missing.assign(missing->begin(), missing->end());
         go_on(job, later);
       },
       c);
}

void Folders::go_on(Job const& job, actor::Context& c) {
  while (!job->missing.empty() && job->asked < asked_max) {
    ask(job, job->missing.front() + 1, c);
    job->missing.pop_front();
  }
  if (job->missing.empty() && job->asked == 0) build(job, c);
}

void Folders::build(Job const& job, actor::Context& c) {
  auto const built = std::make_shared<Result<std::string>>(std::string());
  ++job->builds;
  work([store = store_, job, built] { *built = store->build(job->attempt, job->manifest); },
       [this, job, built](actor::Context& later) {
         auto const lost = !*built && built->error().code == Code::not_found;
         if (lost && job->builds < builds_max) return look(job, later);
         if (*built && !job->wanted()) {
           drop(job->attempt, later);
           *built = Error{Code::conflict, "stopped while its working folder was built"};
         }
         end(job, *built, later);
       },
       c);
}

void Folders::end(Job const& job, Result<std::string> const& result, actor::Context& c) {
  job->over = true;
  job->ready(result, c);
}

void Folders::drop(std::string const& attempt, actor::Context& c) {
  if (!store_) return;
  work([store = store_, attempt] { (void)store->drop(attempt); }, [](actor::Context&) {}, c);
}

void Folders::work(std::function<void()> run, actor::Continue then, actor::Context& c) {
  works_.push_back({std::move(run), std::move(then)});
  next_work(c);
}

void Folders::next_work(actor::Context& c) {
  if (working_ || works_.empty()) return;
  working_ = true;
  auto one = std::move(works_.front());
  works_.pop_front();
  c.work(std::move(one.run), [this, then = std::move(one.then)](actor::Context& later) {
    working_ = false;
    then(later);
    next_work(later);
  });
}

}  // namespace lepton::node
