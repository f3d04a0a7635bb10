"""How well each of the 30 people is told by a model that never saw that person: one training for each."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from hardwear.contract import CLASSES
from hardwear.datasets import Dataset
from hardwear.figures import BLUE, ORANGE
from hardwear.metrics import pooled_metrics
from hardwear.progress import Progress, silent
from hardwear.studies.results import ResultsFile, Row, Study, documents, open_results
from hardwear.studies.trainings import Training, measure_all, require_present
from hardwear.studies.words import mean_sd, not_measured, picture, settings_identity, sources
from hardwear.training import TrainingSettings

STUDY = "leave-one-out"
_WORST = 3
_PARTS = {"everybody": ("training", "test"), "training part": ("training",), "test part": ("test",)}


def leave_each_out(
    dataset: Dataset,
    settings: TrainingSettings,
    name: str,
    subjects: Sequence[int],
    runs: Path,
    out: Path,
    command: str,
    jobs: int = 1,
    progress: Progress = silent,
) -> ResultsFile:
    """Train once for each person, on everybody else's training and test windows, and score that person in int8.

    Args:
        dataset: UCI-HAR, or simulated.
        settings: Of every training.
        name: Of the model, such as `compact`.
        subjects: Whom to leave out; those that the results file already holds are not trained for again.
        runs: Folder of the run folders.
        out: Folder of `results/`.
        command: What to type to get the figures again.
        jobs: Trainings side by side.
        progress: Told about epochs.

    Raises:
        StudyError: The results file is of other settings or data, or a subject is not in the data.
        TrainingError: A run folder is of other settings, or a training fails.
    """
    require_present(dataset, subjects)
    study = Study(STUDY, name, dataset.synthetic, settings_identity(settings), {dataset.name: dataset.sha256})
    results = open_results(out, study, command, [settings.seed], summarize)
    trainings = [
        Training(f"subject{s:02d}", settings, left_out=s, teachers=f"subject{s:02d}-teachers") for s in subjects
    ]
    wanted = set(results.missing([t.key for t in trainings]))

    def found(key: str, row: Row) -> None:
        subject = int(key.removeprefix("subject"))
        side = "test" if subject in dataset.test.subjects else "training"
        results.put(key, {"subject": subject, "published_side": side, **row})

    measure_all(dataset, [t for t in trainings if t.key in wanted], runs, found, jobs, progress)
    return results


def summarize(rows: Mapping[str, Row]) -> dict[str, Any]:
    """The distribution over people of int8 macro-F1."""
    scores = [row["int8"]["macro_f1"] for row in rows.values()]
    ranked = _ranked(rows)
    quartiles = np.percentile(scores, [0, 25, 50, 75, 100])
    return {
        "subjects": len(scores),
        "macro_f1_int8": float(np.mean(scores)),
        "macro_f1_int8_sd": statistics.stdev(scores) if len(scores) > 1 else 0.0,
        "quartiles": quartiles.tolist(),
        "worst": [
            {"subject": row["subject"], "macro_f1": row["int8"]["macro_f1"], "lowest_recall": _lowest(row)}
            for row in ranked[:_WORST]
        ],
        "gap_points": float(np.mean([row["gap_points"] for row in rows.values()])),
    }


def section(out: Path) -> str:
    """The page's part: the distribution, the three worst, a figure."""
    return "\n\n".join(_of_model(d, out) for d in documents(out, STUDY)) or not_measured(f"hardwear study {STUDY}")


def _of_model(document: Mapping[str, Any], out: Path) -> str:
    summary, name = document["summary"], document["name"]
    low, first, median, third, high = summary["quartiles"]
    figure = picture(_figure(_ranked(document["rows"])), out, f"leave_one_out_{name}")
    lines = [
        f"### {name}",
        "",
        f"{summary['subjects']} trainings (seed {document['seeds'][0]}), each "
        "tested on the one person that it did not learn from, int8 in TFLite-Micro. macro-F1 over people: mean "
        f"**{mean_sd(summary, 'macro_f1_int8', 3)}**, median {median:.3f}, quartiles {first:.3f} and {third:.3f}, from "
        f"{low:.3f} to {high:.3f}. Float − int8: {summary['gap_points']:+.2f} points.",
        "",
        "| the worst | macro-F1 | lowest recall |",
        "|---|---|---|",
        *(
            f"| subject {w['subject']} | {w['macro_f1']:.3f} | {w['lowest_recall'][0]} {w['lowest_recall'][1]:.3f} |"
            for w in summary["worst"]
        ),
        "",
        f"| all their windows together | people | macro-F1 | {' | '.join(CLASSES)} |",
        f"|{'---|' * (3 + len(CLASSES))}",
        *_together(document["rows"]),
        "",
        f"![macro-F1 and recall by activity of each left-out person]({figure})",
        "",
        sources(document),
    ]
    return "\n".join(lines)


def _together(rows: Mapping[str, Row]) -> Iterator[str]:
    """A line for everybody and one for each part of the published split, so that it can be held beside that."""
    for part, sides in _PARTS.items():
        found = [row["int8"]["confusion"] for row in rows.values() if row["published_side"] in sides]
        if found:
            metrics = pooled_metrics(found)
            recall = " | ".join(f"{metrics.recall[name]:.3f}" if name in metrics.recall else "–" for name in CLASSES)
            yield f"| {part} | {len(found)} | {metrics.macro_f1:.4f} | {recall} |"


def _ranked(rows: Mapping[str, Row]) -> list[Row]:
    """The worst first."""
    return sorted(rows.values(), key=lambda row: (row["int8"]["macro_f1"], row["subject"]))


def _lowest(row: Row) -> tuple[str, float]:
    recall: dict[str, float] = row["int8"]["recall"]
    name = min(recall, key=recall.__getitem__)
    return name, recall[name]


def _figure(ranked: Sequence[Row]) -> Figure:
    """Left: a dot per person, the best on top. Right: that person's recall by activity."""
    figure = Figure(figsize=(9.0, 1.6 + 0.24 * len(ranked)), layout="constrained")
    dots, table = figure.subplots(1, 2, sharey=True, width_ratios=(1.0, 1.0))
    at = np.arange(len(ranked))
    scores = np.array([row["int8"]["macro_f1"] for row in ranked])
    test = np.array([row["published_side"] == "test" for row in ranked])
    for mask, colour, marker, label in (
        (~test, BLUE, "o", "in UCI-HAR's training part"),
        (test, ORANGE, "D", "in its test part"),
    ):
        dots.plot(scores[mask], at[mask], marker, color=colour, label=label)
    dots.axvline(scores.mean(), color="0.4", linewidth=1, linestyle="--", label=f"mean {scores.mean():.3f}")
    dots.set_yticks(at, [f"{row['subject']}" for row in ranked])
    dots.set_ylabel("person left out")
    dots.set_xlabel("macro-F1, int8")
    dots.grid(axis="x", color="0.9")
    dots.set_axisbelow(True)
    dots.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=1, fontsize=9, frameon=False)

    recall = np.array([[row["int8"]["recall"].get(name, np.nan) for name in CLASSES] for row in ranked])
    image = table.imshow(100 * recall, cmap="viridis", vmin=50, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(100 * recall):
        if np.isfinite(value):
            colour = "white" if value < 80 else "black"
            table.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour, fontsize=8)
    short = [name.replace("WALKING_", "").capitalize() for name in CLASSES]
    table.set_xticks(range(len(CLASSES)), short, rotation=35, ha="right")
    table.set_ylim(-0.5, len(ranked) - 0.5)
    table.tick_params(labelleft=False)
    figure.colorbar(image, ax=table, label="recall, int8 (%)", shrink=0.7, extend="min")
    return figure
