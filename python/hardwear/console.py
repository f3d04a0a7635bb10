"""How the command line talks to people: progress bars, tables, one-line errors. Library code never does."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Column, Table

from hardwear.contract import SYNTHETIC_HEADING
from hardwear.progress import Progress

out = Console()
err = Console(stderr=True)


@contextmanager
def progress_bar(title: str, interrupted: str = "") -> Iterator[Progress]:
    """A progress bar on stderr for one long step; yields the function that the step calls.

    Args:
        title: What the step is called.
        interrupted: What to say of Ctrl-C: where the part that is done lies, and how to go on.
    """
    whole = Column(no_wrap=True)
    columns = (
        TextColumn("{task.description:<10}", table_column=whole),
        BarColumn(bar_width=20),
        MofNCompleteColumn(table_column=whole),
        TimeElapsedColumn(table_column=whole),
        TimeRemainingColumn(table_column=whole),
        # On a narrow terminal the detail goes on below, so that how long it still takes can be read.
        TextColumn("{task.fields[detail]}", table_column=Column()),
    )
    with RichProgress(*columns, console=err) as bar:
        task = bar.add_task(title, total=None, detail="", visible=False)  # a step with nothing to tell shows nothing

        def tell(done: int, total: int, detail: str = "") -> None:
            bar.update(task, completed=done, total=total, detail=detail, visible=True)

        try:
            yield tell
        except KeyboardInterrupt:
            note(f"{title} interrupted{interrupted and f': {interrupted}'}")
            raise


def print_json(value: Any) -> None:
    """Machine-readable result: one JSON document on stdout and nothing else."""
    typer.echo(json.dumps(value, indent=1))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, synthetic: bool = False) -> None:
    """A table on stdout, headed SYNTHETIC where its numbers come from the simulator."""
    if synthetic:
        out.print(SYNTHETIC_HEADING, style="bold", highlight=False, soft_wrap=True)
    out.print(title, highlight=False, markup=False, soft_wrap=True)
    table = Table()
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def print_facts(title: str, facts: Mapping[str, str], *, synthetic: bool = False) -> None:
    """A two-column table of names and values."""
    print_table(title, ("", "value"), [(name, value) for name, value in facts.items()], synthetic=synthetic)


def note(message: str) -> None:
    """One line for the person at the terminal, on stderr so that `--json` stays clean."""
    err.print(message, highlight=False)
