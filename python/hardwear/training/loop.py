"""The training loop, in the order in which things happen."""

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hardwear import networks
from hardwear.augmentation import augment
from hardwear.contract import CLASSES
from hardwear.datasets import Dataset, WindowSet, split_by_subject, split_by_window
from hardwear.errors import TrainingError
from hardwear.losses import CenterLoss
from hardwear.metrics import Metrics, classification_metrics
from hardwear.networks import Network
from hardwear.progress import Progress, silent
from hardwear.training import run as runs
from hardwear.training.distillation import Teachers, taught, teacher_folder, teacher_settings
from hardwear.training.normalization import Normalization
from hardwear.training.run import DataIdentity, Run, RunResults, Scores, load_run, network_inputs, outputs_of
from hardwear.training.settings import TrainingSettings
from hardwear.training.tensorboard import curve_logger

_LAYING = CLASSES.index("LAYING")
_WARM_UP = 0.05
_CALIBRATION_BATCH = 512
_BATCH_FIGURES = ("train_loss", "cross_entropy", "center_loss", "train_accuracy")


def train(
    dataset: Dataset,
    settings: TrainingSettings,
    out: Path,
    progress: Progress = silent,
    tensorboard: bool = False,
    teachers_in: Path | None = None,
) -> Run:
    """Train a network and leave its run folder.

    The same settings, data, torch and machine give the same weights, bit for bit; a run that was interrupted
    goes on from its last whole epoch when called again, to the weights it would have had. A finished one is
    returned as it is.

    Args:
        dataset: Windows in physical units (g, rad/s). Normalisation is measured on those learnt from.
        settings: How.
        out: The run folder: absent, empty, or of the same run.
        progress: Called after each epoch.
        tensorboard: Whether to write the curves for TensorBoard too, into the run folder's `tensorboard`.
        teachers_in: Folder of the teachers' run folders, for students that share them; those that are not there yet
            are trained. None: `teachers` in the run folder.

    Raises:
        TrainingError: The device, a validation subject, surroundings or TensorBoard is absent, the folder holds another
            run, or the loss is not finite; in the last case the last good epoch's checkpoint is kept.
    """
    out = Path(out)
    _require_device(settings.device)
    _require_surroundings(dataset, settings)
    learnt_from, held_out = _split(dataset.train, settings)
    recordings = dataset.recordings_sha256 if settings.augmentation.shift_samples else None
    checkpoint = runs.open_folder(out, settings, DataIdentity(dataset.name, dataset.sha256, recordings))
    if checkpoint is not None and checkpoint["finished"]:
        return load_run(out)

    teachers = train_teachers(dataset, settings, teachers_in or out / "teachers", progress)
    with _repeatable(settings), curve_logger(out, tensorboard) as log:
        trainer = _Trainer(learnt_from, held_out, settings, Teachers(teachers, torch.device(settings.device)))
        if checkpoint is not None:
            trainer.restore(checkpoint)
        while trainer.epoch < settings.epochs:
            row = trainer.train_epoch()
            runs.write_checkpoint(out, trainer.checkpoint())
            runs.write_curves(out, trainer.curves)
            log(row)
            progress(trainer.epoch, settings.epochs, _describe(row))
        _finish(trainer, dataset, out)
    return load_run(out)


def train_teachers(
    dataset: Dataset, settings: TrainingSettings, folder: Path, progress: Progress = silent
) -> list[Run]:
    """Train the teachers that a student's settings ask for, or take them from `folder`; arguments as `train`."""
    runs = []
    for number, teacher in enumerate(teacher_settings(settings), start=1):

        def tell(done: int, total: int, detail: str = "", which: str = f"teacher {number}") -> None:
            progress(done, total, f"{which} of {settings.teachers}: {detail}")

        runs.append(train(dataset, teacher, teacher_folder(folder, teacher), tell))
    return runs


def _split(windows: WindowSet, settings: TrainingSettings) -> tuple[WindowSet, WindowSet | None]:
    """What is learnt from, and what is held out to choose by."""
    if not settings.validates:
        return windows, None
    if settings.validation_subjects:
        return split_by_subject(windows, settings.validation_subjects)
    if settings.validation_by == "subject":
        return split_by_subject(windows, settings.validation_share, settings.seed)
    return split_by_window(windows, settings.validation_share, settings.seed)


def _finish(trainer: "_Trainer", dataset: Dataset, out: Path) -> None:
    """Measure the last and the best network, on the test subjects too, and close the run with the one to keep."""
    settings = trainer.settings
    test = trainer.windows_of(dataset.test) if settings.read_test else None
    scores, states = {}, {}
    for name in ("last", "best") if settings.validates else ("last",):
        network = trainer.network_of(name)
        scores[name] = Scores(
            epoch=trainer.best.epoch if name == "best" else trainer.epoch,
            validation=trainer.held_out.measure(network) if trainer.held_out else None,
            test=test.measure(network) if test else None,
        )
        states[name] = {key: tensor.cpu().clone() for key, tensor in network.state_dict().items()}
    results = RunResults(
        last=scores["last"],
        best=scores.get("best"),
        kept=settings.keep,
        weights_sha256=runs.weights_sha256(states[settings.keep]),
        seconds=round(trainer.seconds, 1),
    )
    runs.write_json(out / runs.METRICS, results.to_json())
    runs.write_checkpoint(
        out,
        {
            "finished": True,
            "network": states[settings.keep],
            "centers": trainer.center_loss.centers.cpu(),
            "normalization": trainer.normalization.to_json(),
        },
    )


class _Windows:
    """Normalised windows and their labels on the device, to measure a network on."""

    def __init__(
        self,
        windows: npt.NDArray[np.float32],
        labels: npt.NDArray[np.int64],
        normalization: Normalization,
        device: torch.device,
    ) -> None:
        self.inputs = normalization.apply_to_tensor(torch.tensor(windows, device=device))
        self.labels = labels

    def measure(self, network: Network) -> Metrics:
        classes = outputs_of(network, self.inputs)[0].argmax(dim=1).cpu().numpy()
        return classification_metrics(self.labels, classes)


@dataclass
class _Best:
    """The epoch of highest validation macro-F1 so far; the earlier one on a tie."""

    epoch: int = 0
    macro_f1: float = -1.0
    network: dict[str, Tensor] = field(default_factory=dict)


class _Trainer:
    """All that changes while training: weights, optimiser, centres, curves."""

    def __init__(
        self, learnt_from: WindowSet, held_out: WindowSet | None, settings: TrainingSettings, teachers: Teachers
    ) -> None:
        self.settings = settings
        self.teachers = teachers
        self.device = torch.device(settings.device)
        inputs = network_inputs(learnt_from, settings.acceleration)
        self.normalization = Normalization.of(inputs)
        self.windows = torch.tensor(inputs, device=self.device)
        self.cut_from, self.room = self.windows, None
        if learnt_from.surroundings and settings.augmentation.shift_samples:
            self.cut_from = torch.tensor(learnt_from.surroundings.samples, device=self.device)
            self.room = torch.tensor(learnt_from.surroundings.room, device=self.device)
        self.labels = torch.tensor(learnt_from.labels, device=self.device)
        self.held_out = self.windows_of(held_out) if held_out else None

        torch.manual_seed(settings.seed)
        self.network = networks.build(settings.network, dropout=settings.dropout).to(self.device)
        self.cross_entropy = nn.CrossEntropyLoss(label_smoothing=settings.label_smoothing)
        self.center_loss = CenterLoss(self.network.classes, self.network.embedding_size, settings.center_rate).to(
            self.device
        )
        self.optimizer = _optimizer(self.network, settings)
        self.batches_per_epoch = math.ceil(len(self.labels) / settings.batch_size)
        self.epoch = 0
        self.seconds = 0.0
        self.curves: list[dict[str, float]] = []
        self.best = _Best()

    def windows_of(self, windows: WindowSet) -> _Windows:
        """Windows to measure on, as this run's network sees them."""
        inputs = network_inputs(windows, self.settings.acceleration)
        return _Windows(inputs, windows.labels, self.normalization, self.device)

    def train_epoch(self) -> dict[str, float]:
        """One pass over the training windows, then a look at the validation windows; gives the epoch's curves.

        All chance of an epoch comes from generators seeded by the run's seed and the epoch's number, so
        that a resumed run draws what an uninterrupted one would have drawn.
        """
        start = time.monotonic()
        generator = torch.Generator(self.device).manual_seed(self._epoch_seed(0))
        torch.manual_seed(self._epoch_seed(1))  # dropout draws from the global generator
        order = torch.randperm(len(self.labels), generator=generator, device=self.device)

        self.network.train()
        sums = np.zeros(len(_BATCH_FIGURES))
        for batch in range(self.batches_per_epoch):
            rows = order[batch * self.settings.batch_size : (batch + 1) * self.settings.batch_size]
            last = batch == self.batches_per_epoch - 1
            try:
                sums += len(rows) * np.array(self._train_batch(rows, batch, generator))
                if last:
                    self._require_finite_weights()
            except TrainingError as error:
                raise TrainingError(
                    f"epoch {self.epoch + 1}, batch {batch + 1} of {self.batches_per_epoch}: {error}; "
                    f"the checkpoint of epoch {self.epoch} is kept"
                ) from error
        means = dict(zip(_BATCH_FIGURES, (sums / len(order)).tolist(), strict=True))

        self.epoch += 1
        row: dict[str, float] = {
            "epoch": self.epoch,
            "learning_rate": self._learning_rate(self.epoch * self.batches_per_epoch - 1),
            **means,
        }
        if self.held_out is not None:
            self.calibrate_batch_norm()
            validation = self.held_out.measure(self.network)
            row |= {"validation_macro_f1": validation.macro_f1, "validation_accuracy": validation.accuracy}
            if validation.macro_f1 > self.best.macro_f1:
                state = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
                self.best = _Best(self.epoch, validation.macro_f1, state)
        self.curves.append(row)
        self.seconds += time.monotonic() - start
        return row

    def _train_batch(self, rows: Tensor, batch: int, generator: torch.Generator) -> tuple[float, ...]:
        """One step; gives the batch's `_BATCH_FIGURES`, the center loss unweighted."""
        labels = self.labels[rows]
        room = None if self.room is None else self.room[rows]
        windows = augment(self.cut_from[rows], self.settings.augmentation, generator, room, labels == _LAYING)
        logits, embedding = self.network(self.normalization.apply_to_tensor(windows))

        center_loss = self.center_loss(embedding, labels)
        cross_entropy = self.cross_entropy(logits, labels)
        if self.teachers:
            weight = self.settings.teacher_weight
            cross_entropy = taught(cross_entropy, logits, self.teachers.probabilities(windows), weight)
        loss = cross_entropy + self.settings.center_weight * center_loss
        if not math.isfinite(loss.item()):
            raise TrainingError(f"expected a finite loss, got {loss.item()}; lower the learning rate")

        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(self.epoch * self.batches_per_epoch + batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.center_loss.update(embedding.detach(), labels)

        accuracy = (logits.argmax(dim=1) == labels).float().mean().item()
        return loss.item(), cross_entropy.item(), center_loss.item(), accuracy

    def _require_finite_weights(self) -> None:
        """The last step of an epoch may break the weights with no later loss to tell, before they are saved."""
        for name, parameter in self.network.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                raise TrainingError(f"expected finite weights, got NaN or infinity in {name}; lower the learning rate")

    def _learning_rate(self, step: int) -> float:
        if self.settings.schedule == "constant":
            return self.settings.learning_rate
        steps = self.settings.epochs * self.batches_per_epoch
        warm_up = max(1.0, _WARM_UP * steps)
        if step < warm_up:
            return self.settings.learning_rate * (step + 1) / (warm_up + 1)
        fraction = (step - warm_up) / (steps - warm_up)
        return self.settings.learning_rate * 0.5 * (1.0 + math.cos(math.pi * fraction))

    def _epoch_seed(self, stream: int) -> int:
        words = np.random.SeedSequence((self.settings.seed, self.epoch, stream)).generate_state(1, np.uint64)
        return int(words[0]) >> 1

    @torch.no_grad()
    def calibrate_batch_norm(self) -> None:
        """Measure batch norm's means and variances on all training windows, unaugmented, weights as they are.

        The running averages that training leaves hang on the last few dozen augmented batches: at a learning rate of
        practically 0 they alone moved validation macro-F1 by a point from epoch to epoch.
        """
        norms = [m for m in self.network.modules() if isinstance(m, nn.BatchNorm2d)]
        if not norms:
            return
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # torch's way to ask for the plain mean over the batches
        self.network.train()
        batches = math.ceil(len(self.labels) / _CALIBRATION_BATCH)
        for first in range(batches):  # each batch strides through all people and activities
            self.network(self.normalization.apply_to_tensor(self.windows[first::batches]))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum

    def network_of(self, name: str) -> Network:
        """The `last` network, its batch norm measured, or the `best` one; the trainer is then at its end."""
        if name == "best":
            self.network.load_state_dict(self.best.network)
        else:
            self.calibrate_batch_norm()
        return self.network

    def checkpoint(self) -> dict[str, Any]:
        """All that `restore` needs to go on after this epoch."""
        return {
            "finished": False,
            "epoch": self.epoch,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "centers": self.center_loss.centers,
            "curves": self.curves,
            "best": {"epoch": self.best.epoch, "macro_f1": self.best.macro_f1, "network": self.best.network},
            "normalization": self.normalization.to_json(),
        }

    def restore(self, checkpoint: dict[str, Any]) -> None:
        """Go on after the checkpoint's epoch."""
        self.epoch = checkpoint["epoch"]
        self.seconds = checkpoint["seconds"]
        self.network.load_state_dict(checkpoint["network"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.center_loss.centers.copy_(checkpoint["centers"])
        self.curves = checkpoint["curves"]
        self.best = _Best(**checkpoint["best"])


def _optimizer(network: Network, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Adam's kinds in one pass over all weights at once, which is faster for large networks."""
    options: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    match settings.optimizer:
        case "adamw":
            return torch.optim.AdamW(network.parameters(), fused=True, **options)
        case "adam":
            return torch.optim.Adam(network.parameters(), fused=True, **options)
        case _:
            return torch.optim.RMSprop(network.parameters(), alpha=0.9, **options)


def _describe(row: dict[str, float]) -> str:
    text = f"loss {row['train_loss']:.3f}, accuracy {row['train_accuracy']:.3f}"
    if "validation_macro_f1" in row:
        text += f", validation macro-F1 {row['validation_macro_f1']:.4f}"
    return text


def _require_device(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("expected a CUDA device, got none that torch can use; set device to cpu")


def _require_surroundings(dataset: Dataset, settings: TrainingSettings) -> None:
    if settings.augmentation.shift_samples and dataset.train.surroundings is None:
        raise TrainingError(
            "expected windows with their surroundings for augmentation.shift_samples, got none; "
            "add them by hardwear.datasets.with_surroundings, or set shift_samples to 0"
        )


@contextmanager
def _repeatable(settings: TrainingSettings) -> Iterator[None]:
    """Deterministic kernels, a fixed number of threads and own random state; afterwards all is as it was."""
    deterministic, threads = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    if settings.device == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is not deterministic without
    torch.use_deterministic_algorithms(True)
    # Filling memory that is overwritten anyway would cost a sixth of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(settings.threads)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.use_deterministic_algorithms(deterministic)
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
        torch.set_num_threads(threads)
