"""A study's results file: it grows measurement by measurement, so that hours of work survive an interruption."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardwear.errors import StudyError, TrainingError
from hardwear.provenance import provenance
from hardwear.studies.words import settings_identity
from hardwear.training import TrainingSettings

Row = dict[str, Any]
"""One measurement, as plain values."""


@dataclass(frozen=True)
class Study:
    """What is measured: two files are of one study if all of this is equal."""

    study: str
    """`seeds`, `leave-one-out` …"""
    name: str
    """Of the model: `compact`, `nano`."""
    synthetic: bool
    of: Mapping[str, Any]
    """Whatever else the figures hang on: the settings of the trainings, or the bundle."""
    data: Mapping[str, str]
    """SHA-256 of the content of each data set, by its name."""

    def path(self, out: Path) -> Path:
        """The results file in an output folder."""
        return results_path(out, self.study, self.name)


def results_path(out: Path, study: str, name: str) -> Path:
    """`results/<study>_<name>.json` of an output folder."""
    return out / "results" / f"{study.replace('-', '_')}_{name}.json"


@dataclass
class ResultsFile:
    """The measurements so far. Made by `open_results`."""

    path: Path
    head: dict[str, Any]
    summarize: Callable[[Mapping[str, Row]], dict[str, Any]]
    rows: dict[str, Row] = field(default_factory=dict)

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Those that are not measured yet, in their order."""
        return [key for key in keys if key not in self.rows]

    def put(self, key: str, row: Row) -> None:
        """Add a measurement and write the file, whole or not at all."""
        self.put_all({key: row})

    def put_all(self, rows: Mapping[str, Row]) -> None:
        """Add measurements and write the file, whole or not at all."""
        self.rows.update(rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        document = {**self.head, "summary": self.summarize(self.rows), "rows": self.rows}
        temporary = self.path.with_suffix(".part")
        temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self.path)


def open_results(
    out: Path,
    study: Study,
    command: str,
    seeds: Sequence[int],
    summarize: Callable[[Mapping[str, Row]], dict[str, Any]],
) -> ResultsFile:
    """A study's file, with what it already holds of the very same study.

    Args:
        out: Folder that holds `results/`.
        study: What is measured.
        command: What to type to get the figures again.
        seeds: Of everything random in them.
        summarize: From all rows to what the tables show.

    Raises:
        StudyError: The file holds another study or is damaged.
    """
    path = study.path(out)
    identity = {"study": study.study, "name": study.name, "synthetic": study.synthetic, "of": dict(study.of)}
    head = {**provenance(command, dict(study.data), seeds), **identity}
    if not path.exists():
        return ResultsFile(path, head, summarize)
    found = read_document(path)
    of = found["of"]
    if "augmentation" in of:  # settings: what is missing there is younger than the file, which had its default
        try:
            of = settings_identity(TrainingSettings.from_json(of))
        except (TrainingError, TypeError) as error:
            raise StudyError(
                f"expected settings that are known in {path}, but {error}; restore the file, or delete it"
            ) from error
    differences = [
        f"{name} is {theirs!r} there and {ours!r} here"
        for part, there in ((identity, found), (dict(study.of), of), (dict(study.data), found["data"]))
        for name, ours in part.items()
        if name != "of" and (theirs := there.get(name)) != ours
    ]
    if differences:
        raise StudyError(
            f"expected {path} to hold figures of the same study, to go on with it, but {'; '.join(differences)}; "
            "delete the file to measure all anew, or give this one another --name"
        )
    for name in ("commit", "command"):
        if earlier := {found[name], *found.get(f"earlier_{name}s", [])} - {head[name]}:
            head[f"earlier_{name}s"] = sorted(earlier)
    return ResultsFile(path, head, summarize, dict(found["rows"]))


def read_document(path: Path) -> dict[str, Any]:
    """A results file as `ResultsFile.put` wrote it.

    Raises:
        StudyError: It can't be read or lacks a part.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(f"expected a results file in {path}, got: {error}; restore it, or delete it") from error
    wanted = ("command", "commit", "data", "study", "name", "synthetic", "of", "summary", "rows")
    if not isinstance(document, dict) or (missing := [key for key in wanted if key not in document]):
        lacking = f"one without {', '.join(missing)}" if isinstance(document, dict) else type(document).__name__
        raise StudyError(f"expected a results file in {path}, got {lacking}; restore it, or delete it")
    return document


def documents(out: Path, study: str) -> Iterator[dict[str, Any]]:
    """The results of one study, of each model that it was made for, in the order of their names."""
    for path in sorted((out / "results").glob(f"{study.replace('-', '_')}_*.json"), key=lambda file: file.stem):
        yield read_document(path)
