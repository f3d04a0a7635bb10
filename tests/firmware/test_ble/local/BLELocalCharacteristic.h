// Part of the stand-in of ../ArduinoBLE.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

class BLELocalCharacteristic {
 public:
  BLELocalCharacteristic(const char* uuid, uint16_t properties, int size, bool fixed_length)
      : uuid_(uuid), properties_(properties), value_(static_cast<size_t>(size)), fixed_length_(fixed_length) {
    static uint16_t next_handle = 1;
    handle_ = next_handle;
    next_handle = static_cast<uint16_t>(next_handle + 4);
  }

  const uint8_t* value() const { return value_.data(); }
  int valueLength() const { return _valueLength; }
  bool subscribed() { return cccd != 0; }
  void setEventHandler(BLECharacteristicEvent event, BLECharacteristicEventHandler handler) {
    handlers_[event] = handler;
  }

  // Sets the value and notifies it.
  int writeValue(const uint8_t* bytes, int size);

  // For the test: what a central does. A read gives nothing if nothing may be read.
  void written_by_central(const std::vector<uint8_t>& bytes) {
    writeValue(bytes.data(), static_cast<int>(bytes.size()));
    run_handler(BLEWritten);
  }
  std::vector<uint8_t> read() const { return {value_.begin(), value_.begin() + _valueLength}; }
  const std::string& uuid() const { return uuid_; }
  uint16_t properties() const { return properties_; }
  size_t size() const { return value_.size(); }
  uint16_t notified_as() const { return valueHandle(); }
  uint16_t cccd = 0;
  std::map<std::string, std::string> descriptors;

 protected:
  uint16_t valueHandle() const { return static_cast<uint16_t>(handle_ + 1); }

 private:
  void run_handler(BLECharacteristicEvent event);

  std::string uuid_;
  uint16_t properties_;
  std::vector<uint8_t> value_;
  uint16_t _valueLength = 0;
  bool fixed_length_;
  uint16_t handle_;
  BLECharacteristicEventHandler handlers_[4] = {};
};
