from dataclasses import replace

import numpy as np
import pytest

from hardwear.conditioning.reference import condition
from hardwear.datasets import (
    Dataset,
    Recording,
    WindowSet,
    cut_windows,
    dataset_of_recordings,
    simulate_recordings,
    window_origins,
)
from hardwear.errors import DatasetError


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    return [r for r in simulate_recordings() if r.user <= 3]


@pytest.fixture(scope="module")
def dataset(recordings: list[Recording]) -> Dataset:
    return dataset_of_recordings("MINE", recordings, test_users={2}, source="")


def test_windows_are_cut_within_one_activity_every_64_samples(recordings: list[Recording]) -> None:
    recording = recordings[0]
    windows = cut_windows([recording])
    conditioned = condition(recording.samples)
    row = 0
    for segment in recording.segments:
        if segment.activity > 6:
            continue
        for start in range(segment.start, segment.stop - 127, 64):
            np.testing.assert_array_equal(windows.windows[row], conditioned[start : start + 128].astype(np.float32))
            assert windows.labels[row] == segment.activity - 1
            assert windows.subjects[row] == recording.user
            row += 1
    assert row == len(windows)


def test_body_acceleration_of_windows_has_no_gravity(dataset: Dataset) -> None:
    assert np.abs(dataset.train.body_acc.mean(axis=(0, 1))).max() < 0.01
    assert np.linalg.norm(dataset.train.windows[:, :, :3].mean(axis=1), axis=1).mean() == pytest.approx(1, abs=0.02)


def test_every_window_is_traced_to_where_it_was_cut(dataset: Dataset, recordings: list[Recording]) -> None:
    origins = window_origins(dataset, recordings)
    for windows, found in ((dataset.train, origins.train), (dataset.test, origins.test)):
        expected = [
            (r.experiment, start)
            for r in recordings
            if r.user in windows.subjects
            for s in r.segments
            if s.activity <= 6
            for start in range(s.start, s.stop - 127, 64)
        ]
        assert list(zip(found.experiment.tolist(), found.start.tolist(), strict=True)) == expected


def test_window_found_nowhere_is_told(dataset: Dataset, recordings: list[Recording]) -> None:
    shifted = dataset.test.windows.copy()
    shifted[5, 60, 4] += 1e-4
    changed = replace(dataset, test=replace(dataset.test, windows=shifted))
    with pytest.raises(DatasetError, match=r"subject 2 at one place .* at 0 places"):
        window_origins(changed, recordings)


def test_window_found_twice_is_told(dataset: Dataset, recordings: list[Recording]) -> None:
    again = replace(recordings[0], experiment=99)
    with pytest.raises(DatasetError, match=r"subject 1 at one place .* at 2 places"):
        window_origins(dataset, [*recordings, again])


def test_recordings_of_other_people_are_told(dataset: Dataset, recordings: list[Recording]) -> None:
    with pytest.raises(DatasetError, match="recordings of subject 2, got none"):
        window_origins(dataset, [r for r in recordings if r.user != 2])


def test_split_without_test_users_is_told(recordings: list[Recording]) -> None:
    with pytest.raises(DatasetError, match=r"got [1-9][0-9]* for training and 0 for testing"):
        dataset_of_recordings("MINE", recordings, test_users={77}, source="")


def test_recordings_without_a_whole_window_give_an_empty_set(recordings: list[Recording]) -> None:
    windows = cut_windows([replace(recordings[0], segments=())])
    assert isinstance(windows, WindowSet)
    assert windows.windows.shape == (0, 128, 6)
