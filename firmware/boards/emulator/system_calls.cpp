// The hooks of the C and C++ libraries that a firmware without heap and without operating system still needs.
#include <cstddef>

#include "boards/emulator/semihosting.h"

extern "C" {

// Global objects live for ever: their destructors are never called.
void* __dso_handle = nullptr;
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }

void __cxa_pure_virtual() { hardwear::exit_emulator(hardwear::ExitCode::kPureVirtual); }

// newlib's malloc asks here for memory: there is none, and asking is a mistake in the firmware.
void* _sbrk(ptrdiff_t) { hardwear::exit_emulator(hardwear::ExitCode::kHeapUsed); }

void _exit(int) { hardwear::exit_emulator(hardwear::ExitCode::kMainReturned); }
}
