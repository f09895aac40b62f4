// Secrets: put, get, and the values for one attempt of a job.

#include "common/base/planted.hpp"
#include "services/vault/vault.hpp"

namespace lepton::vault {
namespace {

SecretInfo info_of(std::string const& path, SecretVersion const& v) {
  return {path, v.version, v.created_at_ms, v.created_by};
}

SecretVersionRow row_of(std::string const& path, SecretVersion const& v) {
  return {path, v.version, v.created_at_ms, v.created_by, v.sealed};
}

}  // namespace

Result<Secret<>> Vault::open_value(std::string const& path, SecretVersion const& version) const {
  return decrypt(*keyring_, {std::string(tenant), path, version.version}, version.sealed.data);
}

Result<SecretInfo> Vault::put(SecretPut const& m, Context& c) {
  if (auto open = need_open(); !open) return open.error();
  if (auto good = check_secret_path(m.path); !good) return good.error();
  auto const known = secrets_.find(m.path);
  if (known == secrets_.end() && secrets_.size() >= settings_.secrets_max)
    return Error{Code::exhausted, "the vault holds 100,000 secrets, which is its limit"};
  auto record = known == secrets_.end() ? SecretRecord{m.path, 0, {}} : known->second;
  auto const number = next_version(record, m.value.reveal().size(), m.expected);
  if (!number) return number.error();
  auto const nonce = c.entropy().array<std::tuple_size_v<crypto::SealNonce>>();
  Place const place{std::string(tenant), m.path, *number};
  SecretVersion const version{*number, c.wall(), c.caller().name,
                              Bytes{encrypt(*keyring_, place, nonce, m.value.reveal())}};
  auto const before = record.versions;
  add_version(record, version);
  c.upsert(SecretRow{m.path, record.latest});
  c.append(row_of(m.path, version));
  for (auto const& old : before)
    if (old.version < record.versions.front().version) c.erase(row_of(m.path, old));
  secrets_[m.path] = std::move(record);
  if (planted("secret_in_audit")) c.note("value", m.value.reveal());
  c.note("version", std::to_string(*number));
  return info_of(m.path, version);
}

Result<SecretValue> Vault::get(SecretGet const& m, Context& c) {
  if (auto open = need_open(); !open) return open.error();
  auto const known = secrets_.find(m.path);
  if (known == secrets_.end())
    return Error{Code::not_found,
                 "there is no secret " + m.path + "; `lepton secret list` shows all"};
  auto const version = get_version(known->second, m.version);
  if (!version) return version.error();
  auto value = open_value(m.path, *version);
  if (!value) return value.error();
  c.note("version", std::to_string(version->version));
  return SecretValue{info_of(m.path, *version), std::move(*value)};
}

Result<SecretPage> Vault::list(SecretList const& m, Context&) {
  // An empty prefix names no path that the gate could have been asked about.
  if (m.prefix.empty())
    return Error{Code::invalid, "prefix: give a path, for example secret or secret/ml"};
  SecretPage page;
  for (auto const& [path, record] : secrets_) {
    auto const inside = path == m.prefix || path.starts_with(m.prefix + "/");
    if (inside && !record.versions.empty())
      page.secrets.push_back(info_of(path, record.versions.back()));
  }
  return page;
}

Result<SecretRemoved> Vault::remove(SecretRemove const& m, Context& c) {
  auto const known = secrets_.find(m.path);
  if (known == secrets_.end()) return Error{Code::not_found, "there is no secret " + m.path};
  auto const before = known->second.versions;
  if (auto removed = remove_versions(known->second); !removed) return removed.error();
  for (auto const& version : before) c.erase(row_of(m.path, version));
  return SecretRemoved{m.path};
}

// With the rights of the person who submitted, as they are now; a revoked token has none.
Status Vault::may_read(OnBehalf const& who, std::map<std::string, std::string> const& secrets,
                       Context& c) {
  c.on_behalf(who.subject);
  if (c.caller().door == actor::Door::peer && c.caller().name != "deployer")
    return Error{Code::denied, "only the deployer resolves secrets for work"};
  if (auto open = need_open(); !open) return open;
  if (auto const token = tokens_.find(who.token); token != tokens_.end() && token->second.revoked)
    return Error{Code::denied, "the token that the job was submitted with has been revoked"};
  for (auto const& [name, text] : secrets) {
    c.acts_on(text);
    auto const path = access::ResourcePath::parse(text);
    if (!path) return Error{Code::invalid, "secrets: " + name + ": " + path.error().what};
    if (!policy_set_.decide(who.subject, who.policies, *path, Verb::read).allowed)
      return Error{Code::denied,
                   "secrets: " + name + ": " +
                       policy_set_.explain(who.subject, who.policies, *path, Verb::read)};
    auto const known = secrets_.find(text);
    if (known == secrets_.end() || known->second.versions.empty())
      return Error{Code::not_found, "secrets: " + name + ": there is no secret " + text +
                                        "; put it with `lepton secret put " + text + "`"};
  }
  return ok();
}

Result<SecretsChecked> Vault::check(SecretCheck const& m, Context& c) {
  if (auto allowed = may_read(m.who, m.secrets, c); !allowed) return allowed.error();
  return SecretsChecked{static_cast<std::uint32_t>(m.secrets.size())};
}

// The entries are durable before the answer leaves, as every answer waits for its rows.
Result<SecretsResolved> Vault::resolve(SecretResolve const& m, Context& c) {
  if (auto allowed = may_read(m.who, m.secrets, c); !allowed) return allowed.error();
  SecretsResolved resolved;
  for (auto const& [name, path] : m.secrets) {
    auto value = open_value(path, secrets_.at(path).versions.back());
    if (!value) return value.error();
    resolved.values[name] = std::move(*value);
  }
  for (auto const& [name, path] : m.secrets) {
    AuditEvent read;
    read.actor = m.who.subject;
    read.action = SecretResolve::topic;
    read.resource = path;
    read.outcome = AuditOutcome::done;
    read.request_id = c.request_id();
    read.detail = {{"attempt", m.attempt}, {"node", m.node}, {"variable", name}};
    c.audit(std::move(read));
  }
  return resolved;
}

}  // namespace lepton::vault
