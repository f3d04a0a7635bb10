"""Probabilities: exact to their bound, ordered as the logits, and the same to the bit in NumPy and C++."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import confidence_vectors
from hardwear.bundle import Bundle
from hardwear.confidence import (
    CERTAINTY,
    ERROR_BOUND,
    SUM_BOUND,
    TEMPERATURE_MAX,
    TEMPERATURE_MIN,
    WEIGHT_ONE,
    IntegerSoftmax,
    softmax,
)
from hardwear.errors import ConversionError
from native import ROOT, Native, build_library

Logits = npt.NDArray[np.int8]

softmaxes = st.builds(
    IntegerSoftmax,
    st.floats(1e-6, 10.0),
    st.floats(TEMPERATURE_MIN, TEMPERATURE_MAX),
)
rows = hnp.arrays(np.int8, st.tuples(st.integers(1, 20), st.just(6)))


@pytest.fixture(scope="module")
def library() -> Native:
    return build_library()


def patternless(count: int, seed: int, span: int = 128) -> Logits:
    return np.random.default_rng(seed).integers(-span, span, (count, 6)).astype(np.int8)


# -- what a probability is -------------------------------------------------------------------------------------------


def test_an_example_worked_out_by_hand() -> None:
    """One step halves: weights 1, 1/2, 1/4 and three of 2^-15 or less."""
    halving = IntegerSoftmax(math.log(2))
    assert halving.table[:4] == (32768, 16384, 8192, 4096)
    told = halving.probabilities(np.array([[2, 1, 0, -100, -100, -100]], np.int8))
    assert told.tolist() == [[146, 73, 36, 0, 0, 0]]  # 255 * 4/7, 2/7, 1/7 = 145.7, 72.9, 36.4


@settings(max_examples=200)
@given(softmaxes, rows)
def test_each_probability_lies_at_the_exact_softmax_and_the_six_add_up(chip: IntegerSoftmax, logits: Logits) -> None:
    told = chip.probabilities(logits)
    exact = softmax(logits * chip.scale / chip.temperature)
    assert np.abs(told - CERTAINTY * exact).max() <= ERROR_BOUND
    assert np.abs(told.sum(axis=1, dtype=int) - CERTAINTY).max() <= SUM_BOUND
    np.testing.assert_allclose(chip.exact(logits), exact)


def test_the_error_bound_is_what_the_header_states_and_is_nearly_reached() -> None:
    assert ERROR_BOUND < 0.52
    chip = IntegerSoftmax(0.0223, 0.3)
    logits = np.concatenate([patternless(200_000, 1), patternless(200_000, 2, 30)])
    error = np.abs(chip.probabilities(logits) - CERTAINTY * chip.exact(logits)).max()
    assert 0.499 < error <= ERROR_BOUND


@settings(max_examples=200)
@given(softmaxes, rows)
def test_probabilities_are_ordered_as_the_logits(chip: IntegerSoftmax, logits: Logits) -> None:
    told = chip.probabilities(logits)
    larger_or_equal = logits[:, :, None] >= logits[:, None, :]  # both ways for equal logits: equal probabilities
    assert (told[:, :, None] >= told[:, None, :])[larger_or_equal].all()
    decided = logits.argmax(axis=1)
    assert (told[np.arange(len(told)), decided] == told.max(axis=1)).all()
    assert told.max(axis=1).min() >= 43


@settings(max_examples=100)
@given(softmaxes, rows, st.permutations(range(6)), st.integers(0, 255))
def test_neither_order_nor_origin_of_the_logits_matters(
    chip: IntegerSoftmax, logits: Logits, order: list[int], shift: int
) -> None:
    told = chip.probabilities(logits)
    assert np.array_equal(chip.probabilities(logits[:, order]), told[:, order])
    low = (logits.astype(int) - logits.min(axis=1, keepdims=True)).clip(max=255 - shift)
    moved = low - 128 + shift
    assert np.array_equal(chip.probabilities((low - 128).astype(np.int8)), chip.probabilities(moved.astype(np.int8)))


@settings(max_examples=30)
@given(softmaxes, st.lists(st.integers(-128, 127), min_size=5, max_size=5))
def test_a_larger_logit_never_makes_its_class_less_probable(chip: IntegerSoftmax, others: list[int]) -> None:
    logits = np.array([[value, *others] for value in range(-128, 128)], np.int8)
    assert (np.diff(chip.probabilities(logits)[:, 0].astype(int)) >= 0).all()


def test_ties_share_and_nothing_known_is_a_sixth_each() -> None:
    chip = IntegerSoftmax(0.05)
    tied = np.array([[7] * 6, [127, 127, -128, -128, -128, -128]], np.int8)
    told = chip.probabilities(tied)
    assert told[0].tolist() == [43] * 6
    assert told[1, 0] == told[1, 1]


def test_colder_is_surer_and_never_another_class() -> None:
    logits = patternless(500, 3)
    sureness = [
        IntegerSoftmax(0.02, temperature).probabilities(logits).max(axis=1).astype(int)
        for temperature in (TEMPERATURE_MAX, 2.0, 1.0, 0.5, TEMPERATURE_MIN)
    ]
    for warmer, colder in itertools.pairwise(sureness):
        assert (colder >= warmer).all()
    assert sureness[0].max() <= 50
    alone = np.sort(logits, axis=1)[:, -1] > np.sort(logits, axis=1)[:, -2]
    assert sureness[-1][alone].min() >= 152  # one step of 0.02 at T = 0.01, five times: e² / (e² + 5)


# -- the table -------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(softmaxes)
def test_a_table_falls_from_one_and_is_rounded_rightly(chip: IntegerSoftmax) -> None:
    table = np.array(chip.table)
    assert len(table) == 256
    assert table[0] == WEIGHT_ONE
    assert (np.diff(table) <= 0).all()
    exact = WEIGHT_ONE * np.exp(-np.arange(256) * chip.scale / chip.temperature)
    assert np.abs(table - exact).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("scale", [0.0, -0.1, math.nan, math.inf])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(ConversionError, match="expected a positive scale"):
        IntegerSoftmax(scale)


@pytest.mark.parametrize("logits", [np.zeros((3, 6), np.int16), np.zeros((6, 5), np.int8), np.int8(1)])
def test_what_are_no_logits_is_refused(logits: Logits) -> None:
    with pytest.raises(ConversionError, match="expected int8 logits"):
        IntegerSoftmax(0.1).probabilities(logits)


# -- the twin in C++ -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", confidence_vectors.CASES)
def test_both_languages_agree_on_every_bit(name: str, library: Native) -> None:
    chip = confidence_vectors.CASES[name]
    logits = np.concatenate([confidence_vectors.logits(), *(patternless(20_000, 4, s) for s in (1, 2, 20, 128))])
    assert np.array_equal(library.softmax(chip.table, logits), chip.probabilities(logits))


def test_the_firmware_has_the_shipped_bundles_softmax(library: Native) -> None:
    logits = patternless(50_000, 5)
    expected = Bundle.load(ROOT / "models" / "compact").softmax.probabilities(logits)
    assert np.array_equal(library.probabilities(logits), expected)
