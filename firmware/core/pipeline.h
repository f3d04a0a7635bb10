// The whole way on the chip, from a raw sample to a prediction: the same code live and in a replay.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/board.h"
#include "core/classifier.h"
#include "core/conditioning.h"
#include "core/window.h"

namespace hardwear {

// One window named.
struct Prediction {
  uint8_t activity;     // index into kClassNames
  uint32_t time;        // what the model took, in the board's TimeUnit; quantisation not included
  uint32_t end_sample;  // exclusive end of the window in samples since reset(); 0 for a window from elsewhere
  Inference inference;
  uint8_t probabilities[kClassCount];  // in 255ths, see confidence.h

  // How sure the model is of `activity`, in 255ths.
  uint8_t confidence() const { return probabilities[activity]; }
};

enum class Outcome : uint8_t {
  kPending,       // no window is complete yet
  kPrediction,    // a window was classified
  kEngineFailed,  // a window was complete, but the engine could not run
};

// Conditioning, window, quantisation, model, decision and probabilities in a row. Owns their state (about 2.8 KB), borrows the
// engine and the board, which must outlive it. Never call it from an interrupt.
class Pipeline {
 public:
  // `classifier.begin()` must have succeeded before the first window is complete.
  Pipeline(Classifier& classifier, Board& board) : classifier_(classifier), board_(board) {}

  // Back to the zero state: filters at rest, window empty.
  void reset();

  // Takes one raw sample in counts. `*out` is written only for kPrediction.
  //
  // The median looks one sample ahead: a window that ends before sample n is due when sample n comes.
  Outcome push(const int16_t raw[kChannelCount], Prediction* out);

  // Tells that the recording has ended, which sets free the last conditioned sample. Follow it with reset().
  Outcome flush(Prediction* out);

  // Classifies a window that was conditioned elsewhere: give every sample 0 to kWindowSamples - 1 to
  // set_input_sample(), then infer(). Leaves filters and window as they are; push() in between spoils the input.
  void set_input_sample(size_t index, const int16_t conditioned[kChannelCount]);
  Outcome infer(Prediction* out);

  // The window that push() or flush() last completed.
  const Window& window() const { return window_; }

 private:
  Outcome add_conditioned(const int16_t conditioned[kChannelCount], Prediction* out);
  Outcome name_input(uint32_t stream, Prediction* out);

  Classifier& classifier_;
  Board& board_;
  Conditioner conditioner_;
  Window window_;
  uint32_t stream_ = 0;  // the classifier's number of the windows since reset(); 0 before the first
  alignas(4) int8_t input_[kWindowSamples * kChannelCount] = {};
};

}  // namespace hardwear
