#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cmath>

#include "boards/nano33ble/imu_scale.h"

namespace hardwear {
namespace {

// What Arduino_LSM9DS1 1.1.1 computes from a register.
float library_acceleration(int16_t step) { return static_cast<float>(step * 4.0 / 32768.0); }
float library_rate(int16_t step) { return static_cast<float>(step * 2000.0 / 32768.0); }

TEST_CASE("an acceleration comes out as the sensor's own step, every one of them") {
  for (int step = INT16_MIN; step <= INT16_MAX; ++step) {
    REQUIRE(acceleration_counts(library_acceleration(static_cast<int16_t>(step))) == step);
  }
}

TEST_CASE("an angular rate is 70 millidegrees per second a step, not the library's 61, within a count") {
  const double counts_per_step = 0.070 * std::acos(-1) / 180 * 2048;
  for (int step = INT16_MIN; step <= INT16_MAX; ++step) {
    const double exact = step * counts_per_step;
    const int16_t counts = angular_rate_counts(library_rate(static_cast<int16_t>(step)));
    if (exact > INT16_MAX) {
      REQUIRE(counts == INT16_MAX);
    } else if (exact < INT16_MIN) {
      REQUIRE(counts == INT16_MIN);
    } else {
      REQUIRE(std::abs(counts - exact) < 0.55);
    }
  }
}

TEST_CASE("what lies outside of the counts saturates") {
  CHECK(acceleration_counts(4.1f) == INT16_MAX);
  CHECK(acceleration_counts(-4.1f) == INT16_MIN);
}

}  // namespace
}  // namespace hardwear
