"""`hardwear reproduce`: run what the table asks for and is not there yet, then write the page from what is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hardwear import console
from hardwear.console import progress_bar
from hardwear.errors import HardwearError
from hardwear.options import DataOption, JsonOption, SyntheticOption, labelled_windows, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardwear.reproduction.results import Results
    from hardwear.reproduction.table import Row

# As in `hardwear.cli`, what takes seconds to import is imported inside the verb.


def reproduce(
    only: Annotated[
        str | None,
        typer.Option(help="Rows or parts by commas: main, sweep, readings, ce-body, ce-body@300 … Default: all."),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Such as 0,1,2 or 0-4, instead of the table's.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the table's.")] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of each run.")] = 1,
    show: Annotated[bool, typer.Option("--list", help="Say what is done and what is missing, and do nothing.")] = False,
    page_only: Annotated[
        bool, typer.Option("--page-only", help="Train nothing; write the page and its pictures anew.")
    ] = False,
    runs: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run folders. Default: runs/reproduction, or build/reproduction-synthetic/runs."
        ),
    ] = None,
    source: DataOption = None,
    synthetic: SyntheticOption = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of results/reproduction.json, pictures/ and reproduction.md. "
            "Default: docs, or build/reproduction-synthetic."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train what the paper and its baselines need, and write docs/reproduction.md beside the paper's figures.

    What the results file holds is not trained again, and an interrupted run goes on where it stopped. Several processes
    may be started at once: they share the work.
    """
    from hardwear.reproduction.execute import execute, missing
    from hardwear.reproduction.page import Paths, write_page
    from hardwear.reproduction.results import read
    from hardwear.reproduction.table import choose
    from hardwear.training.settings import DEVICES, check_choice

    check_choice("device", device, DEVICES)
    if show and page_only:
        raise HardwearError("--list does nothing and --page-only writes the page; give one of them")
    rows = choose(only, epochs)
    chosen = numbers("--seeds", seeds) if seeds else None
    paths = Paths(out or Path("build/reproduction-synthetic" if synthetic else "docs"))
    runs = runs or Path("build/reproduction-synthetic/runs" if synthetic else "runs/reproduction")
    if not show:
        paths.require_kind(synthetic)

    dataset = None
    if not (show or page_only):
        tasks = missing(rows, read(paths.results), chosen, device, threads)
        with progress_bar("data") as progress:
            dataset = labelled_windows(source, synthetic, progress)
        with progress_bar("reproduce", "finished runs are kept, the same command goes on") as progress:
            elsewhere = execute(dataset, tasks, paths.results, runs, progress)
        for task in elsewhere:
            console.note(f"{task.what}: another process is at it")
    if not show:
        with progress_bar("page") as progress:
            page = write_page(paths, runs, lambda: dataset or labelled_windows(source, synthetic, progress), progress)
    held = read(paths.results)
    table = [_state(row, held, chosen) for row in rows]
    if as_json:
        console.print_json(table)
        return
    console.print_table(
        f"{paths.results}",
        ("", "seeds done", "missing", "macro-F1 (test)", "hours left"),
        [_words(state) for state in table],
        synthetic=synthetic,
    )
    if not show:
        console.note(f"page: {page}")


def _state(row: "Row", held: "Results | None", seeds: "Sequence[int] | None") -> dict[str, Any]:
    """What there is of a row, as plain values."""
    from hardwear.reproduction.cost import seconds_per_run

    wanted = tuple(seeds or row.experiment.seeds)
    records = held.of(row) if held else []
    absent = [seed for seed in wanted if seed not in {record.seed for record in records}]
    seconds = seconds_per_run(row, held)
    return {
        "row": row.name,
        "part": row.experiment.part,
        "seeds_done": [record.seed for record in records],
        "seeds_missing": absent,
        "macro_f1": [record.results.last.test.macro_f1 for record in records if record.results.last.test],
        "hours_left": None if seconds is None else round(seconds * len(absent) / 3600, 2),
    }


def _words(state: dict[str, Any]) -> tuple[str, ...]:
    scores = state["macro_f1"]
    mean = f"{sum(scores) / len(scores):.4f}" if scores else ""
    hours = "?" if state["hours_left"] is None else f"{state['hours_left']:.1f}"
    return state["row"], *(",".join(map(str, state[key])) for key in ("seeds_done", "seeds_missing")), mean, hours
