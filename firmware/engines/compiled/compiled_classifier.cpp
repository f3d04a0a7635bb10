#include "engines/compiled/compiled_classifier.h"

#include "generated/compiled_model.h"

namespace hardwear {

namespace {

alignas(16) int8_t arena[compiled_model::kArenaBytes];

struct NoObserver {
  template <typename View>
  void operator()(int32_t, View) const {}
};

}  // namespace

const char* CompiledClassifier::name() const { return "compiled"; }

bool CompiledClassifier::begin() { return true; }

bool CompiledClassifier::classify(const int8_t* window, Inference* out) {
  compiled_model::run(window, arena, out->logits, out->embedding, NoObserver{});
  return true;
}

uint32_t CompiledClassifier::arena_bytes() const { return sizeof(arena); }

}  // namespace hardwear
