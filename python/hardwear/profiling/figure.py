"""Where the cycles of an inference go, as flames that stand on their base: inference, steps, functions."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hardwear.figures import AMBER, BLUE, GREEN, ORANGE, PURPLE, SKY
from hardwear.profiling.cycles import CLOCK_HZ
from hardwear.profiling.profile import EngineProfile, Profile

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER)
_CHARACTER = 0.0058
"""Of the width: a label that does not fit is cut, or left out."""


def draw_flames(profile: Profile, path: Path) -> None:
    """Writes an SVG or PNG, by the suffix of `path`: one flame an engine, all of one scale.

    The lowest row is the inference, the next its steps in the order of execution, the highest their functions; widths
    are modelled cycles.
    """
    widest = max(engine.cycles for engine in profile.engines)
    figure = Figure(figsize=(12, 0.6 + 2.1 * len(profile.engines)), layout="constrained")
    names = list(dict.fromkeys(step.name for engine in profile.engines for step in engine.steps))
    colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}
    panes: list[Axes] = list(figure.subplots(len(profile.engines), sharex=True, squeeze=False)[:, 0])
    for axes, engine in zip(panes, profile.engines, strict=True):
        _draw(axes, engine, widest, colours)
    waits = f", {profile.wait_states} flash wait states" if profile.wait_states else ""
    panes[-1].set_xlabel(f"modelled Cortex-M4 cycles, thousands{waits}")
    figure.suptitle(f"{profile.bundle}: one window", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})


def _draw(axes: Axes, engine: EngineProfile, widest: int, colours: dict[str, str]) -> None:
    milliseconds = engine.cycles / CLOCK_HZ * 1e3
    title = f"{engine.engine}: {engine.cycles:,} cycles, {milliseconds:.1f} ms at 64 MHz"
    _box(axes, 0, engine.cycles, 0, "#dddddd", title, widest)
    start = 0
    for step in engine.steps:
        colour = colours[step.name]
        _box(axes, start, step.cycles, 1, colour, step.name, widest)
        left = start
        for function in step.functions:
            _box(axes, left, function.cycles, 2, colour, function.name.rpartition("::")[2], widest, pale=True)
            left += function.cycles
        start += step.cycles
    axes.set_xlim(0, widest / 1000)
    axes.set_ylim(0, 3)
    axes.set_yticks([0.5, 1.5, 2.5], ["inference", "steps", "functions"])
    axes.tick_params(left=False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _box(
    axes: Axes, start: int, width: int, row: int, colour: str, label: str, widest: int, *, pale: bool = False
) -> None:
    axes.add_patch(
        Rectangle(
            (start / 1000, row + 0.04), width / 1000, 0.92, facecolor=colour, alpha=0.45 if pale else 0.9,
            edgecolor="white", linewidth=0.6,
        )
    )  # fmt: skip
    room = int(width / widest / _CHARACTER)
    shown = label if len(label) <= room else f"{label[: room - 1]}…" if room > 4 else ""
    dark = pale or row == 0
    axes.text(
        (start + width / 2) / 1000, row + 0.5, shown, ha="center", va="center", fontsize=8,
        color="black" if dark else "white",
    )  # fmt: skip
