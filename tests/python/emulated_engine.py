"""Builds the compiled engine of a model for the emulated Cortex-M4, windows included, and runs it."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from compiled_engine import FIRMWARE, REPOSITORY

from hardwear.codegen.compiled_model import Program
from hardwear.contract import HOP_SAMPLES, WINDOW_SAMPLES

CHIP = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
FLAGS = (
    "-std=gnu++14", "-O2", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
    "-ffunction-sections", "-fdata-sections", "-fstack-usage",
)  # fmt: skip
LINKED = (
    "-nostartfiles", "--specs=nano.specs", f"-T{FIRMWARE / 'boards/emulator/link.ld'}",
    "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments",
)  # fmt: skip
SOURCES = (
    REPOSITORY / "tests/emulator/engine_main.cpp",
    *sorted(path for path in (FIRMWARE / "boards/emulator").glob("*.cpp") if path.name != "main.cpp"),
    FIRMWARE / "core/frames.cpp",
    FIRMWARE / "core/crc32.cpp",
)
MAIN_RETURNED = 90


@dataclass(frozen=True)
class Answer:
    """What the emulated chip made of the windows."""

    logits: npt.NDArray[np.int8]
    embedding: npt.NDArray[np.int8]
    stack_bytes: int
    """Deepest use of the stack, the program around the engine included."""
    flash_bytes: int
    """Code and constants of the engine alone."""
    alone: dict[str, int]
    """Instructions of each step of the last window by itself, by the step's name."""
    first: dict[str, int]
    """Likewise of the last window that was the first of a stream."""
    following: dict[str, int]
    """Likewise of the last window that followed another."""


def run(
    folder: Path,
    program: Program,
    windows: npt.NDArray[np.int8],
    *flags: str,
    streams: Sequence[npt.NDArray[np.int8]] = (),
) -> Answer:
    """Runs the engine whose headers lie under `folder`/generated.

    Args:
        folder: Where all else is built, too.
        program: What the headers were made of.
        windows: (N, 128, 6), each by itself.
        flags: More of the compiler's.
        streams: Recordings (M, 6), whose windows come after `windows`, in order.
    """
    alone = [(number * WINDOW_SAMPLES, False, False) for number in range(len(windows))]
    starts = np.cumsum([windows.size // 6, *map(len, streams)]).tolist()
    streamed = [
        (start + hop, hop > 0, True)
        for start, stream in zip(starts, streams, strict=False)
        for hop in range(0, len(stream) - WINDOW_SAMPLES + 1, HOP_SAMPLES)
    ]
    _write_windows(folder / "test_windows.h", np.concatenate([windows.reshape(-1, 6), *streams]), [*alone, *streamed])
    image = folder / "engine.elf"
    command = ["arm-none-eabi-g++", *CHIP, *FLAGS, *flags, *LINKED, f"-I{folder}", f"-I{FIRMWARE}"]
    built = subprocess.run(
        [*command, *map(str, SOURCES), "-o", str(image)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    machine = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none"]
    machine += ["-semihosting-config", "enable=on,target=native", "-icount", "shift=8,sleep=off"]
    ran = subprocess.run(
        [*machine, "-serial", "stdio", "-kernel", str(image)],
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == MAIN_RETURNED, (ran.returncode, ran.stderr)
    embedding_size = program.graph.embedding.size
    count = len(alone) + len(streamed)
    answers = count * (6 + embedding_size)
    rows_back = np.frombuffer(ran.stdout[:answers], np.int8).reshape(count, -1)
    stack, *counts = np.frombuffer(ran.stdout[answers:], "<u4").tolist()
    names, steps = [step.name for step in program.steps], len(program.steps)
    modes = [dict(zip(names, counts[start : start + steps], strict=True)) for start in range(0, 3 * steps, steps)]
    return Answer(rows_back[:, :6], rows_back[:, 6:], stack, engine_flash(folder), *modes)


def _write_windows(path: Path, samples: npt.NDArray[np.int8], windows: Sequence[tuple[int, bool, bool]]) -> None:
    """Samples (N, 6) and the windows among them: first sample, whether it follows the window before, is followed."""
    rows = ",\n".join(",".join(map(str, row)) for row in samples.reshape(-1, 24))
    entries = ", ".join(f"{{{6 * start}, {follows:d}, {followed:d}}}" for start, follows, followed in windows)
    path.write_text(
        f"""#pragma once
#include <cstdint>
struct TestWindow {{
  uint32_t offset;
  bool follows, followed;
}};
constexpr int8_t kTestSamples[] = {{
{rows}}};
constexpr TestWindow kTestWindows[] = {{{entries}}};
"""
    )


def stack_frames(folder: Path) -> list[tuple[str, int, str]]:
    """Function, bytes of stack, and how the compiler knows, for all that `engine_flash` compiled."""
    lines = (line.split("\t") for line in (folder / "engine.su").read_text().splitlines())
    return [(name, int(size), kind) for name, size, kind in lines]


def engine_flash(folder: Path) -> int:
    """Bytes of flash that the engine's object takes: its code, its constants, the few words of its class."""
    made = folder / "engine.o"
    source = FIRMWARE / "engines/compiled/compiled_classifier.cpp"
    command = ["arm-none-eabi-g++", *CHIP, *FLAGS, f"-I{folder}", f"-I{FIRMWARE}", "-c", str(source), "-o", str(made)]
    subprocess.run(command, cwd=folder, check=True)
    size = subprocess.run(["arm-none-eabi-size", str(made)], capture_output=True, text=True, check=True).stdout
    text, data, *_ = map(int, size.splitlines()[1].split()[:3])
    return text + data
