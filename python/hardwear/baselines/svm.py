"""A support vector machine on hand-made features, chosen on training subjects as networks are."""

import hashlib
import time
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hardwear.baselines.features import FloatArray, window_features
from hardwear.datasets import Dataset, WindowSet, split_by_subject, split_by_window
from hardwear.errors import TrainingError
from hardwear.metrics import Metrics, classification_metrics
from hardwear.progress import Progress, silent
from hardwear.training.run import network_inputs
from hardwear.training.settings import ACCELERATIONS, VALIDATION_UNITS, check_choice

_CACHE_MB = 500


@dataclass(frozen=True)
class SvmSettings:
    """All that a machine depends on, apart from the data.

    Raises:
        TrainingError: A value makes no sense; the message lists what does.
    """

    acceleration: str = "total_acc"
    """As in `TrainingSettings`: with `body_acc` the features know nothing of gravity."""
    validation_share: float = 0.0
    """Held out from the training data as networks hold it out, by the same seed; 0 learns from all."""
    validation_by: str = "window"
    """`window` or `subject`, as in `TrainingSettings`."""
    folds: int = 3
    """Of the training subjects, to choose C and γ by: nobody is in a fold's both parts."""
    penalties: tuple[float, ...] = (0.1, 1.0, 10.0, 100.0)
    """C, to choose from."""
    widths: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0)
    """γ, to choose from, times 1/(number of features)."""
    seed: int = 0
    """Of the draw of what is held out; nothing else is left to chance."""

    def __post_init__(self) -> None:
        check_choice("acceleration", self.acceleration, ACCELERATIONS)
        check_choice("validation_by", self.validation_by, VALIDATION_UNITS)
        if not 0.0 <= self.validation_share < 1.0:
            raise TrainingError(f"expected validation_share in [0, 1), got {self.validation_share!r}")
        if self.folds < 2:
            raise TrainingError(f"expected at least 2 folds, got {self.folds}")
        for name in ("penalties", "widths"):
            values = getattr(self, name)
            if not values or min(values) <= 0:
                raise TrainingError(f"expected {name} above 0, at least one, got {values!r}")

    def to_json(self) -> dict[str, Any]:
        """As plain values for `json.dumps`."""
        values = asdict(self)
        values["penalties"], values["widths"] = list(self.penalties), list(self.widths)
        return values

    @staticmethod
    def from_json(values: dict[str, Any]) -> "SvmSettings":
        """The reverse of `to_json`; what is left out has its default.

        Raises:
            TrainingError: A name is unknown or a value makes no sense.
        """
        names = [item.name for item in fields(SvmSettings)]
        for name in values:
            if name not in names:
                raise TrainingError(f"expected settings out of {', '.join(names)}, got {name!r}")
        grids: dict[str, Any] = {name: tuple(values[name]) for name in ("penalties", "widths") if name in values}
        return SvmSettings(**(values | grids))


@dataclass(frozen=True)
class Svm:
    """A chosen and fitted machine."""

    pipeline: Pipeline
    """Standardisation and SVC, fitted; takes features (N, F)."""
    settings: SvmSettings
    penalty: float
    """The chosen C."""
    width: float
    """The chosen γ times the number of features."""
    cross_validation: dict[str, float]
    """Mean macro-F1 over the folds of each choice, by a name such as `C 10, width 1`."""
    features: tuple[str, ...]
    """Names of the features, in order."""
    validation: Metrics | None
    """On what was held out of the training windows; None if nothing was."""
    test: Metrics
    """On the test subjects."""
    sha256: str
    """Of the fitted machine's support vectors and coefficients: equal for equal machines."""
    seconds: float
    """Wall time of features, choice and fit."""

    def predict(self, windows: WindowSet) -> npt.NDArray[np.int64]:
        """(N,) the classes it names."""
        return np.asarray(self.pipeline.predict(_features(windows, self.settings)), dtype=np.int64)

    def choice(self) -> dict[str, Any]:
        """What was chosen and between what, as plain values for `json.dumps`."""
        return {
            "C": self.penalty,
            "gamma": self.width / len(self.features),
            "features": len(self.features),
            "support_vectors": int(self.pipeline[-1].n_support_.sum()),
            "cross_validation": {name: round(score, 4) for name, score in self.cross_validation.items()},
        }


def train_svm(dataset: Dataset, settings: SvmSettings, progress: Progress = silent) -> Svm:
    """Choose C and γ by cross-validation over training subjects, fit on all that is learnt from, and measure once.

    Args:
        dataset: Windows in physical units.
        settings: How.
        progress: Told about fits.

    Raises:
        TrainingError: There are fewer subjects than folds.
        DatasetError: Holding out `validation_share` leaves one part empty.
    """
    start = time.monotonic()
    learnt_from, held_out = _split(dataset.train, settings)
    subjects = len(np.unique(learnt_from.subjects))
    if subjects < settings.folds:
        raise TrainingError(
            f"expected at least {settings.folds} subjects for as many folds, got {subjects}; ask for fewer folds"
        )
    features = window_features(*_signals(learnt_from, settings))
    scores = _cross_validate(features.values, learnt_from, settings, progress)
    penalty, width = max(scores, key=lambda choice: scores[choice])
    pipeline = _machine(penalty, width, len(features.names)).fit(features.values, learnt_from.labels)

    def measure(windows: WindowSet) -> Metrics:
        return classification_metrics(windows.labels, pipeline.predict(_features(windows, settings)))

    return Svm(
        pipeline=pipeline,
        settings=settings,
        penalty=penalty,
        width=width,
        cross_validation={f"C {c:g}, width {w:g}": score for (c, w), score in scores.items()},
        features=features.names,
        validation=measure(held_out) if held_out else None,
        test=measure(dataset.test),
        sha256=_sha256(pipeline[-1]),
        seconds=round(time.monotonic() - start, 1),
    )


def _split(windows: WindowSet, settings: SvmSettings) -> tuple[WindowSet, WindowSet | None]:
    if not settings.validation_share:
        return windows, None
    split = split_by_subject if settings.validation_by == "subject" else split_by_window
    return split(windows, settings.validation_share, settings.seed)


def _signals(
    windows: WindowSet, settings: SvmSettings
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
    inputs = network_inputs(windows, settings.acceleration)
    return inputs, (windows.body_acc if settings.acceleration == "total_acc" else None)


def _features(windows: WindowSet, settings: SvmSettings) -> FloatArray:
    return window_features(*_signals(windows, settings)).values


def _cross_validate(
    features: FloatArray, windows: WindowSet, settings: SvmSettings, progress: Progress
) -> dict[tuple[float, float], float]:
    """Mean macro-F1 over the folds of each C and width; the earlier, smoother one comes first and wins a tie."""
    choices = [(penalty, width) for penalty in settings.penalties for width in settings.widths]
    parts = list(GroupKFold(settings.folds).split(features, windows.labels, windows.subjects))
    scores: dict[tuple[float, float], list[float]] = {choice: [] for choice in choices}
    for number, (choice, (seen, unseen)) in enumerate([(c, p) for c in choices for p in parts]):
        machine = _machine(*choice, features.shape[1]).fit(features[seen], windows.labels[seen])
        score = f1_score(windows.labels[unseen], machine.predict(features[unseen]), average="macro", zero_division=0.0)
        scores[choice].append(float(score))
        progress(number + 1, len(choices) * len(parts), f"C {choice[0]:g}, width {choice[1]:g}: macro-F1 {score:.4f}")
    return {choice: float(np.mean(values)) for choice, values in scores.items()}


def _machine(penalty: float, width: float, features: int) -> Pipeline:
    return make_pipeline(StandardScaler(), SVC(C=penalty, gamma=width / features, kernel="rbf", cache_size=_CACHE_MB))


def _sha256(machine: SVC) -> str:
    digest = hashlib.sha256()
    for array in (machine.support_vectors_, machine.dual_coef_, machine.intercept_):
        digest.update(np.ascontiguousarray(array).astype("<f8").tobytes())
    return digest.hexdigest()
