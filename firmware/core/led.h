// What the RGB LED shows, in one table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// Conditions that the LED can tell, as bits; several may hold at once.
namespace led {
constexpr uint32_t kActivity = 1u;  // << index of the class that is named
constexpr uint32_t kBooting = 1u << 8;
constexpr uint32_t kFault = 1u << 9;         // predictions can't be trusted or don't come
constexpr uint32_t kStandStill = 1u << 10;   // calibration: stand still
constexpr uint32_t kWalk = 1u << 11;         // calibration: walk
constexpr uint32_t kUncalibrated = 1u << 12;
constexpr uint32_t kConnected = 1u << 13;    // a central is connected
constexpr uint32_t kUnlocked = 1u << 14;     // writes are open for a minute
}  // namespace led

static_assert(kClassCount <= 8, "activities and states share the bits");

struct Color {
  bool red, green, blue;
};

// One line of the table: while all of `conditions` hold, a flash of `color` from `start_ms` on for `on_ms`, every
// `period_ms`. The table is read from the top, the first flash that is on is shown.
struct LedRow {
  uint32_t conditions;
  Color color;
  uint16_t start_ms, on_ms, period_ms;
  const char* meaning;
};

extern const LedRow kLedTable[];
extern const size_t kLedRows;

// The colour at a time of the board's clock. The clock wraps after 49 days: one flash is then cut.
Color led_color(uint32_t conditions, uint32_t now_ms);

}  // namespace hardwear
