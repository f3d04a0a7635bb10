"""Calibration error, likelihood and Brier score by hand, and a temperature that is found again."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hardwear.confidence import TEMPERATURE_MAX, TEMPERATURE_MIN, IntegerSoftmax, log_softmax, softmax
from hardwear.errors import DatasetError
from hardwear.reliability import BINS, SMALLEST, fit_temperature, reliability


def told(*confidences: int) -> npt.NDArray[np.uint8]:
    """Windows decided for class 0 with these confidences; what is left goes to class 1."""
    rows = np.zeros((len(confidences), 6), np.uint8)
    rows[:, 0] = confidences
    rows[:, 1] = 255 - rows[:, 0]
    return rows


def test_every_figure_of_an_example_worked_out_by_hand() -> None:
    """Two windows told with 80 %, one of them right; two with 60 %, both right."""
    result = reliability(told(204, 204, 153, 153), [0, 0, 0, 0], [0, 1, 0, 0])
    assert result.windows == 4
    assert result.accuracy == 0.75
    assert result.confidence == pytest.approx(0.7)
    assert [(b.windows, b.confidence, b.accuracy) for b in result.bins] == [
        (2, pytest.approx(0.6), 1.0),
        (2, pytest.approx(0.8), 0.5),
    ]
    assert result.ece == pytest.approx((2 * 0.4 + 2 * 0.3) / 4)
    assert result.ece_equal_mass == pytest.approx(result.ece)
    assert result.nll == pytest.approx(-(math.log(0.8) + math.log(0.2) + 2 * math.log(0.6)) / 4)
    assert result.brier == pytest.approx((2 * 0.2**2 + 2 * 0.8**2 + 4 * 0.4**2) / 4)


def test_a_perfect_oracle_has_no_error_and_a_sure_liar_all_of_it() -> None:
    right = reliability(told(255, 255), [0, 0], [0, 0])
    assert (right.ece, right.ece_equal_mass, right.nll, right.brier) == (0, 0, 0, 0)
    wrong = reliability(told(255, 255), [0, 0], [1, 1])
    assert (wrong.ece, wrong.brier) == (1.0, 2.0)
    assert wrong.nll == pytest.approx(-math.log(SMALLEST))


def test_bins_of_equal_width_are_open_below_and_closed_above() -> None:
    """255 / 15 = 17 steps each: 51 ends the third bin, 52 begins the fourth."""
    separate = reliability(told(51, 52), [0, 0], [0, 0])
    assert [b.windows for b in separate.bins] == [1, 1]
    together = reliability(told(52, 68), [0, 0], [0, 0])
    assert [b.windows for b in together.bins] == [2]


def test_windows_of_equal_confidence_share_a_bin_of_equal_mass() -> None:
    """Whatever their order, which carries no information, comes to: half right at one confidence is one bin."""
    rows = told(*([128] * 30))
    labels = np.array([0, 1] * 15)
    for order in (np.arange(30), np.argsort(labels, kind="stable")):
        assert reliability(rows, np.zeros(30, int), labels[order]).ece_equal_mass == pytest.approx(128 / 255 - 0.5)


def test_bins_of_equal_mass_hold_like_many_windows() -> None:
    """150 confidences, each once: ten to a bin, so that one lucky window can't be a bin of its own."""
    rows = told(*range(100, 250))
    labels = np.zeros(150, int)
    labels[-1] = 1
    confidence = np.arange(100, 250).reshape(BINS, 10).mean(axis=1) / 255
    accuracy = np.array([1.0] * 14 + [0.9])
    result = reliability(rows, np.zeros(150, int), labels)
    assert result.ece_equal_mass == pytest.approx(np.abs(accuracy - confidence).mean())


@settings(max_examples=100)
@given(hnp.arrays(np.int8, st.tuples(st.integers(1, 60), st.just(6))), st.integers(0, 2**32 - 1))
def test_figures_stay_within_their_ranges_and_ignore_the_order_of_windows(
    logits: npt.NDArray[np.int8], seed: int
) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 6, len(logits))
    rows, classes = IntegerSoftmax(0.03).probabilities(logits), logits.argmax(axis=1)
    result = reliability(rows, classes, labels)
    assert 0 <= result.ece <= 1
    assert abs(result.accuracy - result.confidence) <= result.ece + 1e-12  # what bins average can't be less than whole
    assert abs(result.accuracy - result.confidence) <= result.ece_equal_mass + 1e-12
    assert 0 <= result.brier <= 2.05
    assert 0 <= result.nll <= -math.log(SMALLEST)
    assert sum(b.windows for b in result.bins) == len(logits)
    order = random.permutation(len(logits))
    again = reliability(rows[order], classes[order], labels[order])
    for name in ("ece", "ece_equal_mass", "nll", "brier", "accuracy", "confidence"):
        assert getattr(again, name) == pytest.approx(getattr(result, name), abs=1e-12)


def drawn(true_temperature: float, count: int = 40_000) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Logits, and labels that come true with the probabilities of this temperature."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 1.5, (count, 6))
    below = np.cumsum(softmax(logits / true_temperature), axis=1)
    labels = (random.random((count, 1)) > below[:, :5]).sum(axis=1)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.2, 0.5, 1.0, 3.0])
def test_a_known_temperature_is_found_again(temperature: float) -> None:
    assert fit_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.02)


def test_the_fitted_temperature_is_the_likeliest_and_calibrates() -> None:
    logits, labels = drawn(0.4)
    found = fit_temperature(logits, labels)

    def nll(temperature: float) -> float:
        return float(-log_softmax(logits / temperature)[np.arange(len(labels)), labels].mean())

    assert nll(found) <= min(nll(found * 1.02), nll(found / 1.02), nll(1.0))
    steps = np.clip(np.round(logits / 0.05), -128, 127).astype(np.int8)
    before, after = (
        reliability(IntegerSoftmax(0.05, t).probabilities(steps), steps.argmax(axis=1), labels) for t in (1.0, found)
    )
    assert before.ece > 0.15
    assert after.ece < 0.01
    assert after.nll < before.nll
    assert after.brier < before.brier
    assert after.accuracy == before.accuracy


def test_what_is_always_right_or_mere_chance_ends_at_the_bounds() -> None:
    logits = np.eye(6) * 2.0
    assert TEMPERATURE_MIN <= fit_temperature(logits, np.arange(6)) < 0.05
    assert fit_temperature(logits, (np.arange(6) + 1) % 6) == pytest.approx(TEMPERATURE_MAX, rel=0.01)


@pytest.mark.parametrize(
    ("rows", "classes", "labels"),
    [
        (np.zeros((0, 6), np.uint8), [], []),
        (np.zeros((2, 6), np.float64), [0, 0], [0, 0]),
        (np.zeros((2, 5), np.uint8), [0, 0], [0, 0]),
        (np.zeros((2, 6), np.uint8), [0], [0, 0]),
        (np.zeros((2, 6), np.uint8), [0, 0], [0]),
    ],
)
def test_what_cannot_be_compared_is_refused(rows: npt.NDArray[np.uint8], classes: list[int], labels: list[int]) -> None:
    with pytest.raises(DatasetError, match="expected"):
        reliability(rows, classes, labels)
