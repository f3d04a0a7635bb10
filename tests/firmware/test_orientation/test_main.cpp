#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstring>

#include "../../vectors/orientation.h"
#include "core/orientation.h"

namespace hardwear {
namespace {

constexpr size_t kRows = sizeof vectors::kWorn / sizeof vectors::kWorn[0];

Rotation rotation_of(const int16_t q14[9]) {
  Rotation out;
  std::memcpy(out.q14, q14, sizeof out.q14);
  return out;
}

bool equal(const int16_t a[kChannelCount], const int16_t b[kChannelCount]) {
  return std::memcmp(a, b, kChannelCount * sizeof(int16_t)) == 0;
}

TEST_CASE("samples are straightened as Python straightens them, limits included") {
  for (const auto& mounting_case : vectors::kMountings) {
    CAPTURE(mounting_case.name);
    const Mounting mounting = {rotation_of(mounting_case.q14), mounting_case.gain};
    for (size_t i = 0; i < kRows; ++i) {
      CAPTURE(i);
      int16_t out[kChannelCount];
      straighten(mounting, vectors::kWorn[i], out);
      CHECK(equal(out, mounting_case.straight[i]));
    }
  }
}

TEST_CASE("in place it is the same") {
  for (const auto& mounting_case : vectors::kMountings) {
    const Mounting mounting = {rotation_of(mounting_case.q14), mounting_case.gain};
    for (size_t i = 0; i < kRows; ++i) {
      int16_t sample[kChannelCount];
      std::memcpy(sample, vectors::kWorn[i], sizeof sample);
      straighten(mounting, sample, sample);
      CHECK(equal(sample, mounting_case.straight[i]));
    }
  }
}

TEST_CASE("without a gain straightening is rotating") {
  for (const auto& mounting_case : vectors::kMountings) {
    const Rotation rotation = rotation_of(mounting_case.q14);
    for (const auto& sample : vectors::kWorn) {
      int16_t rotated[kChannelCount];
      int16_t straight[kChannelCount];
      rotate(rotation, sample, rotated);
      straighten({rotation, kQ14One}, sample, straight);
      CHECK(equal(rotated, straight));
    }
  }
}

TEST_CASE("the identity changes nothing") {
  for (const auto& sample : vectors::kWorn) {
    int16_t out[kChannelCount];
    rotate(kIdentityRotation, sample, out);
    CHECK(equal(out, sample));
  }
}

TEST_CASE("a rotation is told from what is none") {
  CHECK(is_rotation(kIdentityRotation));
  for (const auto& mounting_case : vectors::kMountings) {
    CAPTURE(mounting_case.name);
    CHECK(is_rotation(rotation_of(mounting_case.q14)) == (mounting_case.gain != 65535));
  }
  for (const auto& none : vectors::kNoRotations) {
    CAPTURE(none.name);
    CHECK_FALSE(is_rotation(rotation_of(none.q14)));
  }
}

TEST_CASE("values at their limits are judged without overflow") {
  const int16_t low[9] = {-32768, -32768, -32768, -32768, -32768, -32768, -32768, -32768, -32768};
  CHECK_FALSE(is_rotation(rotation_of(low)));
  const int16_t high[9] = {32767, -32768, 32767, -32768, 32767, 32767, 32767, 32767, -32768};
  CHECK_FALSE(is_rotation(rotation_of(high)));
}

}  // namespace
}  // namespace hardwear
