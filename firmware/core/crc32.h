// CRC-32 as in IEEE 802.3, zlib and PNG.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hardwear {

// CRC-32 of `count` bytes: polynomial 0x04C11DB7 reflected, equal to zlib.crc32(bytes, previous). To go on over
// several pieces give the CRC of those before as `previous`. No state: may be called from anywhere.
uint32_t crc32(const uint8_t* bytes, size_t count, uint32_t previous = 0);

}  // namespace hardwear
