"""The chip's input quantiser is integer arithmetic, and yet says what the float formula says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardwear.contract import CHANNEL_COUNT, COUNTS_PER_UNIT, from_counts, to_counts
from hardwear.errors import ConversionError
from hardwear.quantization.quantizer import InputQuantizer

EVERY_COUNT = np.arange(-(2**15), 2**15).astype(np.int16)
BOUNDARY_WIDTH = 1e-4
"""In int8 steps: the integers may round to the other side only this close to a half."""

means = st.tuples(*[st.floats(-3.0, 3.0)] * CHANNEL_COUNT)
stds = st.tuples(*[st.floats(0.02, 3.0)] * CHANNEL_COUNT)
scales = st.floats(0.002, 0.2)
zero_points = st.integers(-128, 127)


def float_steps(counts, mean, std, scale, zero_point):
    """The definition: units, normalisation, scale, zero point, in float64 and not yet rounded."""
    return (from_counts(counts) - np.array(mean)) / np.array(std) / scale + zero_point


def all_channels(counts):
    return np.repeat(counts[:, np.newaxis], CHANNEL_COUNT, axis=1)


@given(means, stds, scales, zero_points)
def test_integers_differ_from_float_by_one_step_at_most_and_only_at_rounding_boundaries(mean, std, scale, zero_point):
    counts = all_channels(EVERY_COUNT[::7])
    actual = InputQuantizer.design(mean, std, scale, zero_point).quantize(counts).astype(np.int64)
    exact = float_steps(counts, mean, std, scale, zero_point)
    expected = np.clip(np.floor(exact + 0.5), -128, 127)
    difference = np.abs(actual - expected)
    assert difference.max() <= 1
    to_boundary = np.abs(exact + 0.5 - np.rint(exact + 0.5))
    assert (to_boundary[difference == 1] < BOUNDARY_WIDTH).all()


@given(
    st.tuples(*[st.integers(1, 2**31 - 1)] * CHANNEL_COUNT),
    st.tuples(*[st.integers(-(2**62), 2**62)] * CHANNEL_COUNT),
    st.integers(0, 62),
)
def test_no_count_overflows_whatever_the_numbers(multiplier, offset, shift):
    quantizer = InputQuantizer(multiplier, offset, shift)
    counts = all_channels(np.array([-32768, -32767, -1, 0, 1, 32767], np.int16))
    expected = [
        [max(-128, min(127, (int(c) * m + o) >> shift)) for c, m, o in zip(row, multiplier, offset, strict=True)]
        for row in counts
    ]
    assert quantizer.quantize(counts).tolist() == expected


@given(means, stds, scales, zero_points)
def test_larger_counts_never_give_smaller_inputs(mean, std, scale, zero_point):
    steps = InputQuantizer.design(mean, std, scale, zero_point).quantize(all_channels(EVERY_COUNT[::13]))
    assert (np.diff(steps.astype(np.int64), axis=0) >= 0).all()


def test_the_mean_falls_on_the_zero_point_and_one_deviation_on_its_steps():
    quantizer = InputQuantizer.design([0.8, 0, 0, 0, 0, 0], [0.4] * 3 + [0.5] * 3, scale=0.05, zero_point=-10)
    window = np.zeros((128, CHANNEL_COUNT))
    window[:, 0] = 0.8
    assert (quantizer.quantize(to_counts(window)) == -10).all()
    window[:, 0], window[:, 1:] = 1.2, [0.4, 0.4, 0.5, 0.5, 0.5]
    assert (quantizer.quantize(to_counts(window)) == 10).all()


def test_counts_beyond_the_range_saturate_at_both_ends():
    quantizer = InputQuantizer.design([0] * 6, [0.1] * 6, scale=0.02, zero_point=0)
    ends = quantizer.quantize(all_channels(np.array([-32768, 32767], np.int16)))
    assert ends.tolist() == [[-128] * 6, [127] * 6]


def test_any_leading_axes_are_taken():
    quantizer = InputQuantizer.design([0] * 6, [1] * 6, scale=0.03, zero_point=3)
    counts = np.random.default_rng(0).integers(-(2**15), 2**15, (4, 128, 6)).astype(np.int16)
    whole = quantizer.quantize(counts)
    assert whole.shape == counts.shape
    assert whole.dtype == np.int8
    assert all((quantizer.quantize(window) == rows).all() for window, rows in zip(counts, whole, strict=True))


def test_the_multipliers_use_what_their_31_bits_hold():
    quantizer = InputQuantizer.design([0] * 6, [0.4] * 6, scale=0.04, zero_point=0)
    assert 2**30 <= max(quantizer.multiplier) < 2**31
    exact = 2.0**quantizer.shift / (COUNTS_PER_UNIT * 0.4 * 0.04)
    assert np.abs(np.array(quantizer.multiplier) - exact).max() <= 0.5


@pytest.mark.parametrize(
    ("mean", "std", "scale", "zero_point"),
    [
        ([0] * 5, [1] * 5, 0.1, 0),
        ([0] * 6, [1, 1, 0, 1, 1, 1], 0.1, 0),
        ([0] * 6, [1, 1, float("nan"), 1, 1, 1], 0.1, 0),
        ([float("inf")] * 6, [1] * 6, 0.1, 0),
        ([0] * 6, [1] * 6, 0.0, 0),
        ([0] * 6, [1] * 6, 0.1, 128),
        ([0] * 6, [1e-12] * 5 + [1e12], 0.1, 0),
    ],
)
def test_what_can_not_be_quantised_is_refused(mean, std, scale, zero_point):
    with pytest.raises(ConversionError, match="expected"):
        InputQuantizer.design(mean, std, scale, zero_point)


@pytest.mark.parametrize(
    "counts",
    [
        np.zeros((128, 6)),
        np.zeros((128, 6), np.int32),
        np.zeros((128, 5), np.int16),
        np.int16(3) * np.ones((), np.int16),
    ],
)
def test_only_int16_samples_of_six_channels_are_taken(counts):
    quantizer = InputQuantizer.design([0] * 6, [1] * 6, scale=0.1, zero_point=0)
    with pytest.raises(ConversionError, match="int16"):
        quantizer.quantize(counts)
