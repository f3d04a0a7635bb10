"""Recorded motion as a sensor of another rate tells it, and what the chip makes of that at 50 Hz again.

`disturbances.drift` is a rate that nobody notices; here the chip knows or measures it and resamples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy.signal import firwin, resample_poly

from hardwear.contract import SAMPLE_RATE_HZ, WINDOW_SAMPLES, from_counts, to_counts
from hardwear.datasets import Recording
from hardwear.studies.robustness import Cut, condition_all
from hardwear.wearable.rate_meter import RateMeter
from hardwear.wearable.resampling import ONE, TAPS, StreamResampler, step_of_rate

DRAIN_MS = (40, 160)
"""Between two looks into the sensor's FIFO, shortest and longest."""

_HALF_LENGTH = 32
"""Samples of 50 Hz to each side that a value between them is made of: a transition from 23 to 27 Hz, 80 dB deep."""

Int16Array = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Resampled:
    """A recording at 50 Hz again."""

    counts: Int16Array
    """(M, 6)."""
    seconds: FloatArray
    """(M,) the moment of each, from the first sample on."""


def as_sensor(samples: FloatArray, hertz: Fraction) -> Int16Array:
    """(N, 6) raw samples at 50 Hz in physical units to (M, 6) counts of a sensor of another rate, band-limited."""
    ratio = hertz / SAMPLE_RATE_HZ
    finer = max(ratio.numerator, ratio.denominator)
    low_pass = firwin(2 * _HALF_LENGTH * finer + 1, 1 / finer, window=("kaiser", 8.0))
    return to_counts(
        resample_poly(samples, ratio.numerator, ratio.denominator, axis=0, window=low_pass, padtype="edge")
    )


def at_known_rate(counts: Int16Array, hertz: Fraction) -> Resampled:
    """Back to 50 Hz by a chip that knows the rate exactly."""
    step = step_of_rate(float(hertz))
    out = StreamResampler(step).push(_with_tail(counts))
    return Resampled(out, step * np.arange(len(out)) / ONE / float(hertz))


def at_measured_rate(counts: Int16Array, hertz: Fraction, nominal_millihertz: int, seed: Sequence[int]) -> Resampled:
    """Back to 50 Hz by a chip that knows the data sheet and measures the rate while it goes on.

    It looks into the sensor's FIFO at irregular times, drawn by `seed`. The meter runs in half a minute; the worst of
    the start, some per cent of wrong rate for two seconds, is in the result.
    """
    told = _with_tail(counts)
    rng = np.random.default_rng(seed)
    meter, stream = RateMeter(nominal_millihertz), StreamResampler(1)
    parts, positions, position = [], [], 0
    taken, now_us = 0, 0
    while taken < len(told):
        now_us += int(rng.integers(1000 * DRAIN_MS[0], 1000 * DRAIN_MS[1]))
        there = min(len(told), int(now_us * hertz / 1_000_000) + 1)  # the first sample came at time zero
        meter.add(now_us, there - taken)
        stream.set_step(meter.step)
        out = stream.push(told[taken:there])
        parts.append(out)
        positions.append(position + stream.step * np.arange(len(out), dtype=np.int64))
        position += stream.step * len(out)
        taken = there
    return Resampled(np.concatenate(parts), np.concatenate(positions) / ONE / float(hertz))


def _with_tail(counts: Int16Array) -> Int16Array:
    """The last sample repeated until the resampler has told of all that is there."""
    return np.concatenate([counts, np.repeat(counts[-1:], TAPS, axis=0)])


def conditioned(recordings: Sequence[Resampled]) -> list[Int16Array]:
    """Each recording to conditioned counts, from its first sample on."""
    return condition_all([from_counts(recording.counts) for recording in recordings])


def moments(cut: Cut, recordings: Sequence[Resampled]) -> Cut:
    """Where the windows of a cut at 50 Hz begin in recordings whose samples lie elsewhere: at the nearest moment."""
    starts = []
    for row, start in zip(cut.recording.tolist(), cut.start.tolist(), strict=True):
        seconds = recordings[row].seconds
        nearest = int(np.abs(seconds - start / SAMPLE_RATE_HZ).argmin())
        starts.append(min(nearest, len(seconds) - WINDOW_SAMPLES))
    return Cut(cut.recording, np.array(starts, dtype=np.int64), cut.labels)


def of_people(recordings: Sequence[Recording], people: npt.NDArray[np.int64]) -> list[Recording]:
    """The recordings of some people."""
    return [recording for recording in recordings if recording.user in set(people.tolist())]
