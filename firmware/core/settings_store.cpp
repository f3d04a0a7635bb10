#include "core/settings_store.h"

#include <cstring>

#include "core/bytes.h"
#include "core/crc32.h"

namespace hardwear {
namespace {

constexpr uint32_t kMagic = 0x53445748;  // "HWDS"
constexpr size_t kVersionAt = 4;
constexpr size_t kCalibratedAt = 5;
constexpr size_t kConfigAt = 6;
constexpr size_t kSequenceAt = 12;
constexpr size_t kGainAt = 16;
constexpr size_t kRotationAt = 18;
constexpr size_t kCrcAt = 60;
static_assert(kConfigAt + kConfigBytes == kSequenceAt, "the record's layout");
static_assert(kRotationAt + sizeof(Rotation) <= kCrcAt, "the record's layout");

constexpr uint8_t kErased = 0xFF;

bool is_blank(const uint8_t record[SettingsStore::kRecordBytes]) {
  for (size_t i = 0; i < SettingsStore::kRecordBytes; ++i) {
    if (record[i] != kErased) return false;
  }
  return true;
}

bool is_intact(const uint8_t record[SettingsStore::kRecordBytes]) {
  return load_u32(record) == kMagic && load_u32(record + kCrcAt) == crc32(record, kCrcAt);
}

uint32_t sequence_of(const uint8_t record[SettingsStore::kRecordBytes]) { return load_u32(record + kSequenceAt); }

void encode(const Settings& settings, uint32_t sequence, uint8_t record[SettingsStore::kRecordBytes]) {
  std::memset(record, 0, SettingsStore::kRecordBytes);
  store_u32(record, kMagic);
  record[kVersionAt] = SettingsStore::kVersion;
  record[kCalibratedAt] = settings.calibrated ? 1 : 0;
  encode_config(settings.config, record + kConfigAt);
  store_u32(record + kSequenceAt, sequence);
  store_u16(record + kGainAt, settings.mounting.acc_gain_q14);
  for (size_t i = 0; i < 9; ++i) {
    store_u16(record + kRotationAt + 2 * i, static_cast<uint16_t>(settings.mounting.rotation.q14[i / 3][i % 3]));
  }
  store_u32(record + kCrcAt, crc32(record, kCrcAt));
}

// Of an intact record of this version. False if its content is none that save() could have written.
bool decode(const uint8_t record[SettingsStore::kRecordBytes], Settings* out) {
  Settings settings;
  if (record[kCalibratedAt] > 1) return false;
  settings.calibrated = record[kCalibratedAt] == 1;
  if (!parse_config(record + kConfigAt, kConfigBytes, &settings.config)) return false;
  settings.mounting.acc_gain_q14 = load_u16(record + kGainAt);
  for (size_t i = 0; i < 9; ++i) settings.mounting.rotation.q14[i / 3][i % 3] = load_i16(record + kRotationAt + 2 * i);
  if (settings.mounting.acc_gain_q14 == 0 || !is_rotation(settings.mounting.rotation)) return false;
  *out = settings;
  return true;
}

}  // namespace

bool operator==(const Settings& a, const Settings& b) {
  uint8_t first[SettingsStore::kRecordBytes];
  uint8_t second[SettingsStore::kRecordBytes];
  encode(a, 0, first);
  encode(b, 0, second);
  return std::memcmp(first, second, sizeof first) == 0;
}

SettingsSource SettingsStore::load(Settings* out) {
  *out = Settings();
  Log log;
  scan(&log);
  if (!log.found) return log.anything ? SettingsSource::kDamaged : SettingsSource::kNothingStored;
  if (log.record[kVersionAt] != kVersion) return SettingsSource::kUnknownVersion;
  if (!decode(log.record, out)) return SettingsSource::kDamaged;
  return log.damaged_next ? SettingsSource::kOlder : SettingsSource::kStored;
}

bool SettingsStore::save(const Settings& settings) {
  if (!usable()) return false;
  Log log;
  scan(&log);
  Settings stored;
  if (log.found && log.record[kVersionAt] == kVersion && decode(log.record, &stored) && stored == settings) return true;
  uint8_t record[kRecordBytes];
  encode(settings, log.found ? sequence_of(log.record) + 1 : 1, record);
  if (!decode(record, &stored)) return false;  // no rotation: load() would refuse it
  if (log.found && log.next_free < slots() && write_slot(log.sector, log.next_free, record)) return true;
  // Never the sector of the last intact record: it has to outlive this.
  const uint32_t other = log.found ? (log.sector + 1) % kSectors : 0;
  return storage_.erase(other) && write_slot(other, 0, record);
}

bool SettingsStore::usable() const {
  const uint32_t sector = storage_.sector_bytes();
  const uint32_t word = storage_.word_bytes();
  return storage_.sectors() >= kSectors && sector >= kRecordBytes && sector % kRecordBytes == 0 && word > 0 &&
         kRecordBytes % word == 0;
}

bool SettingsStore::read_slot(uint32_t sector, uint32_t slot, uint8_t record[kRecordBytes]) {
  const uint32_t offset = sector * storage_.sector_bytes() + slot * static_cast<uint32_t>(kRecordBytes);
  return storage_.read(offset, record, kRecordBytes);
}

bool SettingsStore::blank(uint32_t sector, uint32_t slot) {
  uint8_t record[kRecordBytes];
  return read_slot(sector, slot, record) && is_blank(record);
}

void SettingsStore::scan(Log* log) {
  *log = Log();
  if (!usable()) return;
  for (uint32_t sector = 0; sector < kSectors; ++sector) {
    for (uint32_t slot = 0; slot < slots(); ++slot) {
      uint8_t record[kRecordBytes];
      const bool read = read_slot(sector, slot, record);
      if (read && is_blank(record)) continue;
      log->anything = true;
      if (!read || !is_intact(record)) continue;
      if (log->found && sequence_of(record) <= sequence_of(log->record)) continue;
      log->found = true;
      log->sector = sector;
      log->slot = slot;
      std::memcpy(log->record, record, kRecordBytes);
    }
  }
  if (!log->found) return;
  log->next_free = slots();
  while (log->next_free > log->slot + 1 && blank(log->sector, log->next_free - 1)) --log->next_free;
  if (log->slot + 1 < slots()) {
    log->damaged_next = log->next_free > log->slot + 1;
  } else {
    uint8_t record[kRecordBytes];
    const uint32_t other = (log->sector + 1) % kSectors;
    log->damaged_next = !read_slot(other, 0, record) || (!is_blank(record) && !is_intact(record));
  }
}

bool SettingsStore::write_slot(uint32_t sector, uint32_t slot, const uint8_t record[kRecordBytes]) {
  const uint32_t offset = sector * storage_.sector_bytes() + slot * static_cast<uint32_t>(kRecordBytes);
  uint8_t written[kRecordBytes];
  return storage_.program(offset, record, kRecordBytes) && storage_.read(offset, written, kRecordBytes) &&
         std::memcmp(written, record, kRecordBytes) == 0;
}

}  // namespace hardwear
