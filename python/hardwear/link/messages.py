"""What requests and answers say: payloads to typed values and back (`docs/protocol.md`)."""

import struct
from dataclasses import dataclass
from enum import Enum, IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, CLASSES, CONTRACT_VERSION, WINDOW_SAMPLES
from hardwear.errors import LinkError

MAX_CHUNK_SAMPLES = 128


class MessageType(IntEnum):
    """The type byte of a frame. An answer has the request's type with the highest bit set."""

    HELLO = 0x01
    WINDOW = 0x02
    STREAM = 0x03
    STATS = 0x04
    RESET = 0x05
    LIVE = 0x06
    CONFIG = 0x07
    CALIBRATE = 0x08
    UNLOCK = 0x09
    PREDICTION = 0xFD
    LOG = 0xFE
    ERROR = 0xFF


ANSWER_BIT = 0x80


class ErrorCode(IntEnum):
    """Why the device did not do what it was asked."""

    BAD_FRAME = 1
    BAD_CRC = 2
    TOO_SHORT = 3
    TOO_LONG = 4
    BAD_VERSION = 5
    UNKNOWN_TYPE = 6
    BAD_LENGTH = 7
    BAD_VALUE = 8
    STREAM_GAP = 9
    REFUSED = 10
    ENGINE_FAILED = 11
    NO_SENSOR = 12


DAMAGED = frozenset({ErrorCode.BAD_FRAME, ErrorCode.BAD_CRC, ErrorCode.TOO_SHORT, ErrorCode.TOO_LONG})
"""The errors that say no more than that bytes were hurt on their way: sending them again helps."""


class Status(Enum):
    """Whether the device predicts: the value on the wire, and what it means."""

    READY = (0, "ready")
    ENGINE_FAILED = (1, "its engine could not start or run")
    CONDITIONING_DIFFERS = (2, "its known-answer test failed: the conditioned window is not Python's")
    MODEL_DIFFERS = (3, "its known-answer test failed: logits or embedding are not TFLite-Micro's")
    NOT_BOOTED = (4, "it has not run its known-answer test yet")
    CONFIDENCE_DIFFERS = (5, "its known-answer test failed: the probabilities are not Python's")

    @classmethod
    def from_wire(cls, value: int) -> "Status":
        """The status with this value on the wire.

        Raises:
            LinkError: No status has it.
        """
        for status in cls:
            if status.value[0] == value:
                return status
        raise LinkError(f"expected a status of 0 to {len(cls) - 1} in HELLO, got {value}; update Hardwear or firmware")


class StreamFlag(IntFlag):
    """What a STREAM chunk is within its recording."""

    RESTART = 1
    END = 2


TIME_UNITS = ("µs", "instructions")

COUNTERS = (
    "frames",
    "duplicates",
    "bad_cobs",
    "bad_crc",
    "too_short",
    "too_long",
    "bad_version",
    "unknown_type",
    "bad_length",
    "bad_value",
    "stream_gaps",
    "refused",
    "engine_failures",
    "windows",
    "stream_samples",
    "max_time",
    "receive_overruns",
    "stack_high_water",
)
"""Names of the counters that STATS answers, in the order of the wire."""

_HELLO = struct.Struct("<BB8sBBHHHHHBBI16s16s")
_PREDICTION = struct.Struct(f"<B{CLASS_COUNT}b{CLASS_COUNT}BI")
_STREAM_REQUEST = struct.Struct("<BIB")
_STREAM_ANSWER = struct.Struct("<IB")
_ERROR = struct.Struct("<BBI")
_UNLOCK = struct.Struct("<H")


@dataclass(frozen=True)
class Hello:
    """What a device says of itself.

    Attributes:
        contract_version: Version of the contract that it was built to.
        status: Whether it predicts.
        identity: First eight bytes of its bundle's identity, 16 hexadecimal digits.
        channel_count: Signals per sample.
        class_count: Logits per window.
        window_samples: Samples per window.
        hop_samples: Samples between the starts of two windows.
        embedding_size: Elements of the embedding.
        max_payload: Bytes of payload that it takes in one frame.
        receive_capacity: Bytes that a host may have sent ahead of its answers.
        time_unit: Unit of `Prediction.time`, `µs` or `instructions`.
        sample_rate_hz: Samples per second that its conditioning is made for.
        arena_bytes: Working memory of its engine.
        engine: Name of the engine.
        board: Name of the board.
    """

    contract_version: int
    status: Status
    identity: str
    channel_count: int
    class_count: int
    window_samples: int
    hop_samples: int
    embedding_size: int
    max_payload: int
    receive_capacity: int
    time_unit: str
    sample_rate_hz: int
    arena_bytes: int
    engine: str
    board: str

    @property
    def ready(self) -> bool:
        """Whether it predicts."""
        return self.status is Status.READY

    @property
    def status_text(self) -> str:
        """The status in words."""
        return str(self.status.value[1])

    def encode(self) -> bytes:
        """The payload of HELLO's answer."""
        return _HELLO.pack(
            self.contract_version,
            self.status.value[0],
            bytes.fromhex(self.identity),
            self.channel_count,
            self.class_count,
            self.window_samples,
            self.hop_samples,
            self.embedding_size,
            self.max_payload,
            self.receive_capacity,
            TIME_UNITS.index(self.time_unit),
            self.sample_rate_hz,
            self.arena_bytes,
            self.engine.encode("ascii"),
            self.board.encode("ascii"),
        )

    @classmethod
    def decode(cls, payload: bytes) -> "Hello":
        """Read the payload of HELLO's answer.

        Raises:
            LinkError: It is of another length or holds values that this version does not know.
        """
        _expect_length("HELLO", payload, _HELLO.size)
        fields = _HELLO.unpack(payload)
        time_unit = fields[10]
        if time_unit >= len(TIME_UNITS):
            raise LinkError(f"expected a time unit of 0 or 1 in HELLO, got {time_unit}; update Hardwear or firmware")
        return cls(
            contract_version=fields[0],
            status=Status.from_wire(fields[1]),
            identity=fields[2].hex(),
            channel_count=fields[3],
            class_count=fields[4],
            window_samples=fields[5],
            hop_samples=fields[6],
            embedding_size=fields[7],
            max_payload=fields[8],
            receive_capacity=fields[9],
            time_unit=TIME_UNITS[time_unit],
            sample_rate_hz=fields[11],
            arena_bytes=fields[12],
            engine=_text(fields[13]),
            board=_text(fields[14]),
        )

    def check_contract(self) -> None:
        """Refuse a device that was built to another contract than this Python package.

        Raises:
            LinkError: Version or sizes differ.
        """
        device = (self.contract_version, self.channel_count, self.class_count, self.window_samples)
        python = (CONTRACT_VERSION, CHANNEL_COUNT, CLASS_COUNT, WINDOW_SAMPLES)
        if device != python:
            raise LinkError(
                "expected a device with contract version, channels, classes and window samples "
                f"{python}, got {device}; build and flash the firmware of this version of Hardwear"
            )


@dataclass(frozen=True)
class Prediction:
    """What the device answers for one window.

    Attributes:
        label: Index of the class, 0 to 5.
        logits: Six int8 values as the model gave them.
        probabilities: Of the six classes, in 255ths.
        time: What the model took, in `Hello.time_unit`.
        embedding: int8 values as the model gave them.
    """

    label: int
    logits: tuple[int, ...]
    probabilities: tuple[int, ...]
    time: int
    embedding: tuple[int, ...]

    @property
    def activity(self) -> str:
        """Name of the class."""
        return CLASSES[self.label]

    @property
    def confidence(self) -> int:
        """Probability of that class in 255ths."""
        return self.probabilities[self.label]

    def encode(self) -> bytes:
        """The payload of WINDOW's answer."""
        head = _PREDICTION.pack(self.label, *self.logits, *self.probabilities, self.time)
        return head + struct.pack(f"<{len(self.embedding)}b", *self.embedding)

    @classmethod
    def decode(cls, payload: bytes, embedding_size: int) -> "Prediction":
        """Read the payload of WINDOW's answer.

        Raises:
            LinkError: It is of another length, or names no class of the contract.
        """
        _expect_length("WINDOW", payload, _PREDICTION.size + embedding_size)
        label, *scores, time = _PREDICTION.unpack_from(payload)
        if label >= CLASS_COUNT:
            raise LinkError(f"expected a class of 0 to {CLASS_COUNT - 1}, got {label}; update Hardwear or firmware")
        embedding = struct.unpack_from(f"<{embedding_size}b", payload, _PREDICTION.size)
        return cls(label, tuple(scores[:CLASS_COUNT]), tuple(scores[CLASS_COUNT:]), time, embedding)


@dataclass(frozen=True)
class StreamPrediction:
    """A window of a stream that fell due.

    Attributes:
        end_sample: Exclusive end of the window in samples of the recording.
        prediction: What the device made of it.
    """

    end_sample: int
    prediction: Prediction


@dataclass(frozen=True)
class StreamAnswer:
    """What the device answers to one chunk.

    Attributes:
        next_sample: The sample that the next chunk has to start with.
        predictions: The windows that fell due, oldest first.
    """

    next_sample: int
    predictions: tuple[StreamPrediction, ...]

    def encode(self) -> bytes:
        """The payload of STREAM's answer."""
        return _STREAM_ANSWER.pack(self.next_sample, len(self.predictions)) + b"".join(
            struct.pack("<I", due.end_sample) + due.prediction.encode() for due in self.predictions
        )

    @classmethod
    def decode(cls, payload: bytes, embedding_size: int) -> "StreamAnswer":
        """Read the payload of STREAM's answer.

        Raises:
            LinkError: Its length is not what its own count says.
        """
        if len(payload) < _STREAM_ANSWER.size:
            _expect_length("STREAM", payload, _STREAM_ANSWER.size)
        next_sample, count = _STREAM_ANSWER.unpack_from(payload)
        each = 4 + _PREDICTION.size + embedding_size
        _expect_length("STREAM", payload, _STREAM_ANSWER.size + count * each)
        predictions = []
        for start in range(_STREAM_ANSWER.size, len(payload), each):
            (end_sample,) = struct.unpack_from("<I", payload, start)
            prediction = Prediction.decode(payload[start + 4 : start + each], embedding_size)
            predictions.append(StreamPrediction(end_sample, prediction))
        return cls(next_sample, tuple(predictions))


@dataclass(frozen=True)
class DeviceErrorReport:
    """An ERROR frame's content.

    Attributes:
        code: `ErrorCode`, or a number that this version does not know.
        request: Type of the request that it answers, 0 if that never arrived whole.
        detail: What `docs/protocol.md` says for the code, such as the sample that a stream expects.
        text: The device's own words.
    """

    code: int
    request: int
    detail: int
    text: str

    def encode(self) -> bytes:
        """The payload of an ERROR frame."""
        return _ERROR.pack(self.code, self.request, self.detail) + self.text.encode("ascii")

    @classmethod
    def decode(cls, payload: bytes) -> "DeviceErrorReport":
        """Read the payload of an ERROR frame.

        Raises:
            LinkError: It is shorter than its fixed part.
        """
        if len(payload) < _ERROR.size:
            _expect_length("ERROR", payload, _ERROR.size)
        code, request, detail = _ERROR.unpack_from(payload)
        return cls(code, request, detail, payload[_ERROR.size :].decode("ascii", "replace"))


def encode_window(counts: npt.ArrayLike) -> bytes:
    """The payload of WINDOW.

    Args:
        counts: (128, 6) int16 conditioned counts.

    Raises:
        LinkError: Another shape, or numbers that int16 cannot hold.
    """
    window = _int16(counts)
    if window.shape != (WINDOW_SAMPLES, CHANNEL_COUNT):
        raise LinkError(f"expected a window of shape ({WINDOW_SAMPLES}, {CHANNEL_COUNT}), got {window.shape}")
    return window.tobytes()


def encode_chunk(counts: npt.ArrayLike, first_sample: int, flags: StreamFlag) -> bytes:
    """The payload of STREAM.

    Args:
        counts: (N, 6) int16 raw counts, N at most 128.
        first_sample: Where the chunk starts within the recording.
        flags: Whether it restarts or ends the stream.

    Raises:
        LinkError: Another shape, or numbers that int16 cannot hold.
    """
    chunk = _int16(counts)
    if chunk.ndim != 2 or chunk.shape[1] != CHANNEL_COUNT or len(chunk) > MAX_CHUNK_SAMPLES:
        raise LinkError(
            f"expected a chunk of shape (N, {CHANNEL_COUNT}) with N at most {MAX_CHUNK_SAMPLES}, got {chunk.shape}"
        )
    return _STREAM_REQUEST.pack(flags, first_sample, len(chunk)) + chunk.tobytes()


def encode_stats(counters: dict[str, int]) -> bytes:
    """The payload of STATS' answer, from counters in the order of `COUNTERS`."""
    return struct.pack(f"<H{len(counters)}I", len(counters), *counters.values())


def decode_stats(payload: bytes) -> dict[str, int]:
    """Read the payload of STATS' answer. Counters newer than this package are named `counter_18` and so on.

    Raises:
        LinkError: Its length is not what its own count says.
    """
    if len(payload) < 2:
        _expect_length("STATS", payload, 2)
    (count,) = struct.unpack_from("<H", payload)
    _expect_length("STATS", payload, 2 + 4 * count)
    names = [*COUNTERS, *(f"counter_{i}" for i in range(len(COUNTERS), count))]
    return dict(zip(names, struct.unpack_from(f"<{count}I", payload, 2), strict=False))


def encode_live(on: bool) -> bytes:
    """The payload of LIVE and of its answer."""
    return bytes([on])


def encode_unlock(seconds: int) -> bytes:
    """The payload of UNLOCK's answer."""
    return _UNLOCK.pack(seconds)


def decode_unlock(payload: bytes) -> int:
    """Read the payload of UNLOCK's answer: for how many seconds every central may write.

    Raises:
        LinkError: It is of another length.
    """
    _expect_length("UNLOCK", payload, _UNLOCK.size)
    (seconds,) = _UNLOCK.unpack(payload)
    return int(seconds)


def _int16(counts: npt.ArrayLike) -> npt.NDArray[np.int16]:
    values = np.asarray(counts)
    if values.dtype.kind not in "iu":
        raise LinkError(f"expected integer counts, got {values.dtype}; convert with hardwear.contract.to_counts()")
    if values.size and (values.min() < -(2**15) or values.max() >= 2**15):
        raise LinkError(f"expected counts within int16, got {values.min()} to {values.max()}")
    return values.astype("<i2")


def _expect_length(name: str, payload: bytes, expected: int) -> None:
    if len(payload) != expected:
        raise LinkError(
            f"expected {expected} bytes in the answer to {name}, got {len(payload)}; "
            "device and Python speak different versions: build and flash the firmware of this version of Hardwear"
        )


def _text(field: bytes) -> str:
    return field.split(b"\x00", 1)[0].decode("ascii", "replace")
