// The wearable: from the motion sensor to what is told over BLE, USB and the LED.
#pragma once

#include <cstdint>

#include "core/acquisition.h"
#include "core/board.h"
#include "core/calibration.h"
#include "core/double_tap.h"
#include "core/pipeline.h"
#include "core/rate_meter.h"
#include "core/resampler.h"
#include "core/settings_store.h"
#include "core/smoother.h"
#include "core/stillness.h"
#include "core/wearable_control.h"

namespace hardwear {

// What is wrong, as bits of Info::faults; the prediction packet's flags sum them up.
namespace fault {
constexpr uint16_t kImuAbsent = 1u << 0;
constexpr uint16_t kImuFailing = 1u << 1;      // it doesn't answer
constexpr uint16_t kImuFrozen = 1u << 2;       // it gave the same six numbers for a second
constexpr uint16_t kImuRate = 1u << 3;         // it is more than a tenth off its nominal rate
constexpr uint16_t kNotPredicting = 1u << 4;   // the known-answer test failed, or the engine has since
constexpr uint16_t kLowMemory = 1u << 5;
constexpr uint16_t kWatchdogReset = 1u << 6;   // the loop was stuck before this start
constexpr uint16_t kSettings = 1u << 7;        // they could not be read or kept
// Of these the LED tells: nothing is named, or it can't be trusted.
constexpr uint16_t kGrave = kImuAbsent | kImuFailing | kImuFrozen | kImuRate | kNotPredicting | kLowMemory;
}  // namespace fault

// What the board knows at start.
struct BoardFacts {
  bool predicting;       // the known-answer test was passed
  ImuKind imu;           // which driver serves Acquisition::imu()
  uint8_t reset_reason;  // the board's own numbering, docs/wear-it.md
  uint16_t faults;       // such as fault::kWatchdogReset
};

// Who is told. Called from Wearable::step() only; must not wait.
class WearableListener {
 public:
  virtual void on_prediction(const PredictionPacket& packet) = 0;
  // A sample of kSampleRateHz in the contract's counts and axes, before conditioning. `number` counts them modulo 2^16
  // and skips one where samples are missing.
  virtual void on_sample(uint16_t number, const int16_t sample[kChannelCount]) = 0;
  // A calibration has begun, ended or gone on.
  virtual void on_calibration(const CalibrationPacket& packet) = 0;
  // Two knocks on the board.
  virtual void on_double_tap() = 0;

 protected:
  ~WearableListener() = default;
};

// The chain of a worn board:
//
//   FIFO -> rate meter, resampler -> mounting -> Pipeline -> smoother -> packet
//
// From the straightened sample on it is the Pipeline that a replay runs. Borrows everything that it is given, owns its
// state (about 6 KB). All of it belongs to the main loop: never call it from an interrupt or another thread.
//
//   wearable.begin(facts, millis());
//   for (;;) { wearable.step(millis()); rgb_led_show(led_color(wearable.led_conditions(), millis())); ... }
class Wearable final : public WearableActions {
 public:
  // After so long without a window a packet goes out all the same, and its flags say why.
  static constexpr uint32_t kStatusMs = 3000;
  static constexpr uint32_t kAsleepStatusMs = 30000;

  Wearable(Board& board, Classifier& classifier, Acquisition& acquisition, SettingsStore& store,
           WearableListener& listener);

  // Loads the settings. Call it once, after Acquisition::begin().
  void begin(const BoardFacts& facts, uint32_t now_ms);

  // Takes what was sampled up to the next prediction, and tells what there is to tell: call it again and again. Blocks
  // for one inference at most.
  void step(uint32_t now_ms);

  // What the board finds out later, such as fault::kLowMemory.
  void set_fault(uint16_t fault, bool present);

  // Bits of led_color(), without those of BLE; 0 if the LED is switched off.
  uint32_t led_conditions() const;

  SensorState sensor() const { return acquisition_.state(); }

  Config config() const override { return settings_.config; }
  void apply(const Config& config) override;
  CalibrationPacket calibration() const override;
  void calibrate(const CalibrationCommand& command) override;
  Info info() const override;

 private:
  void take(const SampleBlock& block, uint32_t now_ms);
  void begin_anew();
  void take_even(const int16_t sample[kChannelCount], uint32_t now_ms);
  void go_on_calibrating(const int16_t sample[kChannelCount]);
  void take_prediction(const Prediction& prediction, uint32_t now_ms);
  void tell(PredictionPacket* packet, uint32_t now_ms);
  uint16_t faults() const;
  uint8_t flags() const;
  void keep(const Mounting& mounting, bool calibrated);
  void save();

  Board& board_;
  Acquisition& acquisition_;
  SettingsStore& store_;
  WearableListener& listener_;

  RateMeter meter_;
  Resampler resampler_;
  Pipeline pipeline_;
  Smoother smoother_;
  Calibration calibration_;
  FreezeDetector freeze_;
  StillnessDetector stillness_;
  DoubleTap tap_;

  Settings settings_ = {};
  BoardFacts facts_ = {};
  uint32_t drained_ = 0;          // samples since the FIFO was last empty
  uint32_t last_told_ms_ = 0;
  uint16_t sequence_ = 0;         // of the next packet
  uint16_t sample_number_ = 0;
  uint8_t calibration_told_ = 0;  // samples since calibration was last told
  bool frozen_ = false;
  bool lost_ = false;             // samples, since the last packet
  bool slept_ = false;            // since the last packet
};

static_assert(sizeof(Wearable) <= 8 * 1024, "the wearable's budget of RAM, the sensor's ring aside");

}  // namespace hardwear
