"""What holds for UCI-HAR and HAPT themselves, as published."""

import hashlib
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hardwear.datasets import Dataset, Recording, load_uci_har, window_origins
from hardwear.datasets.checksums import checksums
from hardwear.datasets.hapt import HAPT
from hardwear.datasets.locate import locate
from hardwear.datasets.tables import content_hash
from hardwear.datasets.uci_har import UCI_HAR

pytestmark = pytest.mark.data

ORIGINS_SHA256 = {
    "train": "3601461e50422d768a2884dcb23349d53dcd844954992d0705223ad8a9644761",
    "test": "b31f70e0a6c2f4da697886e170c555ce7898cedbb75e22d7267f1bcc088f658a",
}
"""Of a table of origins that was derived by other code: rows of experiment and first sample, little-endian int64."""


def test_windows_are_those_that_the_authors_report(uci_har: Dataset) -> None:
    assert uci_har.name == "UCI-HAR"
    assert uci_har.sha256 == content_hash(checksums("uci_har"))
    for part, windows in (("train", uci_har.train), ("test", uci_har.test)):
        assert tuple(np.bincount(windows.labels)) == UCI_HAR.label_counts[part]
        assert tuple(np.unique(windows.subjects)) == UCI_HAR.subjects[part]
        assert windows.windows.dtype == np.float32
        assert windows.windows.flags.c_contiguous
    standing = uci_har.train.windows[uci_har.train.labels == 4]
    assert standing[:, :, 0].mean() == pytest.approx(1.0, abs=0.05)  # g, gravity on x


def test_archive_inside_another_loads_the_same_and_then_within_a_second(
    uci_har: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = locate(UCI_HAR.archive)
    inner = tmp_path / "UCI HAR Dataset.zip"
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in UCI_HAR.archive.checksums:
            archive.writestr(f"UCI HAR Dataset/{name}", files.read(name))
    outer = tmp_path / "human+activity+recognition+using+smartphones.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, inner.name)
    monkeypatch.setenv("HARDWEAR_CACHE", str(tmp_path / "cache"))
    first = load_uci_har(outer)
    before = time.perf_counter()
    second = load_uci_har(outer)
    assert time.perf_counter() - before < 1.0
    for loaded in (first, second):
        assert loaded.sha256 == uci_har.sha256
        np.testing.assert_array_equal(loaded.train.windows, uci_har.train.windows)
        np.testing.assert_array_equal(loaded.test.body_acc, uci_har.test.body_acc)


def test_recordings_are_61_of_30_people(hapt: tuple[Recording, ...]) -> None:
    assert [r.experiment for r in hapt] == list(range(1, 62))
    assert {r.user for r in hapt} == set(range(1, 31))
    assert sum(len(r) for r in hapt) == 1_122_772
    assert sum(len(r.segments) for r in hapt) == HAPT.segments


def test_every_window_has_one_origin_the_same_as_other_code_found(
    uci_har: Dataset, hapt: tuple[Recording, ...]
) -> None:
    origins = window_origins(uci_har, hapt)
    for part, found in (("train", origins.train), ("test", origins.test)):
        table = np.column_stack([found.experiment, found.start]).astype("<i8")
        assert hashlib.sha256(table.tobytes()).hexdigest() == ORIGINS_SHA256[part]


def test_neighbouring_windows_share_half_their_samples(uci_har: Dataset, hapt: tuple[Recording, ...]) -> None:
    origins = window_origins(uci_har, hapt)
    for windows, found in ((uci_har.train.windows, origins.train), (uci_har.test.windows, origins.test)):
        follows = (np.diff(found.experiment) == 0) & (np.diff(found.start) == 64)
        assert follows.mean() > 0.9
        np.testing.assert_array_equal(windows[:-1][follows][:, 64:], windows[1:][follows][:, :64])
