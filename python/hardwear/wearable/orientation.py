"""How the board sits on its wearer, in fixed point: twin of `firmware/core/orientation.h`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from hardwear.contract import ACC, CHANNEL_COUNT, INT16_MAX, INT16_MIN

ONE = 1 << 14
"""1.0 in Q14."""
LENGTH_TOLERANCE = 1 << 20
"""How far a row's squared length may lie from 1, and the product of two rows from 0, in Q28: 0.0039."""
MAX_GAIN = 65535
"""The largest gain that a board stores, 4.0."""

Int16Array = npt.NDArray[np.int16]
Row = tuple[int, int, int]


@dataclass(frozen=True)
class Rotation:
    """From the board's axes to UCI-HAR's.

    Raises:
        ValueError: Not 3 x 3 values of 16 bits. Whether it is a rotation is told by `is_rotation`.
    """

    q14: tuple[Row, Row, Row]
    """Row-major, 16384 for 1.0: row i gives UCI-HAR's axis i in the board's axes."""

    def __post_init__(self) -> None:
        if len(self.q14) != 3 or any(len(row) != 3 for row in self.q14):
            raise ValueError(f"expected three rows of three values, got {self.q14}")
        if any(not INT16_MIN <= value <= INT16_MAX for row in self.q14 for value in row):
            raise ValueError(f"expected Q14 values from {INT16_MIN} to {INT16_MAX}, got {self.q14}")

    @classmethod
    def of(cls, values: Sequence[int]) -> Self:
        """From nine values, row by row."""
        if len(values) != 9:
            raise ValueError(f"expected nine values, got {len(values)}")
        a, b, c, d, e, f, g, h, i = (int(v) for v in values)
        return cls(((a, b, c), (d, e, f), (g, h, i)))

    @classmethod
    def of_matrix(cls, matrix: npt.ArrayLike) -> Self:
        """The nearest one to a (3, 3) matrix of real numbers."""
        return cls.of(np.rint(np.asarray(matrix, dtype=np.float64) * ONE).astype(np.int64).ravel().tolist())

    def matrix(self) -> npt.NDArray[np.float64]:
        """(3, 3) real numbers."""
        return np.array(self.q14, dtype=np.float64) / ONE

    def is_rotation(self) -> bool:
        """Rows of length one, at right angles, right-handed: each within `LENGTH_TOLERANCE`."""
        for i in range(3):
            for j in range(i, 3):
                product = sum(a * b for a, b in zip(self.q14[i], self.q14[j], strict=True))
                if abs(product - (ONE * ONE if i == j else 0)) > LENGTH_TOLERANCE:
                    return False
        (a, b, c), (d, e, f), (g, h, i_) = self.q14
        return a * (e * i_ - f * h) - b * (d * i_ - f * g) + c * (d * h - e * g) > 0


IDENTITY = Rotation(((ONE, 0, 0), (0, ONE, 0), (0, 0, ONE)))


@dataclass(frozen=True)
class Mounting:
    """All that calibration finds out.

    Raises:
        ValueError: The gain is not one that a board can hold.
    """

    rotation: Rotation = IDENTITY
    acc_gain_q14: int = ONE
    """What acceleration is multiplied by, 16384 for 1.0."""

    def __post_init__(self) -> None:
        if not 0 < self.acc_gain_q14 <= MAX_GAIN:
            raise ValueError(f"expected a gain from 1 to {MAX_GAIN} in Q14, got {self.acc_gain_q14}")


def rotate(rotation: Rotation, samples: npt.ArrayLike) -> Int16Array:
    """Turn both sensors' samples; each output rounded half up and saturating.

    Args:
        rotation: Nine Q14 values, a rotation or not.
        samples: (..., 6) int16 counts in the board's axes.

    Returns:
        (..., 6) int16 counts in UCI-HAR's axes.
    """
    return straighten(Mounting(rotation), samples)


def straighten(mounting: Mounting, samples: npt.ArrayLike) -> Int16Array:
    """What the chip does to each sample before conditioning: turn it, and set the accelerometer's gain right.

    `out = clamp((gain * (row . in) + 2^27) >> 28)` with an arithmetic shift in 64 bits; the gyroscope's gain is 2^14.

    Args:
        mounting: As calibrated.
        samples: (..., 6) int16 counts in the board's axes.

    Returns:
        (..., 6) int16 counts in UCI-HAR's axes.
    """
    counts = np.asarray(samples)
    if counts.dtype != np.int16 or counts.ndim == 0 or counts.shape[-1] != CHANNEL_COUNT:
        raise ValueError(f"expected int16 counts of shape (..., {CHANNEL_COUNT}), got {counts.dtype} {counts.shape}")
    q14 = np.array(mounting.rotation.q14, dtype=np.int64)
    by_sensor = counts.astype(np.int64).reshape(*counts.shape[:-1], 2, 3)
    turned = (by_sensor @ q14.T).reshape(counts.shape)
    gain = np.full(CHANNEL_COUNT, ONE, dtype=np.int64)
    gain[ACC] = mounting.acc_gain_q14
    return np.asarray(np.clip((turned * gain + (1 << 27)) >> 28, INT16_MIN, INT16_MAX), dtype=np.int16)
