"""What every data set becomes: labelled windows in the contract's order and units, split by subject."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, WINDOW_SAMPLES
from hardwear.errors import DatasetError

SYNTHETIC = "SYNTHETIC"


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What lies before and after N windows in the recordings they were cut from: see `with_surroundings`."""

    samples: npt.NDArray[np.float32]
    """(N, 128 + 2·margin, 6) float32: the window in the middle; 0 where the recording has begun or ended."""
    room: npt.NDArray[np.int64]
    """(N, 2) int64: by how many samples, up to the margin, the window can move earlier and later and show its own
    activity only."""

    @property
    def margin(self) -> int:
        """Samples on each side of the window."""
        around: int = self.samples.shape[1]
        return (around - WINDOW_SAMPLES) // 2

    def select(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Surroundings":
        """As `WindowSet.select`."""
        return Surroundings(self.samples[rows], self.room[rows])


@dataclass(frozen=True, eq=False)
class WindowSet:
    """N labelled windows.

    Raises:
        DatasetError: The arrays disagree in shape or type, a sample is not finite, or a label is no class.
    """

    windows: npt.NDArray[np.float32]
    """(N, 128, 6) float32 in the contract's channel order: acceleration in g with gravity, then offset-free
    angular rate in rad/s."""
    labels: npt.NDArray[np.int64]
    """(N,) int64, the index into `contract.CLASSES`."""
    subjects: npt.NDArray[np.int64]
    """(N,) int64, who wore the sensor."""
    body_acc: npt.NDArray[np.float32]
    """(N, 128, 3) float32, acceleration in g without gravity."""
    surroundings: Surroundings | None = None
    """What lies before and after each window, where the recordings are at hand."""

    def __post_init__(self) -> None:
        count = len(self.labels)
        _require_array("windows", self.windows, (count, WINDOW_SAMPLES, CHANNEL_COUNT), np.float32)
        _require_array("body_acc", self.body_acc, (count, WINDOW_SAMPLES, 3), np.float32)
        _require_array("labels", self.labels, (count,), np.int64)
        _require_array("subjects", self.subjects, (count,), np.int64)
        if self.surroundings is not None:
            samples = (count, WINDOW_SAMPLES + 2 * self.surroundings.margin, CHANNEL_COUNT)
            _require_array("surroundings.samples", self.surroundings.samples, samples, np.float32)
            _require_array("surroundings.room", self.surroundings.room, (count, 2), np.int64)
        for name, values in (("windows", self.windows), ("body_acc", self.body_acc)):
            if not np.isfinite(values).all():
                row = int(np.argwhere(~np.isfinite(values))[0][0])
                raise DatasetError(
                    f"expected finite samples, got NaN or infinity in {name}, window {row}; "
                    "get the data anew or drop that window"
                )
        if count and not 0 <= int(self.labels.min()) <= int(self.labels.max()) < CLASS_COUNT:
            raise DatasetError(
                f"expected labels 0 to {CLASS_COUNT - 1}, got {self.labels.min()} to {self.labels.max()}; "
                "check that they index contract.CLASSES from zero"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "WindowSet":
        """The windows at `rows`, a boolean mask or an index array, in that order."""
        around = self.surroundings and self.surroundings.select(rows)
        return WindowSet(self.windows[rows], self.labels[rows], self.subjects[rows], self.body_acc[rows], around)


def concatenate(first: WindowSet, second: WindowSet) -> WindowSet:
    """All windows of both, with their surroundings if both have them."""
    around = None
    if first.surroundings and second.surroundings:
        around = Surroundings(
            np.concatenate([first.surroundings.samples, second.surroundings.samples]),
            np.concatenate([first.surroundings.room, second.surroundings.room]),
        )
    return WindowSet(
        np.concatenate([first.windows, second.windows]),
        np.concatenate([first.labels, second.labels]),
        np.concatenate([first.subjects, second.subjects]),
        np.concatenate([first.body_acc, second.body_acc]),
        around,
    )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test windows of different people.

    Raises:
        DatasetError: A subject stands on both sides of the split.
    """

    name: str
    """`UCI-HAR`, or `SYNTHETIC` when the simulator made it; heads every table and report."""
    train: WindowSet
    test: WindowSet
    sha256: str
    """Hash of the content: the same whether it came from an archive, an archive in an archive, or a folder."""
    source: str
    """Where it was read from, for people to read."""
    recordings_sha256: str | None = None
    """Hash of the recordings that the windows' surroundings come from; None without surroundings."""

    def __post_init__(self) -> None:
        refuse_shared_subjects(self.train.subjects, self.test.subjects, "training", "test")

    @property
    def synthetic(self) -> bool:
        """Whether the windows come from the simulator and not from people."""
        return self.name == SYNTHETIC


def refuse_shared_subjects(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], first_name: str, second_name: str
) -> None:
    """Raise a `DatasetError` that names the subjects found on both sides of a split."""
    shared = sorted({int(s) for s in first} & {int(s) for s in second})
    if shared:
        raise DatasetError(
            f"expected {first_name} and {second_name} windows of different subjects, got subjects "
            f"{', '.join(map(str, shared))} in both; a score on such a split says nothing about new people: "
            "split by subject (hardwear.datasets.split_by_subject)"
        )


def _require_array(name: str, values: npt.NDArray[np.generic], shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    if values.shape != shape or values.dtype != dtype:
        raise DatasetError(
            f"expected {name} of shape {shape} and type {np.dtype(dtype)}, got {values.shape} {values.dtype}; "
            "convert it to the contract's window size, order and units first"
        )
