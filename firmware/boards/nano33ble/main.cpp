// The wearable on the Nano 33 BLE Sense: names what its wearer does over BLE, USB and the LED, and is the device of a
// replay to a host that asks for one.
#include <Arduino.h>
#include <rtos.h>

#include <cstdio>
#include <cstring>

#include "boards/nano33ble/ble.h"
#include "boards/nano33ble/engine.h"
#include "boards/nano33ble/flash_storage.h"
#include "boards/nano33ble/memory.h"
#include "boards/nano33ble/motion_sensor.h"
#include "boards/nano33ble/rgb_led.h"
#include "boards/nano33ble/usb_serial.h"
#include "boards/nano33ble/watchdog.h"
#include "core/confidence.h"
#include "core/led.h"
#include "core/session.h"
#include "core/wearable.h"
#include "core/wearable_service.h"
#include "generated/known_answer.h"

namespace hardwear {
namespace {

constexpr uint32_t kMemoryCheckMs = 60000;
constexpr uint32_t kSensorPatienceMs = 10000;  // without a sign of life of its thread the watchdog is not fed

class NanoBoard final : public Board {
 public:
  const char* name() const override { return "nano33ble"; }
  uint32_t now() override { return micros(); }
  TimeUnit time_unit() const override { return TimeUnit::kMicroseconds; }
  void send(const uint8_t* bytes, size_t count) override { usb_write(bytes, count); }
  uint16_t receive_capacity() const override { return 256; }  // Arduino's buffer; USB holds back what exceeds it
  uint32_t receive_overruns() override { return 0; }
  uint32_t stack_high_water_bytes() override { return 0; }
};

// Hands on what the wearable tells.
class Teller final : public WearableListener {
 public:
  void on_prediction(const PredictionPacket& packet) override;
  void on_sample(uint16_t number, const int16_t sample[kChannelCount]) override;
  void on_calibration(const CalibrationPacket& packet) override;
  void on_double_tap() override;
};

NanoBoard board;
Engine engine;
Acquisition acquisition;
FlashStorage flash;
SettingsStore store(flash);
Teller teller;
Wearable wearable(board, engine, acquisition, store, teller);
WearableService service(ble, wearable);
Session session(board, engine, kKnownAnswer, &service);

bool watched = false;
bool host_speaks = false;
uint32_t last_memory_check_ms = 0;
uint32_t last_heartbeat = 0;
uint32_t last_heartbeat_ms = 0;

const char* name_of(uint8_t activity) { return activity < kClassCount ? kClassNames[activity] : "UNKNOWN"; }

// One line a window for whoever opens the port with a terminal; a host that speaks the protocol gets frames instead.
void print(const PredictionPacket& packet) {
  if (host_speaks || !usb_connected()) return;
  char line[128];
  const int size = snprintf(line, sizeof line, "%lu ms  %-18s %3u %%  (label %s)  inference %lu us  flags %02x\r\n",
                            static_cast<unsigned long>(packet.time_ms), name_of(packet.activity),
                            (packet.confidence * 100u + kCertainty / 2) / kCertainty, name_of(packet.label),
                            static_cast<unsigned long>(packet.inference_us), static_cast<unsigned>(packet.flags));
  if (size > 0) usb_write(reinterpret_cast<const uint8_t*>(line), strlen(line));
}

void Teller::on_prediction(const PredictionPacket& packet) {
  service.on_prediction(packet);
  session.on_prediction(packet);
  print(packet);
}

void Teller::on_sample(uint16_t number, const int16_t sample[kChannelCount]) { service.on_sample(number, sample); }
void Teller::on_calibration(const CalibrationPacket& packet) { service.on_calibration(packet); }
void Teller::on_double_tap() { service.on_double_tap(); }

void serve_host() {
  uint8_t bytes[64];
  const size_t count = usb_read(bytes, sizeof bytes);
  if (count > 0) session.receive(bytes, count);
  if (!usb_connected()) {
    if (host_speaks) session.host_gone();
    host_speaks = false;
  } else if (count > 0 && session.frames() > 0) {
    host_speaks = true;
  }
}

void show_led(uint32_t now_ms) {
  uint32_t conditions = 0;
  if (wearable.config().led) {
    conditions = wearable.led_conditions();
    if (ble.connected()) conditions |= led::kConnected;
    if (service.writes_open()) conditions |= led::kUnlocked;
  }
  rgb_led_show(led_color(conditions, now_ms));
}

// A thread that hangs on the bus would leave the loop alive and the wearer without a word.
void watch(uint32_t now_ms) {
  const uint32_t heartbeat = acquisition.heartbeat();
  if (heartbeat != last_heartbeat) {
    last_heartbeat = heartbeat;
    last_heartbeat_ms = now_ms;
  }
  if (watched && now_ms - last_heartbeat_ms < kSensorPatienceMs) feed_watchdog();
  if (now_ms - last_memory_check_ms >= kMemoryCheckMs) {
    last_memory_check_ms = now_ms;
    wearable.set_fault(fault::kLowMemory, free_heap_bytes() < kLowMemoryBytes);
  }
}

}  // namespace
}  // namespace hardwear

// Arduino's main() has started USB already. There is no waiting for a host, which may never come.
void setup() {
  using namespace hardwear;
  const ResetReason reason = take_reset_reason();
  rgb_led_begin();
  rgb_led_show(led_color(led::kBooting, 0));
  power_led(false);
  flash.begin();  // without it the settings are the defaults, which the wearable tells
  const ImuKind imu = begin_motion_sensor(&acquisition);
  const bool ready = session.boot() == Status::kReady;
  const uint16_t faults = reason == ResetReason::kWatchdog ? fault::kWatchdogReset : 0;
  wearable.begin({ready, imu, static_cast<uint8_t>(reason), faults}, millis());
  ble.begin(service);
  watched = start_watchdog();
}

void loop() {
  using namespace hardwear;
  const uint32_t now_ms = millis();
  serve_host();
  ble.poll();
  service.poll(now_ms);
  wearable.step(now_ms);
  show_led(now_ms);
  watch(now_ms);
  // Nothing waits: the chip sleeps until the next tick of the sensor's thread, the radio or USB needs it.
  if (acquisition.front() == nullptr && !usb_waiting()) rtos::ThisThread::sleep_for(std::chrono::milliseconds(10));
}
