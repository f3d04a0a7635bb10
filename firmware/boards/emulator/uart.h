// The serial line to the host: CMSDK UART 0, received by interrupt.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hardwear {

class InstructionCounter;

constexpr size_t kUartReceiveCapacity = 2048;  // bytes that may wait unread

// Starts the UART and its interrupts. Call it once.
void uart_begin();

// Moves up to `max` received bytes to `out` and returns how many; 0 if none waits. Not from an interrupt.
size_t uart_read(uint8_t* out, size_t max);

// Sleeps until at least one byte waits. `counter` rests meanwhile. Not from an interrupt.
void uart_wait(InstructionCounter* counter);

// Sends bytes, one by one, and returns when the last one is in the transmitter. May be called from a fault handler.
void uart_write(const uint8_t* bytes, size_t count);

// Received bytes lost since start, in the UART or for want of room.
uint32_t uart_receive_overruns();

// For the vector table only.
void uart_receive_interrupt();
void uart_overrun_interrupt();

}  // namespace hardwear
