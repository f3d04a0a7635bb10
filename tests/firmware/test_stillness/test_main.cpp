#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "core/stillness.h"

namespace hardwear {
namespace {

TEST_CASE("a second of the same six numbers is a frozen sensor, one other number a living one") {
  FreezeDetector detector;
  detector.begin(119);
  int16_t sample[kChannelCount] = {1, 2, 3, 4, 5, 6};
  CHECK(!detector.push(sample));
  for (int i = 1; i < 119; ++i) CHECK(!detector.push(sample));
  CHECK(detector.push(sample));
  for (int i = 0; i < 100000; ++i) REQUIRE(detector.push(sample));
  for (int channel = 0; channel < kChannelCount; ++channel) {
    ++sample[channel];
    CHECK(!detector.push(sample));
    for (int i = 1; i < 119; ++i) CHECK(!detector.push(sample));
    CHECK(detector.push(sample));
  }
}

TEST_CASE("a sensor that gives nothing but zeros from the start is frozen") {
  FreezeDetector detector;
  detector.begin(100);
  const int16_t sample[kChannelCount] = {};
  bool frozen = false;
  for (int i = 0; i < 101; ++i) frozen = detector.push(sample);
  CHECK(frozen);
}

TEST_CASE("half a minute within the bands is still, whatever the posture") {
  StillnessDetector detector;
  for (int16_t gravity : {8192, -8192, 0}) {
    for (int i = 0; i < StillnessDetector::kSamples - 1; ++i) {
      const int16_t wobble = static_cast<int16_t>(i % 3 * 100);
      const int16_t sample[kChannelCount] = {static_cast<int16_t>(gravity + wobble), 0, 0, wobble, 0, 0};
      REQUIRE(!detector.push(sample));
    }
    const int16_t sample[kChannelCount] = {gravity, 0, 0, 0, 0, 0};
    CHECK(detector.push(sample));
    CHECK(detector.push(sample));
  }
}

TEST_CASE("any channel out of its band begins the half minute anew, slow drift too") {
  for (int channel = 0; channel < kChannelCount; ++channel) {
    StillnessDetector detector;
    const int16_t band = channel < 3 ? StillnessDetector::kAccelerationBand : StillnessDetector::kRateBand;
    int16_t sample[kChannelCount] = {};
    for (int i = 0; i < StillnessDetector::kSamples - 1; ++i) detector.push(sample);
    sample[channel] = static_cast<int16_t>(band + 1);
    CHECK(!detector.push(sample));
    for (int i = 1; i < StillnessDetector::kSamples - 1; ++i) REQUIRE(!detector.push(sample));
    CHECK(detector.push(sample));
  }
  StillnessDetector drifting;
  for (int i = 0; i < 20000; ++i) {
    const int16_t sample[kChannelCount] = {static_cast<int16_t>(i), 0, 0, 0, 0, 0};
    REQUIRE(!drifting.push(sample));
  }
}

TEST_CASE("extremes don't overflow the bands") {
  StillnessDetector detector;
  const int16_t low[kChannelCount] = {INT16_MIN, INT16_MIN, INT16_MIN, INT16_MIN, INT16_MIN, INT16_MIN};
  const int16_t high[kChannelCount] = {INT16_MAX, INT16_MAX, INT16_MAX, INT16_MAX, INT16_MAX, INT16_MAX};
  for (int i = 0; i < 4000; ++i) REQUIRE(!detector.push(i % 2 ? low : high));
}

}  // namespace
}  // namespace hardwear
