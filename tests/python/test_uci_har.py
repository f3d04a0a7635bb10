import logging
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dataset_archives import (
    CONTAINERS,
    LABEL_COUNTS,
    UCI_HAR_PREFIX,
    digests,
    hapt_files,
    uci_har_expectation,
    uci_har_files,
    write_folder,
    write_zip,
    zipped,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardwear.datasets import Dataset, load_uci_har, summarize
from hardwear.datasets.checksums import checksums
from hardwear.datasets.tables import content_hash
from hardwear.errors import DatasetError, DatasetUnavailable

FILES = uci_har_files()
EXPECTATION = uci_har_expectation(FILES)
TOTAL_ACC_X = "train/Inertial Signals/total_acc_x_train.txt"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARDWEAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HARDWEAR_DATA", raising=False)


def same(one: Dataset, other: Dataset) -> bool:
    return one.sha256 == other.sha256 and all(
        np.array_equal(getattr(getattr(one, part), name), getattr(getattr(other, part), name))
        for part in ("train", "test")
        for name in ("windows", "labels", "subjects", "body_acc")
    )


def entry(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "cache" / "parsed").glob("uci_har-*.npz")
    return path


# -- what comes out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_windows_and_hash(container: str, tmp_path: Path) -> None:
    source = CONTAINERS[container](tmp_path, FILES)
    loaded = load_uci_har(source, expectation=EXPECTATION)
    assert loaded.name == "UCI-HAR"
    assert not loaded.synthetic
    assert loaded.sha256 == content_hash(digests(FILES))
    for part, windows in (("train", loaded.train), ("test", loaded.test)):
        for channel, signal in enumerate(("total_acc_x", "total_acc_y", "total_acc_z", "body_gyro_x")):
            published = np.loadtxt(FILES[f"{part}/Inertial Signals/{signal}_{part}.txt"].decode().splitlines())
            np.testing.assert_array_equal(windows.windows[:, :, channel], published.astype(np.float32))
        published = np.loadtxt(FILES[f"{part}/Inertial Signals/body_acc_z_{part}.txt"].decode().splitlines())
        np.testing.assert_array_equal(windows.body_acc[:, :, 2], published.astype(np.float32))
        assert tuple(np.bincount(windows.labels)) == LABEL_COUNTS[part]
    assert set(loaded.train.subjects) == {1, 4}
    assert set(loaded.test.subjects) == {2}


def test_progress_tells_every_file_once(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    load_uci_har(write_zip(tmp_path, FILES), lambda done, total, detail="": told.append((done, total)), EXPECTATION)
    assert told == [(i, len(FILES)) for i in range(1, len(FILES) + 1)]


def test_summary_counts_what_was_loaded(tmp_path: Path) -> None:
    source = write_zip(tmp_path, FILES)
    summary = summarize(load_uci_har(source, expectation=EXPECTATION))
    assert summary.source.startswith(str(source))
    assert tuple(summary.train.windows_per_class.values()) == LABEL_COUNTS["train"]
    assert summary.test.windows == sum(LABEL_COUNTS["test"])
    assert summary.train.subjects == (1, 4)


def test_checksums_of_both_published_archives_are_complete() -> None:
    assert set(checksums("uci_har")) == set(FILES)
    assert len(checksums("hapt")) == 2 * 61 + 1
    for name in ("uci_har", "hapt"):
        assert all(len(bytes.fromhex(digest)) == 32 for digest in checksums(name).values())


# -- the cache ------------------------------------------------------------------------------------------------------


def test_second_load_reads_the_cache_and_not_the_text(tmp_path: Path) -> None:
    source = write_zip(tmp_path, FILES)
    first = load_uci_har(source, expectation=EXPECTATION)

    def never(done: int, total: int, detail: str = "") -> None:
        raise AssertionError("the archive was parsed again")

    assert same(first, load_uci_har(source, never, EXPECTATION))


def test_cache_is_not_used_for_other_content(tmp_path: Path) -> None:
    source = write_zip(tmp_path, FILES)
    first = load_uci_har(source, expectation=EXPECTATION)
    others = uci_har_files(seed=1)
    second = load_uci_har(write_zip(tmp_path, others), expectation=uci_har_expectation(others))
    assert not same(first, second)


def test_cache_is_not_used_under_other_expectations(tmp_path: Path) -> None:
    source = write_zip(tmp_path, FILES)
    load_uci_har(source, expectation=EXPECTATION)
    stricter = replace(EXPECTATION, subjects={"train": (1, 5), "test": (2,)})
    with pytest.raises(DatasetError, match="expected subjects 1, 5"):
        load_uci_har(source, expectation=stricter)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_no_flipped_byte_of_the_cache_ever_reaches_the_windows(tmp_path: Path, position: float, mask: int) -> None:
    source = write_zip(tmp_path, FILES)
    first = load_uci_har(source, expectation=EXPECTATION)
    path = entry(tmp_path)
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= mask
    path.write_bytes(content)
    assert same(first, load_uci_har(source, expectation=EXPECTATION))


@pytest.mark.parametrize("damaged", [b"", b"not an archive", None])
def test_damaged_cache_is_told_and_rebuilt(
    damaged: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = write_zip(tmp_path, FILES)
    first = load_uci_har(source, expectation=EXPECTATION)
    path = entry(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damaged is None else damaged)
    with caplog.at_level(logging.WARNING):
        assert same(first, load_uci_har(source, expectation=EXPECTATION))
    assert "damaged" in caplog.text
    assert path.read_bytes() == whole


def test_unwritable_cache_only_costs_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    occupied = tmp_path / "a file where the cache should be"
    occupied.write_bytes(b"")
    monkeypatch.setenv("HARDWEAR_CACHE", str(occupied))
    source = write_zip(tmp_path, FILES)
    assert len(load_uci_har(source, expectation=EXPECTATION).train) == sum(LABEL_COUNTS["train"])
    assert "HARDWEAR_CACHE" in caplog.text


# -- where it is found ----------------------------------------------------------------------------------------------


def test_environment_names_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_zip(tmp_path, FILES)
    monkeypatch.setenv("HARDWEAR_DATA", str(tmp_path))
    assert str(tmp_path) in load_uci_har(expectation=EXPECTATION).source


def test_explicit_source_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARDWEAR_DATA", "/nowhere")
    assert len(load_uci_har(write_zip(tmp_path, FILES), expectation=EXPECTATION).test)


def test_damaged_archive_in_the_environment_is_no_reason_to_look_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_zip(tmp_path, FILES)
    source.write_bytes(source.read_bytes()[:-1000])
    monkeypatch.setenv("HARDWEAR_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match="cut off") as caught:
        load_uci_har(expectation=EXPECTATION)
    assert not isinstance(caught.value, DatasetUnavailable)


def test_environment_may_hold_only_the_other_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hapt.zip").write_bytes(zipped(hapt_files()))
    monkeypatch.setenv("HARDWEAR_DATA", str(tmp_path))
    with pytest.raises(DatasetUnavailable, match=r"127\.0\.0\.1"):  # so it went on to download
        load_uci_har(expectation=EXPECTATION)


def test_intact_archive_is_found_beside_damaged_and_foreign_ones(tmp_path: Path) -> None:
    write_zip(tmp_path, FILES, "a.zip")
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "0.zip").write_bytes(zipped({"other.txt": b""}))
    assert len(load_uci_har(tmp_path, expectation=EXPECTATION).train)


# -- what is refused ------------------------------------------------------------------------------------------------


def refused(source: Path, *said: str) -> str:
    """The error's text, which must hold every one of `said` and a next step."""
    with pytest.raises(DatasetError) as caught:
        load_uci_har(source, expectation=EXPECTATION)
    message = str(caught.value)
    for part in ("expected", *said):
        assert part in message
    assert any(step in message for step in ("get ", "give ", "check ", "split by subject")), message
    return message


def test_missing_path_is_named(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere.zip", "nowhere.zip", "no such file")


def test_source_that_is_neither_file_nor_folder_is_told(tmp_path: Path) -> None:
    refused(Path("/dev/null"), "/dev/null")


def test_empty_folder_is_called_empty(tmp_path: Path) -> None:
    refused(tmp_path, "an empty folder")


def test_foreign_folder_is_told_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    refused(tmp_path, "holiday.jpg")


def test_foreign_archive_is_called_foreign(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"other.txt": b"1"}))
    refused(path, "an archive of something else")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "an empty file"), (b"<!doctype html><title>Log in</title>", "a web page"), (b"RIFF....", "something else")],
)
def test_file_that_is_no_archive_is_told_by_its_beginning(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "uci_har.zip"
    path.write_bytes(content)
    refused(path, said, "delete it")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.floats(0, 1, exclude_max=True))
def test_archive_cut_anywhere_is_refused(tmp_path: Path, kept: float) -> None:
    path = write_zip(tmp_path, FILES)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    refused(path, "delete it")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_archive_with_any_byte_changed_loads_the_published_windows_or_nothing(
    tmp_path: Path, position: float, mask: int
) -> None:
    path = write_zip(tmp_path, FILES)
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= mask
    path.write_bytes(content)
    try:
        loaded = load_uci_har(path, expectation=EXPECTATION)
    except DatasetError:
        return
    assert loaded.sha256 == content_hash(digests(FILES))


@pytest.mark.parametrize("container", ["zip", "outer zip", "folder"])
def test_missing_file_is_named(container: str, tmp_path: Path) -> None:
    files = {name: content for name, content in FILES.items() if name != TOTAL_ACC_X}
    refused(CONTAINERS[container](tmp_path, files), "22 files", "got 21", TOTAL_ACC_X)


def changed(tmp_path: Path, name: str, content: bytes) -> Path:
    assert name in FILES
    return write_zip(tmp_path, {**FILES, name: content})


def test_cut_file_is_told_by_its_rows(tmp_path: Path) -> None:
    lines = FILES[TOTAL_ACC_X].splitlines(keepends=True)
    refused(changed(tmp_path, TOTAL_ACC_X, b"".join(lines[:-1])), TOTAL_ACC_X, "12 rows of 128", "11 rows")


def test_empty_file_is_told_by_its_rows(tmp_path: Path) -> None:
    refused(changed(tmp_path, TOTAL_ACC_X, b""), TOTAL_ACC_X, "12 rows of 128", "0 numbers")


@pytest.mark.parametrize("value", [b"nan", b"inf", b"-inf"])
def test_value_that_is_not_finite_is_told_by_its_row(value: bytes, tmp_path: Path) -> None:
    lines = FILES[TOTAL_ACC_X].splitlines(keepends=True)
    lines[4] = lines[4].replace(lines[4].split()[7], value, 1)
    refused(changed(tmp_path, TOTAL_ACC_X, b"".join(lines)), TOTAL_ACC_X, "NaN or infinity in row 5")


@pytest.mark.parametrize("text", [b"1.0 two 3.0\n", "1.0 ½\n".encode(), b"\x00\xff"])
def test_text_that_is_no_number_is_told(text: bytes, tmp_path: Path) -> None:
    refused(changed(tmp_path, TOTAL_ACC_X, text), TOTAL_ACC_X, "numbers")


def test_fractional_label_is_told(tmp_path: Path) -> None:
    name = "test/y_test.txt"
    refused(changed(tmp_path, name, FILES[name].replace(b"3\n", b"3.5\n", 1)), name, "whole numbers")


def test_label_beyond_the_classes_is_told(tmp_path: Path) -> None:
    name = "train/y_train.txt"
    refused(changed(tmp_path, name, FILES[name].replace(b"6\n", b"7\n", 1)), name, "1 to 7")


def test_wrong_label_counts_are_told_class_by_class(tmp_path: Path) -> None:
    name = "train/y_train.txt"
    refused(changed(tmp_path, name, FILES[name].replace(b"1\n", b"2\n", 1)), "3 WALKING,", "got 2 WALKING,")


def test_foreign_subjects_are_told(tmp_path: Path) -> None:
    name = "test/subject_test.txt"
    refused(changed(tmp_path, name, FILES[name].replace(b"2\n", b"9\n", 1)), name, "got 2, 9")


def test_split_that_shares_a_subject_is_refused(tmp_path: Path) -> None:
    name = "test/subject_test.txt"
    refused(changed(tmp_path, name, FILES[name].replace(b"2\n", b"4\n", 1)), "subjects 4 in both")


def test_other_content_of_the_right_form_is_told_by_file_and_both_hashes(tmp_path: Path) -> None:
    other = FILES[TOTAL_ACC_X].replace(b"1", b"2")
    both = digests({"published": FILES[TOTAL_ACC_X], "came": other})
    refused(changed(tmp_path, TOTAL_ACC_X, other), TOTAL_ACC_X, both["published"], both["came"])


def test_converted_line_ends_are_told_as_a_possible_cause(tmp_path: Path) -> None:
    crlf = {name: content.replace(b"\n", b"\r\n") for name, content in FILES.items()}
    refused(write_folder(tmp_path, crlf), "line ends")


def test_refused_content_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    refused(changed(tmp_path, TOTAL_ACC_X, FILES[TOTAL_ACC_X].replace(b"1", b"2")))
    assert not list((tmp_path / "cache").rglob("*"))


# -- archives that mean harm ----------------------------------------------------------------------------------------


def test_names_that_leave_the_folder_write_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = folder / "uci_har.zip"
    absolute = tmp_path / "absolute-evil.txt"
    hostile = {"../../evil.txt": b"x", str(absolute): b"x", "..\\evil.txt": b"x"}
    path.write_bytes(zipped({**{UCI_HAR_PREFIX + n: c for n, c in FILES.items()}, **hostile}))
    load_uci_har(path, expectation=EXPECTATION)
    outside_cache = {p for p in tmp_path.rglob("*") if tmp_path / "cache" not in (p, *p.parents)}
    assert outside_cache == {tmp_path / "a", folder, path}
    assert not absolute.exists()


@pytest.mark.parametrize("prefix", ["../", "/", "a/../../", "..\\"])
def test_data_under_a_name_that_leaves_the_folder_are_not_taken(prefix: str, tmp_path: Path) -> None:
    path = tmp_path / "uci_har.zip"
    path.write_bytes(zipped(FILES, prefix))
    refused(path)


def test_exploding_file_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = changed(tmp_path, "test/y_test.txt", b"1 " * (40 * 2**20))
    assert path.stat().st_size < 2**20
    refused(path, "test/y_test.txt", "at most")


def test_encrypted_archive_is_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path, FILES)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[0]
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1
    path.write_bytes(content)
    refused(path, info.filename.removeprefix(UCI_HAR_PREFIX), "encrypted")
