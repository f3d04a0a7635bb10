// The compiled engine, step by step.
#include "boards/emulator/profile/engine.h"
#include "generated/compiled_model.h"

namespace hardwear {
namespace {

alignas(16) int8_t arena[compiled_model::kArenaBytes];
#ifdef HARDWEAR_STREAMS
alignas(4) int8_t history[compiled_model::kHistoryBytes];
#endif
static_assert(compiled_model::kStepCount <= profile::kMaxSteps, "more steps than the profiler tells apart");

struct Marker {
  template <typename View>
  void operator()(int32_t, View view) const {
    hardwear_step_done();
#ifdef HARDWEAR_DUMP_LAYERS
    for (uint32_t i = 0; i < view.count(); ++i) profile::dump(view.value(i));
#else
    static_cast<void>(view);
#endif
  }
};

}  // namespace

bool profile::begin() { return true; }

uint32_t profile::arena_bytes() { return sizeof arena; }

}  // namespace hardwear

// A function of its own, as in the firmware: the compiler takes main() for code that runs once, and saves on it.
extern "C" __attribute__((noinline)) void hardwear_infer(hardwear::profile::Mode mode, const int8_t* window,
                                                         int8_t* logits, int8_t* embedding) {
  using namespace hardwear;
#ifdef HARDWEAR_STREAMS
  if (mode == profile::kFollowing) {
    compiled_model::run_next(window, arena, history, logits, embedding, Marker{});
    return;
  }
  if (mode == profile::kFirst) {
    compiled_model::run_first(window, arena, history, logits, embedding, Marker{});
    return;
  }
#else
  static_cast<void>(mode);
#endif
  compiled_model::run(window, arena, logits, embedding, Marker{});
}
