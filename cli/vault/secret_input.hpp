#pragma once
// Where secret values come from and how secrets are named here. One thread.

#include <string>

#include "cli/shell.hpp"
#include "common/base/secret.hpp"

namespace lepton::cli {

// "ml/hf", "vault://ml/hf" and "secret/ml/hf" all mean secret/ml/hf. invalid: outside the grammar
// of paths.
Result<std::string> secret_path(std::string const& named);
// What people write: without "secret/".
std::string secret_name(std::string const& path);

// The content of the file; else what standard input holds, or, where a person sits, what is typed
// without being shown. One line feed at the end does not count. invalid: nothing, or above 64 KiB.
Result<Secret<>> read_secret(Shell& shell, std::string const& what, std::string const& file);

}  // namespace lepton::cli
