#pragma once
// The next version of the vault: secrets have notes, which people put with a value or alone, and
// whoever resolves secrets hears which versions these are. A column more in a table that this
// version writes, too (notes.sql). One thread, that of its system.

#include <map>
#include <string>

#include "services/vault/vault.hpp"
#include "tests/process/next/secret_note.hpp"

namespace lepton::vault {

class NotedVault final : public Vault {
 public:
  explicit NotedVault(Settings settings);

  void restore(actor::Rows const& rows) override;

 private:
  Result<SecretInfo> put_noted(SecretPut const& m, Context& c);
  Result<SecretInfo> note(SecretNote const& m, Context& c);
  Result<SecretValue> get_noted(SecretGet const& m, Context& c);
  Result<SecretPage> list_noted(SecretList const& m, Context& c);
  Result<SecretsResolved> resolve_noted(SecretResolve const& m, Context& c);
  Result<SecretInfo> noted(SecretInfo info) const;
  void store(std::string const& path, Context& c);

  std::map<std::string, std::string> notes_;  // by path
};

}  // namespace lepton::vault
