#pragma once
// Small file operations of the runner, as values: every failure is an Error whose text names the
// file and the reason. Blocking; called by the node's worker thread and by the runner program.

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/fd.hpp"
#include "common/base/result.hpp"

namespace lepton::node {

// What went wrong with a file, by errno: a full disk is `exhausted`.
Error file_error(std::string_view doing, std::string_view path, int error);

Result<std::string> read_file(std::string const& path, std::size_t size_max);

// The whole text or an error; retries interrupted and partial writes.
Status write_all(int fd, std::string_view text, std::string_view path);

// Atomic: a reader sees the old content or the new; when durable, also after a power cut.
enum class Durable : bool { no, yes };
Status replace_file(std::string const& path, std::string_view text, Durable durable = Durable::yes);

// Like replace_file, but only the first writer wins: `conflict` when the file exists.
Status create_file_once(std::string const& path, std::string_view text);

// A file of `size` bytes whose blocks are taken now, to be filled and renamed over `path` later by
// `spend_reserve`: that works on a full disk too. The text is padded with empty lines.
Status reserve_file(std::string const& reserve, std::size_t size);
Status spend_reserve(std::string const& reserve, std::size_t size, std::string const& path,
                     std::string_view text);

// The same, but only the first writer of `path` wins, as with create_file_once.
Status spend_reserve_once(std::string const& reserve, std::size_t size, std::string const& path,
                          std::string_view text);

// Exists already: fine. The mode holds whatever the umask is.
Status make_folder(std::string const& path, unsigned mode);

// Removes the folder and all in it; fine when it is gone already.
Status remove_tree(std::string const& path);

// The folder and all in it get this owner, the folder itself last; links are not followed. For a
// tree that nobody else can reach yet.
Status give_tree(std::string const& path, unsigned uid, unsigned gid);

// The kernel's id of this life of the machine.
std::string boot_id();

}  // namespace lepton::node
