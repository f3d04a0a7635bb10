"""The report: one JSON for machines and one self-contained HTML page for people, about one replayed bundle."""

import base64
import csv
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import jinja2
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from hardwear import __version__
from hardwear.build import FLASH_LIMIT_BYTES, RAM_LIMIT_BYTES, Firmware
from hardwear.bundle import Bundle
from hardwear.contract import CLASSES, SYNTHETIC_HEADING
from hardwear.errors import HardwearError
from hardwear.evaluation import Evaluation
from hardwear.figures import BLUE, ORANGE, SHORT_CLASSES, draw_confusion
from hardwear.replay import ReplayResult


@dataclass(frozen=True)
class Results:
    """`results.json`: what one replay of one bundle showed. Bytes are bytes, F1 and recall are fractions of 1."""

    dataset: str
    synthetic: bool
    network: str
    identity: str
    model_sha256: str
    data_sha256: str
    board: str
    engine: str
    mode: str
    complete: bool
    windows: int
    windows_labelled: int
    windows_equal: int
    logits: int
    logits_equal: int
    embeddings_equal: int
    probabilities_equal: int
    windows_scored: int
    macro_f1_float: float
    macro_f1_int8: float
    macro_f1_device: float | None
    accuracy_device: float | None
    recall_device: dict[str, float]
    flash_bytes: int | None
    flash_limit_bytes: int
    ram_bytes: int | None
    ram_limit_bytes: int
    arena_bytes: int
    tflm_arena_bytes: int
    instructions_per_inference: float | None
    replay_seconds: float
    hardwear_version: str

    def rows(self) -> list[tuple[str, str]]:
        """The table that the demo ends with: names and values with units."""
        scored, labelled = f"{self.windows_scored:,} windows", f"{self.windows_labelled:,} windows"
        return [
            ("device", f"{self.board}, {self.engine} engine"),
            (f"macro-F1, float, PyTorch ({scored})", _score(self.macro_f1_float)),
            (f"macro-F1, int8, TFLite-Micro ({scored})", _score(self.macro_f1_int8)),
            (f"macro-F1, int8, on the device ({labelled})", _score(self.macro_f1_device)),
            ("windows equal, device and Python", f"{self.windows_equal:,} of {self.windows:,}"),
            ("logits equal, device and Python", f"{self.logits_equal:,} of {self.logits:,}"),
            ("embeddings equal, device and Python", f"{self.embeddings_equal:,} of {self.windows:,}"),
            ("probabilities equal, device and Python", f"{self.probabilities_equal:,} of {self.windows:,}"),
            ("flash", _bytes(self.flash_bytes, self.flash_limit_bytes)),
            ("RAM, stack included", _bytes(self.ram_bytes, self.ram_limit_bytes)),
            ("activation arena, of that RAM", _bytes(self.arena_bytes, None)),
            ("instructions per inference", _count(self.instructions_per_inference)),
            ("replay", f"{self.replay_seconds:.0f} s"),
            ("bundle identity", self.identity[:16]),
        ]


def collect(replay: ReplayResult, bundle: Bundle, firmware: Firmware | None, int8: Evaluation) -> Results:
    """Bring together what the stages found.

    Args:
        replay: What the device answered.
        bundle: What it was built from.
        firmware: The image's sizes; None for a board whose image was built elsewhere.
        int8: The bundle in TFLite-Micro's Python interpreter, on all test windows.

    Raises:
        HardwearError: The replay was of another bundle.
    """
    if replay.identity != bundle.identity:
        raise HardwearError(
            f"the replay is of bundle {replay.identity[:16]}, the report is asked for {bundle.identity[:16]} "
            f"({bundle.path}). Next step: hardwear replay {bundle.path}, or name the other bundle"
        )
    manifest = bundle.manifest
    return Results(
        dataset=replay.dataset,
        synthetic=replay.synthetic or manifest.synthetic,
        network=manifest.network.name,
        identity=bundle.identity,
        model_sha256=manifest.hashes["model.tflite"],
        data_sha256=replay.data_sha256,
        board=replay.board,
        engine=replay.engine,
        mode=replay.mode,
        complete=replay.complete,
        windows=replay.windows_done,
        windows_labelled=replay.windows_labelled,
        windows_equal=replay.windows_equal,
        logits=replay.logits,
        logits_equal=replay.logits_equal,
        embeddings_equal=replay.embeddings_equal,
        probabilities_equal=replay.probabilities_equal,
        windows_scored=int8.windows,
        macro_f1_float=manifest.metrics["float"]["macro_f1"],
        macro_f1_int8=int8.metrics.macro_f1,
        macro_f1_device=replay.macro_f1,
        accuracy_device=replay.accuracy,
        recall_device=replay.recall,
        flash_bytes=firmware.flash_bytes if firmware else None,
        flash_limit_bytes=FLASH_LIMIT_BYTES,
        ram_bytes=firmware.ram_bytes if firmware else None,
        ram_limit_bytes=RAM_LIMIT_BYTES,
        arena_bytes=replay.arena_bytes,
        tflm_arena_bytes=manifest.arena_bytes,
        instructions_per_inference=replay.time_mean if replay.time_unit == "instructions" else None,
        replay_seconds=replay.seconds,
        hardwear_version=__version__,
    )


def write_report(results: Results, replay: ReplayResult, out: Path, run: Path | None = None) -> Path:
    """Write `results.json` and `report.html` (one file, nothing loaded from elsewhere) into `out`.

    Args:
        results: From `collect`.
        replay: For the confusion matrix and the first mismatch.
        out: Folder, made if missing.
        run: Run folder whose `curves.csv` is drawn, if any.

    Returns:
        The path of the page.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    pictures = []
    if replay.confusion:
        pictures.append(("Confusion matrix of the device", _picture(_confusion_figure(np.array(replay.confusion)))))
        pictures.append(("Recall by activity, on the device", _picture(_recall_figure(replay.recall))))
    if results.flash_bytes is not None and results.ram_bytes is not None:
        pictures.append(("Memory of the board", _picture(_memory_figure(results))))
    if run is not None and (run / "curves.csv").exists():
        pictures.append(("Training", _picture(_curves_figure(run / "curves.csv"))))
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hardwear"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template("report.html.j2").render(
        results=results,
        replay=replay,
        pictures=pictures,
        synthetic_heading=SYNTHETIC_HEADING if results.synthetic else None,
    )
    path = out / "report.html"
    path.write_text(page)
    return path


# -- pictures ----------------------------------------------------------------------------------------------------


def _confusion_figure(confusion: npt.NDArray[np.int64]) -> Figure:
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.subplots()
    image = draw_confusion(axes, confusion, "the device")
    figure.colorbar(image, ax=axes, label="share of the label's windows", shrink=0.8)
    return figure


def _recall_figure(recall: dict[str, float]) -> Figure:
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    values = [100 * recall[name] for name in CLASSES]
    axes.barh(range(len(CLASSES)), values, color=BLUE)
    for row, value in enumerate(values):
        axes.text(value - 1, row, f"{value:.1f}", ha="right", va="center", color="white", fontsize=11)
    axes.set_yticks(range(len(CLASSES)), SHORT_CLASSES)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("recall (%)")
    return figure


def _memory_figure(results: Results) -> Figure:
    figure = Figure(figsize=(6.4, 1.9), layout="constrained")
    axes = figure.subplots()
    rows = [
        ("flash", results.flash_bytes or 0, results.flash_limit_bytes),
        ("RAM", results.ram_bytes or 0, results.ram_limit_bytes),
    ]
    for row, (_, used, limit) in enumerate(rows):
        axes.barh(row, 100, color="#e6e6e6")
        axes.barh(row, 100 * used / limit, color=ORANGE)
        axes.text(99, row, f"{used:,} of {limit:,} B ({100 * used / limit:.1f} %)", ha="right", va="center")
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the board's memory (%)")
    return figure


def _curves_figure(curves: Path) -> Figure:
    with curves.open(newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) for row in rows]
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(epochs, [float(row["train_loss"]) for row in rows], color=BLUE, label="training loss")
    axes.set_xlabel("epoch")
    axes.set_ylabel("training loss")
    scored = [(e, float(row["validation_macro_f1"])) for e, row in zip(epochs, rows, strict=True)
              if row.get("validation_macro_f1")]  # fmt: skip
    if scored:
        other = axes.twinx()
        other.plot(*zip(*scored, strict=True), color=ORANGE, label="validation macro-F1")
        other.set_ylabel("macro-F1, validation subjects")
        figure.legend(loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.12))
    return figure


def _picture(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


# -- words -------------------------------------------------------------------------------------------------------


def _score(value: float | None) -> str:
    return "no labelled window" if value is None else f"{value:.4f}"


def _count(value: float | None) -> str:
    return "not counted on this board" if value is None else f"{value:,.0f}"


def _bytes(value: int | None, limit: int | None) -> str:
    if value is None:
        return "image built elsewhere"
    return f"{value:,} B" if limit is None else f"{value:,} of {limit:,} B"
