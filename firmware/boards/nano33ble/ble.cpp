#include "boards/nano33ble/ble.h"

#include <ArduinoBLE.h>
#include <local/BLELocalCharacteristic.h>
#include <utility/ATT.h>
#include <utility/HCI.h>

#include <cstring>

#include "core/bonds.h"
#include "generated/contract.h"

namespace hardwear {
namespace {

// What ArduinoBLE (1.3.7 to 2.0.1) has no word for is reached here, and nowhere else. Its own way to notify, writeValue(),
// also sets the value and waits without end for room in the controller, which a central out of reach never makes, nor
// one that left while packets were under way (ArduinoBLE issue 45). So values are set in place, and a notification is sent
// only when there is room, which takes these members. The language lets an explicit instantiation name them.
template <typename Tag, typename Tag::Type kMember>
struct Opened {
  friend typename Tag::Type member(Tag) { return kMember; }
};
struct PendingPackets {
  using Type = uint8_t HCIClass::*;
  friend Type member(PendingPackets);
};
struct MostPackets {
  using Type = uint8_t HCIClass::*;
  friend Type member(MostPackets);
};
struct ValueLength {
  using Type = uint16_t BLELocalCharacteristic::*;
  friend Type member(ValueLength);
};
template struct Opened<PendingPackets, &HCIClass::_pendingPkt>;
template struct Opened<MostPackets, &HCIClass::_maxPkt>;
template struct Opened<ValueLength, &BLELocalCharacteristic::_valueLength>;

struct Reach : BLELocalCharacteristic {
  static uint16_t value_handle(const BLELocalCharacteristic& of) { return (of.*&Reach::valueHandle)(); }
};

// One byte more than the longest value: ArduinoBLE cuts what is longer, and a cut one must not pass for a good one.
class Value final : public BLECharacteristic {
 public:
  explicit Value(const GattRow& row) : BLECharacteristic(row.uuid, row.properties, row.max_bytes + 1, false) {}
  BLELocalCharacteristic& stored() { return *local(); }
};

static_assert(property::kRead == static_cast<uint8_t>(BLERead), "ArduinoBLE numbers as the specification does");
static_assert(property::kWrite == static_cast<uint8_t>(BLEWrite), "ArduinoBLE numbers as the specification does");
static_assert(property::kNotify == static_cast<uint8_t>(BLENotify), "ArduinoBLE numbers as the specification does");

// The whole table. ArduinoBLE keeps it on the heap, made once in begin().
struct Table {
  BLEService service{kServiceUuid};
  Value values[kCharacteristicCount] = {Value(kGatt[0]), Value(kGatt[1]), Value(kGatt[2]), Value(kGatt[3]),
                                        Value(kGatt[4])};
  BLEDescriptor descriptions[kCharacteristicCount] = {
      {"2901", kGatt[0].description}, {"2901", kGatt[1].description}, {"2901", kGatt[2].description},
      {"2901", kGatt[3].description}, {"2901", kGatt[4].description}};

  BLEService device_information{"180A"};
  BLECharacteristic manufacturer{"2A29", BLERead, kManufacturer};
  BLECharacteristic model{"2A24", BLERead, "Nano 33 BLE"};
  BLECharacteristic firmware_revision{"2A26", BLERead, kVersion};
};

// Not before begin(): ArduinoBLE's own objects may not stand yet.
Table& table() {
  static Table table;
  return table;
}

BLELocalCharacteristic& stored(Characteristic characteristic) {
  return table().values[static_cast<uint8_t>(characteristic)].stored();
}

constexpr uint16_t kNoLink = 0xFFFF;
constexpr uint16_t kLastHandle = 0x0EFF;  // of a connection, by the specification
constexpr uint16_t kSmallestMtu = 23;

WearableService* written_to = nullptr;
uint16_t link = kNoLink;
BondTable bonds;

template <Characteristic kTo>
void on_written(BLEDevice, BLECharacteristic characteristic) {
  written_to->on_write(kTo, characteristic.value(), static_cast<size_t>(characteristic.valueLength()));
}

void on_connected(BLEDevice) {
  // ArduinoBLE tells a device, not the number that its MTU is asked by.
  for (uint16_t handle = 0; handle <= kLastHandle; ++handle) {
    if (ATT.connected(handle)) link = handle;
  }
}

void on_disconnected(BLEDevice) {
  link = kNoLink;
  // The controller has thrown away what was under way and never tells of it. Counted on, these packets would add up until
  // ArduinoBLE waits for room for ever.
  HCI.*member(PendingPackets()) = 0;
}

// Whether the controller takes a packet at once. Two places are left to ArduinoBLE's own answers, which would wait.
bool has_room() {
  const uint8_t most = HCI.*member(MostPackets());
  const uint8_t pending = HCI.*member(PendingPackets());
  const uint8_t kept = most > 2 ? 2 : most - (most > 0 ? 1 : 0);
  return pending + kept < most;
}

// Keys come with a packet that any central may send at any time, so only those of an encrypted link are kept: its pairing
// was allowed, or it knew the key of a bond.
int store_link_key(uint8_t* address, uint8_t* key) {
  return ATT.paired(link) && bonds.put_link_key(address, key) ? 1 : 0;
}

int store_identity_key(uint8_t* address, uint8_t* key) {
  return ATT.paired(link) && bonds.put_identity_key(address, key) ? 1 : 0;
}

int get_link_key(uint8_t* address, uint8_t* key) {
  const Bond* bond = bonds.find(address);
  if (bond == nullptr || !bond->has_link_key) return 0;
  std::memcpy(key, bond->link_key, sizeof bond->link_key);
  return 1;
}

uint8_t* copied(const uint8_t* bytes, size_t size) {
  uint8_t* copy = new uint8_t[size];
  std::memcpy(copy, bytes, size);
  return copy;
}

// ArduinoBLE takes these off the heap and deletes them itself, with each connection.
int get_identity_keys(uint8_t* count, uint8_t** address_types, uint8_t*** addresses, uint8_t*** keys) {
  *count = 0;
  *address_types = new uint8_t[BondTable::kCapacity];
  *addresses = new uint8_t*[BondTable::kCapacity];
  *keys = new uint8_t*[BondTable::kCapacity];
  for (uint8_t i = 0; i < bonds.size(); ++i) {
    const Bond& bond = bonds.at(i);
    if (!bond.has_identity_key) continue;
    (*address_types)[*count] = 0;
    (*addresses)[*count] = copied(bond.address, sizeof bond.address);
    (*keys)[*count] = copied(bond.identity_key, sizeof bond.identity_key);
    ++*count;
  }
  return 1;
}

void build_table() {
  Table& t = table();
  for (uint8_t i = 0; i < kCharacteristicCount; ++i) {
    t.values[i].addDescriptor(t.descriptions[i]);
    t.service.addCharacteristic(t.values[i]);
  }
  stored(Characteristic::kConfig).setEventHandler(BLEWritten, on_written<Characteristic::kConfig>);
  stored(Characteristic::kCalibration).setEventHandler(BLEWritten, on_written<Characteristic::kCalibration>);
  t.device_information.addCharacteristic(t.manufacturer);
  t.device_information.addCharacteristic(t.model);
  t.device_information.addCharacteristic(t.firmware_revision);
  BLE.addService(t.service);
  BLE.addService(t.device_information);
}

}  // namespace

Ble ble;

bool Ble::begin(WearableService& service) {
  service_ = written_to = &service;
  BLE.setStoreLTK(store_link_key);
  BLE.setStoreIRK(store_identity_key);
  BLE.setGetLTK(get_link_key);
  BLE.setGetIRKs(get_identity_keys);
  if (!BLE.begin()) return false;
  running_ = true;
  BLE.setPairable(Pairable::NO);
  BLE.setEventHandler(BLEConnected, on_connected);
  BLE.setEventHandler(BLEDisconnected, on_disconnected);
  BLE.setLocalName(kBleName);
  BLE.setDeviceName(kBleName);
  build_table();
  BLE.setAdvertisedServiceUuid(kServiceUuid);
  service.begin();
  running_ = BLE.advertise() != 0;
  return running_;
}

void Ble::poll() {
  if (!running_) return;
  // "Just works" pairing proves nothing but that the wearer allowed it, so it takes the wearer's leave like any write.
  BLE.setPairable(service_->writes_open() ? Pairable::YES : Pairable::NO);
  BLE.poll();
  // The specification knows no smaller MTU, and ArduinoBLE would write beyond the packet that it then makes.
  if (link != kNoLink && ATT.mtu(link) < kSmallestMtu) {
    ++cut_links_;
    BLE.disconnect();
  }
}

bool Ble::connected() const { return link != kNoLink; }

bool Ble::notify(Characteristic characteristic, const uint8_t* bytes, size_t size) {
  if (link == kNoLink || size + kNotificationOverhead > ATT.mtu(link) || !has_room()) return false;
  return ATT.handleNotify(Reach::value_handle(stored(characteristic)), bytes, static_cast<int>(size)) > 0;
}

void Ble::set_value(Characteristic characteristic, const uint8_t* bytes, size_t size) {
  if (!running_ || size > gatt_row(characteristic).max_bytes) return;
  BLELocalCharacteristic& value = stored(characteristic);
  std::memcpy(const_cast<uint8_t*>(value.value()), bytes, size);
  value.*member(ValueLength()) = static_cast<uint16_t>(size);
}

bool Ble::subscribed(Characteristic characteristic) {
  return link != kNoLink && stored(characteristic).subscribed();
}

uint16_t Ble::mtu() { return link == kNoLink ? kSmallestMtu : ATT.mtu(link); }

bool Ble::bonded() { return link != kNoLink && ATT.paired(link); }

}  // namespace hardwear
