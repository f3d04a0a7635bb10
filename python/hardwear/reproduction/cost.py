"""How long a run will take, from runs of the same network that are done."""

from statistics import median

from hardwear.reproduction.results import Record, Results
from hardwear.reproduction.table import Row
from hardwear.training import TrainingSettings


def seconds_per_run(row: Row, held: Results | None) -> float | None:
    """Wall time of one run of a row, on machines as used so far; None while nothing like it was run."""
    settings = row.settings(0)
    records = held.runs.values() if held else ()
    if isinstance(settings, TrainingSettings):
        like = [
            r for r in records if isinstance(r.settings, TrainingSettings) and r.settings.network == settings.network
        ]
        return settings.epochs * median(map(_per_epoch, like)) if like else None
    machines = [r.results.seconds for r in records if not isinstance(r.settings, TrainingSettings)]
    return median(machines) if machines else None


def _per_epoch(record: Record) -> float:
    return record.results.seconds / (record.epochs or 1)
