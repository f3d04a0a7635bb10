#include "boards/emulator/instruction_counter.h"

#include "boards/emulator/registers.h"

namespace hardwear {
namespace {

uint32_t ticks() { return ~registers::timer_value(); }  // the timer counts down from 2^32 - 1

// round(ticks / 6.4): the timer shows whole ticks, so that it is off by less than one, a sixth of an instruction.
uint32_t instructions_of(uint32_t ticks) { return static_cast<uint32_t>((static_cast<uint64_t>(ticks) * 5 + 16) / 32); }

// Counted so far by interrupts, for now() to leave out. Written by interrupts of one priority only.
volatile uint32_t interrupted_instructions = 0;

// What a handler runs before it reads the timer and after it has read it again: the same for every handler.
uint32_t instructions_around = 0;

}  // namespace

extern "C" __attribute__((used)) void hardwear_leave_out_interrupt(uint32_t timer_at_entry) {
  const uint32_t elapsed = timer_at_entry - registers::timer_value();  // it counts down
  interrupted_instructions = interrupted_instructions + instructions_of(elapsed) + instructions_around;
}

void calibration_interrupt() {}

void InstructionCounter::begin() {
  registers::timer_reload() = 0xFFFFFFFF;
  registers::timer_value() = 0xFFFFFFFF;
  resume();
  last_ticks_ = ticks();

  registers::nvic_enable() = 1u << kCalibrationLine;
  uint32_t took[2];
  for (uint32_t raised = 0; raised < 2; ++raised) {
    const uint32_t begun = now();
    registers::nvic_set_pending() = raised << kCalibrationLine;
    registers::barrier();
    took[raised] = now() - begun;
  }
  registers::nvic_disable() = 1u << kCalibrationLine;
  instructions_around = took[1] - took[0];
}

uint32_t InstructionCounter::now() {
  __asm__ volatile("cpsid i" ::: "memory");  // an interrupt between the two reads would be in one of them only
  const uint32_t interrupted = interrupted_instructions;
  const uint32_t current = ticks();
  __asm__ volatile("cpsie i" ::: "memory");
  instructions_ += instructions_of(current - last_ticks_) - (interrupted - last_interrupted_);
  last_ticks_ = current;
  last_interrupted_ = interrupted;
  return instructions_;
}

void InstructionCounter::pause() { registers::timer_control() = 0; }

void InstructionCounter::resume() { registers::timer_control() = registers::kTimerEnable; }

}  // namespace hardwear
