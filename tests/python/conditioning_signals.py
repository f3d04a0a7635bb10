"""Signals that are hard on a fixed-point filter, by kind, each an int16 batch (recordings, samples, 6)."""

import numpy as np
import numpy.typing as npt

from hardwear.conditioning.spec import FilterSpec, responses
from hardwear.contract import CHANNEL_COUNT, INT16_MAX, INT16_MIN

Counts = npt.NDArray[np.int16]


def full_scale(high: npt.ArrayLike) -> Counts:
    """32767 where true, -32768 where false, the same in every channel."""
    levels = np.where(high, INT16_MAX, INT16_MIN).astype(np.int16)
    return np.repeat(levels[..., np.newaxis], CHANNEL_COUNT, axis=-1)


def random(recordings: int, samples: int, seed: int = 0) -> Counts:
    """Uniform over all of int16."""
    rng = np.random.default_rng(seed)
    shape = (recordings, samples, CHANNEL_COUNT)
    return rng.integers(INT16_MIN, INT16_MAX, shape, dtype=np.int16, endpoint=True)


def random_extremes(recordings: int, samples: int, seed: int = 1) -> Counts:
    """32767 or -32768 by a coin for every sample and channel."""
    coins = np.random.default_rng(seed).random((recordings, samples, CHANNEL_COUNT)) < 0.5
    return np.where(coins, INT16_MAX, INT16_MIN).astype(np.int16)


def square_waves(samples: int) -> Counts:
    """Full scale, from alternating samples over the resonance of the sharpest section (about 20 Hz) to 0.01 Hz."""
    hertz = np.array([25.0, 24, 22, 21, 20.5, 20, 19.5, 19, 18, 16, 12.5, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.01])
    time = (np.arange(samples) + 0.25) / 50
    return full_scale(np.sin(2 * np.pi * hertz[:, np.newaxis] * time) >= 0)


def steps(samples: int) -> Counts:
    """From zero, and from each limit, to a level, one sample before the middle."""
    levels = np.array([1, -1, 2, 100, -8192, 16384, INT16_MAX, INT16_MIN], dtype=np.int16)
    starts = np.array([0, INT16_MIN, INT16_MAX], dtype=np.int16)
    start, level = (grid.ravel() for grid in np.meshgrid(starts, levels))
    after = np.arange(samples) >= samples // 2 - 1
    signal = np.where(after, level[:, np.newaxis], start[:, np.newaxis]).astype(np.int16)
    return np.repeat(signal[..., np.newaxis], CHANNEL_COUNT, axis=-1)


def worst_cases(spec: FilterSpec, samples: int) -> Counts:
    """For every section the very input that drives its output to its proven bound, or would without the median.

    The last two drive the gyro's output itself, the second of them with every value held for two samples, so that
    the median lets it through.
    """
    after = responses(spec)
    targets = [signals[0, :samples] for signals in after]
    targets.append(after[len(spec.low_pass) - 1][0, :samples] - after[-1][0, :samples])
    signs = [full_scale(target[::-1] >= 0) for target in targets]
    return np.stack([*signs, np.repeat(signs[-1][samples // 2 :], 2, axis=0)[:samples]])


def silence(samples: int) -> Counts:
    """Zeros, then one recording with a single outlier, then the two constants at the limits."""
    batch = np.zeros((4, samples, CHANNEL_COUNT), dtype=np.int16)
    batch[1, samples // 2] = INT16_MAX
    batch[2:] = np.array([INT16_MIN, INT16_MAX], dtype=np.int16)[:, np.newaxis, np.newaxis]
    return batch


def every_kind(spec: FilterSpec, samples: int = 4096, recordings: int = 128) -> dict[str, Counts]:
    """All of the above by name, over 10⁶ samples together for the default sizes."""
    return {
        "random": random(recordings, samples),
        "random extremes": random_extremes(recordings, samples),
        "square waves": square_waves(samples),
        "steps": steps(samples),
        "worst cases": worst_cases(spec, samples),
        "silence, constants": silence(samples),
    }
