#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "../sensor_drill.h"
#include "../virtual_bmi270.h"
#include "../virtual_lsm9ds1.h"
#include "sensors/probe.h"

namespace hardwear {
namespace {

const uint8_t kConfiguration[Bmi270::kConfigurationBytes] = {};

// A board's bus with both places for a sensor on it.
class BoardBus final : public I2cBus {
 public:
  BoardBus() : bmi270(kConfiguration, sizeof kConfiguration) {
    lsm9ds1.present = bmi270.present = false;
    lsm9ds1.on_misuse(fail_test);
    bmi270.on_misuse(fail_test);
  }

  bool write(uint8_t address, uint8_t reg, const uint8_t* bytes, size_t n) override {
    ++writes;
    return lsm9ds1.write(address, reg, bytes, n) || bmi270.write(address, reg, bytes, n);
  }
  bool read(uint8_t address, uint8_t reg, uint8_t* bytes, size_t n) override {
    return lsm9ds1.read(address, reg, bytes, n) || bmi270.read(address, reg, bytes, n);
  }
  void wait_ms(uint32_t ms) override {
    waited_ms += ms;
    lsm9ds1.wait_ms(ms);
    bmi270.wait_ms(ms);
    if (waited_ms >= appears_after_ms) lsm9ds1.present = true;
  }

  VirtualLsm9ds1 lsm9ds1;
  VirtualBmi270 bmi270;
  uint32_t writes = 0;
  uint32_t waited_ms = 0;
  uint32_t appears_after_ms = UINT32_MAX;
};

struct Bench {
  BoardBus bus;
  Lsm9ds1 lsm9ds1{bus, kNano33BleSenseRev1};
  Bmi270 bmi270{bus, kNano33BleSenseRev2, kConfiguration, sizeof kConfiguration};
  Imu* probed() { return probe(bus, lsm9ds1, bmi270); }
};

TEST_CASE("each sensor is known by its identity, at once and without a write") {
  Bench rev1, rev2;
  rev1.bus.lsm9ds1.present = true;
  rev2.bus.bmi270.present = true;
  CHECK(rev1.probed() == &rev1.lsm9ds1);
  CHECK(rev2.probed() == &rev2.bmi270);
  for (const Bench* bench : {&rev1, &rev2}) {
    CHECK(bench->bus.writes == 0);
    CHECK(bench->bus.waited_ms == 0);
  }
}

TEST_CASE("a board without a sensor has none, which takes 60 ms to know") {
  Bench bench;
  CHECK(bench.probed() == nullptr);
  CHECK(bench.bus.waited_ms == 60);
}

TEST_CASE("another part at the same address is not taken for one") {
  Bench bench;
  bench.bus.lsm9ds1.present = bench.bus.bmi270.present = true;
  bench.bus.lsm9ds1.who_am_i = 0x3D;
  bench.bus.bmi270.chip_id = 0xD1;  // the BMI160's
  CHECK(bench.probed() == nullptr);
}

TEST_CASE("a sensor that comes up late, or misses one question, is found all the same") {
  Bench late, deaf;
  late.bus.appears_after_ms = 40;
  CHECK(late.probed() == &late.lsm9ds1);
  deaf.bus.bmi270.present = true;
  deaf.bus.bmi270.fail(0, 3);
  CHECK(deaf.probed() == &deaf.bmi270);
}

}  // namespace
}  // namespace hardwear
