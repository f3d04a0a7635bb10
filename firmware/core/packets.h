// What the wearable says, byte by byte: the same packets go out over BLE and, as payloads of frames, over serial.
//
// All numbers are little-endian. `hardwear.wearable.packets` is the same in Python; tests/vectors/packets.h holds both
// to the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/orientation.h"
#include "core/smoother.h"
#include "generated/contract.h"

namespace hardwear {

enum class CalibrationState : uint8_t;  // core/calibration.h

// What is to be known about a prediction, as bits of PredictionPacket::flags.
namespace flag {
constexpr uint8_t kUncalibrated = 1u << 0;       // the board's own axes stand for the wearer's
constexpr uint8_t kImuFailing = 1u << 1;         // absent, or its bus fails
constexpr uint8_t kImuFrozen = 1u << 2;          // it gave the same six numbers for a second
constexpr uint8_t kSamplesLost = 1u << 3;        // since the packet before
constexpr uint8_t kKnownAnswerFailed = 1u << 4;  // the board does not compute what Python computes: it doesn't predict
constexpr uint8_t kLowMemory = 1u << 5;
constexpr uint8_t kWatchdogReset = 1u << 6;      // the loop was stuck before this start
constexpr uint8_t kSlept = 1u << 7;              // asleep, or woken since the packet before
}  // namespace flag

// One window, or, with both classes kUnknownActivity and no probabilities, the board's state while there is no window.
struct PredictionPacket {
  uint8_t flags;
  uint16_t sequence;                   // counts packets modulo 2^16, those that are not notified too
  uint8_t activity;                    // of this window alone: a class, or kUnknownActivity
  uint8_t label;                       // smoothed: a class, or kUnknownActivity
  uint8_t confidence;                  // probability of `activity` in 255ths
  uint8_t probabilities[kClassCount];  // in 255ths
  uint32_t time_ms;                    // the board's clock, modulo 2^32
  uint32_t inference_us;               // what the model took
};
constexpr uint8_t kPredictionPacketVersion = 1;
constexpr size_t kPredictionPacketBytes = 20;  // what a notification holds without a larger MTU
void encode_prediction(const PredictionPacket& packet, uint8_t out[kPredictionPacketBytes]);

// How a calibration goes, and the rotation in force.
struct CalibrationPacket {
  CalibrationState state;
  uint8_t progress;   // of the state's step, in 255ths
  Rotation rotation;  // in force now: the old one until a new one is found
};
constexpr size_t kCalibrationPacketBytes = 20;
void encode_calibration(const CalibrationPacket& packet, uint8_t out[kCalibrationPacketBytes]);

enum class CalibrationAction : uint8_t { kStart = 1, kCancel = 2, kForget = 3, kSet = 4 };

struct CalibrationCommand {
  CalibrationAction action;
  Rotation rotation;  // for kSet, which leaves the accelerometer's gain as it is
};
constexpr size_t kCalibrationSetBytes = 1 + 18;

// Reads a command: one byte for kStart, kCancel and kForget, kCalibrationSetBytes for kSet, whose nine numbers must be a
// rotation. Returns false, with `*command` as it was, for anything else. May be called from anywhere.
bool parse_calibration(const uint8_t* bytes, size_t size, CalibrationCommand* command);

enum class ImuKind : uint8_t { kNone = 0, kLsm9ds1 = 1, kBmi270 = 2 };

// What the board is and how it fares. The contract's sizes, identity and labels are added on the way out.
struct Info {
  ImuKind imu;
  uint8_t reset_reason;
  uint16_t faults;              // core/wearable.h
  uint16_t acc_gain_q14;        // what calibration found acceleration has to be multiplied by
  uint32_t bad_writes;          // of wrong length or value; each of the counters stops at 2^32 - 1
  uint32_t locked_writes;       // good ones that nobody had allowed
  uint32_t lost_notifications;  // predictions and calibration packets that the link did not take
  uint32_t lost_raw;            // raw packets that the link did not take
  const char* board;            // at most kMaxBoardName characters count
};
constexpr uint8_t kInfoVersion = 1;
constexpr size_t kInfoHeaderBytes = 38;
constexpr size_t kMaxBoardName = 15;

// Bytes of all labels, each with a NUL behind it.
constexpr size_t label_bytes() {
  size_t bytes = 0;
  for (uint8_t i = 0; i < kClassCount; ++i) {
    for (const char* c = kClassNames[i]; *c != '\0'; ++c) ++bytes;
    ++bytes;
  }
  return bytes;
}
constexpr size_t kMaxInfoBytes = kInfoHeaderBytes + label_bytes() + kMaxBoardName;
static_assert(kMaxInfoBytes <= 512, "no BLE value is longer");

// Writes the header, the labels with a NUL behind each, and the board's name, cut to kMaxBoardName. Returns the bytes
// written.
size_t encode_info(const Info& info, uint8_t out[kMaxInfoBytes]);

// Five samples of the raw stream.
constexpr uint8_t kRawSamples = 5;
struct RawPacket {
  uint16_t first_sample;  // number of the first one, modulo 2^16
  int16_t counts[kRawSamples][kChannelCount];
};
constexpr size_t kRawPacketBytes = 2 + kRawSamples * kChannelCount * 2;
void encode_raw(const RawPacket& packet, uint8_t out[kRawPacketBytes]);

// A notification costs three bytes of the MTU.
constexpr uint16_t kNotificationOverhead = 3;
constexpr uint16_t kRawMtu = kRawPacketBytes + kNotificationOverhead;
static_assert(kPredictionPacketBytes + kNotificationOverhead == 23, "a prediction fits the smallest MTU exactly");
static_assert(kCalibrationPacketBytes + kNotificationOverhead == 23, "and so does a calibration packet");
static_assert(kRawMtu == 65, "what the documents say");

}  // namespace hardwear
