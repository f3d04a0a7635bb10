// The BLE service in one table: what a central finds. `hardwear.wearable.gatt` is the same in Python.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/config.h"
#include "core/packets.h"

namespace hardwear {

enum class Characteristic : uint8_t { kPrediction = 0, kConfig = 1, kCalibration = 2, kInfo = 3, kRaw = 4 };
constexpr uint8_t kCharacteristicCount = 5;

// Properties as the Bluetooth core specification numbers them (Vol 3, Part G, 3.3.1.1).
namespace property {
constexpr uint8_t kRead = 0x02;
constexpr uint8_t kWrite = 0x08;
constexpr uint8_t kNotify = 0x10;
}  // namespace property

struct GattRow {
  const char* uuid;
  uint8_t properties;
  uint16_t max_bytes;       // of a value, read or written
  const char* description;  // descriptor 0x2901
};

constexpr char kBleName[] = "Hardwear";
constexpr char kManufacturer[] = "Hardwear";
constexpr char kServiceUuid[] = "f8790001-0132-443e-879f-6999e12783c9";

// By Characteristic. A central may write anything up to max_bytes; WearableService judges it.
constexpr GattRow kGatt[kCharacteristicCount] = {
    {"f8790002-0132-443e-879f-6999e12783c9", property::kRead | property::kNotify, kPredictionPacketBytes,
     "Activity, one window"},
    {"f8790003-0132-443e-879f-6999e12783c9", property::kRead | property::kWrite, kConfigBytes, "Settings"},
    {"f8790004-0132-443e-879f-6999e12783c9", property::kRead | property::kWrite | property::kNotify,
     kCalibrationPacketBytes, "Calibration"},
    {"f8790005-0132-443e-879f-6999e12783c9", property::kRead, kMaxInfoBytes, "What this board is"},
    {"f8790006-0132-443e-879f-6999e12783c9", property::kNotify, kRawPacketBytes, "Raw motion, 5 samples"},
};

static_assert(kCalibrationSetBytes <= kCalibrationPacketBytes, "every command fits");

inline const GattRow& gatt_row(Characteristic characteristic) { return kGatt[static_cast<uint8_t>(characteristic)]; }

}  // namespace hardwear
