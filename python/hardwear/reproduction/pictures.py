"""The pictures of docs/reproduction.md, drawn from the results alone."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hardwear.contract import CLASSES
from hardwear.figures import AMBER, BLUE, GREEN, ORANGE, PURPLE, SHORT_CLASSES, SKY, draw_confusion
from hardwear.reproduction.embedding import Embedding
from hardwear.reproduction.published import PUBLISHED
from hardwear.reproduction.results import Record
from hardwear.reproduction.summary import Pair, recall

_CLASS_STYLES = tuple(zip((BLUE, SKY, PURPLE, ORANGE, GREEN, AMBER), "os^Dvx", strict=True))
_LOSS_STYLES = ((BLUE, "CE"), (ORANGE, "CE + center loss"))
_ACCELERATION_LINES = {"body_acc": "-", "total_acc": "--"}


def recall_figure(pairs: Sequence[Pair]) -> Figure:
    """Recall by class, the paper's beside ours, without and with center loss; bars reach over all seeds."""
    figure = Figure(figsize=(9.6, 4.0), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(CLASSES))
    for index, (axes, method) in enumerate(zip(panels, ("ce", "center"), strict=True)):
        published = PUBLISHED[method].recall_by_class or {}
        axes.scatter(
            places, [100 * published[name] for name in CLASSES], marker="_", s=700, color="black", label="the paper"
        )
        for number, pair in enumerate(pairs):
            values = 100 * recall(pair.metrics[index])
            shift = 0.12 * (2 * number - len(pairs) + 1)
            colour = (BLUE, ORANGE)[number % 2]
            mean = values.mean(axis=0)
            axes.errorbar(
                places + shift,
                mean,
                (mean - values.min(axis=0), values.max(axis=0) - mean),
                fmt="oD"[number % 2],
                color=colour,
                capsize=3,
                label=f"ours, {pair.acceleration}, {pair.epochs} epochs",
            )
        axes.set_title(_LOSS_STYLES[index][1], fontsize=11)
        axes.set_xticks(places, SHORT_CLASSES, rotation=35, ha="right")
        axes.grid(axis="y", alpha=0.3)
    panels[0].set_ylabel("recall on the test subjects (%)")
    figure.legend(*panels[0].get_legend_handles_labels(), fontsize=9, loc="outside upper center", ncols=3)
    return figure


def confusion_figure(pairs: Sequence[Pair]) -> Figure:
    """Confusion matrices, all seeds' windows together."""
    figure = Figure(figsize=(10.4, 0.6 + 4.6 * len(pairs)), layout="constrained")
    grid = figure.subplots(len(pairs), 2, squeeze=False)
    for line, pair in zip(grid, pairs, strict=True):
        for axes, metrics, (_, loss) in zip(line, pair.metrics, _LOSS_STYLES, strict=True):
            total = np.array([m.confusion for m in metrics]).sum(axis=0)
            image = draw_confusion(axes, total, "the network")
            seeds = f"{len(metrics)} seed{'s' if len(metrics) > 1 else ''} together"
            axes.set_title(f"{loss}, {pair.acceleration}, {pair.epochs} epochs ({seeds})", fontsize=10)
    figure.colorbar(image, ax=grid, label="share of the label's windows", shrink=0.6)
    return figure


def curves_figure(pairs: Sequence[Pair]) -> Figure:
    """Cross-entropy, center loss and validation macro-F1 by epoch; lines are means over seeds, bands their range."""
    figure = Figure(figsize=(9.6, 7.2), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True).ravel()
    columns = (
        ("cross_entropy", "cross-entropy on training batches", True),
        ("center_loss", "center loss, unweighted", True),
        ("train_accuracy", "accuracy on training batches", False),
        ("validation_macro_f1", "macro-F1, validation windows", False),
    )
    for axes, (name, label, logarithmic) in zip(panels, columns, strict=True):
        for pair in pairs:
            for records, (colour, loss) in zip(pair.records, _LOSS_STYLES, strict=True):
                _band(
                    axes, records, name, colour, _ACCELERATION_LINES[pair.acceleration], f"{loss}, {pair.acceleration}"
                )
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        if logarithmic:
            axes.set_yscale("log")
    for axes in panels[2:]:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(*panels[0].get_legend_handles_labels(), fontsize=9, loc="outside upper center", ncols=4)
    return figure


def _band(axes: Axes, records: Sequence[Record], name: str, colour: str, line: str, label: str) -> None:
    curves = [record.curves for record in records if name in record.curves]
    if not curves:
        return
    values = np.array([curve[name] for curve in curves])
    axes.plot(curves[0]["epoch"], values.mean(axis=0), line, color=colour, label=label)
    axes.fill_between(curves[0]["epoch"], values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, lw=0)


def sweep_figure(scores: dict[float, list[float]], epochs: int) -> Figure:
    """Macro-F1 by the weight of the center loss: each seed, and the means."""
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    for place, values in enumerate(scores.values()):
        axes.scatter([place] * len(values), [100 * v for v in values], color=BLUE, alpha=0.6, s=26)
        axes.plot([place - 0.25, place + 0.25], [100 * float(np.mean(values))] * 2, color=ORANGE, lw=2.5)
    axes.scatter([], [], color=BLUE, alpha=0.6, s=26, label="a seed")
    axes.plot([], [], color=ORANGE, lw=2.5, label="mean")
    axes.set_xticks(range(len(scores)), [f"{weight:g}" for weight in scores])
    axes.set_xlabel("λ₁, weight of the center loss")
    axes.set_ylabel(f"macro-F1, test subjects, {epochs} epochs (%)")
    axes.grid(axis="y", alpha=0.3)
    figure.legend(fontsize=9, loc="outside upper center", ncols=2)
    return figure


def embedding_figure(embeddings: Sequence[Embedding]) -> Figure:
    """Principal components and t-SNE of the test windows' embeddings, side by side."""
    figure = Figure(figsize=(9.6, 9.2), layout="constrained")
    grid = figure.subplots(2, len(embeddings), squeeze=False)
    for column, (embedding, (_, loss)) in enumerate(zip(embeddings, _LOSS_STYLES, strict=False)):
        labels = np.array(embedding.labels)
        for axes, points in zip(grid[:, column], (embedding.pca, embedding.tsne), strict=True):
            xy = np.array(points)
            for k, (colour, marker) in enumerate(_CLASS_STYLES):
                of_class = labels == k
                axes.scatter(
                    *xy[of_class].T, s=12, color=colour, marker=marker, alpha=0.7, lw=0.8, label=SHORT_CLASSES[k]
                )
        pca, tsne = grid[:, column]
        pca.set_title(f"{loss}: silhouette {embedding.silhouette:.2f}", fontsize=11)
        pca.set_xlabel(f"first principal component ({embedding.variance:.0%} of variance in both)")
        pca.set_ylabel("second principal component")
        tsne.set_xlabel("t-SNE 1 (no unit)")
        tsne.set_ylabel("t-SNE 2 (no unit)")
    figure.legend(
        *grid[0, 0].get_legend_handles_labels(), fontsize=9, markerscale=1.5, loc="outside upper center", ncols=6
    )
    return figure
