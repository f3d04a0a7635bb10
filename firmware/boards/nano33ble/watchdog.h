// The nRF52840's watchdog: a loop that is stuck restarts the board, and the board remembers why it started.
#pragma once

#include <cstdint>

namespace hardwear {

// Why the board started, from the chip's POWER.RESETREAS (nRF52840 product specification, chapter POWER).
enum class ResetReason : uint8_t {
  kPowerOn = 0,   // or brown-out: no bit is set
  kPin = 1,       // the reset button
  kWatchdog = 2,  // the loop or the sensor's thread was stuck
  kSoftware = 3,  // such as an upload
  kLockup = 4,    // the CPU's lock-up
  kOther = 5,     // woken from System OFF, by the debugger or by USB
};

// Reads the reason and clears it for the next start. Call it once, early in setup().
ResetReason take_reset_reason();

// Starts the watchdog, which nothing but a reset stops. It goes on counting through the soft reset that begins an upload,
// and the bootloader doesn't feed it: kWatchdogMs has to outlast an upload, or no firmware could replace this one.
constexpr uint32_t kWatchdogMs = 30000;
bool start_watchdog();

// Call it from the main loop while all is well.
void feed_watchdog();

}  // namespace hardwear
