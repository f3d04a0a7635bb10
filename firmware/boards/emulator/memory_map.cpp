#include "boards/emulator/memory_map.h"

#include "boards/emulator/registers.h"

namespace hardwear {
namespace {

// MPU_RASR (ARMv7-M ARM, B3.5.9).
constexpr uint32_t kEnable = 1u << 0;
constexpr uint32_t size_log2(uint32_t log2_bytes) { return (log2_bytes - 1) << 1; }
constexpr uint32_t without_eighth(uint32_t index) { return 1u << (8 + index); }
constexpr uint32_t kNormalMemory = 1u << 17;
constexpr uint32_t kDeviceMemory = 1u << 16;
constexpr uint32_t kReadWrite = 3u << 24;
constexpr uint32_t kReadOnly = 6u << 24;
constexpr uint32_t kNeverExecute = 1u << 28;

void set_region(uint32_t number, uint32_t base, uint32_t attributes) {
  registers::mpu_region_number() = number;
  registers::mpu_region_base() = base;
  registers::mpu_region_attributes() = attributes | kEnable;
}

}  // namespace

void enforce_memory_map() {
  // 960 KiB of flash are no power of two: 1 MiB less its last eighth, and the first half of that eighth on its own.
  static_assert(kFlashBytes == 7 * 0x20000 + 0x10000, "the two flash regions must cover exactly the flash");
  static_assert(kRamBytes == 1u << 18, "the RAM region must cover exactly the RAM");
  set_region(0, kFlashBase, kReadOnly | kNormalMemory | size_log2(20) | without_eighth(7));
  set_region(1, kFlashBase + 7 * 0x20000, kReadOnly | kNormalMemory | size_log2(16));
  set_region(2, kRamBase, kReadWrite | kNeverExecute | kNormalMemory | size_log2(18));
  set_region(3, 0x40000000, kReadWrite | kNeverExecute | kDeviceMemory | size_log2(29));

  constexpr uint32_t kMemoryBusAndUsageFaults = 7u << 16;
  registers::fault_handlers() = registers::fault_handlers() | kMemoryBusAndUsageFaults;
  registers::mpu_control() = 1;  // without the default map behind it
  registers::barrier();
}

}  // namespace hardwear
