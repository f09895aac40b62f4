// The spec file of a job or a service. What is accepted must be a spec that the deployer's own
// codec can carry.

#include "cli/spec/spec.hpp"
#include "cli/spec/service_spec.hpp"
#include "common/base/check.hpp"
#include "common/codec/msgpack.hpp"

namespace lepton {
namespace {

template <class T>
void check(Result<T> const& spec) {
  if (!spec) return LEPTON_CHECK(!spec.error().what.empty(), "a refusal says why");
  auto const carried = codec::decode<T>(codec::encode(*spec));
  LEPTON_CHECK(carried && *carried == *spec, "an accepted spec cannot be sent");
}

}  // namespace
}  // namespace lepton

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace lepton;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const read = [](std::string const& name) -> Result<std::string> {
    if (name == "big") return std::string(100'000, 'x');
    return Error{Code::not_found, "there is no file " + name};
  };
  check(cli::parse_spec(text, "/specs", read));
  check(cli::parse_service_spec(text, "/specs", read));
  return 0;
}
