#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "core/double_tap.h"

namespace hardwear {
namespace {

constexpr uint32_t kRate = 119000;

struct Wearer {
  DoubleTap detector;
  int found = 0;
  uint32_t noise = 1;

  Wearer() { detector.begin(kRate); }

  void feel(int16_t acceleration) {
    noise = noise * 1664525u + 1013904223u;
    const int16_t tremble = static_cast<int16_t>(noise >> 24);
    const int16_t sample[kChannelCount] = {8192, static_cast<int16_t>(acceleration + tremble), 0, 0, 0, 0};
    if (detector.push(sample)) ++found;
  }
  void rest(int ms) {
    for (int i = 0; i < ms * 119 / 1000; ++i) feel(0);
  }
  // A knock rings for three samples.
  void knock() {
    for (int16_t a : {12000, -6000, 3000}) feel(a);
  }
};

TEST_CASE("two knocks out of stillness are one double tap") {
  for (int between : {120, 200, 300, 400}) {
    CAPTURE(between);
    Wearer wearer;
    wearer.rest(1000);
    wearer.knock();
    wearer.rest(between);
    wearer.knock();
    CHECK(wearer.found == 0);
    wearer.rest(1000);
    CHECK(wearer.found == 1);
  }
}

TEST_CASE("one knock, three knocks, and knocks too far apart are none") {
  Wearer one;
  one.rest(1000);
  one.knock();
  one.rest(2000);
  CHECK(one.found == 0);

  Wearer three;
  three.rest(1000);
  for (int i = 0; i < 3; ++i) {
    three.knock();
    three.rest(200);
  }
  three.rest(1000);
  CHECK(three.found == 0);

  Wearer slow;
  slow.rest(1000);
  slow.knock();
  slow.rest(700);
  slow.knock();
  slow.rest(1000);
  CHECK(slow.found == 0);
}

TEST_CASE("steps never are, however hard") {
  Wearer wearer;
  for (int step = 0; step < 500; ++step) {
    wearer.knock();
    wearer.rest(150 + step % 7 * 60);
  }
  wearer.rest(1000);
  CHECK(wearer.found == 0);
}

TEST_CASE("knocks while moving gently are none") {
  Wearer wearer;
  for (int i = 0; i < 200; ++i) wearer.feel(i % 2 ? 1500 : -1500);
  wearer.knock();
  wearer.rest(200);
  wearer.knock();
  wearer.rest(1000);
  CHECK(wearer.found == 0);
}

TEST_CASE("two double taps a while apart are two") {
  Wearer wearer;
  for (int i = 0; i < 2; ++i) {
    wearer.rest(1000);
    wearer.knock();
    wearer.rest(250);
    wearer.knock();
    wearer.rest(1000);
  }
  CHECK(wearer.found == 2);
}

}  // namespace
}  // namespace hardwear
