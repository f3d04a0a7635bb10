"""Whether the chip's confidence means what it says, and the temperature that makes it so.

The temperature is fitted on people that nobody learnt from and nobody is tested on: each fold of the `seeds` study left
its network's run folder; converted to int8 it answers for the training subjects that it held out. The test subjects are
read once, to tell how well the bundle's own confidence does without and with that temperature.
"""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hardwear.bundle import Bundle, convert_run
from hardwear.confidence import IntegerSoftmax
from hardwear.datasets import Dataset, split_by_subject
from hardwear.errors import StudyError
from hardwear.evaluation import int8_logits
from hardwear.figures import BLUE, ORANGE
from hardwear.progress import Progress, silent
from hardwear.provenance import provenance
from hardwear.quantization.tflm import TflmModel
from hardwear.reliability import BINS, fit_temperature, reliability
from hardwear.studies.results import ResultsFile, Row, documents, results_path
from hardwear.studies.words import not_measured, picture, sources
from hardwear.training import Run, load_run

STUDY = "calibration"
_FIGURES = ("ece", "ece_equal_mass", "nll", "brier", "confidence", "accuracy")


@dataclass(frozen=True)
class Answers:
    """What an int8 model answered to labelled windows."""

    logits: npt.NDArray[np.int8]
    """(N, 6)."""
    labels: npt.NDArray[np.int64]
    """(N,)."""
    scale: float
    """Of the logits."""

    @property
    def real(self) -> npt.NDArray[np.float64]:
        """(N, 6) logits, but for a constant that no softmax notices: the zero point stays."""
        return self.scale * self.logits.astype(np.float64)

    def told(self, temperature: float) -> npt.NDArray[np.uint8]:
        """(N, 6) probabilities in 255ths, as the chip computes them."""
        return IntegerSoftmax(self.scale, temperature).probabilities(self.logits)

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """(N,) the decided classes."""
        return np.asarray(self.logits.argmax(axis=1), dtype=np.int64)


def calibrate(
    bundle: Bundle,
    dataset: Dataset,
    runs: Path,
    name: str,
    out: Path,
    command: str,
    progress: Progress = silent,
) -> ResultsFile:
    """Fit the temperature on held-out training subjects and measure the bundle's confidence on the test subjects.

    It takes a minute, so that a results file that is there is replaced and not gone on with.

    Args:
        bundle: Whose confidence is measured. The temperature that it has already plays no part.
        dataset: What the bundle and the folds were trained on.
        runs: Folder with the run folders fold0, fold1 … that `hardwear study seeds` leaves.
        name: Of the model, such as `compact`.
        out: Folder of `results/`.
        command: What to type to get the figures again.
        progress: Told about the steps.

    Raises:
        StudyError: There is no fold, or one is of other data or another network, or holds out nobody or somebody
            twice.
    """
    folds = _folds(runs, bundle, dataset)
    steps = len(folds) + 1
    held_out = []
    for step, run in enumerate(folds):
        progress(step, steps, f"{run.folder.name}: held-out subjects in int8")
        held_out.append(answers_of_fold(run, dataset))
    progress(len(folds), steps, "test subjects in int8")
    test = Answers(
        int8_logits(TflmModel(bundle.tflite), bundle.quantizer, dataset.test.windows),
        dataset.test.labels,
        bundle.softmax.scale,
    )
    temperature = fit_temperature(
        np.concatenate([fold.real for fold in held_out]), np.concatenate([fold.labels for fold in held_out])
    )
    results = ResultsFile(
        results_path(out, STUDY, name),
        {
            **provenance(command, {dataset.name: dataset.sha256}, sorted({run.settings.seed for run in folds})),
            "study": STUDY,
            "name": name,
            "synthetic": dataset.synthetic,
            "of": {
                "model_sha256": bundle.manifest.hashes["model.tflite"],
                "folds": {run.folder.name: run.results.weights_sha256 for run in folds},
            },
        },
        summarize,
    )
    rows: dict[str, Row] = {
        run.folder.name: {
            "held_out": list(run.settings.validation_subjects),
            "windows": len(fold.labels),
            "temperature": fit_temperature(fold.real, fold.labels),
        }
        for run, fold in zip(folds, held_out, strict=True)
    }
    for kind, t in (("before", 1.0), ("after", temperature)):
        rows[f"held_out_{kind}"] = _row(held_out, t)
        rows[f"test_{kind}"] = _row([test], t)
    for key, row in rows.items():
        results.rows[key] = row
    results.put("bundle", {"identity": bundle.identity, "temperature": bundle.manifest.temperature})
    progress(steps, steps, f"temperature {temperature:g}")
    return results


def answers_of_fold(run: Run, dataset: Dataset) -> Answers:
    """What a fold's network, converted on what it learnt from, answers for the subjects that it held out."""
    learnt_from, unseen = split_by_subject(dataset.train, run.settings.validation_subjects)
    with tempfile.TemporaryDirectory() as folder:
        converted = convert_run(run, learnt_from.windows, Path(folder) / "model.onnx")
    model = TflmModel(converted.tflite)
    scale = model.summary.outputs[0].scale
    return Answers(int8_logits(model, converted.quantizer, unseen.windows), unseen.labels, scale)


def summarize(rows: Mapping[str, Row]) -> dict[str, Any]:
    """The temperature, and what it does to the confidence on held-out and on test subjects."""
    summary: dict[str, Any] = {
        "temperature": rows["test_after"]["temperature"],
        "temperature_of_folds": [row["temperature"] for key, row in rows.items() if key.startswith("fold")],
        "temperature_of_bundle": rows["bundle"]["temperature"],
    }
    for part in ("held_out", "test"):
        for kind in ("before", "after"):
            summary |= {f"{part}_{kind}_{figure}": rows[f"{part}_{kind}"][figure] for figure in _FIGURES}
    return summary


def section(out: Path) -> str:
    """The page's part: a table and a reliability diagram per model."""
    return "\n\n".join(_of_model(d, out) for d in documents(out, STUDY)) or not_measured(f"hardwear study {STUDY}")


def _of_model(document: Mapping[str, Any], out: Path) -> str:
    rows, summary, name = document["rows"], document["summary"], document["name"]
    temperature, shipped = summary["temperature"], summary["temperature_of_bundle"]
    folds = [row for key, row in rows.items() if key.startswith("fold")]
    figure = picture(_figure(rows, temperature), out, f"calibration_{name}")
    effect = (
        "brings the confidence closer to the truth"
        if summary["test_after_ece"] < summary["test_before_ece"]
        else "does not help"
    )
    of_folds = ", ".join(f"{row['temperature']:g}" for row in folds)
    columns = [("test subjects", "test"), ("held-out training subjects", "held_out")]
    lines = [
        f"### {name}",
        "",
        f"Temperature fitted by likelihood on {sum(row['windows'] for row in folds):,} windows of "
        f"{sum(len(row['held_out']) for row in folds)} training subjects, each answered by the int8 network of the "
        f"fold that held them out: **T = {temperature:g}** (each fold alone: {of_folds}). The bundle has "
        f"T = {shipped:g}.",
        "",
        "| | " + " | ".join(f"{who}, T = 1 | T = {temperature:g}" for who, _ in columns) + " |",
        "|---|" + "---|---|" * len(columns),
    ]
    for label, key, form in (
        (f"expected calibration error, {BINS} bins of equal width", "ece", ".4f"),
        (f"the same, {BINS} bins of equal mass", "ece_equal_mass", ".4f"),
        ("negative log-likelihood, nats", "nll", ".4f"),
        ("Brier score, 0 to 2", "brier", ".4f"),
        ("mean confidence", "confidence", ".4f"),
        ("accuracy", "accuracy", ".4f"),
    ):
        cells = [f"{summary[f'{part}_{kind}_{key}']:{form}}" for _, part in columns for kind in ("before", "after")]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    lines += [
        "",
        "Probabilities are those that the chip computes from its int8 logits, in 255ths. On people that nothing was "
        f"fitted on, the temperature {effect}.",
        "",
        f"![Reliability diagrams of {name} on the test subjects]({figure})",
        "",
        sources(document),
    ]
    return "\n".join(lines)


def _row(parts: Sequence[Answers], temperature: float) -> Row:
    """Reliability over all parts, whose logits may have scales of their own."""
    told = np.concatenate([part.told(temperature) for part in parts])
    classes = np.concatenate([part.classes for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    return {"temperature": temperature, **reliability(told, classes, labels).to_json()}


def _folds(runs: Path, bundle: Bundle, dataset: Dataset) -> list[Run]:
    """The folds' runs, of the bundle's network and data and of different people."""
    folders = sorted(folder for folder in runs.glob("fold*") if re.fullmatch(r"fold\d+", folder.name))
    if not folders:
        raise StudyError(
            f"expected the run folders fold0, fold1 … in {runs}, got none; "
            "`hardwear study seeds` leaves them, or name their folder with --runs"
        )
    found = [load_run(folder) for folder in folders]
    seen: set[int] = set()
    for run in found:
        theirs = set(run.settings.validation_subjects)
        if run.data.sha256 != dataset.sha256 or bundle.manifest.hashes["data"] != dataset.sha256:
            raise StudyError(
                f"expected {run.folder} and {bundle.path} to be of {dataset.name} {dataset.sha256[:16]}…, got "
                f"{run.data.name} {run.data.sha256[:16]}… and {bundle.manifest.hashes['data'][:16]}…; name that data"
            )
        if run.settings.network != bundle.manifest.network.name:
            raise StudyError(
                f"expected folds of the bundle's network {bundle.manifest.network.name}, got {run.settings.network} in "
                f"{run.folder}; name other run folders with --runs"
            )
        if _shared_settings(run) != _shared_settings(found[0]):
            raise StudyError(f"expected folds of one setting, got another in {run.folder}; train them anew")
        if not theirs or theirs & seen:
            raise StudyError(
                f"expected {run.folder} to hold out subjects that no other fold does, got "
                f"{sorted(theirs) or 'none'}; `hardwear study seeds` deals them so"
            )
        seen |= theirs
    return found


def _shared_settings(run: Run) -> dict[str, Any]:
    return {key: value for key, value in run.settings.to_json().items() if key != "validation_subjects"}


def _figure(rows: Mapping[str, Row], temperature: float) -> Figure:
    """Reliability on the test subjects, without and with the temperature; below, where the windows are."""
    figure = Figure(figsize=(8.6, 5.2), layout="constrained")
    diagrams, masses = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(3.0, 1.0))
    for diagram, mass, kind, t, colour in zip(
        diagrams, masses, ("before", "after"), (1.0, temperature), (ORANGE, BLUE), strict=True
    ):
        row = rows[f"test_{kind}"]
        diagram.set_title(f"T = {t:g}: calibration error {100 * row['ece']:.1f} %", fontsize=11)
        _diagram(diagram, mass, row, colour)
    diagrams[0].set_ylabel("share named rightly (%)")
    masses[0].set_ylabel("windows (%)")
    return figure


def _diagram(diagram: Axes, mass: Axes, row: Row, colour: str) -> None:
    confidence = np.array([100 * part["confidence"] for part in row["bins"]])
    accuracy = np.array([100 * part["accuracy"] for part in row["bins"]])
    share = np.array([100 * part["windows"] / row["windows"] for part in row["bins"]])
    diagram.plot([0, 100], [0, 100], color="0.5", linewidth=1, linestyle="--", label="what it should be")
    diagram.vlines(confidence, confidence, accuracy, color="0.75", linewidth=3)
    diagram.plot(confidence, accuracy, "o-", color=colour, label="test subjects")
    diagram.set(xlim=(0, 102), ylim=(0, 105))
    diagram.legend(loc="lower right", frameon=False, fontsize=10)
    diagram.grid(color="0.92")
    diagram.set_axisbelow(True)
    mass.bar(confidence, share, width=90 / BINS, color=colour)
    mass.set_xlabel("confidence told by the chip (%)")
