#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <deque>

#include "core/acquisition.h"

namespace hardwear {
namespace {

// Numbers its samples on the first channel; its FIFO holds 100.
class CountingImu final : public Imu {
 public:
  const char* name() const override { return "counting"; }
  uint32_t nominal_rate_millihertz() const override { return 119000; }
  uint16_t fifo_capacity() const override { return 100; }
  bool begin() override {
    ++begins;
    fifo.clear();
    return answers;
  }
  ImuRead read(int16_t (*out)[kChannelCount], uint16_t capacity) override {
    if (!answers) return {0, false, true};
    const bool overrun = overran;
    overran = false;
    uint16_t count = 0;
    while (count < capacity && !fifo.empty()) {
      for (int c = 0; c < kChannelCount; ++c) out[count][c] = static_cast<int16_t>(fifo.front() + c);
      fifo.pop_front();
      ++count;
    }
    return {count, overrun, false};
  }
  bool sleep_until_motion() override { return answers; }
  bool moved() override { return motion; }
  bool wake() override { return answers; }

  void sample(int count) {
    for (int i = 0; i < count; ++i) {
      if (fifo.size() == 100) {
        fifo.pop_front();
        overran = true;
      }
      fifo.push_back(next++);
    }
  }

  std::deque<int16_t> fifo;
  int16_t next = 0;
  int begins = 0;
  bool overran = false, answers = true, motion = false;
};

// Takes everything that waits, checks that samples follow one another, and returns how often they were interrupted.
struct Reader {
  int16_t next = 0;
  int samples = 0;
  int interruptions = 0;
  void take(Acquisition* acquisition) {
    while (const SampleBlock* block = acquisition->front()) {
      if (block->interrupted) {
        ++interruptions;
        if (block->samples > 0) next = block->counts[0][0];
      }
      for (uint16_t i = 0; i < block->samples; ++i, ++next, ++samples) {
        REQUIRE(block->counts[i][0] == next);
        REQUIRE(block->counts[i][5] == next + 5);
      }
      acquisition->pop();
    }
  }
};

TEST_CASE("every sample arrives once and in order, however unevenly the FIFO is read") {
  CountingImu imu;
  Acquisition acquisition;
  acquisition.begin(&imu, 0);
  Reader reader;
  for (int round = 0; round < 500; ++round) {
    imu.sample(round * 7 % 60);
    acquisition.run(static_cast<uint32_t>(round) * 100000);
    if (round % 3 == 0) reader.take(&acquisition);
  }
  reader.take(&acquisition);
  CHECK(reader.samples == imu.next);
  CHECK(reader.interruptions == 0);
  CHECK(acquisition.overruns() == 0);
  CHECK(acquisition.heartbeat() == 500);
}

TEST_CASE("only the last block of a run says that the FIFO was drained, and when") {
  CountingImu imu;
  Acquisition acquisition;
  acquisition.begin(&imu, 0);
  imu.sample(70);
  acquisition.run(1234);
  const bool drained[] = {false, false, true};
  const uint16_t samples[] = {32, 32, 6};
  for (int i = 0; i < 3; ++i) {
    const SampleBlock* block = acquisition.front();
    REQUIRE(block != nullptr);
    CHECK(block->drained == drained[i]);
    CHECK(block->samples == samples[i]);
    CHECK(block->time_us == 1234);
    acquisition.pop();
  }
  CHECK(acquisition.front() == nullptr);
}

TEST_CASE("a loop that is late finds its samples in ring and sensor; one that is too late is told") {
  CountingImu imu;
  Acquisition acquisition;
  acquisition.begin(&imu, 0);
  Reader reader;
  imu.sample(60);
  for (int i = 0; i < 15; ++i) {
    acquisition.run(0);
    imu.sample(10);
  }
  reader.take(&acquisition);
  acquisition.run(0);
  reader.take(&acquisition);
  CHECK(reader.samples == 210);
  CHECK(reader.interruptions == 0);

  for (int i = 0; i < 200; ++i) {
    acquisition.run(0);
    imu.sample(10);
  }
  for (int i = 0; i < 3; ++i) {
    reader.take(&acquisition);
    acquisition.run(0);
  }
  reader.take(&acquisition);
  CHECK(reader.interruptions == 1);
  CHECK(acquisition.overruns() == 1);
  CHECK(reader.next == imu.next);
}

TEST_CASE("a sensor that stops answering is started anew once a second, and what is missing is told") {
  CountingImu imu;
  Acquisition acquisition;
  acquisition.begin(&imu, 0);
  imu.sample(5);
  acquisition.run(0);
  imu.answers = false;
  uint32_t now = 0;
  for (int i = 0; i < Acquisition::kPatience; ++i) {
    CHECK(acquisition.state() == SensorState::kRunning);
    acquisition.run(now += 100000);
  }
  CHECK(acquisition.state() == SensorState::kFailing);
  const int before = imu.begins;
  for (int i = 0; i < 50; ++i) acquisition.run(now += 100000);
  CHECK(imu.begins == before + 5);
  imu.answers = true;
  for (int i = 0; i < 10; ++i) acquisition.run(now += 100000);
  CHECK(acquisition.state() == SensorState::kRunning);
  imu.sample(5);
  acquisition.run(now);
  Reader reader;
  reader.take(&acquisition);
  CHECK(reader.samples == 10);
  CHECK(reader.interruptions == 1);
  CHECK(acquisition.failures() == uint32_t{Acquisition::kPatience});
}

TEST_CASE("one failed read is survived, but what it may have cost is told") {
  CountingImu imu;
  Acquisition acquisition;
  acquisition.begin(&imu, 0);
  imu.answers = false;
  acquisition.run(0);
  imu.answers = true;
  imu.sample(3);
  acquisition.run(0);
  CHECK(acquisition.state() == SensorState::kRunning);
  Reader reader;
  reader.take(&acquisition);
  CHECK(reader.samples == 3);
  CHECK(reader.interruptions == 1);
}

TEST_CASE("the sensor sleeps until it is moved, or until it is told to wake") {
  CountingImu imu;
  Acquisition acquisition;
  acquisition.begin(&imu, 0);
  uint32_t now = 0;
  for (const bool by_motion : {true, false}) {
    acquisition.want_sleep(true);
    acquisition.run(now);
    CHECK(acquisition.state() == SensorState::kAsleep);
    imu.sample(5);
    acquisition.run(now += Acquisition::kMotionUs);
    CHECK(acquisition.front() == nullptr);
    imu.motion = by_motion;
    if (!by_motion) acquisition.want_sleep(false);
    acquisition.run(now += Acquisition::kMotionUs);
    CHECK(acquisition.state() == SensorState::kRunning);
    imu.motion = false;
    acquisition.run(now);
    REQUIRE(acquisition.front() != nullptr);
    CHECK(acquisition.front()->interrupted);
    acquisition.pop();
    acquisition.run(now);
    CHECK(acquisition.state() == SensorState::kRunning);
    acquisition.pop();
  }
}

TEST_CASE("a sleeping sensor is looked at once a second") {
  CountingImu imu;
  Acquisition acquisition;
  acquisition.begin(&imu, 0);
  acquisition.want_sleep(true);
  acquisition.run(0);
  imu.motion = true;
  for (uint32_t now = 0; now < Acquisition::kMotionUs; now += 100000) {
    acquisition.run(now);
    CHECK(acquisition.state() == SensorState::kAsleep);
  }
  acquisition.run(uint32_t{Acquisition::kMotionUs});
  CHECK(acquisition.state() == SensorState::kRunning);
}

TEST_CASE("a sensor that can't be sent to sleep or woken is started anew") {
  CountingImu imu;
  Acquisition acquisition;
  acquisition.begin(&imu, 0);
  imu.answers = false;
  acquisition.want_sleep(true);
  acquisition.run(0);
  CHECK(acquisition.state() == SensorState::kFailing);
  imu.answers = true;
  acquisition.run(uint32_t{Acquisition::kRetryUs});
  CHECK(acquisition.state() == SensorState::kRunning);
  acquisition.want_sleep(true);
  acquisition.run(uint32_t{Acquisition::kRetryUs});
  CHECK(acquisition.state() == SensorState::kAsleep);
  imu.answers = false;
  acquisition.want_sleep(false);
  acquisition.run(uint32_t{Acquisition::kRetryUs});
  CHECK(acquisition.state() == SensorState::kFailing);
}

TEST_CASE("a board without a sensor goes on without") {
  Acquisition acquisition;
  acquisition.begin(nullptr, 0);
  acquisition.want_sleep(true);
  acquisition.run(0);
  CHECK(acquisition.state() == SensorState::kAbsent);
  CHECK(acquisition.front() == nullptr);
}

}  // namespace
}  // namespace hardwear
