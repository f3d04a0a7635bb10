"""Runs of the table: made once, kept at once, gone on with, shared between processes."""

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import canned_reproduction as canned
import pytest

from hardwear.datasets import Dataset, simulate_dataset
from hardwear.errors import TrainingError
from hardwear.reproduction import results as results_file
from hardwear.reproduction.cost import seconds_per_run
from hardwear.reproduction.execute import Task, execute, missing, run_folder
from hardwear.reproduction.results import Record, Results, read, thinned
from hardwear.reproduction.table import Row, choose
from hardwear.training import TrainingSettings, load_run


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Few windows, so that an epoch takes less than a second."""
    whole = simulate_dataset()
    return replace(whole, train=whole.train.select(whole.train.subjects <= 5))


def cnn_rows(epochs: int = 1) -> tuple[Row, ...]:
    return choose("cnn-body", epochs)


def store(path: Path, held: Results) -> None:
    for record in held.runs.values():
        results_file.add(path, held.data, record, path.with_suffix(".lock"))


def test_a_run_is_kept_with_all_that_tells_where_it_comes_from(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    tasks = missing(cnn_rows(), None, seeds=[4])
    execute(dataset, tasks, path, tmp_path / "runs")
    held = read(path)
    assert held is not None
    assert held.synthetic
    (record,) = held.runs.values()
    run = load_run(run_folder(tmp_path / "runs", record.settings))
    assert record.results == run.results
    assert record.results.best is not None
    assert record.results.last.test is not None
    assert (record.seed, record.epochs) == (4, 1)
    assert record.provenance["command"] == "hardwear reproduce --only cnn-body --epochs 1 --seeds 4 --synthetic"
    assert record.provenance["data"] == {"SYNTHETIC": dataset.sha256}
    with (run.folder / "curves.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert record.curves["train_loss"] == [pytest.approx(float(row["train_loss"]), rel=1e-4)]


def test_what_the_file_holds_is_not_run_again(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    execute(dataset, missing(cnn_rows(), None, seeds=[0]), path, tmp_path / "runs")
    held = read(path)
    assert [task.settings.seed for task in missing(cnn_rows(), held, seeds=[0, 1])] == [1]
    assert missing(cnn_rows(), held, seeds=[0], device="cuda", threads=2) == []
    assert len(missing(cnn_rows(epochs=2), held, seeds=[0])) == 1


def test_an_interrupted_run_goes_on_and_finished_ones_are_kept(dataset: Dataset, tmp_path: Path) -> None:
    path, runs = tmp_path / "results.json", tmp_path / "runs"
    tasks = missing(cnn_rows(epochs=2), None, seeds=[0, 1])

    def stop(done: int, total: int, detail: str = "") -> None:
        if done == 3:  # the second run's first epoch
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(dataset, tasks, path, runs, stop)
    held = read(path)
    assert held is not None
    assert [record.seed for record in held.runs.values()] == [0]
    told: list[str] = []
    left = missing(cnn_rows(epochs=2), held, seeds=[0, 1])
    execute(dataset, left, path, runs, lambda done, total, detail="": told.append(f"{done}/{total}"))
    assert told == ["2/2", "2/2"]  # epoch 2 of the run that was cut, then its end
    uncut = tmp_path / "uncut.json"
    execute(dataset, left, uncut, tmp_path / "other")
    assert _hashes(path)[1] == _hashes(uncut)[0]


def _hashes(path: Path) -> list[str]:
    held = read(path)
    assert held is not None
    return [r.results.weights_sha256 for r in sorted(held.runs.values(), key=lambda record: record.seed)]


def test_another_process_is_left_the_run_that_it_is_at(dataset: Dataset, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    first, second = tasks = missing(cnn_rows(), None, seeds=[0, 1])
    lock = run_folder(runs, first.settings).with_suffix(".lock")
    runs.mkdir()
    script = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print(flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", script, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        assert execute(dataset, tasks, tmp_path / "results.json", runs) == (first,)
    finally:
        holder.communicate()
    held = read(tmp_path / "results.json")
    assert held is not None
    assert [record.seed for record in held.runs.values()] == [second.settings.seed]


def test_short_runs_come_first_and_seeds_go_round_the_rows() -> None:
    tasks = missing(choose("ce-body,center-body,svm-body"), None, seeds=[0, 1])
    assert [task.what for task in tasks] == [
        "svm-body, seed 0",
        "svm-body, seed 1",
        "ce-body@20, seed 0",
        "center-body@20, seed 0",
        "ce-body@20, seed 1",
        "center-body@20, seed 1",
        "ce-body@300, seed 0",
        "center-body@300, seed 0",
        "ce-body@300, seed 1",
        "center-body@300, seed 1",
    ]


def test_equal_settings_are_run_once() -> None:
    together = missing(choose("ce-body@20,lambda-0,reading-body-window-ce"), None, seeds=[0])
    assert [task.what for task in together] == ["ce-body@20, seed 0"]


def test_device_and_threads_reach_the_run_and_its_command() -> None:
    (task,) = missing(cnn_rows(), None, seeds=[0], device="cuda", threads=3)
    assert isinstance(task.settings, TrainingSettings)
    assert (task.settings.device, task.settings.threads) == ("cuda", 3)
    assert task.command(synthetic=False) == "hardwear reproduce --only cnn-body --epochs 1 --seeds 0 --device cuda"


def test_run_folders_differ_with_any_setting() -> None:
    tasks = missing(choose(), None) + missing(choose(), None, device="cuda") + missing(choose(), None, threads=2)
    networks = [task for task in tasks if isinstance(task.settings, TrainingSettings)]
    assert len({run_folder(Path("runs"), task.settings) for task in networks}) == len(networks)


def test_the_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    held = canned.results(choose("svm-body,ce-body@20"))
    store(path, held)
    assert read(path) == held
    document = json.loads(path.read_text())
    assert document["synthetic"] is False
    assert len(path.read_text().splitlines()) == len(held.runs) + 2  # one line a run
    before = path.read_bytes()
    store(path, held)
    assert path.read_bytes() == before


def test_runs_are_found_whatever_device_made_them() -> None:
    (row,) = choose("ce-body@20")
    settings = row.settings(0)
    assert isinstance(settings, TrainingSettings)
    made = canned.record(replace(settings, device="cuda", threads=4, keep="best"), 0.9)
    held = Results(canned.REAL, {results_file.essence(made.settings): made})
    assert held.of(row) == [made]
    assert held.find(settings) == made


def test_two_data_sets_do_not_go_into_one_file(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    store(path, canned.results(choose("svm-body"), seeds=[0]))
    with pytest.raises(TrainingError, match=r"UCI-HAR.*--out|SYNTHETIC.*--out"):
        execute(dataset, missing(cnn_rows(), None, seeds=[0]), path, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1, "data": {}, "runs": [{"kind": "network"}]}'])
def test_a_damaged_file_ends_with_advice(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(TrainingError, match="restore the file"):
        read(path)


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('{"format": 2}')
    with pytest.raises(TrainingError, match="format 1"):
        read(path)


def test_curves_are_thinned_to_a_hundred_epochs_and_the_last() -> None:
    rows = [{"epoch": str(k), "train_loss": repr(1 / k)} for k in range(1, 302)]
    curves = thinned(rows)
    assert len(curves["epoch"]) <= 101
    assert curves["epoch"][-1] == 301
    assert curves["train_loss"][-1] == pytest.approx(1 / 301, rel=1e-4)
    assert thinned(rows[:3])["epoch"] == [1, 2, 3]
    assert thinned([]) == {}


def test_hours_are_told_from_runs_of_the_same_network() -> None:
    held = canned.results(choose("ce-body@20"))
    (long,) = choose("center-total@300")
    assert seconds_per_run(long, held) == pytest.approx(300 * 12.0)
    assert seconds_per_run(choose("cnn-body@20")[0], held) is None
    assert seconds_per_run(choose("svm-body")[0], held) is None


def test_a_support_vector_machine_is_kept_with_its_choice(dataset: Dataset, tmp_path: Path) -> None:
    (row,) = choose("svm-body")
    small = replace(row.settings(0), penalties=(1.0,), widths=(1.0,), folds=2)
    execute(dataset, [Task(row, small)], tmp_path / "results.json", tmp_path / "runs")
    held = read(tmp_path / "results.json")
    assert held is not None
    record: Record = held.runs[small]
    assert record.choice is not None
    assert record.choice["C"] == 1.0
    assert record.results.last.validation is not None
    assert record.epochs is None
