#include "services/node/runner/docker/image_access.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/crypto/entropy.hpp"
#include "common/crypto/hash.hpp"
#include "services/node/runner/files.hpp"
#include "services/node/runner/record.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t kept_max = 8, salt_size = 16, hash_size = 32;
constexpr std::uint64_t cost = 1 << 14, block = 8, lanes = 1, memory_max = 64 << 20;

std::string hash_of(Secret<> const& credentials, std::string const& salt) {
  auto const& text = credentials.reveal();
  std::string hash(hash_size, '\0');
  auto const done = EVP_PBE_scrypt(
      text.data(), text.size(), reinterpret_cast<unsigned char const*>(salt.data()), salt.size(),
      cost, block, lanes, memory_max, reinterpret_cast<unsigned char*>(hash.data()), hash.size());
  return done == 1 ? hash : "";
}

// "SALT:HASH", both in hex.
bool matches(std::string const& entry, Secret<> const& credentials) {
  auto const colon = entry.find(':');
  auto const salt = text::unhex(entry.substr(0, colon));
  auto const hash = colon == entry.npos ? std::nullopt : text::unhex(entry.substr(colon + 1));
  if (!salt || !hash || hash->size() != hash_size) return false;
  auto const mine = hash_of(credentials, *salt);
  return mine.size() == hash_size && CRYPTO_memcmp(mine.data(), hash->data(), hash_size) == 0;
}

// Without tag and digest.
std::string repository_of(std::string const& name) {
  auto const whole = name.substr(0, name.find('@'));
  auto const slash = whole.rfind('/');
  return whole.substr(0, whole.find(':', slash == whole.npos ? 0 : slash));
}

Result<std::vector<std::string>> entries_in(std::string const& path) {
  auto const text = read_file(path, Record::size_max);
  if (!text) return text.error();
  auto const record = Record::decode(*text);
  if (!record) return record.error();
  return record->all("opened_by");
}

}  // namespace

// A name of its own alphabet, whatever the engine calls the image.
std::string ImageAccess::path_of(std::string const& image) const {
  return folder_ + "/" + text::hex(crypto::view(crypto::sha256(image)));
}

std::string ImageAccess::doubt_of(std::string const& name) const {
  return path_of("pull of " + repository_of(name));
}

Status ImageAccess::begin_pull(std::string const& name) {
  if (auto made = make_folder(folder_, 0700); !made) return made;
  return replace_file(doubt_of(name), "");
}

void ImageAccess::end_pull(std::string const& name) {
  ::unlink(doubt_of(name).c_str());
}

bool ImageAccess::is_in_doubt(std::string const& name) const {
  return ::access(doubt_of(name).c_str(), F_OK) == 0;
}

void ImageAccess::note_open(std::string const& image) {
  ::unlink(path_of(image).c_str());
}

bool ImageAccess::is_noted(std::string const& image) const {
  return ::access(path_of(image).c_str(), F_OK) == 0;
}

bool ImageAccess::may_use(std::string const& image, Secret<> const& credentials) const {
  auto const entries = entries_in(path_of(image));
  if (!entries) return entries.error().code == Code::not_found;
  return !credentials.empty() &&
         std::any_of(entries->begin(), entries->end(),
                     [&](auto const& entry) { return matches(entry, credentials); });
}

Status ImageAccess::note(std::string const& image, Secret<> const& credentials) {
  if (auto made = make_folder(folder_, 0700); !made) return made;
  auto const before = entries_in(path_of(image));
  auto entries = before ? *before : std::vector<std::string>();
  for (auto const& entry : entries)
    if (matches(entry, credentials)) return ok();
  crypto::SystemEntropy entropy;
  auto const salt = entropy.bytes(salt_size);
  entries.push_back(text::hex(salt) + ":" + text::hex(hash_of(credentials, salt)));
  Record record;
  for (std::size_t i = entries.size() > kept_max ? 1 : 0; i < entries.size(); ++i)
    record.put("opened_by", entries[i]);
  return replace_file(path_of(image), record.encode());
}

}  // namespace lepton::node
