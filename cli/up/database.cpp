#include "cli/up/database.hpp"

#include <algorithm>

#include "cli/context.hpp"
#include "common/base/text.hpp"
#include "common/postgres/migrate.hpp"
#include "common/postgres/roles.hpp"
#include "common/postgres/session.hpp"

namespace lepton::cli {
namespace {

Result<std::unique_ptr<postgres::EmbeddedPostgres>> start_embedded(Layout const& layout) {
  postgres::EmbeddedConfig config;
  config.data = layout.postgres_data();
  config.socket = layout.postgres_socket();
  return postgres::EmbeddedPostgres::start(std::move(config));
}

Status write_url(std::string const& path, Secret<std::string> const& url) {
  auto text = url.reveal() + "\n";
  auto written = write_private_file(path, text);
  wipe(text.data(), text.size());
  return written;
}

bool works(std::string const& url_file) {
  auto text = read_private_file(url_file);
  if (!text) return false;
  Secret<std::string> const url{std::string(text::trim(*text))};
  wipe(text->data(), text->size());
  return postgres::Session::open(url).has_value();
}

bool logins_work(Layout const& layout, std::vector<std::string> const& services) {
  return works(layout.reader_url()) &&
         std::all_of(services.begin(), services.end(),
                     [&](std::string const& service) { return works(layout.url(service)); });
}

}  // namespace

Result<Database> Database::open(Layout const& layout, std::string const& url_file) {
  Database database;
  if (url_file.empty()) {
    auto server = start_embedded(layout);
    if (!server) return server.error();
    database.server_ = std::move(*server);
    database.admin_url_ = Secret<std::string>(database.server_->admin_url());
    return database;
  }
  auto text = read_private_file(url_file);
  if (!text) return text.error();
  database.admin_url_ = Secret<std::string>(std::string(text::trim(*text)));
  wipe(text->data(), text->size());
  return database;
}

Result<std::vector<std::string>> Database::prepare(Layout const& layout) {
  auto const folder = find_migrations();
  if (!folder) return folder.error();
  auto const migrations = postgres::read_migrations(*folder);
  if (!migrations) return migrations.error();
  auto const services = service_names();
  auto report = postgres::migrate(admin_url_, *migrations, services);
  if (!report) return report.error();
  if (layout.apart && logins_work(layout, services)) return std::move(report->applied);
  crypto::SystemEntropy entropy;
  auto const urls = postgres::issue_urls(admin_url_, services, entropy);
  if (!urls) return urls.error();
  for (auto const& service : services)
    if (auto written = write_url(layout.url(service), urls->at(postgres::service_role(service)));
        !written)
      return written.error();
  if (auto written = write_url(layout.reader_url(), urls->at(postgres::reader_role)); !written)
    return written.error();
  return std::move(report->applied);
}

std::optional<int> Database::exited() {
  return server_ ? server_->exited() : std::nullopt;
}

Status Database::restart(Layout const& layout) {
  server_.reset();
  auto server = start_embedded(layout);
  if (!server) return server.error();
  server_ = std::move(*server);
  return ok();
}

Status Database::stop() {
  if (!server_) return ok();
  auto stopped = server_->stop();
  server_.reset();
  return stopped;
}

std::string Database::log_tail() const {
  return server_ ? server_->log_tail() : "";
}

}  // namespace lepton::cli
