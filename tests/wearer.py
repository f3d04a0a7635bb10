"""A synthetic wearer for the calibration: stands, and walks so that the heading is known.

What is horizontal follows what is vertical by the very weights that the calibration looks for, so that it finds a
heading of exactly forward. Says nothing about people; docs/mounting.md does.
"""

import numpy as np
import numpy.typing as npt

from hardwear.contract import CHANNEL_COUNT
from hardwear.wearable.calibration import BLOCK_SAMPLES, DIRECTION_MODEL, LAGS, STILL_SAMPLES, UNIT_BITS, WALK_BLOCKS
from hardwear.wearable.orientation import ONE

Array = npt.NDArray[np.float64]
Int16Array = npt.NDArray[np.int16]

TILT: Array = np.array(DIRECTION_MODEL.tilt, dtype=np.float64) / 2**UNIT_BITS
"""From gravity on x to how people's boards hang."""


def standing(samples: int = STILL_SAMPLES, seed: int = 0, one_g: float = DIRECTION_MODEL.rest_counts) -> Array:
    """(samples, 6) counts in UCI-HAR's axes, as a sensor gives them whose 1 g is `one_g` counts."""
    noise = np.random.default_rng(seed).standard_normal((samples, CHANNEL_COUNT)) * (20, 20, 20, 10, 10, 10)
    up = np.concatenate([one_g * (TILT @ [1.0, 0.0, 0.0]), np.zeros(3)])
    return np.asarray(up + noise)


def walking(samples: int, seed: int = 0, one_g: float = DIRECTION_MODEL.rest_counts) -> Array:
    """(samples, 6) counts in UCI-HAR's axes."""
    count = max(WALK_BLOCKS, -(-samples // BLOCK_SAMPLES))
    margin = max(LAGS)
    times = (np.arange(count + 2 * margin) - margin) * BLOCK_SAMPLES / 50.0
    strides = 2 * np.pi * 0.95 * times
    up = 0.25 * np.sin(2 * strides) + 0.08 * np.sin(4 * strides + 1.0)
    turning = 0.4 * np.sin(strides + 0.3) + 0.15 * np.sin(3 * strides)
    weights = np.array(DIRECTION_MODEL.weights, dtype=np.float64) @ [1.0, -1j] / ONE
    inner = slice(margin, margin + count)
    followers = []
    for rows in ((0, 2), (1, 3)):  # acceleration, angular rate
        followed = np.zeros(count, dtype=np.complex128)
        for leader, row in zip((up, turning), rows, strict=True):
            scaled = leader / leader.std()
            for lag, weight in zip(LAGS, weights[row], strict=True):
                followed += weight * scaled[margin - lag : margin - lag + count]
        followers.append(followed / np.abs(followed).std())
    acc = np.stack([1.0 + up[inner], 0.13 * followers[0].real, 0.13 * followers[0].imag], axis=1) * one_g
    gyro = np.stack([turning[inner], 0.3 * followers[1].real, 0.3 * followers[1].imag], axis=1) * 2048
    moved = np.repeat(np.hstack([acc @ TILT.T, gyro @ TILT.T]), BLOCK_SAMPLES, axis=0)[:samples]
    noise = np.random.default_rng(seed).standard_normal(moved.shape) * (60, 60, 60, 30, 30, 30)
    return np.asarray(moved + noise)


def mounted(samples: Array, board_from_body: Array) -> Int16Array:
    """What a board mounted so reads."""
    turned = np.hstack([samples[:, :3] @ board_from_body.T, samples[:, 3:] @ board_from_body.T])
    return np.clip(np.rint(turned), -32768, 32767).astype(np.int16)
