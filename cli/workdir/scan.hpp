#pragma once
// Reads a working folder: which files it sends, and what is in them. Links are never followed.
// Blocking; one thread.

#include <functional>
#include <string>

#include "common/base/result.hpp"
#include "schemas/workdir.hpp"

namespace lepton::cli {

// The files to send, with their sizes; no chunks. `invalid` names what cannot be sent and why,
// `exhausted` the limit.
Result<FolderManifest> list_folder(std::string const& root);

// Reads all contents once and cuts them: sizes become what was read.
Status cut_folder(std::string const& root, FolderManifest& folder);

// Reads all contents again and gives the wanted chunks, in order. `conflict`: the folder has
// changed meanwhile.
using TakeChunk = std::function<Status(std::size_t place, std::string data)>;
Status read_chunks(std::string const& root, FolderManifest const& folder,
                   std::vector<std::uint32_t> const& wanted, TakeChunk const& take);

}  // namespace lepton::cli
