#include "common/postgres/roles.hpp"

#include <fmt/format.h>

#include "common/crypto/encode.hpp"
#include "common/postgres/scram.hpp"

namespace lepton::postgres {
namespace {

Status ensure_role(Session& session, std::string const& role, std::string_view attributes) {
  auto found = session.query({"SELECT 1 FROM pg_roles WHERE rolname = $1", {role}});
  if (!found) return found.error();
  if (!found->empty()) return ok();
  return session.execute(fmt::format("CREATE ROLE {} {}", identifier(role), attributes));
}

// An administrator that is no superuser (a managed PostgreSQL) must be a member to act as owner.
Status join_owner(Session& session) {
  auto member = session.query({"SELECT pg_has_role(current_user, $1, 'MEMBER')", {owner_role}});
  if (!member) return member.error();
  if (member->front().front() == "t") return ok();
  return session.execute(fmt::format("GRANT {} TO CURRENT_USER", identifier(owner_role)));
}

Status allow_connect(Session& session, std::vector<std::string> const& roles) {
  auto name = session.query({"SELECT current_database()", {}});
  if (!name) return name.error();
  auto const database = identifier(name->front().front().value_or(""));
  std::vector<Statement> statements{
      {fmt::format("REVOKE ALL ON DATABASE {} FROM PUBLIC", database), {}},
      {fmt::format("GRANT CREATE ON DATABASE {} TO {}", database, identifier(owner_role)), {}}};
  for (auto const& role : roles)
    statements.push_back(
        {fmt::format("GRANT CONNECT ON DATABASE {} TO {}", database, identifier(role)), {}});
  return session.transaction(statements);
}

}  // namespace

std::string service_role(std::string_view service) {
  return fmt::format("lepton_{}", service);
}

Status ensure_roles(Session& session, std::vector<std::string> const& services) {
  auto status = ensure_role(session, owner_role, "NOLOGIN");
  std::vector<std::string> roles{reader_role};
  for (auto const& service : services) roles.push_back(service_role(service));
  for (auto const& role : roles)
    if (status) status = ensure_role(session, role, "LOGIN NOINHERIT");
  if (status) status = join_owner(session);
  if (status) status = allow_connect(session, roles);
  return status;
}

Result<std::map<std::string, Secret<std::string>>> issue_urls(
    Secret<std::string> const& admin_url, std::vector<std::string> const& services,
    crypto::Entropy& entropy) {
  auto session = Session::open(admin_url);
  if (!session) return session.error();
  if (auto status = ensure_roles(*session, services); !status) return status.error();

  std::vector<std::string> roles{reader_role};
  for (auto const& service : services) roles.push_back(service_role(service));
  std::vector<Statement> statements;
  std::map<std::string, Secret<std::string>> urls;
  for (auto const& role : roles) {
    Secret<std::string> const password(crypto::base64url(entropy.bytes(24)));
    auto url = url_for(admin_url, role, password);
    if (!url) return url.error();
    urls.emplace(role, *url);
    // A verifier is base64 and '$', ':' only: nothing in it can end the quoted text.
    statements.push_back({fmt::format("ALTER ROLE {} PASSWORD '{}'", identifier(role),
                                      scram_verifier(password, entropy.bytes(16))),
                          {}});
  }
  if (auto status = session->transaction(statements); !status) return status.error();
  return urls;
}

}  // namespace lepton::postgres
