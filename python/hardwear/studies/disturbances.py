"""What may go wrong between a body and the chip, done to raw recordings, which are conditioned afterwards.

Each function takes and gives (N, 6) float64 in the contract's units and leaves its argument as it is.
"""

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly
from scipy.spatial.transform import Rotation

from hardwear.contract import ACC, GYRO, WINDOW_SAMPLES

FloatArray = npt.NDArray[np.float64]


def random_axes(count: int, seed: int) -> FloatArray:
    """(count, 3) unit vectors, drawn evenly over the sphere."""
    drawn = np.random.default_rng(seed).standard_normal((count, 3))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def rotate(samples: FloatArray, axis: npt.ArrayLike, degrees: float) -> FloatArray:
    """The board turned about a unit vector: both sensors turn, as they sit on it."""
    rotation = Rotation.from_rotvec(np.radians(degrees) * np.asarray(axis, dtype=np.float64))
    return np.hstack([rotation.apply(samples[:, ACC]), rotation.apply(samples[:, GYRO])])


def drift(samples: FloatArray, percent: int) -> FloatArray:
    """What a sensor gives that samples `percent` faster than 50 Hz, while everybody takes it for 50 Hz.

    Band-limited (a Kaiser-windowed FIR), so that nothing is added or lost below the low-pass's 20 Hz. Sample n of the
    result shows the moment of sample n / (1 + percent / 100).
    """
    return np.asarray(resample_poly(samples, 100 + percent, 100, axis=0, padtype="edge"))


def drifted_start(start: int, percent: int) -> int:
    """Where a window begins that shows the same middle after `drift`."""
    half = WINDOW_SAMPLES // 2
    return round((start + half) * (1 + percent / 100)) - half


def gain(samples: FloatArray, acceleration: float, angular_rate: float) -> FloatArray:
    """A sensor whose sensitivity is off: 0.05 reads 5 % too much."""
    return np.asarray(samples * np.repeat([1.0 + acceleration, 1.0 + angular_rate], 3))


def noise(samples: FloatArray, acc_g: float, gyro_rad_s: float, seed: tuple[int, ...]) -> FloatArray:
    """White noise of these standard deviations per sample, drawn by `seed`."""
    drawn = np.random.default_rng(seed).standard_normal(samples.shape)
    return np.asarray(samples + drawn * np.repeat([acc_g, gyro_rad_s], 3))


def stick(samples: FloatArray, channel: int, value: float) -> FloatArray:
    """One axis that always reads the same."""
    stuck = samples.copy()
    stuck[:, channel] = value
    return stuck
