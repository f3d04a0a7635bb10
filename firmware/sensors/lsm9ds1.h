// Driver of the LSM9DS1's accelerometer and gyroscope (Arduino Nano 33 BLE Sense, Rev1).
#pragma once

#include "core/imu.h"
#include "sensors/axes.h"
#include "sensors/decode.h"
#include "sensors/registers.h"

namespace hardwear {

// 119 samples a second, +-4 g, +-2000 degrees per second, through the sensor's FIFO of 32: 269 ms. Its magnetometer is
// left alone. All facts are from its data sheet, DocID025715 Rev 2; docs/boards.md has what was never seen on hardware.
//
// Borrows the bus. 290 bytes, no heap.
class Lsm9ds1 final : public Imu {
 public:
  static constexpr uint8_t kAddress = 0x6B;  // SDO_A/G high, as on the Nano
  static constexpr uint8_t kIdRegister = 0x0F;
  static constexpr uint8_t kId = 0x68;
  static constexpr uint16_t kFifoSamples = 32;
  // Samples that are thrown away after begin() and wake(): three until the gyroscope has settled (table 12), two of the
  // accelerometer (table 11), and the first one after the FIFO was switched on (section 3.5).
  static constexpr uint8_t kSettlingSamples = 4;

  Lsm9ds1(I2cBus& bus, const AxisMap& axes);

  const char* name() const override { return "LSM9DS1"; }
  uint32_t nominal_rate_millihertz() const override { return 119000; }
  uint16_t fifo_capacity() const override { return kFifoSamples; }
  bool begin() override;
  ImuRead read(int16_t (*out)[kChannelCount], uint16_t capacity) override;
  bool sleep_until_motion() override;
  bool moved() override;
  bool wake() override;
  const char* fault() const override { return fault_; }

 private:
  enum class Mode : uint8_t { kOff, kSampling, kAsleep };

  static constexpr uint16_t kSampleBytes = 12;
  static constexpr uint16_t kBurstSamples = 20;
  static_assert(kBurstSamples * kSampleBytes <= I2cBus::kMaxBytes, "a burst is one transaction");
  static_assert(kFifoSamples * kSampleBytes / 2 <= I2cBus::kMaxBytes, "all accelerations are one transaction");

  bool reset();
  bool start();
  bool fail(const char* why);
  ImuRead fail_read(const char* why);
  bool unread(uint8_t* source, uint16_t* samples);

  Registers registers_;
  Decoding decoding_;
  const char* fault_ = "";
  Mode mode_ = Mode::kOff;
  bool lost_ = false;      // a burst broke off: what it had taken out of the FIFO is gone
  uint8_t settling_ = 0;   // samples to throw away yet
  bool at_rest_known_ = false;
  int16_t at_rest_[3];     // acceleration in steps when it fell asleep
  uint8_t burst_[kBurstSamples * kSampleBytes];
};

}  // namespace hardwear
