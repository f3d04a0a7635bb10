from pathlib import Path

import numpy as np
import pytest
from dataset_archives import EXPERIMENTS, Files, hapt_expectation, hapt_files, zipped

from hardwear.datasets import load_hapt, recordings_sha256
from hardwear.errors import DatasetError

FILES = hapt_files()
EXPECTATION = hapt_expectation(FILES)
LABELS = "RawData/labels.txt"
GYRO = "RawData/gyro_exp02_user01.txt"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARDWEAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HARDWEAR_DATA", raising=False)


def packed(tmp_path: Path, files: Files, prefix: str = "") -> Path:
    path = tmp_path / "hapt.zip"
    path.write_bytes(zipped(files, prefix))
    return path


def refused(tmp_path: Path, name: str, content: bytes, *said: str) -> None:
    with pytest.raises(DatasetError) as caught:
        load_hapt(packed(tmp_path, {**FILES, name: content}), expectation=EXPECTATION)
    for part in ("expected", "got", *said):
        assert part in str(caught.value)


@pytest.mark.parametrize("prefix", ["", "HAPT Data Set/"])
def test_recordings_are_those_of_the_files(prefix: str, tmp_path: Path) -> None:
    recordings = load_hapt(packed(tmp_path, FILES, prefix), expectation=EXPECTATION)
    assert [(r.experiment, r.user) for r in recordings] == list(EXPERIMENTS)
    for r in recordings:
        for sensor, samples in (("acc", r.acc), ("gyro", r.gyro)):
            text = FILES[f"RawData/{sensor}_exp{r.experiment:02d}_user{r.user:02d}.txt"].decode()
            np.testing.assert_array_equal(samples, np.loadtxt(text.splitlines()))
        np.testing.assert_array_equal(r.samples, np.hstack([r.acc, r.gyro]))


def test_segments_count_from_zero_and_end_before_stop(tmp_path: Path) -> None:
    first = load_hapt(packed(tmp_path, FILES), expectation=EXPECTATION)[0]
    assert [(s.activity, s.start, s.stop) for s in first.segments] == [(5, 10, 140), (7, 140, 301)]
    assert len(first) == 301


@pytest.mark.parametrize("inside", ["archive", "folder", "its RawData"])
def test_archive_in_an_archive_and_folders_give_the_same_recordings(inside: str, tmp_path: Path) -> None:
    plain = load_hapt(packed(tmp_path, FILES), expectation=EXPECTATION)
    if inside == "archive":
        source = packed(tmp_path, {"HAPT Data Set.zip": zipped(FILES)})
    else:
        for name, content in FILES.items():
            path = tmp_path / "unpacked" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        source = tmp_path / "unpacked" / ("RawData" if inside == "its RawData" else "")
    assert recordings_sha256(load_hapt(source, expectation=EXPECTATION)) == recordings_sha256(plain)


def test_second_load_reads_the_cache_and_a_damaged_one_is_rebuilt(tmp_path: Path) -> None:
    source = packed(tmp_path, FILES)
    digest = recordings_sha256(load_hapt(source, expectation=EXPECTATION))

    def never(done: int, total: int, detail: str = "") -> None:
        raise AssertionError("the archive was parsed again")

    assert recordings_sha256(load_hapt(source, never, EXPECTATION)) == digest
    (entry,) = (tmp_path / "cache" / "parsed").glob("hapt-*.npz")
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(content)
    assert recordings_sha256(load_hapt(source, expectation=EXPECTATION)) == digest


def test_missing_recording_is_named(tmp_path: Path) -> None:
    files = {name: content for name, content in FILES.items() if name != GYRO}
    with pytest.raises(DatasetError, match="missing: " + GYRO.replace(".", r"\.")):
        load_hapt(packed(tmp_path, files), expectation=EXPECTATION)


def test_sensors_of_unequal_length_are_told(tmp_path: Path) -> None:
    cut = b"".join(FILES[GYRO].splitlines(keepends=True)[:-1])
    refused(tmp_path, GYRO, cut, "experiment 2 of user 1", "(302, 3) and (301, 3)")


def test_row_with_a_column_too_few_is_told(tmp_path: Path) -> None:
    refused(tmp_path, GYRO, FILES[GYRO].rstrip()[:-15] + b"\n", GYRO, "302 rows of 3")


def test_value_that_is_not_finite_is_told(tmp_path: Path) -> None:
    refused(tmp_path, GYRO, b"nan 0 0\n" + FILES[GYRO].split(b"\n", 1)[1], GYRO, "NaN or infinity in row 1")


@pytest.mark.parametrize(
    "row", [b"9 1 5 1 140", b"1 2 5 1 140", b"1 1 13 1 140", b"1 1 5 0 140", b"1 1 5 141 140", b"1 1 5 1 9999"]
)
def test_label_of_nothing_recorded_is_told(row: bytes, tmp_path: Path) -> None:
    refused(tmp_path, LABELS, row + b"\n" + FILES[LABELS].split(b"\n", 1)[1])


def test_missing_label_is_told(tmp_path: Path) -> None:
    refused(tmp_path, LABELS, FILES[LABELS].split(b"\n", 1)[1], LABELS, "6 rows of 5", "5 rows")


def test_other_content_of_the_right_form_is_told(tmp_path: Path) -> None:
    refused(tmp_path, GYRO, FILES[GYRO].replace(b"1", b"2"), GYRO, "SHA-256", EXPECTATION.archive.checksums[GYRO])
