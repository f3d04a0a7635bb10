#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "../fakes.h"
#include "core/known_answer.h"
#include "core/pipeline.h"
#include "engines/compiled/compiled_classifier.h"
#include "generated/known_answer.h"

namespace hardwear {
namespace {

constexpr uint16_t kSamples = 200;

struct Fixture {
  FakeBoard board;
  FakeClassifier classifier;
  Pipeline pipeline{classifier, board};
  std::vector<int16_t> raw = noise(kSamples, 9);
  KnownAnswer known = {};

  // The right answer, found by a pipeline of its own.
  Fixture() {
    Pipeline reference(classifier, board);
    Prediction prediction;
    size_t n = 0;
    while (reference.push(&raw[n * kChannelCount], &prediction) == Outcome::kPending) ++n;
    known.raw = raw.data();
    known.samples = kSamples;
    known.window_crc32 = reference.window().crc32();
    std::memcpy(known.logits, prediction.inference.logits, sizeof known.logits);
    std::memcpy(known.embedding, prediction.inference.embedding, sizeof known.embedding);
    std::memcpy(known.probabilities, prediction.probabilities, sizeof known.probabilities);
    classifier.windows.clear();
  }
};

TEST_CASE("the committed bundle's known answer holds on the compiled engine") {
  FakeBoard board;
  CompiledClassifier classifier;
  REQUIRE(classifier.begin());
  Pipeline pipeline(classifier, board);
  CHECK(run_known_answer(kKnownAnswer, &pipeline).result == KnownAnswerResult::kEqual);
}

TEST_CASE("one inference decides, whatever the pipeline did before") {
  Fixture f;
  Prediction prediction;
  for (size_t n = 0; n < 50; ++n) f.pipeline.push(&f.raw[n * kChannelCount], &prediction);
  CHECK(run_known_answer(f.known, &f.pipeline).result == KnownAnswerResult::kEqual);
  CHECK(run_known_answer(f.known, &f.pipeline).result == KnownAnswerResult::kEqual);
  CHECK(f.classifier.windows.size() == 2);
}

TEST_CASE("a conditioned window that differs is named by both checksums, before the model counts") {
  Fixture f;
  f.raw[100] = static_cast<int16_t>(f.raw[100] ^ 0x4000);
  f.classifier.wrong_logit = 0;
  const KnownAnswerReport report = run_known_answer(f.known, &f.pipeline);
  CHECK(report.result == KnownAnswerResult::kConditioningDiffers);
  CHECK(report.expected == f.known.window_crc32);
  CHECK(report.actual != report.expected);
}

TEST_CASE("a logit or an element of the embedding that differs is named with both values") {
  Fixture f;
  f.classifier.wrong_logit = 4;
  KnownAnswerReport report = run_known_answer(f.known, &f.pipeline);
  CHECK(report.result == KnownAnswerResult::kLogitDiffers);
  CHECK(report.index == 4);
  CHECK(report.expected == f.known.logits[4]);
  CHECK(static_cast<int8_t>(report.actual) == static_cast<int8_t>(f.known.logits[4] + 1));
  f.classifier.wrong_embedding = kEmbeddingSize - 1;
  report = run_known_answer(f.known, &f.pipeline);
  CHECK(report.result == KnownAnswerResult::kEmbeddingDiffers);
  CHECK(report.index == kEmbeddingSize - 1u);
}

TEST_CASE("a probability that differs is named with both values") {
  Fixture f;
  const uint8_t right = f.known.probabilities[5];
  f.known.probabilities[5] = static_cast<uint8_t>(right + 1);
  const KnownAnswerReport report = run_known_answer(f.known, &f.pipeline);
  CHECK(report.result == KnownAnswerResult::kProbabilityDiffers);
  CHECK(report.index == 5);
  CHECK(report.expected == static_cast<uint8_t>(right + 1));
  CHECK(report.actual == right);
}

TEST_CASE("an engine that fails and a recording without a window don't pass") {
  Fixture f;
  f.classifier.fails_at = 1;
  CHECK(run_known_answer(f.known, &f.pipeline).result == KnownAnswerResult::kEngineFailed);
  f.known.samples = kWindowSamples - 1;
  CHECK(run_known_answer(f.known, &f.pipeline).result == KnownAnswerResult::kConditioningDiffers);
}

}  // namespace
}  // namespace hardwear
