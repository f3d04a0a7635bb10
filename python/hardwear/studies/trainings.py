"""Trains what a study needs, side by side if asked to, and measures each result as the chip would compute it."""

import hashlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import Empty
from typing import Any

from hardwear.bundle import Bundle
from hardwear.datasets import Dataset, concatenate
from hardwear.errors import StudyError
from hardwear.progress import Progress, silent
from hardwear.studies.results import Row
from hardwear.training import Run, TrainingSettings, train
from hardwear.training.distillation import teacher_folder, teacher_settings

_TELL_EVERY_S = 0.5


@dataclass(frozen=True)
class Training:
    """One training of a study."""

    key: str
    """Names its run folder and its row in the results."""
    settings: TrainingSettings
    left_out: int | None = None
    """Learn from all people but this one, who becomes the test set; None leaves the data as they are."""
    convert: bool = True
    """Whether the result is converted to int8 and scored by TFLite-Micro's interpreter too."""
    teachers: str = "teachers"
    """Folder, beside its own, of the teachers that it shares with other trainings on the same windows."""
    examine: Callable[[Run, Dataset], Row] | None = None
    """Measures more of the result, for its row; a function of a module, as it is sent to other processes."""


def measure(dataset: Dataset, training: Training, runs: Path, progress: Progress = silent) -> Row:
    """Train, or take what lies in the run folder, convert and score.

    Args:
        dataset: Windows of the published split.
        training: What to train.
        runs: Folder of the run folders; bundles go to `bundles/` in it.
        progress: Told about epochs.

    Returns:
        Seed, device, seconds, hash of the weights, float metrics and what `examine` finds; if converted also the int8
        metrics, the gap in points, the model's hash and identity and what the network costs.
    """
    data = dataset if training.left_out is None else leave_out(dataset, training.left_out)
    run = train(data, training.settings, runs / training.key, progress, teachers_in=runs / training.teachers)
    row: Row = {
        "seed": run.settings.seed,
        "device": run.settings.device,
        "seconds": run.results.seconds,
        "weights_sha256": run.results.weights_sha256,
        "float": run.metrics.to_json(),
    }
    if training.examine is not None:
        row |= training.examine(run, data)
    if not training.convert:
        return row
    bundle = Bundle.create(run, data, runs / "bundles" / training.key)
    int8 = bundle.manifest.metrics["int8"]
    return row | {
        "int8": int8,
        "gap_points": 100 * (run.metrics.macro_f1 - int8["macro_f1"]),
        "model_sha256": bundle.manifest.hashes["model.tflite"],
        "identity": bundle.identity,
        "network": asdict(bundle.manifest.network),
    }


def measure_all(
    dataset: Dataset,
    trainings: Sequence[Training],
    runs: Path,
    found: Callable[[str, Row], None],
    jobs: int = 1,
    progress: Progress = silent,
) -> None:
    """Measure every training and hand each row over as soon as it is known; the teachers that they share come first.

    Args:
        dataset: As for `measure`.
        trainings: Of different keys.
        runs: As for `measure`.
        found: Called in this process with key and row, in the order in which trainings end.
        jobs: How many run side by side, each in a process of its own.
        progress: Told about epochs of all trainings together.
    """
    teachers = tuple({t.key: t for training in trainings for t in _teachers_of(training)}.values())
    told = _Epochs((*teachers, *trainings), progress)
    _measure_all(dataset, teachers, runs, lambda _key, _row: None, jobs, told)
    _measure_all(dataset, trainings, runs, found, jobs, told)


def _teachers_of(training: Training) -> list[Training]:
    folder = Path(training.teachers)
    return [
        replace(training, key=str(teacher_folder(folder, settings)), settings=settings, convert=False)
        for settings in teacher_settings(training.settings)
    ]


def _measure_all(
    dataset: Dataset,
    trainings: Sequence[Training],
    runs: Path,
    found: Callable[[str, Row], None],
    jobs: int,
    told: "_Epochs",
) -> None:
    if jobs == 1 or len(trainings) < 2:
        for training in trainings:
            row = measure(dataset, training, runs, told.of(training.key))
            told.finished(training.key)
            found(training.key, row)
        return
    # A forked child would inherit torch's threads in whatever state they are; a spawned one starts clean.
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    pool = ProcessPoolExecutor(min(jobs, len(trainings)), context, _start_worker, (dataset, runs, queue))
    try:
        pending: dict[Future[Row], str] = {pool.submit(_work, t): t.key for t in trainings}
        while pending:
            done, _ = wait(pending, timeout=_TELL_EVERY_S, return_when=FIRST_COMPLETED)
            told.drain(queue)
            for future in done:
                key = pending.pop(future)
                row = future.result()
                told.finished(key)
                found(key, row)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def leave_out(dataset: Dataset, subject: int) -> Dataset:
    """All people but one to learn from, and that one to test on, whatever side they stood on before.

    Raises:
        StudyError: Nobody of that number is in the data.
    """
    require_present(dataset, [subject])
    everyone = concatenate(dataset.train, dataset.test)
    theirs = everyone.subjects == subject
    return replace(
        dataset,
        train=everyone.select(~theirs),
        test=everyone.select(theirs),
        sha256=hashlib.sha256(f"{dataset.sha256} without subject {subject}".encode()).hexdigest(),
        source=f"{dataset.source}, subject {subject} left out",
    )


def subjects_of(dataset: Dataset) -> list[int]:
    """Everybody in training and test windows, ascending."""
    return sorted({int(s) for s in (*dataset.train.subjects, *dataset.test.subjects)})


def require_present(dataset: Dataset, subjects: Sequence[int]) -> None:
    """Refuse people who are not in the data, before any training is spent on the others.

    Raises:
        StudyError: Naming them, and who there is.
    """
    present = subjects_of(dataset)
    if strangers := [subject for subject in subjects if subject not in present]:
        raise StudyError(
            f"expected a subject out of {', '.join(map(str, present))}, got {', '.join(map(str, strangers))}"
        )


class _Epochs:
    """Adds up the epochs of several trainings for one progress bar."""

    def __init__(self, trainings: Sequence[Training], progress: Progress) -> None:
        self._epochs = {t.key: t.settings.epochs for t in trainings}
        self._done = dict.fromkeys(self._epochs, 0)
        self._progress = progress

    def of(self, key: str) -> Progress:
        def tell(done: int, total: int, detail: str = "") -> None:
            self._set(key, done, f"{key}: {detail}")

        return tell

    def finished(self, key: str) -> None:
        self._set(key, self._epochs[key], f"{key} done")

    def drain(self, queue: "multiprocessing.Queue[tuple[str, int, str]]") -> None:
        while True:
            try:
                self._set(*queue.get_nowait())
            except Empty:
                return

    def _set(self, key: str, done: int, detail: str) -> None:
        self._done[key] = max(done, self._done[key])
        self._progress(sum(self._done.values()), sum(self._epochs.values()), detail)


# What a worker process holds: set once, when it starts.
_worker: tuple[Dataset, Path, Any] | None = None


def _start_worker(dataset: Dataset, runs: Path, queue: Any) -> None:
    global _worker
    _worker = (dataset, runs, queue)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A study that is killed has no time to tell its workers, who would train on for hours and then wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(training: Training) -> Row:
    assert _worker is not None
    dataset, runs, queue = _worker

    def tell(done: int, total: int, detail: str = "") -> None:
        queue.put((training.key, done, f"{training.key}: {detail}"))

    return measure(dataset, training, runs, tell)
