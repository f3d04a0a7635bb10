#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "../../vectors/confidence.h"
#include "core/confidence.h"
#include "core/decision.h"
#include "generated/known_answer.h"

namespace hardwear {
namespace {

// Logits without pattern; every fourth row is narrow, so that neighbours and ties come up.
struct Rows {
  uint32_t state = 7;

  void next(int8_t logits[kClassCount]) {
    const bool narrow = (++count & 3) == 0;
    for (uint8_t i = 0; i < kClassCount; ++i) {
      state = state * 1664525u + 1013904223u;
      const int32_t value = static_cast<int32_t>(state >> 24) - 128;
      logits[i] = static_cast<int8_t>(narrow ? value / 32 : value);
    }
  }

  uint32_t count = 0;
};

TEST_CASE("every reference vector comes out as Python's") {
  for (const vectors::SoftmaxCase& c : vectors::kSoftmax) {
    CAPTURE(c.name);
    for (const vectors::SoftmaxRow& row : c.rows) {
      uint8_t out[kClassCount];
      softmax(c.exponential, row.logits, out);
      CHECK(std::memcmp(out, row.probabilities, sizeof out) == 0);
    }
  }
}

TEST_CASE("probabilities add up, follow the order of the logits, and lie at the exact softmax") {
  constexpr double kScale = 0.0223;  // of the first two cases, whose temperatures are these
  const double temperatures[] = {1.0, 0.3};
  for (size_t t = 0; t < 2; ++t) {
    Rows rows;
    for (int n = 0; n < 20000; ++n) {
      int8_t logits[kClassCount];
      uint8_t out[kClassCount];
      rows.next(logits);
      softmax(vectors::kSoftmax[t].exponential, logits, out);
      const uint8_t decided = decide(logits);
      int sum = 0;
      double powers = 0;
      for (uint8_t i = 0; i < kClassCount; ++i) {
        sum += out[i];
        powers += std::exp((logits[i] - logits[decided]) * kScale / temperatures[t]);
      }
      REQUIRE(std::abs(sum - kCertainty) <= 3);
      for (uint8_t i = 0; i < kClassCount; ++i) {
        const double exact = std::exp((logits[i] - logits[decided]) * kScale / temperatures[t]) / powers;
        REQUIRE(std::fabs(out[i] - kCertainty * exact) <= 0.52);
        REQUIRE(out[i] <= out[decided]);
        for (uint8_t j = 0; j < kClassCount; ++j) {
          if (logits[i] >= logits[j]) REQUIRE(out[i] >= out[j]);
        }
      }
    }
  }
}

TEST_CASE("a larger logit never makes its class less probable, and only differences count") {
  Rows rows;
  for (int n = 0; n < 200; ++n) {
    int8_t logits[kClassCount];
    rows.next(logits);
    for (uint8_t i = 0; i < kClassCount; ++i) {
      int8_t raised[kClassCount];
      std::memcpy(raised, logits, sizeof raised);
      uint8_t before = 0;
      for (int32_t value = INT8_MIN; value <= INT8_MAX; ++value) {
        raised[i] = static_cast<int8_t>(value);
        uint8_t out[kClassCount];
        probabilities(raised, out);
        REQUIRE(out[i] >= before);
        before = out[i];
      }
    }
    int8_t low[kClassCount], high[kClassCount];
    for (uint8_t i = 0; i < kClassCount; ++i) {
      low[i] = static_cast<int8_t>(logits[i] / 2 - 60);
      high[i] = static_cast<int8_t>(low[i] + 120);
    }
    uint8_t of_low[kClassCount], of_high[kClassCount];
    probabilities(low, of_low);
    probabilities(high, of_high);
    REQUIRE(std::memcmp(of_low, of_high, sizeof of_low) == 0);
  }
}

TEST_CASE("nothing known is a sixth each, and the extremes of int8 are within the table") {
  int8_t logits[kClassCount] = {};
  uint8_t out[kClassCount];
  probabilities(logits, out);
  for (const uint8_t probability : out) CHECK(probability == 43);
  for (int8_t& logit : logits) logit = INT8_MIN;
  for (uint8_t i = 0; i < kClassCount; ++i) {
    logits[i] = INT8_MAX;
    probabilities(logits, out);
    for (uint8_t j = 0; j < kClassCount; ++j) CHECK((j == i ? out[j] > 43 : out[j] < 43));
    logits[i] = INT8_MIN;
  }
}

TEST_CASE("the committed bundle's table gives its known answer") {
  uint8_t out[kClassCount];
  probabilities(kKnownAnswer.logits, out);
  CHECK(std::memcmp(out, kKnownAnswer.probabilities, sizeof out) == 0);
}

}  // namespace
}  // namespace hardwear
