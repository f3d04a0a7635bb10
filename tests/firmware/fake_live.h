// A wearable as a host on the serial line sees it: default settings, never calibrated, does as it is told.
#pragma once

#include "core/calibration.h"
#include "core/wearable_control.h"

namespace hardwear {

class FakeLive final : public LiveControl {
 public:
  Config config() const override { return config_; }
  void apply(const Config& config) override { config_ = config; }
  CalibrationPacket calibration() const override { return packet; }
  void calibrate(const CalibrationCommand& command) override {
    switch (command.action) {
      case CalibrationAction::kStart:
        packet.state = CalibrationState::kStandStill;
        return;
      case CalibrationAction::kCancel:
        packet.state = CalibrationState::kCancelled;
        return;
      case CalibrationAction::kForget:
        packet = {CalibrationState::kIdle, 0, kIdentityRotation};
        return;
      case CalibrationAction::kSet:
        packet.rotation = command.rotation;
        return;
    }
  }
  void open_writes() override { ++unlocked; }

  Config config_;
  CalibrationPacket packet = {CalibrationState::kIdle, 0, kIdentityRotation};
  int unlocked = 0;
};

}  // namespace hardwear
