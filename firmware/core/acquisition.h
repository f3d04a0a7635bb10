// Between the motion sensor and the main loop: nothing that the loop does, or waits for, costs a sample.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/imu.h"
#include "generated/contract.h"

namespace hardwear {

// Samples as they came out of the sensor's FIFO at one go.
struct SampleBlock {
  static constexpr uint16_t kCapacity = 32;

  uint32_t time_us;   // when the sensor was read, modulo 2^32
  uint16_t samples;   // 0 to kCapacity, oldest first
  bool interrupted;   // samples are missing before the first: the FIFO overran, the bus failed, the sensor slept
  bool drained;       // the FIFO was empty after the last: all that was sampled until time_us has been told
  int16_t counts[kCapacity][kChannelCount];
};

// What the sensor does.
enum class SensorState : uint8_t {
  kAbsent = 0,   // no sensor was found at start
  kRunning = 1,
  kFailing = 2,  // it doesn't answer; it is started anew once a second
  kAsleep = 3,   // waits for motion
};

// Reads the sensor's FIFO from one thread, or from a timer's callback that may use the bus, and hands its samples to
// the main loop through a ring, without locks. If the loop falls behind by more than the ring holds, samples wait in
// the sensor; only when that overflows too are they lost, which the next block tells. Borrows the sensor. 3.3 KB.
class Acquisition {
 public:
  static constexpr uint32_t kBlocks = 8;
  static constexpr uint32_t kRetryUs = 1000000;
  // Between two looks whether a sleeping sensor was moved.
  static constexpr uint32_t kMotionUs = 1000000;
  // Reads in a row that must fail before the sensor counts as failing.
  static constexpr uint8_t kPatience = 3;

  // Starts `imu`, which may be null. Call it once, before the thread runs.
  void begin(Imu* imu, uint32_t now_us);

  // Moves what the sensor holds into the ring. Call it from one thread, at least as often as half the FIFO fills
  // (LSM9DS1: 134 ms); never from an interrupt, as it uses the bus.
  void run(uint32_t now_us);

  // The oldest block that waits, null if none does. It stays until pop(). Main loop only, like all below.
  const SampleBlock* front() const;
  void pop();

  SensorState state() const { return state_.load(std::memory_order_acquire); }

  // Sends the sensor to sleep until it feels motion, or wakes it. run() does so; state() tells.
  void want_sleep(bool asleep) { want_sleep_.store(asleep, std::memory_order_release); }

  // How often samples were lost and reads failed since start.
  uint32_t overruns() const { return overruns_.load(std::memory_order_relaxed); }
  uint32_t failures() const { return failures_.load(std::memory_order_relaxed); }
  // Counts up with each run(): a thread that hangs stops it.
  uint32_t heartbeat() const { return heartbeat_.load(std::memory_order_relaxed); }

  const Imu* imu() const { return imu_; }

 private:
  void drain(uint32_t now_us);
  void wait_for_motion(uint32_t now_us);
  void fail(uint32_t now_us);
  void restart(uint32_t now_us);
  void enter(SensorState state) { state_.store(state, std::memory_order_release); }
  static void count(std::atomic<uint32_t>* counter) {
    counter->store(counter->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  Imu* imu_ = nullptr;
  bool interrupted_ = false;  // tell it with the next block
  uint8_t failed_in_a_row_ = 0;
  uint32_t last_look_us_ = 0;  // at a sensor that fails or sleeps
  SampleBlock blocks_[kBlocks];
  // Indices run freely modulo 2^32. Only the thread writes head_ and the counters, only the main loop tail_.
  std::atomic<uint32_t> head_{0};
  std::atomic<uint32_t> tail_{0};
  std::atomic<uint32_t> overruns_{0};
  std::atomic<uint32_t> failures_{0};
  std::atomic<uint32_t> heartbeat_{0};
  std::atomic<SensorState> state_{SensorState::kAbsent};
  std::atomic<bool> want_sleep_{false};

  static_assert((kBlocks & (kBlocks - 1)) == 0, "the ring's size must be a power of two");
};

}  // namespace hardwear
