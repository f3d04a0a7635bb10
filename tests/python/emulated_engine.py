"""Builds the compiled engine of a model for the emulated Cortex-M4, windows included, and runs it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from compiled_engine import FIRMWARE, REPOSITORY

from hardwear.codegen.compiled_model import Program

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
    instructions: dict[str, int]
    """Of each step of the last inference, by its name."""


def run(folder: Path, program: Program, windows: npt.NDArray[np.int8], *flags: str) -> Answer:
    """Runs (N, 128, 6) windows through the engine whose headers lie under `folder`/generated."""
    rows = ",\n".join("{" + ",".join(map(str, window.ravel())) + "}" for window in windows)
    (folder / "test_windows.h").write_text(
        f"#pragma once\n#include <cstdint>\nconstexpr int8_t kTestWindows[{len(windows)}][768] = {{\n{rows}}};\n"
    )
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
    answers = len(windows) * (6 + embedding_size)
    rows_back = np.frombuffer(ran.stdout[:answers], np.int8).reshape(len(windows), -1)
    stack, *counts = np.frombuffer(ran.stdout[answers:], "<u4").tolist()
    names = [step.name for step in program.steps]
    instructions = dict(zip(names, counts, strict=True))
    return Answer(rows_back[:, :6], rows_back[:, 6:], stack, engine_flash(folder), instructions)


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
