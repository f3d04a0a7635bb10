// Bluetooth of the Nano 33 BLE: ArduinoBLE as the wearable service sees it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/wearable_service.h"

namespace hardwear {

// The board's one radio. Main loop only. Nothing waits for a central: what the controller has no room for is not sent.
class Ble final : public Peripheral {
 public:
  // Starts the radio, builds the service's table, tells it to `service`, and advertises. Takes some 200 ms; call it once.
  // Returns false if the radio does not start: then nothing else has an effect. `service` must outlive it.
  bool begin(WearableService& service);

  // Takes what has come over the air, which calls the service, and lets centrals pair only while writes are open.
  // Call it with every pass of the main loop.
  void poll();

  bool connected() const;

  // Links that were cut because their central broke the protocol.
  uint32_t cut_links() const { return cut_links_; }

  bool notify(Characteristic characteristic, const uint8_t* bytes, size_t size) override;
  void set_value(Characteristic characteristic, const uint8_t* bytes, size_t size) override;
  bool subscribed(Characteristic characteristic) override;
  uint16_t mtu() override;
  bool bonded() override;

 private:
  bool running_ = false;
  uint32_t cut_links_ = 0;
  WearableService* service_ = nullptr;
};

// ArduinoBLE calls plain functions, so there is exactly one.
extern Ble ble;

}  // namespace hardwear
