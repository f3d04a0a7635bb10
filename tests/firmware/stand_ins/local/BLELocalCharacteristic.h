// A stand-in: see README.md in stand_ins/.
#pragma once

#include <cstddef>
#include <cstdint>

class BLEDevice;
class BLECharacteristic;

enum BLECharacteristicEvent { BLESubscribed = 0, BLEUnsubscribed = 1, BLEWritten = 3 };
typedef void (*BLECharacteristicEventHandler)(BLEDevice device, BLECharacteristic characteristic);

class BLELocalCharacteristic {
 public:
  const uint8_t* value() const;
  bool subscribed();
  void setEventHandler(int event, BLECharacteristicEventHandler handler);

 protected:
  uint16_t valueHandle() const;

 private:
  uint16_t _valueLength;
};
