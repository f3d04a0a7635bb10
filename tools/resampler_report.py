"""Measures the resampler: writes docs/results/resampler.json, docs/pictures/resampler_response.png, docs/resampling.md.

Needs HAPT's recordings and UCI-HAR: HARDWEAR_DATA, the cache, else they are downloaded. Four minutes on one core.
"""

import argparse
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from hardwear.bundle import Bundle
from hardwear.contract import CHANNEL_COUNT, SAMPLE_RATE_HZ
from hardwear.datasets import load_hapt, load_uci_har, recordings_sha256
from hardwear.errors import HardwearError
from hardwear.figures import AMBER, BLUE, GREEN, ORANGE, PURPLE, save_png
from hardwear.marked_section import replace_section
from hardwear.metrics import classification_metrics
from hardwear.provenance import provenance
from hardwear.quantization.tflm import TflmModel
from hardwear.studies.robustness import condition_all, published_cut, windows_at
from hardwear.studies.sensor_rate import (
    DRAIN_MS,
    as_sensor,
    at_known_rate,
    at_measured_rate,
    conditioned,
    moments,
    of_people,
)
from hardwear.wearable.rate_meter import RateMeter
from hardwear.wearable.resampling import (
    FOLD_HZ,
    KERNEL,
    MAX_RATE_HZ,
    MIN_RATE_HZ,
    ONE,
    PASS_HZ,
    PHASES,
    TAPS,
    resample,
    step_of_rate,
)

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "resampling.md"
PICTURE = ROOT / "docs" / "pictures" / "resampler_response.png"
RESULTS = ROOT / "docs" / "results" / "resampler.json"
SHIPPED = ROOT / "models" / "compact"
COMMAND = "python tools/resampler_report.py"

SENSORS = {"LSM9DS1": 119, "BMI270": 100}
PER_CENT = (-5, 0, 5)
GOAL_RIPPLE_DB, GOAL_DEPTH_DB, GOAL_POINTS = 0.1, 60.0, 0.3

RATES_SCANNED = 41
TONE_SAMPLES, TONE_HEIGHT = 4000, 32000.0
SIMULATED_SENSORS = 200
DRAWS = 3
"""How often the moments are drawn at which the FIFO is drained."""

Row = dict[str, Any]


def main() -> None:
    """Measure, then write."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        document = measure()
    except HardwearError as error:
        raise SystemExit(f"resampler_report: {error}") from None
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    save_png(draw(), PICTURE)
    replace_section(PAGE, "response", response_table(document))
    replace_section(PAGE, "clock", clock_table(document))
    replace_section(PAGE, "accuracy", accuracy_table(document))
    for path in (RESULTS, PICTURE, PAGE):
        print(path.relative_to(ROOT))


def measure() -> dict[str, Any]:
    """All figures of the page."""
    bundle, dataset, recordings = Bundle.load(SHIPPED), load_uci_har(), load_hapt()
    data = {dataset.name: dataset.sha256, "recordings": recordings_sha256(recordings)}
    everywhere = np.linspace(MIN_RATE_HZ, MAX_RATE_HZ, 83)
    return {
        **provenance(COMMAND, data),
        "model_sha256": bundle.manifest.hashes["model.tflite"],
        "kernel": {"taps": TAPS, "phases": PHASES, "l1_norm": KERNEL.l1_norm / 2**15},
        "response": [
            *(response(name, around(nominal)) for name, nominal in SENSORS.items()),
            response("all that the kernel is made for", everywhere),
        ],
        "tones": [tones(name, around(nominal)) for name, nominal in SENSORS.items()],
        "clock": [clock(name, nominal) for name, nominal in SENSORS.items()],
        "accuracy": list(accuracy(bundle, dataset, of_people(recordings, dataset.test.subjects))),
    }


def around(nominal: int) -> npt.NDArray[np.float64]:
    """Rates within 5 % of a data sheet's."""
    return np.linspace(0.95 * nominal, 1.05 * nominal, RATES_SCANNED)


# --- response ---------------------------------------------------------------------------------------------------------


def response(name: str, rates: npt.NDArray[np.float64]) -> Row:
    """What the integers of the table do to tones, worst over the rates."""
    ripple, alias, image, together = [], [], [], []
    for rate in rates:
        passed = np.linspace(0, PASS_HZ, 61)
        ripple.append(np.abs(decibels(KERNEL.response(passed / rate))).max())
        # From FOLD_HZ up a tone would come down into what is passed.
        folding = np.arange(FOLD_HZ, rate / 2, 0.25)
        alias.append(decibels(KERNEL.response(folding / rate)).max())
        # Images of every tone that can be sampled, around every multiple of the rate up to the table's own.
        tones_, multiples = np.linspace(-rate / 2, rate / 2, 61), np.arange(1, PHASES + 3)
        gains = KERNEL.response((tones_[:, None] / rate + multiples).ravel()).reshape(len(tones_), -1)
        image.append(decibels(gains).max())
        inside = np.abs(tones_) <= PASS_HZ
        power = (np.abs(gains) ** 2).sum(axis=1)
        # A real tone has images above and below each multiple.
        together.append(10 * np.log10((power + power[::-1])[inside].max()))
    return {
        "sensor": name,
        "rates_hz": [float(rates.min()), float(rates.max())],
        "ripple_db": float(max(ripple)),
        "worst_alias_db": float(max(alias)),
        "worst_image_db": float(max(image)),
        "images_of_a_passed_tone_together_db": float(max(together)),
        "delay_ms": [1000 * TAPS / 2 / float(rates.max()), 1000 * TAPS / 2 / float(rates.min())],
    }


def tones(name: str, rates: npt.NDArray[np.float64]) -> Row:
    """Full-scale tones in counts through the integer resampler: what comes out besides the tone, and instead of it."""
    rest, folded = [], []
    for rate in rates[::4]:
        for hertz in (1.0, 4.7, 9.3, 14.9):
            out, time = tone(hertz, rate)
            basis = np.stack([np.cos(2 * np.pi * hertz * time), np.sin(2 * np.pi * hertz * time)], axis=1)
            height, *_ = np.linalg.lstsq(basis, out, rcond=None)
            rest.append(rms(out - basis @ height) / rms(basis @ height))
        for hertz in (35.1, 40.3, 0.499 * rate):
            if hertz < rate / 2:
                folded.append(rms(tone(hertz, rate)[0]) / (TONE_HEIGHT / np.sqrt(2)))
    return {
        "sensor": name,
        "beside_a_tone_below_15_hz_db": float(20 * np.log10(max(rest))),
        "left_of_a_tone_above_35_hz_db": float(20 * np.log10(max(folded))),
    }


def tone(hertz: float, rate: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What the resampler makes of a cosine, and when, in seconds; without the start."""
    step = step_of_rate(rate)
    wave = np.rint(TONE_HEIGHT * np.cos(2 * np.pi * hertz / rate * np.arange(TONE_SAMPLES))).astype(np.int16)
    out = resample(np.repeat(wave[:, None], CHANNEL_COUNT, axis=1), step)[TAPS:, 0]
    return out.astype(np.float64), (TAPS + np.arange(len(out))) * (step / ONE) / rate


def rms(values: npt.NDArray[np.float64]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def decibels(gain: npt.NDArray[np.complex128]) -> npt.NDArray[np.float64]:
    """20·log10, with a floor that no plot shows."""
    return np.asarray(20 * np.log10(np.abs(gain) + 1e-9))


def response_table(document: dict[str, Any]) -> str:
    """Markdown."""
    rows = document["response"]
    measured = {row["sensor"]: row for row in document["tones"]}
    lines = [
        "| | goal | " + " | ".join(f"{r['sensor']}, {spread(r['rates_hz'])} Hz" for r in rows) + " |",
        "|---|---|" + "---|" * len(rows),
        f"| ripple below {PASS_HZ:g} Hz (dB) | ≤ {GOAL_RIPPLE_DB:g} | "
        + " | ".join(f"{r['ripple_db']:.4f}" for r in rows)
        + " |",
    ]
    for key, what in (
        ("worst_alias_db", f"worst alias: a tone of {FOLD_HZ:g} Hz or more that would fold below {PASS_HZ:g} Hz (dB)"),
        ("worst_image_db", "worst single image, of any tone (dB)"),
        ("images_of_a_passed_tone_together_db", f"all images of a tone below {PASS_HZ:g} Hz together (dB)"),
    ):
        lines.append(f"| {what} | ≤ −{GOAL_DEPTH_DB:g} | " + " | ".join(minus(r[key]) for r in rows) + " |")
    for key, what in (
        ("beside_a_tone_below_15_hz_db", f"full-scale tone below {PASS_HZ:g} Hz: all that comes out beside it (dB)"),
        ("left_of_a_tone_above_35_hz_db", f"full-scale tone above {FOLD_HZ:g} Hz: all that comes out (dB)"),
    ):
        figures = (minus(measured[r["sensor"]][key]) if r["sensor"] in measured else "" for r in rows)
        lines.append(f"| {what} | ≤ −{GOAL_DEPTH_DB:g} | " + " | ".join(figures) + " |")
    lines.append(
        "| an output is there after (ms) | | " + " | ".join(spread(r["delay_ms"], digits=0) for r in rows) + " |"
    )
    return "\n".join(lines)


def minus(value: float) -> str:
    """One digit after the point, with a true minus sign."""
    return f"{value:.1f}".replace("-", "−")


def spread(ends: list[float], digits: int = 2) -> str:
    """`113.05 to 124.95`, without needless zeros."""
    low, high = (f"{end:.{digits}f}" for end in ends)
    return " to ".join(text.rstrip("0").rstrip(".") if "." in text else text for text in (low, high))


def draw() -> Figure:
    """The gain from a moment to the next, in hertz, at the sensors' rates; the pass band under a magnifying glass."""
    figure = Figure(figsize=(10.0, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    hertz = np.concatenate([np.linspace(0, 60, 900), np.linspace(60.1, 400, 1700)])
    lowest, highest = MIN_RATE_HZ, MAX_RATE_HZ
    curves = (
        (lowest, AMBER, ":"),
        (113.05, GREEN, "-"),
        (119.0, BLUE, "-"),
        (124.95, PURPLE, "-"),
        (highest, "k", ":"),
    )
    for rate, colour, dashes in curves:
        gain = decibels(KERNEL.response(hertz / rate))
        left.plot(hertz, gain, dashes, color=colour, linewidth=1, label=f"sensor at {rate:g} Hz")
        passed = hertz <= 20
        right.plot(hertz[passed], 1000 * gain[passed], dashes, color=colour, linewidth=1.5)
    line = decibels(np.sinc(hertz / 119.0).astype(np.complex128) ** 2)
    left.plot(hertz, line, color=ORANGE, linewidth=1, linestyle="--", label="straight lines between samples, 119 Hz")
    left.fill_between([FOLD_HZ, 400], -GOAL_DEPTH_DB, 10, color="0.9", zorder=0, label="goal: nothing in the grey")
    left.set(xlabel="frequency (Hz); above half the rate: images", ylabel="gain (dB)", xlim=(0, 400), ylim=(-110, 5))
    left.legend(fontsize=8, loc="upper right")
    right.axvspan(PASS_HZ, 20, color="0.9", zorder=0)
    right.set(xlabel="frequency (Hz)", ylabel="gain (thousandths of a dB)", xlim=(0, 20), ylim=(-20, 20))
    right.set_title(f"allowed below {PASS_HZ:g} Hz: ± {1000 * GOAL_RIPPLE_DB:g}", fontsize=10)
    for axes in (left, right):
        axes.grid(color="0.9")
        axes.set_axisbelow(True)
    return figure


# --- the sensor's clock -----------------------------------------------------------------------------------------------


def clock(name: str, nominal: int) -> Row:
    """How far the rate meter is off, over simulated sensors within 5 % of nominal that are drained at odd moments."""
    rng = np.random.default_rng(0)
    worst = {"first": 0.0, "half_a_minute": 0.0}
    for _ in range(SIMULATED_SENSORS):
        rate = nominal * rng.uniform(0.95, 1.05)
        times = np.cumsum(rng.integers(1000 * DRAIN_MS[0], 1000 * DRAIN_MS[1], 600))
        arrived = np.floor(times * rate / 1e6 + rng.uniform())
        meter = RateMeter(1000 * nominal)
        first = True
        for time, drained in zip(times.tolist(), np.diff(arrived, prepend=0).astype(int).tolist(), strict=True):
            meter.add(time, drained)
            off = abs(meter.millihertz / (1000 * rate) - 1)
            if meter.settled and first:
                first = False
                worst["first"] = max(worst["first"], off)
            if time > 35_000_000:
                worst["half_a_minute"] = max(worst["half_a_minute"], off)
    return {"sensor": name, "nominal_hz": nominal, "sensors": SIMULATED_SENSORS, **worst}


def clock_table(document: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        "| worst error of the measured rate | first, after 2 s | from half a minute on |",
        "|---|---|---|",
    ]
    lines += [
        f"| {r['sensor']}, {r['nominal_hz']} Hz ± 5 %, {r['sensors']} simulated | {r['first']:.2%} "
        f"| {r['half_a_minute']:.3%} |"
        for r in document["clock"]
    ]
    return "\n".join(lines)


# --- accuracy ---------------------------------------------------------------------------------------------------------


def accuracy(bundle: Bundle, dataset: Any, recordings: list[Any]) -> Iterator[Row]:
    """Macro-F1 of the shipped int8 model on the test people's windows: as recorded, and through a sensor's rate."""
    cut = published_cut(dataset, recordings)
    model = TflmModel(bundle.tflite)

    def classes(windows: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
        return np.asarray(model.run(bundle.quantizer.quantize(windows))[0].argmax(axis=1), dtype=np.int64)

    direct = classes(windows_at(condition_all([r.samples for r in recordings]), cut))
    base = classification_metrics(cut.labels, direct).macro_f1
    yield {"chain": "direct", "hertz": SAMPLE_RATE_HZ, "macro_f1": base, "windows": len(direct)}
    for name, nominal in SENSORS.items():
        for per_cent in PER_CENT:
            hertz = Fraction(nominal * (100 + per_cent), 100)
            told = [as_sensor(recording.samples, hertz) for recording in recordings]
            chains = [("known", [at_known_rate(counts, hertz) for counts in told])]
            for draw_ in range(DRAWS):
                seeds = [(draw_, recording.experiment) for recording in recordings]
                measured = [at_measured_rate(c, hertz, 1000 * nominal, s) for c, s in zip(told, seeds, strict=True)]
                chains.append((f"measured, draw {draw_}", measured))
            for chain, back in chains:
                found = classes(windows_at(conditioned(back), moments(cut, back)))
                macro_f1 = classification_metrics(cut.labels, found).macro_f1
                yield {
                    "chain": chain,
                    "sensor": name,
                    "hertz": float(hertz),
                    "macro_f1": macro_f1,
                    "lost_points": 100 * (base - macro_f1),
                    "other_class": int((found != direct).sum()),
                }


def accuracy_table(document: dict[str, Any]) -> str:
    """Markdown."""
    direct, *rows = document["accuracy"]
    lines = [
        f"Shipped compact model, int8 (`{document['model_sha256'][:8]}`), {direct['windows']:,} windows of the test "
        f"people; direct at 50 Hz: macro-F1 {direct['macro_f1']:.4f}. Goal: at most {GOAL_POINTS:g} points lost.",
        "",
        "| sensor | rate (Hz) | rate known: points lost | windows of another class "
        f"| rate measured: points lost, mean of {DRAWS} draws (worst) | windows of another class |",
        "|---|---|---|---|---|---|",
    ]
    for known in (row for row in rows if row["chain"] == "known"):
        draws = [row for row in rows if row["hertz"] == known["hertz"] and row["chain"] != "known"]
        lost = [row["lost_points"] for row in draws]
        others = sorted(row["other_class"] for row in draws)
        lines.append(
            f"| {known['sensor']} | {known['hertz']:g} | {points(known['lost_points'])} | {known['other_class']} "
            f"| {points(float(np.mean(lost)))} ({points(max(lost))}) | {others[0]} to {others[-1]} |"
        )
    worst = max(row["lost_points"] for row in rows)
    verdict = "met" if worst <= GOAL_POINTS else "**missed**"
    return "\n".join([*lines, "", f"Most lost in any row and draw: {points(worst)} points, goal {verdict}."])


def points(value: float) -> str:
    """Two digits after the point and a sign."""
    return f"{value:+.2f}".replace("-", "−")


if __name__ == "__main__":
    main()
