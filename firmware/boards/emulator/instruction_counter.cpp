#include "boards/emulator/instruction_counter.h"

#include "boards/emulator/registers.h"

namespace hardwear {
namespace {

uint32_t ticks() { return ~registers::timer_value(); }  // the timer counts down from 2^32 - 1

// round(ticks / 6.4): the timer shows whole ticks, so that it is off by less than one, a sixth of an instruction.
uint32_t instructions_of(uint32_t ticks) { return static_cast<uint32_t>((static_cast<uint64_t>(ticks) * 5 + 16) / 32); }

}  // namespace

void InstructionCounter::begin() {
  registers::timer_reload() = 0xFFFFFFFF;
  registers::timer_value() = 0xFFFFFFFF;
  resume();
  last_ticks_ = ticks();
}

uint32_t InstructionCounter::now() {
  const uint32_t current = ticks();
  instructions_ += instructions_of(current - last_ticks_);
  last_ticks_ = current;
  return instructions_;
}

void InstructionCounter::pause() { registers::timer_control() = 0; }

void InstructionCounter::resume() { registers::timer_control() = registers::kTimerEnable; }

}  // namespace hardwear
