#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <vector>

#include "core/led.h"
#include "core/wearable.h"
#include "core/wearable_service.h"
#include "../fake_flash.h"
#include "../fakes.h"
#include "sensors/lsm9ds1.h"
#include "../virtual_lsm9ds1.h"

namespace hardwear {
namespace {

// A tremble about gravity that no two samples share; it stands still when told to.
struct Wearer {
  bool walks = true;
  static void give(void* context, uint32_t index, int16_t acceleration[3], int16_t rate[3]) {
    const Wearer& wearer = *static_cast<Wearer*>(context);
    uint32_t state = index * 2654435761u + 99u;
    for (int axis = 0; axis < 3; ++axis) {
      state = state * 1664525u + 1013904223u;
      const int32_t noise = static_cast<int32_t>(state >> 24) - 128;
      acceleration[axis] = static_cast<int16_t>((axis == 0 ? 8197 : 0) + (wearer.walks ? 12 * noise : noise / 16));
      rate[axis] = static_cast<int16_t>(wearer.walks ? 10 * noise : noise / 16);
    }
  }
};

// A central that now and then has no room, or is gone: what it hears is counted.
class MoodyCentral final : public Peripheral {
 public:
  bool notify(Characteristic characteristic, const uint8_t* bytes, size_t) override {
    if (characteristic != Characteristic::kPrediction) return there && room;
    if (!there || !room) return false;
    ++heard;
    told_of_loss += (bytes[1] & flag::kSamplesLost) != 0;
    return true;
  }
  void set_value(Characteristic, const uint8_t*, size_t) override {}
  bool subscribed(Characteristic) override { return there; }
  uint16_t mtu() override { return 185; }
  bool bonded() override { return false; }

  bool there = true;
  bool room = true;
  uint32_t heard = 0;
  uint32_t told_of_loss = 0;
};

// A worn board with a virtual LSM9DS1: time passes in steps of the sensor's thread.
struct Worn final : WearableListener {
  static constexpr uint32_t kThreadMs = 100;

  FakeBoard board;
  FakeClassifier classifier;
  Wearer wearer;
  VirtualLsm9ds1 sensor;
  Lsm9ds1 imu{sensor, kNano33BleSenseRev1};
  Acquisition acquisition;
  FakeFlash flash;
  SettingsStore store{flash};
  Wearable wearable{board, classifier, acquisition, store, *this};

  MoodyCentral central;
  WearableService service{central, wearable};

  uint64_t start_us = 0;
  std::vector<PredictionPacket> packets;
  std::vector<CalibrationPacket> calibrations;
  uint32_t samples = 0;
  uint32_t windows = 0;
  uint16_t next_sample = 0;
  uint32_t skipped = 0;
  int double_taps = 0;
  std::vector<int16_t>* recording = nullptr;

  explicit Worn(uint64_t start = 0, bool predicting = true) : start_us(start) {
    sensor.supply(Wearer::give, &wearer);
    acquisition.begin(&imu, now_us());
    wearable.begin({predicting, ImuKind::kLsm9ds1, 0, 0}, now_ms());
  }

  uint32_t now_us() const { return static_cast<uint32_t>(start_us + sensor.now_us()); }
  uint32_t now_ms() const { return static_cast<uint32_t>((start_us + sensor.now_us()) / 1000); }

  void thread(uint32_t ms = kThreadMs) {
    sensor.advance_us(ms * 1000);
    acquisition.run(now_us());
  }
  void loop() {
    do {
      wearable.step(now_ms());
    } while (acquisition.front() != nullptr);
  }
  void live(uint32_t ms) {
    for (uint32_t t = 0; t < ms; t += kThreadMs) {
      thread();
      loop();
    }
  }

  void on_prediction(const PredictionPacket& packet) override {
    if (packet.activity != kUnknownActivity) ++windows;
    packets.push_back(packet);
    if (classifier.fails_at == 0) classifier.windows.clear();
    service.on_prediction(packet);
  }
  void on_sample(uint16_t number, const int16_t sample[kChannelCount]) override {
    if (recording) recording->insert(recording->end(), sample, sample + kChannelCount);
    if (samples > 0 && number != next_sample) ++skipped;
    next_sample = static_cast<uint16_t>(number + 1);
    ++samples;
    service.on_sample(number, sample);
  }
  void on_calibration(const CalibrationPacket& packet) override { calibrations.push_back(packet); }
  void on_double_tap() override { ++double_taps; }
};

TEST_CASE("the first window is named within four seconds of the start, and one follows every 1.28 s") {
  for (const int32_t error : {-50000, 0, 50000}) {
    CAPTURE(error);
    Worn worn;
    worn.sensor.rate_error_ppm = error;
    worn.live(60000);
    REQUIRE(!worn.packets.empty());
    CHECK(worn.packets[0].time_ms < 4000);
    CHECK(worn.packets[0].activity < kClassCount);
    // The first two seconds run on the nominal rate, up to 5 % off.
    const double seconds = (worn.packets.back().time_ms - worn.packets[0].time_ms) / 1000.0;
    const double windows = static_cast<double>(worn.packets.size() - 1);
    CHECK(windows == doctest::Approx(seconds / 1.28).epsilon(0.02));
    for (size_t i = 0; i < worn.packets.size(); ++i) {
      CHECK(worn.packets[i].sequence == i);
      CHECK(worn.packets[i].flags == flag::kUncalibrated);
    }
    CHECK(worn.skipped == 0);
  }
}

TEST_CASE("what was named live is what a replay of the same samples names") {
  Worn worn;
  std::vector<int16_t> recording;
  worn.recording = &recording;
  worn.live(60000);
  REQUIRE(worn.packets.size() > 40);

  Pipeline replay(worn.classifier, worn.board);
  size_t named = 0;
  for (size_t i = 0; i < recording.size(); i += kChannelCount) {
    Prediction prediction;
    if (replay.push(&recording[i], &prediction) != Outcome::kPrediction) continue;
    REQUIRE(named < worn.packets.size());
    const PredictionPacket& packet = worn.packets[named++];
    CHECK(packet.activity == prediction.activity);
    for (uint8_t c = 0; c < kClassCount; ++c) CHECK(packet.probabilities[c] == prediction.probabilities[c]);
  }
  CHECK(named == worn.packets.size());
}

TEST_CASE("a loop that comes too late loses samples and says so, once") {
  Worn worn;
  worn.live(10000);
  for (int i = 0; i < 30; ++i) worn.thread();  // three seconds, more than ring and FIFO hold
  worn.packets.clear();
  worn.live(20000);
  REQUIRE(worn.packets.size() > 10);
  int told = 0;
  for (const PredictionPacket& packet : worn.packets) told += (packet.flags & flag::kSamplesLost) != 0;
  CHECK(told == 1);
  CHECK(worn.skipped == 1);
}

TEST_CASE("a sensor that vanishes is told, and its return too") {
  Worn worn;
  worn.live(10000);
  worn.sensor.present = false;
  worn.live(10000);
  CHECK((worn.packets.back().flags & flag::kImuFailing) != 0);
  CHECK(worn.packets.back().activity == kUnknownActivity);
  CHECK(worn.packets.back().label == kUnknownActivity);
  CHECK((worn.wearable.info().faults & fault::kImuFailing) != 0);
  CHECK((worn.wearable.led_conditions() & led::kFault) != 0);
  worn.sensor.present = true;
  worn.live(10000);
  CHECK((worn.packets.back().flags & flag::kImuFailing) == 0);
  CHECK(worn.packets.back().activity < kClassCount);
  CHECK((worn.wearable.led_conditions() & led::kFault) == 0);
}

TEST_CASE("a frozen sensor is told within two windows and names nothing") {
  Worn worn;
  worn.live(10000);
  worn.sensor.frozen = true;
  worn.live(4000);
  CHECK((worn.packets.back().flags & flag::kImuFrozen) != 0);
  CHECK(worn.packets.back().label == kUnknownActivity);
  worn.sensor.frozen = false;
  worn.live(4000);
  CHECK((worn.packets.back().flags & flag::kImuFrozen) == 0);
}

TEST_CASE("a sensor that is a fifth too slow is a fault, as its windows would lie about time") {
  Worn worn;
  worn.sensor.rate_error_ppm = -200000;
  worn.live(20000);
  CHECK((worn.packets.back().flags & flag::kImuFailing) != 0);
  CHECK((worn.wearable.info().faults & fault::kImuRate) != 0);
}

TEST_CASE("a board without a sensor, or that does not compute what Python does, keeps telling so") {
  Worn dead;
  dead.acquisition.begin(nullptr, 0);
  Acquisition none;
  none.begin(nullptr, 0);
  Worn listener;
  Wearable blind(dead.board, dead.classifier, none, dead.store, listener);
  blind.begin({true, ImuKind::kNone, 0, 0}, 0);
  for (uint32_t now = 0; now <= 30000; now += 100) blind.step(now);
  CHECK(listener.packets.size() == 10);
  CHECK((listener.packets.back().flags & flag::kImuFailing) != 0);

  Worn wrong(0, false);
  wrong.live(31000);
  REQUIRE(wrong.packets.size() == 10);
  CHECK((wrong.packets.back().flags & flag::kKnownAnswerFailed) != 0);
  CHECK(wrong.packets.back().activity == kUnknownActivity);
}

TEST_CASE("an engine that fails stops the predictions and is told") {
  Worn worn;
  worn.classifier.fails_at = 4;
  worn.live(30000);
  CHECK(worn.windows == 3);
  CHECK((worn.packets.back().flags & flag::kKnownAnswerFailed) != 0);
}

TEST_CASE("the mounting turns what the model sees, and survives a restart") {
  const Rotation turned = {{{0, kQ14One, 0}, {-kQ14One, 0, 0}, {0, 0, kQ14One}}};
  Worn worn;
  worn.live(5000);
  worn.wearable.calibrate({CalibrationAction::kSet, turned});
  worn.live(5000);
  CHECK((worn.packets.back().flags & flag::kUncalibrated) == 0);
  CHECK(worn.wearable.calibration().rotation.q14[0][1] == kQ14One);

  Worn again;
  Wearable restarted(again.board, again.classifier, again.acquisition, worn.store, again);
  restarted.begin({true, ImuKind::kLsm9ds1, 0, 0}, again.now_ms());
  CHECK(restarted.calibration().rotation.q14[0][1] == kQ14One);
  restarted.calibrate({CalibrationAction::kForget, kIdentityRotation});
  CHECK(restarted.calibration().rotation.q14[0][1] == 0);
}

TEST_CASE("settings take effect at once and survive a restart; a flash that fails is told") {
  Worn worn;
  Config config;
  config.threshold = 255;
  config.led = false;
  worn.wearable.apply(config);
  CHECK(worn.wearable.led_conditions() == 0);
  worn.live(20000);
  CHECK(worn.packets.back().label == kUnknownActivity);
  CHECK(worn.packets.back().activity < kClassCount);

  Worn again;
  Wearable restarted(again.board, again.classifier, again.acquisition, worn.store, again);
  restarted.begin({true, ImuKind::kLsm9ds1, 0, 0}, again.now_ms());
  CHECK(restarted.config() == config);

  worn.flash.fails_erasures = worn.flash.fails_reads = true;
  worn.wearable.apply(config);
  CHECK((worn.wearable.info().faults & fault::kSettings) != 0);
}

TEST_CASE("a calibration reports its way and how it failed") {
  Worn worn;
  worn.live(5000);
  worn.wearable.calibrate({CalibrationAction::kStart, kIdentityRotation});
  CHECK((worn.wearable.led_conditions() & led::kStandStill) != 0);
  worn.live(40000);  // trembling all the time
  REQUIRE(!worn.calibrations.empty());
  CHECK(worn.calibrations.back().state == CalibrationState::kFailedMoved);
  CHECK(worn.calibrations.size() > 30);
  CHECK((worn.packets.back().flags & flag::kUncalibrated) != 0);
}

TEST_CASE("with low power the sensor sleeps after half a minute of stillness until it is moved") {
  Worn worn;
  Config config;
  config.low_power = true;
  worn.wearable.apply(config);
  worn.live(20000);
  worn.wearer.walks = false;
  worn.live(60000);
  CHECK(worn.wearable.sensor() == SensorState::kAsleep);
  CHECK((worn.packets.back().flags & flag::kSlept) != 0);
  CHECK(worn.packets.back().label == kUnknownActivity);
  const size_t before = worn.packets.size();
  worn.live(120000);
  CHECK(worn.wearable.sensor() == SensorState::kAsleep);
  CHECK(worn.packets.size() - before == 4);
  worn.wearer.walks = true;
  worn.live(10000);
  CHECK(worn.wearable.sensor() == SensorState::kRunning);
  CHECK(worn.packets.back().activity < kClassCount);

  worn.wearer.walks = false;
  worn.live(60000);
  CHECK(worn.wearable.sensor() == SensorState::kAsleep);
  worn.wearable.apply(Config());
  worn.live(5000);
  CHECK(worn.wearable.sensor() == SensorState::kRunning);
}

TEST_CASE("without low power a still board stays awake") {
  Worn worn;
  worn.wearer.walks = false;
  worn.live(90000);
  CHECK(worn.wearable.sensor() == SensorState::kRunning);
}

// 24 hours, begun ten minutes before the clock of milliseconds wraps and across twenty wraps of that of microseconds: a
// sensor whose clock drifts between -5 and +5 %, a loop that now and then stalls for up to three seconds, a bus that
// fails now and then, a central that has no room or vanishes. What is lost is told, to the central too once it listens
// again, and all that is not told is there.
TEST_CASE("a day of samples: no window is lost without being told") {
  Worn worn((uint64_t{1} << 32) * 1000 - 600000000u);
  constexpr uint32_t kDayMs = 24 * 3600 * 1000;
  uint32_t state = 7;
  const auto below = [&state](uint32_t limit) {
    state = state * 1664525u + 1013904223u;
    return static_cast<uint32_t>((static_cast<uint64_t>(state) * limit) >> 32);
  };
  uint32_t gaps = 0, told = 0, elapsed_ms = 0;
  uint32_t last_packet_ms = worn.now_ms(), longest_silence_ms = 0;
  uint32_t seen = 0, packets = 0;
  uint16_t sequence = 0;
  while (elapsed_ms < kDayMs) {
    const uint32_t stall = below(2000) == 0 ? below(3000) : 0;
    if (below(20000) == 0) worn.sensor.fail(below(20), 1 + below(60));
    if (below(300) == 0) worn.central.room = !worn.central.room;
    if (below(3000) == 0) worn.central.there = !worn.central.there;
    if (below(600) == 0) worn.sensor.rate_error_ppm = static_cast<int32_t>(below(100001)) - 50000;
    const uint32_t skipped_before = worn.skipped;
    for (uint32_t stalled = 0; stalled < stall; stalled += Worn::kThreadMs) {
      worn.thread();
      elapsed_ms += Worn::kThreadMs;
    }
    worn.thread();
    elapsed_ms += Worn::kThreadMs;
    do {
      const uint32_t had = worn.windows;
      worn.packets.clear();
      worn.wearable.step(worn.now_ms());
      for (const PredictionPacket& packet : worn.packets) {
        REQUIRE(packet.sequence == sequence++);
        ++packets;
        told += (packet.flags & flag::kSamplesLost) != 0;
        const uint32_t silence = packet.time_ms - last_packet_ms;
        if (silence > longest_silence_ms) longest_silence_ms = silence;
        last_packet_ms = packet.time_ms;
      }
      seen += worn.windows - had;
    } while (worn.acquisition.front() != nullptr);
    gaps += worn.skipped - skipped_before;
  }
  MESSAGE(seen << " windows, " << gaps << " gaps, " << told << " told, longest silence " << longest_silence_ms << " ms");
  CHECK(gaps > 20);
  CHECK(told > 0);
  CHECK(told <= gaps);
  CHECK(longest_silence_ms < 7000);
  // Each gap costs what was not sampled and the window that it interrupts: 2.56 s of new samples and a hop at most.
  const uint32_t due = kDayMs / 1280;
  CHECK(seen <= due + due / 500);
  CHECK(seen + 6 * gaps >= due - due / 500);
  CHECK(worn.wearable.sensor() == SensorState::kRunning);
  CHECK(worn.central.heard < packets);
  CHECK(worn.central.heard + worn.service.lost_notifications() <= packets);
  CHECK(worn.central.told_of_loss > told / 4);
}

}  // namespace
}  // namespace hardwear
