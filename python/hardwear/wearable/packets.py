"""What the wearable says and hears, byte by byte: twin of `firmware/core/packets.h` and `config.h`.

The same packets travel as values of BLE characteristics and as payloads of serial frames.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Self

import numpy as np
import numpy.typing as npt

from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, CLASSES
from hardwear.errors import LinkError
from hardwear.wearable.orientation import ONE, Rotation
from hardwear.wearable.smoothing import MAX_SMOOTHING, UNKNOWN_ACTIVITY

UNKNOWN_NAME = "UNKNOWN"
"""What `UNKNOWN_ACTIVITY` is called."""
RAW_SAMPLES = 5
"""Samples in a `RawPacket`."""
RAW_MTU = 65
"""The ATT MTU from which on a `RawPacket` is sent."""

_PREDICTION = struct.Struct(f"<BBHBB{CLASS_COUNT}BII")
_CALIBRATION = struct.Struct("<BB9h")
_CONFIG = struct.Struct("<6B")
_INFO = struct.Struct("<BB8sHHBBBBHHIIII")
_RAW = struct.Struct(f"<H{RAW_SAMPLES * CHANNEL_COUNT}h")
_SET = struct.Struct("<B9h")

_UPDATE = "update Hardwear or the firmware so that both are of one version"


class Flag(IntFlag):
    """What is to be known about a prediction."""

    UNCALIBRATED = 1
    """The board's own axes stand for the wearer's."""
    IMU_FAILING = 2
    """The motion sensor is absent, or its bus fails."""
    IMU_FROZEN = 4
    """It gave the same six numbers for a second."""
    SAMPLES_LOST = 8
    """Since the packet before."""
    KNOWN_ANSWER_FAILED = 16
    """The board does not compute what Python computes: it does not predict."""
    LOW_MEMORY = 32
    WATCHDOG_RESET = 64
    """The loop was stuck before this start."""
    SLEPT = 128
    """Asleep, or woken since the packet before."""


class CalibrationAction(IntEnum):
    """The first byte of a write to the calibration."""

    START = 1
    CANCEL = 2
    FORGET = 3
    SET = 4


class Imu(IntEnum):
    """Which motion sensor the board has found."""

    NONE = 0
    LSM9DS1 = 1
    BMI270 = 2


@dataclass(frozen=True)
class PredictionPacket:
    """One window; or the board's state while there is none, with both classes `UNKNOWN_ACTIVITY` and no probabilities.

    Raises:
        LinkError: A class that the contract does not have.
    """

    flags: Flag
    sequence: int
    """Counts packets modulo 2^16, those that are not notified too."""
    activity: int
    """Of this window alone: a class, or `UNKNOWN_ACTIVITY`."""
    label: int
    """Smoothed: a class, or `UNKNOWN_ACTIVITY`."""
    confidence: int
    """Probability of `activity` in 255ths."""
    probabilities: tuple[int, ...]
    """Of the six classes, in 255ths."""
    time_ms: int
    """The board's clock, modulo 2^32."""
    inference_us: int
    """What the model took."""

    VERSION = 1
    SIZE = _PREDICTION.size

    def __post_init__(self) -> None:
        for name, value in (("class", self.activity), ("label", self.label)):
            if not (0 <= value < CLASS_COUNT or value == UNKNOWN_ACTIVITY):
                raise LinkError(
                    f"expected a {name} of 0 to {CLASS_COUNT - 1} or {UNKNOWN_ACTIVITY} in a prediction packet, "
                    f"got {value}; {_UPDATE}"
                )

    @property
    def activity_name(self) -> str:
        """Name of this window's class."""
        return class_name(self.activity)

    @property
    def label_name(self) -> str:
        """Name of the smoothed label."""
        return class_name(self.label)

    def encode(self) -> bytes:
        """The twenty bytes."""
        return _PREDICTION.pack(
            self.VERSION,
            self.flags,
            self.sequence,
            self.activity | self.label << 4,
            self.confidence,
            *self.probabilities,
            self.time_ms,
            self.inference_us,
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the twenty bytes.

        Raises:
            LinkError: Another length or version, or a class that the contract does not have.
        """
        _expect_length("a prediction packet", payload, _PREDICTION.size)
        version, flags, sequence, classes, confidence, *rest = _PREDICTION.unpack(payload)
        _expect_version("a prediction packet", version, cls.VERSION)
        *probabilities, time_ms, inference_us = rest
        return cls(
            flags=Flag(flags),
            sequence=sequence,
            activity=classes & 15,
            label=classes >> 4,
            confidence=confidence,
            probabilities=tuple(probabilities),
            time_ms=time_ms,
            inference_us=inference_us,
        )


@dataclass(frozen=True)
class CalibrationPacket:
    """How a calibration goes, and the rotation in force."""

    state: int
    """`CalibrationState` of `firmware/core/calibration.h`."""
    progress: int
    """Of the state's step, in 255ths."""
    rotation: Rotation
    """In force now: the old one until a new one is found."""

    SIZE = _CALIBRATION.size

    def encode(self) -> bytes:
        """The twenty bytes."""
        return _CALIBRATION.pack(self.state, self.progress, *_flat(self.rotation))

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the twenty bytes.

        Raises:
            LinkError: Another length.
        """
        _expect_length("a calibration packet", payload, _CALIBRATION.size)
        state, progress, *values = _CALIBRATION.unpack(payload)
        return cls(state, progress, Rotation.of(values))


@dataclass(frozen=True)
class CalibrationCommand:
    """A write to the calibration.

    Raises:
        LinkError: SET without a rotation or with a matrix that is none, or another action with one.
    """

    action: CalibrationAction
    rotation: Rotation | None = None
    """For SET, which leaves the accelerometer's gain as it is."""

    def __post_init__(self) -> None:
        if (self.action is CalibrationAction.SET) != (self.rotation is not None):
            raise LinkError(f"expected a rotation with SET and with nothing else, got {self.action.name}")
        if self.rotation is not None and not self.rotation.is_rotation():
            raise LinkError(
                f"expected rows of length one at right angles, right-handed, in Q14, got {self.rotation.q14}; "
                "calibrate anew with hardwear calibrate"
            )

    def encode(self) -> bytes:
        """One byte, or nineteen for SET."""
        if self.rotation is None:
            return bytes([self.action])
        return _SET.pack(self.action, *_flat(self.rotation))

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read a command as the board does.

        Raises:
            LinkError: What the board would not take.
        """
        if not payload or payload[0] not in set(CalibrationAction):
            raise LinkError(
                f"expected a calibration command that begins with 1 to 4, got {payload.hex(' ') or 'nothing'}"
            )
        action = CalibrationAction(payload[0])
        if action is not CalibrationAction.SET:
            _expect_length(f"calibration command {action.name}", payload, 1)
            return cls(action)
        _expect_length("calibration command SET", payload, _SET.size)
        return cls(action, Rotation.of(_SET.unpack(payload)[1:]))


@dataclass(frozen=True)
class Config:
    """What the wearable can be set to.

    Raises:
        LinkError: A value out of its range.
    """

    smoothing: int = 1
    """A window counts 1 / 2^smoothing in the label, 0 to 6."""
    threshold: int = 128
    """Probability in 255ths below which nothing is named."""
    notify_every: int = 1
    """A prediction is notified every so many windows, 1 to 255."""
    led: bool = True
    """The RGB LED shows anything at all."""
    low_power: bool = False
    """The sensor sleeps after 30 s of stillness, until it is moved."""

    VERSION = 1
    SIZE = _CONFIG.size

    def __post_init__(self) -> None:
        ranges = (("smoothing", 0, MAX_SMOOTHING), ("threshold", 0, 255), ("notify_every", 1, 255))
        for name, lowest, highest in ranges:
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise LinkError(f"expected {name} from {lowest} to {highest}, got {value}")

    def encode(self) -> bytes:
        """The six bytes."""
        return _CONFIG.pack(
            self.VERSION, self.smoothing, self.threshold, self.notify_every, int(self.led), int(self.low_power)
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the six bytes.

        Raises:
            LinkError: Another length or version, or a value out of its range.
        """
        _expect_length("a configuration", payload, _CONFIG.size)
        version, smoothing, threshold, notify_every, led, low_power = _CONFIG.unpack(payload)
        _expect_version("a configuration", version, cls.VERSION)
        for name, value in (("led", led), ("low_power", low_power)):
            if value > 1:
                raise LinkError(f"expected {name} to be 0 or 1, got {value}; {_UPDATE}")
        return cls(smoothing, threshold, notify_every, led == 1, low_power == 1)


@dataclass(frozen=True)
class Info:
    """What the board is and how it fares."""

    contract_version: int
    identity: str
    """First eight bytes of its bundle's identity, 16 hexadecimal digits."""
    window_samples: int
    hop_samples: int
    sample_rate_hz: int
    imu: int
    """`Imu`, or a number that this version does not know."""
    reset_reason: int
    """`ResetReason` of the board; on the Nano 33 BLE `firmware/boards/nano33ble/watchdog.h`."""
    faults: int
    """Bits of `fault` in `firmware/core/wearable.h`."""
    acc_gain_q14: int
    """What calibration found acceleration has to be multiplied by, 16384 for 1.0."""
    bad_writes: int
    """Of wrong length or value; this and the other counters stop at 2^32 - 1."""
    locked_writes: int
    """Good ones that nobody had allowed."""
    lost_notifications: int
    """Predictions and calibration packets that the link did not take."""
    lost_raw: int
    """Raw packets that the link did not take."""
    labels: tuple[str, ...]
    """Names of the classes in the order of the probabilities."""
    board: str

    VERSION = 1
    HEADER_SIZE = _INFO.size
    MAX_BOARD_NAME = 15
    MAX_SIZE = _INFO.size + sum(len(name) + 1 for name in CLASSES) + MAX_BOARD_NAME

    @property
    def imu_name(self) -> str:
        """The motion sensor in words."""
        if self.imu == Imu.NONE:
            return "none"
        return Imu(self.imu).name if self.imu in set(Imu) else f"sensor {self.imu}"

    @property
    def acc_gain(self) -> float:
        """What acceleration is multiplied by."""
        return self.acc_gain_q14 / ONE

    def encode(self) -> bytes:
        """Header, labels, board."""
        header = _INFO.pack(
            self.VERSION,
            self.contract_version,
            bytes.fromhex(self.identity),
            self.window_samples,
            self.hop_samples,
            self.sample_rate_hz,
            len(self.labels),
            self.imu,
            self.reset_reason,
            self.faults,
            self.acc_gain_q14,
            self.bad_writes,
            self.locked_writes,
            self.lost_notifications,
            self.lost_raw,
        )
        labels = b"".join(label.encode("ascii") + b"\0" for label in self.labels)
        return header + labels + self.board[: self.MAX_BOARD_NAME].encode("ascii")

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read what `encode` writes.

        Raises:
            LinkError: It is cut, of another version, or not in ASCII.
        """
        if len(payload) < _INFO.size:
            raise LinkError(f"expected at least {_INFO.size} bytes of info, got {len(payload)}; read it again")
        fields = _INFO.unpack_from(payload)
        _expect_version("info", fields[0], cls.VERSION)
        *labels, board = payload[_INFO.size :].split(b"\0")
        if len(labels) != fields[6]:
            raise LinkError(f"expected {fields[6]} labels in info, got {len(labels)}; read it again")
        try:
            texts = [text.decode("ascii") for text in (*labels, board)]
        except UnicodeDecodeError as error:
            raise LinkError(f"expected info in ASCII, got {error.object!r}; {_UPDATE}") from error
        return cls(
            contract_version=fields[1],
            identity=fields[2].hex(),
            window_samples=fields[3],
            hop_samples=fields[4],
            sample_rate_hz=fields[5],
            imu=fields[7],
            reset_reason=fields[8],
            faults=fields[9],
            acc_gain_q14=fields[10],
            bad_writes=fields[11],
            locked_writes=fields[12],
            lost_notifications=fields[13],
            lost_raw=fields[14],
            labels=tuple(texts[:-1]),
            board=texts[-1],
        )


@dataclass(frozen=True)
class RawPacket:
    """Five samples of the raw stream."""

    first_sample: int
    """Number of the first one, modulo 2^16; it jumps where samples are missing."""
    samples: tuple[tuple[int, ...], ...]
    """Five of six int16 counts each, before conditioning."""

    SIZE = _RAW.size

    @property
    def counts(self) -> npt.NDArray[np.int16]:
        """(5, 6) int16 counts."""
        return np.array(self.samples, dtype=np.int16)

    def encode(self) -> bytes:
        """The 62 bytes."""
        return _RAW.pack(self.first_sample, *(value for sample in self.samples for value in sample))

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the 62 bytes.

        Raises:
            LinkError: Another length.
        """
        _expect_length("a raw packet", payload, _RAW.size)
        first, *values = _RAW.unpack(payload)
        return cls(first, tuple(tuple(values[i : i + CHANNEL_COUNT]) for i in range(0, len(values), CHANNEL_COUNT)))


def class_name(label: int) -> str:
    """Name of a class or of `UNKNOWN_ACTIVITY`."""
    return UNKNOWN_NAME if label == UNKNOWN_ACTIVITY else CLASSES[label]


def _flat(rotation: Rotation) -> list[int]:
    return [value for row in rotation.q14 for value in row]


def _expect_length(name: str, payload: bytes, expected: int) -> None:
    if len(payload) != expected:
        raise LinkError(f"expected {expected} bytes of {name}, got {len(payload)}; {_UPDATE}")


def _expect_version(name: str, version: int, expected: int) -> None:
    if version != expected:
        raise LinkError(f"expected version {expected} of {name}, got {version}; {_UPDATE}")
