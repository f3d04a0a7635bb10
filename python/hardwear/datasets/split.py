"""Splits windows into parts that share no person, or, on request, into parts that do."""

from collections.abc import Sequence

import numpy as np

from hardwear.datasets.dataset import WindowSet, refuse_shared_subjects
from hardwear.errors import DatasetError


def split_by_subject(
    windows: WindowSet, validation_subjects: Sequence[int] | float, seed: int = 0
) -> tuple[WindowSet, WindowSet]:
    """Set some subjects' windows aside, to choose a model on people it was not trained on.

    Args:
        windows: Usually the training windows.
        validation_subjects: Who is set aside; or which share of the subjects, between 0 and 1, drawn by `seed` and
            rounded to at least one and at most all but one.
        seed: Of that draw; not used with named subjects.

    Returns:
        Training and validation windows, each in the order they came in.

    Raises:
        DatasetError: A named subject is not there or named twice, or one part would be empty.
    """
    present = [int(s) for s in np.unique(windows.subjects)]
    if isinstance(validation_subjects, float):
        chosen = _draw(present, validation_subjects, seed)
    else:
        chosen = [int(s) for s in validation_subjects]
    if not chosen or len(set(chosen)) != len(chosen) or not set(chosen) < set(present):
        raise DatasetError(
            f"expected some but not all of subjects {', '.join(map(str, present))} for validation, each once, got "
            f"{', '.join(map(str, chosen)) or 'none'}; choose among those"
        )
    aside = np.isin(windows.subjects, chosen)
    training, validation = windows.select(~aside), windows.select(aside)
    refuse_shared_subjects(training.subjects, validation.subjects, "training", "validation")
    return training, validation


def split_by_window(windows: WindowSet, share: float, seed: int = 0) -> tuple[WindowSet, WindowSet]:
    """Set windows aside at random, people and all: what is learnt from then overlaps with what is set aside.

    A score on windows split so says little about new people, and with 50 % overlap little about new windows. It is
    here to repeat experiments that were made this way.

    Args:
        windows: Usually the training windows.
        share: Between 0 and 1; rounded to windows.
        seed: Of the draw.

    Returns:
        Training and validation windows, each in the order they came in.

    Raises:
        DatasetError: One part would be empty.
    """
    count = round(share * len(windows))
    if not 0 < count < len(windows):
        raise DatasetError(
            f"expected a share that leaves windows on both sides, got {share} of {len(windows)}; "
            "choose one between 0 and 1"
        )
    aside = np.zeros(len(windows), dtype=np.bool_)
    aside[np.random.default_rng(seed).choice(len(windows), count, replace=False)] = True
    return windows.select(~aside), windows.select(aside)


def _draw(subjects: list[int], share: float, seed: int) -> list[int]:
    if not 0 < share < 1:
        raise DatasetError(f"expected a share of subjects between 0 and 1 for validation, got {share}")
    count = min(max(round(share * len(subjects)), 1), max(len(subjects) - 1, 1))
    return sorted(int(s) for s in np.random.default_rng(seed).choice(subjects, count, replace=False))
