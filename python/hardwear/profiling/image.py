"""An engine and some windows as an image for the emulated Cortex-M4, and what it answers.

The image is `firmware/boards/emulator/profile/main.cpp` with one of the engines beside it, on the emulated board's own
start-up code and linker script.
"""

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from hardwear.build import COMPILER, INSTALL_COMPILER, PROJECT
from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, HOP_SAMPLES, WINDOW_SAMPLES
from hardwear.errors import BuildError, LinkError
from hardwear.link.emulator import ExitCode, boot_command

FIRMWARE = PROJECT / "firmware"
BOARD = FIRMWARE / "boards" / "emulator"
CHIP = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
SECTIONS = ("-ffunction-sections", "-fdata-sections")
FLAGS = (
    "-std=gnu++14", "-O2", "-Wall", "-Wextra", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", *SECTIONS,
)  # fmt: skip
"""As `[env:emulator]` of platformio.ini compiles the firmware."""
LINKED = (
    "-nostartfiles", "--specs=nano.specs", f"-T{BOARD / 'link.ld'}", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments",
)  # fmt: skip

COMPILED = (BOARD / "profile" / "compiled.cpp",)
NOTHING = (BOARD / "profile" / "nothing.cpp",)
"""Sources of the engines; TFLite-Micro's are in `tflm.py`."""

_COMMON = (
    BOARD / "profile" / "main.cpp",
    *(BOARD / f"{name}.cpp" for name in (
        "faults", "instruction_counter", "memory_map", "semihosting", "startup", "system_calls", "uart",
    )),
    FIRMWARE / "core" / "frames.cpp",
    FIRMWARE / "core" / "crc32.cpp",
)  # fmt: skip
_SHOWN_LINES = 20


@dataclass(frozen=True)
class StepFigures:
    """What one step took."""

    instructions: int
    """Of the last window."""
    stack_bytes: int
    """Below where the engine was called, the most of all windows."""


@dataclass(frozen=True)
class Answers:
    """What the chip made of the windows."""

    logits: npt.NDArray[np.int8]
    """(N, 6)"""
    embedding: npt.NDArray[np.int8]
    """(N, E)"""
    layers: tuple[tuple[npt.NDArray[np.int8], ...], ...]
    """Of every window the output of every step, in rows; nothing unless they were asked for."""
    arena_bytes: int
    """Of the engine's buffer of activations in use."""
    around_bytes: int
    """Stack in use where the engine was called."""
    alone: tuple[StepFigures, ...]
    """The steps of a window by itself; nothing where there was none."""
    first: tuple[StepFigures, ...]
    """Likewise of the first window of a stream."""
    following: tuple[StepFigures, ...]
    """Likewise of a window that follows another."""

    @property
    def stack_bytes(self) -> int:
        """The deepest below where the engine was called."""
        return max(step.stack_bytes for step in (*self.alone, *self.first, *self.following))


def build_image(
    folder: Path,
    windows: npt.NDArray[np.int8],
    engine: Sequence[Path] = COMPILED,
    flags: Sequence[str] = (),
    libraries: Sequence[Path] = (),
    streams: Sequence[npt.NDArray[np.int8]] = (),
) -> Path:
    """Compiles an engine with its windows.

    Args:
        folder: Holds the headers of `hardwear generate` in its folder `generated`; the image goes there too.
        windows: (N, 128, 6) int8, each by itself.
        engine: Its sources.
        flags: Of the compiler, after the usual ones.
        libraries: Archives to link.
        streams: Recordings (M, 6) int8, M a multiple of the hop, whose windows come after `windows`, in order.

    Returns:
        The image.

    Raises:
        BuildError: There is no compiler, or it refuses.
    """
    _write_windows(folder / "windows.h", windows, streams)
    image = folder / f"{engine[0].stem}.elf"
    includes = [f"-I{folder}", f"-I{FIRMWARE}"]
    sources = map(str, (*_COMMON, *engine))
    flags = [*flags, *(["-DHARDWEAR_STREAMS"] if streams else [])]
    compile_with(COMPILER, *CHIP, *FLAGS, *flags, *LINKED, *includes, *sources, *map(str, libraries), "-o", str(image))
    return image


def _write_windows(path: Path, windows: npt.NDArray[np.int8], streams: Sequence[npt.NDArray[np.int8]]) -> None:
    """What main.cpp includes: all samples, and where among them each window begins and how it is run."""
    entries = [(number * WINDOW_SAMPLES, "kAlone") for number in range(len(windows))]
    start = len(windows) * WINDOW_SAMPLES
    for stream in streams:
        hops = range(0, len(stream) - WINDOW_SAMPLES + 1, HOP_SAMPLES)
        entries += [(start + hop, "kFollowing" if hop else "kFirst") for hop in hops]
        start += len(stream)
    samples = np.concatenate([windows.reshape(-1, CHANNEL_COUNT), *streams])
    text = "constexpr int8_t kSamples[] = {\n"
    text += "".join(",".join(map(str, row)) + ",\n" for row in samples.reshape(-1, 4 * CHANNEL_COUNT))
    text += "};\nconstexpr Window kWindows[] = {\n"
    text += "".join(f"{{{CHANNEL_COUNT * sample}, profile::{mode}}},\n" for sample, mode in entries)
    path.write_text(text + "};\n")


def compile_with(compiler: str, *arguments: str) -> None:
    """Runs a compiler of the chip.

    Raises:
        BuildError: It is not installed, or it refuses.
    """
    if shutil.which(compiler) is None:
        raise BuildError(f"expected {compiler}, which is not installed. Next step: {INSTALL_COMPILER}")
    done = subprocess.run([compiler, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = "\n".join(done.stderr.splitlines()[:_SHOWN_LINES])
        raise BuildError(f"the engine could not be compiled for the chip:\n{lines}\nNext step: mend the first error")


@contextmanager
def booted(image: Path, *options: str, log: bool = False) -> Iterator[tuple["subprocess.Popen[bytes]", IO[bytes]]]:
    """QEMU with the image in it, and the file that its serial line is written to.

    Args:
        image: What `build_image` made.
        options: Of QEMU, further ones.
        log: Whether the caller reads QEMU's standard error, where its log goes.

    Raises:
        LinkError: QEMU or the image is missing.
    """
    with tempfile.NamedTemporaryFile() as line:
        command = [*boot_command(image, ("-serial", f"file:{line.name}"), pin=False), *options]
        said = subprocess.PIPE if log else subprocess.DEVNULL
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said) as process:
            try:
                yield process, line
            finally:
                process.terminate()


def run_image(image: Path, embedding_size: int, layer_sizes: Sequence[int] = (), timeout_s: float = 600) -> Answers:
    """Boots an image and reads what it answers.

    Args:
        image: What `build_image` made.
        embedding_size: Of the model.
        layer_sizes: Values of every step's output, for an image made with -DHARDWEAR_DUMP_LAYERS.
        timeout_s: When to give up.

    Raises:
        LinkError: QEMU is missing, the image did not come to its end, or the engine refused to start.
    """
    with booted(image) as (process, line):
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise LinkError(f"expected {image} to end within {timeout_s:g} s, it still runs") from error
        return parse(line.read(), code, embedding_size, layer_sizes)


def parse(said: bytes, code: int, embedding_size: int, layer_sizes: Sequence[int] = ()) -> Answers:
    """What an image wrote to its serial line, as main.cpp's head says; arguments and errors as `run_image`."""
    if code != ExitCode.MAIN_RETURNED:
        raise LinkError(f"expected the profiler's image to return from main() (exit code 90), QEMU ended with {code}")
    if said[:1] != b"\x01":
        raise LinkError("expected the engine to start, it refused: its arena is too small or an operator is missing")
    _, windows = struct.unpack_from("<BI", said)
    outputs, at = CLASS_COUNT + embedding_size, 5
    table = np.frombuffer(said, np.int8, windows * (sum(layer_sizes) + outputs), at).reshape(windows, -1)
    at += table.size
    arena, around = struct.unpack_from("<2I", said, at)
    at += 8
    modes: list[tuple[StepFigures, ...]] = []
    for _ in range(3):
        (count,) = struct.unpack_from("<I", said, at)
        figures = struct.unpack_from(f"<{2 * count}I", said, at + 4)
        modes.append(tuple(map(StepFigures, figures[::2], figures[1::2])))
        at += 4 + 8 * count
    ends = np.cumsum(layer_sizes, dtype=np.int64)[:-1]
    layers = tuple(tuple(np.split(row[: sum(layer_sizes)], ends)) for row in table) if layer_sizes else ()
    return Answers(table[:, -outputs:-embedding_size], table[:, -embedding_size:], layers, arena, around, *modes)
