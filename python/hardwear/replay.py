"""Replay: send recorded motion to a device and compare every number it answers with Python's.

Two modes. *Windows* sends UCI-HAR's conditioned test windows and compares class, logits and embedding with
TFLite-Micro, and the probabilities with the Python twin of the chip's softmax. *Stream* sends raw HAPT recordings
sample by sample through the whole chain on the chip (conditioning, window, quantisation, model, probabilities) and
compares each prediction with the Python twin of that chain at the same end sample.

Every answer goes to a `.jsonl` file as it comes, so an interrupted replay leaves a partial report and can go on.
"""

import itertools
import json
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hardwear.bundle import Bundle
from hardwear.conditioning import FilterSpec, condition_counts
from hardwear.contract import CLASSES, HOP_SAMPLES, WINDOW_SAMPLES, to_counts
from hardwear.datasets import Dataset, Recording
from hardwear.errors import BundleMismatch, LinkError, ReplayMismatch
from hardwear.link import Device, Hello, Prediction
from hardwear.link.messages import MAX_CHUNK_SAMPLES
from hardwear.metrics import classification_metrics
from hardwear.progress import Progress, silent
from hardwear.quantization.tflm import TflmModel

OpenDevice = Callable[[], AbstractContextManager[Device]]

NO_LABEL = -1
"""Label of a stream window that is not inside one segment of one of the six activities."""


@dataclass(frozen=True)
class Golden:
    """What Python says of a sequence of windows: TFLite-Micro's int8 outputs, and the probabilities of the logits."""

    logits: npt.NDArray[np.int8]
    """(N, 6)."""
    embedding: npt.NDArray[np.int8]
    """(N, E)."""
    probabilities: npt.NDArray[np.uint8]
    """(N, 6), in 255ths."""


@dataclass(frozen=True)
class Mismatch:
    """The first window on which device and Python differ."""

    window: int
    recording: int | None
    where: str
    """The layer as far as the two outputs tell it."""
    device_logits: list[int]
    python_logits: list[int]
    device_probabilities: list[int]
    python_probabilities: list[int]


@dataclass(frozen=True)
class ReplayResult:
    """Summary of a replay; `replay.json` is exactly this. Units: `time` is µs or instructions, see `time_unit`."""

    mode: str
    dataset: str
    data_sha256: str
    synthetic: bool
    identity: str
    board: str
    engine: str
    time_unit: str
    arena_bytes: int
    complete: bool
    windows: int
    windows_done: int
    windows_equal: int
    logits: int
    logits_equal: int
    embeddings_equal: int
    probabilities_equal: int
    windows_labelled: int
    macro_f1: float | None
    accuracy: float | None
    recall: dict[str, float]
    confusion: list[list[int]]
    time_mean: float | None
    time_max: int | None
    seconds: float
    recordings: list[int] = field(default_factory=list)
    first_mismatch: Mismatch | None = None
    device_counters: list[dict[str, int]] = field(default_factory=list)
    """STATS of each device used, as it stood when the replay ended."""

    @property
    def equal(self) -> bool:
        """Whether all windows were replayed and every logit, embedding value and probability agreed."""
        return (
            self.complete
            and self.windows_done == self.windows == self.windows_equal
            and self.embeddings_equal == self.probabilities_equal == self.windows
        )

    def require_equal(self) -> None:
        """Raise unless the device computed what Python computed, everywhere.

        Raises:
            ReplayMismatch: Naming the first diverging window and, if known, the layer.
        """
        if self.first_mismatch is not None:
            m = self.first_mismatch
            place = f"window {m.window}" + (f" of recording {m.recording}" if m.recording is not None else "")
            equal = min(self.windows_equal, self.embeddings_equal, self.probabilities_equal)
            raise ReplayMismatch(
                f"device and Python differ in at least {self.windows_done - equal} of {self.windows_done} windows; the "
                f"first is {place} ({m.where}): device logits {m.device_logits}, probabilities "
                f"{m.device_probabilities}, Python {m.python_logits}, {m.python_probabilities}. Next step: rebuild and "
                f"flash the firmware from this bundle (hardwear generate, hardwear build), then replay again"
            )
        if not self.complete:
            raise ReplayMismatch(
                f"only {self.windows_done} of {self.windows} windows were replayed; go on with --resume"
            )


class GoldenModel:
    """The bundle's input quantiser, model in TFLite-Micro's interpreter and softmax; may be shared by threads.

    Args:
        bundle: The bundle to run.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._quantizer = bundle.quantizer
        self._model = TflmModel(bundle.tflite)
        self._softmax = bundle.softmax
        self._lock = threading.Lock()

    def run(self, counts: npt.NDArray[np.int16]) -> Golden:
        """What Python says of conditioned windows, (N, 128, 6) int16."""
        inputs = self._quantizer.quantize(counts)
        with self._lock:
            logits, embedding = self._model.run(inputs)
        return Golden(logits, embedding, self._softmax.probabilities(logits))


def check_identity(hello: Hello, bundle: Bundle) -> None:
    """Refuse a device that runs another bundle or can't predict.

    Raises:
        BundleMismatch: The identities differ; the message names both.
        LinkError: The device refuses to predict because its self-test failed.
    """
    expected = bundle.identity[: len(hello.identity)]
    if hello.identity != expected:
        raise BundleMismatch(
            f"the device runs bundle {hello.identity}, this replay compares with bundle {expected} "
            f"({bundle.path}). Next step: hardwear generate {bundle.path}, build and flash; or name the bundle "
            "that the device was built from"
        )
    if not hello.ready:
        raise LinkError(
            f"the device refuses to predict: {hello.status_text}. Next step: rebuild and flash the firmware; "
            "if it stays, generated headers and code do not belong together"
        )


def load_result(folder: Path) -> ReplayResult:
    """Read the `replay.json` that a replay wrote.

    Raises:
        LinkError: There is none, or it is not one.
    """
    path = folder / "replay.json"
    try:
        held = json.loads(path.read_text())
        first = held.pop("first_mismatch")
        return ReplayResult(**held, first_mismatch=Mismatch(**first) if first else None)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LinkError(
            f"expected the summary of a replay in {path}, found none that can be read ({error}). "
            f"Next step: hardwear replay --out {folder}"
        ) from error


# -- windows -----------------------------------------------------------------------------------------------------


def replay_windows(
    open_device: OpenDevice,
    bundle: Bundle,
    dataset: Dataset,
    out: Path,
    *,
    limit: int | None = None,
    jobs: int = 1,
    resume: bool = False,
    progress: Progress = silent,
) -> ReplayResult:
    """Replay the test windows and compare class, logits, embedding and probabilities of each with Python's.

    Args:
        open_device: Opens one more device; called `jobs` times.
        bundle: What the device must have been built from.
        dataset: Its test windows are replayed.
        out: Folder for `windows.jsonl` (one line per answer) and `replay.json` (the summary).
        limit: Replay only the first windows.
        jobs: How many devices to use side by side.
        resume: Go on after the answers that `out` already holds.
        progress: Told after each window.

    Returns:
        The summary; it is also written when the replay is interrupted.

    Raises:
        BundleMismatch: Before the first window, if the device runs another bundle.
        LinkError: The device can't be reached, stops answering, or `out` holds a replay of something else.
    """
    counts = to_counts(dataset.test.windows[:limit])
    labels = dataset.test.labels[:limit]
    expected = GoldenModel(bundle).run(counts)
    journal = _Journal(
        out / "windows.jsonl",
        {"mode": "windows", "identity": bundle.identity, "data_sha256": dataset.sha256},
        resume,
    )

    def answers(device: Device, indices: Iterator[int]) -> Iterator[dict[str, Any]]:
        asked: deque[int] = deque()  # the device answers in order, some windows behind what was sent

        def sent() -> Iterator[npt.NDArray[np.int16]]:
            for index in indices:
                asked.append(index)
                yield counts[index]

        for prediction in device.windows(sent()):
            index = asked.popleft()
            yield _record(index, None, int(labels[index]), prediction, expected, index)

    answered = {r["window"] for r in journal.records}
    plan = _Plan(
        mode="windows",
        dataset=dataset.name,
        data_sha256=dataset.sha256,
        synthetic=dataset.synthetic,
        windows=len(counts),
        covers=lambda record: record["window"] < len(counts),
        todo=[index for index in range(len(counts)) if index not in answered],
        answers=answers,
    )
    return _replay(open_device, bundle, plan, journal, jobs, progress)


# -- stream ------------------------------------------------------------------------------------------------------


def replay_stream(
    open_device: OpenDevice,
    bundle: Bundle,
    recordings: Sequence[Recording],
    data_name: str,
    data_sha256: str,
    out: Path,
    *,
    jobs: int = 1,
    resume: bool = False,
    progress: Progress = silent,
) -> ReplayResult:
    """Replay whole raw recordings through the device's chain and compare each prediction at its window's true end.

    Args:
        open_device: Opens one more device; called `jobs` times.
        bundle: What the device must have been built from.
        recordings: Raw recordings; each starts the chip's chain from zero state.
        data_name: Name of the data set, `SYNTHETIC` for simulated recordings.
        data_sha256: Hash of the data set.
        out: Folder for `stream.jsonl` and `replay.json`.
        jobs: How many devices to use side by side.
        resume: Go on after the whole recordings that `out` already holds.
        progress: Told after each prediction.

    Returns:
        The summary; it is also written when the replay is interrupted.

    Raises:
        BundleMismatch: Before the first sample, if the device runs another bundle.
        LinkError: The device can't be reached or stops answering.
        ReplayMismatch: The device's predictions fall due at other samples than Python's.
    """
    model = GoldenModel(bundle)
    by_experiment = {r.experiment: r for r in recordings}
    journal = _Journal(
        out / "stream.jsonl",
        {"mode": "stream", "identity": bundle.identity, "data_sha256": data_sha256},
        resume,
    )
    held = {e: sum(r["recording"] == e for r in journal.records) for e in by_experiment}
    todo = [e for e, r in by_experiment.items() if held[e] != window_count(len(r.samples))]
    journal.forget(lambda record: record["recording"] in todo)

    def answers(device: Device, experiments: Iterator[int]) -> Iterator[dict[str, Any]]:
        for experiment in experiments:
            yield from _stream_recording(device, bundle.filter_spec, model, by_experiment[experiment])

    plan = _Plan(
        mode="stream",
        dataset=data_name,
        data_sha256=data_sha256,
        synthetic=data_name == "SYNTHETIC",
        windows=sum(window_count(len(r.samples)) for r in recordings),
        covers=lambda record: record["recording"] in by_experiment,
        todo=todo,
        answers=answers,
        recordings=[r.experiment for r in recordings],
    )
    return _replay(open_device, bundle, plan, journal, jobs, progress)


def _stream_recording(
    device: Device, spec: FilterSpec, model: GoldenModel, recording: Recording
) -> Iterator[dict[str, Any]]:
    raw = to_counts(recording.samples)
    windows = stream_windows(condition_counts(raw, spec))
    expected = model.run(windows)
    labels = window_labels(recording, len(windows))
    seen = 0
    for start in range(0, len(raw), MAX_CHUNK_SAMPLES):
        chunk = raw[start : start + MAX_CHUNK_SAMPLES]
        last = start + len(chunk) == len(raw)
        for due in device.stream(chunk, first_sample=start, restart=start == 0, end=last):
            true_end = seen * HOP_SAMPLES + WINDOW_SAMPLES if seen < len(windows) else None
            if due.end_sample != true_end:
                raise ReplayMismatch(
                    f"recording {recording.experiment}: the device's prediction {seen} ends at sample "
                    f"{due.end_sample}, Python's at {true_end or 'none'}; the chip's window or conditioning lags are "
                    "not those of this bundle"
                )
            yield _record(seen, recording.experiment, int(labels[seen]), due.prediction, expected, seen)
            seen += 1
    if seen != len(windows):
        raise ReplayMismatch(f"recording {recording.experiment}: {len(windows)} predictions were due, {seen} came")


def window_count(samples: int) -> int:
    """How many windows a stream of `samples` samples holds."""
    return 0 if samples < WINDOW_SAMPLES else (samples - WINDOW_SAMPLES) // HOP_SAMPLES + 1


def stream_windows(conditioned: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Cut a conditioned stream (N, 6) into its windows (M, 128, 6), every hop from sample 0."""
    count = window_count(len(conditioned))
    starts = np.arange(count) * HOP_SAMPLES
    return np.asarray(conditioned[starts[:, None] + np.arange(WINDOW_SAMPLES)], dtype=np.int16)


def window_labels(recording: Recording, windows: int) -> npt.NDArray[np.int64]:
    """The label of each stream window: its segment's class if it lies wholly in one of the six, else `NO_LABEL`."""
    labels = np.full(windows, NO_LABEL, dtype=np.int64)
    starts = np.arange(windows) * HOP_SAMPLES
    for segment in recording.segments:
        if segment.activity <= len(CLASSES):  # HAPT numbers the six activities 1..6, transitions 7..12
            inside = (starts >= segment.start) & (starts + WINDOW_SAMPLES <= segment.stop)
            labels[inside] = segment.activity - 1
    return labels


# -- what both modes share ---------------------------------------------------------------------------------------


class _Journal:
    """The answers so far, one JSON object a line, after a header line that says what they are answers to."""

    def __init__(self, path: Path, header: dict[str, Any], resume: bool) -> None:
        self.path = path
        self.header = header
        self.records: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        if resume and path.exists():
            lines = path.read_text().splitlines()
            held = json.loads(lines[0]) if lines else header
            if held != header:
                raise LinkError(
                    f"{path} holds a replay of {held}, this one is of {header}. Next step: replay without --resume "
                    "to start anew, or name another --out"
                )
            for line in lines[1:]:
                try:
                    self.records.append(json.loads(line))
                except json.JSONDecodeError:  # cut off while it was written: that answer is asked for again
                    break
        self._rewrite()

    def _rewrite(self) -> None:
        self.path.write_text("".join(json.dumps(line) + "\n" for line in [self.header, *self.records]))

    def forget(self, stale: Callable[[dict[str, Any]], bool]) -> None:
        """Drop the records that will be made anew."""
        self.records = [record for record in self.records if not stale(record)]
        self._rewrite()

    def add(self, record: dict[str, Any]) -> None:
        """Keep one answer, on disk too."""
        with self._lock:
            self.records.append(record)
            with self.path.open("a") as file:
                file.write(json.dumps(record) + "\n")


def _record(
    window: int, recording: int | None, label: int, prediction: Prediction, expected: Golden, index: int
) -> dict[str, Any]:
    logits_equal = int(np.sum(np.asarray(prediction.logits) == expected.logits[index]))
    python_class = int(np.argmax(expected.logits[index]))
    embedding_equal = bool(np.array_equal(prediction.embedding, expected.embedding[index]))
    probabilities_equal = bool(np.array_equal(prediction.probabilities, expected.probabilities[index]))
    record: dict[str, Any] = {
        "window": window,
        "recording": recording,
        "label": label,
        "class": prediction.label,
        "logits": [int(v) for v in prediction.logits],
        "logits_equal": logits_equal,
        "embedding_equal": embedding_equal,
        "probabilities": [int(v) for v in prediction.probabilities],
        "probabilities_equal": probabilities_equal,
        "class_equal": prediction.label == python_class,
        "time": prediction.time,
    }
    if not _all_equal(record):
        record["python_logits"] = [int(v) for v in expected.logits[index]]
        record["python_probabilities"] = [int(v) for v in expected.probabilities[index]]
    return record


def _window_equal(record: dict[str, Any]) -> bool:
    return bool(record["class_equal"]) and int(record["logits_equal"]) == len(CLASSES)


def _all_equal(record: dict[str, Any]) -> bool:
    return _window_equal(record) and bool(record["embedding_equal"]) and bool(record["probabilities_equal"])


def _where(record: dict[str, Any]) -> str:
    if not record["embedding_equal"]:
        return "the embedding differs already: conditioning, quantisation or a layer up to the embedding"
    if record["logits_equal"] < len(CLASSES):
        return "the embedding agrees, the logits differ: the last fully-connected layer"
    if not record["class_equal"]:
        return "the logits agree, the class differs: the decision"
    return "the logits agree, the probabilities differ: the table or the arithmetic of the softmax"


@dataclass(frozen=True)
class _Plan:
    """What is replayed: where it comes from, how many windows, and how a device's answers to items are obtained."""

    mode: str
    dataset: str
    data_sha256: str
    synthetic: bool
    windows: int
    covers: Callable[[dict[str, Any]], bool]
    """Whether an answer is one to this plan: a resumed journal may hold those to a larger one."""
    todo: list[int]
    answers: Callable[[Device, Iterator[int]], Iterator[dict[str, Any]]]
    recordings: list[int] = field(default_factory=list)


def _replay(
    open_device: OpenDevice, bundle: Bundle, plan: _Plan, journal: _Journal, jobs: int, progress: Progress
) -> ReplayResult:
    """Share the plan's items among devices, keep each answer, summarise; also when interrupted or failing."""
    started = time.monotonic()
    work: queue.SimpleQueue[int] = queue.SimpleQueue()
    for item in plan.todo:
        work.put(item)
    stop = threading.Event()
    hellos: list[Hello] = []
    counters: list[dict[str, int]] = []
    errors: list[BaseException] = []
    done = itertools.count(1 + sum(map(plan.covers, journal.records)))

    def items() -> Iterator[int]:
        while not stop.is_set():
            try:
                yield work.get_nowait()
            except queue.Empty:
                return

    def serve() -> None:
        try:
            with open_device() as device:
                hello = device.hello()
                check_identity(hello, bundle)
                hellos.append(hello)
                for record in plan.answers(device, items()):
                    journal.add(record)
                    progress(next(done), plan.windows, f"{record['time']} {hello.time_unit}")
                    if stop.is_set():
                        break
                counters.append(device.stats())
        except BaseException as error:  # carried to the caller's thread, raised there
            errors.append(error)
            stop.set()

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(max(1, min(jobs, len(plan.todo))))]
    complete = False
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(timeout=0.1)
        if errors:
            raise errors[0]
        complete = True
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=10)
        if hellos:  # a device answered: what it said so far is the (partial) report
            seconds = time.monotonic() - started
            result = _summary(plan, bundle, journal.records, hellos[0], counters, complete, seconds)
            (journal.path.parent / "replay.json").write_text(json.dumps(asdict(result), indent=1) + "\n")
    return result


def _summary(
    plan: _Plan,
    bundle: Bundle,
    records: list[dict[str, Any]],
    hello: Hello,
    counters: list[dict[str, int]],
    complete: bool,
    seconds: float,
) -> ReplayResult:
    records = sorted(filter(plan.covers, records), key=lambda r: (r["recording"] or 0, r["window"]))
    labelled = [r for r in records if r["label"] != NO_LABEL]
    metrics = (
        classification_metrics(np.array([r["label"] for r in labelled]), np.array([r["class"] for r in labelled]))
        if labelled
        else None
    )
    differing = [r for r in records if not _all_equal(r)]
    first = differing[0] if differing else None
    times = [r["time"] for r in records]
    return ReplayResult(
        mode=plan.mode,
        dataset=plan.dataset,
        data_sha256=plan.data_sha256,
        synthetic=plan.synthetic,
        identity=bundle.identity,
        board=hello.board,
        engine=hello.engine,
        time_unit=hello.time_unit,
        arena_bytes=hello.arena_bytes,
        complete=complete and len(records) == plan.windows,
        windows=plan.windows,
        windows_done=len(records),
        windows_equal=sum(map(_window_equal, records)),
        logits=len(records) * len(CLASSES),
        logits_equal=sum(r["logits_equal"] for r in records),
        embeddings_equal=sum(r["embedding_equal"] for r in records),
        probabilities_equal=sum(r["probabilities_equal"] for r in records),
        windows_labelled=len(labelled),
        macro_f1=metrics.macro_f1 if metrics else None,
        accuracy=metrics.accuracy if metrics else None,
        recall=dict(metrics.recall) if metrics else {},
        confusion=[[int(v) for v in row] for row in metrics.confusion] if metrics else [],
        time_mean=float(np.mean(times)) if times else None,
        time_max=max(times) if times else None,
        seconds=seconds,
        recordings=plan.recordings,
        first_mismatch=Mismatch(
            first["window"],
            first["recording"],
            _where(first),
            first["logits"],
            first["python_logits"],
            first["probabilities"],
            first["python_probabilities"],
        )
        if first
        else None,
        device_counters=counters,
    )
