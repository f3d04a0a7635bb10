// What BLE and serial may ask of the wearable. Both have checked every byte before: only valid values come here.
#pragma once

#include "core/config.h"
#include "core/packets.h"

namespace hardwear {

// The wearable as the BLE service sees it. Called from the main loop only; must not wait.
class WearableActions {
 public:
  virtual Config config() const = 0;
  // Takes effect with the next window, and stays after power-off.
  virtual void apply(const Config& config) = 0;

  virtual CalibrationPacket calibration() const = 0;
  virtual void calibrate(const CalibrationCommand& command) = 0;

  // The counters of writes and notifications are the service's: what stands in them is replaced.
  virtual Info info() const = 0;

 protected:
  ~WearableActions() = default;
};

// The wearable as a host on the serial line sees it, who needs no leave: whoever holds the cable holds the board.
class LiveControl {
 public:
  virtual Config config() const = 0;
  virtual void apply(const Config& config) = 0;
  virtual CalibrationPacket calibration() const = 0;
  virtual void calibrate(const CalibrationCommand& command) = 0;
  // Lets centrals that are not bonded write for kWriteWindowMs from now on.
  virtual void open_writes() = 0;

 protected:
  ~LiveControl() = default;
};

constexpr uint32_t kWriteWindowMs = 60000;

}  // namespace hardwear
