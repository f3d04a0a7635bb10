"""The manifest: everything that firmware, replay and reports need to know about a model, in one JSON file.

`docs/bundle.md` tells each key with its unit. The bytes are canonical, sorted keys and one space of indentation, so
that one content has one hash: the identity of the bundle.
"""

import base64
import binascii
import json
import types
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, Self, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from hardwear import contract
from hardwear.conditioning.spec import FilterSpec
from hardwear.confidence import IntegerSoftmax
from hardwear.errors import BundleError
from hardwear.quantization.quantizer import InputQuantizer

FORMAT = 2
"""Version of the bundle's layout and of these keys; another one is refused."""

_NEXT_STEP = "convert the run again with `hardwear convert`"


@dataclass(frozen=True)
class ContractRecord:
    """The contract that the model was made under, repeated so that another one is noticed."""

    version: int
    sample_rate_hz: int
    window_samples: int
    hop_samples: int
    channels: tuple[contract.Channel, ...]
    classes: tuple[str, ...]

    @classmethod
    def current(cls) -> Self:
        """This package's contract."""
        return cls(
            version=contract.CONTRACT_VERSION,
            sample_rate_hz=contract.SAMPLE_RATE_HZ,
            window_samples=contract.WINDOW_SAMPLES,
            hop_samples=contract.HOP_SAMPLES,
            channels=contract.CHANNELS,
            classes=contract.CLASSES,
        )

    def require_current(self) -> None:
        """Raise a `BundleError` that names the first entry in which the contracts differ."""
        current = self.current()
        for entry in fields(self):
            ours, theirs = getattr(current, entry.name), getattr(self, entry.name)
            if ours != theirs:
                raise BundleError(
                    f"contract.{entry.name}: expected {ours} as in this version of Hardwear, got {theirs}; "
                    f"use the version that made the bundle, or {_NEXT_STEP}"
                )


@dataclass(frozen=True)
class ChannelStatistics:
    """What makes the ONNX file's input of a window in g and rad/s: less `mean`, divided by `std`, channel by channel.

    Mean and standard deviation of the training windows, but that the gyroscope's `std` is scaled so that both sensors
    saturate at the same normalised value in int8.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Scale:
    """Real value = scale * (int8 - zero point)."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class OutputScale:
    """Real value = scale * (int8 - zero point), of a vector of `size`."""

    scale: float
    zero_point: int
    size: int


@dataclass(frozen=True)
class Outputs:
    """The model's two outputs, in the .tflite file's order."""

    logits: OutputScale
    embedding: OutputScale


@dataclass(frozen=True)
class NetworkRecord:
    """What the network is and costs."""

    name: str
    parameters: int
    """Numbers in the network, batch norm folded."""
    weight_bytes: int
    """int8 weights in the .tflite file."""
    bias_bytes: int
    """int32 biases in the .tflite file."""
    macs: int
    """Multiply-accumulates per window."""
    activation_bytes: int
    """The most int8 activations that are alive at once."""


@dataclass(frozen=True)
class KnownAnswer:
    """A stretch of simulated raw motion and what the whole chip chain must make of its first window."""

    raw: str
    """Raw int16 counts (samples, 6), little-endian, sample-major, base64."""
    samples: int
    window_crc32: int
    """CRC-32 (zlib) of the conditioned window: int16, little-endian, sample-major."""
    class_name: str
    logits: tuple[int, ...]
    embedding: tuple[int, ...]
    probabilities: tuple[int, ...]
    """Of the classes, in 255ths."""

    def counts(self) -> npt.NDArray[np.int16]:
        """The raw counts, (samples, 6) int16.

        Raises:
            BundleError: The base64 text is damaged or of another length.
        """
        try:
            raw = base64.b64decode(self.raw, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BundleError(f"known_answer.raw: expected base64, but {error}; {_NEXT_STEP}") from error
        expected = self.samples * contract.CHANNEL_COUNT * 2
        if len(raw) != expected:
            raise BundleError(f"known_answer.raw: expected {expected} bytes, got {len(raw)}; {_NEXT_STEP}")
        return np.frombuffer(raw, dtype="<i2").astype(np.int16).reshape(self.samples, contract.CHANNEL_COUNT)


@dataclass(frozen=True)
class Manifest:
    """The content of manifest.json."""

    format: int
    name: str
    """`<network>-<data set>`, for people."""
    synthetic: bool
    """Trained on simulated motion: its figures say nothing about people."""
    contract: ContractRecord
    filter: FilterSpec
    normalization: ChannelStatistics
    quantizer: InputQuantizer
    input: Scale
    outputs: Outputs
    temperature: float
    """What the logits are divided by before the softmax."""
    network: NetworkRecord
    ops: tuple[str, ...]
    """TFLite ops in the order of execution."""
    arena_bytes: int
    """Arena that TFLite-Micro uses on the machine that made the bundle."""
    known_answer: KnownAnswer
    metrics: dict[str, Any]
    """`dataset`, `windows`, and the test metrics of the `float` and the `int8` model."""
    hashes: dict[str, str]
    """SHA-256 of `model.tflite`, `model.onnx` and of the `data` trained on."""
    versions: dict[str, str]
    """Packages that made the bundle."""

    @property
    def softmax(self) -> IntegerSoftmax:
        """int8 logits to probabilities.

        Raises:
            ConversionError: The temperature or the logits' scale is out of range.
        """
        return IntegerSoftmax(self.outputs.logits.scale, self.temperature)

    def to_bytes(self) -> bytes:
        """The canonical file content."""
        document = {
            entry.name: self.filter.to_json() if entry.name == "filter" else _plain(getattr(self, entry.name))
            for entry in fields(self)
        }
        return (json.dumps(document, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read manifest.json.

        Raises:
            BundleError: Not JSON, another format, a key missing, unknown or of another type, another contract, or not
                the very bytes that `to_bytes` writes.
        """
        try:
            document = json.loads(content)
        except ValueError as error:
            raise BundleError(f"manifest.json: expected JSON, but {error}; {_NEXT_STEP}") from error
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            came = document.get("format") if isinstance(document, dict) else type(document).__name__
            raise BundleError(
                f"manifest.json: expected bundle format {FORMAT}, got {came!r}; "
                f"use the version of Hardwear that made it, or {_NEXT_STEP}"
            )
        manifest: Self = _decode(cls, document, "manifest")
        manifest.contract.require_current()
        if manifest.to_bytes() != content:
            raise BundleError(
                "manifest.json: expected it byte for byte as it was written, but spacing, line endings or order "
                "changed, and with them the identity; restore the file (git: mark bundles `-text`), "
                f"or {_NEXT_STEP}"
            )
        return manifest


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _decode(kind: Any, value: Any, where: str) -> Any:
    """`value` from JSON as `kind`, with nothing left out, added or converted."""
    if kind is FilterSpec:
        return FilterSpec.from_json(value)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        names = [entry.name for entry in fields(kind)]
        if not isinstance(value, dict) or set(value) != set(names):
            raise _unexpected(where, f"an object with the keys {', '.join(sorted(names))}", value)
        return kind(**{name: _decode(hints[name], value[name], f"{where}.{name}") for name in names})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise _unexpected(where, "a list", value)
        return tuple(_decode(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise _unexpected(where, "an object", value)
        return {name: _decode(arguments[1], item, f"{where}.{name}") for name, item in value.items()}
    if kind is not Any and type(value) is not kind:
        raise _unexpected(where, f"{kind.__name__ if isinstance(kind, type | types.GenericAlias) else kind}", value)
    return value


def _unexpected(where: str, expected: str, value: Any) -> BundleError:
    came = f"the keys {', '.join(sorted(value))}" if isinstance(value, dict) else repr(value)
    return BundleError(f"{where}: expected {expected}, got {came[:200]}; {_NEXT_STEP}")
