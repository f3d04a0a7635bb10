"""The results file: one line for each finished run, added as soon as it ends, by as many processes as like.

It is the whole memory of the reproduction: what it holds is not run again, and the page is made from it alone.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hardwear.baselines import SvmSettings
from hardwear.datasets.dataset import SYNTHETIC
from hardwear.errors import TrainingError
from hardwear.reproduction.table import Row, Settings
from hardwear.training import TrainingSettings
from hardwear.training.run import DataIdentity, RunResults

FORMAT = 1
_CURVE_POINTS = 100


@dataclass(frozen=True)
class Record:
    """One finished run."""

    settings: Settings
    results: RunResults
    curves: dict[str, list[float]]
    """By figure, at `epoch`; thinned out to at most 101 epochs. Empty for a machine that knows no epochs."""
    choice: dict[str, Any] | None
    """What cross-validation chose, for a support vector machine."""
    provenance: dict[str, Any]
    """Command, commit, versions: `hardwear.provenance`."""

    @property
    def epochs(self) -> int | None:
        """How many it was trained for; None for a machine that knows none."""
        return self.settings.epochs if isinstance(self.settings, TrainingSettings) else None

    @property
    def seed(self) -> int:
        """Its seed."""
        return self.settings.seed

    def to_json(self) -> dict[str, Any]:
        """As plain values for `json.dumps`."""
        kind = "network" if isinstance(self.settings, TrainingSettings) else "svm"
        return {
            **{name: value for name, value in vars(self).items() if name not in ("settings", "results")},
            "kind": kind,
            "settings": self.settings.to_json(),
            "results": self.results.to_json(),
        }

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Record":
        """The reverse of `to_json`."""
        known = dict(values)
        kind: type[TrainingSettings] | type[SvmSettings] = TrainingSettings
        if known.pop("kind") == "svm":
            kind = SvmSettings
        known["settings"] = kind.from_json(known["settings"])
        known["results"] = RunResults.from_json(known["results"])
        return Record(**known)


def essence(settings: Settings) -> Settings:
    """Settings without what only moves the last bits or chooses between two networks that are both measured."""
    if isinstance(settings, SvmSettings):
        return settings
    return replace(settings, device="cpu", threads=1, keep="last")


@dataclass(frozen=True)
class Results:
    """What the file holds."""

    data: DataIdentity
    runs: dict[Settings, Record]
    """By `essence` of their settings."""

    @property
    def synthetic(self) -> bool:
        """Whether the runs are on simulated motion."""
        return self.data.name == SYNTHETIC

    def find(self, settings: Settings) -> Record | None:
        """The run of these settings, wherever it was made."""
        return self.runs.get(essence(settings))

    def of(self, row: Row, seeds: Sequence[int] | None = None) -> list[Record]:
        """A row's finished runs in order of seed: all there are, or those of the seeds."""
        wanted = essence(row.settings(0))
        found = [r for key, r in self.runs.items() if type(key) is type(wanted) and replace(key, seed=0) == wanted]
        return sorted((r for r in found if seeds is None or r.seed in seeds), key=lambda record: record.seed)


def read(path: Path) -> Results | None:
    """The file's content; None if there is no file.

    Raises:
        TrainingError: It can't be read or is of another format.
    """
    if not path.exists():
        return None
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if held["format"] != FORMAT:
            raise TrainingError(
                f"expected format {FORMAT} in {path}, got {held['format']!r}; name another folder with --out"
            )
        records = [Record.from_json(values) for values in held["runs"]]
        return Results(DataIdentity(**held["data"]), {essence(r.settings): r for r in records})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"expected results of `hardwear reproduce` in {path}, got: {error!r}; "
            "restore the file, or name another folder with --out"
        ) from error


def add(path: Path, data: DataIdentity, record: Record, lock: Path) -> None:
    """Add a run to the file, or replace the one of the same settings; others may do so at the same time.

    Args:
        path: The results file, made if missing.
        data: What the run learnt from.
        record: The run.
        lock: A file that all who add hold while they do.

    Raises:
        TrainingError: The file holds runs on other data, or can't be read.
    """
    with locked(lock):
        held = read(path) or Results(data, {})
        require_same_data(path, held, data)
        runs = {**held.runs, essence(record.settings): record}
        _write(path, Results(data, runs))


def require_same_data(path: Path, held: Results, data: DataIdentity) -> None:
    """Refuse to put runs on two data sets into one file."""
    if held.data != data:
        raise TrainingError(
            f"expected {path} to hold runs on {data.name} {data.sha256[:16]}, got {held.data.name} "
            f"{held.data.sha256[:16]}; name another folder with --out"
        )


def thinned(rows: Sequence[dict[str, str]]) -> dict[str, list[float]]:
    """A run's `curves.csv` by column, every so many epochs and the last one, to five digits."""
    step = -(-len(rows) // _CURVE_POINTS)
    kept = [row for number, row in enumerate(rows, start=1) if number % step == 0 or number == len(rows)]
    return {name: [float(f"{float(row[name]):.5g}") for row in kept] for name in (rows[0] if rows else ())}


def write_text(path: Path, text: str) -> None:
    """Write so that an interruption leaves either the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@contextmanager
def locked(lock: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock file; gives False if another process holds it and `wait` is off. It ends with the process."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _write(path: Path, results: Results) -> None:
    """A run a line, in an order that does not hang on which one ended first, so that changes can be read as a diff."""
    lines = sorted(json.dumps(record.to_json(), sort_keys=True) for record in results.runs.values())
    head = {"data": asdict(results.data), "format": FORMAT, "synthetic": results.synthetic}
    runs = "[\n" + ",\n".join(lines) + "\n]"
    write_text(path, json.dumps(head)[:-1] + f', "runs": {runs}}}\n')
