"""The demo: every stage once, in order, on the demo preset; a stage whose inputs have not changed is skipped."""

import hashlib
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hardwear import codegen, evaluation, training
from hardwear.build import Firmware, build, measure
from hardwear.bundle import Bundle
from hardwear.console import note, progress_bar
from hardwear.contract import SYNTHETIC_HEADING
from hardwear.datasets import Dataset, load_uci_har, simulate_dataset
from hardwear.errors import DatasetUnavailable
from hardwear.link import open_emulator
from hardwear.replay import load_result, replay_windows
from hardwear.report import Results, collect, write_report

PACKAGE = Path(__file__).parent


def run_demo(source: Path | None, out: Path, seed: int = 0) -> tuple[Results, Path]:
    """Go from the data to a report of predictions made on the emulated chip.

    Args:
        source: UCI-HAR, or None for HARDWEAR_DATA, the cache, a download and, with none of them, the simulator.
        out: Folder of everything that is made.
        seed: Of the training.

    Returns:
        What `results.json` holds, and the path of the HTML page.

    Raises:
        HardwearError: A stage failed; the message says what to do next.
    """
    dataset = _dataset(source)
    if dataset.synthetic:
        note(f"[bold]{SYNTHETIC_HEADING}[/]")

    settings = replace(training.preset("demo"), seed=seed)
    stage = _Stage("train", out / "run", {
        "data": dataset.sha256, "settings": asdict(settings), "code": _digest(PACKAGE),
    })  # fmt: skip
    if not stage.done:
        with progress_bar("train", "the same command goes on") as progress:
            training.train(dataset, settings, stage.folder, progress)
        stage.finish()

    stage = _Stage("convert", out / "bundle", {"train": stage.key})
    if not stage.done:
        with progress_bar("convert") as progress:
            Bundle.create(training.load_run(out / "run"), dataset, stage.folder, progress)
        stage.finish()
    bundle = Bundle.load(stage.folder)

    headers = out / "firmware" / "generated"
    codegen.generate(bundle, headers)

    firmware = _build(bundle, headers, out)

    stage = _Stage("replay", out / "replay", {
        "firmware": _digest(firmware.elf), "data": dataset.sha256, "identity": bundle.identity,
    })  # fmt: skip
    if not stage.done:
        with progress_bar("replay", "the same command goes on") as progress:
            replay_windows(
                lambda: open_emulator(firmware.elf),
                bundle,
                dataset,
                stage.folder,
                jobs=os.cpu_count() or 1,
                resume=True,
                progress=progress,
            )
        stage.finish()
    replayed = load_result(stage.folder)

    results = collect(replayed, bundle, firmware, evaluation.evaluate(bundle, dataset))
    page = write_report(results, replayed, out, out / "run")
    replayed.require_equal()
    return results, page


def _dataset(source: Path | None) -> Dataset:
    try:
        with progress_bar("data") as progress:
            return load_uci_har(source, progress)
    except DatasetUnavailable as unavailable:
        note(f"{unavailable}\nContinuing on the built-in simulator of the six activities.")
        return simulate_dataset()


def _build(bundle: Bundle, headers: Path, out: Path) -> Firmware:
    firmware_sources = PACKAGE.parents[1] / "firmware"
    stage = _Stage("build", out / "pio", {"identity": bundle.identity, "code": _digest(firmware_sources)})
    if not stage.done:
        with progress_bar("build") as progress:
            firmware = build("emulator", generated=headers, build_dir=stage.folder, progress=progress)
        stage.finish()
        return firmware
    return measure(stage.folder / "emulator" / "firmware.elf")


class _Stage:
    """One stage's folder and the key of its inputs; the same key resumes or skips, another one starts anew."""

    def __init__(self, name: str, folder: Path, inputs: dict[str, Any]) -> None:
        self.folder = folder
        self.key = hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()
        self._stamp = folder.parent / f".{name}.json"
        held = json.loads(self._stamp.read_text()) if self._stamp.exists() else {}
        self.done = held == {"key": self.key, "done": True} and folder.exists()
        if self.done:
            note(f"{name:<10} up to date ({folder})")
        elif held.get("key") != self.key:
            shutil.rmtree(folder, ignore_errors=True)
            self._write(done=False)

    def finish(self) -> None:
        self._write(done=True)

    def _write(self, *, done: bool) -> None:
        self._stamp.parent.mkdir(parents=True, exist_ok=True)
        self._stamp.write_text(json.dumps({"key": self.key, "done": done}))


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of the sources in a folder: names and contents, in order."""
    digest = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and "generated" not in file.parts:
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
