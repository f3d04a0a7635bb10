"""Finds where in HAPT's raw recordings each window of UCI-HAR was cut.

Neither archive says. But a recording that goes through UCI-HAR's conditioning holds every window of its user to within
the rounding of the published text, and six channels at once tell any two samples of a person apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from hardwear.conditioning.reference import condition
from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.datasets.dataset import Dataset, WindowSet
from hardwear.datasets.recording import Recording
from hardwear.errors import DatasetError

TOLERANCE = 1e-6
"""In g and rad/s. The published text has eight digits, of which float32 keeps seven."""


@dataclass(frozen=True)
class Origins:
    """Where each window was cut, row by row."""

    experiment: npt.NDArray[np.int64]
    """(N,) the recording's experiment number."""
    start: npt.NDArray[np.int64]
    """(N,) the window's first sample in that recording, counted from zero."""


@dataclass(frozen=True)
class WindowOrigins:
    """Where the windows of a data set come from."""

    train: Origins
    test: Origins


def window_origins(dataset: Dataset, recordings: Sequence[Recording]) -> WindowOrigins:
    """Find the recording and the first sample of every window.

    Args:
        dataset: UCI-HAR.
        recordings: HAPT.

    Returns:
        Origins at which all 128 x 6 conditioned samples agree with the window to `TOLERANCE`.

    Raises:
        DatasetError: A window is found nowhere in its subject's recordings, or at more than one place.
    """
    conditioned = {r.experiment: condition(r.samples) for r in recordings}
    experiments: dict[int, list[int]] = {}
    for recording in recordings:
        experiments.setdefault(recording.user, []).append(recording.experiment)

    def of(windows: WindowSet) -> Origins:
        found = np.empty((len(windows), 2), dtype=np.int64)
        for subject in np.unique(windows.subjects):
            own = {e: conditioned[e] for e in experiments.get(int(subject), [])}
            rows = np.flatnonzero(windows.subjects == subject)
            found[rows] = _find(windows.windows[rows], own, int(subject))
        return Origins(found[:, 0].copy(), found[:, 1].copy())

    return WindowOrigins(of(dataset.train), of(dataset.test))


def _find(
    windows: npt.NDArray[np.float32], conditioned: dict[int, npt.NDArray[np.float64]], subject: int
) -> npt.NDArray[np.int64]:
    """(N, 2): experiment and first sample of each of one subject's windows."""
    places = [(e, s) for e, samples in conditioned.items() for s in range(len(samples) - WINDOW_SAMPLES + 1)]
    if not places:
        raise DatasetError(
            f"expected recordings of subject {subject}, got none as long as a window; give all of HAPT's recordings"
        )
    starts = np.vstack([samples[: max(len(samples) - WINDOW_SAMPLES + 1, 0)] for samples in conditioned.values()])
    nearby = KDTree(starts).query_ball_point(windows[:, 0].astype(np.float64), TOLERANCE * CHANNEL_COUNT**0.5)
    found = []
    for window, candidates in zip(windows, nearby, strict=True):
        exact = [places[c] for c in candidates if _agrees(window, conditioned, *places[c])]
        if len(exact) != 1:
            raise DatasetError(
                f"expected each window of subject {subject} at one place in the recordings to within {TOLERANCE:g}, "
                f"got one at {len(exact)} places; UCI-HAR and HAPT must both be the published ones"
            )
        found.append(exact[0])
    return np.array(found, dtype=np.int64)


def _agrees(
    window: npt.NDArray[np.float32], conditioned: dict[int, npt.NDArray[np.float64]], experiment: int, start: int
) -> bool:
    there = conditioned[experiment][start : start + WINDOW_SAMPLES]
    return bool(np.abs(there - window).max() <= TOLERANCE)
