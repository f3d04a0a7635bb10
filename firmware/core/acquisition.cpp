#include "core/acquisition.h"

namespace hardwear {

void Acquisition::begin(Imu* imu, uint32_t now_us) {
  imu_ = imu;
  last_look_us_ = now_us;
  if (imu == nullptr) return;
  enter(imu->begin() ? SensorState::kRunning : SensorState::kFailing);
}

void Acquisition::run(uint32_t now_us) {
  count(&heartbeat_);
  switch (state()) {
    case SensorState::kAbsent:
      return;
    case SensorState::kRunning:
      if (!want_sleep_.load(std::memory_order_acquire)) return drain(now_us);
      last_look_us_ = now_us;
      return imu_->sleep_until_motion() ? enter(SensorState::kAsleep) : fail(now_us);
    case SensorState::kFailing:
      return restart(now_us);
    case SensorState::kAsleep:
      return wait_for_motion(now_us);
  }
}

void Acquisition::drain(uint32_t now_us) {
  for (;;) {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) >= kBlocks) return;  // what is left waits in the sensor
    SampleBlock& block = blocks_[head % kBlocks];
    const ImuRead read = imu_->read(block.counts, SampleBlock::kCapacity);
    if (read.failed) {
      count(&failures_);
      interrupted_ = true;  // whether the sensor has handed out samples that did not arrive can't be known
      if (++failed_in_a_row_ >= kPatience) fail(now_us);
      return;
    }
    failed_in_a_row_ = 0;
    if (read.overrun) {
      count(&overruns_);
      interrupted_ = true;
    }
    block.time_us = now_us;
    block.samples = read.samples;
    block.interrupted = interrupted_;
    block.drained = read.samples < SampleBlock::kCapacity;
    const bool drained = block.drained;
    interrupted_ = false;
    head_.store(head + 1, std::memory_order_release);
    if (drained) return;
  }
}

void Acquisition::wait_for_motion(uint32_t now_us) {
  if (want_sleep_.load(std::memory_order_acquire)) {
    if (now_us - last_look_us_ < kMotionUs) return;
    last_look_us_ = now_us;
    if (!imu_->moved()) return;
    want_sleep_.store(false, std::memory_order_release);
  }
  interrupted_ = true;
  if (!imu_->wake()) return fail(now_us);
  enter(SensorState::kRunning);
}

void Acquisition::fail(uint32_t now_us) {
  want_sleep_.store(false, std::memory_order_release);
  last_look_us_ = now_us;
  enter(SensorState::kFailing);
}

void Acquisition::restart(uint32_t now_us) {
  if (now_us - last_look_us_ < kRetryUs) return;
  last_look_us_ = now_us;
  if (!imu_->begin()) return;
  failed_in_a_row_ = 0;
  interrupted_ = true;
  enter(SensorState::kRunning);
}

const SampleBlock* Acquisition::front() const {
  const uint32_t tail = tail_.load(std::memory_order_relaxed);
  return tail == head_.load(std::memory_order_acquire) ? nullptr : &blocks_[tail % kBlocks];
}

void Acquisition::pop() { tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

}  // namespace hardwear
