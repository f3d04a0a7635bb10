#include "core/packets.h"

#include <cstring>

#include "core/bytes.h"

namespace hardwear {
namespace {

constexpr size_t kRotationBytes = 18;

void store_rotation(uint8_t* out, const Rotation& rotation) {
  for (uint8_t row = 0; row < 3; ++row) {
    for (uint8_t column = 0; column < 3; ++column, out += 2) {
      store_u16(out, static_cast<uint16_t>(rotation.q14[row][column]));
    }
  }
}

Rotation load_rotation(const uint8_t* bytes) {
  Rotation rotation;
  for (uint8_t row = 0; row < 3; ++row) {
    for (uint8_t column = 0; column < 3; ++column, bytes += 2) rotation.q14[row][column] = load_i16(bytes);
  }
  return rotation;
}

}  // namespace

void encode_prediction(const PredictionPacket& packet, uint8_t out[kPredictionPacketBytes]) {
  static_assert(kClassCount == 6, "the packet has room for six probabilities");
  out[0] = kPredictionPacketVersion;
  out[1] = packet.flags;
  store_u16(out + 2, packet.sequence);
  out[4] = static_cast<uint8_t>((packet.activity & 15) | (packet.label << 4));
  out[5] = packet.confidence;
  std::memcpy(out + 6, packet.probabilities, kClassCount);
  store_u32(out + 12, packet.time_ms);
  store_u32(out + 16, packet.inference_us);
}

void encode_calibration(const CalibrationPacket& packet, uint8_t out[kCalibrationPacketBytes]) {
  static_assert(kCalibrationPacketBytes == 2 + kRotationBytes, "the packet ends with the rotation");
  out[0] = static_cast<uint8_t>(packet.state);
  out[1] = packet.progress;
  store_rotation(out + 2, packet.rotation);
}

bool parse_calibration(const uint8_t* bytes, size_t size, CalibrationCommand* command) {
  static_assert(kCalibrationSetBytes == 1 + kRotationBytes, "the command ends with the rotation");
  if (size == 0) return false;
  const CalibrationAction action = static_cast<CalibrationAction>(bytes[0]);
  switch (action) {
    case CalibrationAction::kStart:
    case CalibrationAction::kCancel:
    case CalibrationAction::kForget:
      if (size != 1) return false;
      command->action = action;
      return true;
    case CalibrationAction::kSet: {
      if (size != kCalibrationSetBytes) return false;
      const Rotation rotation = load_rotation(bytes + 1);
      if (!is_rotation(rotation)) return false;
      command->action = action;
      command->rotation = rotation;
      return true;
    }
  }
  return false;
}

size_t encode_info(const Info& info, uint8_t out[kMaxInfoBytes]) {
  out[0] = kInfoVersion;
  out[1] = kContractVersion;
  std::memcpy(out + 2, kIdentity, 8);
  store_u16(out + 10, kWindowSamples);
  store_u16(out + 12, kHopSamples);
  out[14] = static_cast<uint8_t>(kSampleRateHz);
  out[15] = kClassCount;
  out[16] = static_cast<uint8_t>(info.imu);
  out[17] = info.reset_reason;
  store_u16(out + 18, info.faults);
  store_u16(out + 20, info.acc_gain_q14);
  store_u32(out + 22, info.bad_writes);
  store_u32(out + 26, info.locked_writes);
  store_u32(out + 30, info.lost_notifications);
  store_u32(out + 34, info.lost_raw);
  size_t size = kInfoHeaderBytes;
  for (uint8_t i = 0; i < kClassCount; ++i) {
    const size_t bytes = std::strlen(kClassNames[i]) + 1;
    std::memcpy(out + size, kClassNames[i], bytes);
    size += bytes;
  }
  for (size_t i = 0; i < kMaxBoardName && info.board[i] != '\0'; ++i) out[size++] = static_cast<uint8_t>(info.board[i]);
  return size;
}

void encode_raw(const RawPacket& packet, uint8_t out[kRawPacketBytes]) {
  store_u16(out, packet.first_sample);
  out += 2;
  for (const int16_t(&sample)[kChannelCount] : packet.counts) {
    for (const int16_t value : sample) {
      store_u16(out, static_cast<uint16_t>(value));
      out += 2;
    }
  }
}

}  // namespace hardwear
