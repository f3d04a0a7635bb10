"""Made-up runs of the reproduction's table, for tests of what is computed and written from them."""

from collections.abc import Callable, Iterable

import numpy as np

from hardwear.metrics import Metrics, classification_metrics
from hardwear.reproduction.results import Record, Results, essence
from hardwear.reproduction.table import Row, Settings
from hardwear.training import TrainingSettings
from hardwear.training.run import DataIdentity, RunResults, Scores

REAL = DataIdentity("UCI-HAR", "ab" * 32)
SIMULATED = DataIdentity("SYNTHETIC", "cd" * 32)
WINDOWS_PER_CLASS = 200


def metrics(recall: float, seed: int = 0) -> Metrics:
    """Every class recognised at about that recall, the rest taken for the next class of its half."""
    rng = np.random.default_rng([seed, round(1000 * recall)])
    labels = np.repeat(np.arange(6), WINDOWS_PER_CLASS)
    hits = rng.random(len(labels)) < recall
    neighbour = 3 * (labels // 3) + (labels + 1) % 3
    return classification_metrics(labels, np.where(hits, labels, neighbour))


def record(settings: Settings, recall: float) -> Record:
    """A finished run; on validation windows it is better by three points, in its best epoch by one."""
    last = Scores(10, metrics(min(recall + 0.03, 1.0), settings.seed), metrics(recall, settings.seed))
    provenance = {"command": "hardwear reproduce", "commit": "0123456789abcdef", "versions": {}}
    if not isinstance(settings, TrainingSettings):
        choice = {
            "C": 10.0,
            "gamma": 0.002,
            "features": 496,
            "support_vectors": 1234,
            "cross_validation": {"C 1, width 1": 0.9, "C 10, width 1": 0.91},
        }
        return Record(settings, RunResults(last, None, "last", "e" * 64, 95.0), {}, choice, provenance)
    best = Scores(8, metrics(min(recall + 0.04, 1.0), settings.seed), metrics(min(recall + 0.01, 1.0), settings.seed))
    results = RunResults(last, best, "last", f"{abs(hash(settings)):064x}"[:64], 12.0 * settings.epochs)
    epochs = np.unique(np.linspace(1, settings.epochs, 50).astype(int))
    fall = np.exp(-epochs / settings.epochs) * (1 + 0.05 * settings.seed)
    curves = {
        "epoch": epochs.astype(float).tolist(),
        "cross_entropy": fall.tolist(),
        "center_loss": (10 * fall / (1 + 100 * settings.center_weight)).tolist(),
        "train_accuracy": (1 - 0.6 * fall).tolist(),
        "validation_macro_f1": (1 - 0.7 * fall).tolist(),
    }
    return Record(settings, results, curves, None, provenance)


def results(
    rows: Iterable[Row],
    recall: Callable[[Row, int], float] = lambda row, seed: 0.9,
    seeds: Iterable[int] = range(3),
    data: DataIdentity = REAL,
) -> Results:
    """Runs of all the rows and seeds, each with the recall that `recall` gives it."""
    runs = [record(row.settings(seed), recall(row, seed)) for row in rows for seed in seeds]
    return Results(data, {essence(run.settings): run for run in runs})
