"""HAPT: the 61 unfiltered recordings that UCI-HAR's windows were cut from, labelled sample by sample.

Reyes-Ortiz et al., "Transition-Aware Human Activity Recognition Using Smartphones", Neurocomputing 2016;
UCI Machine Learning Repository 341.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hardwear.datasets.archive import ArchiveSpec, DatasetFiles
from hardwear.datasets.cache import Arrays, cache_key, parsed_once
from hardwear.datasets.checksums import checksums
from hardwear.datasets.locate import bad_download_deleted, locate
from hardwear.datasets.recording import ACTIVITIES, Recording, Segment
from hardwear.datasets.tables import VerifiedReader
from hardwear.errors import DatasetError
from hardwear.progress import Progress, silent

LABELS = "RawData/labels.txt"
_PARSER_VERSION = 1
"""Raise it when parsing changes what it makes of the same files: older cache entries are then not used."""


@dataclass(frozen=True)
class HaptExpectation:
    """What the published archive holds; everything that is loaded is held against it."""

    archive: ArchiveSpec
    segments: int
    """Rows of `RawData/labels.txt`."""

    def experiments(self) -> list[tuple[int, int]]:
        """Experiment and user of each recording, ascending, as the file names say."""
        matches = (re.fullmatch(r"RawData/acc_exp(\d+)_user(\d+)\.txt", name) for name in self.archive.checksums)
        return sorted((int(m[1]), int(m[2])) for m in matches if m)

    def fingerprint(self) -> str:
        """Differs for every other expectation."""
        return cache_key(self.archive.name, sorted(self.archive.checksums.items()), self.segments)


HAPT = HaptExpectation(
    archive=ArchiveSpec(
        name="HAPT",
        url="https://archive.ics.uci.edu/static/public/341/"
        "smartphone+based+recognition+of+human+activities+and+postural+transitions.zip",
        file_name="hapt.zip",
        download_bytes=82_000_000,
        file_pattern=r"hapt|postural.transitions",
        checksums=checksums("hapt"),
        page="https://archive.ics.uci.edu/dataset/341",
    ),
    segments=1214,
)


def load_hapt(
    source: Path | None = None, progress: Progress = silent, expectation: HaptExpectation = HAPT
) -> tuple[Recording, ...]:
    """Load and verify HAPT's raw recordings.

    Args:
        source: The archive (with or without another around it), an unpacked folder with `RawData` in it, or a folder
            that holds any of those. None looks in `HARDWEAR_DATA` and the cache, then downloads.
        progress: Told of bytes while downloading, of files while reading.
        expectation: What the archive should hold.

    Returns:
        The 61 recordings in the order of their experiment numbers.

    Raises:
        DatasetError: Something is missing, cut off, damaged or not as published: the message says what.
        DatasetUnavailable: It is nowhere on this machine and can't be downloaded.
    """
    files = locate(expectation.archive, source, progress)
    with bad_download_deleted(files):
        return parsed_once(
            f"hapt-{cache_key(_PARSER_VERSION, files.fingerprint(), expectation.fingerprint())}",
            lambda: _parse(files, expectation, progress),
            _to_arrays,
            _from_arrays,
        )


def _parse(files: DatasetFiles, expectation: HaptExpectation, progress: Progress) -> tuple[Recording, ...]:
    reader = VerifiedReader(files, progress)
    experiments = expectation.experiments()
    segments = _segments(reader, experiments, expectation.segments)
    recordings = []
    for experiment, user in experiments:
        acc, gyro = (
            reader.table(f"RawData/{sensor}_exp{experiment:02d}_user{user:02d}.txt", columns=3)
            for sensor in ("acc", "gyro")
        )
        recordings.append(Recording(experiment, user, acc, gyro, segments[experiment]))
    reader.require_published_content()
    return tuple(recordings)


def _segments(reader: VerifiedReader, experiments: list[tuple[int, int]], rows: int) -> dict[int, tuple[Segment, ...]]:
    """By experiment. The file counts samples from one and includes the last."""
    table = reader.integers(LABELS, columns=5, rows=rows)
    segments: dict[int, list[Segment]] = {experiment: [] for experiment, _ in experiments}
    known = set(experiments)
    for row, (experiment, user, activity, first, last) in enumerate(table.tolist(), start=1):
        if (experiment, user) not in known or not 1 <= activity <= len(ACTIVITIES) or not 1 <= first <= last:
            raise DatasetError(
                f"expected experiment, user, activity 1 to {len(ACTIVITIES)}, first and last sample in row {row} of "
                f"{LABELS} of {reader.files.description}, got {experiment} {user} {activity} {first} {last}; "
                f"get the data set anew from {reader.files.spec.page}"
            )
        segments[experiment].append(Segment(activity, first - 1, last))
    return {experiment: tuple(found) for experiment, found in segments.items()}


def _to_arrays(recordings: tuple[Recording, ...]) -> Arrays:
    samples: npt.NDArray[np.float64] = np.concatenate([r.samples for r in recordings])
    index = np.array([(r.experiment, r.user, len(r)) for r in recordings], dtype=np.int64)
    segments = [(r.experiment, s.activity, s.start, s.stop) for r in recordings for s in r.segments]
    return {"samples": samples, "index": index, "segments": np.array(segments, dtype=np.int64).reshape(-1, 4)}


def _from_arrays(arrays: Arrays) -> tuple[Recording, ...]:
    recordings = []
    start = 0
    segments = arrays["segments"].tolist()
    for experiment, user, length in arrays["index"].tolist():
        samples = arrays["samples"][start : start + length]
        start += length
        own = tuple(Segment(*fields) for owner, *fields in segments if owner == experiment)
        recordings.append(Recording(experiment, user, samples[:, :3], samples[:, 3:], own))
    return tuple(recordings)
