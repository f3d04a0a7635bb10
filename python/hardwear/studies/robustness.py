"""What a bundle loses when the board is worn or built otherwise than the phone was, on the test subjects, in int8.

Each condition disturbs the raw recordings that the test windows were cut from, then does what the chip does: counts,
fixed-point conditioning from the recording's first sample on, windows, int8 model. Nothing is trained.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hardwear.bundle import Bundle
from hardwear.conditioning import condition_counts
from hardwear.contract import CHANNEL_COUNT, CHANNELS, HOP_SAMPLES, WINDOW_SAMPLES, to_counts
from hardwear.datasets import Dataset, Recording, Segment, recordings_sha256, window_origins
from hardwear.errors import StudyError
from hardwear.figures import BLUE, GREEN, ORANGE, PURPLE
from hardwear.metrics import classification_metrics
from hardwear.progress import Progress, silent
from hardwear.quantization.tflm import TflmModel
from hardwear.studies.disturbances import drift, drifted_start, gain, noise, random_axes, rotate, stick
from hardwear.studies.results import ResultsFile, Row, Study, documents, open_results
from hardwear.studies.words import not_measured, picture, sources

STUDY = "robustness"
PARTS = ("rotation", "rate", "gain", "noise", "dead", "offset")

SEED = 0
RANDOM_AXES = 8
ROTATION_DEGREES = (5, 10, 15, 20, 30, 45)
RATE_PERCENT = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
GAIN_PERCENT = (-15, -10, -5, 5, 10, 15)
NOISE_G = (0.01, 0.02, 0.05, 0.1, 0.2)
GYRO_NOISE_PER_G = 2.0
"""rad/s of noise on the gyroscope for each g on the accelerometer. Walking swings them by 0.4 rad/s and 0.2 g."""

GOAL_POINTS = 2.0
GOAL_DEGREES, GOAL_PERCENT = 15, 3

Int16Array = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float64]
Disturb = Callable[[FloatArray, int], FloatArray]
"""Raw samples (N, 6) and the recording's experiment number to raw samples."""


@dataclass(frozen=True)
class Condition:
    """One point of one curve."""

    part: str
    """One of `PARTS`, or `none`."""
    line: str
    level: float
    disturb: Disturb | None = None
    """None leaves the recordings as they are."""
    percent: int = 0
    """Drift of the sampling rate, which moves the windows too."""
    offset: int = 0
    """Samples by which every window is cut later than UCI-HAR's."""

    @property
    def key(self) -> str:
        """Names the row in the results."""
        return f"{self.part}/{self.line}/{self.level:g}"


@dataclass(frozen=True)
class Cut:
    """Labelled windows as places in recordings."""

    recording: npt.NDArray[np.int64]
    """(N,) rows of the list of recordings."""
    start: npt.NDArray[np.int64]
    """(N,) first sample."""
    labels: npt.NDArray[np.int64]
    """(N,)."""


UNDISTURBED = Condition("none", "as recorded", 0)


def conditions(means: Sequence[float], parts: Sequence[str] = PARTS) -> list[Condition]:
    """All that is measured, undisturbed first.

    Args:
        means: Of each channel over the training windows, where a stuck axis may stick.
        parts: Which curves.

    Raises:
        StudyError: A part is unknown.
    """
    if unknown := [part for part in parts if part not in PARTS]:
        raise StudyError(f"expected parts out of {', '.join(PARTS)}, got {', '.join(unknown)}")
    return [UNDISTURBED, *(c for c in _all(means) if c.part in parts)]


def _all(means: Sequence[float]) -> Iterator[Condition]:
    axes = {f"random axis {k}": axis for k, axis in enumerate(random_axes(RANDOM_AXES, SEED))}
    for k, name in enumerate("xyz"):
        axes |= {f"+{name}": np.eye(3)[k], f"-{name}": -np.eye(3)[k]}
    for line, axis in axes.items():
        for degrees in ROTATION_DEGREES:
            yield Condition(
                "rotation", line, degrees, _ignoring_experiment(partial(rotate, axis=axis, degrees=degrees))
            )
    for percent in RATE_PERCENT:
        faster = _ignoring_experiment(partial(drift, percent=percent))
        yield Condition("rate", "sampling rate", percent, faster, percent=percent)
    for line, acc, gyro in (("both sensors", 1, 1), ("accelerometer", 1, 0), ("gyroscope", 0, 1)):
        for percent in GAIN_PERCENT:
            off = partial(gain, acceleration=acc * percent / 100, angular_rate=gyro * percent / 100)
            yield Condition("gain", line, percent, _ignoring_experiment(off))
    for sigma in NOISE_G:
        yield Condition("noise", "white noise", sigma, _noise(sigma))
    for line, values in (("at 0", [0.0] * CHANNEL_COUNT), ("at its mean", list(means))):
        for channel, value in enumerate(values):
            yield Condition("dead", line, channel, _ignoring_experiment(partial(stick, channel=channel, value=value)))
    for offset in range(HOP_SAMPLES):
        yield Condition("offset", "samples later", offset, offset=offset)


def _ignoring_experiment(change: Callable[[FloatArray], FloatArray]) -> Disturb:
    return lambda samples, _experiment: change(samples)


def _noise(sigma: float) -> Disturb:
    return lambda samples, experiment: noise(samples, sigma, GYRO_NOISE_PER_G * sigma, (SEED, experiment))


# -- measuring ------------------------------------------------------------------------------------------------------


def measure_robustness(
    bundle: Bundle,
    dataset: Dataset,
    recordings: Sequence[Recording],
    name: str,
    out: Path,
    command: str,
    parts: Sequence[str] = PARTS,
    progress: Progress = silent,
) -> ResultsFile:
    """Score a bundle under every condition that the results file does not hold yet.

    Args:
        bundle: What is measured.
        dataset: Its test windows tell where to cut, and their labels.
        recordings: What they were cut from.
        name: Of the model, such as `compact`.
        out: Folder of `results/`.
        command: What to type to get the figures again.
        parts: Which curves.
        progress: Told about conditions.

    Raises:
        StudyError: The results file is of another bundle or other data, a part is unknown, or the bundle learnt from
            simulated motion and the data are of people.
        DatasetError: A test window is found nowhere in the recordings.
    """
    if bundle.manifest.synthetic and not dataset.synthetic:
        raise StudyError(
            f"expected a bundle that learnt from people, got {bundle.path}, which learnt from simulated motion; "
            "study it with --synthetic"
        )
    study = Study(
        STUDY,
        name,
        dataset.synthetic,
        {"model_sha256": bundle.manifest.hashes["model.tflite"]},
        {dataset.name: dataset.sha256, "recordings": recordings_sha256(recordings)},
    )
    results = open_results(out, study, command, [SEED], summarize)
    asked = conditions(bundle.manifest.normalization.mean, parts)
    wanted = set(results.missing([c.key for c in asked]))
    if not wanted:
        return results
    theirs = [r for r in recordings if r.user in set(dataset.test.subjects.tolist())]
    published = published_cut(dataset, theirs)
    as_recorded = condition_all([r.samples for r in theirs])
    model = TflmModel(bundle.tflite)
    for done, condition in enumerate(asked):
        progress(done, len(asked), f"{condition.part}, {condition.line}, {condition.level:g}")
        if condition.key not in wanted:
            continue
        cut = shifted_cut(published, theirs, condition.offset)
        conditioned = as_recorded
        if condition.disturb is not None:
            conditioned = condition_all([condition.disturb(r.samples, r.experiment) for r in theirs])
        windows = windows_at(conditioned, moved(cut, condition.percent, conditioned))
        logits, _ = model.run(bundle.quantizer.quantize(windows))
        metrics = classification_metrics(cut.labels, logits.argmax(axis=1))
        results.put(
            condition.key,
            {
                "part": condition.part,
                "line": condition.line,
                "level": condition.level,
                "windows": len(cut.labels),
                "macro_f1": metrics.macro_f1,
                "accuracy": metrics.accuracy,
                "recall": metrics.recall,
            },
        )
    progress(len(asked), len(asked), "all conditions")
    return results


def condition_all(raw: Sequence[FloatArray]) -> list[Int16Array]:
    """Each recording (N, 6) in physical units to conditioned counts, from its first sample on, as the chip does it."""
    # Side by side the slow loop over time runs once. Zeros behind a recording are what the median sees there anyway.
    counts = np.zeros((len(raw), max(len(samples) for samples in raw), CHANNEL_COUNT), dtype=np.int16)
    for row, samples in enumerate(raw):
        counts[row, : len(samples)] = to_counts(samples)
    conditioned = condition_counts(counts)
    return [conditioned[row, : len(samples)] for row, samples in enumerate(raw)]


def published_cut(dataset: Dataset, recordings: Sequence[Recording]) -> Cut:
    """Where the data set's test windows were cut in these recordings."""
    nobody = np.zeros(len(dataset.train), dtype=np.bool_)
    origins = window_origins(replace(dataset, train=dataset.train.select(nobody)), recordings).test
    row_of = {recording.experiment: row for row, recording in enumerate(recordings)}
    rows = np.array([row_of[int(e)] for e in origins.experiment], dtype=np.int64)
    return Cut(rows, origins.start, dataset.test.labels)


def shifted_cut(published: Cut, recordings: Sequence[Recording], offset: int) -> Cut:
    """The published windows begun `offset` samples later, as far as each lies within one segment of its activity.

    Offset 0 gives them all, even the few that reach into a transition by HAPT's labels, which are younger than theirs.
    """
    if offset == 0:
        return published
    starts = published.start + offset
    places = zip(published.recording.tolist(), starts.tolist(), published.labels.tolist(), strict=True)
    inside = np.array([_within(recordings[row].segments, start, label + 1) for row, start, label in places])
    return Cut(published.recording[inside], starts[inside], published.labels[inside])


def _within(segments: Sequence[Segment], start: int, activity: int) -> bool:
    stop = start + WINDOW_SAMPLES
    return any(s.activity == activity and s.start <= start and stop <= s.stop for s in segments)


def moved(cut: Cut, percent: int, conditioned: Sequence[Int16Array]) -> Cut:
    """The same moments in recordings whose rate has drifted, within their ends."""
    if percent == 0:
        return cut
    last = np.array([len(samples) for samples in conditioned])[cut.recording] - WINDOW_SAMPLES
    starts = np.array([drifted_start(int(start), percent) for start in cut.start], dtype=np.int64)
    return replace(cut, start=np.clip(starts, 0, last))


def windows_at(conditioned: Sequence[Int16Array], cut: Cut) -> Int16Array:
    """(N, 128, 6) counts."""
    places = zip(cut.recording.tolist(), cut.start.tolist(), strict=True)
    return np.stack([conditioned[row][start : start + WINDOW_SAMPLES] for row, start in places])


# -- what came of it ------------------------------------------------------------------------------------------------


def summarize(rows: Mapping[str, Row]) -> dict[str, Any]:
    """Points of macro-F1 lost against the undisturbed recordings; negative where it gained."""
    base = rows[UNDISTURBED.key]["macro_f1"]
    lost = {key: 100 * (base - row["macro_f1"]) for key, row in rows.items()}
    summary: dict[str, Any] = {
        "macro_f1": base,
        "windows": rows[UNDISTURBED.key]["windows"],
        "goal_points": GOAL_POINTS,
    }
    random = [lost[k] for k, r in rows.items() if r["line"].startswith("random") and r["level"] == GOAL_DEGREES]
    if random:
        summary |= {
            "lost_at_15_degrees": float(np.mean(random)),
            "lost_at_15_degrees_worst_random_axis": max(random),
            "lost_at_15_degrees_by_axis": {
                row["line"]: lost[key]
                for key, row in rows.items()
                if row["part"] == "rotation" and row["level"] == GOAL_DEGREES and row["line"][0] in "+-"
            },
        }
    rate = {r["level"]: lost[k] for k, r in rows.items() if r["part"] == "rate" and abs(r["level"]) == GOAL_PERCENT}
    if len(rate) == 2:
        summary |= {
            "lost_at_3_percent_slower": rate[-GOAL_PERCENT],
            "lost_at_3_percent_faster": rate[GOAL_PERCENT],
        }
    offsets = [row["macro_f1"] for row in rows.values() if row["part"] == "offset"]
    if offsets:
        summary["offset"] = {
            "offsets": len(offsets),
            "mean": float(np.mean(offsets)),
            "sd": float(np.std(offsets, ddof=1)) if len(offsets) > 1 else 0.0,
            "lowest": min(offsets),
            "highest": max(offsets),
        }
    return summary


def section(out: Path) -> str:
    """The page's part: the goals, a figure, a table of each model."""
    return "\n\n".join(_of_model(d, out) for d in documents(out, STUDY)) or not_measured(f"hardwear study {STUDY}")


def _of_model(document: Mapping[str, Any], out: Path) -> str:
    rows, summary, name = document["rows"], document["summary"], document["name"]
    figure = picture(_figure(rows), out, f"robustness_{name}")
    lines = [
        f"### {name}",
        "",
        f"Model `{document['of']['model_sha256'][:16]}…` on {summary['windows']:,} test windows: macro-F1 "
        f"**{summary['macro_f1']:.4f}** when nothing is wrong.",
        "",
        *_goals(summary),
        f"![macro-F1 under each disturbance]({figure})",
        "",
        "| disturbance | points lost, by strength |",
        "|---|---|",
        *(f"| {what} | {lost} |" for what, lost in _table(rows, summary)),
        "",
        sources(document),
    ]
    return "\n".join(lines)


def _goals(summary: Mapping[str, Any]) -> list[str]:
    if "lost_at_15_degrees" not in summary or "lost_at_3_percent_slower" not in summary:
        return []
    by_axis = summary["lost_at_15_degrees_by_axis"]
    checks = [
        (f"turned by 15°, mean of {RANDOM_AXES} random axes", summary["lost_at_15_degrees"]),
        ("turned by 15°, the worst of those axes", summary["lost_at_15_degrees_worst_random_axis"]),
        *((f"turned by 15° about {axis}", points) for axis, points in by_axis.items()),
        ("sampling rate 3 % low", summary["lost_at_3_percent_slower"]),
        ("sampling rate 3 % high", summary["lost_at_3_percent_faster"]),
    ]
    goal = summary["goal_points"]
    return [
        "| | goal, points lost | measured | |",
        "|---|---|---|---|",
        *(
            f"| {what} | ≤ {goal:g} | {lost:+.2f} | {'met' if lost <= goal else '**missed**'} |"
            for what, lost in checks
        ),
        "",
    ]


def _table(rows: Mapping[str, Row], summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    lost = {key: 100 * (summary["macro_f1"] - row["macro_f1"]) for key, row in rows.items()}

    def along(part: str, line: str, show: Callable[[float], str]) -> str:
        found = sorted((r["level"], lost[k]) for k, r in rows.items() if r["part"] == part and r["line"] == line)
        return ", ".join(f"{show(level)}: {points:+.1f}" for level, points in found)

    present = {row["part"] for row in rows.values()}
    if "rotation" in present:
        random = [
            (d, [lost[k] for k, r in rows.items() if r["line"].startswith("random") and r["level"] == d])
            for d in ROTATION_DEGREES
        ]
        yield (
            "turned about a random axis, mean (worst)",
            ", ".join(f"{d}°: {np.mean(p):+.1f} ({max(p):+.1f})" for d, p in random if p),
        )
        for axis in "xyz":
            for sign in "+-":
                yield f"turned about {sign}{axis}", along("rotation", f"{sign}{axis}", lambda d: f"{d:g}°")
    if "rate" in present:
        yield "sampling rate off", along("rate", "sampling rate", lambda p: f"{p:+g} %")
    if "gain" in present:
        for line in ("both sensors", "accelerometer", "gyroscope"):
            yield f"gain off, {line}", along("gain", line, lambda p: f"{p:+g} %")
    if "noise" in present:
        yield (
            f"white noise a sample, on the gyroscope {GYRO_NOISE_PER_G:g} rad/s a g",
            along("noise", "white noise", lambda g: f"{g:g} g"),
        )
    if "dead" in present:
        for line in ("at 0", "at its mean"):
            yield f"one axis stuck {line}", along("dead", line, lambda c: CHANNELS[int(c)].name)
    if offset := summary.get("offset"):
        yield (
            f"windows cut at each of {offset['offsets']} offsets (macro-F1, not points)",
            f"{offset['mean']:.4f} ± {offset['sd']:.4f}, from {offset['lowest']:.4f} to {offset['highest']:.4f}",
        )


# -- picture --------------------------------------------------------------------------------------------------------


def _figure(rows: Mapping[str, Row]) -> Figure:
    base = 100 * rows[UNDISTURBED.key]["macro_f1"]
    figure = Figure(figsize=(10.0, 6.6), layout="constrained")
    grid = figure.subplots(2, 3).ravel()
    panels = (_draw_rotation, _draw_rate, _draw_gain, _draw_noise, _draw_dead, _draw_offset)
    for axes, part, draw in zip(grid, PARTS, panels, strict=True):
        axes.axhline(base, color="0.5", linewidth=1, linestyle="--")
        axes.grid(axis="y", color="0.9")
        axes.set_axisbelow(True)
        axes.set_ylabel("macro-F1 (%)")
        own = [row for row in rows.values() if row["part"] == part]
        if own:
            draw(axes, own, base)
        else:
            axes.set_xlabel(f"{part}: not measured")
    return figure


def _curve(rows: Sequence[Row], line: str, base: float) -> tuple[FloatArray, FloatArray]:
    """Level and macro-F1 in per cent, with the undisturbed point at 0."""
    points = sorted([(0.0, base), *((r["level"], 100 * r["macro_f1"]) for r in rows if r["line"] == line)])
    return np.array([x for x, _ in points]), np.array([y for _, y in points])


def _draw_rotation(axes: Axes, rows: Sequence[Row], base: float) -> None:
    lines = sorted({r["line"] for r in rows if r["line"].startswith("random")})
    curves = [_curve(rows, line, base) for line in lines]
    curves = [curve for curve in curves if len(curve[0]) == max(len(degrees) for degrees, _ in curves)]  # whole ones
    if curves:
        degrees, values = curves[0][0], np.array([y for _, y in curves])
        axes.fill_between(degrees, values.min(axis=0), values.max(axis=0), color=BLUE, alpha=0.2, linewidth=0)
        axes.plot(degrees, values.mean(axis=0), "o-", color=BLUE, label=f"{len(curves)} random axes, mean and range")
    for name, colour, style in (("x", ORANGE, "s"), ("y", GREEN, "^"), ("z", PURPLE, "v")):
        for sign, dashes in (("+", "-"), ("-", ":")):
            degrees, values = _curve(rows, f"{sign}{name}", base)
            axes.plot(degrees, values, style + dashes, color=colour, markersize=4, linewidth=1, label=f"{sign}{name}")
    axes.axvline(GOAL_DEGREES, color="0.7", linewidth=1)
    axes.set_xlabel("board turned by (°)")
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.4 * (high - low), high)  # room for the legend
    axes.legend(fontsize=7, ncols=2, loc="lower left")


def _draw_rate(axes: Axes, rows: Sequence[Row], base: float) -> None:
    axes.plot(*_curve(rows, "sampling rate", base), "o-", color=BLUE)
    axes.axvspan(-GOAL_PERCENT, GOAL_PERCENT, color="0.93", zorder=0)
    axes.set_xlabel("sensor's rate off by (%)")
    _not_narrower_than(axes, base, 4.0)


def _draw_gain(axes: Axes, rows: Sequence[Row], base: float) -> None:
    for line, colour, style in (("both sensors", BLUE, "o"), ("accelerometer", ORANGE, "s"), ("gyroscope", GREEN, "^")):
        axes.plot(*_curve(rows, line, base), style + "-", color=colour, label=line, markersize=5)
    axes.set_xlabel("gain off by (%)")
    axes.legend(fontsize=8, loc="lower center")
    _not_narrower_than(axes, base, 4.0)


def _draw_noise(axes: Axes, rows: Sequence[Row], base: float) -> None:
    axes.plot(*_curve(rows, "white noise", base), "o-", color=BLUE)
    axes.set_xlabel(f"noise a sample (g; gyroscope {GYRO_NOISE_PER_G:g} rad/s a g)")
    _not_narrower_than(axes, base, 4.0)


def _draw_dead(axes: Axes, rows: Sequence[Row], base: float) -> None:
    for line, colour, shift in (("at 0", ORANGE, -0.2), ("at its mean", BLUE, 0.2)):
        found = sorted((r["level"], 100 * r["macro_f1"]) for r in rows if r["line"] == line)
        axes.bar([x + shift for x, _ in found], [y for _, y in found], 0.4, color=colour, label=f"stuck {line}")
    axes.set_xticks(range(CHANNEL_COUNT), [c.name.replace("_", " ") for c in CHANNELS], rotation=35, ha="right")
    axes.set_ylim(0, 125)
    axes.set_xlabel("one dead axis")
    axes.legend(fontsize=8, loc="upper center", ncols=2)


def _draw_offset(axes: Axes, rows: Sequence[Row], base: float) -> None:
    found = sorted((r["level"], 100 * r["macro_f1"]) for r in rows)
    axes.plot([x for x, _ in found], [y for _, y in found], ".-", color=BLUE, linewidth=1)
    axes.set_xlabel("windows cut this many samples later")
    _not_narrower_than(axes, base, 4.0)


def _not_narrower_than(axes: Axes, middle: float, span: float) -> None:
    """Keep a curve that hardly moves from filling its panel with noise."""
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, middle - span / 2), max(high, middle + span / 2))
