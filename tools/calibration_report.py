#!/usr/bin/env python3
"""How the choice of the input's range changes what int8 costs, on the subjects that the runs set aside.

Give run folders that were trained with validation subjects; the test subjects are never looked at. Prints a table of
docs/conversion.md: for each share of saturating samples, or for the range that a network whose input saturates
dictates, the int8 step, how far int8 logits lie from float ones (root
mean square, in per cent of the float logits' standard deviation), windows given another class, change of macro-F1.

    python tools/calibration_report.py runs/fold0 runs/fold1 runs/fold2
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hardwear.contract import from_counts, to_counts
from hardwear.datasets import load_uci_har
from hardwear.errors import TrainingError
from hardwear.metrics import classification_metrics
from hardwear.quantization.convert import Calibration, to_int8
from hardwear.quantization.onnx_export import export_onnx
from hardwear.quantization.quantizer import InputQuantizer
from hardwear.quantization.tflm import TflmModel
from hardwear.training import Run, load_run

CHOICES = (
    *(Calibration(input_tail=tail) for tail in (0.0, 1e-5, 1e-4, 3e-4, 1e-3, 2e-3, 1e-2)),
    *(Calibration(windows=count) for count in (64, 2048)),
)


def main() -> None:
    """Measure every choice on every run and print the mean over the runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="run folders with validation subjects")
    parser.add_argument("--data", type=Path, help="UCI-HAR (default: HARDWEAR_DATA, the cache, a download)")
    arguments = parser.parse_args()
    runs = [load_run(folder) for folder in arguments.runs]
    if len({run.normalization.limit for run in runs}) != 1:
        raise TrainingError("expected runs whose inputs saturate alike, or nowhere; give them one kind at a time")
    dictated = bool(runs[0].normalization.limit)
    choices = (Calibration(),) if dictated else CHOICES
    figures = np.array([list(measure(run, choices, arguments.data)) for run in runs])
    print("| saturating at each end | windows | step (deviations) | logit error | other class | macro-F1, points |")
    print("|---|---|---|---|---|---|")
    for choice, rows in zip(choices, figures.transpose(1, 0, 2), strict=True):
        step, error, changed, points = rows.mean(axis=0)
        spread = f"{points:+.2f} ({rows[:, 3].min():+.2f} to {rows[:, 3].max():+.2f})"
        saturating = "as the network dictates" if dictated else f"{choice.input_tail:.3%}"
        print(f"| {saturating} | {choice.windows} | {step:.3f} | {error:.1%} | {changed:.2%} | {spread} |")


def measure(run: Run, choices: Sequence[Calibration], data: Path | None) -> Iterator[tuple[float, float, float, float]]:
    """Step, relative logit error, share of other classes and points of macro-F1 gained, for each choice."""
    if not run.settings.validation_subjects:
        raise TrainingError(f"expected a run with validation subjects, got {run.folder} without; train one")
    train = load_uci_har(data).train
    held_out = np.isin(train.subjects, run.settings.validation_subjects)
    seen, unseen = train.select(~held_out), train.select(held_out)
    normalised = run.normalization.apply(from_counts(to_counts(seen.windows)).astype(np.float32))
    expected = run.logits(unseen.windows)
    macro_f1 = classification_metrics(unseen.labels, expected.argmax(axis=1)).macro_f1
    with tempfile.TemporaryDirectory() as folder:
        onnx = Path(folder) / "model.onnx"
        export_onnx(run.network, onnx)
        for choice in choices:
            model = TflmModel(to_int8(onnx, normalised, choice, run.normalization.limit))
            window, output = model.summary.input, model.summary.outputs[0]
            quantizer = InputQuantizer.design(
                run.normalization.mean, run.normalization.std, window.scale, window.zero_point
            )
            int8, _ = model.run(quantizer.quantize(to_counts(unseen.windows)))
            actual = output.scale * (int8.astype(np.float64) - output.zero_point)
            metrics = classification_metrics(unseen.labels, int8.argmax(axis=1))
            yield (
                window.scale,
                float(np.sqrt(((actual - expected) ** 2).mean()) / expected.std()),
                float((int8.argmax(axis=1) != expected.argmax(axis=1)).mean()),
                100 * (metrics.macro_f1 - macro_f1),
            )


if __name__ == "__main__":
    main()
