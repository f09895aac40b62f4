#include "common/postgres/migrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "common/base/text.hpp"
#include "common/crypto/hash.hpp"
#include "common/postgres/binaries.hpp"
#include "common/postgres/roles.hpp"
#include "common/postgres/script.hpp"
#include "common/postgres/session.hpp"

namespace lepton::postgres {
namespace {

// One migration for one service: a platform file becomes one step per service.
struct Step {
  std::string service;
  Migration const* migration;
  std::string checksum;

  std::string label() const {
    return fmt::format("{}/{:04}_{}", migration->schema, migration->version, migration->name);
  }
};

using Key = std::tuple<std::string, std::string, int>;  // service, folder, version

struct Applied {
  std::string name;
  std::string checksum;
};

std::vector<Step> steps_of(std::vector<Migration> const& migrations,
                           std::vector<std::string> const& services) {
  std::vector<Step> steps;
  for (auto const& service : services) {
    for (std::string const& folder : {std::string(platform_folder), service}) {
      for (auto const& migration : migrations) {
        if (migration.schema == folder)
          steps.push_back(
              {service, &migration, text::hex(crypto::view(crypto::sha256(migration.sql)))});
      }
    }
  }
  return steps;
}

Status prepare(Session& session, std::vector<std::string> const& services) {
  auto locked = session.execute("SET lock_timeout = '60s'");
  if (locked) locked = session.execute("SELECT pg_advisory_lock(hashtext('lepton_migrations'))");
  if (!locked)
    return Error{locked.error().code,
                 fmt::format("another migration is still running ({}); try again when it has ended",
                             locked.error().what)};
  auto status = ensure_roles(session, services);
  std::vector<Statement> statements{{fmt::format("SET LOCAL ROLE {}", identifier(owner_role)), {}},
                                    {"CREATE SCHEMA IF NOT EXISTS lepton_meta", {}},
                                    {R"(CREATE TABLE IF NOT EXISTS lepton_meta.migration (
            schema text NOT NULL, origin text NOT NULL, version integer NOT NULL,
            name text NOT NULL, sha256 text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (schema, origin, version)))",
                                     {}}};
  for (auto const& service : services) {
    statements.push_back({"CREATE SCHEMA IF NOT EXISTS " + identifier(service), {}});
    statements.push_back({fmt::format("GRANT USAGE ON SCHEMA {} TO {}", identifier(service),
                                      identifier(service_role(service))),
                          {}});
  }
  return status ? session.transaction(statements) : status;
}

Result<std::map<Key, Applied>> read_history(Session& session) {
  auto rows = session.query(
      {"SELECT schema, origin, version, name, sha256 FROM lepton_meta.migration", {}});
  if (!rows) return rows.error();
  std::map<Key, Applied> history;
  for (auto const& row : *rows) {
    auto const version = text::parse_int(row[2].value_or("")).value_or(0);
    history[{row[0].value_or(""), row[1].value_or(""), static_cast<int>(version)}] = {
        row[3].value_or(""), row[4].value_or("")};
  }
  return history;
}

Key key_of(Step const& step) {
  return {step.service, step.migration->schema, step.migration->version};
}

Status check_history(std::map<Key, Applied> const& history, std::vector<Step> const& steps,
                     std::vector<std::string> const& services) {
  std::map<Key, Step const*> known;
  for (auto const& step : steps) known[key_of(step)] = &step;
  for (auto const& [key, applied] : history) {
    auto const& [service, origin, version] = key;
    if (std::find(services.begin(), services.end(), service) == services.end()) continue;
    auto const label = fmt::format("{}/{:04}_{}", origin, version, applied.name);
    auto const found = known.find(key);
    if (found == known.end())
      return Error{Code::conflict,
                   fmt::format("schema {} has migration {}, which this program does not know: the "
                               "database is newer; run the newer version of the program",
                               service, label)};
    if (found->second->checksum != applied.checksum)
      return Error{Code::conflict,
                   fmt::format("migration {} was changed after it had been applied to schema {}; "
                               "restore the file and put the change into a new migration",
                               label, service)};
  }
  return ok();
}

Status apply(Session& session, Step const& step) {
  auto sql = prepare_script(step.migration->sql, {step.service, service_role(step.service)});
  auto status = sql ? ok() : Status(sql.error());
  if (status)
    status = session.transaction(
        {{fmt::format("SET LOCAL ROLE {}", identifier(owner_role)), {}},
         {fmt::format("SET LOCAL search_path = {}", identifier(step.service)), {}},
         {*sql, {}},
         {"INSERT INTO lepton_meta.migration (schema, origin, version, name, sha256) "
          "VALUES ($1, $2, $3, $4, $5)",
          {step.service, step.migration->schema, std::to_string(step.migration->version),
           step.migration->name, step.checksum}}});
  if (status) return status;
  return Error{status.error().code, fmt::format("migration {} for schema {} was not applied: {}",
                                                step.label(), step.service, status.error().what)};
}

Status check_names(std::vector<std::string> const& services) {
  for (auto const& service : services) {
    auto const fits = !service.empty() && service.size() <= 40 &&
                      std::all_of(service.begin(), service.end(),
                                  [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    if (!fits || service == platform_folder)
      return Error{Code::invalid, fmt::format("'{}' cannot be a service's name", service)};
  }
  return ok();
}

}  // namespace

Result<MigrationReport> migrate(Secret<std::string> const& admin_url,
                                std::vector<Migration> const& migrations,
                                std::vector<std::string> const& services) {
  if (auto status = check_names(services); !status) return status.error();
  auto session = Session::open(admin_url);
  if (!session) return session.error();
  if (session->server_major() < oldest_major)
    return Error{Code::invalid,
                 fmt::format("the server is PostgreSQL {}, but {} or newer is needed",
                             session->server_major(), oldest_major)};
  if (auto status = prepare(*session, services); !status) return status.error();
  auto const history = read_history(*session);
  if (!history) return history.error();
  auto const steps = steps_of(migrations, services);
  if (auto status = check_history(*history, steps, services); !status) return status.error();

  MigrationReport report;
  for (auto const& step : steps) {
    if (history->contains(key_of(step))) {
      ++report.already_applied;
      continue;
    }
    if (auto status = apply(*session, step); !status) return status.error();
    report.applied.push_back(fmt::format("{}: {}", step.service, step.label()));
  }
  return report;
}

}  // namespace lepton::postgres
