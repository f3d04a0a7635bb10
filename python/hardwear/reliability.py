"""Whether confidences mean what they say: of windows told with 80 %, are 80 % named rightly?

Everything is of probabilities as the chip tells them, in 255ths (`hardwear.confidence`).
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from hardwear.confidence import CERTAINTY, TEMPERATURE_MAX, TEMPERATURE_MIN, log_softmax
from hardwear.contract import CLASS_COUNT
from hardwear.errors import DatasetError

BINS = 15
"""Bins of the calibration error. Of equal width they are 17 of the 255 steps wide: 255 = 15 * 17."""

SMALLEST = 0.5 / CERTAINTY
"""What a probability that is told as 0 counts as in the log-likelihood: it may have been up to half a step."""


@dataclass(frozen=True)
class Bin:
    """Windows of similar confidence."""

    windows: int
    confidence: float
    """Mean."""
    accuracy: float
    """Share of windows named rightly."""


@dataclass(frozen=True)
class Reliability:
    """How well confidences fit what came true; fractions lie in [0, 1]."""

    windows: int
    accuracy: float
    confidence: float
    """Mean over the windows."""
    ece: float
    """Expected calibration error: mean over windows of their bin's |accuracy - confidence|, 15 bins of equal width."""
    ece_equal_mass: float
    """The same with up to 15 bins of like many windows; windows of equal confidence stay together."""
    nll: float
    """Mean negative log-likelihood of the true class, in nats."""
    brier: float
    """Mean squared distance of the six probabilities from the truth, 0 to 2."""
    bins: tuple[Bin, ...]
    """Those of equal width that hold windows, ascending."""

    def to_json(self) -> dict[str, Any]:
        """As plain values for `json.dumps`."""
        return asdict(self)


def reliability(told: npt.NDArray[np.uint8], classes: npt.ArrayLike, labels: npt.ArrayLike) -> Reliability:
    """Compare what was told with what was true.

    Args:
        told: (N, 6) uint8, probabilities in 255ths, N ≥ 1.
        classes: (N,) integers 0 … 5, the decided classes; the confidence is their probability.
        labels: (N,) integers 0 … 5.

    Raises:
        DatasetError: Shapes or types differ from these.
    """
    decided, true = np.asarray(classes), np.asarray(labels)
    if told.dtype != np.uint8 or told.ndim != 2 or told.shape[1] != CLASS_COUNT or not len(told):
        raise DatasetError(f"expected uint8 probabilities (N, {CLASS_COUNT}), N ≥ 1, got {told.dtype} {told.shape}")
    if not decided.shape == true.shape == (len(told),):
        raise DatasetError(f"expected {len(told)} classes and labels, got {decided.shape} and {true.shape}")
    rows = np.arange(len(told))
    steps = told[rows, decided].astype(np.int64)
    right = decided == true
    probabilities = told / CERTAINTY
    equal_width = _bins(steps, right, (np.maximum(steps, 1) - 1) * BINS // CERTAINTY)
    return Reliability(
        windows=len(told),
        accuracy=float(right.mean()),
        confidence=float(steps.mean() / CERTAINTY),
        ece=_calibration_error(equal_width),
        ece_equal_mass=_calibration_error(_bins(steps, right, _equal_mass(steps))),
        nll=float(-np.log(np.maximum(probabilities[rows, true], SMALLEST)).mean()),
        brier=float(((probabilities - np.eye(CLASS_COUNT)[true]) ** 2).sum(axis=1).mean()),
        bins=equal_width,
    )


def fit_temperature(logits: npt.NDArray[np.float64], labels: npt.ArrayLike) -> float:
    """The temperature of largest likelihood.

    Args:
        logits: (N, 6) real values, those of int8 logits times their scale.
        labels: (N,) integers 0 … 5.

    Returns:
        T, 0.01 to 100, rounded to three digits: the likelihood is flat there. If every window is named rightly none is
        the likeliest, and some T is returned at which that is as good as certain.
    """
    true = np.asarray(labels)
    rows = np.arange(len(true))

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature))[rows, true].mean())

    # Convex in 1/T, so that it has one minimum over log T.
    bounds = (np.log(TEMPERATURE_MIN), np.log(TEMPERATURE_MAX))
    best = float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x))
    return min(max(float(f"{best:.3g}"), TEMPERATURE_MIN), TEMPERATURE_MAX)


def _bins(steps: npt.NDArray[np.int64], right: npt.NDArray[np.bool_], index: npt.NDArray[np.int64]) -> tuple[Bin, ...]:
    return tuple(
        Bin(int(inside.sum()), float(steps[inside].mean() / CERTAINTY), float(right[inside].mean()))
        for inside in (index == number for number in np.unique(index))
    )


def _equal_mass(steps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Bin of each window by its rank; equal confidences have one rank, the middle of theirs."""
    _, group, counts = np.unique(steps, return_inverse=True, return_counts=True)
    middle_twice = 2 * np.cumsum(counts) - counts
    return np.asarray((middle_twice * BINS // (2 * len(steps)))[group], dtype=np.int64)


def _calibration_error(bins: tuple[Bin, ...]) -> float:
    total = sum(part.windows for part in bins)
    return sum(part.windows * abs(part.accuracy - part.confidence) for part in bins) / total
