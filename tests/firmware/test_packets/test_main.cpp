#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "../../vectors/packets.h"
#include "../fakes.h"
#include "core/config.h"
#include "core/gatt.h"
#include "core/packets.h"

namespace hardwear {
namespace {

using Bytes = std::vector<uint8_t>;

// Bytes in a block of exactly their size, so that ASan sees every read beyond them.
struct Exact {
  explicit Exact(const Bytes& bytes) : size(bytes.size()), block(new uint8_t[bytes.size()]) {
    std::copy(bytes.begin(), bytes.end(), block.get());
  }
  const uint8_t* data() const { return block.get(); }
  size_t size;
  std::unique_ptr<uint8_t[]> block;
};

bool same(const Rotation& a, const Rotation& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

TEST_CASE("every reference prediction encodes to its bytes") {
  for (const vectors::PredictionVector& vector : vectors::kPredictions) {
    CAPTURE(vector.name);
    Bytes out(kPredictionPacketBytes);
    encode_prediction(vector.packet, out.data());
    CHECK(out == from_hex(vector.bytes));
  }
}

TEST_CASE("every reference calibration packet encodes to its bytes") {
  for (const vectors::CalibrationVector& vector : vectors::kCalibrations) {
    CAPTURE(vector.name);
    Bytes out(kCalibrationPacketBytes);
    encode_calibration({static_cast<CalibrationState>(vector.state), vector.progress, vector.rotation}, out.data());
    CHECK(out == from_hex(vector.bytes));
  }
}

TEST_CASE("every reference raw packet encodes to its bytes") {
  for (const vectors::RawVector& vector : vectors::kRaws) {
    CAPTURE(vector.name);
    Bytes out(kRawPacketBytes);
    encode_raw(vector.packet, out.data());
    CHECK(out == from_hex(vector.bytes));
  }
}

TEST_CASE("every reference configuration is read from its bytes and gives them again") {
  for (const vectors::ConfigVector& vector : vectors::kConfigs) {
    CAPTURE(vector.name);
    const Exact bytes(from_hex(vector.bytes));
    Config config;
    REQUIRE(parse_config(bytes.data(), bytes.size, &config));
    CHECK(config.smoothing == vector.smoothing);
    CHECK(config.threshold == vector.threshold);
    CHECK(config.notify_every == vector.notify_every);
    CHECK(config.led == vector.led);
    CHECK(config.low_power == vector.low_power);
    Bytes out(kConfigBytes);
    encode_config(config, out.data());
    CHECK(out == from_hex(vector.bytes));
  }
  Bytes out(kConfigBytes);
  encode_config(Config(), out.data());
  CHECK(out == from_hex(vectors::kConfigs[0].bytes));  // Python's defaults are the firmware's
}

TEST_CASE("every reference command is read from its bytes") {
  for (const vectors::CommandVector& vector : vectors::kCommands) {
    CAPTURE(vector.name);
    const Exact bytes(from_hex(vector.bytes));
    CalibrationCommand command = {CalibrationAction::kCancel, kIdentityRotation};
    REQUIRE(parse_calibration(bytes.data(), bytes.size, &command));
    CHECK(static_cast<uint8_t>(command.action) == vector.action);
    CHECK(same(command.rotation, vector.rotation));
  }
}

TEST_CASE("what Python refuses is refused here, and changes nothing") {
  const Config before = {3, 77, 5, false, true};
  for (const vectors::Refused& vector : vectors::kRefusedConfigs) {
    CAPTURE(vector.name);
    const Exact bytes(from_hex(vector.bytes));
    Config config = before;
    CHECK_FALSE(parse_config(bytes.data(), bytes.size, &config));
    CHECK(config == before);
  }
  const Rotation turned = vectors::kCommands[4].rotation;
  for (const vectors::Refused& vector : vectors::kRefusedCommands) {
    CAPTURE(vector.name);
    const Exact bytes(from_hex(vector.bytes));
    CalibrationCommand command = {CalibrationAction::kForget, turned};
    CHECK_FALSE(parse_calibration(bytes.data(), bytes.size, &command));
    CHECK(command.action == CalibrationAction::kForget);
    CHECK(same(command.rotation, turned));
  }
}

TEST_CASE("of all values of every byte exactly the documented ones are taken") {
  Bytes good(kConfigBytes);
  encode_config(Config(), good.data());
  const int taken[kConfigBytes] = {1, Smoother::kMaxSmoothing + 1, 256, 255, 2, 2};
  for (size_t at = 0; at < kConfigBytes; ++at) {
    int count = 0;
    for (int value = 0; value < 256; ++value) {
      Bytes bytes = good;
      bytes[at] = static_cast<uint8_t>(value);
      Config config;
      count += parse_config(bytes.data(), bytes.size(), &config);
    }
    CHECK(count == taken[at]);
  }
}

TEST_CASE("configurations differ if one value does") {
  const Config config;
  for (int i = 0; i < 5; ++i) {
    Config other;
    if (i == 0) ++other.smoothing;
    if (i == 1) ++other.threshold;
    if (i == 2) ++other.notify_every;
    if (i == 3) other.led = !other.led;
    if (i == 4) other.low_power = !other.low_power;
    CHECK(other != config);
  }
  CHECK(config == Config());
}

TEST_CASE("info tells the contract and the board at the documented offsets, and nothing beyond its size") {
  Info info = {ImuKind::kBmi270, 2, 0x0405, 16385, 1, 2, 3, 0xFFFFFFFFu, "nano33ble"};
  std::unique_ptr<uint8_t[]> out(new uint8_t[kMaxInfoBytes]);
  const size_t size = encode_info(info, out.get());
  const uint8_t* p = out.get();
  CHECK(p[0] == 1);
  CHECK(p[1] == kContractVersion);
  CHECK(std::memcmp(p + 2, kIdentity, 8) == 0);
  CHECK(load_u16(p + 10) == kWindowSamples);
  CHECK(load_u16(p + 12) == kHopSamples);
  CHECK(p[14] == kSampleRateHz);
  CHECK(p[15] == kClassCount);
  CHECK(p[16] == 2);
  CHECK(p[17] == 2);
  CHECK(load_u16(p + 18) == 0x0405);
  CHECK(load_u16(p + 20) == 16385);
  CHECK(load_u32(p + 22) == 1);
  CHECK(load_u32(p + 26) == 2);
  CHECK(load_u32(p + 30) == 3);
  CHECK(load_u32(p + 34) == 0xFFFFFFFFu);
  std::string rest(reinterpret_cast<const char*>(p) + 38, size - 38);
  for (const char* name : kClassNames) {
    CHECK(rest.substr(0, rest.find('\0')) == name);
    rest = rest.substr(rest.find('\0') + 1);
  }
  CHECK(rest == "nano33ble");

  info.board = "a name of more than 15 characters";
  CHECK(encode_info(info, out.get()) == kMaxInfoBytes);
}

TEST_CASE("the BLE table is Python's") {
  CHECK(std::string(kServiceUuid) == vectors::kServiceUuid);
  CHECK(std::string(kBleName) == vectors::kDeviceName);
  CHECK(std::string(kManufacturer) == vectors::kManufacturer);
  REQUIRE(sizeof vectors::kGatt / sizeof vectors::kGatt[0] == kCharacteristicCount);
  for (uint8_t i = 0; i < kCharacteristicCount; ++i) {
    const GattRow& row = gatt_row(static_cast<Characteristic>(i));
    CAPTURE(row.description);
    CHECK(std::string(row.uuid) == vectors::kGatt[i].uuid);
    CHECK(row.properties == vectors::kGatt[i].properties);
    CHECK(row.max_bytes == vectors::kGatt[i].max_bytes);
    CHECK(std::string(row.description) == vectors::kGatt[i].description);
  }
}

}  // namespace
}  // namespace hardwear
