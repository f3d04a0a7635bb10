"""Measure a training preset: cross-validation over the training subjects, then five seeds on all of them.

Cross-validation is what settings are chosen by; its runs do not read the test subjects. The seeds' runs do,
once, at their end. Each run is a folder under --runs and is resumed or reused when this is called again.

    python tools/measure_training.py --preset shipped --out docs/results/training_compact.json
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hardwear.datasets import Dataset, load_uci_har
from hardwear.errors import HardwearError
from hardwear.training import Run, TrainingSettings, preset, preset_names, train


def folds(subjects: Sequence[int], count: int) -> list[tuple[int, ...]]:
    """Every subject is held out once: fold k takes each `count`-th subject from the k-th on."""
    return [tuple(subjects[k::count]) for k in range(count)]


def measure(dataset: Dataset, settings: TrainingSettings, seeds: Sequence[int], fold_count: int, runs: Path) -> Any:
    """Train all runs and gather their scores."""
    subjects = [int(s) for s in np.unique(dataset.train.subjects)]
    held_out = folds(subjects, fold_count)
    validation = [
        run_one(dataset, replace(settings, validation_subjects=fold, read_test=False), runs / f"fold{k}")
        for k, fold in enumerate(held_out)
    ]
    test = [run_one(dataset, replace(settings, seed=seed), runs / f"seed{seed}") for seed in seeds]
    scores = {"settings": settings.to_json(), "data": {"name": dataset.name, "sha256": dataset.sha256}}
    return {
        "command": " ".join(["python tools/measure_training.py", *sys.argv[1:]]),
        **scores,
        "validation": {
            "what": f"macro-F1 on held-out training subjects, {fold_count} folds, seed {settings.seed}",
            **summary(validation),
            "runs": [
                {"held_out": list(fold), "macro_f1": r.metrics.macro_f1}
                for fold, r in zip(held_out, validation, strict=True)
            ],
        },
        "test": {
            "what": "on the test subjects, float, trained on all training subjects, last epoch",
            **summary(test),
            "runs": [
                {
                    "seed": r.settings.seed,
                    "macro_f1": r.metrics.macro_f1,
                    "accuracy": r.metrics.accuracy,
                    "recall": r.metrics.recall,
                    "weights_sha256": r.results.weights_sha256,
                }
                for r in test
            ],
        },
    }


def run_one(dataset: Dataset, settings: TrainingSettings, folder: Path) -> Run:
    """Train, or read what was trained, with a line on stderr."""

    def progress(done: int, total: int, detail: str = "") -> None:
        print(f"\r{folder.name}: epoch {done} of {total}, {detail} ", end="", file=sys.stderr, flush=True)

    run = train(dataset, settings, folder, progress)
    print(f"\r{folder.name}: macro-F1 {run.metrics.macro_f1:.4f}".ljust(78), file=sys.stderr)
    return run


def summary(runs: Sequence[Run]) -> dict[str, float]:
    """Mean and sample standard deviation of macro-F1."""
    scores = [r.metrics.macro_f1 for r in runs]
    return {
        "macro_f1_mean": round(statistics.mean(scores), 4),
        "macro_f1_sd": round(statistics.stdev(scores), 4) if len(scores) > 1 else 0.0,
    }


def main() -> int:
    """Parse, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="shipped", choices=preset_names())
    parser.add_argument("--network", help="instead of the preset's")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--data", type=Path, help="UCI-HAR archive or folder")
    parser.add_argument("--runs", type=Path, help="where the run folders go (default: runs/NETWORK-PRESET)")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    args = parser.parse_args()
    settings = preset(args.preset)
    settings = replace(settings, network=args.network or settings.network)
    runs = args.runs or Path("runs") / f"{settings.network}-{args.preset}"
    try:
        result = measure(load_uci_har(args.data), settings, args.seeds, args.folds, runs)
    except HardwearError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
