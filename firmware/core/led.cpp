#include "core/led.h"

namespace hardwear {
namespace {

constexpr Color kOff = {false, false, false};
constexpr Color kRed = {true, false, false};
constexpr Color kGreen = {false, true, false};
constexpr Color kBlue = {false, false, true};
constexpr Color kYellow = {true, true, false};
constexpr Color kCyan = {false, true, true};
constexpr Color kMagenta = {true, false, true};
constexpr Color kWhite = {true, true, true};

constexpr uint32_t activity(unsigned index) { return led::kActivity << index; }

}  // namespace

// docs/wear-it.md shows this table; a test holds them together.
const LedRow kLedTable[] = {
    {led::kBooting, kWhite, 0, 1, 1, "starting"},
    {led::kFault, kRed, 0, 250, 500, "a fault: nothing is named, or it can't be trusted"},
    {led::kStandStill, kBlue, 0, 250, 500, "calibration: stand still"},
    {led::kWalk, kGreen, 0, 250, 500, "calibration: walk"},
    {led::kUnlocked, kMagenta, 0, 500, 1000, "settings may be changed for a minute"},
    {led::kUncalibrated, kRed, 640, 60, 2560, "not calibrated: a short red flash between the others"},
    {activity(0), kGreen, 0, 100, 1280, "WALKING"},
    {activity(1), kCyan, 0, 100, 1280, "WALKING_UPSTAIRS"},
    {activity(2), kMagenta, 0, 100, 1280, "WALKING_DOWNSTAIRS"},
    {activity(3), kYellow, 0, 100, 1280, "SITTING"},
    {activity(4), kWhite, 0, 100, 1280, "STANDING"},
    {activity(5), kBlue, 0, 100, 1280, "LAYING"},
    {led::kConnected, kBlue, 240, 40, 1280, "a BLE central is connected: a short blue flash after the activity's"},
};
const size_t kLedRows = sizeof kLedTable / sizeof kLedTable[0];

Color led_color(uint32_t conditions, uint32_t now_ms) {
  for (const LedRow& row : kLedTable) {
    if ((conditions & row.conditions) != row.conditions) continue;
    const uint32_t at = now_ms % row.period_ms;
    if (at >= row.start_ms && at < static_cast<uint32_t>(row.start_ms) + row.on_ms) return row.color;
  }
  return kOff;
}

}  // namespace hardwear
