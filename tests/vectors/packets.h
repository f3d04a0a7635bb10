// Made by tests/reference_vectors.py; do not edit. Bytes are hexadecimal text.
#pragma once

#include <cstdint>

#include "core/packets.h"

namespace vectors {

struct PredictionVector { const char* name; hardwear::PredictionPacket packet; const char* bytes; };
const PredictionVector kPredictions[] = {
    {"a window", {0, 258, 3, 4, 200, {1, 2, 3, 200, 45, 4}, 123456u, 98765u},
     "0100020143c8010203c82d0440e20100cd810100"},
    {"unknown yet", {1, 0, 0, 15, 90, {90, 60, 50, 30, 20, 5}, 0u, 1u},
     "01010000f05a5a3c321e14050000000001000000"},
    {"no window", {138, 65535, 15, 15, 0, {0, 0, 0, 0, 0, 0}, 4294967295u, 0u},
     "018affffff00000000000000ffffffff00000000"},
    {"every flag", {255, 1, 5, 5, 255, {0, 0, 0, 0, 0, 255}, 2147483648u, 4294967295u},
     "01ff010055ff0000000000ff00000080ffffffff"},
};

struct CalibrationVector {
  const char* name;
  uint8_t state, progress;
  hardwear::Rotation rotation;
  const char* bytes;
};
const CalibrationVector kCalibrations[] = {
    {"idle", 0, 0, {{{16384, 0, 0}, {0, 16384, 0}, {0, 0, 16384}}},
     "0000004000000000000000400000000000000040"},
    {"walking", 2, 128, {{{16384, 0, 0}, {0, 16384, 0}, {0, 0, 16384}}},
     "0280004000000000000000400000000000000040"},
    {"done", 3, 255, {{{0, -16384, 0}, {11585, 0, 11585}, {-11585, 0, 11585}}},
     "03ff000000c00000412d0000412dbfd20000412d"},
};

struct CommandVector { const char* name; uint8_t action; hardwear::Rotation rotation; const char* bytes; };
const CommandVector kCommands[] = {
    {"start", 1, {{{16384, 0, 0}, {0, 16384, 0}, {0, 0, 16384}}},
     "01"},
    {"cancel", 2, {{{16384, 0, 0}, {0, 16384, 0}, {0, 0, 16384}}},
     "02"},
    {"forget", 3, {{{16384, 0, 0}, {0, 16384, 0}, {0, 0, 16384}}},
     "03"},
    {"set identity", 4, {{{16384, 0, 0}, {0, 16384, 0}, {0, 0, 16384}}},
     "04004000000000000000400000000000000040"},
    {"set turned", 4, {{{0, -16384, 0}, {11585, 0, 11585}, {-11585, 0, 11585}}},
     "04000000c00000412d0000412dbfd20000412d"},
};

struct ConfigVector {
  const char* name;
  uint8_t smoothing, threshold, notify_every;
  bool led, low_power;
  const char* bytes;
};
const ConfigVector kConfigs[] = {
    {"default", 1, 128, 1, true, false, "010180010100"},
    {"lowest", 0, 0, 1, false, false, "010000010000"},
    {"highest", 6, 255, 255, true, true, "0106ffff0101"},
    {"dark", 2, 100, 10, false, true, "0102640a0001"},
};

struct RawVector { const char* name; hardwear::RawPacket packet; const char* bytes; };
const RawVector kRaws[] = {
    {"raw", {65533, {{0, -7, -28, -63, -112, -175},
       {1000, 993, 972, 937, 888, 825},
       {2000, 1993, 1972, 1937, 1888, 1825},
       {3000, 2993, 2972, 2937, 2888, 2825},
       {-32768, 32767, -1, 0, 1, 256}}},
     "fdff0000f9ffe4ffc1ff90ff51ffe803e103cc03a90378033903d007c907b407910760072107b80bb10b9c0b790b480b090b0080ff7fffff000001000001"},
};

struct Refused { const char* name; const char* bytes; };
const Refused kRefusedConfigs[] = {
    {"empty", ""},
    {"short", "0101800101"},
    {"long", "01018001010000"},
    {"version 0", "000180010100"},
    {"version 2", "020180010100"},
    {"smoothing 7", "010780010100"},
    {"smoothing 255", "01ff80010100"},
    {"notify_every 0", "010180000100"},
    {"led 2", "010180010200"},
    {"low_power 2", "010180010102"},
    {"low_power 128", "010180010180"},
};

const Refused kRefusedCommands[] = {
    {"empty", ""},
    {"no action", "00"},
    {"unknown action", "05"},
    {"start and more", "0100"},
    {"start with a rotation", "01000000c00000412d0000412dbfd20000412d"},
    {"set alone", "04"},
    {"set short", "04000000c00000412d0000412dbfd2000041"},
    {"set long", "04000000c00000412d0000412dbfd20000412d00"},
    {"set nothing", "04000000000000000000000000000000000000"},
    {"set a mirror", "0400c000000000000000400000000000000040"},
    {"set a stretch", "04684200000000000000400000000000000040"},
    {"set extremes", "04008000800080008000800080008000800080"},
};

struct GattVector { const char* uuid; uint8_t properties; uint16_t max_bytes; const char* description; };
const char kServiceUuid[] = "f8790001-0132-443e-879f-6999e12783c9";
const char kDeviceName[] = "Hardwear";
const char kManufacturer[] = "Hardwear";
const GattVector kGatt[] = {
    {"f8790002-0132-443e-879f-6999e12783c9", 18, 20, "Activity, one window"},
    {"f8790003-0132-443e-879f-6999e12783c9", 10, 6, "Settings"},
    {"f8790004-0132-443e-879f-6999e12783c9", 26, 20, "Calibration"},
    {"f8790005-0132-443e-879f-6999e12783c9", 2, 121, "What this board is"},
    {"f8790006-0132-443e-879f-6999e12783c9", 16, 62, "Raw motion, 5 samples"},
};

}  // namespace vectors
