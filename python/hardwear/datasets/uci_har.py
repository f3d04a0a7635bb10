"""UCI-HAR: 10,299 windows of 30 people, six activities, a phone on the waist.

Anguita et al., "A Public Domain Dataset for Human Activity Recognition Using Smartphones", ESANN 2013;
UCI Machine Learning Repository 240.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hardwear.contract import CLASSES, WINDOW_SAMPLES
from hardwear.datasets.archive import ArchiveSpec, DatasetFiles
from hardwear.datasets.cache import Arrays, cache_key, parsed_once
from hardwear.datasets.checksums import checksums
from hardwear.datasets.dataset import Dataset, WindowSet, refuse_shared_subjects
from hardwear.datasets.locate import bad_download_deleted, locate
from hardwear.datasets.tables import VerifiedReader, content_hash
from hardwear.errors import DatasetError
from hardwear.progress import Progress, silent

PARTS = ("train", "test")
SIGNALS = tuple(f"{kind}_{axis}" for kind in ("total_acc", "body_gyro", "body_acc") for axis in "xyz")
_PARSER_VERSION = 1
"""Raise it when parsing changes what it makes of the same files: older cache entries are then not used."""


@dataclass(frozen=True)
class UciHarExpectation:
    """What the published archive holds; everything that is loaded is held against it."""

    archive: ArchiveSpec
    label_counts: Mapping[str, tuple[int, ...]]
    """Windows of each class, in the contract's order, by part."""
    subjects: Mapping[str, tuple[int, ...]]
    """Who is in each part, ascending."""

    def fingerprint(self) -> str:
        """Differs for every other expectation."""
        checks = (self.archive.checksums, self.label_counts, self.subjects)
        return cache_key(self.archive.name, *(sorted(check.items()) for check in checks))


UCI_HAR = UciHarExpectation(
    archive=ArchiveSpec(
        name="UCI-HAR",
        url="https://archive.ics.uci.edu/static/public/240/human+activity+recognition+using+smartphones.zip",
        file_name="uci_har.zip",
        download_bytes=61_000_000,
        file_pattern=r"uci.?har|human.activity.recognition.using.smartphones",
        checksums=checksums("uci_har"),
        page="https://archive.ics.uci.edu/dataset/240",
    ),
    label_counts={"train": (1226, 1073, 986, 1286, 1374, 1407), "test": (496, 471, 420, 491, 532, 537)},
    subjects={
        "train": (1, 3, 5, 6, 7, 8, 11, 14, 15, 16, 17, 19, 21, 22, 23, 25, 26, 27, 28, 29, 30),
        "test": (2, 4, 9, 10, 12, 13, 18, 20, 24),
    },
)


def load_uci_har(
    source: Path | None = None, progress: Progress = silent, expectation: UciHarExpectation = UCI_HAR
) -> Dataset:
    """Load and verify UCI-HAR with its official split.

    Args:
        source: The archive, the archive that UCI serves with that one inside, an unpacked `UCI HAR Dataset` folder,
            or a folder that holds any of those. None looks in `HARDWEAR_DATA` and the cache, then downloads.
        progress: Told of bytes while downloading, of files while reading.
        expectation: What the archive should hold.

    Returns:
        7,352 training and 2,947 test windows; `sha256` covers the 22 files that are read.

    Raises:
        DatasetError: Something is missing, cut off, damaged or not as published: the message says what.
        DatasetUnavailable: It is nowhere on this machine and can't be downloaded.
    """
    files = locate(expectation.archive, source, progress)
    with bad_download_deleted(files):
        return parsed_once(
            f"uci_har-{cache_key(_PARSER_VERSION, files.fingerprint(), expectation.fingerprint())}",
            lambda: _parse(files, expectation, progress),
            _to_arrays,
            lambda arrays: _from_arrays(arrays, expectation, files.description),
        )


def _parse(files: DatasetFiles, expectation: UciHarExpectation, progress: Progress) -> Dataset:
    reader = VerifiedReader(files, progress)
    labels = {part: _labels(reader, part, expectation) for part in PARTS}
    subjects = {part: _subjects(reader, part, len(labels[part])) for part in PARTS}
    refuse_shared_subjects(subjects["train"], subjects["test"], "training", "test")
    for part in PARTS:
        _require_subjects(subjects[part], part, expectation, files)
    sets = {part: _windows(reader, part, labels[part], subjects[part]) for part in PARTS}
    reader.require_published_content()
    return Dataset(
        expectation.archive.name, sets["train"], sets["test"], content_hash(reader.digests), files.description
    )


def _labels(reader: VerifiedReader, part: str, expectation: UciHarExpectation) -> npt.NDArray[np.int64]:
    """Labels from zero; the file counts classes from one."""
    expected = expectation.label_counts[part]
    name = f"{part}/y_{part}.txt"
    labels = reader.integers(name, rows=sum(expected))[:, 0] - 1
    if labels.min() < 0 or labels.max() >= len(CLASSES):
        raise DatasetError(
            f"expected labels 1 to {len(CLASSES)} in {name} of {reader.files.description}, got "
            f"{labels.min() + 1} to {labels.max() + 1}; get the data set anew from {reader.files.spec.page}"
        )
    counts = tuple(int(n) for n in np.bincount(labels, minlength=len(CLASSES)))
    if counts != expected:
        raise DatasetError(
            f"expected {_named(expected)} in {name} of {reader.files.description}, got {_named(counts)}; this is "
            f"another version of the data set: get it anew from {reader.files.spec.page}"
        )
    return labels


def _subjects(reader: VerifiedReader, part: str, rows: int) -> npt.NDArray[np.int64]:
    return reader.integers(f"{part}/subject_{part}.txt", rows=rows)[:, 0]


def _require_subjects(
    subjects: npt.NDArray[np.int64], part: str, expectation: UciHarExpectation, files: DatasetFiles
) -> None:
    expected = expectation.subjects[part]
    present = tuple(int(s) for s in np.unique(subjects))
    if present != expected:
        raise DatasetError(
            f"expected subjects {', '.join(map(str, expected))} in {part}/subject_{part}.txt of {files.description}, "
            f"got {', '.join(map(str, present))}; get the data set anew from {files.spec.page}"
        )


def _windows(
    reader: VerifiedReader, part: str, labels: npt.NDArray[np.int64], subjects: npt.NDArray[np.int64]
) -> WindowSet:
    signals = np.empty((len(labels), WINDOW_SAMPLES, len(SIGNALS)), dtype=np.float32)
    for column, signal in enumerate(SIGNALS):
        name = f"{part}/Inertial Signals/{signal}_{part}.txt"
        signals[:, :, column] = reader.table(name, columns=WINDOW_SAMPLES, rows=len(labels))
    return WindowSet(np.ascontiguousarray(signals[:, :, :6]), labels, subjects, np.ascontiguousarray(signals[:, :, 6:]))


def _named(counts: tuple[int, ...]) -> str:
    return ", ".join(f"{n} {name}" for n, name in zip(counts, CLASSES, strict=True))


def _to_arrays(dataset: Dataset) -> Arrays:
    arrays: dict[str, npt.NDArray[np.generic]] = {"sha256": np.array(dataset.sha256)}
    for part, windows in (("train", dataset.train), ("test", dataset.test)):
        arrays |= {
            f"{part}_windows": windows.windows,
            f"{part}_labels": windows.labels,
            f"{part}_subjects": windows.subjects,
            f"{part}_body_acc": windows.body_acc,
        }
    return arrays


def _from_arrays(arrays: Arrays, expectation: UciHarExpectation, source: str) -> Dataset:
    sets = {
        part: WindowSet(
            windows=arrays[f"{part}_windows"],
            labels=arrays[f"{part}_labels"],
            subjects=arrays[f"{part}_subjects"],
            body_acc=arrays[f"{part}_body_acc"],
        )
        for part in PARTS
    }
    return Dataset(expectation.archive.name, sets["train"], sets["test"], str(arrays["sha256"]), source)
