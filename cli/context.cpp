#include "cli/context.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/base/fd.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::cli {
namespace {

constexpr std::size_t file_bytes_max = 1u << 20;

std::string environment(char const* name) {
  auto const* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Error failed(std::string const& doing, std::string const& path) {
  return {Code::unavailable, "cannot " + doing + " " + path + ": " + std::strerror(errno)};
}

// A relative path means: beside the context file.
void anchor(std::string& path, std::string const& folder) {
  if (!path.empty() && path.front() != '/') path = folder + "/" + path;
}

Status write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    auto const n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{Code::unavailable, std::strerror(errno)};
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return Error{Code::unavailable, std::strerror(errno)};
  return ok();
}

Status make_folder(std::string const& folder) {
  std::error_code error;
  bool const fresh = std::filesystem::create_directories(folder, error);
  if (error) return Error{Code::unavailable, "cannot make " + folder + ": " + error.message()};
  if (fresh) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  return ok();
}

}  // namespace

std::string folder_of(std::string const& path) {
  auto const slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string default_context_path() {
  if (auto path = environment("LEPTON_CONTEXT"); !path.empty()) return path;
  if (auto state = environment("LEPTON_STATE"); !state.empty()) return state + "/client.yaml";
  if (::geteuid() == 0) return "/var/lib/lepton/client.yaml";
  if (auto config = environment("XDG_CONFIG_HOME"); !config.empty())
    return config + "/lepton/client.yaml";
  return environment("HOME") + "/.config/lepton/client.yaml";
}

Result<ClientContext> read_context(std::string const& path) {
  auto const content = read_private_file(path);
  if (!content && content.error().code == Code::not_found)
    return Error{Code::unavailable, "the control plane is not set up here (there is no " + path +
                                        "): run `lepton up`, or name the file by LEPTON_CONTEXT"};
  if (!content) return content.error();
  auto context = codec::from_yaml<ClientContext>(*content);
  if (!context) return Error{Code::invalid, path + ": " + context.error().what};
  for (auto* file : {&context->keys_file, &context->token_file, &context->root_key_file,
                     &context->audit_reader_url_file})
    anchor(*file, folder_of(path));
  return context;
}

Status write_context(std::string const& path, ClientContext const& context) {
  return write_private_file(path, codec::to_yaml(context));
}

Result<std::string> read_private_file(std::string const& path) {
  Fd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return Error{Code::not_found, "there is no file " + path};
  if (!file && errno == EACCES)
    return Error{Code::denied, "you may not read " + path + "; use an account that may, or `sudo`"};
  if (!file) return failed("read", path);
  std::string content;
  for (char part[4096];;) {
    auto const n = ::read(file.get(), part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("read", path);
    if (n == 0) return content;
    content.append(part, static_cast<std::size_t>(n));
    if (content.size() > file_bytes_max)
      return Error{Code::invalid, path + " is larger than 1 MiB; is it the right file?"};
  }
}

Status write_private_file(std::string const& path, std::string const& content) {
  if (auto made = make_folder(folder_of(path)); !made) return made;
  auto const draft = path + "." + std::to_string(::getpid()) + ".new";
  Status written = ok();
  {
    Fd const file(
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return failed("write", draft);
    if (::fchmod(file.get(), 0600) != 0) return failed("protect", draft);
    written = write_all(file.get(), content);
  }
  if (written && ::rename(draft.c_str(), path.c_str()) == 0) return ok();
  auto const problem =
      written ? failed("write", path)
              : Error{Code::unavailable, "cannot write " + path + ": " + written.error().what};
  ::unlink(draft.c_str());
  return problem;
}

}  // namespace lepton::cli
