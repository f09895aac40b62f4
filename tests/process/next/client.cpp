// What the next version's command line would add, for next_version.py: put with a note, a note
// alone; and its migration, under a control plane that runs. Prints the note of the answer, or the
// migrations that were applied.
//
// usage: lepton-next put PATH NOTE < VALUE | note PATH NOTE | migrate SOCKET SQL-FOLDER

#include <cstdio>
#include <iostream>
#include <iterator>

#include "cli/connect.hpp"
#include "common/base/text.hpp"
#include "common/postgres/migrate.hpp"
#include "common/postgres/session.hpp"
#include "tests/process/next/secret_note.hpp"

namespace lepton {
namespace {

using Words = std::vector<std::string>;

template <class M>
Result<std::string> ask(M const& message) {
  auto const info = cli::ask(cli::Shell{}, cli::Service::vault, message);
  if (!info) return info.error();
  return info->note;
}

Result<std::string> migrate(Words const& words) {
  auto const migrations = postgres::read_migrations(words[2]);
  if (!migrations) return migrations.error();
  Secret<std::string> const url(postgres::session_url(words[1], "lepton_admin", "lepton"));
  auto const report = postgres::migrate(url, *migrations, {"vault"});
  if (!report) return report.error();
  return text::join(report->applied, "\n");
}

Result<std::string> run(Words const& words) {
  auto const verb = words.empty() ? "" : words[0];
  if (verb == "put" && words.size() == 3) {
    SecretPut request;
    request.path = words[1];
    request.value = Secret<>(std::string{std::istreambuf_iterator<char>(std::cin), {}});
    request.note = words[2];
    return ask(request);
  }
  if (verb == "note" && words.size() == 3) return ask(SecretNote{words[1], words[2]});
  if (verb == "migrate" && words.size() == 3) return migrate(words);
  return Error{Code::invalid, "put PATH NOTE, note PATH NOTE or migrate SOCKET FOLDER"};
}

}  // namespace
}  // namespace lepton

int main(int argc, char** argv) {
  auto const done = lepton::run({argv + 1, argv + argc});
  if (done) return std::puts(done->c_str()) < 0 ? 1 : 0;
  std::fprintf(stderr, "%s\n", done.error().what.c_str());
  return lepton::cli::exit_status(done.error().code);
}
