// A motion sensor with a FIFO, as the core sees it.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// What one look into the sensor's FIFO brought.
struct ImuRead {
  uint16_t samples;  // written to `out`, without a gap between them
  bool overrun;      // samples were lost, nobody knows how many, between the last read and the first of these
  bool failed;       // the bus failed: `samples` is 0 and `out` unspecified
};

// An accelerometer with a gyroscope that samples both at one rate, by its own clock, into a FIFO of its own.
//
// Drivers are in firmware/sensors. All calls use the bus and some wait: make them from one thread, never from an
// interrupt.
class Imu {
 public:
  // Name of the part, static storage ("LSM9DS1", "BMI270").
  virtual const char* name() const = 0;

  // Samples in 1,000 seconds by the data sheet. The true rate is several per cent off it: see RateMeter.
  virtual uint32_t nominal_rate_millihertz() const = 0;

  // Samples that the FIFO holds before the oldest are lost.
  virtual uint16_t fifo_capacity() const = 0;

  // Resets the sensor, configures it and starts it. Returns false if it doesn't answer, is another part, or doesn't
  // keep its settings: fault() says which. May be called again at any time, and has to be after a false from wake().
  virtual bool begin() = 0;

  // Takes samples out of the FIFO, oldest first, until it is empty or `capacity` are taken: fewer than `capacity`
  // means that it was emptied.
  //
  // Counts of the contract (1/8192 g, 1/2048 rad/s), saturated, on the board's axes: right-handed, an angular rate
  // positive counter-clockwise seen from the tip of its axis. A failed read may have taken samples out: the next good
  // one then tells an overrun. Before begin() and while asleep it fails.
  virtual ImuRead read(int16_t (*out)[kChannelCount], uint16_t capacity) = 0;

  // Stops sampling and waits for motion at a fraction of the current. Returns false if the bus fails; begin() then.
  virtual bool sleep_until_motion() = 0;

  // Whether the sensor was moved since sleep_until_motion(): by kMotionMilliG or more along any axis. Call it every
  // second or two. If the bus fails it was, so that somebody looks.
  virtual bool moved() = 0;

  // Samples again, as after begin(), with an empty FIFO. Returns false if the bus fails; begin() then.
  virtual bool wake() = 0;

  // Why the last call that failed did, for a human: static storage, "" if none has since begin().
  virtual const char* fault() const { return ""; }

 protected:
  ~Imu() = default;
};

// What wakes a sleeping sensor: a board on a table stays far below, one that is picked up doesn't.
constexpr uint16_t kMotionMilliG = 83;

}  // namespace hardwear
