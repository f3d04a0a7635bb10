"""A run folder: settings.json, metrics.json, curves.csv and checkpoint.pt of one training run."""

import csv
import hashlib
import json
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hardwear import __version__, networks
from hardwear.contract import GYRO
from hardwear.datasets import WindowSet
from hardwear.errors import TrainingError
from hardwear.metrics import Metrics
from hardwear.networks import Network, inference_form
from hardwear.training.normalization import Normalization
from hardwear.training.settings import TrainingSettings

SETTINGS, METRICS, CURVES, CHECKPOINT = "settings.json", "metrics.json", "curves.csv", "checkpoint.pt"
_PREDICTION_BATCH = 512


@dataclass(frozen=True)
class DataIdentity:
    """Which data a run learnt from."""

    name: str
    sha256: str
    recordings_sha256: str | None = None
    """Of the recordings that windows were cut anew from; None if they were not."""


@dataclass(frozen=True)
class Scores:
    """How well the network of one epoch does."""

    epoch: int
    """Counted from 1."""
    validation: Metrics | None
    """On the training windows that were held out; None if there are none."""
    test: Metrics | None
    """On the test subjects; None if the settings said not to read them."""

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Scores":
        """The reverse of `dataclasses.asdict`."""
        read = {name: values[name] and Metrics.from_json(values[name]) for name in ("validation", "test")}
        return Scores(**{**values, **read})


@dataclass(frozen=True)
class RunResults:
    """What a finished run reached."""

    last: Scores
    best: Scores | None
    """Of the epoch of highest validation macro-F1; None if nothing was held out."""
    kept: str
    """`last` or `best`: which one's network the run keeps."""
    weights_sha256: str
    """Over every tensor of the kept network's state, see `weights_sha256`: equal for equal runs."""
    seconds: float
    """Wall time of training, resumed parts included."""

    @property
    def of_kept(self) -> Scores:
        """Of the network that the run keeps."""
        return self.best if self.kept == "best" and self.best else self.last

    @property
    def epoch(self) -> int:
        """The epoch whose network was kept."""
        return self.of_kept.epoch

    @property
    def validation(self) -> Metrics | None:
        """The kept network on what was held out."""
        return self.of_kept.validation

    @property
    def test(self) -> Metrics | None:
        """The kept network on the test subjects."""
        return self.of_kept.test

    def to_json(self) -> dict[str, Any]:
        """As plain values for `json.dumps`."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> "RunResults":
        """The reverse of `to_json`."""
        best = values["best"] and Scores.from_json(values["best"])
        return RunResults(**{**values, "last": Scores.from_json(values["last"]), "best": best})


@dataclass(frozen=True)
class Run:
    """A finished training run."""

    network: Network
    """Ready to use and to export: in eval mode, on the CPU, batch norm folded into the convolutions."""
    normalization: Normalization
    settings: TrainingSettings
    results: RunResults
    data: DataIdentity
    folder: Path

    @property
    def metrics(self) -> Metrics:
        """On the test subjects or, if the settings said not to read them, on the validation subjects."""
        metrics = self.results.test or self.results.validation
        if metrics is None:
            raise TrainingError(f"expected test or validation figures in {self.folder / METRICS}, got neither")
        return metrics

    @property
    def measured_on(self) -> str:
        """Whom `metrics` are of, to say beside them."""
        return "the test subjects" if self.results.test else "what was held out"

    def logits(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Float logits (N, 6) of windows (N, 128, 6) in physical units (g, rad/s), not normalised.

        Those of a run on `body_acc` have that in place of the acceleration: see `network_inputs`.
        """
        return self._outputs(windows)[0].numpy()

    def embeddings(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Float embeddings (N, E) of windows as `logits` takes them."""
        return self._outputs(windows)[1].numpy()

    def _outputs(self, windows: npt.NDArray[np.float32]) -> tuple[torch.Tensor, torch.Tensor]:
        return outputs_of(self.network, torch.from_numpy(self.normalization.apply(windows)))


def network_inputs(windows: WindowSet, acceleration: str) -> npt.NDArray[np.float32]:
    """What a network sees of labelled windows: (N, 128, 6) float32, with `total_acc` or `body_acc` in front."""
    if acceleration == "total_acc":
        return windows.windows
    return np.concatenate([windows.body_acc, windows.windows[:, :, GYRO]], axis=2)


@torch.no_grad()
def outputs_of(network: Network, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and embeddings of normalised windows (N, 128, 6) in eval mode, batch by batch; the mode is kept."""
    was_training = network.training
    network.eval()
    starts = range(0, len(inputs), _PREDICTION_BATCH)
    logits, embeddings = zip(*(network(inputs[start : start + _PREDICTION_BATCH]) for start in starts), strict=True)
    network.train(was_training)
    return torch.cat(logits), torch.cat(embeddings)


def weights_sha256(state: dict[str, torch.Tensor]) -> str:
    """SHA-256 over name, shape and little-endian bytes of every tensor, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(state):
        array = state[name].detach().cpu().numpy()
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def open_folder(folder: Path, settings: TrainingSettings, data: DataIdentity) -> dict[str, Any] | None:
    """Make a folder this run's own, or find that it is already.

    Returns:
        The checkpoint to go on from; None for a run that starts afresh.

    Raises:
        TrainingError: The folder holds a run of other settings or data, or something else.
    """
    foreign = folder.is_dir() and any(folder.iterdir()) and not (folder / SETTINGS).exists()
    if foreign or (folder.exists() and not folder.is_dir()):
        raise TrainingError(f"expected {folder} to be absent, empty or a run folder; name another folder")
    description = {
        "settings": settings.to_json(),
        "data": asdict(data),
        "versions": {"hardwear": __version__, "torch": str(torch.__version__)},
    }
    if (folder / SETTINGS).exists():
        found = read_json(folder / SETTINGS)
        if "settings" in found:  # what is missing there is younger than the run, which had its default
            try:
                found["settings"] = TrainingSettings.from_json(found["settings"]).to_json()
            except (TrainingError, TypeError) as error:
                raise TrainingError(
                    f"expected {folder} to hold the same run, to go on with it, but its {SETTINGS} can't be read: "
                    f"{error}; name another folder, or delete this one"
                ) from error
        _refuse_difference(folder, found, description)
        return read_checkpoint(folder) if (folder / CHECKPOINT).exists() else None
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / SETTINGS, description)
    return None


def _refuse_difference(folder: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    differences = [
        f"{name} is {found.get(part, {}).get(name)!r} there and {value!r} here"
        for part, values in wanted.items()
        for name, value in values.items()
        if found.get(part, {}).get(name) != value
    ]
    if differences:
        raise TrainingError(
            f"expected {folder} to hold the same run, to go on with it, but {'; '.join(differences)}; "
            "name another folder, or delete this one"
        )


def load_run(folder: Path) -> Run:
    """Read a finished run.

    Raises:
        TrainingError: The folder is no run folder, is damaged, or the run was interrupted.
    """
    folder = Path(folder)
    missing = [name for name in (SETTINGS, CHECKPOINT) if not (folder / name).is_file()]
    if missing:
        raise TrainingError(f"expected a run folder, got {folder} without {' and '.join(missing)}; train first")
    description = read_json(folder / SETTINGS)
    checkpoint = read_checkpoint(folder)
    try:
        settings = TrainingSettings.from_json(description["settings"])
        data = DataIdentity(**description["data"])
        if not checkpoint["finished"]:
            raise TrainingError(
                f"expected a finished run, got {folder} interrupted after epoch {checkpoint['epoch']} of "
                f"{settings.epochs}; train again with the same settings and folder to go on"
            )
        results = RunResults.from_json(read_json(folder / METRICS))
        with torch.random.fork_rng():  # fresh weights, soon overwritten, must not cost the caller random numbers
            network = networks.build(settings.network, dropout=settings.dropout)
        network.load_state_dict(checkpoint["network"])
        normalization = Normalization.from_json(checkpoint["normalization"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise TrainingError(f"expected a whole run in {folder}, got a damaged one: {error!r}; train again") from error
    if weights_sha256(checkpoint["network"]) != results.weights_sha256:
        raise TrainingError(
            f"expected the weights that {METRICS} names in {folder / CHECKPOINT}, got others; train again"
        )
    return Run(inference_form(network), normalization, settings, results, data, folder)


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """The checkpoint of a run folder, tensors on the CPU.

    Raises:
        TrainingError: The file can't be read.
    """
    path = folder / CHECKPOINT
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f"expected a checkpoint in {path}, got: {error}; delete the folder") from error
    return checkpoint


def write_checkpoint(folder: Path, checkpoint: dict[str, Any]) -> None:
    """Write the checkpoint so that an interruption leaves either the old one or the new one."""
    temporary = folder / (CHECKPOINT + ".part")
    # Saving to a stream, not to a path, keeps the file's name out of its bytes.
    with temporary.open("wb") as stream:
        torch.save(checkpoint, stream)
    temporary.replace(folder / CHECKPOINT)


def write_curves(folder: Path, curves: list[dict[str, float]]) -> None:
    """One row per epoch."""
    with (folder / CURVES).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(curves[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(curves)


def read_json(path: Path) -> dict[str, Any]:
    """An object from a JSON file.

    Raises:
        TrainingError: It can't be read.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"expected JSON in {path}, got: {error}; train again") from error
    if not isinstance(value, dict):
        raise TrainingError(f"expected a JSON object in {path}, got {type(value).__name__}; train again")
    return value


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Sorted and indented, so that two runs can be compared with diff."""
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
