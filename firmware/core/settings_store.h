// What the board remembers without power: how it is worn, and what its wearer has set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/config.h"
#include "core/orientation.h"
#include "core/storage.h"

namespace hardwear {

struct Settings {
  bool calibrated = false;
  Mounting mounting = kPlainMounting;  // meant only if calibrated
  Config config;
};

bool operator==(const Settings& a, const Settings& b);
inline bool operator!=(const Settings& a, const Settings& b) { return !(a == b); }

// Where the settings of load() come from.
enum class SettingsSource : uint8_t {
  kStored = 0,          // as saved last
  kOlder = 1,           // as saved before last: power was lost while saving, or the last record is damaged
  kNothingStored = 2,   // defaults: nothing was ever saved
  kUnknownVersion = 3,  // defaults: another firmware saved them last
  kDamaged = 4,         // defaults: something was saved, nothing of it is intact
};

// Keeps settings in two sectors of flash so that losing power at any moment leaves the old ones or the new ones.
//
// A save appends a record behind the last one; only when the sector is full is the other one erased, and goes on there.
// The last intact record so always stays until a newer one is whole. With sectors of 4,096 bytes 63 of 64 saves only
// program 64 bytes (below a millisecond), and 10,000 erasures of each sector last for 1.2 million saves. Saving what is
// stored already writes nothing.
//
// A record is 64 bytes, little-endian; magic, version, sequence number and CRC stand there in every version:
//   0 u32 magic | 4 u8 version = 1 | 5 u8 calibrated | 6 6 B Config | 12 u32 sequence number | 16 u16 gain, Q14
//   18 9 x i16 rotation, Q14 | 36 zeros | 60 u32 CRC-32 of bytes 0 to 59
//
// No RAM but the reference. Not re-entrant; never call it from an interrupt.
class SettingsStore {
 public:
  static constexpr size_t kRecordBytes = 64;
  static constexpr uint8_t kVersion = 1;

  // `storage` outlives the store. It needs two sectors, which whole records and whole words fit; others it may have are
  // left alone.
  explicit SettingsStore(Storage& storage) : storage_(storage) {}

  // Reads the last intact settings; with the defaults of Settings where there are none.
  SettingsSource load(Settings* out);

  // Makes `settings` what load() finds. Returns false if the flash failed in both sectors, or has the wrong geometry:
  // what was stored before is stored still.
  bool save(const Settings& settings);

 private:
  static constexpr uint32_t kSectors = 2;

  // What lies in the sectors.
  struct Log {
    bool found;          // an intact record, of any version
    bool anything;       // any byte that is not erased
    uint32_t sector;     // of the newest intact record
    uint32_t slot;
    uint32_t next_free;  // first slot of `sector` behind all that was ever written; slots() if it is full
    bool damaged_next;   // where the next record would have gone lies something that is none
    uint8_t record[kRecordBytes];
  };

  bool usable() const;
  uint32_t slots() const { return storage_.sector_bytes() / static_cast<uint32_t>(kRecordBytes); }
  bool read_slot(uint32_t sector, uint32_t slot, uint8_t record[kRecordBytes]);
  bool blank(uint32_t sector, uint32_t slot);
  void scan(Log* log);
  bool write_slot(uint32_t sector, uint32_t slot, const uint8_t record[kRecordBytes]);

  Storage& storage_;
};

}  // namespace hardwear
