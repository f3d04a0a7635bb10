"""What the studies' parts of the page have in common: figures as text, where they come from, pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from hardwear.figures import save_png
from hardwear.training import TrainingSettings


def mean_sd(summary: Mapping[str, Any], name: str, digits: int = 4) -> str:
    """`0.9727 ± 0.0028` of a summary that holds `name` and `name_sd`."""
    return f"{summary[name]:.{digits}f} ± {summary[f'{name}_sd']:.{digits}f}"


def not_measured(command: str) -> str:
    """In place of a part whose figures do not exist."""
    return f"Not measured yet: `{command}`."


def sources(document: Mapping[str, Any]) -> str:
    """The line under a table: the last command that made figures of it, and the file that holds them."""
    study, name = document["study"].replace("-", "_"), document["name"]
    data = ", ".join(f"{key} `{value[:12]}…`" for key, value in document["data"].items())
    others = ", after others that it names" if "earlier_commands" in document else ""
    return f"`{document['command']}`: [results/{study}_{name}.json](results/{study}_{name}.json){others}, data {data}."


def settings_identity(settings: TrainingSettings) -> dict[str, Any]:
    """Settings but for where they are computed: a study that began on a CPU may go on on a GPU."""
    values = settings.to_json()
    del values["device"]
    return values


def picture(figure: Figure, out: Path, name: str) -> str:
    """Write a figure to `pictures/` and give its path from the page; the same figure gives the same bytes."""
    path = out / "pictures" / f"{name}.png"
    save_png(figure, path)
    return f"pictures/{name}.png"
