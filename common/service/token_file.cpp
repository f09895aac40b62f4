#include "common/service/token_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "common/base/text.hpp"
#include "common/service/config.hpp"

namespace lepton::service {
namespace {

// Empty: it is not there.
std::string mark_of(std::string const& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "";
  return fmt::format("{} {} {}.{}", info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

}  // namespace

Result<TokenFile> TokenFile::open(std::string path) {
  TokenFile file(std::move(path));
  file.mark_ = mark_of(file.path_);
  if (auto read = file.read(); !read) return read.error();
  return file;
}

Result<bool> TokenFile::look() {
  auto mark = mark_of(path_);
  if (mark.empty() || mark == mark_) return false;
  mark_ = std::move(mark);
  auto const done = read();
  return done ? Result<bool>(true) : done.error();
}

Status TokenFile::read() {
  auto text = read_small_file(path_);
  if (!text) return text.error();
  Secret<std::string> token{std::string(text::trim(*text))};
  wipe(text->data(), text->size());
  if (token.reveal().empty()) return Error{Code::invalid, path_ + " holds no token"};
  token_ = std::move(token);
  return ok();
}

}  // namespace lepton::service
