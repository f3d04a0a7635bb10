#include "core/wearable_service.h"

#include <cstring>

namespace hardwear {
namespace {

// Flags that tell of what happened between two packets: a packet that doesn't go out must not take them along.
constexpr uint8_t kEvents = flag::kSamplesLost | flag::kSlept;

void count(uint32_t* counter) {
  if (*counter != UINT32_MAX) ++*counter;
}

}  // namespace

void WearableService::begin() {
  readable_ = may_read();
  set_prediction();
  set_config();
  set_calibration(wearable_.calibration());
  set_info();
}

void WearableService::poll(uint32_t now_ms) {
  now_ms_ = now_ms;
  if (may_read() != readable_) begin();
  // Closed here and not where it is asked for: 49 days later the same difference would come again.
  if (writes_open_ && now_ms - opened_ms_ >= kWriteWindowMs) writes_open_ = false;
}

void WearableService::on_prediction(const PredictionPacket& packet) {
  prediction_ = packet;
  set_prediction();
  set_info();
  if (!listens(Characteristic::kPrediction)) {
    until_notified_ = 1;  // who comes next hears the next window, and nothing of the time before
    untold_ = 0;
    return;
  }
  if (--until_notified_ == 0) {
    until_notified_ = wearable_.config().notify_every;
    PredictionPacket told = packet;
    told.flags |= untold_;
    uint8_t bytes[kPredictionPacketBytes];
    encode_prediction(told, bytes);
    if (peripheral_.notify(Characteristic::kPrediction, bytes, sizeof bytes)) {
      untold_ = 0;
      return;
    }
    count(&lost_notifications_);
  }
  untold_ |= packet.flags & kEvents;
}

void WearableService::on_calibration(const CalibrationPacket& packet) {
  set_calibration(packet);
  if (!listens(Characteristic::kCalibration)) return;
  uint8_t bytes[kCalibrationPacketBytes];
  encode_calibration(packet, bytes);
  if (!peripheral_.notify(Characteristic::kCalibration, bytes, sizeof bytes)) count(&lost_notifications_);
}

void WearableService::on_sample(uint16_t number, const int16_t counts[kChannelCount]) {
  if (!listens(Characteristic::kRaw) || peripheral_.mtu() < kRawMtu) {
    raw_samples_ = 0;
    return;
  }
  if (number != static_cast<uint16_t>(raw_.first_sample + raw_samples_)) raw_samples_ = 0;
  if (raw_samples_ == 0) raw_.first_sample = number;
  std::memcpy(raw_.counts[raw_samples_], counts, sizeof raw_.counts[0]);
  if (++raw_samples_ < kRawSamples) return;
  raw_samples_ = 0;
  uint8_t bytes[kRawPacketBytes];
  encode_raw(raw_, bytes);
  if (!peripheral_.notify(Characteristic::kRaw, bytes, sizeof bytes)) count(&lost_raw_);
}

WriteResult WearableService::on_write(Characteristic characteristic, const uint8_t* bytes, size_t size) {
  const WriteResult result = judge(characteristic, bytes, size);
  switch (result) {
    case WriteResult::kDone:
      return result;
    case WriteResult::kBad:
      count(&bad_writes_);
      break;
    case WriteResult::kLocked:
      count(&locked_writes_);
      break;
  }
  put_back(characteristic);
  set_info();
  return result;
}

WriteResult WearableService::judge(Characteristic characteristic, const uint8_t* bytes, size_t size) {
  // What a stranger sends is not even looked at.
  if (!writes_open_ && !peripheral_.bonded()) return WriteResult::kLocked;
  switch (characteristic) {
    case Characteristic::kConfig: {
      Config config;
      if (!parse_config(bytes, size, &config)) return WriteResult::kBad;
      apply(config);
      return WriteResult::kDone;
    }
    case Characteristic::kCalibration: {
      CalibrationCommand command;
      if (!parse_calibration(bytes, size, &command)) return WriteResult::kBad;
      calibrate(command);
      return WriteResult::kDone;
    }
    case Characteristic::kPrediction:
    case Characteristic::kInfo:
    case Characteristic::kRaw:
      return WriteResult::kBad;
  }
  return WriteResult::kBad;
}

void WearableService::on_double_tap() {
  if (writes_open_) calibrate({CalibrationAction::kStart, kIdentityRotation});
  open_writes();
}

void WearableService::open_writes() {
  writes_open_ = true;
  opened_ms_ = now_ms_;
}

void WearableService::apply(const Config& config) {
  wearable_.apply(config);
  until_notified_ = 1;
  set_config();
}

void WearableService::calibrate(const CalibrationCommand& command) {
  wearable_.calibrate(command);
  on_calibration(wearable_.calibration());
}

Info WearableService::info() const {
  Info info = wearable_.info();
  info.bad_writes = bad_writes_;
  info.locked_writes = locked_writes_;
  info.lost_notifications = lost_notifications_;
  info.lost_raw = lost_raw_;
  return info;
}

bool WearableService::may_read() { return !bonded_only_ || peripheral_.bonded(); }

bool WearableService::listens(Characteristic characteristic) {
  return peripheral_.subscribed(characteristic) && may_read();
}

void WearableService::set(Characteristic characteristic, const uint8_t* bytes, size_t size) {
  peripheral_.set_value(characteristic, bytes, readable_ ? size : 0);
}

void WearableService::set_prediction() {
  uint8_t bytes[kPredictionPacketBytes];
  encode_prediction(prediction_, bytes);
  set(Characteristic::kPrediction, bytes, sizeof bytes);
}

void WearableService::set_config() {
  uint8_t bytes[kConfigBytes];
  encode_config(wearable_.config(), bytes);
  set(Characteristic::kConfig, bytes, sizeof bytes);
}

void WearableService::set_calibration(const CalibrationPacket& packet) {
  uint8_t bytes[kCalibrationPacketBytes];
  encode_calibration(packet, bytes);
  set(Characteristic::kCalibration, bytes, sizeof bytes);
}

void WearableService::set_info() {
  uint8_t bytes[kMaxInfoBytes];
  set(Characteristic::kInfo, bytes, encode_info(info(), bytes));
}

void WearableService::put_back(Characteristic characteristic) {
  switch (characteristic) {
    case Characteristic::kPrediction:
      return set_prediction();
    case Characteristic::kConfig:
      return set_config();
    case Characteristic::kCalibration:
      return set_calibration(wearable_.calibration());
    case Characteristic::kInfo:   // on_write() sets it anyway
    case Characteristic::kRaw:    // is not read
      return;
  }
}

}  // namespace hardwear
