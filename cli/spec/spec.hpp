#pragma once
// A spec file to the JobSpec of the wire. Errors: invalid, as "line N: FIELD: what is wrong, what
// to write instead". Pure except read_spec(). One thread.

#include <functional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "schemas/values.hpp"

namespace lepton::cli {

// ${SPEC_DIR} in command and env becomes `folder`, so that a spec can name files that lie beside
// it.
Result<JobSpec> parse_spec(std::string_view yaml, std::string const& folder);

// "-" is standard input, whose folder is the current one. Errors name the file.
Result<JobSpec> read_spec(std::string const& path);

}  // namespace lepton::cli
