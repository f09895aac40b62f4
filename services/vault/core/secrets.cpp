#include "services/vault/core/secrets.hpp"

#include <algorithm>
#include <limits>

#include "common/bus/access/path.hpp"

namespace lepton::vault {
namespace {

Error nothing_there(SecretRecord const& record) {
  return {Code::not_found, record.path +
                               " holds no value; list what there is with "
                               "'lepton secret list'"};
}

}  // namespace

Status check_secret_path(std::string_view path) {
  auto const parsed = access::ResourcePath::parse(path);
  if (!parsed) return parsed.error();
  if (!parsed->text().starts_with("secret/"))
    return Error{Code::invalid, parsed->text() +
                                    " is no path of a secret; it begins with secret/, for example "
                                    "secret/ml/hf"};
  return ok();
}

Result<std::uint32_t> next_version(SecretRecord const& record, std::size_t value_size,
                                   std::optional<std::uint32_t> expected) {
  if (value_size > max_value_size)
    return Error{Code::invalid, "the value has " + std::to_string(value_size) +
                                    " octets, at most " + std::to_string(max_value_size) +
                                    " are allowed; keep large data in a volume and its key here"};
  auto const now = record.versions.empty() ? 0 : record.latest;
  if (expected && *expected != now)
    return Error{Code::conflict, record.path + " is at version " + std::to_string(now) +
                                     ", not at " + std::to_string(*expected) +
                                     "; read it again and repeat the put"};
  if (record.latest == std::numeric_limits<std::uint32_t>::max())
    return Error{Code::exhausted, record.path + " has no version number left; use another path"};
  return record.latest + 1;
}

void add_version(SecretRecord& record, SecretVersion version) {
  LEPTON_CHECK(version.version == record.latest + 1, "versions of a secret rise by one");
  record.latest = version.version;
  record.versions.push_back(std::move(version));
  if (record.versions.size() > max_versions) record.versions.erase(record.versions.begin());
}

Result<SecretVersion> get_version(SecretRecord const& record,
                                  std::optional<std::uint32_t> version) {
  if (record.versions.empty()) return nothing_there(record);
  if (!version) return record.versions.back();
  for (auto const& kept : record.versions)
    if (kept.version == *version) return kept;
  return Error{Code::not_found, record.path + " has no version " + std::to_string(*version) +
                                    "; kept are " +
                                    std::to_string(record.versions.front().version) + " to " +
                                    std::to_string(record.versions.back().version)};
}

Status remove_versions(SecretRecord& record) {
  if (record.versions.empty()) return nothing_there(record);
  record.versions.clear();
  return ok();
}

}  // namespace lepton::vault
