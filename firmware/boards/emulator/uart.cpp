#include "boards/emulator/uart.h"

#include "boards/emulator/instruction_counter.h"
#include "boards/emulator/registers.h"
#include "core/byte_ring.h"

namespace hardwear {
namespace {

ByteRing<kUartReceiveCapacity> received;
std::atomic<uint32_t> hardware_overruns{0};
std::atomic<bool> held_back{false};  // the ring was full: the receive interrupt is off, the byte waits in the UART

}  // namespace

void uart_begin() {
  registers::uart_baud_divider() = 217;  // 115,200 baud at 25 MHz; QEMU takes any value from 16 on
  registers::uart_control() = registers::kUartEnableTransmit | registers::kUartEnableReceive |
                              registers::kUartEnableReceiveInterrupt | registers::kUartEnableOverrunInterrupt;
  registers::nvic_enable() = (1u << registers::kUartReceiveLine) | (1u << registers::kUartOverrunLine);
  __asm__ volatile("cpsie i" ::: "memory");
}

size_t uart_read(uint8_t* out, size_t max) {
  const size_t count = received.pop(out, max);
  if (count > 0 && held_back.load()) {
    held_back.store(false);
    registers::nvic_enable() = 1u << registers::kUartReceiveLine;
  }
  return count;
}

void uart_wait(InstructionCounter* counter) {
  // With interrupts masked, one that comes between the look and the sleep still ends the sleep.
  __asm__ volatile("cpsid i" ::: "memory");
  if (received.size() == 0) {
    counter->pause();
    __asm__ volatile("dsb\n wfi" ::: "memory");
    counter->resume();
  }
  __asm__ volatile("cpsie i\n isb" ::: "memory");
}

void uart_write(const uint8_t* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    while (registers::uart_state() & registers::kUartTransmitFull) {
    }
    registers::uart_data() = bytes[i];
  }
}

uint32_t uart_receive_overruns() { return received.overruns() + hardware_overruns.load(); }

void uart_receive_interrupt() {
  if (received.size() == received.capacity()) {
    // Left in the UART, the byte stops QEMU from reading its socket: the host feels it as flow control. The request
    // stays pending at the NVIC until uart_read() has made room.
    held_back.store(true);
    registers::nvic_disable() = 1u << registers::kUartReceiveLine;
    return;
  }
  // Cleared before the byte is read: a byte that comes right after it raises the interrupt anew.
  registers::uart_interrupts() = registers::kUartReceiveInterrupt;
  if (registers::uart_state() & registers::kUartReceiveFull) {
    received.push(static_cast<uint8_t>(registers::uart_data()));
  }
}

void uart_overrun_interrupt() {
  registers::uart_state() = registers::kUartReceiveOverrun;
  registers::uart_interrupts() = registers::kUartReceiveOverrunInterrupt;
  hardware_overruns.store(hardware_overruns.load() + 1);
}

}  // namespace hardwear
