"""The embedding of test windows in two dimensions, kept as numbers so that the picture can be drawn without the run."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score

from hardwear.datasets import Dataset
from hardwear.errors import TrainingError
from hardwear.progress import Progress, silent
from hardwear.reproduction.execute import run_folder
from hardwear.reproduction.results import Record, Results, write_text
from hardwear.reproduction.summary import rows_of
from hardwear.reproduction.table import EXPERIMENTS, Row
from hardwear.training import load_run
from hardwear.training.run import CHECKPOINT, network_inputs

NAMES = ("ce-body", "center-body")
"""The experiments that are drawn side by side, of one seed and one number of epochs."""
_EVERY = 3
"""Test windows drawn: every third, or the dots hide each other."""
_PERPLEXITY = 30.0


@dataclass(frozen=True)
class Embedding:
    """One run's test windows."""

    name: str
    """Of the experiment."""
    epochs: int
    seed: int
    weights_sha256: str
    labels: tuple[int, ...]
    """Class index of each window drawn."""
    pca: tuple[tuple[float, float], ...]
    """The two principal components of each, in the embedding's own unit."""
    variance: float
    """The share of the variance that they hold."""
    tsne: tuple[tuple[float, float], ...]
    silhouette: float
    """Of the classes in the whole embedding, over all test windows: 1 is far apart and tight, 0 is mixed."""
    scatter: float
    """Mean distance of a window from its class's mean, over that mean's distance from the nearest other class's."""


def pair(held: Results) -> tuple[tuple[Row, Record], tuple[Row, Record]] | None:
    """What to draw: of the most epochs at which both experiments have a common seed, the first such seed."""
    experiments = {experiment.name: experiment for experiment in EXPERIMENTS}
    rows = [{row.epochs: row for row in rows_of(experiments[name], held)} for name in NAMES]
    for epochs in sorted(rows[0].keys() & rows[1].keys(), key=lambda count: -(count or 0)):
        first, second = ({record.seed: record for record in held.of(row[epochs])} for row in rows)
        for seed in sorted(first.keys() & second.keys()):
            return (rows[0][epochs], first[seed]), (rows[1][epochs], second[seed])
    return None


def update(
    path: Path, held: Results, runs: Path, load: Callable[[], Dataset], progress: Progress = silent
) -> tuple[Embedding, ...]:
    """Measure the pair's embeddings if their run folders are here; else give what the file holds.

    Args:
        path: The file of the embeddings.
        held: The finished runs.
        runs: Folder of the run folders.
        load: Gives the data that the runs are of, when they are needed.
        progress: Told about embeddings done.

    Returns:
        Those of the pair, or of an earlier one, or none.
    """
    stored = read(path)
    chosen = pair(held)
    if chosen is None:
        return ()
    if [e.weights_sha256 for e in stored] == [record.results.weights_sha256 for _, record in chosen]:
        return stored
    folders = [run_folder(runs, record.settings) for _, record in chosen]
    if not all((folder / CHECKPOINT).exists() for folder in folders):
        return stored
    dataset = load()
    if dataset.sha256 != held.data.sha256:
        raise TrainingError(f"expected the data of the runs, {held.data.sha256[:16]}, got {dataset.sha256[:16]}")
    measured = []
    for number, ((row, record), folder) in enumerate(zip(chosen, folders, strict=True)):
        progress(number, len(folders), f"embedding of {row.name}")
        measured.append(_measure(row, record, folder, dataset))
        progress(number + 1, len(folders), f"embedding of {row.name}")
    write_text(path, _to_text(measured))
    return tuple(measured)


def read(path: Path) -> tuple[Embedding, ...]:
    """What the file holds; nothing if there is none.

    Raises:
        TrainingError: It can't be read.
    """
    if not path.exists():
        return ()
    try:
        return tuple(_from_json(values) for values in json.loads(path.read_text(encoding="utf-8"))["embeddings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"expected embeddings in {path}, got: {error!r}; delete it") from error


def _measure(row: Row, record: Record, folder: Path, dataset: Dataset) -> Embedding:
    run = load_run(folder)
    vectors = run.embeddings(network_inputs(dataset.test, run.settings.acceleration)).astype(np.float64)
    labels = dataset.test.labels
    drawn = slice(None, None, _EVERY)
    components = PCA(2, random_state=0).fit(vectors)
    tsne = TSNE(2, perplexity=_PERPLEXITY, init="pca", random_state=0).fit_transform(vectors[drawn])
    return Embedding(
        name=row.experiment.name,
        epochs=row.epochs or 0,
        seed=record.seed,
        weights_sha256=record.results.weights_sha256,
        labels=tuple(int(label) for label in labels[drawn]),
        pca=_points(components.transform(vectors[drawn])),
        variance=round(float(components.explained_variance_ratio_.sum()), 4),
        tsne=_points(tsne),
        silhouette=round(float(silhouette_score(vectors, labels)), 4),
        scatter=round(_scatter(vectors, labels), 4),
    )


def _scatter(vectors: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> float:
    classes = np.unique(labels)
    means = np.array([vectors[labels == k].mean(axis=0) for k in classes])
    apart = np.linalg.norm(means[:, None] - means[None], axis=2) + np.diag(np.full(len(means), np.inf))
    own = [np.linalg.norm(vectors[labels == k] - m, axis=1).mean() for k, m in zip(classes, means, strict=True)]
    return float(np.mean(np.array(own) / apart.min(axis=1)))


def _points(values: npt.NDArray[np.floating[Any]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(f"{x:.4g}"), float(f"{y:.4g}")) for x, y in values.tolist())


def _to_text(embeddings: list[Embedding]) -> str:
    lines = ",\n".join(json.dumps(asdict(embedding)) for embedding in embeddings)
    return f'{{"embeddings": [\n{lines}\n]}}\n'


def _from_json(values: dict[str, Any]) -> Embedding:
    points = {name: tuple((x, y) for x, y in values[name]) for name in ("pca", "tsne")}
    return Embedding(**{**values, **points, "labels": tuple(values["labels"])})
