"""The contract: every size, unit, order and scale that two parts of Hardwear must agree on.

The one source. The firmware's `contract.h` is generated from it, and the bundle's manifest repeats it, so that
a device built from another contract is told apart by its identity.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardwear.errors import DatasetError

CONTRACT_VERSION = 1

SAMPLE_RATE_HZ = 50
WINDOW_SAMPLES = 128
HOP_SAMPLES = 64


@dataclass(frozen=True)
class Channel:
    """One of the six signals, in the order in which every array and every frame carries them."""

    name: str
    unit: str
    """Physical unit of the float signal."""
    counts_per_unit: int
    """The int16 counts that one unit is, on the wire and on the chip."""


CHANNELS: tuple[Channel, ...] = (
    Channel("acc_x", "g", 8192),
    Channel("acc_y", "g", 8192),
    Channel("acc_z", "g", 8192),
    Channel("gyro_x", "rad/s", 2048),
    Channel("gyro_y", "rad/s", 2048),
    Channel("gyro_z", "rad/s", 2048),
)
CHANNEL_COUNT = len(CHANNELS)
ACC = slice(0, 3)
GYRO = slice(3, 6)

CLASSES: tuple[str, ...] = (
    "WALKING",
    "WALKING_UPSTAIRS",
    "WALKING_DOWNSTAIRS",
    "SITTING",
    "STANDING",
    "LAYING",
)
CLASS_COUNT = len(CLASSES)

SYNTHETIC_HEADING = "SYNTHETIC: made from simulated motion, not from UCI-HAR; says nothing about people"
"""Stands over every table and page whose numbers come from the simulator."""

COUNTS_PER_UNIT: npt.NDArray[np.float64] = np.array([c.counts_per_unit for c in CHANNELS], dtype=np.float64)
INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1


def to_counts(samples: npt.ArrayLike) -> npt.NDArray[np.int16]:
    """Physical units to counts: round half to even, then saturate.

    Args:
        samples: (..., 6), acceleration in g and angular rate in rad/s.

    Returns:
        (..., 6) int16 counts.

    Raises:
        DatasetError: A sample is not finite, or the last axis is not the six channels.
    """
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] != CHANNEL_COUNT:
        raise DatasetError(
            f"expected samples of shape (..., {CHANNEL_COUNT}) in the order "
            f"{', '.join(c.name for c in CHANNELS)}, got {values.shape}"
        )
    if not np.isfinite(values).all():
        raise DatasetError("expected finite samples, got NaN or infinity; drop or repair them before this step")
    return np.clip(np.rint(values * COUNTS_PER_UNIT), INT16_MIN, INT16_MAX).astype(np.int16)


def from_counts(counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Counts to physical units, exact in float64.

    Args:
        counts: (..., 6) integer counts.

    Returns:
        (..., 6) float64, acceleration in g and angular rate in rad/s.
    """
    return np.asarray(counts, dtype=np.float64) / COUNTS_PER_UNIT
