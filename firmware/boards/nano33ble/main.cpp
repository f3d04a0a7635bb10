// The Nano 33 BLE: names what its wearer does, one line a window over USB serial; to a host that speaks the protocol it
// is the device of a replay instead, until that host closes the port.
#include <Arduino.h>

#include <cstdio>
#include <cstring>

#include "boards/nano33ble/imu.h"
#include "boards/nano33ble/usb_serial.h"
#include "core/board.h"
#include "core/confidence.h"
#include "core/pipeline.h"
#include "core/resampler.h"
#include "core/session.h"
#include "engines/tflm/tflm_classifier.h"
#include "generated/known_answer.h"

namespace hardwear {
namespace {

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

NanoBoard board;
TflmClassifier classifier;
Session session(board, classifier, kKnownAnswer);
Pipeline live(classifier, board);
Resampler resampler;
bool has_imu = false;
bool host_speaks = false;
uint32_t last_complaint_ms = 0;

void print(const char* line) { usb_write(reinterpret_cast<const uint8_t*>(line), strlen(line)); }

// Once every two seconds, so that it is seen whenever the port is opened.
void complain(const char* line) {
  if (millis() - last_complaint_ms < 2000) return;
  last_complaint_ms = millis();
  print(line);
}

long milli_g(int16_t counts) { return static_cast<long>(counts) * 1000 / kCountsPerUnit[0]; }

unsigned percent(uint8_t probability) { return (probability * 100u + kCertainty / 2) / kCertainty; }

void report(const Prediction& prediction, const int16_t raw[kChannelCount]) {
  char line[160];
  snprintf(line, sizeof line,
           "%lu ms  %-18s %3u %%  acceleration %ld %ld %ld mg  inference %lu us  lost samples %lu\r\n",
           static_cast<unsigned long>(millis()), kClassNames[prediction.activity], percent(prediction.confidence()),
           milli_g(raw[0]), milli_g(raw[1]), milli_g(raw[2]), static_cast<unsigned long>(prediction.time),
           static_cast<unsigned long>(imu_overruns()));
  print(line);
}

void classify_motion() {
  TimedSample sample;
  while (imu_read(&sample)) {
    if (host_speaks) continue;  // the engine serves the host; what is not taken would count as lost
    if (!resampler.push(sample.time_us, sample.counts)) {
      live.reset();
      print("The motion sensor was silent: beginning anew.\r\n");
    }
    int16_t even[kChannelCount];
    while (resampler.pull(even)) {
      Prediction prediction;
      const Outcome outcome = live.push(even, &prediction);
      if (outcome == Outcome::kPrediction) report(prediction, even);
      if (outcome == Outcome::kEngineFailed) complain("The engine failed.\r\n");
    }
  }
}

void serve_host() {
  uint8_t bytes[64];
  const size_t count = usb_read(bytes, sizeof bytes);
  if (count > 0) session.receive(bytes, count);
  const bool speaks = usb_connected() && (host_speaks || (count > 0 && session.frames() > 0));
  if (speaks != host_speaks) {
    host_speaks = speaks;
    resampler.reset();
    live.reset();
  }
}

}  // namespace
}  // namespace hardwear

// Arduino's main() has started USB already. There is no waiting for a host, which may never come.
void setup() {
  using namespace hardwear;
  has_imu = imu_begin();
  session.boot();
}

void loop() {
  using namespace hardwear;
  serve_host();
  if (session.status() != Status::kReady) {
    if (!host_speaks) complain("Not predicting: the known-answer test failed. Build and flash again.\r\n");
  } else if (has_imu) {
    classify_motion();
  } else if (!host_speaks) {
    complain("No LSM9DS1 found: this firmware reads the Nano 33 BLE Sense Rev1's. Replays work.\r\n");
  }
}
