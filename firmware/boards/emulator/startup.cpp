// From reset to main(): floating point, memory protection, variables, paint on the stack, constructors.
#include <cstdint>

#include "boards/emulator/faults.h"
#include "boards/emulator/instruction_counter.h"
#include "boards/emulator/memory_map.h"
#include "boards/emulator/registers.h"
#include "boards/emulator/semihosting.h"
#include "boards/emulator/stack.h"
#include "boards/emulator/uart.h"

// Addresses that the linker script defines; their contents are meaningless.
extern "C" {
extern uint32_t __stack_limit[];
extern uint32_t __stack_top[];
extern uint32_t __data_start[];
extern uint32_t __data_end[];
extern const uint32_t __data_load[];
extern uint32_t __bss_start[];
extern uint32_t __bss_end[];
extern void (*const __init_array_start[])();
extern void (*const __init_array_end[])();

int main();
void reset_handler();
}

namespace hardwear {
namespace {

constexpr uint32_t kPaint = 0xA5C35A3C;

void unexpected_interrupt() { exit_emulator(ExitCode::kUnexpectedInterrupt); }

// Everything below this function's frame. Inlined, so that nothing of its own lies there.
__attribute__((always_inline)) inline void paint_stack() {
  uint32_t* const here = static_cast<uint32_t*>(__builtin_frame_address(0)) - 32;
  for (uint32_t* word = __stack_limit; word < here; ++word) *reinterpret_cast<volatile uint32_t*>(word) = kPaint;
}

using Handler = void (*)();

struct VectorTable {
  const void* initial_stack;
  Handler handlers[15 + 32];  // exceptions 1 to 15, then the MPS2's 32 interrupts
};

constexpr uint32_t kExceptions = 15;  // handlers[kExceptions + n] serves interrupt n

constexpr VectorTable make_vectors() {
  VectorTable table = {__stack_top, {}};
  for (Handler& handler : table.handlers) handler = unexpected_interrupt;
  table.handlers[0] = reset_handler;
  table.handlers[2] = fault_handler;  // hard fault
  table.handlers[3] = fault_handler;  // memory management
  table.handlers[4] = fault_handler;  // bus
  table.handlers[5] = fault_handler;  // usage
  table.handlers[kExceptions + registers::kUartReceiveLine] = without_counting<uart_receive_interrupt>;
  table.handlers[kExceptions + kCalibrationLine] = without_counting<calibration_interrupt>;
  table.handlers[kExceptions + registers::kUartOverrunLine] = uart_overrun_interrupt;
  return table;
}

__attribute__((section(".vectors"), used)) constexpr VectorTable kVectors = make_vectors();

}  // namespace

uint32_t stack_high_water_bytes() {
  const volatile uint32_t* word = __stack_limit;
  while (word < __stack_top && *word == kPaint) ++word;
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(__stack_top) - reinterpret_cast<uintptr_t>(word));
}

__attribute__((noinline)) uint32_t stack_in_use_bytes() {
  uintptr_t here;
  __asm__ volatile("mov %0, sp" : "=r"(here));
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(__stack_top) - here);
}

__attribute__((noinline)) void repaint_stack() {
  volatile uint32_t* here;
  __asm__ volatile("mov %0, sp" : "=r"(here));
  for (volatile uint32_t* word = __stack_limit; word < here; ++word) *word = kPaint;
}

}  // namespace hardwear

void reset_handler() {
  using namespace hardwear;
  constexpr uint32_t kFullAccessToFloatingPoint = 0xFu << 20;
  registers::coprocessor_access() = registers::coprocessor_access() | kFullAccessToFloatingPoint;
  registers::barrier();
  enforce_memory_map();
  paint_stack();
  const uint32_t* from = __data_load;
  for (uint32_t* to = __data_start; to < __data_end; ++to) *to = *from++;
  for (uint32_t* word = __bss_start; word < __bss_end; ++word) *word = 0;
  for (auto constructor = __init_array_start; constructor < __init_array_end; ++constructor) (*constructor)();
  main();
  exit_emulator(ExitCode::kMainReturned);
}
