"""Draws the pictures of docs/conditioning.md and rewrites its tables.

Needs HAPT's recordings and UCI-HAR: HARDWEAR_DATA, the cache, else they are downloaded.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.signal import freqz, lfilter

from hardwear.bundle import ONNX_FILE, Bundle
from hardwear.conditioning import FILTER_SPEC, FilterSpec, Section, condition_counts, fixed_point, reference
from hardwear.conditioning.design import (
    ALLOWED_ERROR_COUNTS,
    LOW_PASS,
    OFFSET,
    Butterworth,
    error_bound,
    quantise,
)
from hardwear.conditioning.rebuild import rebuild_windows
from hardwear.conditioning.spec import IMPULSE_SAMPLES, headroom, l1_norm, responses
from hardwear.contract import (
    ACC,
    COUNTS_PER_UNIT,
    GYRO,
    INT16_MAX,
    INT16_MIN,
    SAMPLE_RATE_HZ,
    from_counts,
    to_counts,
)
from hardwear.datasets import Recording, load_hapt, load_uci_har, window_origins
from hardwear.errors import HardwearError
from hardwear.evaluation import int8_classes
from hardwear.marked_section import replace_section
from hardwear.metrics import classification_metrics
from hardwear.quantization.tflm import TflmModel

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "conditioning.md"
PICTURES = ROOT / "docs" / "pictures"
SHIPPED = ROOT / "models" / "compact"
sys.path.insert(0, str(ROOT / "tests" / "python"))

from conditioning_signals import every_kind  # noqa: E402  (the tests' own adversarial signals)
from float_network import float_classes  # noqa: E402

Array = npt.NDArray[np.float64]
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#555555"  # Okabe and Ito
plt.rcParams.update({"font.size": 11, "axes.grid": True, "grid.alpha": 0.3, "savefig.dpi": 110, "axes.axisbelow": True})


def main() -> None:
    """Everything, in the order of the page."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        recordings = load_hapt()
    except HardwearError as error:
        raise SystemExit(f"conditioning_report: {error}") from None
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, draw in (("widths", draw_widths), ("response", draw_response), ("offset_step", draw_offset_step)):
        save(draw(), name)
    rows = list(measure(recordings))
    save(draw_errors(rows), "error")
    replace_section(PAGE, "widths", widths_table())
    replace_section(PAGE, "errors", errors_table(rows))
    replace_section(PAGE, "accuracy", accuracy_table(recordings))


def save(figure: Figure, name: str) -> None:
    """Write docs/pictures/conditioning_<name>.png, the same bytes for the same picture."""
    path = PICTURES / f"conditioning_{name}.png"
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)
    print(path.relative_to(ROOT))


# --- word widths ------------------------------------------------------------------------------------------------------


def draw_widths() -> Figure:
    """Worst-case error against the bits of coefficients and of states."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained", sharey=True)
    bits = np.arange(16, 31)
    bounds = [error_bound(with_widths(int(b), 1)).coefficients for b in bits]
    for index, (name, colour, marker) in enumerate((("acceleration", BLUE, "o"), ("gyro", ORANGE, "s"))):
        left.semilogy(bits, [bound[index] for bound in bounds], color=colour, marker=marker, label=name)
    left.set(xlabel="fractional bits of a coefficient", ylabel="worst-case error (counts)", title="Coefficients")

    fractions = np.arange(1, 14)
    one_bit = error_bound(with_widths(FILTER_SPEC.coefficient_fraction_bits, 1)).states
    plain = 0.5 * plain_rounding_gain()
    right.semilogy(fractions, one_bit[0] * 2.0 ** (1 - fractions), color=BLUE, marker="o", label="acceleration")
    right.semilogy(fractions, one_bit[1] * 2.0 ** (1 - fractions), color=ORANGE, marker="s", label="gyro")
    label = "gyro, remainder thrown away"
    right.semilogy(fractions, plain * 2.0**-fractions, color=PURPLE, marker="^", linestyle=":", label=label)
    right.set(xlabel="fractional bits of a state", title="States")

    for axes, chosen in ((left, FILTER_SPEC.coefficient_fraction_bits), (right, FILTER_SPEC.state_fraction_bits)):
        axes.axhline(ALLOWED_ERROR_COUNTS / 2, color=GREY, linestyle="--", label="allowed: 1/64 count")
        axes.axhline(0.5, color="black", linewidth=1, label="rounding to int16: 1/2 count")
        axes.axvline(chosen, color=GREEN, linewidth=6, alpha=0.3, label=f"taken: {chosen}")
        axes.legend(fontsize=9)
    return figure


def with_widths(coefficient_bits: int, state_bits: int) -> FilterSpec:
    """The same filters in other word widths."""
    return FilterSpec(
        low_pass=tuple(quantise(section, coefficient_bits) for section in LOW_PASS.sections()),
        offset=tuple(quantise(section, coefficient_bits) for section in OFFSET.sections()),
        coefficient_fraction_bits=coefficient_bits,
        state_fraction_bits=state_bits,
    )


def plain_rounding_gain() -> float:
    """L1 norm from a rounding in the offset's section to the output if its remainder is not kept: 1 / A, not shaped."""
    (_, a1, a2), *_ = OFFSET.sections()
    impulse = np.zeros(IMPULSE_SAMPLES)
    impulse[0] = 1.0
    return float(l1_norm(lfilter([1.0], [1.0, a1, a2], impulse)))


def widths_table() -> str:
    """The bounds of the shipped chain."""
    bound, peaks = error_bound(FILTER_SPEC), headroom(FILTER_SPEC)
    lines = [
        "| worst case over every int16 input, before the last rounding | acceleration | gyro |",
        "|---|---|---|",
        "| coefficients, 30 fractional bits (counts) | {:.4f} | {:.4f} |".format(*bound.coefficients),
        "| states, 13 fractional bits (counts) | {:.4f} | {:.4f} |".format(*bound.states),
        f"| together (allowed: {ALLOWED_ERROR_COUNTS:.5f}) | {bound.coefficients[0] + bound.states[0]:.4f} "
        f"| {bound.coefficients[1] + bound.states[1]:.4f} |",
        "",
        "| section | pole radius | Σ\\|h\\| from the input to its output | share of int32 |",
        "|---|---|---|---|",
    ]
    after = responses(FILTER_SPEC)
    unit = 2**15 << FILTER_SPEC.state_fraction_bits
    names = [f"low-pass {k + 1}" for k in range(len(FILTER_SPEC.low_pass))]
    one = 1 << FILTER_SPEC.coefficient_fraction_bits
    for name, section, signals in zip(
        [*names, "gyro offset"], (*FILTER_SPEC.low_pass, *FILTER_SPEC.offset), after, strict=True
    ):
        norm = float(l1_norm(signals[0]))
        lines.append(f"| {name} | {np.sqrt(section.a2 / one):.4f} | {norm:.3f} | {100 * norm * unit / 2**31:.1f} % |")
    norm = float(l1_norm(after[4][0] - after[5][0]))
    lines.append(f"| gyro minus offset | | {norm:.3f} | {100 * norm * unit / 2**31:.1f} % |")
    lines += [
        "",
        f"Largest state: {peaks.state:,} of {2**31 - 1:,}. Largest sum of products: {peaks.accumulator:,} of "
        f"{2**63 - 1:,} ({100 * peaks.accumulator / 2**63:.1f} %).",
    ]
    return "\n".join(lines)


# --- frequency and step response --------------------------------------------------------------------------------------


def draw_response() -> Figure:
    """Magnitude of ideal and quantised filters, and what lies between them."""
    figure, axes = plt.subplots(2, 2, figsize=(11, 7), layout="constrained", sharex="col")
    linear = np.linspace(0.01, SAMPLE_RATE_HZ / 2 - 0.01, 4000)
    logarithmic = np.geomspace(0.002, SAMPLE_RATE_HZ / 2 - 0.01, 4000)
    ideal_low, fixed_low = (chain(linear) for chain in (ideal_low_pass, fixed_low_pass))
    compare(axes[:, 0], linear, ideal_low, fixed_low)
    axes[0, 0].set(title="Low-pass: Butterworth, order 10, 20 Hz", ylim=(-120, 5))
    axes[0, 0].axvline(LOW_PASS.cutoff_hz, color=GREY, linestyle=":", label="20 Hz")
    ideal_gyro = ideal_low_pass(logarithmic) * (1 - ideal(OFFSET, logarithmic))
    fixed_gyro = fixed_low_pass(logarithmic) * (1 - fixed(FILTER_SPEC.offset, logarithmic))
    compare(axes[:, 1], logarithmic, ideal_gyro, fixed_gyro)
    axes[0, 1].set(title="Gyro: low-pass and offset removal at 0.1 Hz", xscale="log", ylim=(-80, 5))
    axes[0, 1].axvline(OFFSET.cutoff_hz, color=GREY, linestyle=":", label="0.1 Hz")
    for column in (0, 1):
        axes[0, column].legend(loc="lower center", fontsize=9)
        axes[1, column].set_xlabel("frequency (Hz)")
    axes[0, 0].set_ylabel("gain (dB)")
    axes[1, 0].set_ylabel("|quantised − ideal| (gain)")
    return figure


def compare(column: npt.NDArray[np.object_], hertz: Array, ideal_: Array, fixed_: Array) -> None:
    """Both curves above, their distance below."""
    above: Axes = column[0]
    below: Axes = column[1]
    above.plot(hertz, decibels(ideal_), color=ORANGE, linewidth=5, alpha=0.5, label="ideal (float64)")
    above.plot(hertz, decibels(fixed_), color=BLUE, linewidth=1.5, label="quantised (30 bits)")
    below.semilogy(hertz, np.abs(fixed_ - ideal_) + 1e-18, color=BLUE)
    below.axhline(0.5 / 2**15, color="black", linewidth=1, label="half a count at full scale")
    below.set_ylim(1e-14, 1e-4)
    below.legend(loc="lower center", fontsize=9)


def decibels(gain: Array) -> Array:
    """20·log10, with a floor that no plot shows."""
    return np.asarray(20 * np.log10(np.abs(gain) + 1e-12))


def ideal(filter_: Butterworth, hertz: Array) -> Array:
    """Complex gain of the unquantised sections."""
    gain = np.ones(len(hertz), dtype=np.complex128)
    for g, a1, a2 in filter_.sections():
        gain *= freqz([g, 2 * g, g], [1.0, a1, a2], hertz, fs=SAMPLE_RATE_HZ)[1]
    return gain


def fixed(sections: tuple[Section, ...], hertz: Array) -> Array:
    """Complex gain of the integers."""
    one = float(1 << FILTER_SPEC.coefficient_fraction_bits)
    gain = np.ones(len(hertz), dtype=np.complex128)
    for s in sections:
        gain *= freqz(np.array([s.b0, s.b1, s.b2]) / one, np.array([one, s.a1, s.a2]) / one, hertz, fs=SAMPLE_RATE_HZ)[
            1
        ]
    return gain


def ideal_low_pass(hertz: Array) -> Array:
    """The first column's curve."""
    return ideal(LOW_PASS, hertz)


def fixed_low_pass(hertz: Array) -> Array:
    """The same in integers."""
    return fixed(FILTER_SPEC.low_pass, hertz)


def draw_offset_step() -> Figure:
    """A gyro that reads a constant rate from the first sample on: how its offset goes."""
    rate = 0.05
    seconds = np.arange(25 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    counts = to_counts(np.full((len(seconds), 6), rate))
    ideal_ = reference.condition(counts)[:, GYRO][:, 0]
    fixed_ = condition_counts(counts)[:, GYRO][:, 0].astype(np.float64)
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(9, 6.4), layout="constrained", sharex=True, height_ratios=(2, 1)
    )
    unit = COUNTS_PER_UNIT[3]
    above.axhline(rate, color=GREY, linestyle=":", label="gyro reads 0.05 rad/s from the start")
    above.plot(seconds, ideal_ / unit, color=ORANGE, linewidth=5, alpha=0.5, label="float64")
    above.plot(seconds, fixed_ / unit, color=BLUE, linewidth=1.5, label="fixed point")
    above.set(ylabel="body_gyro (rad/s)", title="Step response of the gyro's offset removal")
    above.legend()
    below.plot(seconds, fixed_ - ideal_, color=BLUE, linewidth=1)
    below.axhline(0.5, color="black", linewidth=1)
    below.axhline(-0.5, color="black", linewidth=1, label="half a count: rounding to int16")
    below.set(xlabel="time since the first sample (s)", ylabel="fixed − float64 (counts)", ylim=(-0.65, 0.65))
    below.legend(loc="upper right", fontsize=9)
    return figure


# --- errors -----------------------------------------------------------------------------------------------------------

Row = tuple[str, int, Array]
"""Name, samples, then (acceleration max, rms, gyro max, rms) in counts."""


def measure(recordings: tuple[Recording, ...]) -> Iterator[Row]:
    """Fixed point minus float64, both from the same counts; then HAPT also with the rounding of its raw samples."""
    for kind, counts in every_kind(FILTER_SPEC, samples=8192, recordings=32).items():
        yield row_of(kind, [counts], lambda c: (condition_counts(c), reference.condition(c)))
    raw = [recording.samples for recording in recordings]
    yield row_of("HAPT, same counts", [to_counts(samples) for samples in raw], from_same_counts)
    yield row_of("HAPT, from raw floats", raw, from_floats)


def from_same_counts(counts: npt.NDArray[np.int16]) -> tuple[Array, Array]:
    """What the arithmetic costs."""
    return condition_counts(counts).astype(np.float64), reference.condition(counts)


def from_floats(samples: Array) -> tuple[Array, Array]:
    """What the chain costs as a whole: rounding of the input, arithmetic, rounding of the output."""
    fixed_ = from_counts(condition_counts(to_counts(samples)))
    return fixed_ * COUNTS_PER_UNIT, reference.condition(samples) * COUNTS_PER_UNIT


def row_of(name: str, signals: list[npt.NDArray[np.generic]], both: Callable[..., tuple[Array, Array]]) -> Row:
    """Max and rms over all samples of a kind; where the output saturates, float64 is held to int16's range too."""
    squares, samples = np.zeros(2), 0
    largest = np.zeros(2)
    for signal in signals:
        fixed_, ideal_ = both(signal)
        error = np.abs(fixed_ - np.clip(ideal_, INT16_MIN, INT16_MAX))
        for index, channels in enumerate((ACC, GYRO)):
            largest[index] = max(largest[index], error[..., channels].max())
            squares[index] += np.square(error[..., channels]).sum() / 3
        samples += error[..., 0].size
    rms = np.sqrt(squares / samples)
    return name, samples, np.array([largest[0], rms[0], largest[1], rms[1]])


def errors_table(rows: list[Row]) -> str:
    """Markdown."""
    lines = [
        "| signal | samples | acc max | acc rms | gyro max | gyro rms |",
        "|---|---|---|---|---|---|",
    ]
    lines += [f"| {name} | {n:,} | " + " | ".join(f"{e:.4f}" for e in errors) + " |" for name, n, errors in rows]
    return "\n".join(lines)


def draw_errors(rows: list[Row]) -> Figure:
    """Max and rms per kind of signal."""
    figure, axes = plt.subplots(figsize=(9, 4.6), layout="constrained")
    positions = np.arange(len(rows))[::-1]
    series = (
        ("acceleration, max", 0, BLUE, "o", 0.12),
        ("acceleration, rms", 1, BLUE, "|", 0.12),
        ("gyro, max", 2, ORANGE, "s", -0.12),
        ("gyro, rms", 3, ORANGE, "|", -0.12),
    )
    for label, column, colour, marker, shift in series:
        values = [errors[column] for _, _, errors in rows]
        axes.scatter(values, positions + shift, color=colour, marker=marker, s=70, label=label)
    axes.axvline(0.5, color="black", linewidth=1, label="half a count: rounding to int16")
    axes.axvline(1 / np.sqrt(12), color=GREY, linestyle=":", label="its rms, 1/√12 count")
    axes.set_yticks(positions, [name for name, _, _ in rows])
    axes.set(xlabel="|fixed point − float64| (counts)", xlim=(-0.02, None), title="Error of the fixed-point chain")
    axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


# --- accuracy ---------------------------------------------------------------------------------------------------------


def accuracy_table(recordings: tuple[Recording, ...]) -> str:
    """Macro-F1 of the shipped network on the published windows and on the same ones conditioned in fixed point."""
    bundle, dataset = Bundle.load(SHIPPED), load_uci_har()
    chain = partial(fixed_point.condition, spec=bundle.filter_spec)
    rebuilt = rebuild_windows(recordings, window_origins(dataset, recordings).test, chain).astype(np.float32)
    model, normalization = TflmModel(bundle.tflite), bundle.manifest.normalization
    classifiers: dict[str, Callable[[npt.NDArray[np.float32]], npt.NDArray[np.int64]]] = {
        "float": lambda windows: float_classes(SHIPPED / ONNX_FILE, normalization, windows),
        "int8": lambda windows: int8_classes(model, bundle.quantizer, windows),
    }
    lines = [
        f"| shipped network (`{bundle.manifest.hashes['model.tflite'][:8]}`), {len(dataset.test):,} windows "
        "| published windows | fixed-point chain | classes changed |",
        "|---|---|---|---|",
    ]
    for name, classify in classifiers.items():
        published, fixed_ = classify(dataset.test.windows), classify(rebuilt)
        scores = [classification_metrics(dataset.test.labels, classes).macro_f1 for classes in (published, fixed_)]
        lines.append(f"| macro-F1, {name} | {scores[0]:.4f} | {scores[1]:.4f} | {np.sum(published != fixed_)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
