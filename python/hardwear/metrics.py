"""How well predictions fit labels: the one place where the figures of every table are computed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix, f1_score

from hardwear.contract import CLASS_COUNT, CLASSES
from hardwear.errors import DatasetError


@dataclass(frozen=True)
class Metrics:
    """Figures of a classifier on labelled windows; fractions lie in [0, 1]."""

    macro_f1: float
    """Mean over the classes that occur of the harmonic mean of precision and recall."""
    accuracy: float
    recall: dict[str, float]
    """By class name, of the classes that have windows."""
    confusion: tuple[tuple[int, ...], ...]
    """Number of windows, row: true class, column: predicted class, both in the contract's order."""

    @property
    def precision(self) -> dict[str, float]:
        """By class name, of the classes that were predicted at all."""
        totals = [sum(row[k] for row in self.confusion) for k in range(CLASS_COUNT)]
        return {name: self.confusion[k][k] / totals[k] for k, name in enumerate(CLASSES) if totals[k]}

    @property
    def macro_precision(self) -> float:
        """Mean over the classes that have windows; a class that is never predicted counts as 0."""
        return sum(self.precision.get(name, 0.0) for name in self.recall) / len(self.recall)

    @property
    def macro_recall(self) -> float:
        """Mean over the classes that have windows."""
        return sum(self.recall.values()) / len(self.recall)

    def to_json(self) -> dict[str, Any]:
        """As plain values for `json.dumps`."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Metrics":
        """The reverse of `to_json`."""
        return Metrics(
            macro_f1=values["macro_f1"],
            accuracy=values["accuracy"],
            recall=dict(values["recall"]),
            confusion=tuple(tuple(row) for row in values["confusion"]),
        )


def classification_metrics(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> Metrics:
    """Compare predicted classes with true ones.

    Args:
        labels: (N,) integers 0 … 5, N ≥ 1.
        predictions: (N,) integers 0 … 5.

    Raises:
        DatasetError: Shapes differ, there is nothing to compare, or a class is out of range.
    """
    true, predicted = np.asarray(labels), np.asarray(predictions)
    if true.ndim != 1 or true.shape != predicted.shape or true.size == 0:
        raise DatasetError(
            f"expected as many predictions as labels, at least one, got {predicted.shape} and {true.shape}"
        )
    for what, values in (("labels", true), ("predictions", predicted)):
        if not np.issubdtype(values.dtype, np.integer) or values.min() < 0 or values.max() >= CLASS_COUNT:
            raise DatasetError(
                f"expected {what} to be integers 0 … {CLASS_COUNT - 1}, "
                f"got {values.dtype} from {values.min()} to {values.max()}"
            )
    confusion = confusion_matrix(true, predicted, labels=range(CLASS_COUNT))
    occurring = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1))
    totals = confusion.sum(axis=1)
    return Metrics(
        macro_f1=float(f1_score(true, predicted, labels=occurring, average="macro", zero_division=0.0)),
        accuracy=float(np.mean(true == predicted)),
        recall={name: float(confusion[k, k] / totals[k]) for k, name in enumerate(CLASSES) if totals[k]},
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
    )


def pooled_metrics(confusions: Iterable[Sequence[Sequence[int]]]) -> Metrics:
    """Of all the windows together that these confusion matrices count.

    Args:
        confusions: Each as in `Metrics.confusion`.

    Raises:
        DatasetError: There is no window in them.
    """
    counts = sum((np.asarray(confusion) for confusion in confusions), np.zeros((CLASS_COUNT, CLASS_COUNT), np.int64))
    true, predicted = np.indices((CLASS_COUNT, CLASS_COUNT)).reshape(2, -1)
    return classification_metrics(np.repeat(true, counts.ravel()), np.repeat(predicted, counts.ravel()))
