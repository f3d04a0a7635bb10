#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstring>

#include "core/led.h"

namespace hardwear {
namespace {

bool same(Color a, Color b) { return a.red == b.red && a.green == b.green && a.blue == b.blue; }
bool dark(Color color) { return same(color, {false, false, false}); }

int lit_ms(uint32_t conditions, uint32_t from, uint32_t period) {
  int lit = 0;
  for (uint32_t t = from; t < from + period; ++t) lit += dark(led_color(conditions, t)) ? 0 : 1;
  return lit;
}

TEST_CASE("every line of the table can be seen, and its flash fits its period") {
  for (size_t i = 0; i < kLedRows; ++i) {
    const LedRow& row = kLedTable[i];
    CAPTURE(row.meaning);
    CHECK(row.period_ms > 0);
    CHECK(row.start_ms + row.on_ms <= row.period_ms);
    CHECK(!dark(row.color));
    CHECK(lit_ms(row.conditions, 0, row.period_ms) == row.on_ms);
  }
}

TEST_CASE("each activity has its colour and its name") {
  for (uint8_t a = 0; a < kClassCount; ++a) {
    const Color color = led_color(led::kActivity << a, 0);
    CHECK(!dark(color));
    for (uint8_t b = 0; b < a; ++b) CHECK(!same(color, led_color(led::kActivity << b, 0)));
    bool named = false;
    for (size_t i = 0; i < kLedRows; ++i) {
      named = named || (kLedTable[i].conditions == led::kActivity << a && !strcmp(kLedTable[i].meaning, kClassNames[a]));
    }
    CHECK(named);
  }
}

TEST_CASE("a fault goes before everything but the start, and nothing is dark only when nothing holds") {
  CHECK(same(led_color(led::kFault | led::kActivity, 0), {true, false, false}));
  CHECK(same(led_color(led::kBooting | led::kFault, 0), {true, true, true}));
  CHECK(dark(led_color(0, 0)));
}

TEST_CASE("not calibrated and connected show beside the activity") {
  const uint32_t walking = led::kActivity;
  CHECK(lit_ms(walking, 0, 2560) == 200);
  CHECK(lit_ms(walking | led::kUncalibrated, 0, 2560) == 260);
  CHECK(lit_ms(walking | led::kConnected, 0, 2560) == 280);
}

}  // namespace
}  // namespace hardwear
