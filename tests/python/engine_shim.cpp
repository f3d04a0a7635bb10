// A host program around the compiled engine for the tests: int8 windows on standard input, answers on standard output.
// With the argument `layers` each step's output is written instead: number, size (uint32), values. With `stream` a byte
// before each window says whether it follows the one before; `stream-layers` is both.
#include <cstdio>
#include <cstring>

#include "engines/compiled/compiled_classifier.h"
#include "generated/compiled_model.h"

namespace {

constexpr size_t kWindowBytes = size_t{hardwear::kWindowSamples} * hardwear::kChannelCount;

struct NoObserver {
  template <typename View>
  void operator()(int32_t, View) const {}
};

struct LayerWriter {
  template <typename View>
  void operator()(int32_t number, View view) const {
    const uint32_t head[2] = {static_cast<uint32_t>(number), view.count()};
    fwrite(head, sizeof(head), 1, stdout);
    for (uint32_t i = 0; i < view.count(); ++i) putchar(view.value(i));
  }
};

alignas(16) int8_t window[kWindowBytes];
alignas(16) int8_t arena[hardwear::compiled_model::kArenaBytes];
alignas(4) int8_t history[hardwear::compiled_model::kHistoryBytes];

template <typename Observer>
void infer_streamed(hardwear::Inference* answer, bool follows, Observer observe) {
  if (follows) {
    hardwear::compiled_model::run_next(window, arena, history, answer->logits, answer->embedding, observe);
  } else {
    hardwear::compiled_model::run_first(window, arena, history, answer->logits, answer->embedding, observe);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* const mode = argc > 1 ? argv[1] : "";
  const bool layers = strstr(mode, "layers") != nullptr, stream = strstr(mode, "stream") != nullptr;
  hardwear::CompiledClassifier classifier;
  if (!classifier.begin()) return 1;
  for (;;) {
    const int follows = stream ? getchar() : 0;
    if (fread(window, kWindowBytes, 1, stdin) != 1) return 0;
    hardwear::Inference answer = {};
    if (stream && layers) {
      infer_streamed(&answer, follows != 0, LayerWriter{});
    } else if (stream) {
      infer_streamed(&answer, follows != 0, NoObserver{});
    } else if (layers) {
      hardwear::compiled_model::run(window, arena, answer.logits, answer.embedding, LayerWriter{});
    } else if (!classifier.classify(window, &answer)) {
      return 2;
    }
    if (layers) continue;
    fwrite(answer.logits, sizeof(answer.logits), 1, stdout);
    fwrite(answer.embedding, sizeof(answer.embedding), 1, stdout);
  }
}
