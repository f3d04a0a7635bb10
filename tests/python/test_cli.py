"""The command line: every verb explains itself, machines get JSON, people get one line that says what to do."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERBS = (
    "data",
    "train",
    "convert",
    "evaluate",
    "generate",
    "build",
    "replay",
    "report",
    "demo",
    "reproduce",
    "profile",
    "compare",
)


def hardwear(*arguments: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hardwear", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_verbs_are_listed_with_what_they_do() -> None:
    shown = hardwear("--help")
    assert shown.returncode == 0
    assert [verb for verb in VERBS if f" {verb} " not in shown.stdout] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    shown = hardwear(verb, "--help")
    assert shown.returncode == 0
    assert f"Usage: python -m hardwear {verb}" in shown.stdout


def assert_one_line_of_advice(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "error:" in done.stderr
    for text in said:
        assert text in done.stderr.replace("\n", " ")


def test_data_that_are_not_there_end_with_advice(tmp_path: Path) -> None:
    assert_one_line_of_advice(hardwear("data", "--data", tmp_path / "nowhere"), "nowhere")


def test_an_unknown_network_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    done = hardwear("train", "--synthetic", "--network", "huge", "--out", tmp_path / "run")
    assert_one_line_of_advice(done, "huge", "compact", "paper")
    assert not (tmp_path / "run").exists()


def test_any_setting_can_be_changed_and_the_progress_tells_time_left_and_the_people_held_out(tmp_path: Path) -> None:
    done = hardwear(
        *("train", "--synthetic", "--epochs", "1", "--out", tmp_path / "run"),
        *("--set", "validation_share=0.3", "--set", "keep=best", "--set", "augmentation.scale=0.05", "--tensorboard"),
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    assert "oneDNN" not in done.stderr, "TensorFlow's log stands between ours"
    shown = " ".join(done.stderr.split())  # on 80 columns the detail goes on below the bar
    assert re.search(r"1/1 \d:\d\d:\d\d 0:00:00 loss \d\.\d+, accuracy \d\.\d+, validation macro-F1 0\.\d{4}", shown)
    assert "on the test subjects" in done.stdout
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())["settings"]
    assert (settings["epochs"], settings["keep"], settings["augmentation"]["scale"]) == (1, "best", 0.05)
    refused = hardwear("train", "--synthetic", "--set", "epochs", "--out", tmp_path / "none")
    assert_one_line_of_advice(refused, "NAME=VALUE", "validation_share", "augmentation.scale")
    assert not (tmp_path / "none").exists()


def test_a_folder_that_is_no_bundle_ends_with_advice(tmp_path: Path) -> None:
    for verb in (("evaluate", tmp_path), ("generate", tmp_path, "--out", tmp_path / "out"), ("replay", tmp_path)):
        assert_one_line_of_advice(hardwear(*verb), "model.tflite", "hardwear convert")
    assert not (tmp_path / "out").exists()


def test_two_devices_at_once_are_refused() -> None:
    assert_one_line_of_advice(hardwear("replay", "--emulator", "--port", "loop://"), "give one of them")


def test_no_board_ends_with_advice(tmp_path: Path) -> None:
    done = hardwear("replay", "--synthetic", "--limit", "1", "--out", tmp_path, "--port", "/dev/ttyNoSuchPort")
    assert_one_line_of_advice(done, "/dev/ttyNoSuchPort")


def test_rows_that_are_not_in_the_table_are_answered_with_those_that_are(tmp_path: Path) -> None:
    done = hardwear("reproduce", "--synthetic", "--only", "ce-bdoy", "--out", tmp_path)
    assert_one_line_of_advice(done, "ce-bdoy", "main, sweep, readings", "ce-body", "deepconvlstm-total", "20 or 300")
    done = hardwear("reproduce", "--synthetic", "--seeds", "0,x", "--out", tmp_path)
    assert_one_line_of_advice(done, "--seeds such as 0,1,2 or 0-4")
    done = hardwear("reproduce", "--synthetic", "--device", "tpu", "--out", tmp_path)
    assert_one_line_of_advice(done, "tpu", "cpu, cuda")
    assert_one_line_of_advice(hardwear("reproduce", "--list", "--page-only", "--out", tmp_path), "give one of them")
    assert_one_line_of_advice(hardwear("reproduce", "--page-only", "--out", tmp_path), "run `hardwear reproduce` first")
    assert list(tmp_path.iterdir()) == []


def test_simulated_figures_never_go_onto_the_page_of_people(tmp_path: Path) -> None:
    (tmp_path / "reproduction.md").write_text("# The paper reproduced\n")
    done = hardwear("reproduce", "--synthetic", "--only", "svm-body", "--out", tmp_path)
    assert_one_line_of_advice(done, "figures of people", "--out")
    assert not (tmp_path / "results").exists()


def test_reproduce_lists_runs_and_then_writes_the_page(tmp_path: Path) -> None:
    options = ("--synthetic", "--only", "cnn-body", "--epochs", 1, "--seeds", 0, "--out", tmp_path)
    options += ("--runs", tmp_path / "runs")
    (before,) = json.loads(hardwear("reproduce", *options, "--list", "--json").stdout)
    assert (before["row"], before["seeds_done"], before["seeds_missing"]) == ("cnn-body@1", [], [0])
    done = hardwear("reproduce", *options, "--json")
    assert done.returncode == 0, done.stderr
    (after,) = json.loads(done.stdout)
    assert (after["seeds_done"], after["seeds_missing"]) == ([0], [])
    assert 0 < after["macro_f1"][0] < 1
    assert "SYNTHETIC" in (tmp_path / "reproduction.md").read_text()


def test_the_validator_under_tools_is_the_replay_verb() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "replay.py", "--help"], capture_output=True, text=True, check=True
    )
    assert "Send recorded motion to a device" in done.stdout


def test_data_json_is_one_document_with_the_counts() -> None:
    done = hardwear("data", "--synthetic", "--json")
    document = json.loads(done.stdout)
    assert document["synthetic"] is True
    for part in ("train", "test"):
        assert sum(document[part]["windows_per_class"].values()) == document[part]["windows"]


def test_tables_of_simulated_data_are_headed_synthetic() -> None:
    assert hardwear("data", "--synthetic").stdout.startswith("SYNTHETIC")


def test_evaluate_json_has_the_documented_keys() -> None:
    document = json.loads(hardwear("evaluate", "models/compact", "--synthetic", "--json").stdout)
    page = (ROOT / "docs" / "results.md").read_text()
    assert [key for key in document if f"`{key}`" not in page] == []
    assert 0 < document["macro_f1"] < 1
    assert set(document["recall"]) > {"SITTING", "STANDING"}


def test_the_committed_headers_are_those_of_the_shipped_bundle(tmp_path: Path) -> None:
    assert hardwear("generate", "models/compact", "--out", tmp_path).returncode == 0
    committed = {path.name: path.read_bytes() for path in (ROOT / "firmware" / "generated").glob("*.h")}
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.h")} == committed


def test_a_run_becomes_a_bundle_and_says_synthetic(tmp_path: Path) -> None:
    run, bundle = tmp_path / "run", tmp_path / "bundle"
    trained = hardwear("train", "--synthetic", "--epochs", 1, "--out", run, "--json")
    assert trained.returncode == 0, trained.stderr
    assert 0 < json.loads(trained.stdout)["macro_f1"] <= 1
    refused = hardwear("convert", run, "--out", bundle, "--synthetic", "--temperature", 0)
    assert refused.returncode == 2
    assert "expected a temperature of 0.01 to 100, got 0.0" in refused.stderr
    converted = hardwear("convert", run, "--out", bundle, "--synthetic", "--temperature", 0.5)
    assert converted.returncode == 0, converted.stderr
    assert converted.stdout.startswith("SYNTHETIC")
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert (manifest["synthetic"], manifest["temperature"]) == (True, 0.5)
