"""Motion told by a sensor of another rate and resampled on the chip is the same motion, and keeps its accuracy."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from hardwear.bundle import Bundle
from hardwear.contract import COUNTS_PER_UNIT, SAMPLE_RATE_HZ, to_counts
from hardwear.datasets import Dataset, Recording
from hardwear.metrics import classification_metrics
from hardwear.quantization.tflm import TflmModel
from hardwear.studies.robustness import Cut, condition_all, published_cut, windows_at
from hardwear.studies.sensor_rate import (
    as_sensor,
    at_known_rate,
    at_measured_rate,
    conditioned,
    moments,
    of_people,
)

SHIPPED = Path(__file__).parents[2] / "models" / "compact"
GOAL_POINTS = 0.3
SLOW = Fraction(119 * 95, 100)


def slow_motion(samples: int) -> np.ndarray:
    """(N, 6) in physical units, below 15 Hz, different on every channel."""
    seconds = np.arange(samples)[:, None] / SAMPLE_RATE_HZ
    hertz = np.array([[0.3, 1.1, 2.3, 5.7, 9.1, 13.3]])
    return np.asarray(0.4 * np.sin(2 * np.pi * hertz * seconds + np.arange(6)) + 0.5)


@pytest.mark.parametrize("hertz", [SLOW, Fraction(119), Fraction(119 * 105, 100), Fraction(95), Fraction(100)])
def test_there_and_back_is_the_same_motion_at_the_same_moments(hertz: Fraction) -> None:
    samples = slow_motion(1500)
    back = at_known_rate(as_sensor(samples, hertz), hertz)
    assert len(back.counts) >= len(samples)
    np.testing.assert_allclose(back.seconds[: len(samples)], np.arange(len(samples)) / SAMPLE_RATE_HZ, atol=1e-5)
    inside = slice(60, len(samples) - 60)
    error = back.counts[inside] - samples[inside] * COUNTS_PER_UNIT
    assert np.abs(error).max() < 2.5  # of 4,096 and more


@pytest.mark.parametrize("seed", range(3))
def test_a_measured_rate_gives_it_too_at_the_moments_that_are_told(seed: int) -> None:
    samples = slow_motion(3000)
    back = at_measured_rate(as_sensor(samples, SLOW), SLOW, 119_000, (seed,))
    inside = (back.seconds > 1) & (back.seconds < 58)
    hertz = np.array([[0.3, 1.1, 2.3, 5.7, 9.1, 13.3]])
    expected = 0.4 * np.sin(2 * np.pi * hertz * back.seconds[:, None] + np.arange(6)) + 0.5
    assert np.abs(back.counts - expected * COUNTS_PER_UNIT)[inside].max() < 2.5
    steps = np.diff(back.seconds)
    assert np.abs(steps[:80] * SAMPLE_RATE_HZ - 1).max() > 0.04  # the data sheet's rate, at first
    assert np.abs(steps[-100:] * SAMPLE_RATE_HZ - 1).max() < 0.0005


def test_windows_are_found_again_at_their_moments() -> None:
    samples = slow_motion(1000)
    back = at_measured_rate(as_sensor(samples, SLOW), SLOW, 119_000, (1,))
    cut = Cut(np.zeros(3, np.int64), np.array([0, 500, 872]), np.zeros(3, np.int64))
    found = moments(cut, [back])
    np.testing.assert_allclose(back.seconds[found.start], cut.start / SAMPLE_RATE_HZ, atol=0.011)
    assert (found.start != cut.start).any()


@pytest.mark.data
def test_the_shipped_model_loses_at_most_three_tenths_of_a_point(uci_har: Dataset, hapt: tuple[Recording, ...]) -> None:
    bundle = Bundle.load(SHIPPED)
    model = TflmModel(bundle.tflite)
    people = of_people(hapt, uci_har.test.subjects)
    cut = published_cut(uci_har, people)
    direct = condition_all([recording.samples for recording in people])
    back = conditioned([at_known_rate(as_sensor(recording.samples, SLOW), SLOW) for recording in people])
    scores = []
    for chain in (direct, back):
        logits, _ = model.run(bundle.quantizer.quantize(windows_at(chain, cut)))
        scores.append(classification_metrics(cut.labels, logits.argmax(axis=1)).macro_f1)
    assert scores[0] > 0.9, "the model must be worth measuring"
    assert 100 * (scores[0] - scores[1]) <= GOAL_POINTS


def test_as_many_samples_as_the_rate_says() -> None:
    samples = slow_motion(1000)
    assert len(as_sensor(samples, Fraction(100))) == 2000
    every_other = as_sensor(samples, Fraction(100))[::2]
    np.testing.assert_allclose(every_other[50:-50], to_counts(samples)[50:-50], atol=1)
