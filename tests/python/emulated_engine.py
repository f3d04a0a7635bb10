"""Builds the compiled engine of a model for the emulated Cortex-M4, windows included, and runs it."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hardwear.codegen.compiled_model import Program
from hardwear.profiling.image import CHIP, FIRMWARE, FLAGS, build_image, run_image


@dataclass(frozen=True)
class Answer:
    """What the emulated chip made of the windows."""

    logits: npt.NDArray[np.int8]
    embedding: npt.NDArray[np.int8]
    stack_bytes: int
    """Deepest use of the stack below where the engine is called."""
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
    image = build_image(folder, windows, flags=["-Werror", *flags], streams=streams)
    said = run_image(image, program.graph.embedding.size)
    names = [step.name for step in program.steps]
    modes = [
        {name: step.instructions for name, step in zip(names, steps, strict=False)}
        for steps in (said.alone, said.first, said.following)
    ]
    return Answer(said.logits, said.embedding, said.stack_bytes, engine_flash(folder), *modes)


def engine_flash(folder: Path) -> int:
    """Bytes of flash that the engine's object takes: its code, its constants, the few words of its class."""
    made = folder / "engine.o"
    source = FIRMWARE / "engines/compiled/compiled_classifier.cpp"
    flags = [*CHIP, *FLAGS, f"-I{folder}", f"-I{FIRMWARE}"]
    subprocess.run(["arm-none-eabi-g++", *flags, "-c", str(source), "-o", str(made)], cwd=folder, check=True)
    size = subprocess.run(["arm-none-eabi-size", str(made)], capture_output=True, text=True, check=True).stdout
    text, data, *_ = map(int, size.splitlines()[1].split()[:3])
    return text + data
