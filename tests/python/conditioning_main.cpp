// Conditions recordings from standard input to standard output, int16 in the machine's order, kChannelCount a sample.
// The one argument is the number of samples of every recording: each begins from zero state and ends with a flush.
#include <cstdio>
#include <cstdlib>

#include "core/conditioning.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const long samples = std::atol(argv[1]);
  hardwear::Conditioner conditioner;
  int16_t sample[hardwear::kChannelCount];
  const auto write = [&sample] { return std::fwrite(sample, sizeof sample, 1, stdout) == 1; };
  for (long n = 0; std::fread(sample, sizeof sample, 1, stdin) == 1;) {
    if (conditioner.push(sample, sample) && !write()) return 3;
    if (++n == samples) {
      if (!conditioner.flush(sample) || !write()) return 3;
      n = 0;
    }
  }
  return 0;
}
