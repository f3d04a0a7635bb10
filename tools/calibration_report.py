#!/usr/bin/env python3
"""How the choice of the input's range changes what int8 costs, on the subjects that the runs set aside.

Give run folders that were trained with validation subjects; the test subjects are never looked at. Prints a table of
docs/conversion.md: for each choice of where acceleration and angular rate saturate, how far int8 logits lie from float
ones (root mean square, in per cent of the float logits' standard deviation), windows given another class, change of
macro-F1.

    python tools/calibration_report.py runs/fold0 runs/fold1 runs/fold2
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hardwear.bundle import convert_run
from hardwear.contract import to_counts
from hardwear.datasets import load_uci_har, split_by_subject
from hardwear.errors import TrainingError
from hardwear.metrics import classification_metrics
from hardwear.quantization.convert import Calibration
from hardwear.quantization.tflm import TflmModel
from hardwear.training import Run, load_run

_CHOSEN = Calibration()
CHOICES = (
    *(Calibration(acc, gyro) for acc, gyro in ((15.0, 15.0), (7.0, 7.0), (5.0, 5.0), (4.0, 4.0), (3.0, 3.0))),
    *(Calibration(acc, gyro) for acc, gyro in ((2.0, 2.0), (4.0, 3.0), (4.0, 2.5), (4.0, 2.0))),
    _CHOSEN,
    *(Calibration(acc, gyro) for acc, gyro in ((3.0, 1.5), (2.5, 2.0), (2.5, 1.5))),
    *(Calibration(windows=count) for count in (64, 2048)),
)


def main() -> None:
    """Measure every choice on every run and print the mean over the runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="run folders with validation subjects")
    parser.add_argument("--data", type=Path, help="UCI-HAR (default: HARDWEAR_DATA, the cache, a download)")
    arguments = parser.parse_args()
    figures = np.array([list(measure(load_run(folder), arguments.data)) for folder in arguments.runs])
    print("| acceleration, deviations | angular rate | windows | logit error | other class | macro-F1, points |")
    print("|---|---|---|---|---|---|")
    for choice, rows in zip(CHOICES, figures.transpose(1, 0, 2), strict=True):
        error, changed, points = rows.mean(axis=0)
        spread = f"{points:+.2f} ({rows[:, 2].min():+.2f} to {rows[:, 2].max():+.2f})"
        cells = (f"{choice.acc_limit:g}", f"{choice.gyro_limit:g}", f"{choice.windows}")
        cells = (*cells, f"{error:.1%}", f"{changed:.2%}", spread)
        print("| " + " | ".join(f"**{cell}**" if choice == _CHOSEN else cell for cell in cells) + " |")


def measure(run: Run, data: Path | None) -> Iterator[tuple[float, float, float]]:
    """Relative logit error, share of other classes and points of macro-F1 gained, for each choice."""
    if not run.settings.validation_subjects:
        raise TrainingError(f"expected a run with validation subjects, got {run.folder} without; train one")
    seen, unseen = split_by_subject(load_uci_har(data).train, run.settings.validation_subjects)
    expected = run.logits(unseen.windows)
    macro_f1 = classification_metrics(unseen.labels, expected.argmax(axis=1)).macro_f1
    with tempfile.TemporaryDirectory() as folder:
        for choice in CHOICES:
            converted = convert_run(run, seen.windows, Path(folder) / "model.onnx", choice)
            model = TflmModel(converted.tflite)
            output = model.summary.outputs[0]
            int8, _ = model.run(converted.quantizer.quantize(to_counts(unseen.windows)))
            actual = output.scale * (int8.astype(np.float64) - output.zero_point)
            metrics = classification_metrics(unseen.labels, int8.argmax(axis=1))
            yield (
                float(np.sqrt(((actual - expected) ** 2).mean()) / expected.std()),
                float((int8.argmax(axis=1) != expected.argmax(axis=1)).mean()),
                100 * (metrics.macro_f1 - macro_f1),
            )


if __name__ == "__main__":
    main()
