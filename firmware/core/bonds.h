// Centrals that the wearer has let in once, by the keys that they proved to know.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hardwear {

struct Bond {
  static constexpr size_t kAddressBytes = 6;
  static constexpr size_t kKeyBytes = 16;

  uint8_t address[kAddressBytes];  // the identity address, in the order of the BLE stack
  uint8_t link_key[kKeyBytes];
  uint8_t identity_key[kKeyBytes];  // by which a central that changes its address is known again
  bool has_link_key;
  bool has_identity_key;
};

// The bonds of the last few centrals, in RAM: a board that loses power has to be paired again. 160 bytes; not
// re-entrant, never call it from an interrupt.
class BondTable {
 public:
  static constexpr uint8_t kCapacity = 4;

  // Adds a key to the bond of `address`; with a new address the oldest bond gives way. A link key of zeros, which is
  // what a stack holds that has not paired yet, is refused.
  bool put_link_key(const uint8_t address[Bond::kAddressBytes], const uint8_t key[Bond::kKeyBytes]);
  bool put_identity_key(const uint8_t address[Bond::kAddressBytes], const uint8_t key[Bond::kKeyBytes]);

  // Returns null if this central never paired.
  const Bond* find(const uint8_t address[Bond::kAddressBytes]) const;

  // Bonds, newest first.
  uint8_t size() const { return size_; }
  const Bond& at(uint8_t index) const { return bonds_[index]; }

 private:
  Bond& take(const uint8_t address[Bond::kAddressBytes]);

  Bond bonds_[kCapacity] = {};
  uint8_t size_ = 0;
};

}  // namespace hardwear
