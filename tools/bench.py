#!/usr/bin/env python3
"""Measure what the README and docs/bench.md state, on this machine, and write both anew (`make bench`).

Every step is a `hardwear` verb in a process of its own, as a user would run it; needs UCI-HAR and HAPT.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hardwear.marked_section import replace_section

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "bench"
RESULTS = ROOT / "docs" / "results" / "bench.json"
SEEDS = ROOT / "docs" / "results" / "seeds_compact.json"
PAGE = ROOT / "docs" / "bench.md"
README = ROOT / "README.md"

GOALS = {
    "macro-F1 of the shipped bundle on the device": ("≥", 0.955),
    "float − int8 macro-F1 of the shipped bundle": ("≤", 0.003),
    "whole replay, seconds": ("≤", 300),
    "flash of the emulated image, bytes": ("≤", 256 * 1024),
    "RAM of the emulated image, bytes": ("≤", 64 * 1024),
    "whole demo into a fresh folder, seconds (installation and downloads not counted)": ("≤", 720),
}


def main() -> None:
    """Run, write, and exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skip-demo", action="store_true", help="keep the demo's figures of the last run")
    parser.add_argument("--recordings", default="1,2,3,32,61", help="HAPT experiments to stream")
    options = parser.parse_args()

    held = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    demo = held["demo"] if options.skip_demo else measure_demo()
    hardwear("build", "--env", "emulator")
    windows = hardwear("replay", "--emulator", "--out", str(OUT / "windows"))
    elf = ROOT / ".pio" / "build" / "emulator" / "firmware.elf"
    report = hardwear("report", str(OUT / "windows"), "--firmware", str(elf))
    stream = hardwear(
        "replay", "--emulator", "--stream", "--recordings", options.recordings, "--out", str(OUT / "stream")
    )
    figures = {
        "command": "make bench",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "shipped": report,
        "stream": {k: stream[k] for k in ("recordings", "windows", "windows_equal", "logits", "logits_equal", "seconds",
                                          "probabilities_equal", "windows_labelled", "macro_f1", "accuracy")},
        "windows_seconds": windows["seconds"],
        "demo": demo,
    }  # fmt: skip
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    page, met = render(figures)
    PAGE.write_text(page)
    replace_section(README, "figures", table(figures, "docs/"))
    print(page)
    sys.exit(0 if met else 1)


def hardwear(*arguments: str) -> dict[str, Any]:
    """One verb with `--json`, its progress shown."""
    command = [sys.executable, "-m", "hardwear", *arguments, "--json"]
    print("$ hardwear", *arguments, "--json", flush=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure_demo() -> dict[str, Any]:
    """Time the whole demo into a fresh folder, downloads and installation not counted."""
    out = OUT / f"demo-{int(time.time())}"
    print("$ hardwear demo --out", out, flush=True)
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "hardwear", "demo", "--out", str(out)], cwd=ROOT, check=True)
    seconds = time.monotonic() - started
    return {"seconds": seconds, **json.loads((out / "results.json").read_text())}


def render(figures: dict[str, Any]) -> tuple[str, bool]:
    """The page, and whether every goal is met."""
    shipped, stream, demo = figures["shipped"], figures["stream"], figures["demo"]
    values = {
        "macro-F1 of the shipped bundle on the device": shipped["macro_f1_device"],
        "float − int8 macro-F1 of the shipped bundle": shipped["macro_f1_float"] - shipped["macro_f1_int8"],
        "whole replay, seconds": figures["windows_seconds"],
        "flash of the emulated image, bytes": shipped["flash_bytes"],
        "RAM of the emulated image, bytes": shipped["ram_bytes"],
        "whole demo into a fresh folder, seconds (installation and downloads not counted)": demo["seconds"],
    }
    exact = [
        ("windows equal, device and TFLite-Micro", shipped["windows_equal"], shipped["windows"]),
        ("logits equal", shipped["logits_equal"], shipped["logits"]),
        ("embeddings equal", shipped["embeddings_equal"], shipped["windows"]),
        ("probabilities equal", shipped["probabilities_equal"], shipped["windows"]),
        (f"stream windows equal, recordings {stream['recordings']}", stream["windows_equal"], stream["windows"]),
        ("stream logits equal", stream["logits_equal"], stream["logits"]),
        ("stream probabilities equal", stream["probabilities_equal"], stream["windows"]),
        ("demo: windows equal", demo["windows_equal"], demo["windows"]),
        ("demo: logits equal", demo["logits_equal"], demo["logits"]),
    ]
    met = all(a == b for _, a, b in exact)
    lines = [
        "# Bench",
        "",
        f"Written by `{figures['command']}` ([tools/bench.py](../tools/bench.py)) on {figures['machine']}; the same",
        "figures for machines: [results/bench.json](results/bench.json). Keys: [results.md](results.md). Seconds",
        "depend on the machine, nothing else here does.",
        "",
        f"Shipped bundle `{shipped['identity'][:16]}`, model `{shipped['model_sha256'][:16]}…`,",
        f"data {shipped['dataset']} `{shipped['data_sha256'][:16]}…`.",
        "",
        "| must be equal | equal | of |",
        "|---|---|---|",
        *(f"| {name} | {a:,} | {b:,} |" for name, a, b in exact),
        "",
        "| figure | value | goal | |",
        "|---|---|---|---|",
    ]
    for name, (relation, goal) in GOALS.items():
        value = values[name]
        holds = value >= goal if relation == "≥" else value <= goal
        met = met and holds
        shown = f"{value:.4f}" if isinstance(goal, float) else f"{value:,.0f}"
        lines.append(f"| {name} | {shown} | {relation} {goal:,} | {'met' if holds else 'missed'} |")
    lines += ["", table(figures, ""), ""]
    return "\n".join(lines), met


def table(figures: dict[str, Any], docs: str) -> str:
    """The table that the README shows: the shipped bundle beside the demo's quick one.

    Args:
        figures: What was measured.
        docs: Path of the folder docs/ from the page that the table stands on.
    """
    shipped, demo = figures["shipped"], figures["demo"]
    seeds = json.loads(SEEDS.read_text())["summary"]

    def both(show: Any) -> str:
        return f"{show(shipped)} | {show(demo)}"

    rows = [
        ("macro-F1, float (PyTorch)", both(lambda r: f"{r['macro_f1_float']:.4f}")),
        ("macro-F1, int8 (TFLite-Micro in Python)", both(lambda r: f"{r['macro_f1_int8']:.4f}")),
        ("macro-F1, on the emulated Cortex-M4", both(lambda r: f"{r['macro_f1_device']:.4f}")),
        ("logits equal, device and TFLite-Micro", both(lambda r: f"{r['logits_equal']:,} of {r['logits']:,}")),
        ("flash, of 983,040 B", both(lambda r: f"{r['flash_bytes']:,} B")),
        ("RAM with stack, of 262,144 B", both(lambda r: f"{r['ram_bytes']:,} B")),
        ("activation arena, of that RAM", both(lambda r: f"{r['arena_bytes']:,} B")),
        ("instructions per inference", both(lambda r: f"{r['instructions_per_inference']:,.0f}")),
    ]
    return "\n".join(
        [
            "UCI-HAR's 2,947 test windows (9 people never trained on), one model a column. Five trainings that differ",
            f"in their seed alone reach macro-F1 {seeds['macro_f1_int8']:.4f} ± {seeds['macro_f1_int8_sd']:.4f} in int8"
            f" ([board-model.md]({docs}board-model.md)).",
            "",
            f"| | shipped (`{shipped['model_sha256'][:8]}`) | `make demo` (`{demo['model_sha256'][:8]}`) |",
            "|---|---|---|",
            *(f"| {name} | {cells} |" for name, cells in rows),
            "",
            f"Made by `make bench`: [bench.md]({docs}bench.md).",
        ]
    )


if __name__ == "__main__":
    main()
