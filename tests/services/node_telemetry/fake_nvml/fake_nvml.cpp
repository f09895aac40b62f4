// A stand-in for libnvidia-ml.so.1. FAKE_NVML_GPUS is how many GPUs it counts; FAKE_NVML_LOST is
// the index of one that has fallen off the bus; FAKE_NVML_INIT is what nvmlInit_v2 answers.
// FAKE_NVML_MIG is the index of one in MIG mode, with places for three instances, of which the
// second is empty; FAKE_NVML_MIG_NAME is the last word of their names.

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

long setting(char const* name, long fallback) {
  auto const* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtol(text, nullptr, 10);
}

// Instances have handles from 100 on.
constexpr std::uintptr_t first_instance = 100;

std::uintptr_t number_of(void* handle) {
  return reinterpret_cast<std::uintptr_t>(handle);
}
std::uintptr_t index_of(void* handle) {
  return number_of(handle) - 1;
}
bool is_instance(void* handle) {
  return number_of(handle) >= first_instance;
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
  return static_cast<int>(setting("FAKE_NVML_INIT", 0));
}
int nvmlShutdown() {
  return 0;
}

int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(setting("FAKE_NVML_GPUS", 2));
  return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** handle) {
  if (static_cast<long>(index) == setting("FAKE_NVML_LOST", -1)) return 15;
  *handle = reinterpret_cast<void*>(std::uintptr_t{index} + 1);
  return 0;
}

int nvmlDeviceGetUUID(void* handle, char* text, unsigned size) {
  if (is_instance(handle)) {
    std::snprintf(text, size, "MIG-00000000-0000-0000-0000-%012lu",
                  number_of(handle) - first_instance);
    return 0;
  }
  std::snprintf(text, size, "GPU-00000000-0000-0000-0000-%012lu", index_of(handle));
  return 0;
}

int nvmlDeviceGetName(void* handle, char* text, unsigned size) {
  auto const* profile = std::getenv("FAKE_NVML_MIG_NAME");
  if (is_instance(handle))
    std::snprintf(text, size, "Fake H200 MIG %s", profile == nullptr ? "1g.18gb" : profile);
  else
    std::snprintf(text, size, "Fake H200");
  return 0;
}

struct nvmlMemory {
  unsigned long long total, free, used;
};
int nvmlDeviceGetMemoryInfo(void* handle, nvmlMemory* memory) {
  if (is_instance(handle)) {
    *memory = {16384ull << 20, 12288ull << 20, 4096ull << 20};
    return 0;
  }
  *memory = {143771ull << 20, 107828ull << 20, 35943ull << 20};
  return 0;
}

struct nvmlUtilization {
  unsigned gpu, memory;
};
int nvmlDeviceGetUtilizationRates(void* handle, nvmlUtilization* rates) {
  if (is_instance(handle)) return 3;
  *rates = {static_cast<unsigned>(40 + index_of(handle)), 7};
  return 0;
}

// The second GPU does not tell its power.
int nvmlDeviceGetPowerUsage(void* handle, unsigned* milliwatts) {
  if (index_of(handle) == 1) return 3;
  *milliwatts = 123456;
  return 0;
}

#ifndef FAKE_NVML_OLD
int nvmlDeviceGetTemperature(void*, int, unsigned* celsius) {
  *celsius = 55;
  return 0;
}

struct nvmlPci {
  char short_address[16];
  unsigned domain, bus, device, vendor_and_device, subsystem;
  char address[32];
};
int nvmlDeviceGetPciInfo_v3(void* handle, nvmlPci* pci) {
  *pci = {};
  pci->bus = static_cast<unsigned>(number_of(handle));
  return 0;
}

int nvmlDeviceGetMigMode(void* handle, unsigned* current, unsigned* pending) {
  if (static_cast<long>(index_of(handle)) == 0 && std::getenv("FAKE_NVML_MIG") == nullptr) return 3;
  *current = *pending = static_cast<long>(index_of(handle)) == setting("FAKE_NVML_MIG", -1) ? 1 : 0;
  return 0;
}
int nvmlDeviceGetMaxMigDeviceCount(void*, unsigned* count) {
  *count = 3;
  return 0;
}
int nvmlDeviceGetMigDeviceHandleByIndex(void*, unsigned index, void** handle) {
  if (index == 1) return 6;
  *handle = reinterpret_cast<void*>(first_instance + index);
  return 0;
}
#endif

}  // extern "C"
