"""The one table of experiments: what is run to stand beside the paper's figures."""

from dataclasses import dataclass, replace
from typing import Any

from hardwear.baselines import SvmSettings
from hardwear.errors import TrainingError
from hardwear.reproduction.published import EPOCHS, LAMBDA_2, VALIDATION_SHARE
from hardwear.training import TrainingSettings, preset

Settings = TrainingSettings | SvmSettings

PARTS = ("main", "sweep", "readings")
SEEDS = (0, 1, 2, 3, 4)
FEW_SEEDS = (0, 1, 2)
SHORT_EPOCHS = 20
"""What two CPU cores can give each of the many runs of sweep and readings; the published number is `EPOCHS`."""
LAMBDAS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1)


@dataclass(frozen=True)
class Experiment:
    """One line of the table: settings apart from epochs and seed, and how often they are run."""

    name: str
    part: str
    """`main`: the paper's rows. `sweep`: of λ₁. `readings`: of what the paper leaves open."""
    method: str
    """The row of `PUBLISHED` that it stands beside."""
    settings: Settings
    """Their epochs and seed are not used."""
    epochs: tuple[int | None, ...]
    """Runs are made for each; (None,) for a machine that knows no epochs."""
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """An experiment at one number of epochs."""

    experiment: Experiment
    epochs: int | None

    @property
    def name(self) -> str:
        """Such as `ce-body@300`; without epochs such as `svm-body`."""
        return self.experiment.name if self.epochs is None else f"{self.experiment.name}@{self.epochs}"

    def settings(self, seed: int) -> Settings:
        """All that one run needs."""
        settings = self.experiment.settings
        if isinstance(settings, SvmSettings) or self.epochs is None:
            return replace(settings, seed=seed)
        return replace(settings, epochs=self.epochs, seed=seed)


_ACCELERATIONS = {"body": "body_acc", "total": "total_acc"}


def _network(preset_name: str, **overrides: Any) -> TrainingSettings:
    """A published preset in the reading that the table starts from.

    The paper's 2,205 validation windows are 30 % of the 7,352 to the window, which a draw of whole people would not
    give: windows. An L2 penalty of 0.02 stops the network from learning (the readings show it): none. The results hold
    the best epoch beside the last.
    """
    return replace(preset(preset_name), keep="last", **overrides)


def _main() -> list[Experiment]:
    found = []
    for short, acceleration in _ACCELERATIONS.items():
        svm = SvmSettings(acceleration=acceleration, validation_share=VALIDATION_SHARE, validation_by="window")
        found.append(Experiment(f"svm-{short}", "main", "svm", svm, (None,), SEEDS))
        for method, preset_name in (
            ("ce", "paper-ce"),
            ("center", "paper"),
            ("cnn", "cnn"),
            ("deepconvlstm", "deepconvlstm"),
        ):
            settings = _network(preset_name, acceleration=acceleration)
            found.append(Experiment(f"{method}-{short}", "main", method, settings, (SHORT_EPOCHS, EPOCHS), SEEDS))
    return found


def _sweep() -> list[Experiment]:
    """The weight of the center loss. Without gravity, where the paper's figures point and where it has most to gain."""
    return [
        Experiment(
            f"lambda-{weight:g}",
            "sweep",
            "center" if weight else "ce",
            _network("paper", acceleration="body_acc", center_weight=weight),
            (SHORT_EPOCHS,),
            SEEDS,
        )
        for weight in LAMBDAS
    ]


def _readings() -> list[Experiment]:
    """Each with and without center loss. Acceleration and split in all combinations; λ₂ in three ways."""
    readings: dict[str, dict[str, Any]] = {
        f"{short}-{unit}": {"acceleration": acceleration, "validation_by": unit}
        for short, acceleration in _ACCELERATIONS.items()
        for unit in ("window", "subject")
    }
    readings["body-l2"] = {"acceleration": "body_acc", "weight_decay": LAMBDA_2}
    readings["body-decoupled"] = {"acceleration": "body_acc", "weight_decay": LAMBDA_2, "optimizer": "adamw"}
    return [
        Experiment(f"reading-{name}-{method}", "readings", method, _network(p, **overrides), (SHORT_EPOCHS,), FEW_SEEDS)
        for name, overrides in readings.items()
        for method, p in (("ce", "paper-ce"), ("center", "paper"))
    ]


EXPERIMENTS: tuple[Experiment, ...] = (*_main(), *_sweep(), *_readings())
"""In the order in which they are worth running; equal settings in two of them are run once."""


def experiments(part: str, method: str | None = None) -> list[Experiment]:
    """Those of a part of the table, or of one method in it."""
    return [e for e in EXPERIMENTS if e.part == part and method in (None, e.method)]


def choose(only: str | None = None, epochs: int | None = None) -> tuple[Row, ...]:
    """Rows of the table, those of fewer epochs first.

    Args:
        only: Names or parts, by commas: `sweep`, `ce-body`, `ce-body@300`. None: all.
        epochs: Instead of the declared ones.

    Raises:
        TrainingError: A name is none of the table.
    """
    rows = [
        Row(experiment, count)
        for experiment in EXPERIMENTS
        for count in (experiment.epochs if epochs is None or experiment.epochs == (None,) else (epochs,))
    ]
    if only is not None:
        rows = [row for name in only.split(",") for row in _named(name.strip(), rows)]
    return tuple(sorted(dict.fromkeys(rows), key=lambda row: row.epochs or 0))


def _named(name: str, rows: list[Row]) -> list[Row]:
    found = [row for row in rows if name in (row.name, row.experiment.name, row.experiment.part)]
    if not found:
        experiments = dict.fromkeys(row.experiment.name for row in rows)
        raise TrainingError(
            f"expected rows out of {', '.join((*PARTS, *experiments))}, each also as NAME@EPOCHS with "
            f"{' or '.join(dict.fromkeys(str(r.epochs) for r in rows if r.epochs))}, got {name!r}"
        )
    return found
