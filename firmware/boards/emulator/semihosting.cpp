#include "boards/emulator/semihosting.h"

#include <cstdint>

namespace hardwear {

void exit_emulator(ExitCode code) {
  // Semihosting for AArch32 and AArch64, 6.9: the operation in r0, a pointer to {reason, code} in r1.
  constexpr uint32_t kExitExtended = 0x20;
  constexpr uint32_t kApplicationExit = 0x20026;
  const uint32_t arguments[2] = {kApplicationExit, static_cast<uint32_t>(code)};
  register uint32_t operation __asm__("r0") = kExitExtended;
  register const uint32_t* parameters __asm__("r1") = arguments;
  __asm__ volatile("bkpt 0xab" : "+r"(operation) : "r"(parameters) : "memory");
  for (;;) {
  }
}

}  // namespace hardwear
