"""What each choice in the board's settings brings, on held-out training subjects: what settings are chosen by.

Every variant changes one thing about the settings of a preset and is trained on the same folds. Nobody reads the test
subjects.
"""

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hardwear.bundle import convert_run
from hardwear.contract import CHANNEL_COUNT, CLASSES
from hardwear.datasets import Dataset, WindowSet, split_by_subject
from hardwear.errors import StudyError
from hardwear.evaluation import int8_classes
from hardwear.metrics import Metrics, classification_metrics
from hardwear.progress import Progress, silent
from hardwear.quantization.tflm import TflmModel
from hardwear.studies.disturbances import rotate
from hardwear.studies.results import ResultsFile, Row, Study, documents, open_results
from hardwear.studies.robustness import GOAL_DEGREES
from hardwear.studies.seeds import fold_subjects
from hardwear.studies.trainings import Training, measure_all
from hardwear.studies.words import not_measured, settings_identity, sources
from hardwear.training import Run, TrainingSettings

STUDY = "search"

ROLLS_DEGREES = (45, 90, 135, 180, 225, 270, 315)


@dataclass(frozen=True)
class Variant:
    """One change to the settings that a search starts from, which have no teachers."""

    what: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Mapping[str, Any] = field(default_factory=dict)

    def of(self, start: TrainingSettings) -> TrainingSettings:
        """The changed settings."""
        changed = replace(start.augmentation, **self.augmentation)
        return replace(start, augmentation=changed, **self.settings)


START = "start"
_TURNED_AND_ROLLED = {"rotation_degrees": 20.0, "lying_roll_degrees": 180.0}
VARIANTS: Mapping[str, Variant] = {
    START: Variant("the settings without teachers"),
    "plain": Variant("no graded first layer, no ReLU6", {"network": "compact-plain"}),
    "more-noise": Variant("noise 0.01 g and 0.02 rad/s", augmentation={"acc_noise": 0.01, "gyro_noise": 0.02}),
    "no-noise": Variant("no noise", augmentation={"acc_noise": 0.0, "gyro_noise": 0.0}),
    "teachers": Variant("learning from 3 teachers too", {"teachers": 3}),
    "published-windows": Variant("windows as published, not cut anew", augmentation={"shift_samples": 0}),
    "no-center": Variant("no center loss", {"center_weight": 0.0}),
    "no-rotation": Variant("no rotation", augmentation={"rotation_degrees": 0.0}),
    "rotation-20": Variant("rotation 20°", augmentation={"rotation_degrees": 20.0}),
    "lying-roll": Variant("who lies rolled over, all the way round", augmentation={"lying_roll_degrees": 180.0}),
    "as-worn": Variant("the last two at once", augmentation=_TURNED_AND_ROLLED),
    "as-worn-long": Variant("the same for 240 epochs", {"epochs": 240}, _TURNED_AND_ROLLED),
    "as-worn-longer": Variant("the same for 480 epochs", {"epochs": 480}, _TURNED_AND_ROLLED),
    "as-worn-taught": Variant("240 epochs, and 2 teachers", {"epochs": 240, "teachers": 2}, _TURNED_AND_ROLLED),
    "rate": Variant("rate or pace ± 3 %", augmentation={"tempo": 0.03}),
    "gain": Variant("gain ± 10 %", augmentation={"scale": 0.1}),
    "center-0.1": Variant("λ 0.1", {"center_weight": 0.1}),
    "no-smoothing": Variant("no label smoothing", {"label_smoothing": 0.0}),
    "half": Variant("half the epochs", {"epochs": 60}),
}
"""The one table of what is tried, in the order in which it is worth trying."""


def search(
    dataset: Dataset,
    settings: TrainingSettings,
    name: str,
    variants: Sequence[str],
    seeds: Sequence[int],
    folds: int,
    runs: Path,
    out: Path,
    command: str,
    jobs: int = 1,
    progress: Progress = silent,
) -> ResultsFile:
    """Train each variant on each fold with each seed, as far as the results file does not hold them yet.

    Args:
        dataset: UCI-HAR, or simulated; with surroundings.
        settings: Of the preset; its teachers are left out.
        name: Of the model, such as `compact`.
        variants: Out of `VARIANTS`.
        seeds: One training each a fold.
        folds: Number of parts that the training subjects are dealt into, each held out once.
        runs: Folder of the run folders.
        out: Folder of `results/`.
        command: What to type to get the figures again.
        jobs: Trainings side by side.
        progress: Told about epochs.

    Raises:
        StudyError: A variant is unknown, or the results file is of other settings or data.
        TrainingError: A run folder is of other settings, or a training fails.
    """
    for variant in variants:
        if variant not in VARIANTS:
            raise StudyError(f"expected variants out of {', '.join(VARIANTS)}, got {variant!r}")
    start = replace(settings, teachers=0, teacher_network="")
    data = {dataset.name: dataset.sha256}
    study = Study(STUDY, name, dataset.synthetic, settings_identity(start), data)
    results = open_results(out, study, command, seeds, summarize)
    parts = fold_subjects(sorted({int(s) for s in dataset.train.subjects}), folds)
    trainings = [
        Training(
            f"{variant}-fold{k}-seed{seed}",
            replace(VARIANTS[variant].of(start), validation_subjects=part, read_test=False, seed=seed),
            convert=False,
            teachers=f"{variant}-fold{k}-teachers",
            examine=as_worn,
        )
        for variant in variants
        for seed in seeds
        for k, part in enumerate(parts)
    ]
    wanted = set(results.missing([t.key for t in trainings]))

    def found(key: str, row: Row) -> None:
        results.put(key, row)

    measure_all(dataset, [t for t in trainings if t.key in wanted], runs, found, jobs, progress)
    return results


def as_worn(run: Run, dataset: Dataset) -> Row:
    """What is left on the held-out subjects in int8, with the board turned, and of who lies on another side.

    Args:
        run: With validation subjects.
        dataset: That it learnt from.

    Returns:
        `int8`, the metrics in TFLite-Micro; `turned`, the macro-F1 by axis, of windows turned about it by
        `GOAL_DEGREES`, and `rolled`, the recall of LAYING by degrees, of windows turned about the body, both in float
        and turned after conditioning.
    """
    learnt_from, held_out = split_by_subject(dataset.train, run.settings.validation_subjects)
    with tempfile.TemporaryDirectory() as folder:
        converted = convert_run(run, learnt_from.windows, Path(folder) / "model.onnx")
    int8 = int8_classes(TflmModel(converted.tflite), converted.quantizer, held_out.windows)

    def metrics(windows: WindowSet, axis: npt.ArrayLike, degrees: float) -> Metrics:
        samples = windows.windows.reshape(-1, CHANNEL_COUNT).astype(np.float64)
        turned = rotate(samples, axis, degrees).reshape(windows.windows.shape).astype(np.float32)
        return classification_metrics(windows.labels, run.logits(turned).argmax(axis=1))

    lying = held_out.select(held_out.labels == CLASSES.index("LAYING"))
    signed = {f"{sign}{name}": int(f"{sign}1") * np.eye(3)[k] for k, name in enumerate("xyz") for sign in "+-"}
    return {
        "int8": classification_metrics(held_out.labels, int8).to_json(),
        "turned": {name: metrics(held_out, axis, GOAL_DEGREES).macro_f1 for name, axis in signed.items()},
        "rolled": {str(d): metrics(lying, np.eye(3)[0], d).recall["LAYING"] for d in ROLLS_DEGREES},
    }


def summarize(rows: Mapping[str, Row]) -> dict[str, Any]:
    """Of each variant: mean over folds and seeds, and the mean difference to the start on the same folds and seeds."""
    by_variant: dict[str, dict[str, Row]] = {}
    for key, row in rows.items():
        variant, where = key.rsplit("-fold", 1)
        by_variant.setdefault(variant, {})[where] = row
    start = by_variant.get(START, {})
    return {variant: _summary(by_variant[variant], start) for variant in VARIANTS if variant in by_variant}


def _summary(found: Mapping[str, Row], start: Mapping[str, Row]) -> dict[str, Any]:
    def mean(of: Callable[[Row], float]) -> float:
        return statistics.fmean(of(row) for row in found.values())

    def other(of: Callable[[Row], float]) -> float | None:
        return mean(of) if all("turned" in row for row in found.values()) else None  # a search before there was that

    pairs = [(_macro_f1(row), _macro_f1(start[where])) for where, row in found.items() if where in start]
    gains = [100 * (ours - theirs) for ours, theirs in pairs]
    return {
        "trainings": len(found),
        "macro_f1": mean(_macro_f1),
        "recall_SITTING": mean(lambda row: float(row["float"]["recall"]["SITTING"])),
        "recall_STANDING": mean(lambda row: float(row["float"]["recall"]["STANDING"])),
        "macro_f1_int8": other(lambda row: float(row["int8"]["macro_f1"])),
        "macro_f1_turned": other(lambda row: statistics.fmean(row["turned"].values())),
        "macro_f1_turned_worst": other(lambda row: float(min(row["turned"].values()))),
        "recall_LAYING_rolled": other(lambda row: statistics.fmean(row["rolled"].values())),
        "gain_points": statistics.fmean(gains) if gains else None,
        "gain_points_se": statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else None,
    }


_AS_WORN = ("macro_f1_int8", "macro_f1_turned", "macro_f1_turned_worst", "recall_LAYING_rolled")


def _or_nothing(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.4f}"


def _macro_f1(row: Row) -> float:
    return float(row["float"]["macro_f1"])


def section(out: Path) -> str:
    """The page's part: a table per model."""
    return "\n\n".join(_of_model(d) for d in documents(out, STUDY)) or not_measured(f"hardwear study {STUDY}")


def _of_model(document: Mapping[str, Any]) -> str:
    lines = [
        f"### {document['name']}",
        "",
        "| change | trainings | macro-F1 | against the start, points | SITTING | STANDING "
        f"| int8 | turned by {GOAL_DEGREES}° | the worst way | LAYING, rolled |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for variant, figures in document["summary"].items():
        gain, error = figures["gain_points"], figures["gain_points_se"]
        against = "" if variant == START or gain is None else f"{gain:+.2f}" + (f" ± {error:.2f}" if error else "")
        lines.append(
            f"| {VARIANTS[variant].what} | {figures['trainings']} | {figures['macro_f1']:.4f} | {against} | "
            f"{figures['recall_SITTING']:.3f} | {figures['recall_STANDING']:.3f} | "
            + " | ".join(_or_nothing(figures.get(name)) for name in _AS_WORN)
            + " |"
        )
    lines += [
        "",
        "On held-out training subjects, mean over folds and seeds. ± is the standard error of the mean "
        "difference between trainings on the same fold with the same seed: what is less than twice that is none. "
        "All are float but for int8, macro-F1 in TFLite-Micro. "
        f"Turned: macro-F1 with the windows turned by {GOAL_DEGREES}° about each of the board's axes, both ways, their "
        f"mean and the worst of the six. Rolled: recall of LAYING with its windows turned about the body, by each of "
        f"{', '.join(map(str, ROLLS_DEGREES))}°.",
        "",
        sources(document),
    ]
    return "\n".join(lines)
