"""What the fixed-point chain promises whatever comes in."""

from typing import Any

import numpy as np
import pytest
from conditioning_signals import Counts, every_kind, full_scale, worst_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hardwear.conditioning import FILTER_SPEC, StreamConditioner, condition_counts, fixed_point, reference
from hardwear.conditioning.design import ALLOWED_ERROR_COUNTS, error_bound, ideal_responses
from hardwear.conditioning.spec import responses
from hardwear.contract import ACC, GYRO, INT16_MAX, INT16_MIN, from_counts, to_counts
from hardwear.errors import DatasetError

SETTLED = 2000
"""Samples after which the offset's slowest pole has brought full scale below a hundredth of a count."""

recordings = st.integers(0, 40).flatmap(lambda samples: arrays(np.int16, (samples, 6)))


@given(recordings, st.lists(st.integers(0, 40), max_size=6))
def test_a_stream_does_not_depend_on_how_it_is_cut(counts: Counts, cuts: list[int]) -> None:
    stream = StreamConditioner()
    pieces = [stream.push(chunk) for chunk in np.split(counts, sorted(min(cut, len(counts)) for cut in cuts))]
    streamed = np.concatenate([*pieces, stream.flush()])
    np.testing.assert_array_equal(streamed, condition_counts(counts))
    assert streamed.shape == counts.shape


@given(recordings)
def test_flush_begins_a_new_recording(counts: Counts) -> None:
    stream = StreamConditioner()
    first = np.concatenate([stream.push(counts), stream.flush()])
    second = np.concatenate([stream.push(counts), stream.flush()])
    np.testing.assert_array_equal(first, second)
    assert stream.flush().shape == (0, 6)


def test_recordings_side_by_side_do_not_mix() -> None:
    counts = np.random.default_rng(0).integers(INT16_MIN, INT16_MAX, (2, 3, 200, 6)).astype(np.int16)
    together = condition_counts(counts)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[i], condition_counts(counts[i]))


def test_an_output_comes_one_sample_after_its_input() -> None:
    counts = np.random.default_rng(1).integers(INT16_MIN, INT16_MAX, (50, 6)).astype(np.int16)
    whole = condition_counts(counts)
    stream = StreamConditioner()
    assert stream.push(counts[:1]).shape == (0, 6)
    for n in range(1, 50):
        np.testing.assert_array_equal(stream.push(counts[n : n + 1]), whole[n - 1 : n])
    np.testing.assert_array_equal(stream.flush(), whole[-1:])


@given(st.integers(0, 300))
def test_silence_stays_silence(samples: int) -> None:
    assert not condition_counts(np.zeros((samples, 6), dtype=np.int16)).any()


@settings(max_examples=20)
@given(arrays(np.int16, 6))
def test_constant_acceleration_passes_exactly_and_constant_turning_vanishes(levels: Counts) -> None:
    out = condition_counts(np.tile(levels, (SETTLED + 50, 1)))[SETTLED:]
    np.testing.assert_array_equal(out[:, ACC], np.tile(levels[ACC], (50, 1)))
    assert not out[:, GYRO].any()


def test_no_level_of_constant_acceleration_gets_stuck_beside_itself() -> None:
    levels = np.arange(INT16_MIN, INT16_MAX + 1, 31).astype(np.int16)
    counts = np.broadcast_to(levels[:, np.newaxis, np.newaxis], (len(levels), 250, 6))
    np.testing.assert_array_equal(condition_counts(counts)[:, -1, ACC], np.repeat(levels[:, np.newaxis], 3, axis=1))


def test_overshoot_saturates_instead_of_wrapping() -> None:
    out = condition_counts(full_scale(np.arange(400) < 200))
    assert out[:, ACC].max() == INT16_MAX
    assert out[:, ACC].min() == INT16_MIN
    assert (out[5:199, ACC] > 0).all()
    assert (out[205:399, ACC] < 0).all()


def test_a_single_outlier_leaves_no_trace() -> None:
    counts = np.zeros((300, 6), dtype=np.int16)
    counts[100] = INT16_MIN
    assert not condition_counts(counts).any()


def test_the_error_stays_within_the_proven_bound_for_every_kind_of_signal() -> None:
    bound = error_bound(FILTER_SPEC).total
    assert bound <= ALLOWED_ERROR_COUNTS
    for kind, counts in every_kind(FILTER_SPEC, samples=8192, recordings=16).items():
        ideal = np.clip(reference.condition(counts), INT16_MIN, INT16_MAX)
        error = np.abs(condition_counts(counts) - ideal).max()
        assert error <= 0.5 + bound, kind


def test_the_bound_is_no_wish_but_nearly_reached() -> None:
    """The worst case of the offset's coefficients alone moves the output by most of what the bound grants them."""
    after = responses(FILTER_SPEC)
    difference = after[4][0] - after[5][0] - ideal_responses()[1]
    signal = np.sign(difference[::-1]) * 2**15
    assert float(difference[::-1] @ signal) == pytest.approx(error_bound(FILTER_SPEC).coefficients[1])


def test_the_input_is_not_touched() -> None:
    counts = worst_cases(FILTER_SPEC, 300)
    before = counts.copy()
    counts.setflags(write=False)
    condition_counts(counts)
    np.testing.assert_array_equal(counts, before)


def test_physical_units_go_through_the_same_integers() -> None:
    samples = np.random.default_rng(3).normal(0, 1, (2, 500, 6))
    np.testing.assert_array_equal(fixed_point.condition(samples), from_counts(condition_counts(to_counts(samples))))
    assert np.abs(fixed_point.condition(samples) - reference.condition(samples)).max() < 2e-3


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.zeros((10, 6)), "int16 array, got an array of float64; convert with contract.to_counts"),
        (np.zeros((10, 6), dtype=np.int32), "got an array of int32"),
        ([[0] * 6], "got list"),
        (np.zeros(6, dtype=np.int16), r"expected counts of shape \(.*N, 6\) .* got \(6,\)"),
        (np.zeros((10, 5), dtype=np.int16), r"got \(10, 5\)"),
        (np.zeros((6, 10), dtype=np.int16), r"got \(6, 10\)"),
    ],
)
def test_other_input_is_refused_with_what_was_expected(counts: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        condition_counts(counts)
    with pytest.raises(DatasetError, match=message):
        StreamConditioner().push(counts)


def test_a_stream_refuses_another_number_of_recordings() -> None:
    stream = StreamConditioner(leading=(2,))
    with pytest.raises(DatasetError, match=r"expected counts of shape \(2, N, 6\) .* got \(3, 10, 6\)"):
        stream.push(np.zeros((3, 10, 6), dtype=np.int16))
