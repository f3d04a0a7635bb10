#include "core/wearable.h"

#include "core/led.h"

namespace hardwear {
namespace {

constexpr uint32_t kAnyRate = 100000;  // millihertz, where there is no sensor
constexpr uint8_t kCalibrationTellSamples = kSampleRateHz / 2;

}  // namespace

Wearable::Wearable(Board& board, Classifier& classifier, Acquisition& acquisition, SettingsStore& store,
                   WearableListener& listener)
    : board_(board),
      acquisition_(acquisition),
      store_(store),
      listener_(listener),
      meter_(kAnyRate),
      pipeline_(classifier, board) {}

void Wearable::begin(const BoardFacts& facts, uint32_t now_ms) {
  facts_ = facts;
  set_fault(fault::kNotPredicting, !facts.predicting);
  const SettingsSource source = store_.load(&settings_);
  set_fault(fault::kSettings, source != SettingsSource::kStored && source != SettingsSource::kNothingStored);
  smoother_.configure(settings_.config.smoothing, settings_.config.threshold);
  const Imu* imu = acquisition_.imu();
  const uint32_t millihertz = imu == nullptr ? kAnyRate : imu->nominal_rate_millihertz();
  meter_.reset(millihertz);
  resampler_.set_step(meter_.step_q24());
  freeze_.begin(static_cast<uint16_t>(millihertz / 1000));
  tap_.begin(millihertz);
  last_told_ms_ = now_ms;
}

void Wearable::step(uint32_t now_ms) {
  const uint16_t told = sequence_;
  while (const SampleBlock* block = acquisition_.front()) {
    take(*block, now_ms);
    acquisition_.pop();
    if (sequence_ != told) return;
  }
  const bool asleep = acquisition_.state() == SensorState::kAsleep;
  const bool falls_asleep = asleep && !slept_;
  if (asleep) slept_ = true;
  if (falls_asleep || now_ms - last_told_ms_ >= (asleep ? kAsleepStatusMs : kStatusMs)) {
    smoother_.reset();
    PredictionPacket packet = {};
    packet.activity = kUnknownActivity;
    tell(&packet, now_ms);
  }
}

void Wearable::take(const SampleBlock& block, uint32_t now_ms) {
  if (block.interrupted) begin_anew();
  for (uint16_t i = 0; i < block.samples; ++i) {
    const int16_t* sample = block.counts[i];
    frozen_ = freeze_.push(sample);
    if (tap_.push(sample)) listener_.on_double_tap();
    resampler_.push(sample);
    int16_t even[kChannelCount];
    if (resampler_.pull(even)) take_even(even, now_ms);
  }
  drained_ += block.samples;
  if (!block.drained) return;
  meter_.add(block.time_us, drained_);
  resampler_.set_step(meter_.step_q24());
  drained_ = 0;
}

// A filter that runs on over a gap would invent motion.
void Wearable::begin_anew() {
  lost_ = true;
  drained_ = 0;
  ++sample_number_;
  meter_.restart();
  resampler_.reset();
  pipeline_.reset();
  stillness_.reset();
}

void Wearable::take_even(const int16_t sample[kChannelCount], uint32_t now_ms) {
  go_on_calibrating(sample);
  int16_t worn[kChannelCount];
  straighten(settings_.mounting, sample, worn);
  listener_.on_sample(sample_number_++, worn);
  if (stillness_.push(worn) && settings_.config.low_power && !calibration_.under_way()) acquisition_.want_sleep(true);
  if (facts_.faults & fault::kNotPredicting) return;
  Prediction prediction;
  switch (pipeline_.push(worn, &prediction)) {
    case Outcome::kPending:
      return;
    case Outcome::kPrediction:
      return take_prediction(prediction, now_ms);
    case Outcome::kEngineFailed:
      return set_fault(fault::kNotPredicting, true);
  }
}

void Wearable::go_on_calibrating(const int16_t sample[kChannelCount]) {
  if (!calibration_.under_way()) return;
  const CalibrationState before = calibration_.state();
  const CalibrationState state = calibration_.push(sample);
  if (state == CalibrationState::kDone) keep(calibration_.result(), true);
  if (state == before && ++calibration_told_ < kCalibrationTellSamples) return;
  calibration_told_ = 0;
  listener_.on_calibration(calibration());
}

void Wearable::take_prediction(const Prediction& prediction, uint32_t now_ms) {
  PredictionPacket packet = {};
  packet.activity = prediction.activity;
  packet.confidence = prediction.confidence();
  for (uint8_t i = 0; i < kClassCount; ++i) packet.probabilities[i] = prediction.probabilities[i];
  packet.inference_us = prediction.time;
  if (frozen_) {
    smoother_.reset();  // what a dead sensor shows is nobody's activity
  } else {
    smoother_.push(prediction.probabilities);
  }
  tell(&packet, now_ms);
}

void Wearable::tell(PredictionPacket* packet, uint32_t now_ms) {
  packet->flags = flags();
  packet->sequence = sequence_++;
  packet->label = smoother_.label();
  packet->time_ms = now_ms;
  last_told_ms_ = now_ms;
  lost_ = false;
  slept_ = acquisition_.state() == SensorState::kAsleep;
  listener_.on_prediction(*packet);
}

void Wearable::set_fault(uint16_t fault, bool present) {
  facts_.faults = static_cast<uint16_t>(present ? facts_.faults | fault : facts_.faults & ~fault);
}

uint16_t Wearable::faults() const {
  uint16_t faults = facts_.faults;
  switch (acquisition_.state()) {
    case SensorState::kAbsent:
      faults |= fault::kImuAbsent;
      break;
    case SensorState::kFailing:
      faults |= fault::kImuFailing;
      break;
    case SensorState::kRunning:
      if (frozen_) faults |= fault::kImuFrozen;
      if (!meter_.plausible()) faults |= fault::kImuRate;
      break;
    case SensorState::kAsleep:
      break;
  }
  return faults;
}

uint8_t Wearable::flags() const {
  const uint16_t wrong = faults();
  uint8_t flags = 0;
  if (!settings_.calibrated) flags |= flag::kUncalibrated;
  if (wrong & (fault::kImuAbsent | fault::kImuFailing | fault::kImuRate)) flags |= flag::kImuFailing;
  if (wrong & fault::kImuFrozen) flags |= flag::kImuFrozen;
  if (lost_) flags |= flag::kSamplesLost;
  if (wrong & fault::kNotPredicting) flags |= flag::kKnownAnswerFailed;
  if (wrong & fault::kLowMemory) flags |= flag::kLowMemory;
  if (wrong & fault::kWatchdogReset) flags |= flag::kWatchdogReset;
  if (slept_) flags |= flag::kSlept;
  return flags;
}

uint32_t Wearable::led_conditions() const {
  if (!settings_.config.led) return 0;
  uint32_t conditions = 0;
  if (faults() & fault::kGrave) conditions |= led::kFault;
  if (calibration_.state() == CalibrationState::kStandStill) conditions |= led::kStandStill;
  if (calibration_.state() == CalibrationState::kWalk) conditions |= led::kWalk;
  if (acquisition_.state() == SensorState::kAsleep) return conditions;
  if (!settings_.calibrated) conditions |= led::kUncalibrated;
  if (smoother_.label() != kUnknownActivity) conditions |= led::kActivity << smoother_.label();
  return conditions;
}

void Wearable::apply(const Config& config) {
  settings_.config = config;
  smoother_.configure(config.smoothing, config.threshold);
  if (!config.low_power) acquisition_.want_sleep(false);
  save();
}

CalibrationPacket Wearable::calibration() const {
  return {calibration_.state(), calibration_.progress(), settings_.mounting.rotation};
}

void Wearable::calibrate(const CalibrationCommand& command) {
  switch (command.action) {
    case CalibrationAction::kStart:
      acquisition_.want_sleep(false);
      calibration_.start();
      calibration_told_ = 0;
      break;
    case CalibrationAction::kCancel:
      calibration_.cancel();
      break;
    case CalibrationAction::kForget:
      calibration_.cancel();
      keep(kPlainMounting, false);
      break;
    case CalibrationAction::kSet:
      calibration_.cancel();
      keep({command.rotation, settings_.mounting.acc_gain_q14}, true);
      break;
  }
}

Info Wearable::info() const {
  Info info = {};
  info.imu = facts_.imu;
  info.reset_reason = facts_.reset_reason;
  info.faults = faults();
  info.acc_gain_q14 = settings_.mounting.acc_gain_q14;
  info.board = board_.name();
  return info;
}

// Another mounting is another signal: what the filters hold is of the old one.
void Wearable::keep(const Mounting& mounting, bool calibrated) {
  settings_.mounting = mounting;
  settings_.calibrated = calibrated;
  pipeline_.reset();
  smoother_.reset();
  stillness_.reset();
  save();
}

void Wearable::save() { set_fault(fault::kSettings, !store_.save(settings_)); }

}  // namespace hardwear
