"""The demo's stages: done once, resumed when cut, done anew when what they are made from changes."""

from pathlib import Path
from typing import Any

import pytest

from hardwear import demo
from hardwear.demo import _Stage
from hardwear.errors import DatasetError, DatasetUnavailable


def test_a_stage_with_the_same_inputs_is_skipped(tmp_path: Path) -> None:
    first = _Stage("train", tmp_path / "run", {"seed": 0})
    assert not first.done
    first.folder.mkdir()
    (first.folder / "weights").write_text("kept")
    first.finish()
    assert _Stage("train", tmp_path / "run", {"seed": 0}).done
    assert (tmp_path / "run" / "weights").read_text() == "kept"


def test_a_stage_that_was_cut_keeps_what_it_made_so_that_it_can_resume(tmp_path: Path) -> None:
    cut = _Stage("train", tmp_path / "run", {"seed": 0})
    cut.folder.mkdir()
    (cut.folder / "checkpoint").write_text("half")
    again = _Stage("train", tmp_path / "run", {"seed": 0})
    assert not again.done
    assert (again.folder / "checkpoint").read_text() == "half"


def test_other_inputs_start_the_stage_anew(tmp_path: Path) -> None:
    first = _Stage("train", tmp_path / "run", {"seed": 0})
    first.folder.mkdir()
    (first.folder / "weights").write_text("old")
    first.finish()
    other = _Stage("train", tmp_path / "run", {"seed": 1})
    assert not other.done
    assert not (other.folder / "weights").exists()


def test_a_removed_folder_is_made_again(tmp_path: Path) -> None:
    first = _Stage("train", tmp_path / "run", {"seed": 0})
    first.folder.mkdir()
    first.finish()
    first.folder.rmdir()
    assert not _Stage("train", tmp_path / "run", {"seed": 0}).done


def raising(error: Exception) -> Any:
    def load(*_: Any) -> None:
        raise error

    return load


def test_absent_data_continue_on_the_simulator_and_say_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "load_uci_har", raising(DatasetUnavailable("no network")))
    said: list[str] = []
    monkeypatch.setattr(demo, "note", said.append)
    assert demo._dataset(None).synthetic
    assert "no network" in said[0]
    assert "simulator" in said[0]


def test_damaged_data_stop_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "load_uci_har", raising(DatasetError("a truncated archive")))
    with pytest.raises(DatasetError, match="truncated"):
        demo._dataset(None)
