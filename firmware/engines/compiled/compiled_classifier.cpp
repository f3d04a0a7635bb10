#include "engines/compiled/compiled_classifier.h"

#include "generated/compiled_model.h"

namespace hardwear {

static_assert(compiled_model::kStackBytes <= kInferenceStackBytes, "the network's kernels take more stack than promised");

namespace {

alignas(16) int8_t arena[compiled_model::kArenaBytes];
alignas(4) int8_t history[compiled_model::kHistoryBytes];

struct NoObserver {
  template <typename View>
  void operator()(int32_t, View) const {}
};

// Never inlined, so that its code is there once.
__attribute__((noinline)) void infer(kernels::Stream stream, const int8_t* window, Inference* out) {
  compiled_model::infer(stream, window, arena, history, out->logits, out->embedding, NoObserver{});
}

}  // namespace

const char* CompiledClassifier::name() const { return "compiled"; }

bool CompiledClassifier::begin() { return true; }

bool CompiledClassifier::classify(const int8_t* window, Inference* out) {
  infer(kernels::Stream::kNone, window, out);
  return true;
}

bool CompiledClassifier::classify_next(uint32_t stream, const int8_t* window, Inference* out) {
  infer(stream == kept_ ? kernels::Stream::kNext : kernels::Stream::kFirst, window, out);
  kept_ = stream;
  return true;
}

uint32_t CompiledClassifier::arena_bytes() const { return sizeof(arena) + sizeof(history); }

}  // namespace hardwear
