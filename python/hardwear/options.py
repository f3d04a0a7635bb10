"""The options that several verbs of the command line share, and the data that they name."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hardwear.errors import HardwearError
from hardwear.progress import Progress

if TYPE_CHECKING:
    from hardwear.codegen.kernels import Preference
    from hardwear.datasets import Dataset, Recording
    from hardwear.training import TrainingSettings

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Archive, folder, or folder that holds one. Default: HARDWEAR_DATA, the cache, a download from UCI.",
    ),
]
SyntheticOption = Annotated[
    bool,
    typer.Option("--synthetic", help="Use the built-in simulator instead of UCI-HAR; says so everywhere."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
PreferOption = Annotated[
    str, typer.Option("--prefer", help="What the compiled engine spares: speed (instructions), ram or flash.")
]
ChangesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any setting instead of the preset's, as often as you like: validation_subjects=1,3,5, keep=best, "
        "augmentation.scale=0.05 …",
    ),
]
BundleArgument = Annotated[Path, typer.Argument(help="Bundle folder.")]

SHIPPED_BUNDLE = Path("models/compact")


def preference(prefer: str) -> "Preference":
    """What `--prefer` asks for."""
    from hardwear.codegen.kernels import Preference

    names = [choice.value for choice in Preference]
    if prefer not in names:
        raise typer.BadParameter(f"expected one of {', '.join(names)}, got {prefer!r}", param_hint="--prefer")
    return Preference(prefer)


def require_picture(path: Path | None) -> None:
    """A `HardwearError` unless a picture of a known kind is named, or none."""
    if path is not None and path.suffix not in (".svg", ".png"):
        raise HardwearError(f"expected --figure to end in .svg or .png, got {path}")


def labelled_windows(source: Path | None, synthetic: bool, progress: Progress) -> "Dataset":
    """What `--data` and `--synthetic` ask for."""
    from hardwear.datasets import load_uci_har, simulate_dataset

    return simulate_dataset() if synthetic else load_uci_har(source, progress)


def raw_recordings(source: Path | None, synthetic: bool, progress: Progress) -> "tuple[Recording, ...]":
    """The recordings that those windows were cut from: HAPT's, or simulated ones."""
    from hardwear.datasets import load_hapt, simulate_recordings

    return simulate_recordings() if synthetic else load_hapt(source, progress)


def training_settings(preset: str, changes: Sequence[str] | None, **chosen: Any) -> "TrainingSettings":
    """A preset with what the options chose, None being nothing, and what `--set` changed."""
    from hardwear import training

    given = {name: value for name, value in chosen.items() if value is not None}
    return replace(training.preset(preset), **given).changed(changes or ())


def training_windows(
    source: Path | None, synthetic: bool, settings: "TrainingSettings", progress: Progress
) -> "Dataset":
    """The windows, each with its surroundings in the recordings if the settings cut windows anew."""
    from hardwear.datasets import with_surroundings

    dataset = labelled_windows(source, synthetic, progress)
    if not settings.augmentation.shift_samples:
        return dataset
    return with_surroundings(dataset, raw_recordings(source, synthetic, progress))


def numbers(option: str, text: str) -> list[int]:
    """`0,1,4-6` as numbers, in that order.

    Raises:
        HardwearError: The text is something else, or names a number twice.
    """
    found: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            found.extend(range(int(first), int(last or first) + 1))
    except ValueError:
        found = []
    if not found or len(set(found)) != len(found):
        raise HardwearError(f"expected {option} such as 0,1,2 or 0-4, each number once, got {text!r}")
    return found
