#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <vector>

#include "../fakes.h"
#include "core/window.h"

namespace hardwear {
namespace {

TEST_CASE("windows cover [64k, 64k + 128) and fall due with their last sample") {
  Window window;
  std::vector<uint32_t> ends;
  for (int16_t n = 0; n < 1000; ++n) {
    const int16_t sample[kChannelCount] = {n, static_cast<int16_t>(-n), 0, 1, 2, 3};
    if (!window.push(sample)) continue;
    ends.push_back(window.end());
    REQUIRE(window.end() == static_cast<uint32_t>(n) + 1);
    for (int16_t i = 0; i < kWindowSamples; ++i) {
      const auto first = static_cast<int16_t>(n + 1 - kWindowSamples);
      REQUIRE(window.sample(static_cast<size_t>(i))[0] == first + i);
      REQUIRE(window.sample(static_cast<size_t>(i))[1] == -(first + i));
    }
  }
  REQUIRE(ends.size() == (1000 - kWindowSamples) / kHopSamples + 1);
  for (size_t k = 0; k < ends.size(); ++k) CHECK(ends[k] == k * kHopSamples + kWindowSamples);
}

TEST_CASE("reset begins a new recording, wherever the ring stood") {
  Window window;
  const int16_t sample[kChannelCount] = {1, 2, 3, 4, 5, 6};
  for (int before = 0; before < 300; before += 37) {
    for (int i = 0; i < before; ++i) window.push(sample);
    window.reset();
    for (int i = 1; i < kWindowSamples; ++i) REQUIRE_FALSE(window.push(sample));
    REQUIRE(window.push(sample));
    REQUIRE(window.end() == kWindowSamples);
  }
}

TEST_CASE("the checksum is that of the samples in order, little-endian, wherever the ring begins") {
  Window window;
  const std::vector<int16_t> recording = noise(500, 3);
  int windows = 0;
  for (size_t n = 0; n < 500; ++n) {
    if (!window.push(&recording[n * kChannelCount])) continue;
    ++windows;
    std::vector<uint8_t> bytes(kWindowSamples * kChannelCount * 2);
    const int16_t* first = &recording[(n + 1 - kWindowSamples) * kChannelCount];
    for (size_t i = 0; i < kWindowSamples * kChannelCount; ++i) {
      store_u16(&bytes[2 * i], static_cast<uint16_t>(first[i]));
    }
    CHECK(window.crc32() == crc32(bytes.data(), bytes.size()));
  }
  CHECK(windows == 6);
}

}  // namespace
}  // namespace hardwear
