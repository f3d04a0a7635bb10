// An engine that does nothing: what an image without one takes of the memory.
#include "boards/emulator/profile/engine.h"

bool hardwear::profile::begin() { return true; }

uint32_t hardwear::profile::arena_bytes() { return 0; }

extern "C" __attribute__((noinline)) void hardwear_infer(hardwear::profile::Mode, const int8_t*, int8_t*, int8_t*) {
  hardwear_step_done();
}
