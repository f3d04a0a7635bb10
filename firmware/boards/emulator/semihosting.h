// The way out of the emulator.
#pragma once

namespace hardwear {

// Exit codes of QEMU, which the firmware chooses. 0 and 1 are left to QEMU and to shells.
enum class ExitCode : int {
  kMainReturned = 90,   // the main loop ended, which it never should
  kHeapUsed = 91,       // something asked for heap memory
  kPureVirtual = 92,    // a method was called on an object that is not yet, or no longer, alive
  kUnexpectedInterrupt = 93,
  kFault = 94,          // a memory, bus, usage or hard fault; a LOG frame told which
};

// Ends QEMU with `code` (semihosting SYS_EXIT_EXTENDED). May be called from an interrupt.
[[noreturn]] void exit_emulator(ExitCode code);

}  // namespace hardwear
