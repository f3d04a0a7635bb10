"""The resampler: as flat and as deep as stated, exact where it promises to be, the same to the bit in NumPy and C++."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hardwear.codegen.resampler_kernel import render
from hardwear.contract import INT16_MAX, INT16_MIN, SAMPLE_RATE_HZ
from hardwear.errors import DatasetError
from hardwear.wearable.resampling import (
    FOLD_HZ,
    KERNEL,
    MAX_RATE_HZ,
    MAX_STEP,
    MIN_RATE_HZ,
    MIN_STEP,
    ONE,
    PASS_HZ,
    PHASES,
    STEP_BITS,
    TAPS,
    StreamResampler,
    resample,
    step_of_rate,
)
from native import FIRMWARE, Native, build_library

Counts = npt.NDArray[np.int16]

steps = st.integers(MIN_STEP, MAX_STEP)
any_counts = hnp.arrays(np.int16, st.tuples(st.integers(1, 120), st.just(6)))


@pytest.fixture(scope="module")
def library() -> Native:
    return build_library()


def patternless(samples: int, seed: int) -> Counts:
    return np.random.default_rng(seed).integers(INT16_MIN, INT16_MAX + 1, (samples, 6)).astype(np.int16)


def tone(hertz: float, rate: float, samples: int, height: float) -> Counts:
    wave = height * np.cos(2 * np.pi * hertz / rate * np.arange(samples))
    return np.repeat(np.rint(wave).astype(np.int16)[:, None], 6, axis=1)


def by_the_book(counts: Counts, steps: Sequence[int]) -> Counts:
    """The specification in Python's integers, one output after the other at its position from the first sample."""
    position, out = 0, []
    for pushed, step in enumerate(steps):
        while (position >> STEP_BITS) + TAPS // 2 <= pushed:
            whole, fraction = position >> STEP_BITS, position % ONE
            phase, blend = fraction * PHASES // ONE, fraction % (ONE // PHASES)
            row = []
            for channel in range(6):
                x = [int(counts[max(whole - TAPS // 2 + 1 + j, 0), channel]) for j in range(TAPS)]
                sums = [sum(int(h) * v for h, v in zip(KERNEL.taps[p], x, strict=True)) for p in (phase, phase + 1)]
                exact = sums[0] * (ONE // PHASES - blend) + sums[1] * blend
                unit = (ONE // PHASES) << 15
                row.append(min(max((exact + unit // 2) // unit, INT16_MIN), INT16_MAX))
            out.append(row)
            position += step
    return np.array(out, dtype=np.int16).reshape(-1, 6)


# -- the kernel ------------------------------------------------------------------------------------------------------


def test_the_committed_header_is_what_python_renders() -> None:
    committed = (FIRMWARE / "core" / "resampler_kernel.h").read_text()
    assert committed == render(), "run python tools/resampler_kernel.py"


def test_every_row_sums_to_one_and_fits_the_chips_words() -> None:
    taps = KERNEL.taps
    assert taps.shape == (PHASES + 1, TAPS)
    assert (taps.sum(axis=1) == 2**15).all()
    assert np.abs(taps).max() < 2**15
    assert KERNEL.l1_norm < 2**16


def test_the_kernel_is_even_and_has_no_seam() -> None:
    taps = KERNEL.taps
    np.testing.assert_array_equal(taps[1 : PHASES // 2], taps[PHASES // 2 + 1 : PHASES][::-1, ::-1])
    np.testing.assert_array_equal(taps[-1], np.concatenate([[0], taps[0, :-1]]))
    assert taps[0, -1] == 0


def test_below_15_hz_it_is_flat_at_every_rate() -> None:
    gain = np.abs(KERNEL.response(np.linspace(0, PASS_HZ / MIN_RATE_HZ, 400)))
    assert np.abs(20 * np.log10(gain)).max() < 0.01
    assert KERNEL.response([0.0])[0] == pytest.approx(1.0, abs=1e-12)


def test_all_that_would_fold_below_15_hz_and_every_image_is_60_db_down_with_margin() -> None:
    gain = np.abs(KERNEL.response(np.linspace(FOLD_HZ / MAX_RATE_HZ, 2 * PHASES + 1, 12_000)))
    assert 20 * np.log10(gain.max()) < -66


@pytest.mark.parametrize("rate", [95.3, 100.7, 113.1, 119.3, 124.9, 130.9])
def test_the_stated_response_is_what_the_integers_do(rate: float) -> None:
    """Full-scale tones through the integer resampler: what comes out beside the tone is what `response` says."""
    step = step_of_rate(rate)
    for hertz in (3.0, 11.0, 14.9, 20.0, 36.0, 44.0):
        out = resample(tone(hertz, rate, 6000, 32000.0), step)[50:, 0].astype(np.float64)
        time = (50 + np.arange(len(out))) * (step / ONE) / rate
        basis = np.stack([np.cos(2 * np.pi * hertz * time), np.sin(2 * np.pi * hertz * time)], axis=1)
        height, *_ = np.linalg.lstsq(basis, out, rcond=None)
        gain = KERNEL.response([hertz / rate])[0]
        assert np.hypot(*height) / 32000 == pytest.approx(abs(gain), abs=1e-4)  # an image may fall onto the tone
        rest = out - basis @ height
        assert np.sqrt(np.mean(rest**2)) < max(1.0, 32000 * 10 ** (-60 / 20) / np.sqrt(2))


# -- what it promises --------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(steps, st.integers(INT16_MIN, INT16_MAX), st.integers(1, 400))
def test_a_constant_passes_exactly_and_as_many_come_as_are_due(step: int, value: int, samples: int) -> None:
    out = resample(np.full((samples, 6), value, dtype=np.int16), step)
    assert (out == value).all()
    ready = samples - TAPS // 2  # moments before which everything is known
    assert len(out) == (0 if ready <= 0 else ((ready << STEP_BITS) - 1) // step + 1)


@settings(max_examples=60)
@given(any_counts, st.data())
def test_however_a_stream_is_cut_the_outputs_are_the_same(counts: Counts, data: st.DataObject) -> None:
    step = data.draw(steps)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(counts)), max_size=6)))
    stream = StreamResampler(step)
    parts = [stream.push(part) for part in np.split(counts, cuts)]
    np.testing.assert_array_equal(np.concatenate(parts), resample(counts, step))


@settings(max_examples=25)
@given(hnp.arrays(np.int16, st.tuples(st.integers(1, 60), st.just(6))), st.data())
def test_numpy_does_what_the_specification_says(counts: Counts, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(steps, min_size=len(counts), max_size=len(counts)))
    stream = StreamResampler(chosen[0])
    parts = []
    for sample, step in zip(counts, chosen, strict=True):
        stream.set_step(step)
        parts.append(stream.push(sample[None]))
    np.testing.assert_array_equal(np.concatenate(parts), by_the_book(counts, chosen))


def test_full_scale_saturates_and_never_wraps() -> None:
    blocks = np.repeat(np.where(np.arange(400) // 9 % 2, INT16_MAX, INT16_MIN).astype(np.int16)[:, None], 6, axis=1)
    out = resample(blocks, step_of_rate(100.3))
    assert (out == INT16_MAX).any()
    assert (out == INT16_MIN).any()
    inside = np.abs(out.astype(int)).min(axis=1) > 16000
    position = np.arange(len(out)) * (step_of_rate(100.3) / ONE)
    nearest = blocks[np.rint(position).astype(int)]
    np.testing.assert_array_equal(np.sign(out[inside]), np.sign(nearest[inside]))


@settings(max_examples=30)
@given(st.lists(steps, min_size=8, max_size=8))
def test_a_change_of_the_step_never_jumps(chosen: list[int]) -> None:
    """On a straight line an output tells where it was read off: always one step after the one before."""
    line = np.repeat((20 * np.arange(800) - 8000).astype(np.int16)[:, None], 6, axis=1)
    stream = StreamResampler(chosen[0])
    position, at = 0, []
    out = []
    for part, step in zip(np.split(line, 8), chosen, strict=True):
        stream.set_step(step)
        for sample in part:
            even = stream.push(sample[None])
            out.append(even)
            for _ in even:
                at.append(position)
                position += step
    read = np.concatenate(out)[:, 0]
    expected = 20 * np.array(at) / ONE - 8000
    assert np.abs(read - expected)[12:].max() <= 0.6


def test_a_reset_begins_anew_and_keeps_the_step() -> None:
    stream = StreamResampler(step_of_rate(119))
    first = stream.push(patternless(200, 1))
    stream.reset()
    assert stream.step == step_of_rate(119)
    np.testing.assert_array_equal(stream.push(patternless(200, 1)), first)


def test_steps_beyond_the_kernel_are_held_to_it() -> None:
    assert StreamResampler(0).step == MIN_STEP
    assert StreamResampler(2**32 - 1).step == MAX_STEP
    assert step_of_rate(SAMPLE_RATE_HZ * 2.0) == 2 * ONE


def test_other_types_and_shapes_are_refused() -> None:
    stream = StreamResampler(2 * ONE)
    for wrong in (np.zeros((4, 6)), np.zeros((4, 5), np.int16), np.zeros(6, np.int16)):
        with pytest.raises(DatasetError, match=r"expected int16 counts of shape \(N, 6\)"):
            stream.push(wrong)  # type: ignore[arg-type]
    assert stream.push(np.zeros((0, 6), np.int16)).shape == (0, 6)


# -- the chip --------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(any_counts, st.data())
def test_numpy_and_cpp_agree_on_every_bit_whatever_the_steps(
    library: Native, counts: Counts, data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.integers(0, 2**32 - 1) | steps, min_size=len(counts), max_size=len(counts)))
    stream = StreamResampler(chosen[0])
    parts = []
    for sample, step in zip(counts, chosen, strict=True):
        stream.set_step(step)
        parts.append(stream.push(sample[None]))
    np.testing.assert_array_equal(library.resample(counts, chosen), np.concatenate(parts))


@pytest.mark.parametrize("rate", [90.0, 95.0, 100.0, 113.05, 119.0, 124.95, 131.0])
def test_they_agree_on_minutes_of_full_scale(library: Native, rate: float) -> None:
    counts = patternless(20_000, round(rate))
    counts[::3] = np.where(counts[::3] < 0, INT16_MIN, INT16_MAX)
    step = step_of_rate(rate)
    out = resample(counts, step)
    assert len(out) > 7000
    np.testing.assert_array_equal(library.resample(counts, step), out)
