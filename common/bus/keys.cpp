#include "common/bus/keys.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "common/base/fd.hpp"
#include "common/crypto/encode.hpp"

namespace lepton::bus {
namespace {

constexpr std::size_t key_octets = 32;
constexpr std::size_t key_characters = 40;
constexpr std::size_t file_size_max = 256;
constexpr mode_t others = S_IRWXG | S_IRWXO;

using EvpKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Error failed(std::string const& doing, std::string const& path) {
  return {Code::unavailable, doing + " " + path + " failed: " + std::strerror(errno)};
}

// X25519 (RFC 7748) of the secret and the base point, as CURVE defines a public key.
KeyPair pair_of(Secret<std::string> const& secret) {
  auto const* const octets = reinterpret_cast<unsigned char const*>(secret.reveal().data());
  EvpKey const key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, octets, key_octets),
                   &EVP_PKEY_free);
  std::array<unsigned char, key_octets> shared{};
  std::size_t size = shared.size();
  LEPTON_CHECK(key && EVP_PKEY_get_raw_public_key(key.get(), shared.data(), &size) == 1,
               "OpenSSL must know X25519");
  return {crypto::z85({reinterpret_cast<char const*>(shared.data()), size}),
          Secret<std::string>(crypto::z85(secret.reveal()))};
}

Result<Secret<std::string>> read_private(std::string const& path) {
  Fd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return Error{Code::not_found, "there is no key file " + path};
  if (!file) return failed("reading key file", path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return failed("reading key file", path);
  if (!S_ISREG(info.st_mode)) return Error{Code::invalid, "key file " + path + " is no plain file"};
  if ((info.st_mode & others) != 0)
    return Error{Code::denied, "key file " + path +
                                   " can be read or changed by other users; if nobody did, run "
                                   "'chmod 600 " +
                                   path + "', else make a new key"};
  // Root, who may read and change every file anyhow, keeps those of a stack that others run.
  if (info.st_uid != ::geteuid() && info.st_uid != 0 && ::geteuid() != 0)
    return Error{Code::denied, "key file " + path + " belongs to another user; use your own"};
  std::string text(file_size_max + 1, '\0');
  auto const got = ::read(file.get(), text.data(), text.size());
  if (got < 0) return failed("reading key file", path);
  Secret<std::string> content(text.substr(0, std::size_t(got)));
  wipe(text.data(), text.size());
  return content;
}

Status write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    auto const n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{Code::unavailable, std::strerror(errno)};
    text.remove_prefix(std::size_t(n));
  }
  if (::fsync(fd) != 0) return Error{Code::unavailable, std::strerror(errno)};
  return ok();
}

}  // namespace

std::vector<std::string> keys_in(std::string_view text) {
  auto const gap = text.find(' ');
  std::vector<std::string> keys{std::string(text.substr(0, gap))};
  if (gap != std::string_view::npos) keys.emplace_back(text.substr(gap + 1));
  for (auto const& key : keys)
    if (!legal_key(key)) return {};
  return keys;
}

bool legal_key(std::string_view z85) {
  return z85.size() == key_characters && crypto::from_z85(z85).has_value();
}

KeyPair create_keys(crypto::Entropy& entropy) {
  return pair_of(entropy.secret(key_octets));
}

Result<KeyPair> keys_from_secret(std::string_view secret_z85) {
  auto octets = crypto::from_z85(secret_z85);
  if (!octets || octets->size() != key_octets)
    return Error{Code::invalid, "a secret key has 40 characters of Z85"};
  return pair_of(Secret<std::string>(std::move(*octets)));
}

Status write_keys(std::string const& path, KeyPair const& keys) {
  Secret<std::string> const text("public " + keys.public_key + "\nsecret " +
                                 keys.secret_key.reveal() + "\n");
  auto const draft = path + "." + std::to_string(::getpid()) + ".new";
  Fd const file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file) return failed("writing key file", draft);
  auto const written = write_whole(file.get(), text.reveal());
  // A link, unlike a rename, never replaces what is there.
  bool const placed = written && ::link(draft.c_str(), path.c_str()) == 0;
  bool const taken = written && !placed && errno == EEXIST;
  auto const problem = failed("writing key file", path);
  ::unlink(draft.c_str());
  if (placed) return ok();
  if (taken)
    return Error{Code::conflict,
                 "key file " + path + " exists; move it away first if it is not needed"};
  return written ? problem
                 : Error{Code::unavailable, problem.what + " (" + written.error().what + ")"};
}

Result<KeyPair> read_keys(std::string const& path) {
  auto const content = read_private(path);
  if (!content) return content.error();
  std::string_view const text = content->reveal();
  constexpr std::string_view first = "public ", second = "\nsecret ";
  constexpr auto size = first.size() + second.size() + 2 * key_characters + 1;
  auto const secret_at = first.size() + key_characters + second.size();
  bool const shaped = text.size() == size && text.starts_with(first) && text.back() == '\n' &&
                      text.substr(first.size() + key_characters, second.size()) == second;
  auto keys =
      shaped ? keys_from_secret(text.substr(secret_at, key_characters)) : Result<KeyPair>(Error{});
  if (!keys || keys->public_key != text.substr(first.size(), key_characters))
    return Error{Code::invalid, "key file " + path +
                                    " is damaged; restore it from a copy, or remove it and make a "
                                    "new key that others must then be told of"};
  return keys;
}

Result<KeyPair> read_or_create_keys(std::string const& path, crypto::Entropy& entropy) {
  auto keys = read_keys(path);
  if (keys || keys.error().code != Code::not_found) return keys;
  auto made = create_keys(entropy);
  if (auto written = write_keys(path, made); !written) {
    // Another process may have been first; then its key counts.
    if (written.error().code == Code::conflict) return read_keys(path);
    return written.error();
  }
  return made;
}

}  // namespace lepton::bus
