"""What it costs to wear the board turned, and what the guided calibration gives back, on people.

How the heading is told was chosen on the 21 training subjects, each person left out in turn. The nine test subjects
then show once what it is worth: their recordings turned at random, calibrated from their own standing and walking by
the chip's integers, conditioned by the chip's integers, classified by the shipped int8 model.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial.transform import Rotation as Turn

from hardwear.bundle import Bundle
from hardwear.contract import ACC, WINDOW_SAMPLES, from_counts, to_counts
from hardwear.datasets import Dataset, Recording
from hardwear.figures import BLUE, GREEN, ORANGE, PURPLE
from hardwear.metrics import classification_metrics
from hardwear.progress import Progress, silent
from hardwear.quantization.tflm import TflmModel
from hardwear.studies.disturbances import gain
from hardwear.studies.robustness import Cut, condition_all, published_cut, windows_at
from hardwear.wearable.calibration import ONE_G, STILL_SAMPLES, Calibration, CalibrationState
from hardwear.wearable.direction_learning import (
    STANDING,
    WALK_SAMPLES,
    WALKING,
    Stretch,
    fit_weights,
    headings,
    rest_of,
    rest_start,
    rest_sum,
    upright,
)
from hardwear.wearable.orientation import Mounting, straighten

MOUNTINGS = 5
"""Random mountings of every wearing."""
SEED = 0
REST_G = (0.9, 1.0, 1.1)
"""What an accelerometer may read at rest. The phones of the recordings read 1.03 g."""
LAYING = 6
SUPINE_G = 0.8
"""Who has so much of gravity across the body's axis lies flat."""

FloatArray = npt.NDArray[np.float64]
Int16Array = npt.NDArray[np.int16]
Teller = Callable[[Stretch], complex]
"""From a stretch to its heading: a positive number would be exact."""


# -- how the heading is told ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Estimator:
    """How far one way of telling the heading was off, for each stretch of a person that it had not seen."""

    name: str
    degrees: FloatArray
    """-180 to 180."""

    def to_json(self) -> dict[str, Any]:
        """What the table shows. Wrong way round: more than 90 degrees off."""
        size = np.abs(self.degrees)
        return {
            "name": self.name,
            "stretches": len(size),
            "rms_degrees": float(np.sqrt(np.mean(size**2))),
            "median_degrees": float(np.median(size)),
            "p95_degrees": float(np.percentile(size, 95)),
            "largest_degrees": float(size.max()),
            "wrong_way_round": float(np.mean(size > 90)),
            "histogram": np.histogram(self.degrees, bins=36, range=(-180, 180))[0].tolist(),
        }


def estimators(found: Sequence[Stretch]) -> list[Estimator]:
    """Every way that was compared, the one that ships last; each person left out in turn."""
    ways: dict[str, Callable[[Sequence[Stretch]], Teller]] = {
        "principal axis of horizontal angular rate, sign by the best lag": lambda known: _axis(known, 1),
        "principal axis of horizontal acceleration, sign by the best lag": lambda known: _axis(known, 0),
        "one lag between vertical and horizontal, the best of 36": _best_lag,
        "horizontal motion after vertical acceleration, 18 lags": lambda known: _weighted(known, (0, 1)),
        "horizontal motion after turning about the vertical, 18 lags": lambda known: _weighted(known, (2, 3)),
        "both together, 36 lags (ships)": lambda known: _weighted(known, (0, 1, 2, 3)),
    }
    out = []
    for name, teach in ways.items():
        degrees: list[float] = []
        for user in sorted({s.user for s in found}):
            tell = teach([s for s in found if s.user != user])
            degrees += np.angle([tell(s) for s in found if s.user == user], deg=True).tolist()
        out.append(Estimator(name, np.array(degrees)))
    return out


def _weighted(known: Sequence[Stretch], rows: Sequence[int]) -> Teller:
    columns = np.concatenate([np.arange(9) + 9 * row for row in rows])

    def only(stretch: Stretch) -> Stretch:
        return Stretch(stretch.experiment, stretch.user, stretch.features[columns], stretch.axes)

    weights = fit_weights([only(s) for s in known])
    return lambda stretch: complex(headings(weights, [only(stretch)])[0])


def _best_lag(known: Sequence[Stretch]) -> Teller:
    features = np.array([s.features for s in known])
    directions = features / np.abs(features)
    mean = directions.mean(axis=0)
    best = int(np.abs(mean).argmax())
    back = np.conj(mean[best]) / np.abs(mean[best])
    return lambda stretch: complex(stretch.features[best] * back)


def _axis(known: Sequence[Stretch], sensor: int) -> Teller:
    doubled = np.array([s.axes[sensor] for s in known])
    offset = np.angle((doubled / np.abs(doubled)).mean()) / 2
    rough = _best_lag(known)

    def tell(stretch: Stretch) -> complex:
        along = np.exp(1j * (np.angle(stretch.axes[sensor]) / 2 - offset))
        return complex(along if (along * np.conj(rough(stretch))).real >= 0 else -along)

    return tell


def front_by_lying(recording: Recording) -> complex | None:
    """Where the wearer's front points among the recording's horizontal axes, y + iz, as lying on the back tells.

    None if the wearer didn't lie flat.
    """
    counts = to_counts(recording.samples)
    up = upright(np.array(rest_sum(rest_of(recording, counts)), dtype=np.float64))
    lying = np.concatenate([recording.acc[s.start : s.stop] for s in recording.segments if s.activity == LAYING])
    _, y, z = up @ lying.mean(axis=0)
    return complex(y, z) if np.hypot(y, z) > SUPINE_G else None


def fronts(recordings: Sequence[Recording], found: Sequence[Stretch]) -> dict[str, Any]:
    """Does the heading follow where on the belt the phone sat?

    Returns:
        For recordings whose wearer lay on the back: the direction of the wearer's front in the recording's axes, and
        what the calibration made of the axes (each person left out), in degrees; their spreads.
    """
    own, told = [], []
    for user in sorted({s.user for s in found}):
        weights = fit_weights([s for s in found if s.user != user])
        for recording in (r for r in recordings if r.user == user):
            front = front_by_lying(recording)
            theirs = [s for s in found if s.experiment == recording.experiment]
            if front is not None and theirs:
                values = headings(weights, theirs)
                own.append(np.angle(front, deg=True))
                told.append(np.angle((values / np.abs(values)).mean(), deg=True))
    front_degrees, heading_degrees = np.array(own), np.array(told)
    return {
        "recordings": len(own),
        "front_degrees_mean": float(front_degrees.mean()),
        "front_degrees_sd_as_recorded": float(front_degrees.std()),
        "front_degrees_sd_calibrated": float((front_degrees - heading_degrees).std()),
        "correlation": float(np.corrcoef(front_degrees, heading_degrees)[0, 1]),
        "front_degrees": front_degrees.round(1).tolist(),
        "heading_degrees": heading_degrees.round(1).tolist(),
    }


# -- what it is worth -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Worn:
    """The recordings of one wearing as a board saw them, and what its calibration found."""

    counts: list[Int16Array]
    calibration: Calibration


Wearing = tuple[Recording, ...]
"""Recordings between which the phone stayed where it was."""


def wearings(recordings: Sequence[Recording]) -> list[Wearing]:
    """Each recording for itself, but for experiments 20 and 21: one has all the standing, the other all the walking."""
    found: list[Wearing] = []
    for recording in recordings:
        activities = {s.activity for s in recording.segments}
        if STANDING not in activities and found and found[-1][0].user == recording.user:
            found[-1] = (*found[-1], recording)
        else:
            found.append((recording,))
    return found


def wear(wearing: Wearing, board: FloatArray, rest_g: float | None) -> Worn:
    """Mount a board (3 x 3, board's axes from the recording's) that reads so much at rest, and calibrate it.

    The wearer stands still for three seconds, then walks all there is of level walking until the calibration ends.
    """
    rests = rest_of(wearing[0], to_counts(wearing[0].samples))[:, ACC].mean(axis=0)
    off = 0.0 if rest_g is None else rest_g * ONE_G / float(np.linalg.norm(rests)) - 1
    seen = []
    for recording in wearing:
        turned = np.hstack([recording.acc @ board.T, recording.gyro @ board.T])
        seen.append(to_counts(gain(turned, off, 0.0)))
    calibration = Calibration()
    calibration.start()
    for sample in np.concatenate([rest_of(wearing[0], seen[0]), *_walks(wearing, seen)]):
        calibration.push(sample)
    return Worn(seen, calibration)


def _walks(wearing: Wearing, seen: Sequence[Int16Array]) -> Iterator[Int16Array]:
    for recording, counts in zip(wearing, seen, strict=True):
        for segment in recording.segments:
            if segment.activity == WALKING:
                yield counts[segment.start : segment.stop]


@dataclass(frozen=True)
class _Bench:
    """What stays the same from measurement to measurement."""

    bundle: Bundle
    model: TflmModel
    cut: Cut
    unseen: npt.NDArray[np.bool_]
    """Windows that share no sample with what a calibration sees."""

    def score(self, counts: Sequence[Int16Array]) -> dict[str, Any]:
        conditioned = condition_all([from_counts(c) for c in counts])
        logits, _ = self.model.run(self.bundle.quantizer.quantize(windows_at(conditioned, self.cut)))
        named = logits.argmax(axis=1)
        metrics = classification_metrics(self.cut.labels, named)
        unseen = classification_metrics(self.cut.labels[self.unseen], named[self.unseen])
        return {"macro_f1": metrics.macro_f1, "recall": metrics.recall, "macro_f1_unseen": unseen.macro_f1}


def measure_benefit(
    bundle: Bundle, dataset: Dataset, recordings: Sequence[Recording], progress: Progress = silent
) -> list[dict[str, Any]]:
    """Macro-F1 of a bundle on the test subjects as recorded, turned, and calibrated.

    Args:
        bundle: Its int8 model is scored.
        dataset: Its test windows tell where to cut, and their labels.
        recordings: What they were cut from.
        progress: Told about measurements.

    Returns:
        Rows: mounting, rest_g (None: as the phone), calibrated, repetition, macro_f1 (of all windows, and of those that
        no calibration saw), recall; calibrated ones also failed (calibrations) and heading_degrees.
    """
    theirs = [r for r in recordings if r.user in set(dataset.test.subjects.tolist())]
    worn_by = wearings(theirs)
    cut = published_cut(dataset, theirs)
    seen = [list(_seen_by_calibration(r)) for r in theirs]
    unseen = np.array([_apart(seen[row], start) for row, start in zip(cut.recording, cut.start, strict=True)])
    bench = _Bench(bundle, TflmModel(bundle.tflite), cut, unseen)
    conditions = list(_conditions(len(worn_by)))
    rows: list[dict[str, Any]] = []
    for done, (mounting, rest_g, repetition, boards) in enumerate(conditions):
        progress(done, len(conditions), f"{mounting}, {rest_g or 'its own'} g at rest, {repetition}")
        worn = [wear(wearing, board, rest_g) for wearing, board in zip(worn_by, boards, strict=True)]
        head = {"mounting": mounting, "rest_g": rest_g, "repetition": repetition}
        rows.append({**head, "calibrated": False, **bench.score([c for w in worn for c in w.counts])})
        straight = [straighten(w.calibration.result, c) for w in worn for c in w.counts]
        failed = sum(w.calibration.state != CalibrationState.DONE for w in worn)
        degrees = [
            _heading_error(w.calibration.result, wearing[0], board)
            for w, wearing, board in zip(worn, worn_by, boards, strict=True)
        ]
        found = {"failed": failed, "heading_degrees": np.round(degrees, 1).tolist()}
        rows.append({**head, "calibrated": True, **bench.score(straight), **found})
    progress(len(conditions), len(conditions), "all mountings")
    return rows


def _conditions(count: int) -> Iterator[tuple[str, float | None, int, list[FloatArray]]]:
    as_recorded: list[FloatArray] = [np.eye(3)] * count
    yield "as recorded", None, 0, as_recorded
    for rest_g in REST_G:
        yield "as recorded", rest_g, 0, as_recorded
    drawn = np.random.default_rng(SEED)
    for repetition in range(MOUNTINGS):
        yield "turned at random", None, repetition, list(Turn.random(count, rng=drawn).as_matrix())


def _seen_by_calibration(recording: Recording) -> Iterator[tuple[int, int]]:
    """From a sample to before a sample."""
    activities = [s.activity for s in recording.segments]
    if STANDING in activities:
        rest = rest_start(recording, to_counts(recording.samples))
        yield rest, rest + STILL_SAMPLES
    if WALKING in activities:
        walk = recording.segments[activities.index(WALKING)].start
        yield walk, walk + WALK_SAMPLES


def _apart(seen: Sequence[tuple[int, int]], start: int) -> bool:
    return all(start + WINDOW_SAMPLES <= first or start >= last for first, last in seen)


def _heading_error(found: Mounting, recording: Recording, board: FloatArray) -> float:
    """Degrees about the vertical between what was found and the recording's own axes."""
    rest = rest_of(recording, to_counts(recording.samples))[:, ACC].mean(axis=0)
    # Both laid upright; what then is left is a turn about x.
    left = found.rotation.matrix() @ board
    level = upright(left @ rest) @ left @ upright(rest).T
    return float(np.degrees(np.arctan2(level[2, 1], level[1, 1])))


# -- page -------------------------------------------------------------------------------------------------------------


def heading_section(document: Mapping[str, Any]) -> str:
    """The table of the ways to tell the heading."""
    lines = [
        "| the heading from 9.6 s of walking, told by | rms | median | 95 % within | largest | wrong way round |",
        "|---|---|---|---|---|---|",
    ]
    for row in document["estimators"]:
        lines.append(
            f"| {row['name']} | {row['rms_degrees']:.0f}° | {row['median_degrees']:.0f}° | {row['p95_degrees']:.0f}° "
            f"| {row['largest_degrees']:.0f}° | {100 * row['wrong_way_round']:.1f} % |"
        )
    spread = document["fronts"]
    lines += [
        "",
        f"{document['estimators'][0]['stretches']} stretches of the 21 training subjects, each person left out in "
        "turn. An error is the angle to the recording's own axes.",
        "",
        f"Part of that is none: in {spread['recordings']} recordings the wearer lies flat, so that gravity shows the "
        f"front. It lies {spread['front_degrees_mean']:.0f}° from y towards z, with a standard deviation of "
        f"{spread['front_degrees_sd_as_recorded']:.0f}° in the recordings' axes and of "
        f"{spread['front_degrees_sd_calibrated']:.0f}° in those that the walk gives. The two angles correlate with "
        f"{spread['correlation']:.2f}.",
    ]
    return "\n".join(lines)


def benefit_section(document: Mapping[str, Any]) -> str:
    """The table of macro-F1."""
    rows = document["rows"]

    def show(mounting: str, rest_g: float | None, calibrated: bool) -> str:
        f1 = [r["macro_f1"] for r in _rows(rows, mounting, rest_g, calibrated)]
        if len(f1) == 1:
            return f"{f1[0]:.4f}"
        return f"{np.mean(f1):.4f} ± {np.std(f1, ddof=1):.4f}"

    lines = ["| macro-F1, int8 | not calibrated | calibrated |", "|---|---|---|"]
    cases: list[tuple[str, float | None, str]] = [
        ("as recorded", None, "worn as the phone was, which reads 1.03 g at rest")
    ]
    cases += [("as recorded", g, f"the same, by an accelerometer that reads {g:.2f} g") for g in REST_G]
    cases.append(("turned at random", None, f"turned at random, {MOUNTINGS} times each"))
    lines += [f"| {words} | {show(m, g, False)} | {show(m, g, True)} |" for m, g, words in cases]
    turned = _rows(rows, "turned at random", None, True)
    error = np.abs(np.concatenate([r["heading_degrees"] for r in turned]))
    unseen = {
        c: np.mean([r["macro_f1_unseen"] for r in _rows(rows, "turned at random", None, c)]) for c in (False, True)
    }
    base = next(iter(_rows(rows, "as recorded", None, False)))
    count = sum(len(r["heading_degrees"]) for r in turned)
    lines += [
        "",
        f"Model `{document['model_sha256'][:16]}…`, {document['windows']:,} windows of nine people. "
        f"{sum(r['failed'] for r in turned)} of {count} calibrations of turned boards failed; their heading differs "
        f"from the recording's own by {np.sqrt(np.mean(error**2)):.0f}° rms, {error.max():.0f}° at most. Without the "
        f"windows that a calibration saw: {base['macro_f1_unseen']:.4f} as recorded, {unseen[False]:.4f} turned, "
        f"{unseen[True]:.4f} calibrated.",
        "",
        f"`{document['command']}`: [results/mounting.json](results/mounting.json), data "
        + ", ".join(f"{name} `{digest[:12]}…`" for name, digest in document["data"].items())
        + ".",
    ]
    return "\n".join(lines)


def _rows(
    rows: Sequence[dict[str, Any]], mounting: str, rest_g: float | None, calibrated: bool
) -> list[dict[str, Any]]:
    wanted = (mounting, rest_g, calibrated)
    return [r for r in rows if (r["mounting"], r["rest_g"], r["calibrated"]) == wanted]


def draw(document: Mapping[str, Any]) -> Figure:
    """The errors of three ways to tell the heading, the wearers' fronts, and macro-F1."""
    figure = Figure(figsize=(13.0, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.15, 0.9, 1.1))
    _draw_errors(left, document["estimators"])
    _draw_fronts(middle, document["fronts"])
    _draw_scores(right, document["rows"])
    return figure


def _draw_errors(axes: Axes, told: Sequence[Mapping[str, Any]]) -> None:
    centres = np.arange(-175, 180, 10)
    shown = ((1, ORANGE, "principal axis", "--"), (2, PURPLE, "one lag", ":"), (5, BLUE, "36 lags (ships)", "-"))
    for index, colour, label, style in shown:
        counts = np.array(told[index]["histogram"])
        axes.step(centres, 100 * counts / counts.sum(), style, where="mid", color=colour, label=label, linewidth=2)
    axes.set(xlabel="heading off by (°)", ylabel="stretches (% per 10°)", xticks=range(-180, 181, 90))
    axes.set_title("People left out: telling the heading")
    axes.legend(fontsize=8, loc="upper left")


def _draw_fronts(axes: Axes, spread: Mapping[str, Any]) -> None:
    axes.scatter(spread["front_degrees"], spread["heading_degrees"], color=BLUE, s=18)
    axes.set(xlabel="wearer's front, lying, from y to z (°)", ylabel="heading told by the walk (°)")
    axes.set_title("The walk sees where the phone sat")
    axes.grid(color="0.9")


def _draw_scores(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    groups: list[tuple[str, float | None, str]] = [("as recorded", None, "as worn")]
    groups += [("as recorded", g, f"{g:.1f} g\nat rest") for g in REST_G]
    groups.append(("turned at random", None, "turned"))
    for calibrated, colour, shift in ((False, ORANGE, -0.2), (True, GREEN, 0.2)):
        f1 = [[100 * r["macro_f1"] for r in _rows(rows, m, g, calibrated)] for m, g, _ in groups]
        places = np.arange(len(groups)) + shift
        label = "calibrated" if calibrated else "not calibrated"
        axes.bar(places, [np.mean(v) for v in f1], 0.38, color=colour, label=label)
        for place, values in zip(places, f1, strict=True):
            axes.plot([place] * len(values), values, "k.", markersize=4)
            axes.text(place, max(values) + 1, f"{np.mean(values):.1f}", ha="center", fontsize=8)
    axes.set_xticks(range(len(groups)), [name for *_, name in groups])
    axes.set(ylabel="macro-F1 (%)", ylim=(0, 122), title="Nine test subjects, int8")
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="0.9")
    axes.legend(fontsize=9, ncols=2, loc="upper center")
