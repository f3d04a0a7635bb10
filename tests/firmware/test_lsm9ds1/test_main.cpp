#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "../sensor_drill.h"
#include "../virtual_lsm9ds1.h"
#include "sensors/lsm9ds1.h"

namespace hardwear {
namespace {

constexpr int32_t kAcceleration = scale_multiplier(Part::kLsm9ds1, Quantity::kAcceleration, 4);
constexpr int32_t kRate = scale_multiplier(Part::kLsm9ds1, Quantity::kRate, 2000);

struct Bench {
  explicit Bench(const AxisMap& axes = kNano33BleSenseRev1)
      : imu(sensor, axes), follower(imu, {kAcceleration, kRate, axes}) {
    sensor.supply(numbered_sample, nullptr);
    sensor.on_misuse(fail_test);
    follower.next = Lsm9ds1::kSettlingSamples;
  }

  void begin() {
    REQUIRE(imu.begin());
    CHECK(sensor.sampled() == 0);
  }

  VirtualLsm9ds1 sensor;
  Lsm9ds1 imu;
  Follower follower;
};

// A sensor that lies still, and is moved by `step` along an axis from a sample on.
struct Still {
  int axis = 0;
  int16_t step = 0;
  uint32_t from = UINT32_MAX;
  int16_t noise = 60;

  static void sample(void* context, uint32_t index, int16_t acceleration[3], int16_t rate[3]) {
    const Still& still = *static_cast<const Still*>(context);
    for (int i = 0; i < 3; ++i) {
      acceleration[i] = static_cast<int16_t>((i == 2 ? 8197 : 100 * i) + (index % 2 == 0 ? still.noise : 0));
      rate[i] = 0;
    }
    if (index >= still.from) acceleration[still.axis] = static_cast<int16_t>(acceleration[still.axis] + still.step);
  }
};

TEST_CASE("every sample comes out once, in order and scaled, at any rate error and whenever the FIFO is drained") {
  for (const int32_t error : {-100000, -30000, 0, 12345, 100000}) {
    CAPTURE(error);
    Bench bench;
    bench.sensor.rate_error_ppm = error;
    bench.begin();
    Chance chance = {static_cast<uint32_t>(error)};
    for (int round = 0; round < 2000; ++round) {
      bench.sensor.advance_us(chance.below(230000));  // 32 samples take 244 ms at +10 %
      const ImuRead read = bench.follower.read();
      REQUIRE_FALSE(read.failed);
      REQUIRE_FALSE(read.overrun);
    }
    CHECK(bench.follower.next == bench.sensor.sampled());
    CHECK(bench.follower.samples > 20000);
    CHECK(bench.sensor.lost() == 0);
  }
}

TEST_CASE("a small buffer is filled to the last place while samples wait, and what is left comes with the next read") {
  Bench bench;
  bench.begin();
  Chance chance = {1};
  for (int round = 0; round < 2000; ++round) {
    bench.sensor.advance_us(chance.below(100000));
    for (;;) {
      const uint16_t capacity = static_cast<uint16_t>(1 + chance.below(7));
      const ImuRead read = bench.follower.read(capacity);
      REQUIRE_FALSE(read.failed);
      REQUIRE_FALSE(read.overrun);
      if (read.samples < capacity) break;
    }
    REQUIRE(bench.sensor.unread() == 0);
  }
  CHECK(bench.follower.next == bench.sensor.sampled());
}

TEST_CASE("an overrun is told exactly when samples were lost; a FIFO that is full to its last place loses its oldest") {
  Bench bench;
  bench.begin();
  Chance chance = {2};
  uint32_t lost = 0, losses = 0, full = 0;
  for (int round = 0; round < 3000; ++round) {
    bench.sensor.advance_us(chance.below(400000));
    const bool is_full = bench.sensor.unread() == VirtualLsm9ds1::kFifo;
    const bool has_lost = bench.sensor.lost() > lost;
    lost = bench.sensor.lost();
    losses += has_lost;
    full += is_full && !has_lost;
    const ImuRead read = bench.follower.read();
    REQUIRE_FALSE(read.failed);
    REQUIRE(read.overrun == (has_lost || is_full));
  }
  CHECK(losses > 500);
  CHECK(full > 10);
  CHECK(bench.follower.false_alarms == 0);
}

TEST_CASE("samples that arrive, or push others out, while the bus is busy are neither mixed up nor missed") {
  Bench bench;
  bench.sensor.ns_per_byte = 22500;  // 400 kHz
  bench.sensor.rate_error_ppm = 40000;
  REQUIRE(bench.imu.begin());
  Chance chance = {3};
  for (int round = 0; round < 20000; ++round) {
    // Around the moment at which the FIFO overflows.
    bench.sensor.advance_us(250000 + chance.below(20000));
    REQUIRE_FALSE(bench.follower.read().failed);  // the follower finds every gap that is not told
  }
  CHECK(bench.sensor.lost() > 1000);
}

TEST_CASE("a bus that fails at any one transaction of the start is told, and the next start works") {
  uint32_t transactions = 0;
  {
    Bench bench;
    bench.begin();
    transactions = bench.sensor.transactions();
  }
  CHECK(transactions > 20);
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
      CHECK(std::strlen(bench.imu.fault()) == 0);
      bench.follower.next = bench.sensor.sampled() + Lsm9ds1::kSettlingSamples;
      bench.sensor.advance_us(200000);
      CHECK(bench.follower.read().samples > 15);
    }
  }
  // All but a failed look at whether the reset is over, which is repeated.
  CHECK(refused == 2 * transactions - 2);
}

TEST_CASE("a bus that fails at any one transaction of reading is told, and no sample is passed on twice or torn") {
  for (const uint32_t first : {0u, 1u, 2u}) {
    for (size_t bytes = 0; bytes <= 240; bytes += bytes < 30 ? 1 : 13) {
      CAPTURE(first);
      CAPTURE(bytes);
      Bench bench;
      bench.begin();
      bench.sensor.advance_us(260000);  // 30 samples: two bursts
      bench.sensor.fail(first, 1, bytes);
      const ImuRead failed = bench.follower.read();
      CHECK(failed.failed);
      CHECK_FALSE(failed.overrun);
      CHECK(std::strlen(bench.imu.fault()) > 10);
      bench.sensor.advance_us(60000);
      const ImuRead next = bench.follower.read();  // the follower checks that what comes is intact
      CHECK_FALSE(next.failed);
      // A burst may have taken samples along; asking how many wait takes none, but the FIFO was read too late then.
      CHECK(next.overrun);
      bench.sensor.advance_us(100000);
      const ImuRead after = bench.follower.read();
      CHECK_FALSE(after.overrun);
      CHECK(after.samples > 8);
    }
  }
}

TEST_CASE("a look into the FIFO that fails costs no sample") {
  Bench bench;
  bench.begin();
  bench.sensor.advance_us(100000);
  bench.follower.read();
  bench.sensor.fail(0);
  CHECK(bench.follower.read().failed);
  bench.sensor.advance_us(100000);
  const ImuRead read = bench.follower.read();
  CHECK_FALSE(read.overrun);
  CHECK(read.samples > 8);
  CHECK(bench.follower.next == bench.sensor.sampled());
}

TEST_CASE("buses that fail at random cost samples, but none untold") {
  Bench bench;
  bench.begin();
  Chance chance = {5};
  for (int round = 0; round < 5000; ++round) {
    bench.sensor.advance_us(chance.below(250000));
    if (chance.below(3) == 0) bench.sensor.fail(chance.below(3), 1 + chance.below(2), chance.below(240));
    bench.follower.read();
  }
  CHECK(bench.follower.failed > 500);
  CHECK(bench.follower.samples > 50000);
}

TEST_CASE("what doesn't answer, is another part or stays in reset is told apart") {
  {
    Bench bench;
    bench.sensor.present = false;
    CHECK_FALSE(bench.imu.begin());
    CHECK(std::strcmp(bench.imu.fault(), "LSM9DS1: no answer") == 0);
    CHECK(bench.follower.read().failed);
  }
  {
    Bench bench;
    bench.sensor.who_am_i = 0x69;
    CHECK_FALSE(bench.imu.begin());
    CHECK(std::strcmp(bench.imu.fault(), "LSM9DS1: WHO_AM_I is another part's") == 0);
  }
  {
    Bench bench;
    bench.sensor.reset_us = 1000000;
    CHECK_FALSE(bench.imu.begin());
    CHECK(std::strcmp(bench.imu.fault(), "LSM9DS1: its reset doesn't end") == 0);
  }
}

// A bus on which everything is acknowledged and reads as ones, but for what a test wants.
class StuckBus final : public I2cBus {
 public:
  bool write(uint8_t, uint8_t, const uint8_t*, size_t) override { return true; }
  bool read(uint8_t, uint8_t reg, uint8_t* bytes, size_t n) override {
    std::memset(bytes, 0xFF, n);
    if (reg == Lsm9ds1::kIdRegister) bytes[0] = Lsm9ds1::kId;
    if (reg == 0x22) bytes[0] = 0xFE;  // CTRL_REG8: the reset is over
    return true;
  }
  void wait_ms(uint32_t) override {}
};

TEST_CASE("settings that don't read back are not relied on") {
  StuckBus bus;
  Lsm9ds1 imu(bus, kNano33BleSenseRev1);
  CHECK_FALSE(imu.begin());
  CHECK(std::strcmp(imu.fault(), "LSM9DS1: a setting did not hold") == 0);
}

TEST_CASE("a second start begins anew") {
  Bench bench;
  bench.begin();
  bench.sensor.advance_us(1000000);
  REQUIRE(bench.imu.begin());
  bench.follower.next = bench.sensor.sampled() + Lsm9ds1::kSettlingSamples;
  bench.sensor.advance_us(100000);
  const ImuRead read = bench.follower.read();
  CHECK(read.samples == 7);
  CHECK_FALSE(read.overrun);
}

TEST_CASE("the axes are the board's: swapped and mirrored, both sensors alike") {
  Bench bench;
  bench.begin();
  bench.sensor.supply(
      [](void*, uint32_t, int16_t acceleration[3], int16_t rate[3]) {
        acceleration[0] = 1000, acceleration[1] = 2000, acceleration[2] = 3000;
        rate[0] = 100, rate[1] = 200, rate[2] = 300;
      },
      nullptr);
  bench.sensor.advance_us(100000);
  int16_t out[32][kChannelCount];
  REQUIRE(bench.imu.read(out, 32).samples == 7);
  const int16_t expected[] = {-1999, -999, 2998, -500, -250, 751};  // 0.999424 and 2.502104 counts a step
  for (int c = 0; c < kChannelCount; ++c) CHECK(out[6][c] == expected[c]);
}

TEST_CASE("what the sensor clips, or the contract can't hold, saturates") {
  Bench bench({{0, 1, 2}, {1, -1, 1}});
  bench.begin();
  bench.sensor.supply(
      [](void*, uint32_t, int16_t acceleration[3], int16_t rate[3]) {
        for (int axis = 0; axis < 3; ++axis) {
          acceleration[axis] = axis == 2 ? INT16_MAX : INT16_MIN;
          rate[axis] = axis == 2 ? INT16_MAX : INT16_MIN;
        }
      },
      nullptr);
  bench.sensor.advance_us(100000);
  int16_t out[32][kChannelCount];
  REQUIRE(bench.imu.read(out, 32).samples == 7);
  const int16_t expected[] = {-32749, 32749, 32748, INT16_MIN, INT16_MAX, INT16_MAX};
  for (int c = 0; c < kChannelCount; ++c) CHECK(out[0][c] == expected[c]);
}

TEST_CASE("asleep it feels a motion along any axis either way, and none when it lies still") {
  for (int axis = 0; axis < 3; ++axis) {
    for (const int sign : {-1, 1}) {
      Bench bench;
      Still still;
      bench.begin();
      bench.sensor.supply(Still::sample, &still);
      bench.sensor.advance_us(500000);
      REQUIRE(bench.imu.sleep_until_motion());
      CHECK(bench.follower.read().failed);
      for (int second = 0; second < 100; ++second) {
        bench.sensor.advance_us(1000000);
        REQUIRE_FALSE(bench.imu.moved());
      }
      still.axis = axis;
      still.step = static_cast<int16_t>(sign * 800);  // 98 mg
      still.from = bench.sensor.sampled() + 25;       // two and a half seconds later, between two looks
      int seconds = 0;
      do {
        bench.sensor.advance_us(1000000);
        ++seconds;
      } while (!bench.imu.moved());
      CHECK(seconds == 3);
      REQUIRE(bench.imu.wake());
      bench.sensor.advance_us(200000);
      int16_t out[32][kChannelCount];
      const ImuRead read = bench.imu.read(out, 32);
      CHECK(read.samples == 23 - Lsm9ds1::kSettlingSamples);
      CHECK_FALSE(read.overrun);
    }
  }
}

TEST_CASE("a short knock between two looks is kept for the next one") {
  Bench bench;
  Still still;
  bench.begin();
  bench.sensor.supply(Still::sample, &still);
  REQUIRE(bench.imu.sleep_until_motion());
  bench.sensor.advance_us(1000000);
  REQUIRE_FALSE(bench.imu.moved());
  still.axis = 0;
  still.step = -900;
  still.from = bench.sensor.sampled() + 3;
  bench.sensor.advance_us(500000);
  still.from = UINT32_MAX;
  bench.sensor.advance_us(1500000);
  CHECK(bench.imu.moved());
}

TEST_CASE("a bus that fails while it falls asleep, sleeps or wakes is told, and a start mends it") {
  for (uint32_t index = 0; index < 8; ++index) {
    CAPTURE(index);
    Bench bench;
    bench.begin();
    bench.sensor.fail(index);
    CHECK_FALSE(bench.imu.sleep_until_motion());
    CHECK(bench.follower.read().failed);
    REQUIRE(bench.imu.begin());
  }
  for (const uint32_t index : {0u, 1u}) {
    Bench bench;
    Still still;
    bench.begin();
    bench.sensor.supply(Still::sample, &still);
    REQUIRE(bench.imu.sleep_until_motion());
    bench.sensor.advance_us(1000000);
    bench.sensor.fail(index);
    CHECK(bench.imu.moved());
  }
  for (uint32_t index = 0; index < 22; ++index) {
    CAPTURE(index);
    Bench bench;
    bench.begin();
    REQUIRE(bench.imu.sleep_until_motion());
    bench.sensor.fail(index);
    CHECK_FALSE(bench.imu.wake());
    CHECK(bench.follower.read().failed);
    REQUIRE(bench.imu.wake());
  }
}

TEST_CASE("a frozen sensor repeats itself, which the driver passes on for others to see") {
  Bench bench;
  bench.begin();
  bench.sensor.advance_us(100000);
  bench.sensor.frozen = true;
  bench.sensor.advance_us(100000);
  int16_t out[32][kChannelCount];
  const ImuRead read = bench.imu.read(out, 32);
  REQUIRE(read.samples == 23 - Lsm9ds1::kSettlingSamples);
  CHECK(std::memcmp(out[18], out[17], sizeof out[0]) == 0);
  CHECK(std::memcmp(out[0], out[17], sizeof out[0]) != 0);
}

const char* last_misuse;

TEST_CASE("the virtual sensor tells what no driver may do") {
  VirtualLsm9ds1 sensor;
  sensor.on_misuse([](const char* what) { last_misuse = what; });
  uint8_t bytes[256] = {};
  const auto write = [&](uint8_t reg, uint8_t value) {
    last_misuse = nullptr;
    sensor.write(0x6B, reg, &value, 1);
    return last_misuse != nullptr;
  };
  const auto read = [&](uint8_t reg, size_t n) {
    last_misuse = nullptr;
    sensor.read(0x6B, reg, bytes, n);
    return last_misuse != nullptr;
  };
  CHECK(read(0x18, 12));         // not configured
  CHECK(write(0x0F, 0x00));      // read-only
  CHECK(write(0x03, 0x00));      // reserved
  CHECK(write(0x10, 0x7C));      // a bit that must be 0
  CHECK_FALSE(write(0x22, 0x44));
  CHECK_FALSE(write(0x20, 0x70));
  CHECK_FALSE(write(0x10, 0x78));
  sensor.advance_us(100000);
  CHECK(read(0x18, 12));         // past the FIFO
  CHECK_FALSE(write(0x23, 0x02));
  CHECK_FALSE(write(0x2E, 0xC0));
  sensor.advance_us(100000);
  CHECK(read(0x18, 13));         // not whole samples
  CHECK(read(0x28, 6));          // in the middle of one
  CHECK_FALSE(read(0x18, 24));
  CHECK(read(0x18, 240));        // more than it holds
  CHECK(read(0x18, 251));        // more than a transaction carries
  CHECK_FALSE(write(0x22, 0x05));
  CHECK(write(0x10, 0x78));      // while it resets
}

}  // namespace
}  // namespace hardwear
