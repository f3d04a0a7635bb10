#include "boards/nano33ble/watchdog.h"

#include <mbed.h>
#include <nrf.h>

namespace hardwear {

ResetReason take_reset_reason() {
  const uint32_t bits = NRF_POWER->RESETREAS;
  NRF_POWER->RESETREAS = bits;  // a bit is cleared by writing it
  if (bits & POWER_RESETREAS_DOG_Msk) return ResetReason::kWatchdog;
  if (bits & POWER_RESETREAS_LOCKUP_Msk) return ResetReason::kLockup;
  if (bits & POWER_RESETREAS_RESETPIN_Msk) return ResetReason::kPin;
  if (bits & POWER_RESETREAS_SREQ_Msk) return ResetReason::kSoftware;
  return bits == 0 ? ResetReason::kPowerOn : ResetReason::kOther;
}

bool start_watchdog() { return mbed::Watchdog::get_instance().start(kWatchdogMs); }

void feed_watchdog() { mbed::Watchdog::get_instance().kick(); }

}  // namespace hardwear
