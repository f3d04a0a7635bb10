#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "../fake_flash.h"
#include "core/bytes.h"
#include "core/crc32.h"
#include "core/settings_store.h"

namespace hardwear {
namespace {

constexpr size_t kRecord = SettingsStore::kRecordBytes;
constexpr uint32_t kSlots = FakeFlash::kSectorBytes / kRecord;

// Different for each number, and whole: any mixture of two of them would show.
Settings numbered(uint8_t number) {
  Settings settings;
  settings.calibrated = number % 2 == 1;
  settings.mounting.acc_gain_q14 = static_cast<uint16_t>(16000 + number);
  if (number % 3 == 1) settings.mounting.rotation = {{{0, 0, kQ14One}, {kQ14One, 0, 0}, {0, kQ14One, 0}}};
  settings.config.smoothing = number % 7;
  settings.config.threshold = number;
  settings.config.notify_every = static_cast<uint8_t>(1 + number % 255);
  settings.config.led = number % 2 == 0;
  settings.config.low_power = number % 5 == 0;
  return settings;
}

Settings loaded(Storage& flash, SettingsSource* source = nullptr) {
  Settings settings = numbered(99);  // load() must overwrite it
  const SettingsSource told = SettingsStore(flash).load(&settings);
  if (source != nullptr) *source = told;
  return settings;
}

SettingsSource source_of(Storage& flash) {
  SettingsSource source;
  loaded(flash, &source);
  return source;
}

void save_up_to(FakeFlash& flash, uint8_t count) {
  for (uint8_t number = 1; number <= count; ++number) REQUIRE(SettingsStore(flash).save(numbered(number)));
}

TEST_CASE("erased flash gives the defaults, and says that nothing was stored") {
  FakeFlash flash;
  SettingsSource source;
  CHECK(loaded(flash, &source) == Settings());
  CHECK(source == SettingsSource::kNothingStored);
  CHECK_FALSE(Settings().calibrated);
}

TEST_CASE("what was saved last is loaded, through many changes of the sector") {
  FakeFlash flash;
  for (uint8_t number = 1; number < 100; ++number) {
    REQUIRE(SettingsStore(flash).save(numbered(number)));
    SettingsSource source;
    CHECK(loaded(flash, &source) == numbered(number));
    CHECK(source == SettingsSource::kStored);
  }
  CHECK_FALSE(flash.asked_outside);
  CHECK_FALSE(flash.programmed_twice);
}

TEST_CASE("saving what is stored already wears nothing") {
  FakeFlash flash;
  save_up_to(flash, 3);
  const size_t steps = flash.steps;
  for (int i = 0; i < 100; ++i) CHECK(SettingsStore(flash).save(numbered(3)));
  CHECK(flash.steps == steps);
}

TEST_CASE("the sectors wear alike, one erasure for each sectorful of saves") {
  FakeFlash flash;
  for (int i = 0; i < 1600; ++i) REQUIRE(SettingsStore(flash).save(numbered(static_cast<uint8_t>(i % 2))));
  CHECK(flash.erasures[0] == 1600 / kSlots / 2);
  CHECK(flash.erasures[1] == 1600 / kSlots / 2);
}

TEST_CASE("losing power at any byte of any save leaves the old settings or the new ones") {
  // From an empty flash, into a sector, into its last slot, and over to the other sector, twice.
  for (uint8_t before = 0; before <= 2 * kSlots + 1; ++before) {
    FakeFlash whole;
    save_up_to(whole, before);
    FakeFlash measured = whole;
    measured.steps = 0;
    const Settings old = before == 0 ? Settings() : numbered(before);
    const Settings fresh = numbered(static_cast<uint8_t>(before + 1));
    REQUIRE(SettingsStore(measured).save(fresh));
    for (size_t cut = 1; cut <= measured.steps; ++cut) {
      CAPTURE(before);
      CAPTURE(cut);
      FakeFlash flash = whole;
      flash.lose_power_after(cut);
      CHECK_FALSE(SettingsStore(flash).save(fresh));
      flash.restore_power();

      SettingsSource source;
      const Settings found = loaded(flash, &source);
      REQUIRE((found == old || found == fresh));
      if (before > 0) REQUIRE((source == SettingsSource::kStored || source == SettingsSource::kOlder));

      // And life goes on.
      const Settings next = numbered(200);
      REQUIRE(SettingsStore(flash).save(next));
      REQUIRE(loaded(flash, &source) == next);
      REQUIRE(source == SettingsSource::kStored);
      REQUIRE_FALSE(flash.asked_outside);
      REQUIRE_FALSE(flash.programmed_twice);
    }
  }
}

TEST_CASE("losing power again and again, save after save, never loses all settings") {
  FakeFlash flash;
  REQUIRE(SettingsStore(flash).save(numbered(0)));
  Settings known = numbered(0);
  uint32_t state = 1;
  for (int i = 0; i < 3000; ++i) {
    state = state * 1664525u + 1013904223u;
    const Settings fresh = numbered(static_cast<uint8_t>(state >> 24));
    flash.lose_power_after(1 + (state >> 8) % 700);
    SettingsStore(flash).save(fresh);
    flash.restore_power();
    const Settings found = loaded(flash);
    REQUIRE((found == known || found == fresh));
    known = found;
  }
  CHECK_FALSE(flash.asked_outside);
}

TEST_CASE("a rotten bit anywhere in the last record brings back the one before, and is told") {
  for (uint8_t saved : {uint8_t{2}, uint8_t{kSlots}, uint8_t{kSlots + 1}}) {
    FakeFlash whole;
    save_up_to(whole, saved);
    const size_t begin = saved > kSlots ? FakeFlash::kSectorBytes : (saved - 1) * kRecord;
    for (size_t bit = 0; bit < 8 * kRecord; ++bit) {
      CAPTURE(bit);
      FakeFlash flash = whole;
      flash.bytes[begin + bit / 8] = static_cast<uint8_t>(flash.bytes[begin + bit / 8] ^ (1u << bit % 8));
      SettingsSource source;
      REQUIRE(loaded(flash, &source) == numbered(static_cast<uint8_t>(saved - 1)));
      REQUIRE(source == SettingsSource::kOlder);
      REQUIRE(SettingsStore(flash).save(numbered(77)));
      REQUIRE(loaded(flash, &source) == numbered(77));
      REQUIRE(source == SettingsSource::kStored);
    }
  }
}

TEST_CASE("when nothing is intact the defaults hold, and damage is told") {
  FakeFlash flash;
  save_up_to(flash, 1);
  flash.bytes[20] = static_cast<uint8_t>(flash.bytes[20] ^ 0x10);
  SettingsSource source;
  CHECK(loaded(flash, &source) == Settings());
  CHECK(source == SettingsSource::kDamaged);
  CHECK(SettingsStore(flash).save(numbered(5)));
  CHECK(loaded(flash) == numbered(5));

  FakeFlash foreign;  // somebody else's bytes
  uint32_t state = 1;
  for (uint8_t& byte : foreign.bytes) byte = static_cast<uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  CHECK(source_of(foreign) == SettingsSource::kDamaged);
  CHECK(SettingsStore(foreign).save(numbered(5)));
  CHECK(loaded(foreign) == numbered(5));
}

void reseal(FakeFlash& flash, size_t begin) { store_u32(&flash.bytes[begin + 60], crc32(&flash.bytes[begin], 60)); }

TEST_CASE("another firmware's settings are left for the defaults, and saving goes on behind them") {
  FakeFlash flash;
  save_up_to(flash, 2);
  flash.bytes[kRecord + 4] = SettingsStore::kVersion + 1;
  reseal(flash, kRecord);
  SettingsSource source;
  CHECK(loaded(flash, &source) == Settings());
  CHECK(source == SettingsSource::kUnknownVersion);
  CHECK(SettingsStore(flash).save(numbered(3)));
  CHECK(loaded(flash, &source) == numbered(3));
  CHECK(source == SettingsSource::kStored);
}

TEST_CASE("an intact record with a content that is never saved is damage") {
  for (const size_t at : {size_t{5}, size_t{6}, size_t{7}, size_t{18}, size_t{19}}) {
    CAPTURE(at);
    FakeFlash flash;
    save_up_to(flash, 1);
    flash.bytes[at] = 0x7F;
    reseal(flash, 0);
    CHECK(source_of(flash) == SettingsSource::kDamaged);
  }
}

TEST_CASE("what is no rotation is not saved") {
  FakeFlash flash;
  save_up_to(flash, 1);
  Settings mirrored = numbered(2);
  mirrored.mounting.rotation = {{{kQ14One, 0, 0}, {0, kQ14One, 0}, {0, 0, -kQ14One}}};
  CHECK_FALSE(SettingsStore(flash).save(mirrored));
  Settings deaf = numbered(2);
  deaf.mounting.acc_gain_q14 = 0;
  CHECK_FALSE(SettingsStore(flash).save(deaf));
  CHECK(loaded(flash) == numbered(1));
}

TEST_CASE("a worn-out cell is told, and what was stored before stays") {
  FakeFlash flash;
  save_up_to(flash, 3);
  flash.stuck_low = 0x04;
  CHECK_FALSE(SettingsStore(flash).save(numbered(4)));
  CHECK(loaded(flash) == numbered(3));
  flash.stuck_low = 0;
  CHECK(SettingsStore(flash).save(numbered(5)));
  CHECK(loaded(flash) == numbered(5));
}

TEST_CASE("a flash that fails is told") {
  FakeFlash flash;
  save_up_to(flash, kSlots);
  flash.fails_erasures = true;
  CHECK_FALSE(SettingsStore(flash).save(numbered(100)));
  CHECK(loaded(flash) == numbered(kSlots));
  flash.fails_reads = true;
  SettingsSource source;
  CHECK(loaded(flash, &source) == Settings());
  CHECK(source == SettingsSource::kDamaged);
}

TEST_CASE("words of another size do, records that don't fit are refused") {
  for (const uint32_t word : {1u, 2u, 8u, 64u}) {
    FakeFlash flash;
    flash.word = word;
    CHECK(SettingsStore(flash).save(numbered(1)));
    CHECK(loaded(flash) == numbered(1));
  }
  for (const uint32_t word : {0u, 3u, 128u}) {
    FakeFlash flash;
    flash.word = word;
    CHECK_FALSE(SettingsStore(flash).save(numbered(1)));
    CHECK(source_of(flash) == SettingsSource::kNothingStored);
  }
}

TEST_CASE("what lies outside is told, whatever the numbers") {
  const FakeFlash flash;
  CHECK(flash.holds(0, 1024));
  CHECK(flash.holds(1024, 0));
  CHECK_FALSE(flash.holds(0, 1025));
  CHECK_FALSE(flash.holds(1, 1024));
  CHECK_FALSE(flash.holds(0xFFFFFFFFu, 1));
  CHECK_FALSE(flash.holds(1, ~size_t{0}));
  CHECK(flash.aligned(8, 64));
  CHECK_FALSE(flash.aligned(2, 64));
  CHECK_FALSE(flash.aligned(8, 63));
}

}  // namespace
}  // namespace hardwear
