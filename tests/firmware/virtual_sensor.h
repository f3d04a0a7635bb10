// What the virtual motion sensors have in common: a clock, samples from the test, and a bus that can fail.
//
// Also runs on the emulated chip: no heap, no exceptions, no RTTI, nothing of the C++ library.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sensors/i2c_bus.h"

namespace hardwear {

// A sensor on a bus of its own, seen from that bus. Time passes only when the test says so, in wait_ms(), and, if
// `ns_per_byte` is set, with every byte on the bus.
class VirtualSensor : public I2cBus {
 public:
  // Gives sample number `index` since the sensor was made, in steps on the sensor's own axes. Numbers are used up by
  // all samples that the sensor takes, also by those that nobody gets to see.
  using Source = void (*)(void* context, uint32_t index, int16_t acceleration[3], int16_t rate[3]);
  // Is told what a driver did that no driver may. The default stops the program.
  using Misuse = void (*)(const char* what);

  void supply(Source source, void* context) {
    source_ = source;
    context_ = context;
  }
  void on_misuse(Misuse misuse) { misuse_ = misuse; }

  int32_t rate_error_ppm = 0;  // true output rate = nominal * (1 + this / 10^6)
  uint32_t ns_per_byte = 0;    // 22,500 is a bus of 400 kHz
  bool present = true;         // answers at all
  bool frozen = false;         // repeats the sample that it has

  // Lets `count` transactions fail, from the one `index` after now on, each after `bytes` bytes of its data.
  void fail(uint32_t index, uint32_t count = 1, size_t bytes = 0) {
    first_failing_ = transactions_ + index;
    failing_ = count;
    failing_after_ = bytes;
  }

  void advance_us(uint32_t us) {
    for (; us > 1000000; us -= 1000000) pass(1000000000u);
    pass(us * 1000u);
  }

  uint32_t transactions() const { return transactions_; }  // since the sensor was made, failed ones too
  uint32_t sampled() const { return sampled_; }            // the index of the next sample
  uint32_t lost() const { return lost_; }                  // samples that nobody read before they were overwritten
  uint64_t now_us() const { return now_ns_ / 1000; }

  bool write(uint8_t address, uint8_t reg, const uint8_t* bytes, size_t n) final {
    if (!open(address, n)) return false;
    spend(2);
    start_write(reg);
    for (size_t i = 0; i < n; ++i) {
      if (breaks_ && i == failing_after_) return false;
      spend(1);
      take_byte(bytes[i]);
    }
    return !breaks_;
  }

  bool read(uint8_t address, uint8_t reg, uint8_t* bytes, size_t n) final {
    for (size_t i = 0; i < n; ++i) bytes[i] = 0xA5;  // what a driver gets if it takes what it may not
    if (!open(address, n)) return false;
    spend(3);
    start_read(reg);
    for (size_t i = 0; i < n; ++i) {
      if (breaks_ && i == failing_after_) break;
      spend(1);
      bytes[i] = give_byte();
    }
    end_read(!breaks_);
    return !breaks_;
  }

  void wait_ms(uint32_t ms) final { advance_us(ms * 1000); }

 protected:
  ~VirtualSensor() = default;

  virtual uint8_t own_address() const = 0;
  virtual void start_write(uint8_t reg) = 0;
  virtual void take_byte(uint8_t value) = 0;
  virtual void start_read(uint8_t reg) = 0;
  virtual uint8_t give_byte() = 0;
  virtual void end_read(bool whole) = 0;
  virtual uint32_t nominal_millihertz() const = 0;  // 0 while it doesn't sample
  virtual void store(const int16_t acceleration[3], const int16_t rate[3]) = 0;

  void misuse(const char* what) { misuse_(what); }
  void restart_sampling() { phase_ = 0; }
  void count_lost() { ++lost_; }
  uint64_t now_ns() const { return now_ns_; }

 private:
  static void stop(const char*) { __builtin_trap(); }

  bool open(uint8_t address, size_t n) {
    const uint32_t index = transactions_++;
    if (n == 0 || n > kMaxBytes) misuse("a transaction of no or too many bytes");
    breaks_ = index - first_failing_ < failing_;
    if (!present || address != own_address() || (breaks_ && failing_after_ == 0)) {
      spend(1);
      return false;
    }
    return true;
  }

  void spend(uint32_t bytes) {
    if (ns_per_byte > 0) pass(bytes * ns_per_byte);
  }

  void pass(uint32_t ns) {
    const uint64_t end = now_ns_ + ns;
    const uint64_t parts = static_cast<uint64_t>(1000000 + rate_error_ppm);
    const uint64_t microhertz = nominal_millihertz() * parts / 1000;
    phase_ += ns * microhertz;  // in 10^-15 of a sample
    now_ns_ = end;
    for (; phase_ >= kOneSample; phase_ -= kOneSample) take_sample();
  }

  void take_sample() {
    if (!frozen || sampled_ == 0) source_(context_, sampled_, acceleration_, rate_);
    ++sampled_;
    store(acceleration_, rate_);
  }

  static void nothing(void*, uint32_t, int16_t acceleration[3], int16_t rate[3]) {
    for (int axis = 0; axis < 3; ++axis) acceleration[axis] = rate[axis] = 0;
  }

  static constexpr uint64_t kOneSample = 1000000000000000u;

  Source source_ = nothing;
  void* context_ = nullptr;
  Misuse misuse_ = stop;
  uint64_t now_ns_ = 0;
  uint64_t phase_ = 0;
  uint32_t sampled_ = 0;
  uint32_t lost_ = 0;
  uint32_t transactions_ = 0;
  uint32_t first_failing_ = 0;
  uint32_t failing_ = 0;
  size_t failing_after_ = 0;
  bool breaks_ = false;
  int16_t acceleration_[3] = {};
  int16_t rate_[3] = {};
};

}  // namespace hardwear
