#include "boards/nano33ble/motion_sensor.h"

#include <Arduino.h>
#include <mbed.h>
#include <rtos.h>

#include "boards/nano33ble/wire_bus.h"
#include "sensors/probe.h"

// The BMI270 doesn't measure before it was given 8 KB of Bosch's, which this library carries. Without the library a Rev2
// says that it has no configuration.
#if __has_include(<Arduino_BMI270_BMM150.h>)
#include <Arduino_BMI270_BMM150.h>
extern "C" const uint8_t bmi270_config_file[];
#define HARDWEAR_BMI270_CONFIGURATION bmi270_config_file, Bmi270::kConfigurationBytes
#else
#define HARDWEAR_BMI270_CONFIGURATION nullptr, 0
#endif

namespace hardwear {
namespace {

// Half of the LSM9DS1's FIFO fills in 134 ms.
constexpr std::chrono::milliseconds kPeriod(50);

WireBus bus;
Lsm9ds1 lsm9ds1(bus, kNano33BleSenseRev1);
Bmi270 bmi270(bus, kNano33BleSenseRev2, HARDWEAR_BMI270_CONFIGURATION);
Acquisition* reader;

alignas(8) unsigned char thread_stack[2048];
rtos::Thread thread(osPriorityAboveNormal, sizeof thread_stack, thread_stack, "imu");

void read_for_ever() {
  for (;;) {
    reader->run(micros());
    rtos::ThisThread::sleep_for(kPeriod);
  }
}

}  // namespace

ImuKind begin_motion_sensor(Acquisition* acquisition) {
  reader = acquisition;
  bus.begin();
  Imu* imu = probe(bus, lsm9ds1, bmi270);
  acquisition->begin(imu, micros());
  thread.start(mbed::callback(read_for_ever));
  if (imu == &lsm9ds1) return ImuKind::kLsm9ds1;
  if (imu == &bmi270) return ImuKind::kBmi270;
  return ImuKind::kNone;
}

}  // namespace hardwear
