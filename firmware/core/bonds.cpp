#include "core/bonds.h"

#include <cstring>

namespace hardwear {

bool BondTable::put_link_key(const uint8_t address[Bond::kAddressBytes], const uint8_t key[Bond::kKeyBytes]) {
  uint8_t any = 0;
  for (size_t i = 0; i < Bond::kKeyBytes; ++i) any |= key[i];
  if (any == 0) return false;
  Bond& bond = take(address);
  std::memcpy(bond.link_key, key, sizeof bond.link_key);
  bond.has_link_key = true;
  return true;
}

bool BondTable::put_identity_key(const uint8_t address[Bond::kAddressBytes], const uint8_t key[Bond::kKeyBytes]) {
  Bond& bond = take(address);
  std::memcpy(bond.identity_key, key, sizeof bond.identity_key);
  bond.has_identity_key = true;
  return true;
}

const Bond* BondTable::find(const uint8_t address[Bond::kAddressBytes]) const {
  for (uint8_t i = 0; i < size_; ++i) {
    if (std::memcmp(bonds_[i].address, address, Bond::kAddressBytes) == 0) return &bonds_[i];
  }
  return nullptr;
}

// The bond of `address`, moved to the front.
Bond& BondTable::take(const uint8_t address[Bond::kAddressBytes]) {
  Bond bond = {};
  std::memcpy(bond.address, address, sizeof bond.address);
  uint8_t at = 0;
  while (at < size_ && std::memcmp(bonds_[at].address, address, Bond::kAddressBytes) != 0) ++at;
  if (at < size_) {
    bond = bonds_[at];
  } else if (size_ < kCapacity) {
    ++size_;
  } else {
    at = kCapacity - 1;
  }
  for (; at > 0; --at) bonds_[at] = bonds_[at - 1];
  bonds_[0] = bond;
  return bonds_[0];
}

}  // namespace hardwear
