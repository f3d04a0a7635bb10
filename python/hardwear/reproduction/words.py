"""Figures as the page writes them: fractions to three or four digits, differences in points."""

from hardwear.reproduction.summary import Spread
from hardwear.reproduction.table import Row


def what(row: Row) -> str:
    """Such as `body_acc`, 20 epochs."""
    epochs = "" if row.epochs is None else f", {row.epochs} epochs"
    return f"`{row.experiment.settings.acceleration}`{epochs}"


def spread(values: Spread, digits: int) -> str:
    """Mean ± sample standard deviation; the mean alone of a single seed."""
    return f"{values.mean:.{digits}f}" + ("" if values.sd is None else f" ± {values.sd:.{digits}f}")


def beside(ours: Spread, published: float | None) -> str:
    """Ours, and in points how far from the paper's."""
    return spread(ours, 3) + ("" if published is None else f" ({points(ours.mean - published)})")


def points(fraction: float) -> str:
    """A signed difference of fractions in points."""
    return f"{100 * fraction:+z.1f}".replace("-", "−")


def interval(bounds: tuple[float, float]) -> str:
    """Both ends in points."""
    return f"{points(bounds[0])} … {points(bounds[1])}"


def p_value(value: float) -> str:
    """To three digits, and no smaller than they can tell."""
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"
