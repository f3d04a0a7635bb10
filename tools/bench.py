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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hardwear.marked_section import replace_section

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "bench"
RESULTS = ROOT / "docs" / "results" / "bench.json"
MODELS = ("compact", "nano")
PAGE = ROOT / "docs" / "bench.md"
README = ROOT / "README.md"

GOALS = {
    "macro-F1 of compact on the device": ("≥", 0.955),
    "macro-F1 of nano on the device": ("≥", 0.950),
    "float − int8 macro-F1 of compact": ("≤", 0.003),
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
    models = {name: measure_model(name) for name in MODELS}
    stream = replay("compact", "--stream", "--recordings", options.recordings, "--out", str(OUT / "stream"))
    figures = {
        "command": "make bench",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        **models,
        "stream": {k: stream[k] for k in ("recordings", "windows", "windows_equal", "logits", "logits_equal", "seconds",
                                          "probabilities_equal", "windows_labelled", "macro_f1", "accuracy")},
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


def measure_model(name: str) -> dict[str, Any]:
    """Generate a shipped bundle's headers, build them into the emulated board and replay all windows."""
    headers, out = OUT / name / "generated", OUT / name / "windows"
    bundle = f"models/{name}"
    subprocess.run([sys.executable, "-m", "hardwear", "generate", bundle, "--out", str(headers)], cwd=ROOT, check=True)
    hardwear("build", "--env", "emulator", "--generated", str(headers), "--build-dir", str(OUT / name / "pio"))
    replay(name, "--out", str(out))
    return hardwear("report", str(out), "--bundle", bundle, "--firmware", str(firmware(name)))


def replay(name: str, *arguments: str) -> dict[str, Any]:
    """Replay a model on its own firmware."""
    return hardwear("replay", f"models/{name}", "--emulator", "--firmware", str(firmware(name)), *arguments)


def firmware(name: str) -> Path:
    """The image that `measure_model` built."""
    return OUT / name / "pio" / "emulator" / "firmware.elf"


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
    compact, nano, stream, demo = (figures[key] for key in ("compact", "nano", "stream", "demo"))
    values = {
        "macro-F1 of compact on the device": compact["macro_f1_device"],
        "macro-F1 of nano on the device": nano["macro_f1_device"],
        "float − int8 macro-F1 of compact": compact["macro_f1_float"] - compact["macro_f1_int8"],
        "whole replay, seconds": compact["replay_seconds"],
        "flash of the emulated image, bytes": compact["flash_bytes"],
        "RAM of the emulated image, bytes": compact["ram_bytes"],
        "whole demo into a fresh folder, seconds (installation and downloads not counted)": demo["seconds"],
    }
    exact = [
        (f"{name}: {what} equal, device and TFLite-Micro", figures[name][f"{what}_equal"], figures[name][of])
        for name in (*MODELS, "demo")
        for what, of in (
            ("windows", "windows"),
            ("logits", "logits"),
            ("embeddings", "windows"),
            ("probabilities", "windows"),
        )
    ] + [
        (f"compact, streamed recordings {stream['recordings']}: windows", stream["windows_equal"], stream["windows"]),
        ("compact, streamed: logits", stream["logits_equal"], stream["logits"]),
        ("compact, streamed: probabilities", stream["probabilities_equal"], stream["windows"]),
    ]
    met = all(a == b for _, a, b in exact)
    lines = [
        "# Bench",
        "",
        f"Written by `{figures['command']}` ([tools/bench.py](../tools/bench.py)) on {figures['machine']}; the same",
        "figures for machines: [results/bench.json](results/bench.json). Keys: [results.md](results.md). Seconds",
        "depend on the machine, nothing else here does.",
        "",
        *(
            f"`models/{n}`: bundle `{figures[n]['identity'][:16]}`, model `{figures[n]['model_sha256'][:16]}…`."
            for n in MODELS
        ),
        f"Data: {compact['dataset']} `{compact['data_sha256'][:16]}…`.",
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
    """The table that the README shows: the shipped bundles beside the demo's quick one.

    Args:
        figures: What was measured.
        docs: Path of the folder docs/ from the page that the table stands on.
    """
    columns = [*MODELS, "demo"]
    seeds = {name: json.loads((RESULTS.parent / f"seeds_{name}.json").read_text())["summary"] for name in MODELS}

    def row(name: str, show: Callable[[dict[str, Any]], str]) -> str:
        return f"| {name} | {' | '.join(show(figures[column]) for column in columns)} |"

    def mean(name: str) -> str:
        return f"{seeds[name]['macro_f1_int8']:.4f} ± {seeds[name]['macro_f1_int8_sd']:.4f}"

    titles = [f"{name} (`{figures[name]['model_sha256'][:8]}`)" for name in MODELS]
    return "\n".join(
        [
            "UCI-HAR's 2,947 test windows (9 people never trained on), one model a column. Five trainings that differ",
            f"in their seed alone reach macro-F1 {mean('compact')} (compact) and {mean('nano')} (nano)",
            f"in int8: [board-model.md]({docs}board-model.md).",
            "",
            f"| | {' | '.join(titles)} | `make demo` (`{figures['demo']['model_sha256'][:8]}`) |",
            "|---|---|---|---|",
            row("macro-F1, float (PyTorch)", lambda r: f"{r['macro_f1_float']:.4f}"),
            row("macro-F1, int8 (TFLite-Micro in Python)", lambda r: f"{r['macro_f1_int8']:.4f}"),
            row("macro-F1, on the emulated Cortex-M4", lambda r: f"{r['macro_f1_device']:.4f}"),
            row("logits equal, device and TFLite-Micro", lambda r: f"{r['logits_equal']:,} of {r['logits']:,}"),
            row("flash, of 983,040 B", lambda r: f"{r['flash_bytes']:,} B"),
            row("RAM with stack, of 262,144 B", lambda r: f"{r['ram_bytes']:,} B"),
            row("activation arena, of that RAM", lambda r: f"{r['arena_bytes']:,} B"),
            row("instructions per inference", lambda r: f"{r['instructions_per_inference']:,.0f}"),
            "",
            f"Made by `make bench`: [bench.md]({docs}bench.md).",
        ]
    )


if __name__ == "__main__":
    main()
