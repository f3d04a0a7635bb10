// A stand-in for the small part of ArduinoBLE that boards/nano33ble/ble.cpp uses: the names, signatures and habits of the
// real one (1.3.7 to 2.0.1), its bad habits included, without a radio. One translation unit only.
//
// The habits: a value longer than its place is cut; what a central writes is notified back to it if it has subscribed; a
// packet for which the controller has no room is waited for without end; packets under way when a link ends stay counted;
// an MTU is taken from the central as it comes; handlers run within poll().
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

enum BLEProperty { BLERead = 0x02, BLEWrite = 0x08, BLENotify = 0x10 };
enum BLEDeviceEvent { BLEConnected = 0, BLEDisconnected = 1 };
enum BLECharacteristicEvent { BLESubscribed = 0, BLEUnsubscribed = 1, BLEWritten = 3 };
enum Pairable { NO = 0, YES = 1, ONCE = 2 };

class BLEDevice {};
class BLECharacteristic;
using BLEDeviceEventHandler = void (*)(BLEDevice device);
using BLECharacteristicEventHandler = void (*)(BLEDevice device, BLECharacteristic characteristic);

#include "local/BLELocalCharacteristic.h"
#include "utility/ATT.h"
#include "utility/HCI.h"

class BLEDescriptor {
 public:
  BLEDescriptor(const char* uuid, const char* value) : uuid_(uuid), value_(value) {}
  const std::string& uuid() const { return uuid_; }
  const std::string& text() const { return value_; }

 private:
  std::string uuid_, value_;
};

// A handle on a BLELocalCharacteristic, which lives as long as the program.
class BLECharacteristic {
 public:
  BLECharacteristic(const char* uuid, uint16_t properties, int size, bool fixed_length = false)
      : local_(new BLELocalCharacteristic(uuid, properties, size, fixed_length)) {}
  BLECharacteristic(const char* uuid, uint16_t properties, const char* text)
      : BLECharacteristic(uuid, properties, static_cast<int>(std::strlen(text))) {
    local_->writeValue(reinterpret_cast<const uint8_t*>(text), static_cast<int>(std::strlen(text)));
  }
  explicit BLECharacteristic(BLELocalCharacteristic* local) : local_(local) {}

  const uint8_t* value() const { return local_->value(); }
  int valueLength() const { return local_->valueLength(); }
  void addDescriptor(BLEDescriptor& descriptor) { local_->descriptors[descriptor.uuid()] = descriptor.text(); }

 protected:
  friend class BLEService;
  BLELocalCharacteristic* local() { return local_; }

 private:
  BLELocalCharacteristic* local_;
};

inline void BLELocalCharacteristic::run_handler(BLECharacteristicEvent event) {
  if (handlers_[event] != nullptr) handlers_[event](BLEDevice(), BLECharacteristic(this));
}

class BLEService {
 public:
  explicit BLEService(const char* uuid) : uuid_(uuid) {}
  void addCharacteristic(BLECharacteristic& characteristic) { characteristics.push_back(characteristic.local()); }
  const std::string& uuid() const { return uuid_; }
  std::vector<BLELocalCharacteristic*> characteristics;

 private:
  std::string uuid_;
};

class BLELocalDevice {
 public:
  int begin() { return starts; }
  void poll() {
    std::vector<std::function<void()>> now;
    now.swap(events);
    for (const auto& event : now) event();
  }
  bool disconnect() {
    ++disconnects;
    return true;
  }
  bool setLocalName(const char* name) { return !(local_name = name).empty(); }
  void setDeviceName(const char* name) { device_name = name; }
  bool setAdvertisedServiceUuid(const char* uuid) { return !(advertised = uuid).empty(); }
  void addService(BLEService& service) { services.push_back(&service); }
  int advertise() { return advertising = true; }
  void setPairable(uint8_t value) { pairable = value; }
  void setEventHandler(BLEDeviceEvent event, BLEDeviceEventHandler handler) { handlers[event] = handler; }
  void setStoreIRK(int (*call)(uint8_t*, uint8_t*)) { store_irk = call; }
  void setGetIRKs(int (*call)(uint8_t*, uint8_t**, uint8_t***, uint8_t***)) { get_irks = call; }
  void setStoreLTK(int (*call)(uint8_t*, uint8_t*)) { store_ltk = call; }
  void setGetLTK(int (*call)(uint8_t*, uint8_t*)) { get_ltk = call; }

  // For the test: what comes over the air waits here for poll().
  std::vector<std::function<void()>> events;
  bool starts = true;
  bool advertising = false;
  int disconnects = 0;
  uint8_t pairable = YES;
  std::string local_name, device_name, advertised;
  std::vector<BLEService*> services;
  BLEDeviceEventHandler handlers[2] = {};
  int (*store_irk)(uint8_t*, uint8_t*) = nullptr;
  int (*get_irks)(uint8_t*, uint8_t**, uint8_t***, uint8_t***) = nullptr;
  int (*store_ltk)(uint8_t*, uint8_t*) = nullptr;
  int (*get_ltk)(uint8_t*, uint8_t*) = nullptr;
};

static BLELocalDevice BLE;
