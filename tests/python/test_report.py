"""The report says what the replay found, is headed SYNTHETIC when it must be, and loads nothing from elsewhere."""

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from hardwear.contract import CLASSES, SYNTHETIC_HEADING
from hardwear.replay import Mismatch, ReplayResult
from hardwear.report import Results, write_report

REPLAY = ReplayResult(
    mode="windows",
    dataset="UCI-HAR",
    data_sha256="d" * 64,
    synthetic=False,
    identity="a" * 64,
    board="emulator",
    engine="compiled",
    time_unit="instructions",
    arena_bytes=4096,
    complete=True,
    windows=6,
    windows_done=6,
    windows_equal=6,
    logits=36,
    logits_equal=36,
    embeddings_equal=6,
    probabilities_equal=6,
    windows_labelled=6,
    macro_f1=1.0,
    accuracy=1.0,
    recall=dict.fromkeys(CLASSES, 1.0),
    confusion=np.eye(6, dtype=int).tolist(),
    time_mean=1e6,
    time_max=1_000_001,
    seconds=1.5,
)
RESULTS = Results(
    dataset="UCI-HAR",
    synthetic=False,
    network="compact",
    identity="a" * 64,
    model_sha256="b" * 64,
    data_sha256="d" * 64,
    board="emulator",
    engine="compiled",
    mode="windows",
    complete=True,
    windows=6,
    windows_labelled=6,
    windows_equal=6,
    logits=36,
    logits_equal=36,
    embeddings_equal=6,
    probabilities_equal=6,
    windows_scored=6,
    macro_f1_float=0.97,
    macro_f1_int8=0.96,
    macro_f1_device=1.0,
    accuracy_device=1.0,
    recall_device=dict.fromkeys(CLASSES, 1.0),
    flash_bytes=50_000,
    flash_limit_bytes=983_040,
    ram_bytes=30_000,
    ram_limit_bytes=262_144,
    arena_bytes=4096,
    tflm_arena_bytes=9000,
    instructions_per_inference=1e6,
    replay_seconds=1.5,
    hardwear_version="0",
)


def test_results_json_holds_every_documented_key(tmp_path: Path) -> None:
    write_report(RESULTS, REPLAY, tmp_path)
    held = json.loads((tmp_path / "results.json").read_text())
    assert held == asdict(RESULTS)
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text()
    assert [key for key in held if f"`{key}`" not in page] == []


def test_page_shows_the_numbers_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = write_report(RESULTS, REPLAY, tmp_path).read_text()
    for shown in ("0.9700", "0.9600", "36 of 36", "50,000 of 983,040 B", "1,000,000"):
        assert shown in page
    assert "Confusion matrix" in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "SYNTHETIC" not in page


def test_synthetic_results_are_headed_synthetic(tmp_path: Path) -> None:
    page = write_report(replace(RESULTS, synthetic=True), REPLAY, tmp_path).read_text()
    assert page.index(SYNTHETIC_HEADING) < page.index("<h1>")


@pytest.mark.parametrize("recording", [None, 7])
def test_a_mismatch_is_the_first_thing_said(tmp_path: Path, recording: int | None) -> None:
    mismatch = Mismatch(3, recording, "the last fully-connected layer", [1] * 6, [2] * 6, [43] * 6, [43] * 6)
    replay = replace(REPLAY, windows_equal=5, logits_equal=30, first_mismatch=mismatch)
    page = write_report(replace(RESULTS, windows_equal=5, logits_equal=30), replay, tmp_path).read_text()
    assert "the last fully-connected layer" in page
    assert page.index("differ in 1 windows") < page.index("<table>")
    assert "agree on every one" not in page


def test_a_partial_replay_is_not_called_whole(tmp_path: Path) -> None:
    replay = replace(REPLAY, complete=False, windows=12)
    page = write_report(replace(RESULTS, complete=False), replay, tmp_path).read_text()
    assert "Partial: 6 of 12" in page
    assert "agree on every one" not in page


def test_curves_are_drawn_from_the_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "curves.csv").write_text("epoch,train_loss,validation_macro_f1\n1,1.5,0.5\n2,0.9,0.7\n")
    page = write_report(RESULTS, REPLAY, tmp_path, run).read_text()
    assert 'alt="Training"' in page
