"""Studies go on where they stopped, keep simulated figures apart, and their pages say what the files hold."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_cli import hardwear

from hardwear.contract import CLASSES, SYNTHETIC_HEADING
from hardwear.datasets import Dataset, simulate_dataset
from hardwear.errors import HardwearError, StudyError
from hardwear.marked_section import replace_section
from hardwear.studies import leave_one_out, search, seeds, trainings
from hardwear.studies.page import PAGE, SECTIONS, render_page
from hardwear.studies.results import Row, Study, open_results, read_document
from hardwear.studies.trainings import leave_out, subjects_of
from hardwear.studies.words import sources
from hardwear.training import TrainingSettings, preset, train

ROOT = Path(__file__).parents[2]
SETTINGS = replace(preset("demo"), epochs=1)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return simulate_dataset()


def metrics(macro_f1: float) -> dict[str, Any]:
    recall = {name: macro_f1 - 0.01 * k for k, name in enumerate(CLASSES)}
    return {"macro_f1": macro_f1, "accuracy": macro_f1, "recall": recall, "confusion": [[1] * 6] * 6}


def scored(seed: int, macro_f1: float) -> Row:
    return {
        "seed": seed,
        "device": "cpu",
        "seconds": 1.0,
        "weights_sha256": f"{seed}" * 64,
        "float": metrics(macro_f1 + 0.001),
        "int8": metrics(macro_f1),
        "gap_points": 0.1,
        "model_sha256": "ab" * 32,
        "identity": "cd" * 32,
        "network": {"parameters": 23334, "weight_bytes": 23136, "activation_bytes": 4096, "macs": 889216},
    }


def study(name: str = "compact", synthetic: bool = True, of: Mapping[str, Any] | None = None) -> Study:
    return Study("seeds", name, synthetic, of or {"epochs": 3}, {"UCI-HAR": "12" * 32})


# -- results files --------------------------------------------------------------------------------------------------


def test_a_results_file_keeps_every_measurement_at_once(tmp_path: Path) -> None:
    first = open_results(tmp_path, study(), "hardwear study seeds", [0, 1], seeds.summarize)
    first.put("seed0", scored(0, 0.97))
    again = open_results(tmp_path, study(), "hardwear study seeds", [0, 1], seeds.summarize)
    assert again.missing(["seed0", "seed1"]) == ["seed1"]
    again.put("seed1", scored(1, 0.95))
    document = read_document(tmp_path / "results" / "seeds_compact.json")
    assert document["summary"]["macro_f1_int8"] == pytest.approx(0.96)
    assert document["summary"]["macro_f1_int8_sd"] == pytest.approx(np.std([0.97, 0.95], ddof=1))
    assert document["command"] == "hardwear study seeds"
    assert document["data"] == {"UCI-HAR": "12" * 32}
    assert not list((tmp_path / "results").glob("*.part"))


def test_a_results_file_remembers_every_command_and_commit_that_filled_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by = [("a", "study --seeds 0"), ("b", "study --seeds 1"), ("b", "study --seeds 0"), ("b", "study --seeds 0")]
    for seed, (commit, command) in enumerate(made_by):
        head = {"command": command, "commit": commit, "data": {"UCI-HAR": "12" * 32}, "seeds": [seed]}
        monkeypatch.setattr("hardwear.studies.results.provenance", lambda *_, head=head: head)
        open_results(tmp_path, study(), command, [seed], seeds.summarize).put(f"seed{seed}", scored(seed, 0.97))
    document = read_document(tmp_path / "results" / "seeds_compact.json")
    assert (document["commit"], document["earlier_commits"]) == ("b", ["a"])
    assert (document["command"], document["earlier_commands"]) == ("study --seeds 0", ["study --seeds 1"])
    assert "(results/seeds_compact.json), after others that it names, data" in sources(document)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (study(of={"epochs": 4}), "epochs is 3 there and 4 here"),
        (study(synthetic=False), "synthetic is True there"),
        (replace(study(), data={"UCI-HAR": "34" * 32}), "UCI-HAR is '1212"),
    ],
)
def test_another_study_is_refused_and_named(tmp_path: Path, other: Study, said: str) -> None:
    open_results(tmp_path, study(), "", [0], seeds.summarize).put("seed0", scored(0, 0.97))
    with pytest.raises(StudyError, match=said):
        open_results(tmp_path, other, "", [0], seeds.summarize)


def test_a_file_from_before_a_setting_was_known_is_gone_on_with_if_that_has_its_default(tmp_path: Path) -> None:
    now = seeds.settings_identity(SETTINGS)
    augmentation = {name: value for name, value in now["augmentation"].items() if name != "acc_offset"}
    before = {name: value for name, value in now.items() if name != "teachers"} | {"augmentation": augmentation}
    open_results(tmp_path, study(of=before), "", [0], seeds.summarize).put("seed0", scored(0, 0.97))
    assert open_results(tmp_path, study(of=now), "", [0], seeds.summarize).missing(["seed0"]) == []
    taught = seeds.settings_identity(replace(SETTINGS, teachers=3))
    with pytest.raises(StudyError, match="teachers is 0 there and 3 here"):
        open_results(tmp_path, study(of=taught), "", [0], seeds.summarize)
    open_results(tmp_path, study("nano", of={**now, "of_tomorrow": 1}), "", [0], seeds.summarize).put(
        "seed0", scored(0, 1)
    )
    with pytest.raises(StudyError, match=r"seeds_nano\.json, but .*got 'of_tomorrow'; restore the file"):
        open_results(tmp_path, study("nano", of=now), "", [0], seeds.summarize)


@pytest.mark.parametrize("content", ["{", "[]", '{"rows": {}}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "seeds_compact.json").write_text(content)
    with pytest.raises(StudyError, match=r"seeds_compact\.json"):
        open_results(tmp_path, study(), "", [0], seeds.summarize)


def test_a_study_begun_on_a_cpu_may_go_on_on_a_gpu() -> None:
    assert seeds.settings_identity(SETTINGS) == seeds.settings_identity(replace(SETTINGS, device="cuda"))
    assert seeds.settings_identity(SETTINGS) != seeds.settings_identity(replace(SETTINGS, epochs=2))


# -- trainings ------------------------------------------------------------------------------------------------------


def test_folds_hold_every_training_subject_out_once() -> None:
    folds = seeds.fold_subjects(list(range(1, 22)), 3)
    assert sorted(s for fold in folds for s in fold) == list(range(1, 22))
    assert folds[1] == (2, 5, 8, 11, 14, 17, 20)
    assert seeds.fold_subjects([1, 2], 0) == []


def test_the_one_left_out_is_tested_and_nobody_else(dataset: Dataset) -> None:
    everyone = len(dataset.train) + len(dataset.test)
    for subject in (int(dataset.train.subjects[0]), int(dataset.test.subjects[0])):
        without = leave_out(dataset, subject)
        assert set(without.test.subjects.tolist()) == {subject}
        assert subject not in without.train.subjects
        assert len(without.train) + len(without.test) == everyone
        assert without.sha256 != dataset.sha256
        assert without.synthetic
    with pytest.raises(StudyError, match="subject out of 1, 2"):
        leave_out(dataset, 99)


def test_all_thirty_people_are_there(dataset: Dataset) -> None:
    assert subjects_of(dataset) == list(range(1, 31))


class _Measured:
    """Stands for `trainings.measure`, which takes minutes: counts, and stops where it is told to."""

    def __init__(self, stop_at: str | None = None) -> None:
        self.keys: list[str] = []
        self.settings: dict[str, TrainingSettings] = {}
        self.stop_at = stop_at

    def __call__(self, dataset: Dataset, training: trainings.Training, runs: Path, progress: Any) -> Row:
        if training.key == self.stop_at:
            raise KeyboardInterrupt
        self.keys.append(training.key)
        self.settings[training.key] = training.settings
        progress(training.settings.epochs, training.settings.epochs, "")
        return scored(training.settings.seed, 0.97)


def test_seeds_go_on_where_they_stopped(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> None:
        seeds.measure_seeds(dataset, SETTINGS, "compact", [0, 1], 2, tmp_path / "runs", tmp_path, "command")

    monkeypatch.setattr(trainings, "measure", stopped := _Measured(stop_at="seed1"))
    with pytest.raises(KeyboardInterrupt):
        run()
    assert stopped.keys == ["fold0", "fold1", "seed0"]
    assert not stopped.settings["fold0"].read_test
    assert stopped.settings["fold0"].validation_subjects
    assert stopped.settings["seed0"].read_test
    monkeypatch.setattr(trainings, "measure", resumed := _Measured())
    run()
    assert resumed.keys == ["seed1"]
    document = read_document(tmp_path / "results" / "seeds_compact.json")
    assert sorted(document["rows"]) == ["fold0", "fold1", "seed0", "seed1"]
    assert document["rows"]["fold1"]["held_out"] == sorted(stopped.settings["fold1"].validation_subjects)


def test_teachers_come_first_and_are_shared_by_those_who_see_the_same_windows(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainings, "measure", measured := _Measured())
    taught = replace(SETTINGS, teachers=2)
    seeds.measure_seeds(dataset, taught, "compact", [0, 1], 2, tmp_path / "runs", tmp_path, "command")
    teachers = [f"{of}teachers/compact-seed{k}" for of in ("fold0-", "fold1-", "") for k in (0, 1)]
    assert measured.keys == [*teachers, "fold0", "fold1", "seed0", "seed1"]
    of_fold = measured.settings["fold1-teachers/compact-seed1"]
    assert of_fold == replace(measured.settings["fold1"], teachers=0, seed=1)
    document = read_document(tmp_path / "results" / "seeds_compact.json")
    assert sorted(document["rows"]) == ["fold0", "fold1", "seed0", "seed1"]


def test_each_change_is_paired_with_the_start_on_the_same_fold_and_seed(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainings, "measure", measured := _Measured())
    search.search(
        dataset, SETTINGS, "compact", ["start", "no-center"], [0, 1], 2, tmp_path / "runs", tmp_path, "command"
    )
    keys = [f"{v}-fold{k}-seed{s}" for v in ("start", "no-center") for s in (0, 1) for k in (0, 1)]
    assert measured.keys == keys
    changed, start = (measured.settings[f"{v}-fold1-seed1"] for v in ("no-center", "start"))
    assert changed == replace(start, center_weight=0.0)
    assert start.validation_subjects
    assert not start.read_test

    rows = {f"start-fold{k}-seed0": scored(0, 0.95 + 0.01 * k) for k in (0, 1)}
    rows |= {
        "rate-fold0-seed0": scored(0, 0.96),
        "rate-fold1-seed0": scored(0, 0.965),
        "rate-fold1-seed1": scored(1, 1),
    }
    summary = search.summarize(rows)["rate"]
    assert summary["trainings"] == 3
    assert summary["gain_points"] == pytest.approx(0.75)
    assert summary["gain_points_se"] == pytest.approx(0.25)


def test_the_search_measures_boards_worn_otherwise(dataset: Dataset, tmp_path: Path) -> None:
    small = replace(dataset, train=dataset.train.select(np.arange(0, len(dataset.train), 4)))
    person = int(small.train.subjects[0])
    settings = replace(SETTINGS, validation_subjects=(person,), read_test=False)
    run = train(small, settings, tmp_path / "run")
    found = search.as_worn(run, small)
    assert set(found["turned"]) == {"+x", "-x", "+y", "-y", "+z", "-z"}
    assert len(set(found["turned"].values())) > 1
    assert found["int8"]["macro_f1"] == pytest.approx(run.metrics.macro_f1, abs=0.1)
    theirs = small.train.select(small.train.subjects == person)
    lying = theirs.windows[theirs.labels == CLASSES.index("LAYING")].astype(np.float64)
    over = lying * [1, -1, -1, 1, -1, -1]
    recall = np.mean(run.logits(over.astype(np.float32)).argmax(axis=1) == CLASSES.index("LAYING"))
    assert found["rolled"]["180"] == pytest.approx(recall)

    rows = {"start-fold0-seed0": {**scored(0, 0.95), **found}, "rate-fold0-seed0": scored(0, 0.96)}
    summary = search.summarize(rows)
    assert summary["start"]["macro_f1_turned_worst"] == min(found["turned"].values())
    assert summary["start"]["recall_LAYING_rolled"] == pytest.approx(np.mean(list(found["rolled"].values())))
    assert summary["rate"]["macro_f1_turned"] is None


def test_every_change_of_the_search_is_a_valid_one() -> None:
    start = preset("start")
    changed = [variant.of(start) for variant in search.VARIANTS.values()]
    assert changed[0] == start
    assert len(set(changed)) == len(changed)
    assert search.VARIANTS["as-worn-long"].of(start) == preset("shipped")


def test_an_unknown_change_lists_the_known_ones(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"variants out of start, plain, .*, got 'luck'"):
        search.search(dataset, SETTINGS, "compact", ["luck"], [0], 2, tmp_path / "runs", tmp_path, "command")


def test_people_left_out_go_on_where_they_stopped(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> None:
        leave_one_out.leave_each_out(dataset, SETTINGS, "compact", [1, 2, 3], tmp_path / "runs", tmp_path, "command")

    monkeypatch.setattr(trainings, "measure", _Measured(stop_at="subject03"))
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.setattr(trainings, "measure", resumed := _Measured())
    run()
    assert resumed.keys == ["subject03"]
    rows = read_document(tmp_path / "results" / "leave_one_out_compact.json")["rows"]
    assert {rows["subject01"]["published_side"], rows["subject02"]["published_side"]} == {"training", "test"}


def test_one_training_side_by_side_with_another_gives_the_same(dataset: Dataset, tmp_path: Path) -> None:
    small = replace(dataset, train=dataset.train.select(np.arange(0, len(dataset.train), 8)))
    wanted = [trainings.Training(f"seed{k}", replace(SETTINGS, seed=k), convert=False) for k in (0, 1)]
    alone: dict[str, Row] = {}
    together: dict[str, Row] = {}
    told: list[tuple[int, int]] = []
    trainings.measure_all(small, wanted, tmp_path / "a", alone.__setitem__)
    trainings.measure_all(
        small, wanted, tmp_path / "b", together.__setitem__, jobs=2, progress=lambda d, t, _="": told.append((d, t))
    )
    for key in ("seed0", "seed1"):
        assert alone[key]["weights_sha256"] == together[key]["weights_sha256"]
    assert told[-1] == (2, 2)


def test_the_workers_of_a_killed_study_end_with_it(tmp_path: Path) -> None:
    arguments = ["study", "seeds", "--synthetic", "--preset", "demo", "--folds", "0", "--seeds", "0,1", "--jobs", "2"]
    command = [sys.executable, "-m", "hardwear", *arguments, "--out", str(tmp_path / "out"), "--runs", str(tmp_path)]
    study = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        curves = [tmp_path / f"seed{seed}" / "curves.csv" for seed in (0, 1)]
        assert _within(120, lambda: all(path.exists() for path in curves))
        children = Path(f"/proc/{study.pid}/task/{study.pid}/children").read_text().split()
        assert len(children) >= 2
    finally:
        study.kill()
        study.wait()
    assert _within(20, lambda: not any(_runs(child) for child in children))


def _within(seconds: float, happened: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.1)
    return happened()


def _runs(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# -- the page -------------------------------------------------------------------------------------------------------


def fill(out: Path, synthetic: bool) -> None:
    results = open_results(out, study(synthetic=synthetic), "hardwear study seeds", [0, 1], seeds.summarize)
    results.put("fold0", {"held_out": [1], "float": metrics(0.955)})
    for seed, macro_f1 in ((0, 0.9712), (1, 0.9648)):
        results.put(f"seed{seed}", scored(seed, macro_f1))
    left_out = open_results(
        out, replace(study(synthetic=synthetic), study="leave-one-out"), "…", [0], leave_one_out.summarize
    )
    for subject in range(1, 6):
        row = {"subject": subject, "published_side": "test" if subject % 2 else "training"}
        left_out.put(f"subject{subject:02d}", {**row, **scored(0, 0.9 + 0.01 * subject)})


def test_the_page_shows_what_the_files_hold(tmp_path: Path) -> None:
    shutil.copy(ROOT / "docs" / PAGE, tmp_path / PAGE)
    fill(tmp_path, synthetic=False)
    page = render_page(tmp_path).read_text()
    assert "**0.9680 ± 0.0045**" in page
    assert "| macro-F1, int8, mean of the seeds | ≥ 0.9700 | 0.9680 | **missed** |" in page
    assert "| int8 weights, bytes | ≤ 32,768 | 23,136 | met |" in page
    assert "| subject 1 | 0.910 | LAYING 0.860 |" in page
    assert "0.930 ± 0.016" in page
    assert "| test part | 3 | 0.1667 | 0.167 |" in page
    assert (tmp_path / "pictures" / "leave_one_out_compact.png").stat().st_size > 10_000
    assert SYNTHETIC_HEADING not in page
    assert render_page(tmp_path).read_text() == page


def test_simulated_figures_are_headed_and_kept_apart(tmp_path: Path) -> None:
    fill(tmp_path / "simulated", synthetic=True)
    page = render_page(tmp_path / "simulated", synthetic=True).read_text()
    assert SYNTHETIC_HEADING in page
    assert "missed" not in page
    with pytest.raises(StudyError, match="another folder"):
        render_page(tmp_path / "simulated", synthetic=False)
    with pytest.raises(StudyError, match="another folder"):
        render_page(ROOT / "docs", synthetic=True)


def test_a_page_without_a_part_is_named(tmp_path: Path) -> None:
    (tmp_path / PAGE).write_text("# Mine\n")
    with pytest.raises(HardwearError, match=f"<!-- {next(iter(SECTIONS))} -->"):
        render_page(tmp_path)


def test_text_around_a_marked_part_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- x -->\nold\n<!-- /x -->\nafter\n")
    replace_section(page, "x", "new")
    assert page.read_text() == "before\n<!-- x -->\nnew\n<!-- /x -->\nafter\n"


def test_the_committed_page_has_every_part_and_is_what_the_files_give(tmp_path: Path) -> None:
    committed = ROOT / "docs" / PAGE
    text = committed.read_text()
    assert [marker for marker in SECTIONS if f"<!-- {marker} -->" not in text] == []
    shutil.copy(committed, tmp_path / PAGE)
    shutil.copytree(ROOT / "docs" / "results", tmp_path / "results")
    assert render_page(tmp_path).read_text() == text


# -- the verbs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("seeds", "--seeds", "a"), "--seeds such as 0,1,2 or 0-4"),
        (("seeds", "--seeds", "1,1"), "each number once"),
        (("seeds", "--preset", "huge"), "shipped"),
        (("seeds", "--out", "docs"), "another folder"),
        (("seeds", "--epochs", "0"), "expected epochs in [1, "),
        (("seeds", "--set", "epoch=1"), "got 'epoch=1'"),
        (("leave-one-out", "--subjects", "1,99", "--epochs", "1"), "expected a subject out of"),
    ],
)
def test_what_cannot_be_studied_ends_with_advice(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    out = () if "--out" in arguments else ("--out", tmp_path)
    done = hardwear("study", *arguments, "--synthetic", *out, "--runs", tmp_path / "runs")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert said in done.stderr.replace("\n", " ")
    assert not (tmp_path / "runs").exists(), "something was trained before the mistake was told"


def test_a_study_of_simulated_motion_ends_in_files_headed_synthetic(tmp_path: Path) -> None:
    call = ("study", "seeds", "--synthetic", "--epochs", 1, "--folds", 0, "--seeds", "0", "--json")
    done = hardwear(*call, "--set", "label_smoothing=0.05", "--out", tmp_path, "--runs", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["seeds"] == [0]
    (settings,) = (tmp_path / "runs").glob("*/settings.json")
    assert json.loads(settings.read_text())["settings"]["label_smoothing"] == 0.05
    assert SYNTHETIC_HEADING in (tmp_path / PAGE).read_text()
