// The wearable's BLE service without a BLE stack: what is notified and when, who may write, and what of it is taken.
//
//   void on_written(...) { service.on_write(Characteristic::kConfig, bytes, size); }   // from the stack's handler
//   for (;;) { stack.poll(); service.poll(millis()); ... service.on_prediction(packet); }
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/gatt.h"
#include "core/wearable_control.h"

namespace hardwear {

#ifndef HARDWEAR_BONDED_ONLY
#define HARDWEAR_BONDED_ONLY 0
#endif
// Build flag: only a bonded central is notified and reads more than empty values. Writing is restricted in any case.
constexpr bool kBondedOnly = HARDWEAR_BONDED_ONLY != 0;

// What the service asks of a BLE stack: one link at a time. None of it may wait, whatever the central does; bytes are
// copied before the call returns.
class Peripheral {
 public:
  // Sends a notification. Returns false if the link did not take it: nobody there, or no room.
  virtual bool notify(Characteristic characteristic, const uint8_t* bytes, size_t size) = 0;

  // Sets what a central reads, and never notifies. No bytes: an empty value.
  virtual void set_value(Characteristic characteristic, const uint8_t* bytes, size_t size) = 0;

  // Whether the central wants notifications. False without a central.
  virtual bool subscribed(Characteristic characteristic) = 0;

  // Largest ATT packet on this link in bytes, at least 23.
  virtual uint16_t mtu() = 0;

  // Whether the link is encrypted with the key of a bond.
  virtual bool bonded() = 0;

 protected:
  ~Peripheral() = default;
};

enum class WriteResult : uint8_t {
  kDone,
  kBad,     // wrong length or value, or nothing that is written to
  kLocked,  // neither bonded nor allowed
};

// Keeps every value current, notifies, judges writes. It keeps nothing about a central, so one that vanishes, comes back
// or never reads leaves nothing behind. Borrows stack and wearable, which must outlive it; at most 200 bytes. Main loop
// only: call no method from an interrupt, nor from within WearableActions.
class WearableService final : public LiveControl {
 public:
  WearableService(Peripheral& peripheral, WearableActions& wearable, bool bonded_only = kBondedOnly)
      : peripheral_(peripheral), wearable_(wearable), bonded_only_(bonded_only) {}

  // Gives every characteristic its first value. Call it once, before a central can connect.
  void begin();

  // Tells the time in milliseconds, which may wrap. Call it with every pass of the main loop.
  void poll(uint32_t now_ms);

  // A window, or the board's state. Sets the value; every notify_every-th is notified. What was lost or slept since the
  // last one that went out is told with the next that does.
  void on_prediction(const PredictionPacket& packet);

  // Progress of a calibration: sets the value and notifies.
  void on_calibration(const CalibrationPacket& packet);

  // One sample of the raw stream; `number` counts them modulo 2^16. Five make a packet, if the central wants it and the
  // MTU holds it. A packet never spans a gap.
  void on_sample(uint16_t number, const int16_t counts[kChannelCount]);

  // A central has written `size` bytes. Reads no more of them. What is not taken is counted, and the value that holds is
  // put back.
  WriteResult on_write(Characteristic characteristic, const uint8_t* bytes, size_t size);

  // The wearer has knocked twice on the board: opens writes. Twice again while they are open: starts a calibration.
  void on_double_tap();

  // For kWriteWindowMs from the last poll() on, every central may write: the wearer has knocked twice, or a host on the
  // serial line has asked for it.
  void open_writes() override;
  bool writes_open() const { return writes_open_; }

  // As a host on the serial line may: no leave is asked. BLE's values follow.
  Config config() const override { return wearable_.config(); }
  void apply(const Config& config) override;
  CalibrationPacket calibration() const override { return wearable_.calibration(); }
  void calibrate(const CalibrationCommand& command) override;

  // The wearable's, with the counters below.
  Info info() const;

  uint32_t bad_writes() const { return bad_writes_; }
  uint32_t locked_writes() const { return locked_writes_; }
  uint32_t lost_notifications() const { return lost_notifications_; }
  uint32_t lost_raw() const { return lost_raw_; }

 private:
  WriteResult judge(Characteristic characteristic, const uint8_t* bytes, size_t size);
  bool may_read();
  bool listens(Characteristic characteristic);
  void set(Characteristic characteristic, const uint8_t* bytes, size_t size);
  void set_config();
  void set_calibration(const CalibrationPacket& packet);
  void set_info();
  void set_prediction();
  void put_back(Characteristic characteristic);

  Peripheral& peripheral_;
  WearableActions& wearable_;
  const bool bonded_only_;
  bool readable_ = false;  // the values stand where a central reads them

  uint32_t now_ms_ = 0;
  uint32_t opened_ms_ = 0;
  bool writes_open_ = false;

  PredictionPacket prediction_ = {0, 0, kUnknownActivity, kUnknownActivity, 0, {}, 0, 0};
  uint8_t until_notified_ = 1;  // packets until one is notified, that one included
  uint8_t untold_ = 0;          // flags of packets that did not go out, and that the next one tells

  RawPacket raw_ = {};
  uint8_t raw_samples_ = 0;

  uint32_t bad_writes_ = 0;
  uint32_t locked_writes_ = 0;
  uint32_t lost_notifications_ = 0;
  uint32_t lost_raw_ = 0;
};

}  // namespace hardwear
