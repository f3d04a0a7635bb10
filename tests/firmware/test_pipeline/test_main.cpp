#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <algorithm>

#include "../fakes.h"
#include "core/confidence.h"
#include "core/decision.h"
#include "core/pipeline.h"
#include "core/quantization.h"

namespace hardwear {
namespace {

std::vector<int16_t> conditioned(const std::vector<int16_t>& raw) {
  Conditioner conditioner;
  std::vector<int16_t> out;
  int16_t due[kChannelCount];
  for (size_t n = 0; n < raw.size(); n += kChannelCount) {
    if (conditioner.push(&raw[n], due)) out.insert(out.end(), due, due + kChannelCount);
  }
  if (conditioner.flush(due)) out.insert(out.end(), due, due + kChannelCount);
  return out;
}

// The quantised window that ends before sample `end` of a conditioned recording.
std::vector<int8_t> quantized_window(const std::vector<int16_t>& counts, size_t end) {
  std::vector<int8_t> out(kWindowSamples * kChannelCount);
  for (size_t i = 0; i < kWindowSamples; ++i) {
    quantize(&counts[(end - kWindowSamples + i) * kChannelCount], &out[i * kChannelCount]);
  }
  return out;
}

TEST_CASE("each window goes through conditioning, quantisation and model at its true end") {
  FakeBoard board;
  FakeClassifier classifier;
  Pipeline pipeline(classifier, board);
  const size_t samples = 4 * kHopSamples + kWindowSamples;  // the last window needs the flush
  const std::vector<int16_t> raw = noise(samples, 1);
  const std::vector<int16_t> counts = conditioned(raw);
  uint32_t due = 0;
  for (size_t n = 0; n <= samples; ++n) {
    Prediction prediction;
    const Outcome outcome =
        n < samples ? pipeline.push(&raw[n * kChannelCount], &prediction) : pipeline.flush(&prediction);
    if (outcome == Outcome::kPending) continue;
    REQUIRE(outcome == Outcome::kPrediction);
    const uint32_t end = due * kHopSamples + kWindowSamples;
    CHECK(prediction.end_sample == end);
    CHECK(n == end);  // the median's one sample of lag
    CHECK(classifier.windows.back() == quantized_window(counts, end));
    const Inference expected = FakeClassifier::expected(classifier.windows.back());
    CHECK(std::memcmp(&prediction.inference, &expected, sizeof expected) == 0);
    CHECK(prediction.activity == decide(expected.logits));
    uint8_t expected_probabilities[kClassCount];
    probabilities(expected.logits, expected_probabilities);
    CHECK(std::memcmp(prediction.probabilities, expected_probabilities, sizeof expected_probabilities) == 0);
    CHECK(prediction.confidence() == expected_probabilities[prediction.activity]);
    CHECK(prediction.time == 1000);
    ++due;
  }
  CHECK(due == 5);
}

TEST_CASE("a window from elsewhere gives the same answer and leaves a running stream alone") {
  FakeBoard board;
  FakeClassifier classifier;
  Pipeline disturbed(classifier, board), calm(classifier, board);
  const std::vector<int16_t> raw = noise(3 * kWindowSamples, 2);
  for (size_t n = 0; n < 3 * kWindowSamples; ++n) {
    Prediction a, b, elsewhere;
    for (size_t i = 0; i < kWindowSamples; ++i) disturbed.set_input_sample(i, &raw[i * kChannelCount]);
    REQUIRE(disturbed.infer(&elsewhere) == Outcome::kPrediction);
    const Inference expected = FakeClassifier::expected(quantized_window(raw, kWindowSamples));
    REQUIRE(std::memcmp(&elsewhere.inference, &expected, sizeof expected) == 0);

    const Outcome outcome = disturbed.push(&raw[n * kChannelCount], &a);
    REQUIRE(calm.push(&raw[n * kChannelCount], &b) == outcome);
    if (outcome == Outcome::kPrediction) {
      CHECK(std::memcmp(&a.inference, &b.inference, sizeof a.inference) == 0);
      CHECK(a.end_sample == b.end_sample);
    }
  }
}

TEST_CASE("windows without a gap are one stream of overlapping windows, and a reset begins another") {
  FakeBoard board;
  FakeClassifier classifier;
  Pipeline pipeline(classifier, board), other(classifier, board);
  const std::vector<int16_t> raw = noise(3 * kHopSamples + kWindowSamples, 8);
  Prediction prediction;
  const auto push_all = [&raw, &prediction](Pipeline* to) {
    for (size_t n = 0; n < raw.size(); n += kChannelCount) to->push(&raw[n], &prediction);
  };
  push_all(&pipeline);
  REQUIRE(classifier.streams == std::vector<uint32_t>{1, 1, 1});
  constexpr ptrdiff_t kHop = kHopSamples * kChannelCount;
  for (size_t i = 1; i < classifier.windows.size(); ++i) {
    const std::vector<int8_t>&last = classifier.windows[i - 1], &next = classifier.windows[i];
    CHECK(std::equal(last.begin() + kHop, last.end(), next.begin()));
  }
  pipeline.infer(&prediction);  // a window from elsewhere is of no stream
  push_all(&other);
  pipeline.flush(&prediction);
  pipeline.reset();
  push_all(&pipeline);
  CHECK(classifier.streams == std::vector<uint32_t>{1, 1, 1, 2, 2, 2, 1, 3, 3, 3});
}

TEST_CASE("reset forgets the recording before") {
  FakeBoard board;
  FakeClassifier classifier;
  Pipeline used(classifier, board), fresh(classifier, board);
  Prediction a, b;
  const std::vector<int16_t> before = noise(200, 5), raw = noise(kWindowSamples, 6);
  for (size_t n = 0; n < 200; ++n) used.push(&before[n * kChannelCount], &a);
  used.reset();
  for (size_t n = 0; n < kWindowSamples; ++n) {
    REQUIRE(used.push(&raw[n * kChannelCount], &a) == Outcome::kPending);
    REQUIRE(fresh.push(&raw[n * kChannelCount], &b) == Outcome::kPending);
  }
  REQUIRE(used.flush(&a) == Outcome::kPrediction);
  REQUIRE(fresh.flush(&b) == Outcome::kPrediction);
  CHECK(std::memcmp(&a.inference, &b.inference, sizeof a.inference) == 0);
  CHECK(used.window().crc32() == fresh.window().crc32());
}

TEST_CASE("a failing engine is told, not hidden") {
  FakeBoard board;
  FakeClassifier classifier;
  classifier.fails_at = 1;
  Pipeline pipeline(classifier, board);
  const std::vector<int16_t> raw = noise(kWindowSamples, 7);
  Prediction prediction;
  for (size_t n = 0; n < kWindowSamples; ++n) pipeline.push(&raw[n * kChannelCount], &prediction);
  CHECK(pipeline.flush(&prediction) == Outcome::kEngineFailed);
}

}  // namespace
}  // namespace hardwear
