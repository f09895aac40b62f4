#pragma once
// Preparing one SQL migration: the placeholders :schema and :service_role become quoted names, also
// inside dollar-quoted bodies, never inside '...', "..." or comments. A statement that would end
// the surrounding transaction (BEGIN, COMMIT, ROLLBACK, ...) is refused; so is the END of an
// SQL-standard function body (BEGIN ATOMIC), for which migrations use $$ bodies. Pure. Any thread.

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace lepton::postgres {

struct ScriptNames {
  std::string schema;
  std::string service_role;
};

Result<std::string> prepare_script(std::string_view sql, ScriptNames const& names);

}  // namespace lepton::postgres
