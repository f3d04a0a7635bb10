// A host program around CompiledClassifier for the tests: int8 windows on standard input, answers on standard output.
// With the argument `layers` each step's output is written instead: number, size (uint32), values.
#include <cstdio>
#include <cstring>

#include "engines/compiled/compiled_classifier.h"
#include "generated/compiled_model.h"

namespace {

constexpr size_t kWindowBytes = size_t{hardwear::kWindowSamples} * hardwear::kChannelCount;

struct LayerWriter {
  template <typename View>
  void operator()(int32_t number, View view) const {
    const uint32_t head[2] = {static_cast<uint32_t>(number), view.count()};
    fwrite(head, sizeof(head), 1, stdout);
    for (uint32_t i = 0; i < view.count(); ++i) putchar(view.value(i));
  }
};

}  // namespace

int main(int argc, char** argv) {
  static int8_t window[kWindowBytes];
  alignas(16) static int8_t arena[hardwear::compiled_model::kArenaBytes];
  const bool layers = argc > 1 && strcmp(argv[1], "layers") == 0;
  hardwear::CompiledClassifier classifier;
  if (!classifier.begin()) return 1;
  while (fread(window, kWindowBytes, 1, stdin) == 1) {
    hardwear::Inference answer = {};
    if (layers) {
      hardwear::compiled_model::run(window, arena, answer.logits, answer.embedding, LayerWriter{});
      continue;
    }
    if (!classifier.classify(window, &answer)) return 2;
    fwrite(answer.logits, sizeof(answer.logits), 1, stdout);
    fwrite(answer.embedding, sizeof(answer.embedding), 1, stdout);
  }
  return 0;
}
