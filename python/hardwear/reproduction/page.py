"""docs/reproduction.md, made from the results file alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from matplotlib.figure import Figure

from hardwear.contract import CLASSES, SYNTHETIC_HEADING
from hardwear.datasets import Dataset
from hardwear.datasets.uci_har import UCI_HAR
from hardwear.errors import HardwearError
from hardwear.figures import save_png
from hardwear.progress import Progress, silent
from hardwear.reproduction import embedding, pictures, tables
from hardwear.reproduction.embedding import Embedding
from hardwear.reproduction.findings import findings
from hardwear.reproduction.published import (
    EPOCHS,
    LAMBDA_2,
    PUBLISHED,
    TEST_WINDOWS,
    TRAINING_WINDOWS,
    VALIDATION_WINDOWS,
    Published,
)
from hardwear.reproduction.results import Results, read
from hardwear.reproduction.summary import pairs, sweep_epochs, sweep_scores
from hardwear.reproduction.table import LAMBDAS, SHORT_EPOCHS
from hardwear.training import TrainingSettings, preset


@dataclass(frozen=True)
class Paths:
    """Where the reproduction's files lie."""

    out: Path

    @property
    def results(self) -> Path:
        """Every finished run."""
        return self.out / "results" / "reproduction.json"

    @property
    def embeddings(self) -> Path:
        """The embeddings of two of them, in two dimensions."""
        return self.out / "results" / "reproduction_embedding.json"

    @property
    def page(self) -> Path:
        """The page."""
        return self.out / "reproduction.md"

    def picture(self, name: str) -> Path:
        """One of the page's pictures."""
        return self.out / "pictures" / f"reproduction_{name}.png"

    def require_kind(self, synthetic: bool) -> None:
        """Keep figures of simulated motion and of people apart.

        Raises:
            HardwearError: The folder's page is of the other kind.
        """
        if self.page.exists() and (SYNTHETIC_HEADING in self.page.read_text(encoding="utf-8")) != synthetic:
            kinds = ("figures of people", "simulated figures")
            raise HardwearError(
                f"expected {self.out} to hold {kinds[synthetic]}, but its {self.page.name} is for "
                f"{kinds[not synthetic]}; name another folder with --out"
            )


def write_page(paths: Paths, runs: Path, load: Callable[[], Dataset], progress: Progress = silent) -> Path:
    """Write the page and its pictures from the results file.

    Args:
        paths: Where everything lies.
        runs: Folder of the run folders. Only the embeddings are measured from them, if they are there.
        load: Gives the data that the runs are of; asked only for embeddings that are not in their file yet.
        progress: Told about embeddings.

    Returns:
        The page's path.

    Raises:
        HardwearError: There are no results yet, or a file can't be read.
    """
    held = read(paths.results)
    if held is None:
        raise HardwearError(f"expected results in {paths.results}, found none; run `hardwear reproduce` first")
    embeddings = embedding.update(paths.embeddings, held, runs, load, progress)
    context = _context(held, embeddings)
    both = pairs(held)
    drawn = {
        "recall": _draw(paths, "recall", both, pictures.recall_figure),
        "confusion": _draw(paths, "confusion", both, pictures.confusion_figure),
        "curves": _draw(paths, "curves", both, pictures.curves_figure),
        "embedding": _draw(paths, "embedding", embeddings, pictures.embedding_figure),
    }
    for epochs in sweep_epochs(held):
        scores = sweep_scores(held, epochs)
        name = f"lambda_{epochs}"
        drawn[name] = _save(paths, name, pictures.sweep_figure(scores, epochs))
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hardwear"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    text = environment.get_template("reproduction.md.j2").render(context, pictures=drawn)
    paths.page.parent.mkdir(parents=True, exist_ok=True)
    paths.page.write_text(text, encoding="utf-8")
    return paths.page


def _draw(paths: Paths, name: str, things: Sequence[Any], draw: Callable[[Any], Figure]) -> str | None:
    """The picture's path from the page; None if there is nothing to draw, and then no picture of earlier results."""
    if things:
        return _save(paths, name, draw(things))
    paths.picture(name).unlink(missing_ok=True)
    return None


def _save(paths: Paths, name: str, drawing: Figure) -> str:
    path = paths.picture(name)
    save_png(drawing, path)
    return path.relative_to(paths.out).as_posix()


def _context(held: Results, embeddings: Sequence[Embedding]) -> dict[str, Any]:
    """Everything that the template speaks of."""
    return {
        "synthetic_heading": SYNTHETIC_HEADING if held.synthetic else None,
        "findings": findings(held),
        "main": list(tables.main_lines(held)),
        "recall": list(tables.recall_lines(held)),
        "readings": list(tables.reading_lines(held)),
        "readings_missing": tables.missing("readings", held),
        "paired": list(tables.center_loss_lines(held)),
        "sweeps": {epochs: tables.sweep_lines(held, epochs) for epochs in sweep_epochs(held)},
        "sweep_missing": tables.missing("sweep", held),
        "embeddings": embeddings,
        "embedding_lines": [(f"`{e.name}`", f"{e.silhouette:.3f}", f"{e.scatter:.3f}") for e in embeddings],
        "choices": list(tables.choice_lines(held)),
        "costs": list(tables.cost_lines(held)),
        "sources": _sources(held),
        "published": PUBLISHED,
        "implied": {method: _implied_accuracy(PUBLISHED[method]) for method in ("ce", "center")},
        "windows": (TRAINING_WINDOWS, VALIDATION_WINDOWS, TEST_WINDOWS),
        "published_epochs": EPOCHS,
        "short_epochs": SHORT_EPOCHS,
        "lambda_1": preset("paper").center_weight,
        "lambda_2": LAMBDA_2,
        "center_rate": preset("paper").center_rate,
        "lambdas": ", ".join(f"{weight:g}" for weight in LAMBDAS),
    }


def _sources(held: Results) -> dict[str, Any]:
    """Where the figures come from, over all runs."""
    records = held.runs.values()
    return {
        "runs": len(held.runs),
        "data": f"{held.data.name} `{held.data.sha256[:12]}…`",
        "commits": sorted({f"`{_short(record.provenance['commit'])}`" for record in records}),
        "devices": sorted({r.settings.device for r in records if isinstance(r.settings, TrainingSettings)}),
        "hours": sum(record.results.seconds for record in records) / 3600,
    }


def _short(commit: str | None) -> str:
    if commit is None:
        return "outside a clone"
    digits, changes, _ = commit.partition("+")
    return f"{digits[:7]}{changes and '+changes'}"


def _implied_accuracy(published: Published) -> float:
    """What the published recalls say of UCI-HAR's own test windows together."""
    counts = UCI_HAR.label_counts["test"]
    by_class = published.recall_by_class or {}
    return sum(n * by_class[name] for n, name in zip(counts, CLASSES, strict=True)) / sum(counts)
