"""The firmware built for this computer: a library whose units tests call, and the program that serves a session."""

import ctypes
import fcntl
import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, HOP_SAMPLES, WINDOW_SAMPLES
from hardwear.link.frames import MAX_PAYLOAD_BYTES, wire_bytes

ROOT = Path(__file__).resolve().parents[1]
FIRMWARE = ROOT / "firmware"
GENERATED = FIRMWARE / "generated"
CACHE = ROOT / "build" / "native"

COMPILER = "g++"
FLAGS = ("-std=gnu++14", "-g", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti")
UNDEFINED = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
ADDRESS_AND_UNDEFINED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")

Int8Array = npt.NDArray[np.int8]
Int16Array = npt.NDArray[np.int16]


def core_sources() -> list[Path]:
    """Everything portable, with the engine that the host runs."""
    return sorted([*(FIRMWARE / "core").glob("*.cpp"), *(FIRMWARE / "engines" / "compiled").glob("*.cpp")])


def build_once(sources: Sequence[Path], out: Path, flags: Sequence[str], generated: Path = GENERATED) -> Path:
    """Build what is not there yet; of several test workers that want it, one does."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.with_name(out.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return out if out.exists() else build(sources, out, flags, generated)


def build(sources: Sequence[Path], out: Path, flags: Sequence[str], generated: Path = GENERATED) -> Path:
    """Compile and link sources against the headers in the folder `generated`, which may have any name."""
    out.parent.mkdir(parents=True, exist_ok=True)
    includes = out.with_name(out.name + ".include")
    includes.mkdir(exist_ok=True)
    link = includes / "generated"
    if link.is_symlink():
        link.unlink()
    link.symlink_to(generated.resolve(), target_is_directory=True)
    partial = out.with_name(out.name + ".partial")
    command = [COMPILER, *FLAGS, *flags, f"-I{includes}", f"-I{FIRMWARE}", *map(str, sources), "-o", str(partial)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
    partial.replace(out)
    return out


def build_program(out: Path, generated: Path = GENERATED) -> Path:
    """Build the program that serves a session on standard input and output, under ASan and UBSan; once."""
    main = FIRMWARE / "boards" / "native" / "main.cpp"
    return build_once([*core_sources(), main], out, ["-O1", *ADDRESS_AND_UNDEFINED], generated)


def build_library(generated: Path = GENERATED, out: Path | None = None) -> "Native":
    """Build the library under UBSan and load it.

    Args:
        generated: Folder of the generated headers.
        out: Where the library goes; it must not have been loaded from there before. Default: the cache.
    """
    sources = [*core_sources(), FIRMWARE / "boards" / "native" / "library.cpp"]
    flags = ["-O2", "-shared", "-fPIC", *UNDEFINED]
    if out is None:
        out = cached("library", generated) / "libhardwear.so"
    return Native(ctypes.CDLL(str(build_once(sources, out, flags, generated))))


def program(generated: Path = GENERATED) -> Path:
    """The program of `build_program`, built once for the sources as they are."""
    return build_program(cached("program", generated) / "hardwear", generated)


def cached(name: str, generated: Path) -> Path:
    """A folder named for the content of everything that is built."""
    digest = hashlib.sha256()
    firmware = [p for part in ("core", "engines/compiled", "boards/native") for p in (FIRMWARE / part).iterdir()]
    for path in [*sorted(firmware), *sorted(generated.glob("*.h")), Path(__file__)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return CACHE / f"{name}-{digest.hexdigest()[:16]}"


@dataclass(frozen=True)
class Predictions:
    """What the chain makes of a recording, one row per window."""

    end_samples: npt.NDArray[np.uint32]
    classes: npt.NDArray[np.uint8]
    logits: Int8Array
    embedding: Int8Array
    probabilities: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Rates:
    """What a rate meter says, after each mark."""

    steps: npt.NDArray[np.uint32]
    millihertz: npt.NDArray[np.uint32]
    settled: npt.NDArray[np.bool_]
    plausible: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Decoded:
    """What the firmware's receiver made of bytes: a status for each frame that ended, and the last whole frame."""

    statuses: list[int]
    type: int
    sequence: int
    payload: bytes


@dataclass(frozen=True)
class Calibrated:
    """What the firmware's calibration made of samples: state and progress after each, then the result."""

    states: npt.NDArray[np.uint8]
    progress: npt.NDArray[np.uint8]
    matrix: Int16Array
    gain: int


class Native:
    """The library with NumPy arrays in and out."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        for name in (
            "hw_classify",
            "hw_pipeline",
            "hw_resample",
            "hw_encode_frame",
            "hw_decode_frames",
            "hw_session_take",
        ):
            getattr(library, name).restype = ctypes.c_size_t
        library.hw_crc32.restype = ctypes.c_uint32
        library.hw_decide.restype = ctypes.c_uint8
        library.hw_is_rotation.restype = ctypes.c_uint8
        library.hw_session_boot.restype = ctypes.c_uint8
        self.embedding_size = int(library.hw_embedding_size())

    @property
    def identity(self) -> str:
        out = (ctypes.c_uint8 * 8)()
        self._library.hw_identity(out)
        return bytes(out).hex()

    @property
    def session_bytes(self) -> int:
        """RAM that a session takes on a 64-bit host."""
        return int(self._library.hw_session_bytes())

    def crc32(self, data: bytes, previous: int = 0) -> int:
        return int(self._library.hw_crc32(data, ctypes.c_size_t(len(data)), ctypes.c_uint32(previous)))

    def condition(self, raw: npt.ArrayLike) -> Int16Array:
        """(N, 6) int16 raw counts to (N, 6) conditioned ones, from zero state to the flush."""
        counts = _samples(raw)
        out = np.zeros_like(counts)
        self._library.hw_condition(_pointer(counts), ctypes.c_size_t(len(counts)), _pointer(out))
        return out

    def resample(self, counts: npt.ArrayLike, steps: npt.ArrayLike) -> Int16Array:
        """(N, 6) int16 counts at the sensor's rate to (M, 6) at 50 Hz; steps[i] in 2^-24 is set before sample i."""
        samples = _samples(counts)
        chosen = np.ascontiguousarray(np.broadcast_to(np.asarray(steps, dtype=np.uint32), len(samples)))
        out = np.zeros_like(samples)
        due = self._library.hw_resample(
            _pointer(samples), _pointer(chosen), ctypes.c_size_t(len(samples)), ctypes.c_size_t(len(out)), _pointer(out)
        )
        assert due <= len(out)
        return out[:due]

    def measure_rate(
        self, nominal_millihertz: int, times_us: npt.ArrayLike, samples: npt.ArrayLike, restart: npt.ArrayLike = 0
    ) -> Rates:
        """What a rate meter says after each drain of the FIFO, restarted before those drains that `restart` marks."""
        times = np.ascontiguousarray(times_us, dtype=np.uint32)
        drained = np.ascontiguousarray(np.broadcast_to(np.asarray(samples, dtype=np.uint32), times.shape))
        restarts = np.ascontiguousarray(np.broadcast_to(np.asarray(restart, dtype=np.uint8), times.shape))
        steps, millihertz = np.zeros_like(times), np.zeros_like(times)
        flags = np.zeros(len(times), dtype=np.uint8)
        self._library.hw_measure_rate(
            ctypes.c_uint32(nominal_millihertz),
            *map(_pointer, (times, drained, restarts)),
            ctypes.c_size_t(len(times)),
            *map(_pointer, (steps, millihertz, flags)),
        )
        return Rates(steps, millihertz, (flags & 1) != 0, (flags & 2) != 0)

    def quantize(self, counts: npt.ArrayLike) -> Int8Array:
        """(..., 6) int16 conditioned counts to (..., 6) int8."""
        values = np.ascontiguousarray(counts, dtype=np.int16)
        out = np.zeros(values.shape, dtype=np.int8)
        self._library.hw_quantize(_pointer(values), ctypes.c_size_t(values.size // CHANNEL_COUNT), _pointer(out))
        return out

    def decide(self, logits: npt.ArrayLike) -> int:
        return int(self._library.hw_decide(_pointer(np.ascontiguousarray(logits, dtype=np.int8))))

    def softmax(self, table: Sequence[int], logits: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """(N, 6) int8 logits to probabilities in 255ths, by a table of 256 weights."""
        rows = np.ascontiguousarray(logits, dtype=np.int8)
        weights = np.array(table, dtype=np.uint16)
        assert weights.shape == (256,)
        out = np.zeros(rows.shape, dtype=np.uint8)
        self._library.hw_softmax(_pointer(weights), _pointer(rows), ctypes.c_size_t(len(rows)), _pointer(out))
        return out

    def probabilities(self, logits: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """(N, 6) int8 logits to probabilities in 255ths, by the generated table."""
        rows = np.ascontiguousarray(logits, dtype=np.int8)
        out = np.zeros(rows.shape, dtype=np.uint8)
        self._library.hw_probabilities(_pointer(rows), ctypes.c_size_t(len(rows)), _pointer(out))
        return out

    def classify(self, quantized: npt.ArrayLike) -> tuple[Int8Array, Int8Array]:
        """(N, 128, 6) int8 to logits (N, 6) and embedding (N, E), int8."""
        windows = np.ascontiguousarray(quantized, dtype=np.int8)
        assert windows.shape[1:] == (WINDOW_SAMPLES, CHANNEL_COUNT)
        logits = np.zeros((len(windows), CLASS_COUNT), dtype=np.int8)
        embedding = np.zeros((len(windows), self.embedding_size), dtype=np.int8)
        done = self._library.hw_classify(
            _pointer(windows), ctypes.c_size_t(len(windows)), _pointer(logits), _pointer(embedding)
        )
        assert done == len(windows), f"the engine failed on window {done}"
        return logits, embedding

    def pipeline(self, raw: npt.ArrayLike) -> Predictions:
        """(N, 6) int16 raw counts through the whole chain, flush included."""
        counts = _samples(raw)
        capacity = len(counts) // HOP_SAMPLES + 1
        ends = np.zeros(capacity, dtype=np.uint32)
        classes = np.zeros(capacity, dtype=np.uint8)
        logits = np.zeros((capacity, CLASS_COUNT), dtype=np.int8)
        embedding = np.zeros((capacity, self.embedding_size), dtype=np.int8)
        probabilities = np.zeros((capacity, CLASS_COUNT), dtype=np.uint8)
        due = self._library.hw_pipeline(
            _pointer(counts),
            ctypes.c_size_t(len(counts)),
            ctypes.c_size_t(capacity),
            *map(_pointer, (ends, classes, logits, embedding, probabilities)),
        )
        assert due <= capacity
        return Predictions(ends[:due], classes[:due], logits[:due], embedding[:due], probabilities[:due])

    def smooth(self, smoothing: int, threshold: int, probabilities: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Labels after each window's six probabilities, by C++."""
        told = np.ascontiguousarray(probabilities, np.uint8).reshape(-1, CLASS_COUNT)
        labels = np.empty(len(told), np.uint8)
        self._library.hw_smooth(
            ctypes.c_uint8(smoothing),
            ctypes.c_uint8(threshold),
            _pointer(told),
            ctypes.c_size_t(len(told)),
            _pointer(labels),
        )
        return labels

    def straighten(self, matrix: npt.ArrayLike, gain: int, samples: npt.ArrayLike) -> Int16Array:
        """(N, 6) int16 counts by nine Q14 values and an acceleration gain."""
        q14, counts = np.ascontiguousarray(matrix, dtype=np.int16).reshape(9), _samples(samples)
        out = np.zeros_like(counts)
        self._library.hw_straighten(
            _pointer(q14), ctypes.c_uint16(gain), _pointer(counts), ctypes.c_size_t(len(counts)), _pointer(out)
        )
        return out

    def is_rotation(self, matrix: npt.ArrayLike) -> bool:
        """Of nine Q14 values."""
        return bool(self._library.hw_is_rotation(_pointer(np.ascontiguousarray(matrix, dtype=np.int16).reshape(9))))

    def calibrate(self, samples: npt.ArrayLike) -> "Calibrated":
        """Calibrate with (N, 6) int16 counts from its start on."""
        counts = _samples(samples)
        states, progress = np.zeros(len(counts), dtype=np.uint8), np.zeros(len(counts), dtype=np.uint8)
        matrix, gain = np.zeros(9, dtype=np.int16), ctypes.c_uint16()
        self._library.hw_calibrate(
            _pointer(counts),
            ctypes.c_size_t(len(counts)),
            *map(_pointer, (states, progress, matrix)),
            ctypes.byref(gain),
        )
        return Calibrated(states, progress, matrix, gain.value)

    def encode_frame(self, kind: int, sequence: int, payload: bytes) -> bytes:
        out = ctypes.create_string_buffer(wire_bytes(len(payload)))
        size = self._library.hw_encode_frame(
            ctypes.c_uint8(kind),
            ctypes.c_uint16(sequence),
            payload,
            ctypes.c_size_t(len(payload)),
            out,
            ctypes.c_size_t(len(out)),
        )
        return out.raw[:size]

    def decode_frames(self, data: bytes) -> Decoded:
        capacity = len(data) + 1
        statuses = (ctypes.c_uint8 * capacity)()
        kind, sequence, size = ctypes.c_uint8(), ctypes.c_uint16(), ctypes.c_size_t()
        payload = ctypes.create_string_buffer(MAX_PAYLOAD_BYTES)
        ended = self._library.hw_decode_frames(
            data,
            ctypes.c_size_t(len(data)),
            statuses,
            ctypes.c_size_t(capacity),
            ctypes.byref(kind),
            ctypes.byref(sequence),
            payload,
            ctypes.byref(size),
        )
        return Decoded(list(statuses[:ended]), kind.value, sequence.value, payload.raw[: size.value])

    def session_boot(self) -> int:
        """Start a session anew; returns its status."""
        return int(self._library.hw_session_boot())

    def session_receive(self, data: bytes) -> bytes:
        """Give bytes to the session; returns what it sent."""
        self._library.hw_session_receive(data, ctypes.c_size_t(len(data)))
        sent = b""
        out = ctypes.create_string_buffer(65536)
        while taken := self._library.hw_session_take(out, ctypes.c_size_t(len(out))):
            sent += out.raw[:taken]
        return sent


def _samples(raw: npt.ArrayLike) -> Int16Array:
    counts = np.ascontiguousarray(raw, dtype=np.int16)
    assert counts.ndim == 2
    assert counts.shape[1] == CHANNEL_COUNT
    return counts


def _pointer(array: npt.NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
