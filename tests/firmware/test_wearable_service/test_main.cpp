#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "../../vectors/packets.h"
#include "../fakes.h"
#include "core/calibration.h"
#include "core/wearable_service.h"

namespace hardwear {
namespace {

using Bytes = std::vector<uint8_t>;

struct Notification {
  Characteristic characteristic;
  Bytes bytes;
};

// A stack and the central behind it.
class FakePeripheral final : public Peripheral {
 public:
  bool notify(Characteristic characteristic, const uint8_t* bytes, size_t size) override {
    CHECK(connected);  // the service asks subscribed() before
    CHECK(size + kNotificationOverhead <= link_mtu);
    CHECK(size <= gatt_row(characteristic).max_bytes);
    if (room == 0) return false;
    if (room > 0) --room;
    sent.push_back({characteristic, Bytes(bytes, bytes + size)});
    return true;
  }
  void set_value(Characteristic characteristic, const uint8_t* bytes, size_t size) override {
    CHECK(size <= gatt_row(characteristic).max_bytes);
    values[characteristic] = Bytes(bytes, bytes + size);
  }
  bool subscribed(Characteristic characteristic) override {
    return connected && subscriptions[static_cast<uint8_t>(characteristic)];
  }
  uint16_t mtu() override { return link_mtu; }
  bool bonded() override { return connected && encrypted; }

  void connect(uint16_t mtu = 185) {
    connected = true;
    link_mtu = mtu;
  }
  void subscribe(Characteristic characteristic, bool on = true) {
    subscriptions[static_cast<uint8_t>(characteristic)] = on;
  }
  // The link is gone: the stack forgets what was subscribed.
  void vanish() {
    connected = encrypted = false;
    link_mtu = 23;
    for (bool& subscription : subscriptions) subscription = false;
  }

  std::vector<Bytes> take(Characteristic characteristic) {
    std::vector<Bytes> out;
    for (const Notification& notification : sent) {
      if (notification.characteristic == characteristic) out.push_back(notification.bytes);
    }
    sent.clear();
    return out;
  }

  bool connected = false;
  bool encrypted = false;
  bool subscriptions[kCharacteristicCount] = {};
  uint16_t link_mtu = 23;
  int room = -1;  // notifications that the link still takes; negative: any number
  std::map<Characteristic, Bytes> values;
  std::vector<Notification> sent;
};

class FakeWearable final : public WearableActions {
 public:
  Config config() const override { return config_; }
  void apply(const Config& config) override {
    config_ = config;
    ++applied;
  }
  CalibrationPacket calibration() const override { return packet; }
  void calibrate(const CalibrationCommand& command) override {
    commands.push_back(command);
    if (command.action == CalibrationAction::kStart) packet.state = CalibrationState::kStandStill;
    if (command.action == CalibrationAction::kSet) packet.rotation = command.rotation;
  }
  Info info() const override { return {ImuKind::kLsm9ds1, 1, faults, kQ14One, 99, 99, 99, 99, "fake"}; }

  Config config_;
  CalibrationPacket packet = {CalibrationState::kIdle, 0, kIdentityRotation};
  uint16_t faults = 0;
  int applied = 0;
  std::vector<CalibrationCommand> commands;
};

struct Bench {
  FakePeripheral stack;
  FakeWearable wearable;
  WearableService service;
  uint16_t sequence = 0;

  explicit Bench(bool bonded_only = false) : service(stack, wearable, bonded_only) { service.begin(); }

  void predict(uint8_t flags = 0) {
    service.on_prediction({flags, sequence, 1, 2, 200, {9, 200, 9, 9, 9, 9}, 1280u * sequence, 77});
    ++sequence;
  }
  WriteResult write(Characteristic characteristic, const Bytes& bytes) {
    // As ArduinoBLE does: the value is what was written until somebody puts another one there.
    if (characteristic != Characteristic::kRaw) stack.values[characteristic] = bytes;
    const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);  // ASan sees every read beyond it
    std::copy(bytes.begin(), bytes.end(), exact.get());
    return service.on_write(characteristic, exact.get(), bytes.size());
  }
  WriteResult configure(const Config& config) { return write(Characteristic::kConfig, encoded(config)); }

  static Bytes encoded(const Config& config) {
    Bytes out(kConfigBytes);
    encode_config(config, out.data());
    return out;
  }
  static Bytes encoded(const CalibrationPacket& packet) {
    Bytes out(kCalibrationPacketBytes);
    encode_calibration(packet, out.data());
    return out;
  }
  Info told() const {
    const Bytes& p = stack.values.at(Characteristic::kInfo);
    Info info = {};
    info.faults = load_u16(&p[18]);
    info.bad_writes = load_u32(&p[22]);
    info.locked_writes = load_u32(&p[26]);
    info.lost_notifications = load_u32(&p[30]);
    info.lost_raw = load_u32(&p[34]);
    return info;
  }
};

uint16_t sequence_of(const Bytes& packet) { return load_u16(&packet[2]); }

const Config kOther = {3, 99, 4, false, true};

TEST_CASE("every value stands before a central comes") {
  Bench bench;
  CHECK(bench.stack.values[Characteristic::kConfig] == Bench::encoded(Config()));
  CHECK(bench.stack.values[Characteristic::kCalibration] == Bench::encoded(bench.wearable.packet));
  CHECK(bench.stack.values[Characteristic::kInfo].size() > kInfoHeaderBytes);
  const Bytes prediction = bench.stack.values[Characteristic::kPrediction];
  REQUIRE(prediction.size() == kPredictionPacketBytes);
  CHECK(prediction[4] == 0xFF);  // unknown, unknown
  CHECK(bench.stack.sent.empty());
}

TEST_CASE("a prediction is the value at once, and notified to who has subscribed") {
  Bench bench;
  bench.predict();
  CHECK(sequence_of(bench.stack.values[Characteristic::kPrediction]) == 0);
  CHECK(bench.stack.sent.empty());
  bench.stack.connect(23);  // the smallest MTU holds it
  bench.predict();
  CHECK(bench.stack.sent.empty());
  bench.stack.subscribe(Characteristic::kPrediction);
  bench.predict();
  const std::vector<Bytes> sent = bench.stack.take(Characteristic::kPrediction);
  REQUIRE(sent.size() == 1);
  CHECK(sent[0] == bench.stack.values[Characteristic::kPrediction]);
  CHECK(sequence_of(sent[0]) == 2);
}

TEST_CASE("every n-th prediction is notified, the first one at once, and every one is the value") {
  Bench bench;
  bench.stack.connect();
  bench.stack.subscribe(Characteristic::kPrediction);
  bench.service.apply({1, 128, 3, true, false});
  for (int i = 0; i < 7; ++i) {
    bench.predict();
    CHECK(sequence_of(bench.stack.values[Characteristic::kPrediction]) == i);
  }
  const std::vector<Bytes> sent = bench.stack.take(Characteristic::kPrediction);
  REQUIRE(sent.size() == 3);
  CHECK(sequence_of(sent[0]) == 0);
  CHECK(sequence_of(sent[1]) == 3);
  CHECK(sequence_of(sent[2]) == 6);
  // More often takes effect with the next window, not after the old interval.
  bench.service.apply({1, 128, 255, true, false});
  bench.predict();
  bench.predict();
  bench.service.apply({1, 128, 1, true, false});
  bench.predict();
  CHECK(bench.stack.take(Characteristic::kPrediction).size() == 2);
}

TEST_CASE("who subscribes hears the next window, whatever was before") {
  Bench bench;
  bench.service.apply({1, 128, 200, true, false});
  bench.stack.connect();
  for (int i = 0; i < 5; ++i) {
    bench.stack.subscribe(Characteristic::kPrediction);
    bench.predict();
    CHECK(bench.stack.take(Characteristic::kPrediction).size() == 1);
    bench.predict();
    CHECK(bench.stack.take(Characteristic::kPrediction).empty());
    bench.stack.subscribe(Characteristic::kPrediction, false);
    bench.predict(flag::kSamplesLost);
  }
  bench.stack.subscribe(Characteristic::kPrediction);
  bench.predict();
  CHECK(bench.stack.take(Characteristic::kPrediction).at(0)[1] == 0);  // nothing of the time before
}

TEST_CASE("what was lost or slept between two notifications is told with the next one that goes out") {
  Bench bench;
  bench.stack.connect();
  bench.stack.subscribe(Characteristic::kPrediction);
  bench.service.apply({1, 128, 3, true, false});
  bench.predict();
  bench.predict(flag::kSamplesLost | flag::kImuFrozen);
  bench.predict(flag::kSlept);
  bench.stack.room = 0;  // stalled: this one doesn't go out
  bench.predict(flag::kUncalibrated);
  bench.predict();
  bench.predict();
  bench.stack.room = -1;
  bench.predict(flag::kLowMemory);
  const std::vector<Bytes> sent = bench.stack.take(Characteristic::kPrediction);
  REQUIRE(sent.size() == 2);
  CHECK(sent[1][1] == (flag::kSamplesLost | flag::kSlept | flag::kLowMemory));  // states are told as they are now
  CHECK(bench.stack.values[Characteristic::kPrediction][1] == flag::kLowMemory);
  for (int i = 0; i < 3; ++i) bench.predict();
  CHECK(bench.stack.take(Characteristic::kPrediction).at(0)[1] == 0);
}

TEST_CASE("a stalled central is counted and never waited for") {
  Bench bench;
  bench.stack.connect();
  bench.stack.subscribe(Characteristic::kPrediction);
  bench.stack.subscribe(Characteristic::kCalibration);
  bench.stack.subscribe(Characteristic::kRaw);
  bench.stack.room = 0;
  const int16_t sample[kChannelCount] = {1, 2, 3, 4, 5, 6};
  for (uint16_t i = 0; i < 10; ++i) bench.service.on_sample(i, sample);
  for (int i = 0; i < 4; ++i) bench.predict();
  bench.service.on_calibration(bench.wearable.packet);
  CHECK(bench.service.lost_notifications() == 5);
  CHECK(bench.service.lost_raw() == 2);
  bench.stack.room = 1;
  bench.predict();
  CHECK(sequence_of(bench.stack.take(Characteristic::kPrediction).at(0)) == 4);
  bench.predict();
  CHECK(bench.told().lost_notifications == 5);  // as of before this one
  bench.predict();
  CHECK(bench.told().lost_notifications == 6);
  CHECK(bench.told().lost_raw == 2);
}

TEST_CASE("writes are locked until the wearer or a bond allows them, and the value is put back") {
  Bench bench;
  bench.stack.connect();
  CHECK(bench.configure(kOther) == WriteResult::kLocked);
  CHECK(bench.write(Characteristic::kCalibration, {1}) == WriteResult::kLocked);
  CHECK(bench.wearable.applied == 0);
  CHECK(bench.wearable.commands.empty());
  CHECK(bench.stack.values[Characteristic::kConfig] == Bench::encoded(Config()));
  CHECK(bench.stack.values[Characteristic::kCalibration] == Bench::encoded(bench.wearable.packet));
  CHECK(bench.service.locked_writes() == 2);
  CHECK(bench.told().locked_writes == 2);

  bench.stack.encrypted = true;
  CHECK(bench.configure(kOther) == WriteResult::kDone);
  CHECK(bench.wearable.config_ == kOther);
  CHECK(bench.stack.values[Characteristic::kConfig] == Bench::encoded(kOther));
  bench.stack.encrypted = false;
  CHECK(bench.configure(Config()) == WriteResult::kLocked);
  bench.service.open_writes();
  CHECK(bench.configure(Config()) == WriteResult::kDone);
  CHECK(bench.wearable.config_ == Config());
}

TEST_CASE("the window is open for a minute, at any time of the clock, and 49 days later it is still closed") {
  for (const uint32_t start : {0u, 5u, 0xFFFFFFFFu - 30000u, 0xFFFFFFFFu, 0x80000000u}) {
    Bench bench;
    bench.service.poll(start);
    CHECK_FALSE(bench.service.writes_open());
    bench.service.open_writes();
    CHECK(bench.service.writes_open());
    bench.service.poll(start + kWriteWindowMs - 1);
    CHECK(bench.service.writes_open());
    bench.service.poll(start + kWriteWindowMs);
    CHECK_FALSE(bench.service.writes_open());
    bench.service.poll(start);  // the clock has gone round
    CHECK_FALSE(bench.service.writes_open());
    CHECK(bench.configure(kOther) == WriteResult::kLocked);
  }
}

TEST_CASE("knocking again opens it anew, and a central that goes doesn't close it") {
  Bench bench;
  bench.service.open_writes();
  bench.service.poll(50000);
  bench.service.open_writes();
  bench.stack.vanish();
  bench.service.poll(100000);
  bench.stack.connect();
  CHECK(bench.configure(kOther) == WriteResult::kDone);
  bench.service.poll(110000);
  CHECK(bench.configure(kOther) == WriteResult::kLocked);
}

TEST_CASE("a double tap opens writes, a second one while they are open starts a calibration") {
  Bench bench;
  bench.service.poll(1000);
  bench.service.on_double_tap();
  CHECK(bench.service.writes_open());
  CHECK(bench.wearable.commands.empty());
  bench.service.poll(50000);
  bench.service.on_double_tap();
  REQUIRE(bench.wearable.commands.size() == 1);
  CHECK(bench.wearable.commands[0].action == CalibrationAction::kStart);
  bench.service.poll(50000 + kWriteWindowMs);
  bench.service.on_double_tap();
  CHECK(bench.service.writes_open());
  CHECK(bench.wearable.commands.size() == 1);
}

TEST_CASE("every bad write is ignored, counted, and the value put back") {
  Bench bench;
  bench.service.open_writes();
  REQUIRE(bench.configure(kOther) == WriteResult::kDone);
  uint32_t bad = 0;
  for (const vectors::Refused& vector : vectors::kRefusedConfigs) {
    CAPTURE(vector.name);
    CHECK(bench.write(Characteristic::kConfig, from_hex(vector.bytes)) == WriteResult::kBad);
    CHECK(bench.stack.values[Characteristic::kConfig] == Bench::encoded(kOther));
    CHECK(bench.told().bad_writes == ++bad);
  }
  for (const vectors::Refused& vector : vectors::kRefusedCommands) {
    CAPTURE(vector.name);
    CHECK(bench.write(Characteristic::kCalibration, from_hex(vector.bytes)) == WriteResult::kBad);
    CHECK(bench.stack.values[Characteristic::kCalibration] == Bench::encoded(bench.wearable.packet));
    CHECK(bench.told().bad_writes == ++bad);
  }
  // A stack lets nobody write these; if it did, it would change nothing.
  bench.predict();
  const auto before = bench.stack.values;
  for (const Characteristic other : {Characteristic::kPrediction, Characteristic::kInfo, Characteristic::kRaw}) {
    CHECK(bench.write(other, Bytes(20, 7)) == WriteResult::kBad);
    ++bad;
  }
  CHECK(bench.stack.values[Characteristic::kPrediction] == before.at(Characteristic::kPrediction));
  CHECK(bench.service.bad_writes() == bad);
  CHECK(bench.told().bad_writes == bad);
  CHECK(bench.wearable.config_ == kOther);
  CHECK(bench.wearable.applied == 1);
  CHECK(bench.wearable.commands.empty());
}

TEST_CASE("commands reach the wearable, and what they change is told") {
  Bench bench;
  bench.stack.connect();
  bench.stack.subscribe(Characteristic::kCalibration);
  bench.service.open_writes();
  for (const vectors::CommandVector& vector : vectors::kCommands) {
    CAPTURE(vector.name);
    CHECK(bench.write(Characteristic::kCalibration, from_hex(vector.bytes)) == WriteResult::kDone);
    REQUIRE(!bench.wearable.commands.empty());
    CHECK(static_cast<uint8_t>(bench.wearable.commands.back().action) == vector.action);
    const Bytes now = Bench::encoded(bench.wearable.packet);
    CHECK(bench.stack.values[Characteristic::kCalibration] == now);
    const std::vector<Bytes> sent = bench.stack.take(Characteristic::kCalibration);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0] == now);
  }
  CHECK(std::memcmp(&bench.wearable.packet.rotation, &vectors::kCommands[4].rotation, sizeof(Rotation)) == 0);
}

TEST_CASE("a host on the serial line needs no leave, and BLE's values follow") {
  Bench bench;
  LiveControl& host = bench.service;
  host.apply(kOther);
  CHECK(host.config() == kOther);
  CHECK(bench.stack.values[Characteristic::kConfig] == Bench::encoded(kOther));
  host.calibrate({CalibrationAction::kSet, vectors::kCommands[4].rotation});
  CHECK(bench.stack.values[Characteristic::kCalibration] == Bench::encoded(host.calibration()));
  host.open_writes();
  CHECK(bench.configure(Config()) == WriteResult::kDone);
}

TEST_CASE("five samples make a raw packet, which begins anew at a gap and over the wrap") {
  Bench bench;
  bench.stack.connect();
  bench.stack.subscribe(Characteristic::kRaw);
  const auto put = [&bench](uint16_t number) {
    int16_t sample[kChannelCount];
    for (uint8_t c = 0; c < kChannelCount; ++c) sample[c] = static_cast<int16_t>(number + c);
    bench.service.on_sample(number, sample);
  };
  for (uint16_t n = 65530; n != 3; ++n) put(n);  // 9 samples: one packet, four left
  put(100);                                      // a gap: the four can't be told of
  for (uint16_t n = 101; n < 105; ++n) put(n);
  const std::vector<Bytes> sent = bench.stack.take(Characteristic::kRaw);
  REQUIRE(sent.size() == 2);
  CHECK(load_u16(&sent[0][0]) == 65530);
  CHECK(load_u16(&sent[1][0]) == 100);
  for (uint16_t i = 0; i < kRawSamples; ++i) {
    for (uint16_t c = 0; c < kChannelCount; ++c) {
      CHECK(load_u16(&sent[1][2u + 12u * i + 2u * c]) == 100 + i + c);
    }
  }
}

TEST_CASE("raw motion goes out only to who wants it and over a link that holds it") {
  Bench bench;
  const int16_t sample[kChannelCount] = {};
  uint16_t number = 0;
  const auto put = [&](int samples) {
    for (int i = 0; i < samples; ++i) bench.service.on_sample(number++, sample);
    return bench.stack.take(Characteristic::kRaw).size();
  };
  CHECK(put(20) == 0);
  bench.stack.connect(kRawMtu - 1);
  bench.stack.subscribe(Characteristic::kRaw);
  CHECK(put(20) == 0);
  bench.stack.link_mtu = kRawMtu;
  CHECK(put(20) == 4);
  CHECK(put(3) == 0);
  bench.stack.vanish();
  CHECK(put(1) == 0);
  bench.stack.connect();
  bench.stack.subscribe(Characteristic::kRaw);
  CHECK(put(4) == 0);  // the three of before are not mixed in
  CHECK(put(1) == 1);
  CHECK(bench.service.lost_raw() == 0);
}

TEST_CASE("a central that reconnects in a loop, subscribes twice or never reads leaves nothing behind") {
  Bench bench;
  const auto before = bench.stack.values;
  for (int i = 0; i < 1000; ++i) {
    bench.stack.connect(static_cast<uint16_t>(23 + i % 200));
    for (int twice = 0; twice < 2; ++twice) {
      bench.stack.subscribe(Characteristic::kPrediction);
      bench.stack.subscribe(Characteristic::kRaw);
    }
    bench.service.poll(static_cast<uint32_t>(i) * 100000u);
    if (i % 3 == 0) bench.write(Characteristic::kConfig, Bytes(static_cast<size_t>(i % 9), 0xEE));
    bench.stack.room = i % 4;
    const int16_t sample[kChannelCount] = {};
    for (uint16_t n = 0; n < i % 7; ++n) bench.service.on_sample(n, sample);
    bench.stack.vanish();
  }
  CHECK(bench.stack.values[Characteristic::kConfig] == before.at(Characteristic::kConfig));
  CHECK(bench.service.locked_writes() == 334);
  bench.stack.sent.clear();
  bench.stack.room = -1;
  bench.stack.connect();
  bench.stack.subscribe(Characteristic::kPrediction);
  bench.predict();
  CHECK(bench.stack.take(Characteristic::kPrediction).size() == 1);
}

TEST_CASE("bonded only: a stranger reads empty values and hears nothing; a bond opens all") {
  Bench bench(true);
  for (const auto& value : bench.stack.values) CHECK(value.second.empty());
  bench.stack.connect();
  bench.stack.subscribe(Characteristic::kPrediction);
  bench.stack.subscribe(Characteristic::kCalibration);
  bench.stack.subscribe(Characteristic::kRaw);
  const int16_t sample[kChannelCount] = {};
  const auto live = [&] {
    for (uint16_t n = 0; n < kRawSamples; ++n) bench.service.on_sample(n, sample);
    bench.predict();
    bench.service.on_calibration(bench.wearable.packet);
    const size_t sent = bench.stack.sent.size();
    bench.stack.sent.clear();
    return sent;
  };
  bench.service.poll(1);
  CHECK(live() == 0);
  CHECK(bench.configure(kOther) == WriteResult::kLocked);
  for (const auto& value : bench.stack.values) CHECK(value.second.empty());  // the put-back value tells nothing either

  bench.stack.encrypted = true;
  bench.service.poll(2);
  for (const auto& value : bench.stack.values) CHECK_FALSE(value.second.empty());
  CHECK(live() == 3);

  bench.stack.vanish();
  bench.service.poll(3);
  for (const auto& value : bench.stack.values) CHECK(value.second.empty());
}

// Whatever a central and its link do, in any order: the model beside it says what has to hold afterwards.
TEST_CASE("tens of thousands of random operations leave the promises standing") {
  for (const bool bonded_only : {false, true}) {
    for (uint32_t seed = 1; seed <= 8; ++seed) {
      CAPTURE(seed);
      Bench bench(bonded_only);
      uint32_t state = seed * 2654435761u;
      const auto pick = [&state](uint32_t below) {
        state = state * 1664525u + 1013904223u;
        return (state >> 8) % below;
      };
      uint32_t now = 0xFFFFFFFFu - 100000u;  // the clock wraps on the way
      bool open = false;
      uint32_t opened = 0;
      uint32_t bad = 0, locked = 0;
      size_t commands = 0;
      uint16_t number = 0;
      Config config;
      for (int step = 0; step < 5000; ++step) {
        switch (pick(12)) {
          case 0:
            bench.stack.connect(static_cast<uint16_t>(23 + pick(225)));
            break;
          case 1:
            bench.stack.vanish();
            break;
          case 2:
            if (bench.stack.connected) bench.stack.encrypted = pick(2) == 0;
            break;
          case 3:
            if (bench.stack.connected) bench.stack.subscribe(static_cast<Characteristic>(pick(5)), pick(3) != 0);
            break;
          case 4:
            bench.stack.room = static_cast<int>(pick(4)) - 1;
            break;
          case 5:
            if (pick(8) == 0) {
              bench.service.open_writes();
              open = true;
              opened = now;
            }
            break;
          case 6:
            bench.predict(static_cast<uint8_t>(pick(256)));
            break;
          case 7:
            bench.wearable.packet.progress = static_cast<uint8_t>(pick(256));
            bench.service.on_calibration(bench.wearable.packet);
            break;
          case 8: {
            const int16_t sample[kChannelCount] = {1, -1, 2, -2, 3, -3};
            number = static_cast<uint16_t>(number + (pick(20) == 0 ? pick(65536) : 1));
            bench.service.on_sample(number, sample);
            break;
          }
          default: {
            const auto target = static_cast<Characteristic>(pick(5));
            Bytes bytes(pick(pick(4) == 0 ? 520 : 24));
            for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(pick(pick(2) == 0 ? 8 : 256));
            if (pick(2) == 0) {  // nearly good ones
              if (target == Characteristic::kConfig) {
                bytes = Bench::encoded(Config{static_cast<uint8_t>(pick(8)), static_cast<uint8_t>(pick(256)),
                                              static_cast<uint8_t>(pick(256)), pick(2) == 0, pick(2) == 0});
              } else {
                bytes = from_hex(vectors::kCommands[pick(5)].bytes);
              }
              if (pick(3) == 0 && !bytes.empty()) bytes[pick(static_cast<uint32_t>(bytes.size()))] ^= 1u << pick(8);
            }
            const bool allowed = open || bench.stack.bonded();
            Config parsed;
            CalibrationCommand command;
            const bool good =
                (target == Characteristic::kConfig && parse_config(bytes.data(), bytes.size(), &parsed)) ||
                (target == Characteristic::kCalibration && parse_calibration(bytes.data(), bytes.size(), &command));
            const WriteResult result = bench.write(target, bytes);
            CHECK(result == (!allowed ? WriteResult::kLocked : good ? WriteResult::kDone : WriteResult::kBad));
            if (!allowed) ++locked;
            if (allowed && !good) ++bad;
            if (allowed && good && target == Characteristic::kConfig) config = parsed;
            if (allowed && good && target == Characteristic::kCalibration) ++commands;
            break;
          }
        }
        now += pick(5000);
        bench.service.poll(now);
        if (open && now - opened >= kWriteWindowMs) open = false;

        CHECK(bench.service.writes_open() == open);
        CHECK(bench.wearable.config_ == config);
        CHECK(bench.wearable.commands.size() == commands);
        CHECK(bench.service.bad_writes() == bad);
        CHECK(bench.service.locked_writes() == locked);
        const bool readable = !bonded_only || bench.stack.bonded();
        CHECK(bench.stack.values[Characteristic::kConfig] == (readable ? Bench::encoded(config) : Bytes()));
        CHECK(bench.stack.values[Characteristic::kCalibration] ==
              (readable ? Bench::encoded(bench.wearable.packet) : Bytes()));
        if (!readable) CHECK(bench.stack.sent.empty());
        bench.stack.sent.clear();
      }
    }
  }
}

TEST_CASE("the service fits its budget") { CHECK(sizeof(WearableService) <= 200); }

}  // namespace
}  // namespace hardwear
