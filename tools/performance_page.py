"""Writes docs/performance.md's tables and docs/pictures/performance.png from docs/results/performance.json.

With --measure the project's own rows are taken anew first, by the profiler that `hardwear profile` uses (a minute). The
peers' rows stay as they are: they were measured with the peers' own sources, built locally, which are no part of this
repository.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hardwear.bundle import Bundle
from hardwear.codegen import generate, read_graph
from hardwear.codegen.compiled_model import compile_graph
from hardwear.codegen.cost import program_cost
from hardwear.codegen.kernels import Preference
from hardwear.figures import BLUE, GREEN, ORANGE, save_png
from hardwear.marked_section import replace_section
from hardwear.profiling.image import build_image, run_image
from hardwear.profiling.profile import profile
from hardwear.profiling.windows import probing_windows
from hardwear.provenance import provenance
from hardwear.quantization.tflm import TflmModel

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "pictures" / "performance.png"
RESULTS = ROOT / "docs" / "results" / "performance.json"

MODELS = ("compact", "nano", "paper_gap")
WINDOWS = 64
COMMAND = "python tools/performance_page.py --measure"
YARDSTICK = "TFLite-Micro + CMSIS-NN"
OWN = {
    "compiled": "Hardwear compiled",
    "compiled-streaming": "Hardwear compiled, a window that follows another",
    "compiled-ram": "Hardwear compiled, --prefer ram",
    "compiled-flash": "Hardwear compiled, --prefer flash",
}
"""Keys and names of the project's own rows."""
PREFERENCES = {"compiled-ram": Preference.RAM, "compiled-flash": Preference.FLASH}
NAMES = {
    **{name: f"**{name}**" for name in OWN.values()},
    YARDSTICK: "TFLite-Micro + CMSIS-NN, August 2026",
    "TFLite-Micro of the 2024 Arduino library + its CMSIS-NN": "the same of 2024, as the Arduino library has it",
    "TFLite-Micro, reference kernels": "TFLite-Micro, reference kernels, August 2026",
    "NNoM + CMSIS-NN of its time": "NNoM + the CMSIS-NN it was written for ¹",
    "NNoM, own kernels": "NNoM, its own kernels ¹",
    "onnx2c (float32)": "onnx2c, float ²",
}
"""As the page calls the engines, in its order."""

Row = dict[str, Any]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true", help="take the project's own rows anew")
    parser.add_argument("--paper-gap", type=Path, help="bundle of the 9.6 M-MAC network, which is not committed")
    arguments = parser.parse_args()
    document = json.loads(RESULTS.read_text())
    if arguments.measure:
        bundles = {name: ROOT / "models" / name for name in ("compact", "nano")}
        if arguments.paper_gap:
            bundles["paper_gap"] = arguments.paper_gap
        document["results"] = [
            row for row in document["results"] if row["key"] not in OWN or row["model"] not in bundles
        ] + [row for model, folder in bundles.items() for row in measured(model, folder)]
        RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    for name, text in sections(document).items():
        replace_section(PAGE, name, text)
    draw(fewest_instructions(document["results"]))


def sections(document: dict[str, Any]) -> dict[str, str]:
    """The page's written parts, by the name of their markers."""
    best = fewest_instructions(document["results"])
    tables = {f"table {model}": table(model, document["macs"][model], best) for model in MODELS}
    return {**tables, "goals": goals(document["macs"]["paper_gap"], best), "flags": flags(document["results"])}


def measured(model: str, folder: Path) -> list[Row]:
    """The project's own rows of one model."""
    bundle = Bundle.load(folder)
    rows = []
    for key, engine in OWN.items():
        prefer = PREFERENCES.get(key, Preference.SPEED)
        (taken,) = profile(bundle, prefer, streaming=key == "compiled-streaming").engines
        constants = program_cost(compile_graph(read_graph(bundle.tflite), prefer)).constant_bytes
        rows.append(
            {
                "engine": engine,
                "key": key,
                "model": model,
                "instructions": taken.instructions,
                "cycles_modelled": taken.cycles,
                "flash": taken.flash_bytes,
                "code": taken.flash_bytes - constants,
                "ram_static": taken.ram_bytes,
                "arena": taken.arena_bytes,
                "stack": taken.stack_bytes,
                "equal_windows": equal_windows(bundle, prefer) if taken.equal else 0,
                "of_windows": WINDOWS,
                "flags": "kernels -O2",
                "commit": f"this project, {provenance(COMMAND, {})['commit']}",
            }
        )
    return rows


def equal_windows(bundle: Bundle, prefer: Preference) -> int:
    """Of 64 windows, those that the chip and TFLite-Micro's interpreter answer with the same bits."""
    windows = probing_windows(bundle, WINDOWS)
    with tempfile.TemporaryDirectory() as name:
        generate(bundle, Path(name) / "generated", prefer)
        said = run_image(build_image(Path(name), windows), bundle.manifest.outputs.embedding.size)
    logits, embedding = TflmModel(bundle.tflite).run(windows)
    return int(((said.logits == logits).all(axis=1) & (said.embedding == embedding).all(axis=1)).sum())


def fewest_instructions(rows: Sequence[Row]) -> dict[tuple[str, str], Row]:
    """Of every engine and model the build that takes the fewest instructions."""
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        name = (row["engine"], row["model"])
        if name not in best or row["instructions"] < best[name]["instructions"]:
            best[name] = row
    return best


def table(model: str, macs: int, best: dict[tuple[str, str], Row]) -> str:
    """All engines on one model."""
    yardstick = best[YARDSTICK, model]
    lines = [
        "| engine | instructions | per MAC | ratio | modelled cycles | ratio | flash, B | RAM, B | stack, B | equal |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for engine, name in NAMES.items():
        row = best[engine, model]
        count, cycles = row["instructions"], row["cycles_modelled"]
        equal = "no" if row["equal_windows"] == 0 else f"{row['equal_windows']} of {row['of_windows']}"
        lines.append(
            f"| {name} | {count:,} | {count / macs:.2f} | {count / yardstick['instructions']:.2f} | "
            f"{cycles:,} | {cycles / yardstick['cycles_modelled']:.2f} | {row['flash']:,} | {row['ram_static']:,} | "
            f"{row['stack']} | {equal} |"
        )
    return "\n".join(lines)


def goals(macs: int, best: dict[tuple[str, str], Row]) -> str:
    """What the engine is held to, and where it stands: compact and paper-gap, which has `macs` multiply-accumulates."""
    lines = ["| goal | compact | paper-gap |", "|---|---|---|"]

    def times(model: str, key: str, what: str) -> float:
        ratio: float = best[YARDSTICK, model][what] / best[OWN[key], model][what]
        return ratio

    def line(goal: str, values: Sequence[tuple[str, bool | None]]) -> None:
        marks = {True: "met", False: "**missed**", None: ""}
        lines.append(f"| {goal} | " + " | ".join(f"{text} {marks[met]}".strip() for text, met in values) + " |")

    for goal, key, what, least in (
        ("≥ 4.5 times fewer instructions, one whole window", "compiled", "instructions", 4.5),
        ("≥ 3.5 times fewer modelled cycles", "compiled", "cycles_modelled", 3.5),
        ("≥ 7 times fewer instructions where only the new half is computed", "compiled-streaming", "instructions", 7.0),
        ("`--prefer ram`: ≥ 2.5 times fewer instructions", "compiled-ram", "instructions", 2.5),
    ):
        ratios = [times(model, key, what) for model in ("compact", "paper_gap")]
        line(goal, [(f"{ratio:.2f}", ratio >= least) for ratio in ratios])
    shares = [best[OWN["compiled-ram"], m]["arena"] / best[YARDSTICK, m]["arena"] for m in ("compact", "paper_gap")]
    line("`--prefer ram`: ≤ 80 % of TFLite-Micro's arena", [(f"{share:.0%}", share <= 0.8) for share in shares])
    rate = best[OWN["compiled"], "paper_gap"]["instructions"] / macs
    line("≤ 0.55 instructions per multiply-accumulate on paper-gap", [("", None), (f"{rate:.2f}", rate <= 0.55)])
    code = [best[OWN["compiled-streaming"], m]["code"] for m in ("compact", "paper_gap")]
    line(
        "≤ 6 KB of code beyond weights and tables, streaming included",
        [(f"{size:,} B", size <= 6 * 1024) for size in code],
    )
    return "\n".join(lines)


def flags(rows: Sequence[Row]) -> str:
    """How each peer's instructions depend on the compiler's flags."""
    lines = ["| engine | flags of its kernels | compact | nano | paper-gap |", "|---|---|---|---|---|"]
    for engine, name in NAMES.items():
        if engine in OWN.values():
            continue
        for key in dict.fromkeys(row["key"] for row in rows if row["engine"] == engine):
            counts = {row["model"]: row["instructions"] for row in rows if row["key"] == key}
            level = key.replace("_", "-").rpartition("-")[2]
            lines.append(f"| {name[:-2] if name[-1] in '¹²' else name} | `-{level}` | "
                         + " | ".join(f"{counts[model]:,}" for model in MODELS) + " |")  # fmt: skip
    return "\n".join(lines)


def draw(best: dict[tuple[str, str], Row]) -> None:
    """Every engine beside the yardstick: instructions, modelled cycles, flash and RAM."""
    panels = {
        "instructions": "instructions", "modelled cycles": "cycles_modelled", "flash": "flash", "RAM": "ram_static",
    }  # fmt: skip
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    panes: list[Axes] = list(figure.subplots(1, len(panels), sharey=True))
    names = list(NAMES)
    for axes, (title, what) in zip(panes, panels.items(), strict=True):
        for number, (model, colour) in enumerate(zip(MODELS, (BLUE, ORANGE, GREEN), strict=True)):
            ratios = [best[name, model][what] / best[YARDSTICK, model][what] for name in names]
            places = [row + 0.27 * (number - 1) for row in range(len(names))]
            axes.barh(places, ratios, 0.25, color=colour, label=model.replace("_", "-"))
            for place, ratio in zip(places, ratios, strict=True):
                axes.annotate(
                    f"{ratio:.2f}", (ratio, place), (2, 0), textcoords="offset points", va="center", fontsize=7
                )
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set_title(title, fontsize=11)
        axes.set_xlim(0, max(bar.get_width() for bar in axes.patches) * 1.15)  # type: ignore[attr-defined]
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    panes[0].set_yticks(range(len(names)), [NAMES[name].strip("*").rstrip(" ¹²") for name in names], fontsize=9)
    panes[0].invert_yaxis()
    panes[0].legend(fontsize=8, loc="upper right")
    figure.supxlabel("beside TFLite-Micro + CMSIS-NN = 1; smaller is better", fontsize=10)
    save_png(figure, PICTURE)


if __name__ == "__main__":
    main()
