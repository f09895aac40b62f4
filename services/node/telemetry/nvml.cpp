#include "services/node/telemetry/nvml.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string_view>

#include "schemas/mig.hpp"

namespace lepton::node {
namespace {

using Handle = void*;
using ReturnCode = int;
constexpr ReturnCode success = 0;
constexpr unsigned text_bytes = 96;
constexpr int temperature_of_gpu = 0;
constexpr unsigned gpus_max = 1024;
constexpr ReturnCode not_found = 6;  // also of a place that holds no instance

struct UtilizationRates {
  unsigned gpu_percent, memory_percent;
};
struct MemoryInfo {
  unsigned long long total_bytes, free_bytes, used_bytes;
};
struct PciInfo {
  char short_address[16];
  unsigned domain, bus, device, vendor_and_device, subsystem;
  char address[32];
};
static_assert(sizeof(UtilizationRates) == 8 && sizeof(MemoryInfo) == 24 && sizeof(PciInfo) == 68);

std::string_view meaning(ReturnCode code) {
  switch (code) {
    case 3:
      return "not supported";
    case 4:
      return "no permission";
    case 9:
      return "the driver is not loaded";
    case 13:
      return "the library lacks a function";
    case 15:
      return "the GPU has fallen off the bus";
    case 16:
      return "the GPU needs a reset";
    default:
      return "NVML error";
  }
}

std::string in_words(ReturnCode code) {
  return fmt::format("{} (code {})", meaning(code), code);
}

// An instance is called as its GPU, and then "MIG" and the profile.
std::string profile_in(std::string_view name) {
  constexpr std::string_view before = " MIG ";
  auto const at = name.rfind(before);
  return std::string(at == name.npos ? name : name.substr(at + before.size()));
}

}  // namespace

struct Nvml::Calls {
  ReturnCode (*init)();
  ReturnCode (*shutdown)();
  ReturnCode (*count)(unsigned*);
  ReturnCode (*handle_by_index)(unsigned, Handle*);
  ReturnCode (*uuid)(Handle, char*, unsigned);
  ReturnCode (*name)(Handle, char*, unsigned);
  ReturnCode (*memory)(Handle, MemoryInfo*);
  ReturnCode (*utilization)(Handle, UtilizationRates*);
  ReturnCode (*power_milliwatts)(Handle, unsigned*);
  ReturnCode (*temperature)(Handle, int, unsigned*);
  // Older drivers lack these.
  ReturnCode (*pci)(Handle, PciInfo*);
  ReturnCode (*mig_mode)(Handle, unsigned* current, unsigned* pending);
  ReturnCode (*instances_max)(Handle, unsigned*);
  ReturnCode (*instance_by_index)(Handle, unsigned, Handle*);

  // The name of a symbol that is missing, or "".
  std::string load(void* library) {
    std::string missing;
    auto const find = [&](auto& call, char const* symbol) {
      call = reinterpret_cast<std::remove_reference_t<decltype(call)>>(::dlsym(library, symbol));
      if (call == nullptr && missing.empty()) missing = symbol;
    };
    find(init, "nvmlInit_v2");
    find(shutdown, "nvmlShutdown");
    find(count, "nvmlDeviceGetCount_v2");
    find(handle_by_index, "nvmlDeviceGetHandleByIndex_v2");
    find(uuid, "nvmlDeviceGetUUID");
    find(name, "nvmlDeviceGetName");
    find(memory, "nvmlDeviceGetMemoryInfo");
    find(utilization, "nvmlDeviceGetUtilizationRates");
    find(power_milliwatts, "nvmlDeviceGetPowerUsage");
    find(temperature, "nvmlDeviceGetTemperature");
    auto const all = missing;
    find(pci, "nvmlDeviceGetPciInfo_v3");
    find(mig_mode, "nvmlDeviceGetMigMode");
    find(instances_max, "nvmlDeviceGetMaxMigDeviceCount");
    find(instance_by_index, "nvmlDeviceGetMigDeviceHandleByIndex");
    return all;
  }
};

Nvml::Nvml(std::string const& library)
    : library_(::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (library_ == nullptr) {
    reason_ = fmt::format("no NVIDIA driver library on this machine ({})", library);
    return;
  }
  calls_ = new Calls{};
  if (auto const missing = calls_->load(library_); !missing.empty()) {
    reason_ = fmt::format("the NVIDIA driver library {} is too old: it lacks {}", library, missing);
    return;
  }
  auto const code = calls_->init();
  started_ = code == success;
  if (started_)
    discover();
  else
    reason_ = fmt::format("NVML did not start: {} (code {})", meaning(code), code);
}

Nvml::~Nvml() {
  if (started_) calls_->shutdown();
  delete calls_;
  if (library_ != nullptr) ::dlclose(library_);
}

void Nvml::discover() {
  unsigned count = 0;
  if (auto const code = calls_->count(&count); code != success) {
    reason_ = fmt::format("NVML counts no GPUs: {} (code {})", meaning(code), code);
    return;
  }
  for (unsigned index = 0; index < count && index < gpus_max; ++index) add_gpu(index);
  if (count == 0) reason_ = "the NVIDIA driver sees no GPU";
}

void Nvml::leave_out(std::string const& what, std::string const& why) {
  reason_ += fmt::format("{}{} is left out: {}", reason_.empty() ? "" : "; ", what, why);
}

// A GPU that does not answer is left out: work placed on it would fail.
void Nvml::add_gpu(unsigned index) {
  Handle handle = nullptr;
  char uuid[text_bytes] = {}, name[text_bytes] = {};
  MemoryInfo memory{};
  auto code = calls_->handle_by_index(index, &handle);
  if (code == success) code = calls_->uuid(handle, uuid, text_bytes);
  if (code == success) code = calls_->name(handle, name, text_bytes);
  if (code == success) code = calls_->memory(handle, &memory);
  if (code != success) return leave_out(fmt::format("GPU {}", index), in_words(code));
  uuid[text_bytes - 1] = name[text_bytes - 1] = '\0';
  GpuFacts const whole{
      index, uuid, name, static_cast<std::int64_t>(memory.total_bytes >> 20), "", pci_of(handle)};
  unsigned mode = 0, pending = 0;
  auto const knows_mig = calls_->mig_mode && calls_->instances_max && calls_->instance_by_index;
  if (knows_mig && calls_->mig_mode(handle, &mode, &pending) == success && mode != 0)
    return add_instances(index, handle, whole);
  devices_.push_back({handle, uuid});
  gpus_.push_back(whole);
}

// As the kernel writes it; NVML's own text has a longer domain and capital letters.
std::string Nvml::pci_of(void* device) const {
  PciInfo pci{};
  if (calls_->pci == nullptr || calls_->pci(device, &pci) != success) return "";
  return fmt::format("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device);
}

void Nvml::add_instances(unsigned index, void* parent, GpuFacts const& whole) {
  unsigned most = 0;
  if (auto const code = calls_->instances_max(parent, &most); code != success)
    return leave_out(fmt::format("GPU {}, which is in MIG mode,", index), in_words(code));
  auto const before = gpus_.size();
  for (unsigned i = 0; i < most && i < gpus_max; ++i) {
    Handle handle = nullptr;
    char uuid[text_bytes] = {}, name[text_bytes] = {};
    MemoryInfo memory{};
    auto code = calls_->instance_by_index(parent, i, &handle);
    if (code == not_found) continue;
    if (code == success) code = calls_->uuid(handle, uuid, text_bytes);
    if (code == success) code = calls_->name(handle, name, text_bytes);
    if (code == success) code = calls_->memory(handle, &memory);
    uuid[text_bytes - 1] = name[text_bytes - 1] = '\0';
    auto const profile = profile_in(name);
    auto const known = is_mig_profile(profile);
    if (code != success || !known) {
      leave_out(
          fmt::format("MIG instance {} of GPU {}", i, index),
          code != success ? in_words(code) : fmt::format("its profile '{}' is not known", profile));
      continue;
    }
    devices_.push_back({handle, uuid});
    auto instance = whole;
    instance.uuid = uuid;
    instance.memory_mib = static_cast<std::int64_t>(memory.total_bytes >> 20);
    instance.mig_profile = profile;
    gpus_.push_back(std::move(instance));
  }
  if (gpus_.size() == before)
    leave_out(fmt::format("GPU {}", index), "it is in MIG mode and has no instance to offer");
}

std::vector<GpuSample> Nvml::sample() const {
  std::vector<GpuSample> samples;
  for (auto const& device : devices_) {
    GpuSample sample{device.uuid, {}, {}, {}, {}};
    UtilizationRates rates{};
    MemoryInfo memory{};
    unsigned power_milliwatts = 0, celsius = 0;
    if (calls_->utilization(device.handle, &rates) == success)
      sample.use = rates.gpu_percent / 100.0;
    if (calls_->memory(device.handle, &memory) == success && memory.total_bytes > 0)
      sample.memory_use =
          static_cast<double>(memory.used_bytes) / static_cast<double>(memory.total_bytes);
    if (calls_->power_milliwatts(device.handle, &power_milliwatts) == success)
      sample.power_watts = power_milliwatts / 1000.0;
    if (calls_->temperature(device.handle, temperature_of_gpu, &celsius) == success)
      sample.temperature_celsius = celsius;
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace lepton::node
