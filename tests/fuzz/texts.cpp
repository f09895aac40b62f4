// Small texts of people and files: amounts, durations, GPUs, traces, tokens, keys, names of
// attempts. None may end the process, whatever it holds.

#include "cli/replay/trace.hpp"
#include "cli/spec/amounts.hpp"
#include "common/base/check.hpp"
#include "common/base/text.hpp"
#include "common/codec/yaml.hpp"
#include "common/crypto/encode.hpp"
#include "services/auditor/core/checkpoint.hpp"
#include "services/deployer/core/lifecycle.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace lepton;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  if (auto const ms = cli::parse_duration_ms(text))
    LEPTON_CHECK(*ms >= 0, "a duration is negative");
  if (auto const mib = cli::parse_memory_mib(text)) LEPTON_CHECK(*mib >= 0, "memory is negative");
  if (auto const cpu = cli::parse_cpu_milli(text)) LEPTON_CHECK(*cpu >= 0, "CPU is negative");
  (void)cli::parse_gpu(text);
  (void)cli::parse_nodes(text);
  (void)cli::parse_pods(text);
  (void)codec::parse_yaml(text);
  if (auto const bytes = crypto::from_z85(text))
    LEPTON_CHECK(crypto::z85(*bytes) == text, "Z85 has two spellings of one thing");
  if (auto const ref = deployer::parse_attempt(AttemptId{std::string(text)}))
    LEPTON_CHECK(deployer::attempt_id(ref->job, ref->index, ref->round).value == text,
                 "two names of one attempt");
  if (auto const note = auditor::parse_note(text)) (void)auditor::parse_checkpoint_text(note->text);
  return 0;
}
