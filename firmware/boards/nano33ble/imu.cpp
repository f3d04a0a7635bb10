#include "boards/nano33ble/imu.h"

#include <Arduino.h>
#include <Arduino_LSM9DS1.h>
#include <mbed.h>
#include <rtos.h>

#include "boards/nano33ble/imu_scale.h"

namespace hardwear {
namespace {

// A sample is due every 8.4 ms. Looking every 2 ms dates it within that; the sensor holds it until the next one.
constexpr uint32_t kPollMs = 2;

mbed::CircularBuffer<TimedSample, 64> waiting;
volatile uint32_t overruns = 0;  // written by the thread only; aligned words are read whole

alignas(8) unsigned char thread_stack[2048];
rtos::Thread thread(osPriorityAboveNormal, sizeof thread_stack, thread_stack, "imu");

bool read_sample(TimedSample* out) {
  if (!IMU.accelerationAvailable() || !IMU.gyroscopeAvailable()) return false;
  out->time_us = micros();
  float acceleration[3];
  float rate[3];
  if (!IMU.readAcceleration(acceleration[0], acceleration[1], acceleration[2])) return false;
  if (!IMU.readGyroscope(rate[0], rate[1], rate[2])) return false;
  for (int axis = 0; axis < 3; ++axis) {
    out->counts[axis] = acceleration_counts(acceleration[axis]);
    out->counts[3 + axis] = angular_rate_counts(rate[axis]);
  }
  return true;
}

void read_for_ever() {
  for (;;) {
    TimedSample sample;
    if (read_sample(&sample)) {
      if (waiting.full()) overruns = overruns + 1;  // push() then drops the oldest
      waiting.push(sample);
    }
    delay(kPollMs);
  }
}

}  // namespace

bool imu_begin() {
  if (!IMU.begin()) return false;
  Wire1.setClock(400000);  // two readings take 1 ms instead of 3
  return thread.start(mbed::callback(read_for_ever)) == osOK;
}

bool imu_read(TimedSample* out) { return waiting.pop(*out); }

uint32_t imu_overruns() { return overruns; }

}  // namespace hardwear
