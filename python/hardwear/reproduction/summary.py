"""What the finished runs say, row by row: means and spreads, distances from the paper's recalls, paired comparisons."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hardwear.contract import CLASSES
from hardwear.metrics import Metrics
from hardwear.reproduction.published import PUBLISHED
from hardwear.reproduction.results import Record, Results, essence
from hardwear.reproduction.statistics import Paired, holm, paired
from hardwear.reproduction.table import EXPERIMENTS, Experiment, Row, experiments
from hardwear.training import TrainingSettings, preset

KEPT = ("last", "best")
FIGURES = ("macro_f1", "accuracy", "macro_precision", "macro_recall")
_RESAMPLES = 2_000


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation of a figure over seeds."""

    mean: float
    sd: float | None
    """None of a single seed."""

    @staticmethod
    def of(values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return Spread(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


def on_test(records: Sequence[Record], kept: str = "last") -> list[Metrics]:
    """On the test subjects, of the last epoch's network or of the best one's on validation windows."""
    scores = [record.results.last if kept == "last" else record.results.best for record in records]
    return [score.test for score in scores if score and score.test]


def figure(metrics: Sequence[Metrics], name: str) -> Spread:
    """One of `FIGURES` over the runs."""
    return Spread.of([float(getattr(m, name)) for m in metrics])


def recall(metrics: Sequence[Metrics]) -> npt.NDArray[np.float64]:
    """(runs, 6) recall by class, in the contract's order."""
    return np.array([[m.recall.get(name, 0.0) for name in CLASSES] for m in metrics])


def rows_of(experiment: Experiment, held: Results) -> list[Row]:
    """The experiment at each number of epochs that the table asks for or that somebody has run."""
    wanted = essence(experiment.settings)
    if not isinstance(wanted, TrainingSettings):
        return [Row(experiment, None)]
    wanted = replace(wanted, seed=0, epochs=1)
    like = (key for key in held.runs if isinstance(key, TrainingSettings))
    found = {key.epochs for key in like if replace(key, seed=0, epochs=1) == wanted}
    return [Row(experiment, count) for count in sorted(found | {count for count in experiment.epochs if count})]


@dataclass(frozen=True)
class Pair:
    """One acceleration's runs, without and with center loss, at one number of epochs."""

    acceleration: str
    epochs: int
    records: tuple[Sequence[Record], Sequence[Record]]
    metrics: tuple[Sequence[Metrics], Sequence[Metrics]]
    """On the test subjects, last epoch."""


def pairs(held: Results) -> list[Pair]:
    """For each acceleration the paper's network at the most epochs at which both losses have been run."""
    found = []
    for plain, centred in zip(experiments("main", "ce"), experiments("main", "center"), strict=True):
        for row in reversed(rows_of(plain, held)):
            records = (held.of(row), held.of(Row(centred, row.epochs)))
            if all(records):
                metrics = (on_test(records[0]), on_test(records[1]))
                found.append(Pair(plain.settings.acceleration, row.epochs or 0, records, metrics))
                break
    return found


# -- what the paper leaves open --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """One way to read the paper, with and without center loss."""

    acceleration: str
    split: str
    lambda_2: str
    epochs: int
    kept: str
    rows: tuple[Row, Row]
    """Without and with center loss."""
    metrics: tuple[tuple[Metrics, ...], tuple[Metrics, ...]]
    """Likewise, a run each."""

    @property
    def complete(self) -> bool:
        """Whether both have been run."""
        return all(self.metrics)

    @property
    def distance(self) -> float:
        """Root mean square difference of the twelve recalls, means over seeds, from the paper's; a fraction."""
        return _distance([recall(metrics).mean(axis=0) for metrics in self.metrics])


def readings(held: Results) -> list[Reading]:
    """Every reading of the table at every number of epochs, nearest to the paper first, those not run yet last."""
    by_settings: dict[TrainingSettings, dict[float, Experiment]] = {}
    for experiment in EXPERIMENTS:
        settings = experiment.settings
        if isinstance(settings, TrainingSettings) and experiment.method in ("ce", "center"):
            common = replace(settings, center_weight=0.0, epochs=1)
            by_settings.setdefault(common, {}).setdefault(settings.center_weight, experiment)
    found = [
        reading
        for common, by_weight in by_settings.items()
        for reading in _readings_of(common, by_weight[0.0], by_weight[preset("paper").center_weight], held)
    ]
    return sorted(found, key=lambda r: (r.distance if r.complete else math.inf, r.epochs))


def _readings_of(common: TrainingSettings, plain: Experiment, centred: Experiment, held: Results) -> Iterator[Reading]:
    counts = dict.fromkeys(row.epochs for experiment in (plain, centred) for row in rows_of(experiment, held))
    for epochs in counts:
        rows = (Row(plain, epochs), Row(centred, epochs))
        records = [held.of(row) for row in rows]
        for kept in KEPT:
            first, second = (tuple(on_test(runs, kept)) for runs in records)
            yield Reading(
                acceleration=common.acceleration,
                split=common.validation_by,
                lambda_2=_lambda_2(common),
                epochs=epochs or 0,
                kept=kept,
                rows=rows,
                metrics=(first, second),
            )


def _lambda_2(settings: TrainingSettings) -> str:
    if not settings.weight_decay:
        return "nothing"
    what = "decoupled decay" if settings.optimizer == "adamw" else "L2 penalty"
    return f"{what}, {settings.weight_decay:g}"


def nearest_shares(candidates: Sequence[Reading]) -> list[float]:
    """How often each reading is the nearest one when its seeds are drawn anew with replacement: what chance may do."""
    rng = np.random.default_rng(0)
    recalls = [[recall(metrics) for metrics in reading.metrics] for reading in candidates]
    wins = np.zeros(len(candidates))
    for _ in range(_RESAMPLES if candidates else 0):
        drawn = [[r[rng.integers(len(r), size=len(r))].mean(axis=0) for r in pair] for pair in recalls]
        wins[int(np.argmin([_distance(pair) for pair in drawn]))] += 1
    return [float(share) for share in wins / max(wins.sum(), 1)]


def _distance(pair: Sequence[npt.NDArray[np.float64]]) -> float:
    published = [PUBLISHED[method].recall_by_class or {} for method in ("ce", "center")]
    expected = np.array([[by_class[name] for name in CLASSES] for by_class in published])
    return float(np.sqrt(np.square(np.array(pair) - expected).mean()))


# -- does center loss help -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """One weight of the center loss against none, over the seeds that both were run with."""

    weight: float
    scores: Spread
    seeds: tuple[int, ...]
    against_none: Paired | None
    """Of macro-F1; None for weight 0, or with fewer than two common seeds."""
    corrected: float | None
    """The t-test's p, corrected by Holm for all weights of the sweep."""


def sweep_epochs(held: Results) -> list[int]:
    """The numbers of epochs at which at least two weights of the sweep have been run."""
    rows = [row for experiment in experiments("sweep") for row in rows_of(experiment, held) if held.of(row)]
    counts = [row.epochs for row in rows if row.epochs]
    return sorted({count for count in counts if counts.count(count) > 1})


def sweep(held: Results, epochs: int) -> list[Comparison]:
    """Each weight that was run, by rising weight."""
    by_weight = {_weight(experiment): held.of(Row(experiment, epochs)) for experiment in experiments("sweep")}
    compared = {w: compare(by_weight[0.0], records) for w, records in by_weight.items() if w and records}
    tested = {w: comparison for w, comparison in compared.items() if comparison}
    corrected = dict(zip(tested, holm([c.t_test for c in tested.values()]), strict=True))
    return [
        Comparison(
            weight=weight,
            scores=figure(on_test(records), "macro_f1"),
            seeds=tuple(record.seed for record in records),
            against_none=tested.get(weight),
            corrected=corrected.get(weight),
        )
        for weight, records in sorted(by_weight.items())
        if records
    ]


def sweep_scores(held: Results, epochs: int) -> dict[float, list[float]]:
    """Macro-F1 of each seed, by weight."""
    by_weight = {_weight(e): on_test(held.of(Row(e, epochs))) for e in experiments("sweep")}
    return {weight: [m.macro_f1 for m in metrics] for weight, metrics in sorted(by_weight.items()) if metrics}


def compare(first: Sequence[Record], second: Sequence[Record]) -> Paired | None:
    """Macro-F1 of two rows on the test subjects, seed by seed; None with fewer than two common seeds."""
    scores = [{r.seed: m.macro_f1 for r, m in zip(runs, on_test(runs), strict=True)} for runs in (first, second)]
    common = sorted(scores[0].keys() & scores[1].keys())
    if len(common) < 2:
        return None
    return paired([scores[0][seed] for seed in common], [scores[1][seed] for seed in common])


def _weight(experiment: Experiment) -> float:
    assert isinstance(experiment.settings, TrainingSettings)
    return experiment.settings.center_weight
