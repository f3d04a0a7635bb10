"""`hardwear study NAME`: one verb for each study of the board's model."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hardwear import console
from hardwear.console import progress_bar
from hardwear.options import (
    SHIPPED_BUNDLE,
    BundleArgument,
    ChangesOption,
    DataOption,
    JsonOption,
    SyntheticOption,
    labelled_windows,
    numbers,
    raw_recordings,
    training_settings,
    training_windows,
)

if TYPE_CHECKING:
    from hardwear.datasets import Dataset
    from hardwear.studies.results import ResultsFile
    from hardwear.training import TrainingSettings

# As in `hardwear.cli`, what takes seconds to import is imported inside the verbs.

app = typer.Typer(
    name="study",
    help="Measure the board's model: results files, pictures and docs/board-model.md.",
    no_args_is_help=True,
)

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", help="Folder of results/, pictures/ and board-model.md. Default: docs, or build/studies-synthetic."
    ),
]
PresetOption = Annotated[str, typer.Option(help="Settings of the trainings: shipped, nano, …")]
NameOption = Annotated[str | None, typer.Option(help="Of the model in files and tables. Default: the network's name.")]
EpochsOption = Annotated[int | None, typer.Option(help="Instead of the preset's.")]
DeviceOption = Annotated[str | None, typer.Option(help="cpu or cuda, instead of the preset's.")]
TeachersOption = Annotated[
    int | None, typer.Option(min=0, help="How many teachers each network learns from, instead of the preset's.")
]
RunsOption = Annotated[Path | None, typer.Option(help="Folder of the run folders. Default: runs/NAME-PRESET/STUDY.")]
JobsOption = Annotated[int, typer.Option(min=1, help="Trainings side by side, one core each.")]

_INTERRUPTED = "what is measured is kept, the same command goes on"


@app.command()
def search(
    preset: PresetOption = "start",
    variants: Annotated[str, typer.Option(help="Changes to try: all, or names by commas.")] = "all",
    seeds: Annotated[str, typer.Option(help="Such as 0,1,2 or 0-4.")] = "0,1",
    folds: Annotated[int, typer.Option(min=2, help="Parts of the training subjects, each held out once.")] = 3,
    name: NameOption = None,
    epochs: EpochsOption = None,
    device: DeviceOption = None,
    changes: ChangesOption = None,
    jobs: JobsOption = 1,
    runs: RunsOption = None,
    source: DataOption = None,
    synthetic: SyntheticOption = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the preset's settings one at a time and compare on held-out training subjects."""
    from hardwear.studies import search as study

    settings = training_settings(preset, changes, epochs=epochs, device=device)
    name, out = name or settings.network, _out(out, synthetic)
    chosen = list(study.VARIANTS) if variants == "all" else variants.split(",")
    drawn = numbers("--seeds", seeds)
    dataset = _training_windows(settings, out, source, synthetic)
    with progress_bar(study.STUDY, _INTERRUPTED) as progress:
        folder = _runs(runs, name, preset, study.STUDY, synthetic)
        results = study.search(dataset, settings, name, chosen, drawn, folds, folder, out, _command(), jobs, progress)
    _show(results, out, synthetic, as_json)


@app.command()
def seeds(
    preset: PresetOption = "shipped",
    seeds: Annotated[str, typer.Option(help="Such as 0,1,2 or 0-4.")] = "0-4",
    folds: Annotated[int, typer.Option(min=0, help="Parts of the training subjects, each held out once.")] = 3,
    name: NameOption = None,
    epochs: EpochsOption = None,
    device: DeviceOption = None,
    changes: ChangesOption = None,
    teachers: TeachersOption = None,
    jobs: JobsOption = 1,
    runs: RunsOption = None,
    source: DataOption = None,
    synthetic: SyntheticOption = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train folds of training subjects, then several seeds, each converted and scored by TFLite-Micro in int8."""
    from hardwear.studies.seeds import STUDY, measure_seeds

    settings = training_settings(preset, changes, epochs=epochs, device=device, teachers=teachers)
    name, out = name or settings.network, _out(out, synthetic)
    chosen = numbers("--seeds", seeds)
    dataset = _training_windows(settings, out, source, synthetic)
    with progress_bar(STUDY, _INTERRUPTED) as progress:
        results = measure_seeds(
            dataset,
            settings,
            name,
            chosen,
            folds,
            _runs(runs, name, preset, STUDY, synthetic),
            out,
            _command(),
            jobs,
            progress,
        )
    _show(results, out, synthetic, as_json)


@app.command("leave-one-out")
def leave_one_out(
    preset: PresetOption = "shipped",
    subjects: Annotated[str, typer.Option(help="Whom to leave out: all, or such as 1,5,9 or 1-15.")] = "all",
    name: NameOption = None,
    epochs: EpochsOption = None,
    device: DeviceOption = None,
    changes: ChangesOption = None,
    teachers: TeachersOption = None,
    jobs: JobsOption = 1,
    runs: RunsOption = None,
    source: DataOption = None,
    synthetic: SyntheticOption = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train once for each person on everybody else, and score that person in int8."""
    from hardwear.studies.leave_one_out import STUDY, leave_each_out
    from hardwear.studies.trainings import subjects_of

    settings = training_settings(preset, changes, epochs=epochs, device=device, teachers=teachers)
    name, out = name or settings.network, _out(out, synthetic)
    chosen = None if subjects == "all" else numbers("--subjects", subjects)
    dataset = _training_windows(settings, out, source, synthetic)
    with progress_bar(STUDY, _INTERRUPTED) as progress:
        results = leave_each_out(
            dataset,
            settings,
            name,
            chosen or subjects_of(dataset),
            _runs(runs, name, preset, STUDY, synthetic),
            out,
            _command(),
            jobs,
            progress,
        )
    _show(results, out, synthetic, as_json)


@app.command()
def calibration(
    bundle: BundleArgument = SHIPPED_BUNDLE,
    preset: Annotated[str, typer.Option(help="Settings that `study seeds` trained the folds with.")] = "shipped",
    name: NameOption = None,
    runs: Annotated[
        Path | None, typer.Option(help="Folder of the folds' run folders. Default: runs/NAME-PRESET/seeds.")
    ] = None,
    source: DataOption = None,
    synthetic: SyntheticOption = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit the softmax's temperature on people held out by `study seeds`, and measure the confidence on test people."""
    from hardwear.bundle import Bundle
    from hardwear.studies.calibration import STUDY, calibrate
    from hardwear.studies.page import require_kind
    from hardwear.studies.seeds import STUDY as FOLDS

    loaded, out = Bundle.load(bundle), _out(out, synthetic)
    name = name or loaded.manifest.network.name
    require_kind(out, synthetic)
    with progress_bar("data") as progress:
        dataset = labelled_windows(source, synthetic, progress)
    folds = _runs(runs, name, preset, FOLDS, synthetic)
    with progress_bar(STUDY) as progress:
        results = calibrate(loaded, dataset, folds, name, out, _command(), progress)
    _show(results, out, synthetic, as_json)


@app.command()
def robustness(
    bundle: BundleArgument = SHIPPED_BUNDLE,
    parts: Annotated[
        str, typer.Option(help="Which curves: all, or some of rotation,rate,gain,noise,dead,offset.")
    ] = "all",
    name: NameOption = None,
    source: DataOption = None,
    synthetic: SyntheticOption = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Disturb the test subjects' raw recordings and score a bundle on them, from conditioning to logits as the chip."""
    from hardwear.bundle import Bundle
    from hardwear.studies.page import require_kind
    from hardwear.studies.robustness import PARTS, STUDY, measure_robustness

    loaded = Bundle.load(bundle)
    name, out = name or loaded.manifest.network.name, _out(out, synthetic)
    require_kind(out, synthetic)
    with progress_bar("data") as progress:
        dataset = labelled_windows(source, synthetic, progress)
        recordings = raw_recordings(source, synthetic, progress)
    with progress_bar(STUDY, _INTERRUPTED) as progress:
        chosen = PARTS if parts == "all" else parts.split(",")
        results = measure_robustness(loaded, dataset, recordings, name, out, _command(), chosen, progress)
    _show(results, out, synthetic, as_json)


@app.command()
def pareto(synthetic: SyntheticOption = False, out: OutOption = None, as_json: JsonOption = False) -> None:
    """Set what `study seeds` and `reproduce` found beside what others report: macro-F1 against bytes and MAC."""
    from hardwear.studies.page import require_kind
    from hardwear.studies.pareto import collect

    out = _out(out, synthetic)
    require_kind(out, synthetic)
    _show(collect(out, synthetic, _command()), out, synthetic, as_json)


@app.command()
def page(synthetic: SyntheticOption = False, out: OutOption = None) -> None:
    """Write the page and its pictures anew from the results files; nothing is measured."""
    from hardwear.studies.page import render_page

    console.note(f"wrote {render_page(_out(out, synthetic), synthetic)}")


# -- what several studies need --------------------------------------------------------------------------------------


def _training_windows(settings: "TrainingSettings", out: Path, source: Path | None, synthetic: bool) -> "Dataset":
    """The windows to learn from, once the output folder is known to hold figures of their kind."""
    from hardwear.studies.page import require_kind

    require_kind(out, synthetic)
    with progress_bar("data") as progress:
        return training_windows(source, synthetic, settings, progress)


def _out(out: Path | None, synthetic: bool) -> Path:
    return out or Path("build/studies-synthetic" if synthetic else "docs")


def _runs(runs: Path | None, name: str, preset: str, study: str, synthetic: bool) -> Path:
    return runs or Path("build/studies-synthetic" if synthetic else "", "runs", f"{name}-{preset}", study)


def _command() -> str:
    return shlex.join(["hardwear", *sys.argv[1:]])


def _show(results: "ResultsFile", out: Path, synthetic: bool, as_json: bool) -> None:
    from hardwear.studies.page import render_page

    document = {**results.head, "summary": results.summarize(results.rows)}
    page = render_page(out, synthetic)
    if as_json:
        console.print_json(document)
        return
    console.print_facts(f"{document['study']} of {document['name']}", _facts(document["summary"]), synthetic=synthetic)
    console.note(f"results: {results.path}\npage:    {page}")


def _facts(summary: Mapping[str, Any]) -> dict[str, str]:
    return {key: _text(value) for key, value in summary.items()}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_text(item) for item in value)
    return f"{value:,}" if isinstance(value, int) else str(value)
