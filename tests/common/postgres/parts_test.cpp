#include <gtest/gtest.h>
#include <signal.h>

#include "common/postgres/binaries.hpp"
#include "common/postgres/process.hpp"
#include "common/postgres/scram.hpp"
#include "common/postgres/script.hpp"
#include "tests/common/postgres/fixture.hpp"

namespace lepton::postgres {
namespace {

ScriptNames const names{"vault", "lepton_vault"};

std::string prepared(std::string_view sql) {
  auto result = prepare_script(sql, names);
  return result ? *result : "refused: " + result.error().what;
}

TEST(Script, replaces_the_two_placeholders_with_quoted_names) {
  EXPECT_EQ(prepared("GRANT SELECT ON :schema.t TO :service_role;"),
            "GRANT SELECT ON \"vault\".t TO \"lepton_vault\";");
  EXPECT_EQ(prepared("DO $x$ BEGIN PERFORM 1 FROM :schema.t; END $x$;"),
            "DO $x$ BEGIN PERFORM 1 FROM \"vault\".t; END $x$;");
  EXPECT_EQ(*prepare_script(":schema", {"a\"b", ""}), "\"a\"\"b\"");
}

TEST(Script, leaves_everything_else_as_it_is) {
  for (std::string const sql :
       {"SELECT ':schema', E'\\':schema', \":schema\"", "-- it's :schema\nSELECT 1",
        "/* :schema /* it's nested */ :schema */ SELECT 1", "SELECT 1::schema", "x := 1",
        "SELECT :schemas, :other", "SELECT 'it''s; COMMIT'", "SELECT $1, a$b$c", ""})
    EXPECT_EQ(prepared(sql), sql);
}

TEST(Script, refuses_transaction_control_and_open_quotes) {
  for (std::string const sql : {"COMMIT", "SELECT 1; commit;", "/* x */ Begin; SELECT 1",
                                "SELECT 1;\n-- y\nROLLBACK", "START TRANSACTION", "DO $$ never"})
    EXPECT_FALSE(prepare_script(sql, names)) << sql;
}

// RFC 7677, section 3: user "user", password "pencil"; the keys follow from its signatures.
TEST(Scram, gives_the_verifier_of_the_rfc) {
  std::string const salt = "\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81";
  EXPECT_EQ(scram_verifier(Secret<std::string>("pencil"), salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

TEST(Binaries, name_the_package_when_there_are_none) {
  TempFolder const folder;
  auto const found = find_binaries(std::nullopt, folder.path());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::not_found);
  EXPECT_NE(found.error().what.find("apt-get install postgresql"), std::string::npos);
}

TEST(Binaries, the_newest_that_is_new_enough) {
  TempFolder const folder;
  for (std::string const version : {"9.6", "14", "15", "17", "notes"})
    write_file(folder.path() / version / "bin/initdb", "");
  EXPECT_EQ(find_binaries(std::nullopt, folder.path())->major, 17);
  EXPECT_EQ(find_binaries(14, folder.path())->major, 14);
  EXPECT_FALSE(find_binaries(16, folder.path()));
}

TEST(Process, a_missing_program_a_failure_and_a_time_limit_are_errors) {
  Command command;
  command.program = "/nonexistent/program";
  EXPECT_EQ(run(command, 1000).error().code, Code::not_found);
  command.program = "/bin/sh";
  command.arguments = {"-c", "echo well; echo reason >&2; exit 3"};
  auto const failed = run(command, 10'000);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().what.find("status 3: well | reason"), std::string::npos);
  command.arguments = {"-c", "echo well"};
  EXPECT_EQ(*run(command, 10'000), "well\n");
  command.arguments = {"-c", "while :; do read x < /dev/zero; done"};
  EXPECT_EQ(run(command, 1).error().code, Code::timeout);
}

TEST(Process, a_full_disk_is_told_apart) {
  Command command;
  command.program = "/bin/sh";
  command.arguments = {"-c", "cat /dev/zero > /dev/full"};
  command.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  auto const failed = run(command, 10'000);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::exhausted);
}

TEST(Process, inherits_no_variables_and_no_descriptors) {
  Command command;
  command.program = "/usr/bin/env";
  command.environment = {"ONLY=this"};
  EXPECT_EQ(*run(command, 10'000), "ONLY=this\n");
  auto const secret = memory_file("secret", std::nullopt);
  ASSERT_TRUE(secret);
  command.program = "/bin/sh";
  command.arguments = {"-c",
                       "for f in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$f ] && echo $f; done; :"};
  EXPECT_EQ(*run(command, 10'000), "");
}

TEST(Url, a_malformed_one_is_refused_without_repeating_it) {
  auto const session = Session::open(Secret<std::string>("postgresql://u:hunter2@h/db?nonsense=1"));
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::invalid);
  EXPECT_EQ(session.error().what.find("hunter2"), std::string::npos);
}

TEST(Url, another_role_keeps_server_database_and_options) {
  Secret<std::string> const url("postgresql://admin:x@db.example:6432/lepton?sslmode=require");
  auto const other = url_for(url, "lepton_vault", Secret<std::string>("a/b&c"));
  ASSERT_TRUE(other);
  auto const environment = environment_for(*other);
  ASSERT_TRUE(environment);
  for (std::string const entry : {"PGHOST=db.example", "PGPORT=6432", "PGDATABASE=lepton",
                                  "PGSSLMODE=require", "PGUSER=lepton_vault", "PGPASSWORD=a/b&c"})
    EXPECT_NE(std::find(environment->begin(), environment->end(), entry), environment->end())
        << entry;
}

TEST(Url, an_absent_server_is_unavailable) {
  TempFolder const folder;
  auto const session =
      Session::open(Secret<std::string>(session_url(folder.path(), "lepton_admin", "lepton")));
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::unavailable);
}

}  // namespace
}  // namespace lepton::postgres
