// The USB serial line, which never waits for a host.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hardwear {

// True while a program on the host holds the port open. Nobody has to: the board works without.
bool usb_connected();

// Moves up to `max` received bytes to `out` and returns how many. What is not taken waits: USB holds the host back.
size_t usb_read(uint8_t* out, size_t max);

// Whether received bytes wait.
bool usb_waiting();

// Sends bytes if a host takes them; gives up, and drops the rest, when it takes none for a quarter of a second.
void usb_write(const uint8_t* bytes, size_t count);

}  // namespace hardwear
