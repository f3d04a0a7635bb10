#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "core/smoother.h"

namespace hardwear {
namespace {

constexpr uint8_t kWalking = 0;
constexpr uint8_t kSitting = 3;
constexpr uint8_t kStanding = 4;

uint8_t push(Smoother* smoother, uint8_t activity, uint8_t probability) {
  uint8_t probabilities[kClassCount] = {};
  probabilities[activity] = probability;
  probabilities[(activity + 1) % kClassCount] = static_cast<uint8_t>(255 - probability);
  return smoother->push(probabilities);
}

TEST_CASE("without smoothing the label is the window's own as long as it is sure") {
  Smoother smoother;
  smoother.configure(0, 128);
  CHECK(smoother.label() == kUnknownActivity);
  CHECK(push(&smoother, kSitting, 200) == kSitting);
  CHECK(push(&smoother, kWalking, 255) == kWalking);
}

TEST_CASE("one odd window among many changes nothing") {
  Smoother smoother;
  smoother.configure(2, 128);
  for (int i = 0; i < 10; ++i) push(&smoother, kStanding, 250);
  CHECK(push(&smoother, kSitting, 255) == kStanding);
  for (int i = 0; i < 10; ++i) CHECK(push(&smoother, kStanding, 250) == kStanding);
}

TEST_CASE("a new activity is named after a few windows and then kept") {
  Smoother smoother;
  smoother.configure(2, 128);
  for (int i = 0; i < 20; ++i) push(&smoother, kStanding, 255);
  int windows = 0;
  while (push(&smoother, kWalking, 255) != kWalking) REQUIRE(++windows < 4);
  for (int i = 0; i < 20; ++i) CHECK(push(&smoother, kWalking, 255) == kWalking);
}

TEST_CASE("two that are nearly alike don't take turns") {
  Smoother smoother;
  smoother.configure(0, 100);
  CHECK(push(&smoother, kSitting, 130) == kSitting);
  for (uint8_t ahead = 0; ahead < Smoother::kMargin; ++ahead) {
    uint8_t probabilities[kClassCount] = {};
    probabilities[kSitting] = 110;
    probabilities[kStanding] = static_cast<uint8_t>(110 + ahead);
    CHECK(smoother.push(probabilities) == kSitting);
  }
  uint8_t probabilities[kClassCount] = {};
  probabilities[kSitting] = 110;
  probabilities[kStanding] = 110 + Smoother::kMargin;
  CHECK(smoother.push(probabilities) == kStanding);
}

TEST_CASE("below the threshold nothing is named, and at it there is no flicker") {
  Smoother smoother;
  smoother.configure(0, 150);
  CHECK(push(&smoother, kSitting, 149) == kUnknownActivity);
  CHECK(push(&smoother, kSitting, 150) == kSitting);
  CHECK(push(&smoother, kSitting, 150 - Smoother::kMargin) == kSitting);
  CHECK(push(&smoother, kSitting, 150 - Smoother::kMargin - 1) == kUnknownActivity);
  CHECK(push(&smoother, kSitting, 149) == kUnknownActivity);
}

TEST_CASE("a reset forgets, and the next window counts whole") {
  Smoother smoother;
  smoother.configure(Smoother::kMaxSmoothing, 128);
  for (int i = 0; i < 5; ++i) push(&smoother, kSitting, 255);
  smoother.reset();
  CHECK(smoother.label() == kUnknownActivity);
  CHECK(push(&smoother, kWalking, 255) == kWalking);
}

TEST_CASE("a threshold of 0 always names something, one of 255 needs certainty") {
  Smoother all;
  all.configure(1, 0);
  const uint8_t none[kClassCount] = {};
  CHECK(all.push(none) == 0);
  Smoother certain;
  certain.configure(1, 255);
  CHECK(push(&certain, kWalking, 254) == kUnknownActivity);
  certain.reset();
  CHECK(push(&certain, kWalking, 255) == kWalking);
}

}  // namespace
}  // namespace hardwear
