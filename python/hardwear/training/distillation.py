"""Learning from teachers: the mean probabilities of an ensemble, on the very windows that the student sees.

Several networks that differ in their seed alone disagree about the windows that are hard to tell. Their mean is better
than any of them, and one network can learn most of it (Hinton, Vinyals and Dean 2015; teachers and student see the same
augmented windows, as in Beyer et al., CVPR 2022).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from hardwear.training.run import Run
from hardwear.training.settings import TrainingSettings


def teacher_settings(settings: TrainingSettings) -> tuple[TrainingSettings, ...]:
    """Of the teachers that a student's settings ask for: the student's, but untaught and with seeds from 0 on."""
    network = settings.teacher_network or settings.network
    untaught = replace(settings, network=network, teachers=0, teacher_network="", keep="last")
    return tuple(replace(untaught, seed=seed) for seed in range(settings.teachers))


def teacher_folder(folder: Path, settings: TrainingSettings) -> Path:
    """Where in `folder` the run of a teacher lies."""
    return folder / f"{settings.network}-seed{settings.seed}"


class Teachers:
    """Finished runs as one ensemble.

    Args:
        runs: The teachers; none is none.
        device: Where the student trains.
    """

    def __init__(self, runs: Sequence[Run], device: torch.device) -> None:
        self._teachers = [(run.normalization, run.network.to(device).eval()) for run in runs]

    def __bool__(self) -> bool:
        return bool(self._teachers)

    @torch.no_grad()
    def probabilities(self, windows: Tensor) -> Tensor:
        """Mean over the teachers, (B, classes), of windows (B, 128, 6) in physical units, not normalised."""
        each = [network(normal.apply_to_tensor(windows))[0].softmax(dim=1) for normal, network in self._teachers]
        return torch.stack(each).mean(dim=0)


def taught(cross_entropy: Tensor, logits: Tensor, probabilities: Tensor, weight: float) -> Tensor:
    """(1 − w)·CE(labels) + w·CE(teachers' probabilities), as a mean over the batch."""
    return (1.0 - weight) * cross_entropy + weight * nn.functional.cross_entropy(logits, probabilities)
