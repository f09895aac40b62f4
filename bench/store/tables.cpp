#include "bench/store/tables.hpp"

#include <fmt/format.h>

#include "bench/database/database.hpp"

namespace lepton::bench {
namespace {

store::Table table(std::string_view name) {
  using store::ColumnType;
  return {name,
          {{"stream", ColumnType::text, true},
           {"seq", ColumnType::bigint, true},
           {"topic", ColumnType::text},
           {"actor", ColumnType::text},
           {"at_ms", ColumnType::bigint},
           {"body", ColumnType::bytes}},
          {0, 1}};
}

std::string definition(std::string_view name) {
  return fmt::format(
      "CREATE TABLE {0} (stream text, seq bigint, topic text NOT NULL, actor text NOT NULL, "
      "at_ms bigint NOT NULL, body bytea NOT NULL, PRIMARY KEY (stream, seq));"
      "CREATE INDEX {0}_topic ON {0} (topic, at_ms); CREATE INDEX {0}_actor ON {0} (actor, at_ms);",
      name);
}

}  // namespace

store::Table const ours = table("ours"), theirs = table("theirs");

Status create_tables(Secret<std::string> const& url) {
  return create_schemas(url, {{schema, definition("ours") + definition("theirs")}});
}

store::Cells row(std::int64_t number) {
  std::string body(200, '\0');
  auto bits = static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15u + 1;
  for (auto& c : body) {
    bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
    c = static_cast<char>(bits);
  }
  return {std::string("audit"),
          number,
          fmt::format("deployer.job.{}", number % 17),
          fmt::format("user-{}@example.org", number % 101),
          std::int64_t{1'790'000'000'000} + number,
          Bytes{std::move(body)}};
}

}  // namespace lepton::bench
