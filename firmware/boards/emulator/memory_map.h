// The nRF52840's memory as the MPU enforces it.
#pragma once

#include <cstdint>

namespace hardwear {

constexpr uint32_t kFlashBase = 0x00000000;
constexpr uint32_t kFlashBytes = 983040;  // 1 MiB less the bootloader's 64 KiB
constexpr uint32_t kRamBase = 0x20000000;
constexpr uint32_t kRamBytes = 262144;

// Makes every access outside of flash, RAM and the peripherals a fault, and writing to flash too; RAM holds no code.
// QEMU's board has 4 MiB of each and would let a firmware that is too large for the real chip run. Call it once, before
// anything else; not from an interrupt.
void enforce_memory_map();

}  // namespace hardwear
