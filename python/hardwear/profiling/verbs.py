"""`hardwear profile` and `compare`: what the engines cost on the emulated chip, and whether every layer is right."""

from pathlib import Path
from typing import Annotated

import typer

from hardwear import console
from hardwear.console import progress_bar
from hardwear.options import SHIPPED_BUNDLE, BundleArgument, JsonOption, PreferOption, preference, require_picture

# As in `hardwear.cli`, what takes time to import is imported inside the verbs.

EmulatorOption = Annotated[
    bool, typer.Option("--emulator", help="On the emulated Cortex-M4: the default, no board counts instructions.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (profile, compare):
        app.command()(verb)


def profile(
    bundle: BundleArgument = SHIPPED_BUNDLE,
    emulator: EmulatorOption = True,
    prefer: PreferOption = "speed",
    flash_wait_states: Annotated[
        int, typer.Option(min=0, max=15, help="Cycles that each four bytes of code wait for the flash; 0: cached.")
    ] = 0,
    streaming: Annotated[
        bool, typer.Option("--streaming", help="A window that follows another: only its new half is computed.")
    ] = False,
    tflm: Annotated[
        Path | None,
        typer.Option(
            envvar="HARDWEAR_TFLM",
            help="TFLite-Micro's sources, to profile it too: the Arduino library Chirale_TensorFLowLite, or a checkout "
            "of tflite-micro with its downloads. Default: what PlatformIO downloaded for the Nano 33 BLE.",
        ),
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw the flames into this SVG or PNG.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Count what each layer of one inference takes: instructions, modelled cycles, time at 64 MHz, stack and RAM."""
    from hardwear.bundle import Bundle
    from hardwear.profiling.figure import draw_flames
    from hardwear.profiling.profile import COLUMNS
    from hardwear.profiling.profile import profile as take
    from hardwear.profiling.tflm import find_library

    require_picture(figure)
    chosen = preference(prefer)
    library = find_library(tflm)
    loaded = Bundle.load(bundle)
    if library is None:
        console.note(
            "TFLite-Micro's sources are not at hand, so the compiled engine is profiled alone: name them by --tflm or "
            "HARDWEAR_TFLM, or let PlatformIO download them (pio run -e nano33ble)"
        )
    with progress_bar("profile") as progress:
        result = take(loaded, chosen, flash_wait_states, streaming, library, progress)
    if figure is not None:
        draw_flames(result, figure)
        console.note(f"wrote {figure}")
    if as_json:
        console.print_json(result.to_json())
        return
    for engine in result.engines:
        verdict = "equal to TFLite-Micro's golden answer" if engine.equal else "NOT TFLite-Micro's golden answer"
        console.print_table(
            f"{engine.engine}: {engine.flash_bytes:,} B of flash, arena of {engine.arena_bytes:,} B, answer {verdict}",
            COLUMNS,
            engine.rows(),
            synthetic=loaded.manifest.synthetic,
        )
    if len(result.engines) == 2:
        ours, theirs = result.engines
        console.note(
            f"{theirs.instructions / ours.instructions:.2f} times fewer instructions and "
            f"{theirs.cycles / ours.cycles:.2f} times fewer modelled cycles than {theirs.engine}"
        )


def compare(
    bundle: BundleArgument = SHIPPED_BUNDLE,
    emulator: EmulatorOption = True,
    dump_layers: Annotated[
        Path | None,
        typer.Option("--dump-layers", help="Write every activation of both sides into this folder, as .npy files."),
    ] = None,
    windows: Annotated[int, typer.Option(min=1, max=200, help="Simulated motion, extremes and noise.")] = 6,
    prefer: PreferOption = "speed",
    generated: Annotated[
        Path | None, typer.Option(help="Folder of generated headers to compare. Default: made anew from the bundle.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare every layer of the compiled engine with TFLite-Micro's. Exit code 0 only if all agree.

    The first difference is told by layer, channel and position.
    """
    from hardwear.bundle import Bundle
    from hardwear.codegen import read_graph
    from hardwear.codegen.compiled_model import compile_graph
    from hardwear.profiling.compare import compare as compare_layers
    from hardwear.profiling.windows import probing_windows

    chosen = preference(prefer)
    loaded = Bundle.load(bundle)
    program = compile_graph(read_graph(loaded.tflite), chosen)
    result = compare_layers(loaded, program, probing_windows(loaded, windows), generated, dump_layers, chosen)
    if as_json:
        console.print_json(result.to_json())
    else:
        console.print_facts(
            "compiled engine on the emulated Cortex-M4 against TFLite-Micro",
            {
                "windows": f"{result.windows:,}",
                "layers": f"{result.layers:,}",
                "activations equal": f"{result.values - result.unequal:,} of {result.values:,}",
                **({"activations in": str(dump_layers)} if dump_layers else {}),
            },
        )
    result.require_equal()
