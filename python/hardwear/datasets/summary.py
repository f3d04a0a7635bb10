"""What a data set holds, in a few numbers."""

from dataclasses import dataclass

import numpy as np

from hardwear.contract import CLASSES
from hardwear.datasets.dataset import Dataset, WindowSet


@dataclass(frozen=True)
class PartSummary:
    """One side of the split."""

    name: str
    """`train` or `test`."""
    windows: int
    windows_per_class: dict[str, int]
    """By class name, in the contract's order."""
    subjects: tuple[int, ...]
    """Who, ascending."""


@dataclass(frozen=True)
class DatasetSummary:
    """A data set in a few numbers; `dataclasses.asdict` of it is plain JSON."""

    name: str
    synthetic: bool
    sha256: str
    """Of the content, whatever held it."""
    source: str
    """Where it was read from."""
    train: PartSummary
    test: PartSummary


def summarize(dataset: Dataset) -> DatasetSummary:
    """Count a data set's windows by class, and its subjects."""
    return DatasetSummary(
        name=dataset.name,
        synthetic=dataset.synthetic,
        sha256=dataset.sha256,
        source=dataset.source,
        train=_summarize_part("train", dataset.train),
        test=_summarize_part("test", dataset.test),
    )


def _summarize_part(name: str, windows: WindowSet) -> PartSummary:
    counts = np.bincount(windows.labels, minlength=len(CLASSES)).tolist()
    return PartSummary(
        name=name,
        windows=len(windows),
        windows_per_class=dict(zip(CLASSES, counts, strict=True)),
        subjects=tuple(int(s) for s in np.unique(windows.subjects)),
    )
