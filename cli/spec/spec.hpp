#pragma once
// A spec file to the JobSpec of the wire. Errors: invalid, as "line N: FIELD: what is wrong, what
// to write instead". Pure except read_spec(). One thread.

#include <functional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/codec/tree.hpp"
#include "schemas/values.hpp"

namespace lepton::cli {

// The content of a file beside the spec.
using SpecFileReader = std::function<Result<std::string>(std::string const& name)>;

// In command and env, ${SPEC_DIR} becomes `folder`, so that a spec can name files that lie beside
// it, and ${SPEC_FILE:NAME} the content of such a file, so that a short program travels with its
// job.
Result<JobSpec> parse_spec(std::string_view yaml, std::string const& folder,
                           SpecFileReader const& read);

// The same from what YAML gave; a service's task is read by it, too.
Result<JobSpec> spec_of_tree(codec::Tree tree, std::string const& folder,
                             SpecFileReader const& read);

// A spec file that was found. "-" is standard input, whose folder is the current one.
struct SpecSource {
  std::string name;  // for errors
  std::string content;
  std::string folder;
  SpecFileReader read;
};
Result<SpecSource> open_spec(std::string const& path);

// "-" is standard input, whose folder is the current one. Errors name the file.
Result<JobSpec> read_spec(std::string const& path);

}  // namespace lepton::cli
