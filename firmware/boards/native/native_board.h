// The host as a board: the session on standard input and output, or into memory for tests.
#pragma once

#include <chrono>

#include "core/board.h"

namespace hardwear {

// What every native board shares: a microsecond clock, no interrupt that could lose a byte.
class NativeBoard : public Board {
 public:
  const char* name() const override { return "native"; }

  uint32_t now() override {
    using std::chrono::duration_cast;
    using std::chrono::microseconds;
    return static_cast<uint32_t>(
        duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
  }
  TimeUnit time_unit() const override { return TimeUnit::kMicroseconds; }

  // A pipe holds 64 KiB unread on Linux.
  uint16_t receive_capacity() const override { return UINT16_MAX; }
  uint32_t receive_overruns() override { return 0; }
  uint32_t stack_high_water_bytes() override { return 0; }

 protected:
  ~NativeBoard() = default;
};

}  // namespace hardwear
