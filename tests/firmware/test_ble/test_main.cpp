// The Nano's BLE adapter on a stand-in for ArduinoBLE that keeps the real one's habits.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "../fakes.h"
#include "ArduinoBLE.h"
#include "boards/nano33ble/ble.cpp"
#include "core/calibration.h"

namespace hardwear {
namespace {

using Bytes = std::vector<uint8_t>;

class FakeWearable final : public WearableActions {
 public:
  Config config() const override { return config_; }
  void apply(const Config& config) override { config_ = config; }
  CalibrationPacket calibration() const override { return {CalibrationState::kIdle, 0, kIdentityRotation}; }
  void calibrate(const CalibrationCommand&) override { ++commands; }
  Info info() const override { return {ImuKind::kLsm9ds1, 0, 0, kQ14One, 0, 0, 0, 0, "nano33ble"}; }
  Config config_;
  int commands = 0;
};

FakeWearable wearable;
WearableService service(ble, wearable);

BLELocalCharacteristic& of(Characteristic characteristic) {
  for (BLELocalCharacteristic* each : BLE.services.at(0)->characteristics) {
    if (each->uuid() == gatt_row(characteristic).uuid) return *each;
  }
  throw "no such characteristic";
}

void connect(uint16_t mtu = 185, uint16_t handle = 0) {
  BLE.events.push_back([mtu, handle] {
    ATT.link = handle;
    ATT.link_mtu = mtu;
    BLE.handlers[BLEConnected](BLEDevice());
  });
  ble.poll();
}

void vanish() {
  BLE.events.push_back([] {
    for (BLEService* each : BLE.services) {
      for (BLELocalCharacteristic* characteristic : each->characteristics) characteristic->cccd = 0;
    }
    BLE.handlers[BLEDisconnected](BLEDevice());
    ATT.link = 0xFFFF;
    ATT.link_mtu = 23;
    ATT.encrypted = false;
  });
  ble.poll();
}

void write(Characteristic characteristic, const Bytes& bytes) {
  BLE.events.push_back([characteristic, bytes] { of(characteristic).written_by_central(bytes); });
  ble.poll();
}

void predict() { service.on_prediction({0, 1, 1, 2, 200, {9, 200, 9, 9, 9, 9}, 1280, 77}); }

Bytes encoded(const Config& config) {
  Bytes out(kConfigBytes);
  encode_config(config, out.data());
  return out;
}

// A board as after power-on, but for the table, which ArduinoBLE builds once.
struct Fresh {
  Fresh() {
    static const bool started = ble.begin(service);
    REQUIRE(started);
    if (ble.connected()) vanish();
    HCI.acknowledge(255);
    HCI.set_room(4);
    HCI.sent.clear();
    HCI.hung = ATT.overflown = false;
    BLE.disconnects = 0;
    service.apply(Config());
    service.open_writes();
    service.poll(kWriteWindowMs);
    service.poll(0);
    ble.poll();
  }
  ~Fresh() {
    CHECK_FALSE(HCI.hung);
    CHECK_FALSE(ATT.overflown);
  }
};

TEST_CASE("the table on the air is the core's, with names, and lets longer writes be told from good ones") {
  Fresh fresh;
  REQUIRE(BLE.services.size() == 2);
  CHECK(BLE.services[0]->uuid() == kServiceUuid);
  CHECK(BLE.advertised == kServiceUuid);
  CHECK(BLE.local_name == "Hardwear");
  CHECK(BLE.device_name == "Hardwear");
  CHECK(BLE.advertising);
  REQUIRE(BLE.services[0]->characteristics.size() == kCharacteristicCount);
  for (uint8_t i = 0; i < kCharacteristicCount; ++i) {
    const BLELocalCharacteristic& each = *BLE.services[0]->characteristics[i];
    CHECK(each.uuid() == kGatt[i].uuid);
    CHECK(each.properties() == kGatt[i].properties);
    CHECK(each.size() == kGatt[i].max_bytes + 1u);
    CHECK(each.descriptors.at("2901") == kGatt[i].description);
  }
  CHECK(BLE.services[1]->uuid() == "180A");
  std::map<std::string, std::string> told;
  for (const BLELocalCharacteristic* each : BLE.services[1]->characteristics) {
    const Bytes value = each->read();
    told[each->uuid()] = std::string(value.begin(), value.end());
  }
  CHECK(told == std::map<std::string, std::string>{
                    {"2A29", "Hardwear"}, {"2A24", "Nano 33 BLE"}, {"2A26", kVersion}});
}

TEST_CASE("a central reads every value, also while it has subscribed, and no value is notified by being set") {
  Fresh fresh;
  connect();
  of(Characteristic::kPrediction).cccd = 1;
  service.apply({1, 128, 2, true, false});
  predict();
  CHECK(HCI.sent.size() == 1);
  predict();  // not due
  CHECK(HCI.sent.size() == 1);
  CHECK(of(Characteristic::kPrediction).read().size() == kPredictionPacketBytes);
  CHECK(of(Characteristic::kConfig).read() == encoded({1, 128, 2, true, false}));
  CHECK(of(Characteristic::kInfo).read().size() > kInfoHeaderBytes);
  const Bytes& packet = HCI.sent[0];
  CHECK(packet.size() == 3 + kPredictionPacketBytes);
  CHECK(load_u16(&packet[1]) == of(Characteristic::kPrediction).notified_as());
  CHECK(Bytes(packet.begin() + 3, packet.end()) == of(Characteristic::kPrediction).read());
}

TEST_CASE("writes of any length come to be judged as they are, and what does not hold is put back") {
  Fresh fresh;
  connect();
  service.open_writes();
  const Config other = {3, 99, 4, false, true};
  write(Characteristic::kConfig, encoded(other));
  CHECK(wearable.config_ == other);
  const uint32_t bad = service.bad_writes();
  for (const size_t size : {0u, 1u, 5u, 7u, 8u, 200u, 512u}) {
    Bytes bytes = encoded(Config());
    bytes.resize(size, 0);
    write(Characteristic::kConfig, bytes);
    CHECK(wearable.config_ == other);
    CHECK(of(Characteristic::kConfig).read() == encoded(other));
  }
  CHECK(service.bad_writes() == bad + 7);
}

TEST_CASE("a command of a subscribed central is echoed by ArduinoBLE; what it reads and hears last is the packet") {
  Fresh fresh;
  connect();
  service.open_writes();
  of(Characteristic::kCalibration).cccd = 1;
  const int before = wearable.commands;
  write(Characteristic::kCalibration, {1});
  CHECK(wearable.commands == before + 1);
  REQUIRE(HCI.sent.size() == 2);
  CHECK(HCI.sent[0].size() == 3 + 1);
  CHECK(HCI.sent[1].size() == 3 + kCalibrationPacketBytes);
  CHECK(of(Characteristic::kCalibration).read() == Bytes(HCI.sent[1].begin() + 3, HCI.sent[1].end()));
}

TEST_CASE("a stalled central is never waited for, and room is left for ArduinoBLE's own answers") {
  for (uint8_t room = 0; room < 12; ++room) {
    CAPTURE(room);
    Fresh fresh;
    HCI.set_room(room);
    connect();
    of(Characteristic::kPrediction).cccd = 1;
    const uint32_t lost = service.lost_notifications();
    for (int i = 0; i < 50; ++i) predict();
    const size_t taken = room > 2 ? room - 2u : room > 0 ? 1 : 0;
    CHECK(HCI.sent.size() == taken);
    CHECK(service.lost_notifications() == lost + 50 - taken);
    HCI.acknowledge(1);
    predict();
    CHECK(HCI.sent.size() == (room == 0 ? 0 : taken + 1));
  }
}

TEST_CASE("centrals that vanish with packets under way leave the board able to send") {
  Fresh fresh;
  for (int i = 0; i < 100; ++i) {
    connect(185, static_cast<uint16_t>(i % 5));
    of(Characteristic::kPrediction).cccd = 1;
    HCI.sent.clear();
    predict();
    predict();
    CHECK(HCI.sent.size() == 2);
    vanish();
    CHECK_FALSE(ble.connected());
    CHECK(HCI.pending() == 0);
    predict();
  }
}

TEST_CASE("a central with an MTU that the specification forbids gets nothing and is cut off") {
  for (const uint16_t mtu : {0, 1, 2, 3, 22}) {
    CAPTURE(mtu);
    Fresh fresh;
    connect(mtu);
    of(Characteristic::kPrediction).cccd = 1;
    CHECK(BLE.disconnects == 1);
    predict();
    CHECK(HCI.sent.empty());
  }
}

TEST_CASE("raw motion needs an MTU that holds it, and the MTU is the link's") {
  Fresh fresh;
  CHECK(ble.mtu() == 23);
  connect(64, 0x0EFF);
  CHECK(ble.mtu() == 64);
  of(Characteristic::kRaw).cccd = 1;
  const int16_t sample[kChannelCount] = {};
  for (uint16_t n = 0; n < 5; ++n) service.on_sample(n, sample);
  CHECK(HCI.sent.empty());
  ATT.link_mtu = 65;
  for (uint16_t n = 0; n < 5; ++n) service.on_sample(n, sample);
  REQUIRE(HCI.sent.size() == 1);
  CHECK(HCI.sent[0].size() == 65);
}

TEST_CASE("pairing is possible only while the wearer allows changes") {
  Fresh fresh;
  CHECK(BLE.pairable == NO);
  service.open_writes();
  ble.poll();
  CHECK(BLE.pairable == YES);
  service.poll(kWriteWindowMs);
  ble.poll();
  CHECK(BLE.pairable == NO);
}

TEST_CASE("keys are kept of encrypted links only, given back for their address, and none is made of zeros") {
  Fresh fresh;
  uint8_t address[6] = {1, 2, 3, 4, 5, 6}, other[6] = {6, 5, 4, 3, 2, 1};
  uint8_t key[16] = {7}, zeros[16] = {}, found[16] = {};
  // Any central may send a key at any time. It must not become a bond by that.
  connect();
  CHECK(BLE.store_ltk(address, key) == 0);
  CHECK(BLE.store_irk(address, key) == 0);
  CHECK(BLE.get_ltk(address, found) == 0);
  CHECK_FALSE(ble.bonded());
  ATT.encrypted = true;
  CHECK(ble.bonded());
  CHECK(BLE.store_ltk(address, zeros) == 0);
  CHECK(BLE.store_irk(address, key) == 1);
  CHECK(BLE.get_ltk(address, found) == 0);  // an identity alone opens nothing
  CHECK(BLE.store_ltk(address, key) == 1);
  vanish();
  CHECK_FALSE(ble.bonded());
  CHECK(BLE.store_ltk(other, key) == 0);
  CHECK(BLE.get_ltk(other, found) == 0);
  CHECK(BLE.get_ltk(address, found) == 1);
  CHECK(std::memcmp(found, key, sizeof key) == 0);

  uint8_t count = 99;
  uint8_t *types = nullptr, **addresses = nullptr, **keys = nullptr;
  CHECK(BLE.get_irks(&count, &types, &addresses, &keys) == 1);
  REQUIRE(count == 1);
  CHECK(std::memcmp(addresses[0], address, 6) == 0);
  CHECK(std::memcmp(keys[0], key, 16) == 0);
  delete[] addresses[0];  // as ArduinoBLE does
  delete[] keys[0];
  delete[] types;
  delete[] addresses;
  delete[] keys;
}

TEST_CASE("the newest four bonds are kept") {
  BondTable table;
  uint8_t key[16] = {1};
  const auto address = [](uint8_t n) { return std::vector<uint8_t>{n, 0, 0, 0, 0, 0}; };
  for (uint8_t n = 1; n <= 6; ++n) {
    key[1] = n;
    table.put_identity_key(address(n).data(), key);
    CHECK(table.put_link_key(address(n).data(), key));
    if (n > 3) table.put_link_key(address(3).data(), key);  // used again and again: stays
  }
  CHECK(table.size() == uint8_t{BondTable::kCapacity});
  for (uint8_t n = 1; n <= 6; ++n) CHECK((table.find(address(n).data()) != nullptr) == (n >= 3));
  CHECK(table.find(address(5).data())->link_key[1] == 5);
  CHECK(table.find(address(3).data())->has_identity_key);
}

TEST_CASE("a day of random centrals: nothing waits, nothing overflows, values stay whole") {
  Fresh fresh;
  uint32_t state = 99;
  const auto pick = [&state](uint32_t below) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
  };
  uint16_t number = 0;
  uint32_t now = 0;
  for (int step = 0; step < 30000; ++step) {
    switch (pick(9)) {
      case 0:
        if (!ble.connected()) connect(static_cast<uint16_t>(pick(4) == 0 ? pick(23) : 23 + pick(225)));
        break;
      case 1:
        if (ble.connected()) vanish();
        break;
      case 2:
        if (ble.connected()) of(static_cast<Characteristic>(pick(5))).cccd = static_cast<uint16_t>(pick(4));
        break;
      case 3:
        HCI.acknowledge(static_cast<uint8_t>(pick(4)));
        break;
      case 4:
        predict();
        break;
      case 5: {
        const int16_t sample[kChannelCount] = {};
        service.on_sample(number++, sample);
        break;
      }
      case 6:
        if (pick(50) == 0) service.open_writes();
        break;
      default:
        // ArduinoBLE lets a central write only where it may, and takes its request when it has room to answer.
        if (ble.connected() && HCI.pending() < 3 && ATT.link_mtu >= 23) {
          const Characteristic target = pick(2) == 0 ? Characteristic::kConfig : Characteristic::kCalibration;
          Bytes bytes(pick(pick(5) == 0 ? 300 : 22));
          for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(pick(pick(2) == 0 ? 6 : 256));
          write(target, bytes);
        }
    }
    now += pick(3000);
    service.poll(now);
    CHECK(of(Characteristic::kConfig).read() == encoded(wearable.config_));
    CHECK(of(Characteristic::kCalibration).read().size() == kCalibrationPacketBytes);
    CHECK(of(Characteristic::kPrediction).read().size() == kPredictionPacketBytes);
  }
}

}  // namespace
}  // namespace hardwear
