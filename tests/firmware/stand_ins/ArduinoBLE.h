// A stand-in: see README.md beside it.
#pragma once

#include "local/BLELocalCharacteristic.h"

enum BLEProperty { BLERead = 0x02, BLEWrite = 0x08, BLENotify = 0x10 };
enum BLEDeviceEvent { BLEConnected = 0, BLEDisconnected = 1 };
struct Pairable {
  enum PAIRABLE : uint8_t { NO = 0, YES = 1, ONCE = 2 };
};

class BLEDevice {};
typedef void (*BLEDeviceEventHandler)(BLEDevice device);

class BLEDescriptor {
 public:
  BLEDescriptor(const char* uuid, const char* value);
};

class BLECharacteristic {
 public:
  BLECharacteristic(const char* uuid, uint16_t permissions, int size, bool fixed_length = false);
  BLECharacteristic(const char* uuid, uint16_t permissions, const char* value);
  const uint8_t* value() const;
  int valueLength() const;
  void addDescriptor(BLEDescriptor& descriptor);

 protected:
  BLELocalCharacteristic* local();
};

class BLEService {
 public:
  explicit BLEService(const char* uuid);
  void addCharacteristic(BLECharacteristic& characteristic);
};

class BLELocalDevice {
 public:
  int begin();
  void poll();
  bool disconnect();
  void setPairable(uint8_t pairable);
  void setEventHandler(BLEDeviceEvent event, BLEDeviceEventHandler handler);
  bool setLocalName(const char* name);
  void setDeviceName(const char* name);
  void addService(BLEService& service);
  bool setAdvertisedServiceUuid(const char* uuid);
  int advertise();
  void setStoreLTK(int (*store)(uint8_t*, uint8_t*));
  void setStoreIRK(int (*store)(uint8_t*, uint8_t*));
  void setGetLTK(int (*get)(uint8_t*, uint8_t*));
  void setGetIRKs(int (*get)(uint8_t*, uint8_t**, uint8_t***, uint8_t***));
};
extern BLELocalDevice BLE;
