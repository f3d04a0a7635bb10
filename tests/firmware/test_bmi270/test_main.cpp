#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "../sensor_drill.h"
#include "../virtual_bmi270.h"
#include "sensors/bmi270.h"

namespace hardwear {
namespace {

constexpr int32_t kAcceleration = scale_multiplier(Part::kBmi270, Quantity::kAcceleration, 4);
constexpr int32_t kRate = scale_multiplier(Part::kBmi270, Quantity::kRate, 1000);

// Stands for the maker's file, which is not ours: bytes without pattern, of its size.
struct Configuration {
  uint8_t bytes[Bmi270::kConfigurationBytes];
  Configuration() {
    Chance chance = {99};
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(chance.below(256));
  }
};
const Configuration configuration;

struct Bench {
  explicit Bench(const AxisMap& axes = kNano33BleSenseRev2, uint16_t size = Bmi270::kConfigurationBytes)
      : sensor(configuration.bytes, sizeof configuration.bytes),
        imu(sensor, axes, configuration.bytes, size),
        follower(imu, {kAcceleration, kRate, axes}) {
    sensor.supply(numbered_sample, nullptr);
    sensor.on_misuse(fail_test);
    follower.next = Bmi270::kSettlingSamples;
  }

  void begin() {
    REQUIRE(imu.begin());
    CHECK(sensor.sampled() == 0);
  }

  VirtualBmi270 sensor;
  Bmi270 imu;
  Follower follower;
};

struct Still {
  int axis = 0;
  int16_t step = 0;

  static void sample(void* context, uint32_t, int16_t acceleration[3], int16_t rate[3]) {
    const Still& still = *static_cast<const Still*>(context);
    for (int i = 0; i < 3; ++i) acceleration[i] = static_cast<int16_t>(i == 2 ? 8192 : 50), rate[i] = 0;
    acceleration[still.axis] = static_cast<int16_t>(acceleration[still.axis] + still.step);
  }
};

TEST_CASE("every sample comes out once, in order and scaled, at any rate error and whenever the FIFO is drained") {
  for (const int32_t error : {-100000, -20000, 0, 4321, 100000}) {
    CAPTURE(error);
    Bench bench;
    bench.sensor.rate_error_ppm = error;
    bench.begin();
    Chance chance = {static_cast<uint32_t>(error)};
    for (int round = 0; round < 1000; ++round) {
      bench.sensor.advance_us(chance.below(1400000));  // 155 samples take 1.41 s at +10 %
      const ImuRead read = bench.follower.read(200);
      REQUIRE_FALSE(read.failed);
      REQUIRE_FALSE(read.overrun);
    }
    CHECK(bench.follower.next == bench.sensor.sampled());
    CHECK(bench.follower.samples > 50000);
    CHECK(bench.sensor.lost() == 0);
  }
}

TEST_CASE("a small buffer is filled to the last place while samples wait, and what is left comes with the next read") {
  for (const bool counted : {false, true}) {
    CAPTURE(counted);
    Bench bench;
    bench.sensor.length_has_skip_frame = counted;
    bench.begin();
    Chance chance = {1};
    for (int round = 0; round < 1000; ++round) {
      bench.sensor.advance_us(chance.below(2000000));
      if (chance.below(4) == 0) bench.sensor.input_config_frame = true;
      for (;;) {
        const uint16_t capacity = static_cast<uint16_t>(1 + chance.below(40));
        const ImuRead read = bench.follower.read(capacity);
        REQUIRE_FALSE(read.failed);
        if (read.samples < capacity) break;
      }
      REQUIRE(bench.sensor.unread() == 0);
    }
    CHECK(bench.follower.next == bench.sensor.sampled());
  }
}

TEST_CASE("an overrun is told exactly when samples were lost") {
  for (const bool counted : {false, true}) {
    CAPTURE(counted);
    Bench bench;
    bench.sensor.length_has_skip_frame = counted;
    bench.begin();
    Chance chance = {2};
    uint32_t lost = 0, losses = 0;
    for (int round = 0; round < 1000; ++round) {
      bench.sensor.advance_us(chance.below(2500000));
      const bool has_lost = bench.sensor.lost() > lost;
      lost = bench.sensor.lost();
      losses += has_lost;
      const ImuRead read = bench.follower.read(32);
      REQUIRE_FALSE(read.failed);
      REQUIRE(read.overrun == has_lost);
      while (bench.follower.read(32).samples == 32) {
      }
    }
    CHECK(losses > 200);
    CHECK(bench.follower.told == losses);
    CHECK(bench.follower.false_alarms == 0);
    CHECK(bench.follower.next == bench.sensor.sampled());
  }
}

TEST_CASE("samples that arrive while the bus is busy are neither mixed up nor missed") {
  Bench bench;
  bench.sensor.ns_per_byte = 22500;  // 400 kHz
  bench.sensor.rate_error_ppm = -30000;
  REQUIRE(bench.imu.begin());
  Chance chance = {3};
  for (int round = 0; round < 2000; ++round) {
    bench.sensor.advance_us(1000000 + chance.below(800000));
    REQUIRE_FALSE(bench.follower.read(200).failed);
  }
  CHECK(bench.sensor.lost() > 1000);
}

TEST_CASE("its configuration file has to be the board's, whole and taken by the sensor") {
  {
    Bench bench;
    Bmi270 imu(bench.sensor, kNano33BleSenseRev2, nullptr, 0);
    const uint32_t before = bench.sensor.transactions();
    CHECK_FALSE(imu.begin());
    CHECK(bench.sensor.transactions() == before + 1);  // its identity, no more
    CHECK(std::strstr(imu.fault(), "configuration file") != nullptr);
    CHECK(std::strstr(imu.fault(), "Arduino_BMI270_BMM150") != nullptr);
  }
  {
    Bench bench(kNano33BleSenseRev2, Bmi270::kConfigurationBytes - 2);
    CHECK_FALSE(bench.imu.begin());
    CHECK(std::strcmp(bench.imu.fault(), "BMI270: its configuration file was not taken") == 0);
    CHECK(bench.follower.read().failed);
  }
  {
    Bench bench;
    Bmi270 imu(bench.sensor, kNano33BleSenseRev2, configuration.bytes + 2, Bmi270::kConfigurationBytes - 2);
    CHECK_FALSE(imu.begin());
  }
}

TEST_CASE("what doesn't answer or is another part is told apart") {
  {
    Bench bench;
    bench.sensor.present = false;
    CHECK_FALSE(bench.imu.begin());
    CHECK(std::strcmp(bench.imu.fault(), "BMI270: no answer") == 0);
  }
  {
    Bench bench;
    bench.sensor.chip_id = 0x26;
    CHECK_FALSE(bench.imu.begin());
    CHECK(std::strcmp(bench.imu.fault(), "BMI270: CHIP_ID is another part's") == 0);
  }
}

TEST_CASE("a bus that fails at any one transaction of the start is told, and the next start works") {
  uint32_t transactions = 0;
  {
    Bench bench;
    bench.begin();
    transactions = bench.sensor.transactions();
  }
  CHECK(transactions > 80);
  uint32_t refused = 0;
  for (uint32_t index = 0; index < transactions; ++index) {
    for (const size_t bytes : {size_t{0}, size_t{1}}) {
      CAPTURE(index);
      Bench bench;
      bench.sensor.fail(index, 1, bytes);
      if (!bench.imu.begin()) {
        ++refused;
        CHECK(std::strlen(bench.imu.fault()) > 10);
        CHECK(bench.follower.read().failed);
        bench.sensor.advance_us(10000);  // a reset that was not acknowledged may go on
        REQUIRE(bench.imu.begin());
      }
      bench.follower.next = bench.sensor.sampled() + Bmi270::kSettlingSamples;
      bench.sensor.advance_us(300000);
      CHECK(bench.follower.read().samples > 20);
    }
  }
  // All but a failed look at whether its program runs, which is repeated.
  CHECK(refused >= 2 * transactions - 4);
}

TEST_CASE("a bus that fails at any one transaction of reading is told, and no sample is passed on twice or torn") {
  for (const uint32_t first : {1u, 2u, 3u}) {
    for (size_t bytes = 0; bytes <= 247; bytes += bytes < 30 ? 1 : 13) {
      CAPTURE(first);
      CAPTURE(bytes);
      Bench bench;
      bench.begin();
      bench.sensor.advance_us(600000);  // 60 samples: four bursts
      bench.sensor.fail(first, 1, bytes);
      CHECK(bench.follower.read(100).failed);
      CHECK(std::strlen(bench.imu.fault()) > 10);
      bench.sensor.advance_us(60000);
      const ImuRead next = bench.follower.read(100);
      CHECK_FALSE(next.failed);
      CHECK(next.overrun);
      bench.sensor.advance_us(100000);
      const ImuRead after = bench.follower.read(100);
      CHECK_FALSE(after.overrun);
      CHECK(after.samples == 10);
    }
  }
}

TEST_CASE("a look into the FIFO that fails costs no sample") {
  Bench bench;
  bench.begin();
  bench.sensor.advance_us(500000);
  bench.sensor.fail(0);
  CHECK(bench.follower.read().failed);
  const ImuRead read = bench.follower.read(100);
  CHECK_FALSE(read.overrun);
  CHECK(bench.follower.next == bench.sensor.sampled());
}

TEST_CASE("buses that fail at random cost samples, but none untold") {
  Bench bench;
  bench.begin();
  Chance chance = {5};
  for (int round = 0; round < 3000; ++round) {
    bench.sensor.advance_us(chance.below(1000000));
    if (chance.below(3) == 0) bench.sensor.fail(chance.below(6), 1 + chance.below(2), chance.below(248));
    bench.follower.read(100);
  }
  CHECK(bench.follower.failed > 300);
  CHECK(bench.follower.samples > 50000);
}

TEST_CASE("a FIFO that holds what is no frame is emptied, and the loss is told") {
  Bench bench;
  bench.begin();
  bench.sensor.advance_us(300000);
  bench.follower.read();
  bench.sensor.advance_us(300000);
  bench.sensor.garble();
  CHECK(bench.follower.read().failed);
  CHECK(bench.sensor.unread() == 0);
  bench.sensor.advance_us(100000);
  const ImuRead read = bench.follower.read();
  CHECK(read.overrun);
  CHECK(read.samples == 10);
}

TEST_CASE("the axes are the sensor's, and what the contract can't hold saturates") {
  Bench bench;
  bench.begin();
  bench.sensor.supply(
      [](void*, uint32_t, int16_t acceleration[3], int16_t rate[3]) {
        acceleration[0] = 1000, acceleration[1] = INT16_MIN, acceleration[2] = INT16_MAX;
        rate[0] = -1000, rate[1] = INT16_MIN, rate[2] = INT16_MAX;
      },
      nullptr);
  bench.sensor.advance_us(100000);
  int16_t out[32][kChannelCount];
  REQUIRE(bench.imu.read(out, 32).samples == 2);
  const int16_t expected[] = {1000, INT16_MIN, INT16_MAX, -1091, INT16_MIN, INT16_MAX};
  for (int c = 0; c < kChannelCount; ++c) CHECK(out[1][c] == expected[c]);
}

TEST_CASE("asleep it feels a motion along any axis either way, keeps it for the next look, and wakes") {
  for (int axis = 0; axis < 3; ++axis) {
    for (const int sign : {-1, 1}) {
      Bench bench;
      Still still;
      bench.begin();
      bench.sensor.supply(Still::sample, &still);
      bench.sensor.advance_us(500000);
      REQUIRE(bench.imu.sleep_until_motion());
      CHECK(bench.follower.read().failed);
      still.axis = axis;
      for (int second = 0; second < 60; ++second) {
        still.step = static_cast<int16_t>(second * 10);  // up to 72 mg
        bench.sensor.advance_us(1000000);
        REQUIRE_FALSE(bench.imu.moved());
      }
      still.step = static_cast<int16_t>(sign * 800);
      bench.sensor.advance_us(300000);
      still.step = 0;
      bench.sensor.advance_us(700000);
      CHECK(bench.imu.moved());
      REQUIRE(bench.imu.wake());
      bench.sensor.advance_us(200000);
      int16_t out[40][kChannelCount];
      const ImuRead read = bench.imu.read(out, 40);
      CHECK(read.samples == 20 - Bmi270::kSettlingSamples);
      CHECK_FALSE(read.overrun);
      // And again: any-motion was switched off and is on anew.
      REQUIRE(bench.imu.sleep_until_motion());
      bench.sensor.advance_us(2000000);
      CHECK_FALSE(bench.imu.moved());
    }
  }
}

TEST_CASE("a bus that fails while it falls asleep, sleeps or wakes is told, and a start mends it") {
  uint32_t falling = 0, waking = 0;
  {
    Bench bench;
    bench.begin();
    uint32_t before = bench.sensor.transactions();
    REQUIRE(bench.imu.sleep_until_motion());
    falling = bench.sensor.transactions() - before;
    bench.sensor.advance_us(1000);
    before = bench.sensor.transactions();
    REQUIRE(bench.imu.wake());
    waking = bench.sensor.transactions() - before;
  }
  CHECK(falling > 10);
  CHECK(waking > 20);
  for (uint32_t index = 0; index < falling; ++index) {
    CAPTURE(index);
    Bench bench;
    bench.begin();
    bench.sensor.fail(index);
    CHECK_FALSE(bench.imu.sleep_until_motion());
    CHECK(bench.follower.read().failed);
    REQUIRE(bench.imu.begin());
  }
  for (uint32_t index = 0; index < waking; ++index) {
    CAPTURE(index);
    Bench bench;
    bench.begin();
    REQUIRE(bench.imu.sleep_until_motion());
    bench.sensor.advance_us(1000000);
    bench.sensor.fail(index);
    CHECK_FALSE(bench.imu.wake());
    CHECK(bench.follower.read().failed);
    bench.sensor.advance_us(1000);
    REQUIRE(bench.imu.wake());
  }
  Bench bench;
  bench.begin();
  REQUIRE(bench.imu.sleep_until_motion());
  bench.sensor.fail(0);
  CHECK(bench.imu.moved());
}

const char* last_misuse;

TEST_CASE("the virtual sensor tells what no driver may do") {
  VirtualBmi270 sensor(configuration.bytes, sizeof configuration.bytes);
  sensor.on_misuse([](const char* what) { last_misuse = what; });
  uint8_t bytes[256] = {};
  const auto write = [&](uint8_t reg, uint8_t value) {
    last_misuse = nullptr;
    sensor.advance_us(500);
    sensor.write(0x68, reg, &value, 1);
    return last_misuse != nullptr;
  };
  const auto read = [&](uint8_t reg, size_t n) {
    last_misuse = nullptr;
    sensor.read(0x68, reg, bytes, n);
    return last_misuse != nullptr;
  };
  CHECK(write(0x40, 0xA8));        // a setting before its program runs
  CHECK(read(0x26, 13));           // the FIFO, off
  CHECK(write(0x00, 0x00));        // read-only
  CHECK(write(0x7E, 0x11));        // an unknown command
  CHECK_FALSE(write(0x7E, 0xB6));
  CHECK(write(0x7C, 0x00));        // too soon after the reset
  sensor.advance_us(3000);
  CHECK_FALSE(write(0x7C, 0x03));
  CHECK(write(0x59, 0x00));        // its program while it saves power
  CHECK_FALSE(write(0x7C, 0x00));
  CHECK_FALSE(write(0x59, 0x00));
  CHECK_FALSE(write(0x5E, 0x00));
  CHECK_FALSE(write(0x59, 0x01));
  sensor.advance_us(100000);
  CHECK_FALSE(read(0x21, 1));
  CHECK(bytes[0] == 0x02);         // not what its maker wrote

  Bmi270 imu(sensor, kNano33BleSenseRev2, configuration.bytes, sizeof configuration.bytes);
  last_misuse = nullptr;
  REQUIRE(imu.begin());
  CHECK(last_misuse == nullptr);
  CHECK_FALSE(write(0x7C, 0x03));
  CHECK(read(0x26, 13));           // the FIFO while it saves power
  CHECK(write(0x42, 0xA9));        // two rates
}

}  // namespace
}  // namespace hardwear
