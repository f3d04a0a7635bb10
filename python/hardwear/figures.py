"""What all figures share: a palette that colour-blind readers tell apart, short class names, the confusion matrix."""

from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from hardwear.contract import CLASSES

matplotlib.use("Agg")

BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"
"""Okabe and Ito's palette."""
SHORT_CLASSES = tuple(name.replace("WALKING_", "").capitalize() for name in CLASSES)


def draw_confusion(axes: Axes, confusion: npt.NDArray[np.int64], named_by: str = "") -> AxesImage:
    """A confusion matrix, shaded by the share of the label's windows.

    Args:
        axes: Where.
        confusion: (6, 6) windows, row: label, column: named class.
        named_by: Who named the columns, such as `the device`.

    Returns:
        The image, for a colour bar from 0 to 1.
    """
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*confusion.shape):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, str(confusion[row, column]), ha="center", va="center", color=colour, fontsize=11)
    axes.set_xticks(range(len(CLASSES)), SHORT_CLASSES, rotation=35, ha="right")
    axes.set_yticks(range(len(CLASSES)), SHORT_CLASSES)
    axes.set_xlabel(f"named by {named_by}" if named_by else "named")
    axes.set_ylabel("label (windows)")
    return image


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure for a page; the same figure gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, metadata={"Software": None})
