"""Predictions made on the emulated Cortex-M4 are Python's, window by window and over whole raw recordings."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hardwear.build import Firmware, build
from hardwear.bundle import Bundle
from hardwear.codegen import generate
from hardwear.contract import SYNTHETIC_HEADING
from hardwear.datasets import Dataset, Recording, recordings_sha256, simulate_dataset, simulate_recordings
from hardwear.errors import BundleMismatch
from hardwear.link import open_emulator
from hardwear.replay import replay_stream, replay_windows

pytestmark = pytest.mark.emulator

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "models" / "compact"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(BUNDLE)


def test_simulated_windows_agree_on_every_logit(firmware: Firmware, bundle: Bundle, tmp_path: Path) -> None:
    result = replay_windows(
        lambda: open_emulator(firmware.elf), bundle, simulate_dataset(), tmp_path, limit=200, jobs=2
    )
    result.require_equal()
    assert result.windows_equal == 200
    assert result.time_unit == "instructions"


def test_a_simulated_recording_agrees_through_the_whole_chain(
    firmware: Firmware, bundle: Bundle, tmp_path: Path
) -> None:
    recordings = simulate_recordings()[:1]
    result = replay_stream(
        lambda: open_emulator(firmware.elf), bundle, recordings, "SYNTHETIC", recordings_sha256(recordings), tmp_path
    )
    result.require_equal()
    assert result.windows > 20


@pytest.mark.data
def test_real_windows_agree_on_every_logit(
    firmware: Firmware, bundle: Bundle, uci_har: Dataset, tmp_path: Path
) -> None:
    result = replay_windows(lambda: open_emulator(firmware.elf), bundle, uci_har, tmp_path, limit=600, jobs=2)
    result.require_equal()
    assert result.logits_equal == 6 * 600


@pytest.mark.data
def test_a_real_raw_recording_agrees_through_the_whole_chain(
    firmware: Firmware, bundle: Bundle, hapt: tuple[Recording, ...], tmp_path: Path
) -> None:
    result = replay_stream(
        lambda: open_emulator(firmware.elf), bundle, hapt[:1], "HAPT", recordings_sha256(hapt[:1]), tmp_path
    )
    result.require_equal()
    assert result.accuracy is not None


@pytest.mark.data
def test_the_nano_bundle_agrees_on_every_logit_too(uci_har: Dataset, tmp_path: Path) -> None:
    nano = Bundle.load(ROOT / "models" / "nano")
    generate(nano, tmp_path / "generated")
    firmware = build("emulator", generated=tmp_path / "generated", build_dir=tmp_path / "pio")
    result = replay_windows(lambda: open_emulator(firmware.elf), nano, uci_har, tmp_path / "out", limit=600, jobs=2)
    result.require_equal()
    assert result.logits_equal == 6 * 600


def test_another_bundle_is_refused_before_the_first_window(firmware: Firmware, bundle: Bundle, tmp_path: Path) -> None:
    from dataclasses import replace

    other = replace(bundle, identity="0" * 64)
    with pytest.raises(BundleMismatch, match=bundle.identity[:16]):
        replay_windows(lambda: open_emulator(firmware.elf), other, simulate_dataset(), tmp_path, limit=1)
    assert not (tmp_path / "replay.json").exists()


def test_the_image_keeps_to_its_budgets(firmware: Firmware) -> None:
    assert firmware.flash_bytes <= 256 * 1024
    assert firmware.ram_bytes <= 64 * 1024


DEMO = """
import dataclasses, sys
from hardwear import cli, training
full = training.preset
training.preset = lambda name: dataclasses.replace(full(name), epochs=2)
cli.main()
"""


def run_demo(out: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """The demo as a user without data and network runs it, but for two epochs."""
    environment = {k: v for k, v in os.environ.items() if k != "HARDWEAR_DATA"}
    environment |= {"HARDWEAR_CACHE": str(cache), "https_proxy": "http://127.0.0.1:9", "COLUMNS": "120"}
    return subprocess.run(
        [sys.executable, "-c", DEMO, "demo", "--out", str(out)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_without_data_and_network_the_demo_goes_the_whole_way_and_is_headed_synthetic(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done = run_demo(out, tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    assert SYNTHETIC_HEADING in done.stdout
    results: dict[str, Any] = json.loads((out / "results.json").read_text())
    assert results["dataset"] == "SYNTHETIC"
    assert results["windows"] == results["windows_equal"] > 500
    assert results["logits"] == results["logits_equal"] == 6 * results["windows"]
    assert results["macro_f1_device"] == results["macro_f1_int8"]
    assert SYNTHETIC_HEADING in (out / "report.html").read_text()

    again = run_demo(out, tmp_path / "cache")
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("up to date") == 4
    assert json.loads((out / "results.json").read_text()) == results
