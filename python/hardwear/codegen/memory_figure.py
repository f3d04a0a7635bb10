"""The memory plan as a picture: which bytes of the arena belong to what, and when."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hardwear.codegen.compiled_model import Program
from hardwear.codegen.plan import Buffer, Place
from hardwear.figures import AMBER, BLUE, GREEN, ORANGE, PURPLE, SKY

_COLOURS = (SKY, ORANGE, GREEN, PURPLE, BLUE)
_TWO_LINES, _ONE_LINE = 0.16, 0.06
"""Shares of the arena from which a box has room for a label of several lines, or of one."""


def draw_memory(program: Program, path: Path, title: str) -> None:
    """Writes an SVG or PNG, by the suffix of `path`: steps from left to right, bytes of the arena upwards.

    A box is an activation from the step that writes it to the last that reads it; scratch memory is hatched. What lies
    in the caller's buffers, window and outputs, is not in the arena.
    """
    steps, memory = program.steps, program.memory
    figure = Figure(figsize=(max(6.0, 1.0 * len(steps) + 1.6), 4.4), layout="constrained")
    axes = figure.subplots()
    for number, (buffer, name) in enumerate(_named(program).items()):
        _box(axes, buffer, name, _COLOURS[number % len(_COLOURS)], memory.arena_bytes)
    for buffer in memory.scratch.values():
        _box(axes, buffer, "scratch", AMBER, memory.arena_bytes, hatch="///")
    axes.axhline(memory.arena_bytes, color="black", linewidth=1)
    axes.annotate(
        f"arena: {memory.arena_bytes:,} bytes", (len(steps), memory.arena_bytes), xytext=(-4, 4),
        textcoords="offset points", ha="right", fontsize=9,
    )  # fmt: skip
    axes.set_xlim(0, len(steps))
    axes.set_ylim(0, memory.arena_bytes * 1.08)
    axes.set_xticks([number + 0.5 for number in range(len(steps))], [s.name for s in steps], rotation=35, ha="right")
    axes.set_xlabel("step")
    axes.set_ylabel("bytes of the arena")
    axes.set_title(title, fontsize=11)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})


def _named(program: Program) -> dict[Buffer, str]:
    """The arena's buffers, each with the steps whose outputs it holds."""
    names: dict[Buffer, list[str]] = {}
    for step in program.steps:
        buffer = program.memory.of(step.target)
        if buffer.place is Place.ARENA:
            tensor = step.target.tensor
            names.setdefault(buffer, []).append(f"{step.name}\n{tensor.positions} × {tensor.channels}")
    return {buffer: "\n".join(parts) for buffer, parts in names.items()}


def _box(axes: Axes, buffer: Buffer, label: str, colour: str, arena_bytes: int, hatch: str | None = None) -> None:
    width = buffer.last - buffer.first + 1
    axes.add_patch(
        Rectangle(
            (buffer.first, buffer.offset), width, buffer.size, facecolor=colour, edgecolor="white", linewidth=1.2,
            alpha=0.85, hatch=hatch,
        )
    )  # fmt: skip
    share = buffer.size / arena_bytes
    text = f"{label}\n{buffer.size:,} B" if share > _TWO_LINES else f"{label.replace(chr(10), ', ')}: {buffer.size:,} B"
    middle, top = buffer.first + width / 2, buffer.offset + buffer.size
    if share > _ONE_LINE:
        axes.annotate(text, (middle, top - buffer.size / 2), ha="center", va="center", fontsize=7.5)
    elif top < arena_bytes / 2:
        axes.annotate(text, (middle, top), (0, 2), textcoords="offset points", ha="center", va="bottom", fontsize=7.5)
    else:
        axes.annotate(
            text, (middle, buffer.offset), (0, -2), textcoords="offset points", ha="center", va="top", fontsize=7.5
        )
