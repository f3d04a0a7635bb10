// Executed instructions, counted by a timer that QEMU derives from them.
#pragma once

#include <cstdint>

namespace hardwear {

// Under `-icount shift=8` QEMU lets 2^8 = 256 ns of virtual time pass for every instruction, and CMSDK timer 0 ticks
// every 40 ns of it: one instruction is 6.4 ticks. QEMU knows neither cycles nor the flash's wait states, so this says
// nothing of time; but it is the same in every run on every machine. Without -icount the figure is meaningless.
//
// The receive interrupt's instructions are left out, so that the figure is that of the main loop alone, whatever the
// host sends meanwhile. The difference of two now() is exact to the instruction.
//
// Never call it from an interrupt.
class InstructionCounter {
 public:
  // Starts the timer, and measures what an interrupt takes that it can't measure itself. Call it once, before
  // uart_begin().
  void begin();

  // Instructions since begin() modulo 2^32. Call it at least once in 600 million instructions: then the timer wraps.
  uint32_t now();

  // Around sleep: a running timer would make QEMU, which skips idle time, wake up for nothing but the timer's wrap.
  void pause();
  void resume();

 private:
  uint32_t last_ticks_ = 0;
  uint32_t last_interrupted_ = 0;
  uint32_t instructions_ = 0;
};

// An interrupt handler that calls `service` and leaves out of the count what that, and the handler itself, took.
template <void (*service)()>
__attribute__((naked)) void without_counting() {
  __asm__ volatile(
      "ldr r0, =0x40000004\n"  // the timer's value at entry
      "ldr r0, [r0]\n"
      "push {r0, lr}\n"
      "bl %c0\n"
      "pop {r0, lr}\n"
      "b hardwear_leave_out_interrupt\n"
      ".ltorg\n"
      :
      : "i"(service));
}

// For the vector table only: the interrupt that begin() raises to measure with.
constexpr uint32_t kCalibrationLine = 31;
void calibration_interrupt();

}  // namespace hardwear
