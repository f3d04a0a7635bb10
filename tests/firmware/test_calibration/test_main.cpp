#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "../../vectors/orientation.h"
#include "../fakes.h"
#include "core/calibration.h"

namespace hardwear {
namespace {

constexpr size_t kWearingSamples = sizeof vectors::kWearing / sizeof vectors::kWearing[0];

struct Sample {
  int16_t counts[kChannelCount];
};

Sample at_rest(int16_t one_g) { return {{0, 0, one_g, 3, -2, 1}}; }

CalibrationState push(Calibration* calibration, const Sample& sample, size_t times = 1) {
  CalibrationState state = calibration->state();
  for (size_t i = 0; i < times; ++i) state = calibration->push(sample.counts);
  return state;
}

// Swings both sensors about rest, `period` samples from one side to the same.
CalibrationState swing(Calibration* calibration, size_t samples, size_t period) {
  for (size_t i = 0; i < samples; ++i) {
    const int16_t side = i % period < period / 2 ? 1 : -1;
    const Sample sample = {{static_cast<int16_t>(1500 * side), 700, static_cast<int16_t>(8192 + 2000 * side),
                            static_cast<int16_t>(900 * side), 0, 0}};
    calibration->push(sample.counts);
  }
  return calibration->state();
}

bool plain(const Mounting& mounting) {
  return std::memcmp(mounting.rotation.q14, kIdentityRotation.q14, sizeof mounting.rotation.q14) == 0 &&
         mounting.acc_gain_q14 == kQ14One;
}

TEST_CASE("a wearer's way through it is Python's, sample for sample, and so is what is found") {
  Calibration calibration;
  for (int round = 0; round < 2; ++round) {  // the second from a used state
    calibration.start();
    for (size_t i = 0; i < kWearingSamples; ++i) {
      CAPTURE(i);
      const CalibrationState state = calibration.push(vectors::kWearing[i]);
      REQUIRE(static_cast<uint8_t>(state) == vectors::kWearingTold[i][0]);
      REQUIRE(calibration.progress() == vectors::kWearingTold[i][1]);
    }
    REQUIRE(calibration.state() == CalibrationState::kDone);
    const int16_t(&q14)[3][3] = calibration.result().rotation.q14;
    CHECK(std::memcmp(q14, vectors::kWearingRotation, sizeof q14) == 0);
    CHECK(calibration.result().acc_gain_q14 == vectors::kWearingGain);
    CHECK(is_rotation(calibration.result().rotation));
  }
}

TEST_CASE("nothing happens before start") {
  Calibration calibration;
  CHECK(push(&calibration, at_rest(8192), 1000) == CalibrationState::kIdle);
  CHECK(calibration.progress() == 0);
  CHECK_FALSE(calibration.under_way());
  calibration.cancel();
  CHECK(calibration.state() == CalibrationState::kIdle);
  CHECK(plain(calibration.result()));
}

TEST_CASE("three seconds of standing still, however the board lies, lead to the walk") {
  for (int axis = 0; axis < 3; ++axis) {
    for (const int16_t one_g : {8192, -8192}) {
      Calibration calibration;
      calibration.start();
      Sample sample = {{0, 0, 0, 0, 0, 0}};
      sample.counts[axis] = one_g;
      CHECK(push(&calibration, sample, Calibration::kStillSamples - 1) == CalibrationState::kStandStill);
      CHECK(push(&calibration, sample) == CalibrationState::kWalk);
      CHECK(calibration.under_way());
      CHECK(calibration.progress() == 0);
    }
  }
}

TEST_CASE("gravity is held to 0.85 and 1.15 g") {
  const struct {
    int16_t one_g;
    CalibrationState state;
  } cases[] = {{6962, CalibrationState::kFailedGravity},
               {6963, CalibrationState::kWalk},
               {9420, CalibrationState::kWalk},
               {9421, CalibrationState::kFailedGravity},
               {0, CalibrationState::kFailedGravity},
               {32767, CalibrationState::kFailedGravity}};
  for (const auto& c : cases) {
    CAPTURE(c.one_g);
    Calibration calibration;
    calibration.start();
    CHECK(push(&calibration, at_rest(c.one_g), Calibration::kStillSamples) == c.state);
  }
}

TEST_CASE("moving restarts the three seconds, and half a minute of it ends them") {
  Calibration calibration;
  calibration.start();
  push(&calibration, at_rest(8192), 125);
  CHECK(calibration.progress() == 255 * 125 / 150);
  swing(&calibration, 25, 10);
  CHECK(calibration.progress() == 0);
  CHECK(push(&calibration, at_rest(8192), 149) == CalibrationState::kStandStill);
  CHECK(push(&calibration, at_rest(8192)) == CalibrationState::kWalk);

  calibration.start();
  CHECK(swing(&calibration, Calibration::kStandLimitSamples - 1, 10) == CalibrationState::kStandStill);
  CHECK(swing(&calibration, 1, 10) == CalibrationState::kFailedMoved);
  CHECK(push(&calibration, at_rest(8192), 1000) == CalibrationState::kFailedMoved);
}

TEST_CASE("who doesn't walk is told after three quarters of a minute") {
  Calibration calibration;
  calibration.start();
  push(&calibration, at_rest(8192), Calibration::kStillSamples);
  CHECK(push(&calibration, at_rest(8192), Calibration::kWalkLimitSamples - 1) == CalibrationState::kWalk);
  CHECK(push(&calibration, at_rest(8192)) == CalibrationState::kFailedNoWalk);
  CHECK(plain(calibration.result()));
}

TEST_CASE("what repeats too slowly for steps is no walk") {
  Calibration calibration;
  calibration.start();
  push(&calibration, at_rest(8192), Calibration::kStillSamples);
  CHECK(swing(&calibration, Calibration::kWalkSamples, 98) == CalibrationState::kWalk);
  CHECK(calibration.progress() < 200);
}

TEST_CASE("cancelling stops it, and start begins anew") {
  Calibration calibration;
  calibration.start();
  push(&calibration, at_rest(8192), 100);
  calibration.cancel();
  CHECK(push(&calibration, at_rest(8192), 100) == CalibrationState::kCancelled);
  calibration.start();
  CHECK(calibration.progress() == 0);
  CHECK(push(&calibration, at_rest(8192), Calibration::kStillSamples) == CalibrationState::kWalk);
  calibration.cancel();
  CHECK(calibration.state() == CalibrationState::kCancelled);
  calibration.cancel();
  CHECK(calibration.state() == CalibrationState::kCancelled);
}

TEST_CASE("no samples whatever overflow anything or leave the states that there are") {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    Calibration calibration;
    calibration.start();
    push(&calibration, at_rest(8192), Calibration::kStillSamples);
    const std::vector<int16_t> wild = noise(Calibration::kWalkLimitSamples, seed);
    for (size_t i = 0; i < Calibration::kWalkLimitSamples; ++i) {
      Sample sample;
      std::memcpy(sample.counts, &wild[i * kChannelCount], sizeof sample.counts);
      // Rhythms at full scale in some rounds: the largest sums that there can be.
      if (seed % 4 == 0) {
        for (int16_t& count : sample.counts) count = i % 24 < 12 ? INT16_MIN : INT16_MAX;
      } else if (seed % 4 == 1) {
        for (int c = 0; c < kChannelCount; ++c) sample.counts[c] = (i / 12 + c * seed) % 2 ? INT16_MIN : INT16_MAX;
      }
      calibration.push(sample.counts);
    }
    const CalibrationState state = calibration.state();
    CHECK((state == CalibrationState::kDone || state == CalibrationState::kFailedNoWalk));
    if (state == CalibrationState::kDone) CHECK(is_rotation(calibration.result().rotation));
  }
}

}  // namespace
}  // namespace hardwear
