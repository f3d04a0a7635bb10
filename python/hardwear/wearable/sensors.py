"""From a motion sensor's steps to the contract's counts: twin of `firmware/sensors/scales.h`, `axes.h` and `decode.h`.

A step times a multiplier with 24 fractional bits, rounded half up, saturated to int16. Integers, equal bit for bit to
the chip's.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardwear.contract import ACC, CHANNEL_COUNT, COUNTS_PER_UNIT, GYRO, INT16_MAX, INT16_MIN
from hardwear.errors import DatasetError

FRACTION_BITS = 24

Int16Array = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Range:
    """One range of a sensor, as the data sheet has it."""

    full_scale: int
    """±, g or degrees per second."""
    units_per_step: float
    """g or degrees per second."""


@dataclass(frozen=True)
class Sensor:
    """A motion sensor, the ranges in use and how it lies on its board."""

    name: str
    accelerations: tuple[Range, ...]
    """All that the part has."""
    rates: tuple[Range, ...]
    acceleration_g: int
    """Full scale of the accelerations in use."""
    rate_dps: int
    """Full scale of the angular rates in use."""
    axes: tuple[tuple[int, int], ...]
    """The sensor's axis and the sign that make up each axis of the board."""

    @property
    def acceleration(self) -> Range:
        """The range in use."""
        return next(r for r in self.accelerations if r.full_scale == self.acceleration_g)

    @property
    def rate(self) -> Range:
        """The range in use."""
        return next(r for r in self.rates if r.full_scale == self.rate_dps)

    @property
    def acceleration_multiplier(self) -> int:
        """Counts per step, times 2^24."""
        return multiplier(self.acceleration.units_per_step * float(COUNTS_PER_UNIT[ACC][0]))

    @property
    def rate_multiplier(self) -> int:
        """Counts per step, times 2^24."""
        return multiplier(self.rate.units_per_step * (math.pi / 180.0 * float(COUNTS_PER_UNIT[GYRO][0])))


LSM9DS1 = Sensor(
    name="LSM9DS1",
    accelerations=(Range(2, 0.061e-3), Range(4, 0.122e-3), Range(8, 0.244e-3), Range(16, 0.732e-3)),
    rates=(Range(245, 8.75e-3), Range(500, 17.5e-3), Range(2000, 70e-3)),
    acceleration_g=4,
    rate_dps=2000,
    axes=((1, -1), (0, -1), (2, 1)),
)
"""Arduino Nano 33 BLE Sense, Rev1. DocID025715 Rev 2, table 3 (page 12). Its own axes are left-handed (figure 1)."""

BMI270 = Sensor(
    name="BMI270",
    accelerations=tuple(Range(g, g / 32768) for g in (2, 4, 8, 16)),
    rates=tuple(Range(dps, dps / 32768) for dps in (125, 250, 500, 1000, 2000)),
    acceleration_g=4,
    rate_dps=1000,
    axes=((0, 1), (1, 1), (2, 1)),
)
"""Arduino Nano 33 BLE Sense, Rev2. BST-BMI270-DS000, electrical specification."""

SENSORS = (LSM9DS1, BMI270)


def multiplier(counts_per_step: float) -> int:
    """A scale in 2^-24, rounded half up."""
    return math.floor(counts_per_step * (1 << FRACTION_BITS) + 0.5)


def to_counts(sensor: Sensor, steps: npt.ArrayLike) -> Int16Array:
    """What the driver makes of the sensor's output.

    Args:
        sensor: The part and its board.
        steps: (N, 6) int16 as the registers hold them, on the sensor's own axes: acceleration, then angular rate.

    Returns:
        (N, 6) int16 counts on the board's axes.
    """
    raw = _six_columns(steps).astype(np.int64)
    out = np.empty_like(raw)
    for channels, scale in ((ACC, sensor.acceleration_multiplier), (GYRO, sensor.rate_multiplier)):
        for board_axis, (axis, sign) in enumerate(sensor.axes):
            turned = sign * raw[:, channels][:, axis]
            out[:, channels.start + board_axis] = (turned * scale + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS
    return np.clip(out, INT16_MIN, INT16_MAX).astype(np.int16)


def to_steps(sensor: Sensor, samples: npt.ArrayLike) -> Int16Array:
    """What a flawless sensor would put out.

    Args:
        sensor: The part and its board.
        samples: (N, 6), acceleration in g and angular rate in rad/s on the board's axes.

    Returns:
        (N, 6) int16 steps on the sensor's own axes, saturated where its range ends.
    """
    units = _six_columns(samples).astype(np.float64)
    out = np.empty_like(units)
    for board_axis, (axis, sign) in enumerate(sensor.axes):
        out[:, axis] = sign * units[:, board_axis] / sensor.acceleration.units_per_step
        out[:, 3 + axis] = sign * np.degrees(units[:, 3 + board_axis]) / sensor.rate.units_per_step
    return np.clip(np.rint(out), INT16_MIN, INT16_MAX).astype(np.int16)


def _six_columns(values: npt.ArrayLike) -> npt.NDArray[np.generic]:
    array: npt.NDArray[np.generic] = np.asarray(values)
    if array.ndim != 2 or array.shape[1] != CHANNEL_COUNT:
        raise DatasetError(f"expected samples of shape (N, {CHANNEL_COUNT}), got {array.shape}; one row is one sample")
    return array
