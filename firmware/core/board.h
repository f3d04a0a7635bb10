// What the portable core asks of a board, and all that it knows of one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hardwear {

// What one step of Board::now() is.
enum class TimeUnit : uint8_t { kMicroseconds = 0, kInstructions = 1 };

// A board as the session sees it. The session calls it from the main loop only, never from an interrupt.
class Board {
 public:
  // Name of the board, at most 15 characters, static storage ("emulator", "nano33ble", "native").
  virtual const char* name() const = 0;

  // A clock that counts up and wraps: differences are meaningful modulo 2^32.
  virtual uint32_t now() = 0;
  virtual TimeUnit time_unit() const = 0;

  // Sends bytes to the host, in order; may block until they are queued. One call per frame.
  virtual void send(const uint8_t* bytes, size_t count) = 0;

  // Bytes that may arrive unread while the main loop works, that is how much a host may send ahead. A host with one
  // request at a time needs 1,617.
  virtual uint16_t receive_capacity() const = 0;

  // Received bytes that were lost since start because nobody read them in time.
  virtual uint32_t receive_overruns() = 0;

  // Deepest use of the stack since start in bytes; 0 where the board doesn't measure it.
  virtual uint32_t stack_high_water_bytes() = 0;

 protected:
  ~Board() = default;
};

}  // namespace hardwear
