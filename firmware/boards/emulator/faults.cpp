#include "boards/emulator/faults.h"

#include <cstddef>
#include <cstdint>

#include "boards/emulator/memory_map.h"
#include "boards/emulator/registers.h"
#include "boards/emulator/semihosting.h"
#include "boards/emulator/uart.h"
#include "core/frames.h"
#include "core/session.h"

namespace {

using namespace hardwear;

// CFSR (ARMv7-M ARM, B3.2.15).
constexpr uint32_t kMemoryFaults = 0x000000FF;
constexpr uint32_t kMemoryAddressValid = 1u << 7;
constexpr uint32_t kBusFaults = 0x0000FF00;
constexpr uint32_t kBusAddressValid = 1u << 15;
constexpr uint32_t kUsageFaults = 0xFFFF0000;

// One line of text, cut where it doesn't fit. Without the C library, which may be what has failed.
class Line {
 public:
  void text(const char* text) {
    while (*text != '\0') character(*text++);
  }
  void hex(uint32_t value) {
    text("0x");
    for (int shift = 28; shift >= 0; shift -= 4) character("0123456789abcdef"[(value >> shift) & 15]);
  }
  const char* get() const { return characters_; }

 private:
  void character(char c) {
    if (size_ + 1 < sizeof characters_) characters_[size_++] = c;
  }
  char characters_[Session::kMaxTextBytes + 1] = {};
  size_t size_ = 0;
};

const char* kind(uint32_t status) {
  if (status & kMemoryFaults) return "memory fault";
  if (status & kBusFaults) return "bus fault";
  if (status & kUsageFaults) return "usage fault";
  return "hard fault";
}

void send_log(const char* text) {
  uint8_t frame[Session::kMaxTextBytes + kFrameOverheadBytes];
  uint8_t wire[wire_bytes(Session::kMaxTextBytes)];
  FrameWriter writer(frame, sizeof frame);
  writer.begin(kLogType, 0);
  writer.text(text);
  const size_t size = encode_wire(frame, writer.finish(), wire);
  // Ends whatever frame the fault has cut short, so that the host sees this one whole.
  const uint8_t delimiter = 0;
  uart_write(&delimiter, 1);
  uart_write(wire, size);
}

// The CPU pushed r0-r3, r12, lr, pc and xpsr on the stack, unless it is the stack that has left RAM.
bool is_readable(const uint32_t* frame) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(frame);
  return address >= kRamBase && address <= kRamBase + kRamBytes - 8 * sizeof(uint32_t);
}

}  // namespace

// A stack of its own, since a fault may mean that the other one is used up.
extern "C" {
alignas(8) uint8_t emergency_stack[1024];

__attribute__((noreturn, used)) void report_fault(const uint32_t* frame) {
  const uint32_t status = registers::fault_status();
  Line line;
  line.text(kind(status));
  if (status & kMemoryAddressValid) {
    line.text(" at address ");
    line.hex(registers::memory_fault_address());
  } else if (status & kBusAddressValid) {
    line.text(" at address ");
    line.hex(registers::bus_fault_address());
  }
  if (is_readable(frame)) {
    line.text(", pc ");
    line.hex(frame[6]);
  } else {
    line.text(", stack overflow: sp ");
    line.hex(reinterpret_cast<uintptr_t>(frame));
  }
  line.text(", cfsr ");
  line.hex(status);
  send_log(line.get());
  exit_emulator(ExitCode::kFault);
}
}

namespace hardwear {

__attribute__((naked)) void fault_handler() {
  __asm__ volatile(
      "mov r0, sp\n"
      "ldr r1, =emergency_stack + 1024\n"
      "mov sp, r1\n"
      "b report_fault\n"
      ".ltorg\n");
}

}  // namespace hardwear
