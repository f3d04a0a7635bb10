"""`hardwear`: one verb for each stage, each reading the artefact of the stage before it and writing its own."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hardwear import __version__, console
from hardwear.console import progress_bar
from hardwear.contract import CLASSES
from hardwear.errors import DatasetError, HardwearError, LinkError
from hardwear.options import (
    SHIPPED_BUNDLE,
    BundleArgument,
    ChangesOption,
    DataOption,
    JsonOption,
    PreferOption,
    SyntheticOption,
    labelled_windows,
    preference,
    raw_recordings,
    require_picture,
    training_settings,
    training_windows,
)
from hardwear.profiling.verbs import register as register_profiling
from hardwear.progress import Progress
from hardwear.reproduction.verb import reproduce
from hardwear.studies.verbs import app as study_app
from hardwear.wearable.verbs import register as register_wearable

if TYPE_CHECKING:
    from hardwear.datasets import Recording
    from hardwear.metrics import Metrics
    from hardwear.replay import OpenDevice

# Imports of PyTorch, TensorFlow and matplotlib stand inside the verbs: `--help` and `replay` should not wait for them.

app = typer.Typer(
    name="hardwear",
    help="From recorded human motion to a board that names the activity, proven bit for bit.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(study_app)
app.command()(reproduce)


def main() -> None:
    """Entry point: every expected error becomes one line on stderr and an exit code that means something."""
    try:
        app()
    except HardwearError as error:
        console.note(f"[bold red]error:[/] {_plain(str(error))}")
        sys.exit(error.exit_code)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def _version(show: bool) -> None:
    if show:
        typer.echo(f"hardwear {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


# -- one verb a stage, in the order in which the data flow ----------------------------------------------------------


@app.command()
def data(source: DataOption = None, synthetic: SyntheticOption = False, as_json: JsonOption = False) -> None:
    """Find or download UCI-HAR, check it, and say what it holds."""
    from hardwear.datasets import summarize

    with progress_bar("data") as progress:
        summary = summarize(labelled_windows(source, synthetic, progress))
    if as_json:
        console.print_json(asdict(summary))
        return
    parts = (summary.train, summary.test)
    rows = [(name, *(f"{part.windows_per_class[name]:,}" for part in parts)) for name in CLASSES]
    rows += [("all windows", *(f"{part.windows:,}" for part in parts))]
    rows += [("subjects", *(str(len(part.subjects)) for part in parts))]
    console.print_table(
        f"{summary.name} from {summary.source}\nSHA-256 of the content {summary.sha256}",
        ("", "training", "test"),
        rows,
        synthetic=summary.synthetic,
    )


@app.command()
def train(
    out: Annotated[Path, typer.Option("--out", help="Run folder: settings, metrics, curves, checkpoint.")],
    preset: Annotated[
        str,
        typer.Option(
            help="demo (minutes), shipped and nano (as models/compact and models/nano were trained), start (what "
            "the search changes), or as published: paper, paper-ce, cnn, deepconvlstm."
        ),
    ] = "demo",
    network: Annotated[str | None, typer.Option(help="Instead of the preset's: compact, paper, cnn, …")] = None,
    source: DataOption = None,
    synthetic: SyntheticOption = False,
    epochs: Annotated[int | None, typer.Option(help="Instead of the preset's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the preset's; same seed, same weights.")] = None,
    center_weight: Annotated[
        float | None, typer.Option(help="Weight of the center loss (lambda); 0 is plain cross-entropy.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda.")] = None,
    changes: ChangesOption = None,
    teachers: Annotated[
        Path | None,
        typer.Option(help="Folder of teachers that runs share; absent ones are trained. Default: OUT/teachers."),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write curves for TensorBoard too: OUT/tensorboard.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network with cross-entropy and center loss. An interrupted run goes on where it stopped."""
    from hardwear import training

    settings = training_settings(
        preset, changes, network=network, epochs=epochs, seed=seed, center_weight=center_weight, device=device
    )
    with progress_bar("data") as progress:
        dataset = training_windows(source, synthetic, settings, progress)
    with progress_bar("train", "the same command goes on after the last whole epoch") as progress:
        run = training.train(dataset, settings, out, progress, tensorboard, teachers)
    _print_metrics(
        f"{settings.network}, trained in {out}, on {run.measured_on}", run.metrics, dataset.synthetic, as_json
    )


@app.command()
def convert(
    run: Annotated[Path, typer.Argument(help="Run folder of `hardwear train`.")],
    out: Annotated[Path, typer.Option("--out", help="Bundle folder to write.")],
    temperature: Annotated[
        float, typer.Option(help="Of the softmax, 0.01 to 100: below 1 is surer. `study calibration` finds it.")
    ] = 1.0,
    source: DataOption = None,
    synthetic: SyntheticOption = False,
) -> None:
    """Convert a trained network to a full-int8 bundle: model.tflite, model.onnx, manifest.json."""
    from hardwear.bundle import Bundle
    from hardwear.confidence import require_temperature
    from hardwear.training import load_run

    require_temperature(temperature)
    trained = load_run(run)
    with progress_bar("data") as progress:
        dataset = labelled_windows(source, synthetic, progress)
    with progress_bar("convert") as progress:
        bundle = Bundle.create(trained, dataset, out, progress, temperature)
    console.print_facts(
        f"bundle {out}",
        {
            "identity": bundle.identity[:16],
            "macro-F1, float": f"{bundle.manifest.metrics['float']['macro_f1']:.4f}",
            "macro-F1, int8": f"{bundle.manifest.metrics['int8']['macro_f1']:.4f}",
            "int8 weights": f"{bundle.manifest.network.weight_bytes:,} B",
            "temperature": f"{bundle.manifest.temperature:g}",
        },
        synthetic=bundle.manifest.synthetic,
    )


@app.command()
def evaluate(
    bundle: BundleArgument,
    source: DataOption = None,
    synthetic: SyntheticOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score a bundle on the test windows by TFLite-Micro's interpreter: macro-F1, accuracy, recall per class."""
    from hardwear import evaluation
    from hardwear.bundle import Bundle

    loaded = Bundle.load(bundle)
    with progress_bar("data") as progress:
        dataset = labelled_windows(source, synthetic, progress)
    result = evaluation.evaluate(loaded, dataset)
    if as_json:
        console.print_json(result.to_json())
        return
    _print_metrics(f"{bundle} on {result.windows} windows", result.metrics, dataset.synthetic, as_json=False)


@app.command()
def generate(
    bundle: BundleArgument = SHIPPED_BUNDLE,
    out: Annotated[Path, typer.Option("--out", help="Folder of the generated headers.")] = Path("firmware/generated"),
    prefer: PreferOption = "speed",
    explain: Annotated[
        bool, typer.Option("--explain", help="Also show what was decided for each layer, why, and what it will cost.")
    ] = False,
    figure: Annotated[
        Path | None, typer.Option(help="Also draw the memory plan, what lies where and when, into this SVG or PNG.")
    ] = None,
) -> None:
    """Write the firmware's generated headers from a bundle alone; same bundle, same bytes."""
    from hardwear.bundle import Bundle
    from hardwear.codegen import generate as write_headers
    from hardwear.codegen import read_graph
    from hardwear.codegen.compiled_model import compile_graph
    from hardwear.codegen.explain import COLUMNS, prediction
    from hardwear.codegen.explain import explain as explained
    from hardwear.codegen.memory_figure import draw_memory

    require_picture(figure)
    chosen = preference(prefer)
    loaded = Bundle.load(bundle)
    for path in write_headers(loaded, out, chosen):
        console.note(f"wrote {path}")
    program = compile_graph(read_graph(loaded.tflite), chosen)
    if figure is not None:
        draw_memory(program, figure, f"{loaded.manifest.name}, for {chosen.value}")
        console.note(f"wrote {figure}")
    if explain:
        console.print_table("compiled engine", COLUMNS, explained(program))
        console.note(prediction(program, chosen))
    console.note(f"identity {loaded.identity[:16]}")


@app.command()
def export(
    out: Annotated[
        Path, typer.Option("--c", metavar="FOLDER", help="Folder of the C files: header, source, example, self-test.")
    ],
    bundle: BundleArgument = SHIPPED_BUNDLE,
    prefer: PreferOption = "speed",
) -> None:
    """Write the model alone as plain C: one .h, one .c, an example, a self-test and what builds them."""
    from hardwear.bundle import Bundle
    from hardwear.codegen.c_export import export_c

    for path in export_c(Bundle.load(bundle), out, preference(prefer)):
        console.note(f"wrote {path}")
    console.note(f"make -C {out} builds the example and runs the self-test")


@app.command()
def build(
    env: Annotated[str, typer.Option(help="PlatformIO environment: emulator, native, nano33ble.")] = "emulator",
    generated: Annotated[
        Path | None, typer.Option(help="Folder of generated headers. Default: firmware/generated.")
    ] = None,
    build_dir: Annotated[Path | None, typer.Option(help="Where PlatformIO builds. Default: .pio/build.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Build the firmware with PlatformIO and say what it takes of the board's memory."""
    from hardwear.build import build as build_firmware

    with progress_bar("build") as progress:
        firmware = build_firmware(env, generated=generated, build_dir=build_dir, progress=progress)
    if as_json:
        console.print_json(firmware.to_json())
        return
    console.print_facts(str(firmware.elf), firmware.facts())


@app.command("replay")
def replay_verb(
    bundle: BundleArgument = SHIPPED_BUNDLE,
    port: Annotated[
        str | None,
        typer.Option(
            envvar="HARDWEAR_PORT",
            help="Serial port or pyserial URL. None: find the board by its USB id; several: list them and stop.",
        ),
    ] = None,
    emulator: Annotated[bool, typer.Option("--emulator", help="Boot the firmware in QEMU instead.")] = False,
    firmware: Annotated[
        Path | None, typer.Option(help="ELF to boot. Default: what `hardwear build` built last.")
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Raw HAPT recordings through the whole chain on the chip.")
    ] = False,
    recordings: Annotated[str, typer.Option(help="With --stream: HAPT experiments, such as 1,2,41; or all.")] = "1,2,3",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first windows.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Emulators side by side.")] = 2,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after what --out already holds.")] = False,
    out: Annotated[Path, typer.Option("--out", help="Folder of the answers and the summary.")] = Path("build/replay"),
    source: DataOption = None,
    synthetic: SyntheticOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send recorded motion to a device and compare every logit with Python. Exit code 0 only if all agree."""
    from hardwear import replay
    from hardwear.bundle import Bundle

    loaded = Bundle.load(bundle)
    open_device = _device_opener(port, emulator, firmware)
    jobs = jobs if emulator else 1
    partial = f"the answers so far are in {out}, --resume goes on"
    if stream:
        with progress_bar("data") as progress:
            name, digest, chosen = _recordings(recordings, source, synthetic, progress)
        with progress_bar("replay", partial) as progress:
            result = replay.replay_stream(
                open_device, loaded, chosen, name, digest, out, jobs=jobs, resume=resume, progress=progress
            )
    else:
        with progress_bar("data") as progress:
            dataset = labelled_windows(source, synthetic, progress)
        with progress_bar("replay", partial) as progress:
            result = replay.replay_windows(
                open_device, loaded, dataset, out, limit=limit, jobs=jobs, resume=resume, progress=progress
            )
    if as_json:
        console.print_json(asdict(result))
    else:
        console.print_facts(
            f"{result.board} ({result.engine}) against TFLite-Micro",
            {
                "windows equal": f"{result.windows_equal:,} of {result.windows:,}",
                "logits equal": f"{result.logits_equal:,} of {result.logits:,}",
                "embeddings equal": f"{result.embeddings_equal:,} of {result.windows:,}",
                "probabilities equal": f"{result.probabilities_equal:,} of {result.windows:,}",
                "macro-F1 on the device": "no labelled window" if result.macro_f1 is None else f"{result.macro_f1:.4f}",
                f"{result.time_unit} per inference": f"{result.time_mean or 0:,.0f}",
                "answers": str(out),
            },
            synthetic=result.synthetic,
        )
    result.require_equal()


@app.command("report")
def report_verb(
    folder: Annotated[Path, typer.Argument(help="Folder of a replay (its --out).")] = Path("build/replay"),
    bundle: Annotated[Path, typer.Option(help="The bundle that was replayed.")] = SHIPPED_BUNDLE,
    run: Annotated[Path | None, typer.Option(help="Run folder, for its training curves.")] = None,
    firmware: Annotated[Path | None, typer.Option(help="ELF that was replayed, for its sizes.")] = None,
    source: DataOption = None,
    synthetic: SyntheticOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write results.json and a self-contained HTML report of a replay into its folder."""
    from hardwear import evaluation, replay, report
    from hardwear.build import measure
    from hardwear.bundle import Bundle

    loaded = Bundle.load(bundle)
    replayed = replay.load_result(folder)
    with progress_bar("data") as progress:
        int8 = evaluation.evaluate(loaded, labelled_windows(source, synthetic, progress))
    results = report.collect(replayed, loaded, measure(firmware) if firmware else None, int8)
    page = report.write_report(results, replayed, folder, run)
    if as_json:
        console.print_json(asdict(results))
        return
    console.print_facts("replay report", dict(results.rows()), synthetic=results.synthetic)
    console.note(f"report: {page}")


@app.command()
def demo(
    source: DataOption = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of everything the demo makes.")] = Path("build/demo"),
    seed: Annotated[int, typer.Option(help="Of the training.")] = 0,
) -> None:
    """Do the whole way once: data, training, int8 model, firmware, emulated chip, replay, report."""
    from hardwear.demo import run_demo

    results, page = run_demo(source, out, seed)
    console.print_facts(
        f"{results.dataset} on an emulated Cortex-M4", dict(results.rows()), synthetic=results.synthetic
    )
    console.note(f"report:  {page}\nresults: {page.with_name('results.json')}")


register_profiling(app)
register_wearable(app)


# -- what several verbs need ----------------------------------------------------------------------------------------


def _recordings(
    wanted: str, source: Path | None, synthetic: bool, progress: Progress
) -> "tuple[str, str, Sequence[Recording]]":
    """Name and hash of the recordings' data set, and the recordings that `wanted` names."""
    from hardwear.datasets import recordings_sha256

    held = raw_recordings(source, synthetic, progress)
    by_experiment = {r.experiment: r for r in held}
    name, digest = ("SYNTHETIC" if synthetic else "HAPT"), recordings_sha256(held)
    if wanted == "all":
        return name, digest, held
    try:
        return name, digest, [by_experiment[int(e)] for e in wanted.split(",")]
    except (ValueError, KeyError) as error:
        raise DatasetError(
            f"--recordings takes `all` or experiment numbers such as 1,2,41, got {wanted!r}; "
            f"{name} has {min(by_experiment)} to {max(by_experiment)}"
        ) from error


def _device_opener(port: str | None, emulator: bool, firmware: Path | None) -> "OpenDevice":
    """What opens the device that the options name."""
    from hardwear.build import default_elf
    from hardwear.link import find_port, open_emulator, open_serial

    if emulator:
        if port:
            raise LinkError("--emulator and --port name two devices; give one of them")
        elf = firmware or default_elf("emulator")
        return lambda: open_emulator(elf)
    if firmware:
        raise LinkError("--firmware names what the emulator boots; add --emulator, or drop it to use a board")
    found = find_port(port)  # now, so that nobody waits for data only to hear that there is no board
    return lambda: open_serial(found)


def _print_metrics(title: str, metrics: "Metrics", synthetic: bool, as_json: bool) -> None:
    if as_json:
        console.print_json(metrics.to_json())
        return
    rows = [("macro-F1", f"{metrics.macro_f1:.4f}"), ("accuracy", f"{metrics.accuracy:.4f}")]
    rows += [(f"recall {name}", f"{value:.4f}") for name, value in metrics.recall.items()]
    console.print_facts(title, dict(rows), synthetic=synthetic)
