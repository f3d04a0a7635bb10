#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "../../vectors/resampler.h"
#include "core/rate_meter.h"

namespace hardwear {
namespace {

constexpr uint32_t kNominal = 119000;

// A sensor that takes a sample every 1/rate of a second of the board's clock.
struct Sensor {
  double hertz;
  double seconds = 0;
  double samples = 0.4;
  uint32_t start_us = 0;

  // Tells the meter what has gathered `after` seconds later.
  void drain(RateMeter* meter, double after) {
    const auto before = static_cast<uint64_t>(samples);
    seconds += after;
    samples += after * hertz;
    const auto now = static_cast<uint32_t>(start_us + static_cast<uint64_t>(seconds * 1e6));
    meter->add(now, static_cast<uint32_t>(static_cast<uint64_t>(samples) - before));
  }

  void run(RateMeter* meter, double for_seconds) {
    // Drains come at no regular time: the loop does other things as well.
    for (double until = seconds + for_seconds; seconds < until;) {
      state = state * 1664525u + 1013904223u;
      drain(meter, 0.05 + 0.15 * (state >> 8) / 16777216.0);
    }
  }

  uint32_t state = 1;
};

double error(const RateMeter& meter, double hertz) { return std::abs(meter.millihertz() / (1000 * hertz) - 1); }

TEST_CASE("the reference vectors come out as Python's") {
  RateMeter meter(vectors::kNominalMillihertz);
  for (const vectors::RateMark& mark : vectors::kMarks) {
    CAPTURE(mark.time_us);
    if (mark.restart) meter.restart();
    meter.add(mark.time_us, mark.samples);
    CHECK(meter.step_q24() == mark.step);
    CHECK(meter.millihertz() == mark.millihertz);
    CHECK(meter.settled() == mark.settled);
    CHECK(meter.plausible() == mark.plausible);
  }
}

TEST_CASE("the data sheet's rate holds until there is a measured one") {
  RateMeter meter(kNominal);
  CHECK(meter.millihertz() == kNominal);
  CHECK(meter.step_q24() == 39929774);  // 2.38 samples
  CHECK_FALSE(meter.settled());
  CHECK(meter.plausible());
  RateMeter even(100000);
  CHECK(even.step_q24() == 2u << 24);
}

TEST_CASE("two seconds give the rate to half a per cent, half a minute to a three-thousandth") {
  for (const double hertz : {108.5, 113.05, 119.0, 124.95, 129.5}) {
    CAPTURE(hertz);
    RateMeter meter(kNominal);
    Sensor sensor{hertz};
    sensor.run(&meter, 2.5);
    CHECK(meter.settled());
    CHECK(meter.plausible());
    CHECK(error(meter, hertz) < 1 / (2 * hertz));
    sensor.run(&meter, 33);
    for (int n = 0; n < 1000; ++n) {
      sensor.run(&meter, 0.2);
      REQUIRE(error(meter, hertz) < 1 / (32 * hertz));
      REQUIRE(std::abs(meter.step_q24() / (hertz / 50 * 16777216) - 1) < 1 / (32 * hertz));
      REQUIRE(meter.plausible());
    }
  }
}

TEST_CASE("it follows a sensor that warms up") {
  RateMeter meter(kNominal);
  Sensor sensor{119.0};
  for (int n = 0; n < 600; ++n) {
    sensor.run(&meter, 1);
    sensor.hertz *= 1.00003;  // 2 % in ten minutes
    // The rate of half a measurement ago, and one sample.
    if (n > 40) REQUIRE(error(meter, sensor.hertz) < 0.0006 + 1 / (32 * 119.0));
  }
}

TEST_CASE("the clock may wrap") {
  RateMeter meter(kNominal);
  RateMeter wrapping(kNominal);
  Sensor sensor{121.7};
  Sensor late{121.7};
  late.start_us = 0u - 7000000u;
  for (int n = 0; n < 500; ++n) {
    sensor.drain(&meter, 0.1);
    late.drain(&wrapping, 0.1);
    REQUIRE(meter.step_q24() == wrapping.step_q24());
    REQUIRE(wrapping.plausible());
  }
  CHECK(wrapping.settled());
}

TEST_CASE("after a gap it measures anew and keeps the rate until then") {
  RateMeter meter(kNominal);
  Sensor sensor{124.0};
  sensor.run(&meter, 40);
  const uint32_t before = meter.step_q24();
  sensor.seconds += 5;  // what was sampled then is lost, and the driver says so
  meter.restart();
  sensor.run(&meter, 1.5);
  CHECK(meter.step_q24() == before);
  CHECK(meter.settled());
  CHECK(meter.plausible());
  sensor.run(&meter, 40);
  CHECK(error(meter, 124.0) < 1 / (32 * 124.0));
}

TEST_CASE("samples that are lost without a word cost the interval, not the rate") {
  RateMeter meter(kNominal);
  Sensor sensor{119.0};
  sensor.run(&meter, 40);
  const uint32_t before = meter.step_q24();
  sensor.seconds += 1;
  bool told = false;
  for (int n = 0; n < 30; ++n) {
    sensor.drain(&meter, 0.1);
    told = told || !meter.plausible();
    REQUIRE(std::abs(meter.step_q24() / static_cast<double>(before) - 1) < 0.001);
  }
  CHECK(told);
  sensor.run(&meter, 5);
  CHECK(meter.plausible());
  CHECK(error(meter, 119.0) < 0.005);
}

TEST_CASE("a sensor that stands still or runs wild is told, and the rate stays") {
  for (const double hertz : {0.0, 59.5, 106.0, 132.0, 238.0, 952.0}) {
    CAPTURE(hertz);
    RateMeter meter(kNominal);
    Sensor sensor{hertz};
    sensor.run(&meter, 5);
    CHECK_FALSE(meter.plausible());
    CHECK_FALSE(meter.settled());
    CHECK(meter.millihertz() == kNominal);
  }
}

TEST_CASE("a long silence is no measurement and no fault") {
  RateMeter meter(kNominal);
  Sensor sensor{115.0};
  sensor.run(&meter, 10);
  const uint32_t before = meter.step_q24();
  meter.add(static_cast<uint32_t>(sensor.seconds * 1e6) + RateMeter::kMaxSilenceUs + 1000000, 3);
  CHECK(meter.plausible());
  CHECK(meter.step_q24() == before);
}

TEST_CASE("reset begins with another sensor's nominal rate") {
  RateMeter meter(kNominal);
  Sensor sensor{124.0};
  sensor.run(&meter, 10);
  meter.reset(100000);
  CHECK(meter.step_q24() == 2u << 24);
  CHECK_FALSE(meter.settled());
  sensor = Sensor{101.5};
  sensor.run(&meter, 35);
  CHECK(error(meter, 101.5) < 1 / (30 * 101.5));
}

}  // namespace
}  // namespace hardwear
