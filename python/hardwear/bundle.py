"""The bundle: one folder with one model and all that is known about it, under one hash.

`model.tflite` (what the chip runs), `model.onnx` (where it came from) and `manifest.json`. The SHA-256 of the
manifest, which holds the other files' hashes, is the bundle's identity: it goes into the firmware and comes back in
its HELLO.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from hardwear import __version__
from hardwear.conditioning.design import FILTER_SPEC
from hardwear.conditioning.spec import FilterSpec
from hardwear.confidence import IntegerSoftmax, require_temperature
from hardwear.contract import from_counts, to_counts
from hardwear.errors import BundleError, ConversionError
from hardwear.manifest import (
    FORMAT,
    ChannelStatistics,
    ContractRecord,
    Manifest,
    NetworkRecord,
    Outputs,
    OutputScale,
    Scale,
)
from hardwear.progress import Progress, silent
from hardwear.quantization.quantizer import InputQuantizer
from hardwear.quantization.tflite_file import QuantizedTensor, TfliteSummary, summarize

if TYPE_CHECKING:
    from hardwear.datasets import Dataset
    from hardwear.quantization.convert import Calibration
    from hardwear.training import Run

TFLITE_FILE = "model.tflite"
ONNX_FILE = "model.onnx"
MANIFEST_FILE = "manifest.json"
_FILES = frozenset({TFLITE_FILE, ONNX_FILE, MANIFEST_FILE})
_PACKAGES = ("numpy", "onnx", "tensorflow-cpu", "tflite-micro", "torch")
_NEXT_STEP = "convert the run again with `hardwear convert`"


@dataclass(frozen=True)
class Bundle:
    """A bundle that was found whole: every hash, the format and the contract hold.

    Attributes:
        path: Its folder.
        manifest: What manifest.json says.
        identity: SHA-256 of manifest.json's bytes, 64 hex digits.
        tflite: Bytes of model.tflite.
    """

    path: Path
    manifest: Manifest
    identity: str
    tflite: bytes

    @property
    def quantizer(self) -> InputQuantizer:
        """Conditioned counts to the model's int8 input."""
        return self.manifest.quantizer

    @property
    def filter_spec(self) -> FilterSpec:
        """The conditioning filters, in integers."""
        return self.manifest.filter

    @property
    def softmax(self) -> IntegerSoftmax:
        """int8 logits to probabilities, in integers."""
        return self.manifest.softmax

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a bundle and verify it.

        Args:
            path: The bundle's folder.

        Returns:
            The bundle.

        Raises:
            BundleError: No such folder, a file is missing, damaged or does not belong, another format or contract, or
                the manifest contradicts the model; the message says which and what to do.
        """
        path = Path(path)
        _require_files(path)
        content = (path / MANIFEST_FILE).read_bytes()
        try:
            manifest = Manifest.from_bytes(content)
            tflite = _verified(path / TFLITE_FILE, manifest)
            _verified(path / ONNX_FILE, manifest)
            _require_agreement(manifest, summarize(tflite))
        except (BundleError, ConversionError) as error:
            raise BundleError(f"bundle {path}: {error}") from error
        return cls(path, manifest, hashlib.sha256(content).hexdigest(), tflite)

    @classmethod
    def create(
        cls, run: "Run", dataset: "Dataset", path: Path, progress: Progress = silent, temperature: float = 1.0
    ) -> Self:
        """Convert a trained run to int8, measure it, and write the bundle.

        The folder appears whole or not at all; a bundle that is already there is replaced.

        Args:
            run: The finished run.
            dataset: What the run was trained on: its training windows calibrate, its test windows are scored.
            path: The bundle's folder; must be absent, empty or a bundle.
            progress: Told about the steps.
            temperature: What the logits are divided by before the softmax, 0.01 to 100.

        Returns:
            The bundle, as `load` reads it.

        Raises:
            BundleError: `path` holds something else, or the run was trained on other data.
            ConversionError: The network can't be converted; names layer and op. Or the temperature is out of range.
        """
        path = Path(path)
        require_temperature(temperature)
        _require_replaceable(path)
        if run.data.sha256 != dataset.sha256:
            raise BundleError(
                f"expected the data that {run.folder} was trained on, {run.data.name} with SHA-256 "
                f"{run.data.sha256[:16]}…, got {dataset.name} with {dataset.sha256[:16]}…; "
                "name that data, or train on this"
            )
        if run.settings.acceleration != "total_acc":
            raise BundleError(
                f"expected a run on total_acc, which the board measures, got {run.folder} on "
                f"{run.settings.acceleration}; train one with acceleration total_acc"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as scratch:
            fresh = Path(scratch) / "fresh"
            fresh.mkdir()
            _write(run, dataset, fresh, progress, temperature)
            cls.load(fresh)
            if path.exists():
                path.rename(Path(scratch) / "replaced")
            fresh.rename(path)
        return cls.load(path)

    def check_known_answer(self) -> None:
        """Run the boot-time self-test of the firmware on this machine.

        Raises:
            BundleError: This machine's packages give another answer.
        """
        from hardwear import known_answer
        from hardwear.quantization.tflm import TflmModel

        known_answer.check(self.manifest, TflmModel(self.tflite))


@dataclass(frozen=True)
class Converted:
    """A run's network in int8."""

    tflite: bytes
    """The .tflite file."""
    normalization: ChannelStatistics
    """What makes the input of the ONNX file of windows in physical units."""
    quantizer: InputQuantizer
    """What makes the input of the .tflite file of counts."""


def convert_run(
    run: "Run", windows: npt.NDArray[np.float32], onnx: Path, calibration: "Calibration | None" = None
) -> Converted:
    """Convert a run's network to int8, without scoring it.

    Args:
        run: The finished run.
        windows: (N, 128, 6) float32 in the contract's units, to calibrate on: some that the run learnt from.
        onnx: Where to write the ONNX file that lies between.
        calibration: What the int8 input holds of each sensor, and how many windows are looked at; None: the defaults.

    Raises:
        ConversionError: The network can't be converted; names layer and op.
    """
    from hardwear.codegen import read_graph
    from hardwear.quantization.convert import Calibration, to_int8
    from hardwear.quantization.input_range import with_one_range
    from hardwear.quantization.onnx_export import export_onnx

    calibration = calibration or Calibration()
    network, normalization = with_one_range(run.network, run.normalization, calibration)
    export_onnx(network, onnx)
    as_on_chip = from_counts(to_counts(windows)).astype(np.float32)
    tflite = to_int8(onnx, normalization.apply(as_on_chip), calibration)
    read_graph(tflite)  # what no C can be generated from is refused now, not when the firmware is to be built
    statistics = ChannelStatistics(normalization.mean, normalization.std)
    return Converted(tflite, statistics, _quantizer(statistics, summarize(tflite).input))


def _write(run: "Run", dataset: "Dataset", folder: Path, progress: Progress, temperature: float) -> None:
    """Fill a folder with the three files, in the order in which they depend on each other."""
    # PyTorch, scikit-learn and the simulator take seconds to import, and reading a bundle needs none of them.
    from hardwear import known_answer
    from hardwear.evaluation import int8_classes
    from hardwear.metrics import classification_metrics
    from hardwear.quantization.tflm import TflmModel

    test = dataset.test
    steps = 2 + len(test)
    progress(0, steps, "torch to int8")
    converted = convert_run(run, dataset.train.windows, folder / ONNX_FILE)
    tflite, quantizer = converted.tflite, converted.quantizer
    (folder / TFLITE_FILE).write_bytes(tflite)
    model, summary = TflmModel(tflite), summarize(tflite)

    progress(1, steps, "scoring float")
    float_metrics = classification_metrics(test.labels, run.logits(test.windows).argmax(axis=1))
    int8_metrics = classification_metrics(
        test.labels,
        int8_classes(
            model, quantizer, test.windows, lambda done, _total, _detail="": progress(1 + done, steps, "scoring int8")
        ),
    )

    progress(steps - 1, steps, "known answer")
    logits, embedding = summary.outputs
    softmax = IntegerSoftmax(logits.scale, float(temperature))
    manifest = Manifest(
        format=FORMAT,
        name=f"{run.settings.network}-{dataset.name.lower()}",
        synthetic=dataset.synthetic,
        contract=ContractRecord.current(),
        filter=FILTER_SPEC,
        normalization=converted.normalization,
        quantizer=quantizer,
        input=Scale(summary.input.scale, summary.input.zero_point),
        outputs=Outputs(
            OutputScale(logits.scale, logits.zero_point, logits.shape[1]),
            OutputScale(embedding.scale, embedding.zero_point, embedding.shape[1]),
        ),
        temperature=softmax.temperature,
        network=NetworkRecord(
            name=run.settings.network,
            parameters=run.network.parameter_count,
            weight_bytes=summary.weight_bytes,
            bias_bytes=summary.bias_bytes,
            macs=summary.macs,
            activation_bytes=summary.activation_bytes,
        ),
        ops=summary.ops,
        arena_bytes=model.arena_bytes,
        known_answer=known_answer.answer(known_answer.simulated_counts(), FILTER_SPEC, quantizer, model, softmax),
        metrics={
            "dataset": dataset.name,
            "windows": len(test),
            "float": float_metrics.to_json(),
            "int8": int8_metrics.to_json(),
        },
        hashes={
            TFLITE_FILE: _sha256(tflite),
            ONNX_FILE: _sha256((folder / ONNX_FILE).read_bytes()),
            "data": dataset.sha256,
        },
        versions={"hardwear": __version__, **{name: metadata.version(name) for name in _PACKAGES}},
    )
    (folder / MANIFEST_FILE).write_bytes(manifest.to_bytes())
    progress(steps, steps, "bundle")


def _quantizer(normalization: ChannelStatistics, window: QuantizedTensor) -> InputQuantizer:
    return InputQuantizer.design(normalization.mean, normalization.std, window.scale, window.zero_point)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _require_files(path: Path) -> None:
    if not path.is_dir():
        raise BundleError(f"expected a bundle folder, but {path} does not exist; make one with `hardwear convert`")
    found = {entry.name for entry in path.iterdir()}
    missing, extra = sorted(_FILES - found), sorted(found - _FILES)
    if missing:
        raise BundleError(
            f"bundle {path}: expected {', '.join(sorted(_FILES))}, but {', '.join(missing)} is missing; {_NEXT_STEP}"
        )
    if extra:
        raise BundleError(
            f"bundle {path}: expected only {', '.join(sorted(_FILES))}, also found {', '.join(extra)}; "
            "move what does not belong elsewhere: only what the manifest vouches for may lie here"
        )


def _require_replaceable(path: Path) -> None:
    if path.exists() and not (path.is_dir() and (not any(path.iterdir()) or (path / MANIFEST_FILE).is_file())):
        raise BundleError(f"expected {path} to be absent, empty or a bundle to replace; name another folder")


def _verified(file: Path, manifest: Manifest) -> bytes:
    content = file.read_bytes()
    expected, came = manifest.hashes.get(file.name, "none"), _sha256(content)
    if expected != came:
        raise BundleError(
            f"{file.name}: expected SHA-256 {expected[:16]}… as the manifest says, got {came[:16]}… "
            f"({len(content)} bytes); it is damaged or of another run: restore it, or {_NEXT_STEP}"
        )
    return content


def _require_agreement(manifest: Manifest, summary: TfliteSummary) -> None:
    """The manifest repeats facts of the model for those who only read the manifest: hold it to them."""
    logits, embedding = summary.outputs
    facts = {
        "input": (manifest.input, Scale(summary.input.scale, summary.input.zero_point)),
        "outputs.logits": (
            manifest.outputs.logits,
            OutputScale(logits.scale, logits.zero_point, logits.shape[1]),
        ),
        "outputs.embedding": (
            manifest.outputs.embedding,
            OutputScale(embedding.scale, embedding.zero_point, embedding.shape[1]),
        ),
        "ops": (manifest.ops, summary.ops),
        "quantizer": (
            manifest.quantizer,
            _quantizer(manifest.normalization, summary.input),
        ),
    }
    for key, (stated, actual) in facts.items():
        if stated != actual:
            raise BundleError(f"manifest.{key}: expected {actual} as model.tflite has it, got {stated}; {_NEXT_STEP}")
    require_temperature(manifest.temperature)
