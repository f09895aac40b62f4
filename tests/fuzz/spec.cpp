// A job's spec file. What is accepted must be a spec that the deployer's own codec can carry.

#include "cli/spec/spec.hpp"
#include "common/base/check.hpp"
#include "common/codec/msgpack.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace lepton;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const read = [](std::string const& name) -> Result<std::string> {
    if (name == "big") return std::string(100'000, 'x');
    return Error{Code::not_found, "there is no file " + name};
  };
  auto const spec = cli::parse_spec(text, "/specs", read);
  if (!spec) {
    LEPTON_CHECK(!spec.error().what.empty(), "a refusal says why");
    return 0;
  }
  auto const carried = codec::decode<JobSpec>(codec::encode(*spec));
  LEPTON_CHECK(carried && *carried == *spec, "an accepted spec cannot be sent");
  return 0;
}
