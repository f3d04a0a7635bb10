#include "core/config.h"

namespace hardwear {

void encode_config(const Config& config, uint8_t out[kConfigBytes]) {
  out[0] = kConfigVersion;
  out[1] = config.smoothing;
  out[2] = config.threshold;
  out[3] = config.notify_every;
  out[4] = config.led ? 1 : 0;
  out[5] = config.low_power ? 1 : 0;
}

bool parse_config(const uint8_t* bytes, size_t size, Config* config) {
  if (size != kConfigBytes || bytes[0] != kConfigVersion) return false;
  if (bytes[1] > Smoother::kMaxSmoothing || bytes[3] == 0 || bytes[4] > 1 || bytes[5] > 1) return false;
  config->smoothing = bytes[1];
  config->threshold = bytes[2];
  config->notify_every = bytes[3];
  config->led = bytes[4] == 1;
  config->low_power = bytes[5] == 1;
  return true;
}

bool operator==(const Config& a, const Config& b) {
  return a.smoothing == b.smoothing && a.threshold == b.threshold && a.notify_every == b.notify_every &&
         a.led == b.led && a.low_power == b.low_power;
}

}  // namespace hardwear
