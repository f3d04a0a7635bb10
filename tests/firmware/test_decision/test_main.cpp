#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "core/decision.h"

namespace hardwear {
namespace {

TEST_CASE("the largest logit wins, the lowest index among equals") {
  int8_t logits[kClassCount];
  for (uint8_t first = 0; first < kClassCount; ++first) {
    for (uint8_t second = 0; second < kClassCount; ++second) {
      for (int8_t& logit : logits) logit = -128;
      logits[first] = logits[second] = 127;
      CHECK(decide(logits) == (first < second ? first : second));
    }
  }
}

TEST_CASE("signs count, and all equal is the first class") {
  int8_t logits[kClassCount];
  for (int8_t& logit : logits) logit = -100;
  CHECK(decide(logits) == 0);
  logits[kClassCount - 1] = -99;
  CHECK(decide(logits) == kClassCount - 1);
  logits[1] = 0;
  CHECK(decide(logits) == 1);
}

}  // namespace
}  // namespace hardwear
