#include "cli/output/emit.hpp"

#include "common/codec/json.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::cli {

std::string formed(Format format, bool colour, codec::Tree const& answer, Table const& table) {
  switch (format) {
    case Format::json:
      return codec::json_text(answer, 2) + "\n";
    case Format::yaml:
      return codec::yaml_text(answer);
    case Format::name:
      return table.names();
    case Format::table:
    case Format::unknown:
      return table.text(colour);
  }
  return "";
}

}  // namespace lepton::cli
