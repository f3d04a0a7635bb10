"""A raw recording: what one sensor saw, before any conditioning, and what its wearer did meanwhile."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardwear.errors import DatasetError

ACTIVITIES: tuple[str, ...] = (
    "WALKING",
    "WALKING_UPSTAIRS",
    "WALKING_DOWNSTAIRS",
    "SITTING",
    "STANDING",
    "LAYING",
    "STAND_TO_SIT",
    "SIT_TO_STAND",
    "SIT_TO_LIE",
    "LIE_TO_SIT",
    "STAND_TO_LIE",
    "LIE_TO_STAND",
)
"""HAPT's activities 1 to 12 in order; the first six are the contract's classes 0 to 5."""


@dataclass(frozen=True)
class Segment:
    """One activity, from sample `start` up to but not including `stop`, counted from zero."""

    activity: int
    """HAPT's number, 1 to 12: see `ACTIVITIES`."""
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Recording:
    """One person's raw recording at 50 Hz.

    Raises:
        DatasetError: The arrays are not (N, 3) float64 of one length and finite, or a segment lies outside.
    """

    experiment: int
    user: int
    acc: npt.NDArray[np.float64]
    """(N, 3) float64, unfiltered acceleration in g, gravity included."""
    gyro: npt.NDArray[np.float64]
    """(N, 3) float64, unfiltered angular rate in rad/s."""
    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        name = f"experiment {self.experiment} of user {self.user}"
        if self.acc.shape != self.gyro.shape or self.acc.ndim != 2 or self.acc.shape[1] != 3:
            raise DatasetError(
                f"expected acceleration and angular rate of one shape (N, 3) in {name}, "
                f"got {self.acc.shape} and {self.gyro.shape}; get the recording anew"
            )
        if not (np.isfinite(self.acc).all() and np.isfinite(self.gyro).all()):
            raise DatasetError(f"expected finite samples, got NaN or infinity in {name}; get the recording anew")
        for segment in self.segments:
            if not (1 <= segment.activity <= len(ACTIVITIES) and 0 <= segment.start < segment.stop <= len(self)):
                raise DatasetError(
                    f"expected segments of activities 1 to {len(ACTIVITIES)} within 0 to {len(self)} samples, "
                    f"got {segment} in {name}; check the labels"
                )

    def __len__(self) -> int:
        return len(self.acc)

    @property
    def samples(self) -> npt.NDArray[np.float64]:
        """(N, 6) float64 in the contract's channel order, raw."""
        return np.hstack([self.acc, self.gyro])
