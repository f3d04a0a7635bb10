// Executed instructions, counted by a timer that QEMU derives from them.
#pragma once

#include <cstdint>

namespace hardwear {

// Under `-icount shift=8` QEMU lets 2^8 = 256 ns of virtual time pass for every instruction, and CMSDK timer 0 ticks
// every 40 ns of it: one instruction is 6.4 ticks. QEMU knows neither cycles nor the flash's wait states, so this says
// nothing of time; but it is the same in every run on every machine. Without -icount the figure is meaningless.
//
// The difference of two now() is exact while nothing interrupts, which holds for a host that waits for its answer.
// Never call it from an interrupt.
class InstructionCounter {
 public:
  // Starts the timer. Call it once.
  void begin();

  // Instructions since begin() modulo 2^32. Call it at least once in 600 million instructions: then the timer wraps.
  uint32_t now();

  // Around sleep: a running timer would make QEMU, which skips idle time, wake up for nothing but the timer's wrap.
  void pause();
  void resume();

 private:
  uint32_t last_ticks_ = 0;
  uint32_t instructions_ = 0;
};

}  // namespace hardwear
