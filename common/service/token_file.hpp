#pragma once
// TokenFile: the token of a program that dials out, read from its file at the start and again
// whenever the file was replaced, so that a renewed token needs no restart. One thread.

#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace lepton::service {

class TokenFile {
 public:
  // Errors: not_found, denied, invalid (empty).
  static Result<TokenFile> open(std::string path);

  Secret<std::string> const& token() const { return token_; }
  // True: it was replaced and read. An error leaves the earlier token; it comes once per change.
  Result<bool> look();

 private:
  explicit TokenFile(std::string path) : path_(std::move(path)) {}
  Status read();

  std::string path_;
  std::string mark_;  // which content was read: number, size and time of the file
  Secret<std::string> token_;
};

}  // namespace lepton::service
