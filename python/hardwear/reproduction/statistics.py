"""Is one setting better than another, over the same seeds? A paired test, and what it could have found."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from hardwear.errors import HardwearError

_RESAMPLES = 10_000
_LEVEL = 0.05
_POWER = 0.8


@dataclass(frozen=True)
class Paired:
    """What pairs of scores say about the difference between two settings. Differences have the scores' unit."""

    pairs: int
    mean: float
    """Of second − first."""
    sd: float
    """Sample standard deviation of the differences."""
    interval: tuple[float, float]
    """95 % confidence interval of the mean by Student's t."""
    bootstrap: tuple[float, float]
    """The same by resampling the pairs; with few of them it is too narrow."""
    t_test: float
    """Two-sided p that the mean is 0."""
    wilcoxon: float
    """Two-sided exact p of the signed ranks."""
    wilcoxon_least: float
    """The least p that so few pairs can give: above 0.05 the signed ranks can't find anything."""
    detectable: float
    """The difference that the t-test would find with 80 % probability at a level of 5 %, were `sd` the true one."""


def paired(first: Sequence[float], second: Sequence[float]) -> Paired:
    """Compare scores of two settings, pair by pair.

    Args:
        first: Scores of the one setting, at least two.
        second: Of the other, with the same seeds in the same order.

    Raises:
        HardwearError: There are not as many of both, or fewer than two.
    """
    if len(first) != len(second) or len(first) < 2:
        raise HardwearError(
            f"expected as many scores of both settings, at least 2, got {len(first)} and {len(second)}; run more seeds"
        )
    differences = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    pairs, mean, sd = len(differences), float(differences.mean()), float(differences.std(ddof=1))
    reach = float(stats.t.ppf(1 - _LEVEL / 2, pairs - 1)) * sd / math.sqrt(pairs)
    draws = np.random.default_rng(0).choice(differences, (_RESAMPLES, pairs)).mean(axis=1)
    low, high = np.quantile(draws, (_LEVEL / 2, 1 - _LEVEL / 2))
    return Paired(
        pairs=pairs,
        mean=mean,
        sd=sd,
        interval=(mean - reach, mean + reach),
        bootstrap=(float(low), float(high)),
        t_test=_t_test(mean, sd, pairs),
        wilcoxon=float(stats.wilcoxon(differences, method="exact").pvalue) if differences.any() else 1.0,
        wilcoxon_least=2.0 ** (1 - pairs),
        detectable=_detectable(pairs) * sd,
    )


def holm(values: Sequence[float]) -> list[float]:
    """Holm's correction of p values for having tested as many times (Scandinavian Journal of Statistics 6, 1979)."""
    corrected = [0.0] * len(values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = highest
    return corrected


def _t_test(mean: float, sd: float, pairs: int) -> float:
    """By hand, because equal differences, with a deviation of 0, are no reason to warn."""
    if sd == 0.0:
        return 1.0 if mean == 0.0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / (sd / math.sqrt(pairs)), pairs - 1))


def _detectable(pairs: int) -> float:
    """The least mean difference, in standard deviations, that a paired t-test finds with a power of 80 %."""
    threshold = float(stats.t.ppf(1 - _LEVEL / 2, pairs - 1))

    def lacking(shift: float) -> float:
        # The other tail, a significant difference of the wrong sign, has a probability below 1e-4 at this power.
        return float(stats.nct.sf(threshold, pairs - 1, shift)) - _POWER

    return float(optimize.brentq(lacking, 1e-3, 30.0)) / math.sqrt(pairs)
