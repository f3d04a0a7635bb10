#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "core/byte_ring.h"

namespace hardwear {
namespace {

TEST_CASE("bytes come out in the order they went in, across the end of the buffer") {
  ByteRing<8> ring;
  uint8_t next_in = 0, next_out = 0;
  for (int round = 0; round < 1000; ++round) {
    for (int i = 0; i < round % 9; ++i) {
      if (ring.size() < ring.capacity()) REQUIRE(ring.push(next_in++));
    }
    uint8_t out[8];
    const size_t count = ring.pop(out, static_cast<size_t>(round % 7));
    for (size_t i = 0; i < count; ++i) REQUIRE(out[i] == next_out++);
  }
  CHECK(ring.overruns() == 0);
}

TEST_CASE("a full ring refuses and counts, and keeps what it holds") {
  ByteRing<4> ring;
  for (uint8_t i = 0; i < 4; ++i) CHECK(ring.push(i));
  CHECK_FALSE(ring.push(9));
  CHECK_FALSE(ring.push(9));
  CHECK(ring.overruns() == 2);
  CHECK(ring.size() == 4);
  uint8_t out[8] = {};
  REQUIRE(ring.pop(out, sizeof out) == 4);
  for (uint8_t i = 0; i < 4; ++i) CHECK(out[i] == i);
  CHECK(ring.pop(out, sizeof out) == 0);
}

TEST_CASE("a producer and a consumer at the same time lose and double nothing") {
  static ByteRing<64> ring;
  constexpr uint32_t kBytes = 1000000;
  std::thread producer([] {
    for (uint32_t i = 0; i < kBytes; ++i) {
      while (!ring.push(static_cast<uint8_t>(i * 31))) std::this_thread::yield();
    }
  });
  uint32_t received = 0, wrong = 0;
  while (received < kBytes) {
    uint8_t out[17];
    const size_t count = ring.pop(out, sizeof out);
    for (size_t i = 0; i < count; ++i) wrong += out[i] != static_cast<uint8_t>((received + i) * 31);
    received += static_cast<uint32_t>(count);
    if (count == 0) std::this_thread::yield();
  }
  producer.join();
  CHECK(wrong == 0);
  CHECK(ring.size() == 0);
}

}  // namespace
}  // namespace hardwear
