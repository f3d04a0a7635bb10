"""Cuts recordings into the contract's windows."""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from hardwear.conditioning.reference import body_acceleration, condition
from hardwear.contract import ACC, CHANNEL_COUNT, CLASS_COUNT, HOP_SAMPLES, WINDOW_SAMPLES
from hardwear.datasets.dataset import Dataset, WindowSet
from hardwear.datasets.recording import Recording
from hardwear.errors import DatasetError


def cut_windows(recordings: Sequence[Recording]) -> WindowSet:
    """Condition each recording from its first sample on, then cut windows that lie within one activity.

    Windows start at a segment's first sample and every hop after it. Postural transitions are no class and are left
    out.

    Args:
        recordings: Raw.

    Returns:
        Windows in the order of recordings, segments and time; the subject is the recording's user.
    """
    signals: list[npt.NDArray[np.float64]] = []
    labels: list[int] = []
    subjects: list[int] = []
    for recording in recordings:
        conditioned = condition(recording.samples)
        both = np.hstack([conditioned, body_acceleration(conditioned[:, ACC])])
        for segment in recording.segments:
            if segment.activity > CLASS_COUNT:
                continue
            for start in range(segment.start, segment.stop - WINDOW_SAMPLES + 1, HOP_SAMPLES):
                signals.append(both[start : start + WINDOW_SAMPLES])
                labels.append(segment.activity - 1)
                subjects.append(recording.user)
    stacked = np.array(signals, dtype=np.float32).reshape(-1, WINDOW_SAMPLES, CHANNEL_COUNT + 3)
    return WindowSet(
        windows=np.ascontiguousarray(stacked[:, :, :CHANNEL_COUNT]),
        labels=np.array(labels, dtype=np.int64),
        subjects=np.array(subjects, dtype=np.int64),
        body_acc=np.ascontiguousarray(stacked[:, :, CHANNEL_COUNT:]),
    )


def dataset_of_recordings(
    name: str, recordings: Sequence[Recording], test_users: Collection[int], source: str
) -> Dataset:
    """A data set of recordings, split by who wore the sensor.

    Raises:
        DatasetError: One side of the split has no window.
    """
    train = cut_windows([r for r in recordings if r.user not in test_users])
    test = cut_windows([r for r in recordings if r.user in test_users])
    if not len(train) or not len(test):
        raise DatasetError(
            f"expected windows on both sides of the split, got {len(train)} for training and {len(test)} for testing; "
            "name test users who are among the recordings, but not all of them"
        )
    return Dataset(name, train, test, recordings_sha256(recordings), source)


def recordings_sha256(recordings: Sequence[Recording]) -> str:
    """SHA-256 of the recordings' content: who, every sample, every label."""
    digest = hashlib.sha256()
    for recording in recordings:
        segments = [(s.activity, s.start, s.stop) for s in recording.segments]
        digest.update(np.array([recording.experiment, recording.user, len(recording)], dtype="<i8").tobytes())
        digest.update(np.ascontiguousarray(recording.samples, dtype="<f8").tobytes())
        digest.update(np.array(segments, dtype="<i8").tobytes())
    return digest.hexdigest()
