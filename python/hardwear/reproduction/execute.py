"""Runs what the results file does not hold yet, and adds each run to it as soon as it ends."""

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hardwear.baselines import SvmSettings, train_svm
from hardwear.datasets import Dataset
from hardwear.progress import Progress, silent
from hardwear.provenance import provenance
from hardwear.reproduction import results as results_file
from hardwear.reproduction.results import Record, Results, essence
from hardwear.reproduction.table import PARTS, Row, Settings
from hardwear.training import TrainingSettings, train
from hardwear.training.run import CURVES, DataIdentity, RunResults, Scores

_SVM_STEPS = 1
"""A support vector machine counts as much as one epoch in the progress: both take about as long."""


@dataclass(frozen=True)
class Task:
    """One run that is still to be made."""

    row: Row
    settings: Settings

    @property
    def steps(self) -> int:
        """Its share of the progress."""
        return self.settings.epochs if isinstance(self.settings, TrainingSettings) else _SVM_STEPS

    @property
    def what(self) -> str:
        """Such as `ce-body@20, seed 3`."""
        return f"{self.row.name}, seed {self.settings.seed}"

    def command(self, synthetic: bool) -> str:
        """What to type to make just this run again."""
        epochs = "" if self.row.epochs is None else f" --epochs {self.row.epochs}"
        words = f"hardwear reproduce --only {self.row.experiment.name}{epochs} --seeds {self.settings.seed}"
        if isinstance(self.settings, TrainingSettings) and self.settings.device != "cpu":
            words += f" --device {self.settings.device}"
        return words + (" --synthetic" if synthetic else "")


def missing(
    rows: Iterable[Row],
    held: Results | None,
    seeds: Sequence[int] | None = None,
    device: str = "cpu",
    threads: int = 1,
) -> list[Task]:
    """What is to be run, in the order in which it is worth running.

    Shorter runs come first, then part by part of the table; within a part seed by seed, so that a table that is cut
    off has the same seeds in every row. Equal settings of two rows are run once.

    Args:
        rows: Of the table.
        held: What the results file holds.
        seeds: Instead of those that the table asks for.
        device: Where networks are trained.
        threads: CPU threads of each run.
    """
    tasks: dict[Settings, Task] = {}
    for row in rows:
        for seed in row.experiment.seeds if seeds is None else seeds:
            settings = row.settings(seed)
            if isinstance(settings, TrainingSettings):
                settings = replace(settings, device=device, threads=threads)
            if held is None or held.find(settings) is None:
                tasks.setdefault(essence(settings), Task(row, settings))

    def worth(task: Task) -> tuple[int, int, int]:
        return task.row.epochs or 0, PARTS.index(task.row.experiment.part), task.settings.seed

    return sorted(tasks.values(), key=worth)


def execute(
    dataset: Dataset, tasks: Sequence[Task], path: Path, runs: Path, progress: Progress = silent
) -> tuple[Task, ...]:
    """Make the runs, each in its own folder, going on where one was interrupted.

    Several processes may share the work by being given the same tasks: each run is made by the one that comes first.

    Args:
        dataset: Windows to learn from and to measure on.
        tasks: From `missing`.
        path: The results file.
        runs: Folder of the run folders.
        progress: Told about epochs over all tasks.

    Returns:
        The tasks that other processes were at.

    Raises:
        TrainingError: The file holds runs on other data; or as `training.train`, naming the run's folder.
    """
    data = DataIdentity(dataset.name, dataset.sha256)
    held = results_file.read(path)
    if held is not None:
        results_file.require_same_data(path, held, data)
    total, before = sum(task.steps for task in tasks), 0
    elsewhere = []
    for task in tasks:
        folder = run_folder(runs, task.settings)
        with results_file.locked(folder.with_suffix(".lock"), wait=False) as mine:
            if not mine:
                elsewhere.append(task)
            elif not _held(path, task):
                record = _run(dataset, task, folder, _Counted(progress, before, total, task))
                results_file.add(path, data, record, runs / "results.lock")
        before += task.steps
        progress(before, total, task.what)
    return tuple(elsewhere)


def run_folder(runs: Path, settings: Settings) -> Path:
    """Where a run of these settings lies: named for people, and by all its settings, so that no two share one."""
    digest = hashlib.sha256(json.dumps(settings.to_json(), sort_keys=True).encode()).hexdigest()[:8]
    if isinstance(settings, SvmSettings):
        return runs / f"svm-seed{settings.seed}-{digest}"
    return runs / f"{settings.network}-{settings.epochs}epochs-seed{settings.seed}-{digest}"


class _Counted:
    """One run's progress as part of that of all."""

    def __init__(self, progress: Progress, before: int, total: int, task: Task) -> None:
        self.progress, self.before, self.total, self.task = progress, before, total, task

    def __call__(self, done: int, total: int, detail: str = "") -> None:
        self.progress(self.before + done * self.task.steps // total, self.total, f"{self.task.what}: {detail}")


def _held(path: Path, task: Task) -> bool:
    """Whether another process has made the run meanwhile."""
    held = results_file.read(path)
    return held is not None and held.find(task.settings) is not None


def _run(dataset: Dataset, task: Task, folder: Path, progress: Progress) -> Record:
    settings = task.settings
    command = task.command(dataset.synthetic)
    source = provenance(command, {dataset.name: dataset.sha256}, [settings.seed])
    if isinstance(settings, SvmSettings):
        svm = train_svm(dataset, settings, progress)
        scores = Scores(epoch=1, validation=svm.validation, test=svm.test)
        results = RunResults(scores, best=None, kept="last", weights_sha256=svm.sha256, seconds=svm.seconds)
        return Record(settings, results, {}, svm.choice(), source)
    run = train(dataset, settings, folder, progress)
    with (folder / CURVES).open(newline="", encoding="utf-8") as stream:
        curves = results_file.thinned(list(csv.DictReader(stream)))
    return Record(settings, run.results, curves, None, source)
