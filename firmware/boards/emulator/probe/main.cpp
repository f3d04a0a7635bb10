// A firmware for the tests of the board itself: does what the real one must never do, when told to by one letter.
//
//   E n32 bytes  echoes n bytes one by one       S n32 bytes  answers the sum of n bytes, u32
//   D n32        deaf for n instructions, then   I n32        spins 2 n + 2 instructions, answers the count, u32
//                answers n, u32                  O            answers the bytes lost on receive, u32
//   r a32        reads the byte at a, answers it w a32        writes the byte at a, answers 0
//   x a32        jumps to a                      k n32        calls itself n deep, more than 256 B each, answers u32
//   h            asks for heap memory            q            ends QEMU as a finished main() would
//   m            answers the high-water mark of the stack, u32
//
// All numbers are little-endian.
#include <cstdlib>

#include "boards/emulator/instruction_counter.h"
#include "boards/emulator/stack.h"
#include "boards/emulator/uart.h"
#include "core/bytes.h"

namespace {

hardwear::InstructionCounter counter;

uint8_t read_byte() {
  uint8_t byte;
  while (hardwear::uart_read(&byte, 1) == 0) hardwear::uart_wait(&counter);
  return byte;
}

uint32_t read_u32() {
  uint8_t bytes[4];
  for (uint8_t& byte : bytes) byte = read_byte();
  return hardwear::load_u32(bytes);
}

void answer(uint32_t value) {
  uint8_t bytes[4];
  hardwear::store_u32(bytes, value);
  hardwear::uart_write(bytes, sizeof bytes);
}

__attribute__((noinline)) void spin(uint32_t rounds) {
  __asm__ volatile("1: subs %0, %0, #1\n bne 1b" : "+r"(rounds) : : "cc");
}

__attribute__((noinline)) uint32_t recurse(uint32_t levels) {
  volatile uint8_t frame[256];
  frame[levels % sizeof frame] = 1;
  return levels == 0 ? frame[0] : recurse(levels - 1) + frame[0];
}

volatile uint8_t& byte_at(uint32_t address) { return *reinterpret_cast<volatile uint8_t*>(address); }

}  // namespace

int main() {
  counter.begin();
  hardwear::uart_begin();
  hardwear::uart_write(reinterpret_cast<const uint8_t*>("probe\n"), 6);
  for (;;) {
    switch (read_byte()) {
      case 'E': {
        for (uint32_t left = read_u32(); left > 0; --left) {
          const uint8_t byte = read_byte();
          hardwear::uart_write(&byte, 1);
        }
        break;
      }
      case 'S': {
        uint32_t sum = 0;
        for (uint32_t left = read_u32(); left > 0; --left) sum += read_byte();
        answer(sum);
        break;
      }
      case 'D': {
        const uint32_t instructions = read_u32();
        const uint32_t begun = counter.now();
        while (counter.now() - begun < instructions) {
        }
        answer(instructions);
        break;
      }
      case 'I': {
        const uint32_t rounds = read_u32();
        const uint32_t begun = counter.now();
        spin(rounds);
        answer(counter.now() - begun);
        break;
      }
      case 'O':
        answer(hardwear::uart_receive_overruns());
        break;
      case 'r': {
        const uint8_t byte = byte_at(read_u32());
        hardwear::uart_write(&byte, 1);
        break;
      }
      case 'w': {
        byte_at(read_u32()) = 1;
        const uint8_t done = 0;
        hardwear::uart_write(&done, 1);
        break;
      }
      case 'x':
        reinterpret_cast<void (*)()>(read_u32() | 1)();
        break;
      case 'k':
        answer(recurse(read_u32()));
        break;
      case 'h':
        answer(reinterpret_cast<uintptr_t>(std::malloc(16)));
        break;
      case 'm':
        answer(hardwear::stack_high_water_bytes());
        break;
      case 'q':
        return 0;
    }
  }
}
