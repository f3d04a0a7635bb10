"""How good a preset is, whatever the seed: folds of training subjects, then five seeds on the test subjects, in int8.

The folds are what settings are chosen by; their runs do not read the test subjects. The seeds' runs do, once, at their
end.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hardwear.contract import CLASSES
from hardwear.datasets import Dataset
from hardwear.progress import Progress, silent
from hardwear.studies.results import ResultsFile, Row, Study, documents, open_results
from hardwear.studies.trainings import Training, measure_all
from hardwear.studies.words import mean_sd, not_measured, settings_identity, sources
from hardwear.training import TrainingSettings

STUDY = "seeds"


@dataclass(frozen=True)
class Goal:
    """What a figure of the summary should be."""

    figure: str
    """Key of the summary."""
    what: str
    relation: str
    """`≥` or `≤`."""
    value: float
    form: str = ".4f"

    def met(self, value: float) -> bool:
        """Whether a value reaches the goal."""
        return value >= self.value if self.relation == "≥" else value <= self.value


_BOARD = (
    Goal("weight_bytes", "int8 weights, bytes", "≤", 32 * 1024, ",.0f"),
    Goal("activation_bytes", "activations alive at once, bytes", "≤", 16 * 1024, ",.0f"),
    Goal("macs", "multiply-accumulates a window", "≤", 1_500_000, ",.0f"),
    Goal("macro_f1_int8", "macro-F1, int8, mean of the seeds", "≥", 0.970),
    Goal("gap_points", "float − int8, points of macro-F1, mean of the seeds", "≤", 0.2, "+.2f"),
    Goal("recall_SITTING", "recall of SITTING, int8, mean of the seeds", "≥", 0.93),
    Goal("recall_STANDING", "recall of STANDING, int8, mean of the seeds", "≥", 0.93),
)
GOALS: Mapping[str, Sequence[Goal]] = {
    "compact": _BOARD,
    "nano": (
        Goal("weight_bytes", "int8 weights, bytes", "≤", 8 * 1024, ",.0f"),
        Goal("macro_f1_int8", "macro-F1, int8, mean of the seeds", "≥", 0.95),
        Goal("gap_points", "float − int8, points of macro-F1, mean of the seeds", "≤", 0.2, "+.2f"),
    ),
}
"""By name of the model; others have none."""


def measure_seeds(
    dataset: Dataset,
    settings: TrainingSettings,
    name: str,
    seeds: Sequence[int],
    folds: int,
    runs: Path,
    out: Path,
    command: str,
    jobs: int = 1,
    progress: Progress = silent,
) -> ResultsFile:
    """Train folds and seeds, as far as the results file does not hold them yet.

    Args:
        dataset: UCI-HAR, or simulated.
        settings: What is measured; its own seed is the folds'.
        name: Of the model, such as `compact`.
        seeds: One training each on all training subjects.
        folds: Number of parts that the training subjects are dealt into, each held out once; 0 for none.
        runs: Folder of the run folders.
        out: Folder of `results/`.
        command: What to type to get the figures again.
        jobs: Trainings side by side.
        progress: Told about epochs.

    Raises:
        StudyError: The results file is of other settings or data.
        TrainingError: A run folder is of other settings, or a training fails.
    """
    study = Study(STUDY, name, dataset.synthetic, settings_identity(settings), {dataset.name: dataset.sha256})
    results = open_results(out, study, command, seeds, summarize)
    held_out = fold_subjects(sorted({int(s) for s in dataset.train.subjects}), folds)
    trainings = [
        Training(
            f"fold{k}",
            replace(settings, validation_subjects=fold, validation_share=0.0, read_test=False),
            convert=False,
            teachers=f"fold{k}-teachers",
        )
        for k, fold in enumerate(held_out)
    ]
    trainings += [Training(f"seed{seed}", replace(settings, seed=seed)) for seed in seeds]
    wanted = set(results.missing([t.key for t in trainings]))

    def found(key: str, row: Row) -> None:
        if key.startswith("fold"):
            row = {"held_out": list(held_out[int(key.removeprefix("fold"))]), **row}
        results.put(key, row)

    measure_all(dataset, [t for t in trainings if t.key in wanted], runs, found, jobs, progress)
    return results


def fold_subjects(subjects: Sequence[int], count: int) -> list[tuple[int, ...]]:
    """Every subject is held out once: fold k takes each `count`-th subject from the k-th on."""
    return [tuple(subjects[k::count]) for k in range(count)]


def summarize(rows: Mapping[str, Row]) -> dict[str, Any]:
    """Means and sample standard deviations over the folds and over the seeds."""
    folds = [row["float"]["macro_f1"] for key, row in rows.items() if key.startswith("fold")]
    seeds = [row for key, row in rows.items() if key.startswith("seed")]
    summary: dict[str, Any] = {}
    if folds:
        summary |= {"folds": len(folds), **_spread("macro_f1_folds", folds)}
    if not seeds:
        return summary
    summary |= {
        "seeds": sorted(row["seed"] for row in seeds),
        **_spread("macro_f1_float", [row["float"]["macro_f1"] for row in seeds]),
        **_spread("macro_f1_int8", [row["int8"]["macro_f1"] for row in seeds]),
        **_spread("accuracy_int8", [row["int8"]["accuracy"] for row in seeds]),
        **_spread("gap_points", [row["gap_points"] for row in seeds]),
        "gap_points_largest": max((row["gap_points"] for row in seeds), key=abs),
    }
    for name in CLASSES:
        summary |= _spread(f"recall_{name}", [row["int8"]["recall"][name] for row in seeds])
    network = seeds[0]["network"]
    return summary | {key: network[key] for key in ("parameters", "weight_bytes", "activation_bytes", "macs")}


def section(out: Path) -> str:
    """The page's part: a table per model and its goals."""
    parts = [_of_model(document) for document in documents(out, STUDY) if document["summary"].get("seeds")]
    return "\n\n".join(parts) or not_measured("hardwear study seeds")


def _of_model(document: Mapping[str, Any]) -> str:
    rows, summary = document["rows"], document["summary"]
    seeds = sorted((row for key, row in rows.items() if key.startswith("seed")), key=lambda row: row["seed"])
    names = ("SITTING", "STANDING", *(name for name in CLASSES if name not in ("SITTING", "STANDING")))
    lines = [
        f"### {document['name']}",
        "",
        f"{summary['parameters']:,} parameters, {summary['weight_bytes']:,} B of int8 weights, "
        f"{summary['activation_bytes']:,} B of activations, {summary['macs']:,} multiply-accumulates a window.",
        "",
        f"| seed | macro-F1 float | int8 | float − int8, points | {' | '.join(names)} | weights | model |",
        "|---|---|---|---|" + "---|" * len(names) + "---|---|",
    ]
    for row in seeds:
        recalls = " | ".join(f"{row['int8']['recall'][name]:.3f}" for name in names)
        lines.append(
            f"| {row['seed']} | {row['float']['macro_f1']:.4f} | {row['int8']['macro_f1']:.4f} | "
            f"{row['gap_points']:+.2f} | {recalls} | `{row['weights_sha256'][:8]}` | `{row['model_sha256'][:8]}` |"
        )
    recalls = " | ".join(mean_sd(summary, f"recall_{name}", 3) for name in names)
    lines += [
        f"| **mean ± sd** | **{mean_sd(summary, 'macro_f1_float')}** | **{mean_sd(summary, 'macro_f1_int8')}** | "
        f"{summary['gap_points']:+.2f} ± {summary['gap_points_sd']:.2f} | {recalls} | | |",
        "",
        "Recall by activity is int8. int8 is the `.tflite` file in TFLite-Micro's interpreter, which the board repeats "
        "to every logit.",
    ]
    if "folds" in summary:
        lines.append(
            f"On held-out training subjects (float, {summary['folds']} folds), by which settings are chosen: "
            f"{mean_sd(summary, 'macro_f1_folds')}."
        )
    goals = GOALS.get(document["name"], ())
    if goals and not document["synthetic"]:
        lines += ["", "| | goal | measured | |", "|---|---|---|---|"]
        lines += [
            f"| {g.what} | {g.relation} {g.value:{g.form.lstrip('+')}} | {summary[g.figure]:{g.form}} | "
            f"{'met' if g.met(summary[g.figure]) else '**missed**'} |"
            for g in goals
        ]
    return "\n".join([*lines, "", sources(document)])


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {name: float(np.mean(values)), f"{name}_sd": deviation}
