"""Everything that decides how a training run ends."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, get_args, get_origin

from hardwear import networks
from hardwear.augmentation import Augmentation
from hardwear.errors import TrainingError

KEEPS = ("last", "best")
DEVICES = ("cpu", "cuda")
OPTIMIZERS = ("adamw", "adam", "rmsprop")
SCHEDULES = ("cosine", "constant")
ACCELERATIONS = ("total_acc", "body_acc")
VALIDATION_UNITS = ("subject", "window")


@dataclass(frozen=True)
class TrainingSettings:
    """All that a run's weights depend on, apart from the data and torch itself.

    Raises:
        TrainingError: A value makes no sense; the message lists what does.
    """

    network: str = "compact"
    epochs: int = 60
    batch_size: int = 128
    optimizer: str = "adamw"
    learning_rate: float = 3e-3
    """Peak of the schedule."""
    schedule: str = "cosine"
    """`cosine`: linear warm-up over the first 5 % of the steps, then half a cosine down to 0. `constant`: neither."""
    weight_decay: float = 1e-2
    """Decoupled with `adamw`; else an L2 penalty of weight_decay/2·‖w‖² in the loss."""
    label_smoothing: float = 0.1
    dropout: float = 0.3
    center_weight: float = 0.003
    """λ, the center loss's share; 0 trains on cross-entropy alone."""
    center_rate: float = 0.5
    """α, how far a centre moves per mini-batch."""
    teachers: int = 0
    """How many networks are trained first, with these settings and seeds 0, 1, …, to learn from their mean too."""
    teacher_network: str = ""
    """What they are; empty: what the student is."""
    teacher_weight: float = 0.7
    """Share of the teachers' probabilities in the cross-entropy; the labels have the rest."""
    acceleration: str = "total_acc"
    """`total_acc`: with gravity, the contract's. `body_acc`: without, to compare with papers; it can't be converted."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    validation_subjects: tuple[int, ...] = ()
    """Training subjects held out to choose by; none: the network learns from all training subjects."""
    validation_share: float = 0.0
    """Instead of naming subjects: hold out this share of the training data, drawn by `seed`; 0 holds out nothing."""
    validation_by: str = "subject"
    """What `validation_share` counts. `subject`: whole people. `window`: windows, which leaks, as each shares half
    its samples with the next; only to repeat what others did."""
    keep: str = "last"
    """`last`: the network after the last epoch. `best`: after the epoch of highest validation macro-F1."""
    read_test: bool = True
    """Whether the finished network is measured on the test subjects; off while settings are being chosen."""
    seed: int = 0
    device: str = "cpu"
    threads: int = 1
    """CPU threads. A setting, because the order of sums and so the last bits depend on it. More than one pays only for
    `paper`, on cores that nothing else uses: threads that wait for each other made `compact` four times slower."""

    def __post_init__(self) -> None:
        for item in fields(self):
            _check_type(item.name, getattr(self, item.name), item.type)
        check_choice("network", self.network, networks.names())
        check_choice("teacher_network", self.teacher_network, ("", *networks.names()))
        check_choice("keep", self.keep, KEEPS)
        check_choice("device", self.device, DEVICES)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_choice("acceleration", self.acceleration, ACCELERATIONS)
        check_choice("validation_by", self.validation_by, VALIDATION_UNITS)
        for name in ("epochs", "batch_size", "threads"):
            _check_range(name, getattr(self, name), 1, 1_000_000)
        _check_range("seed", self.seed, 0, 2**32 - 1)
        _check_range("learning_rate", self.learning_rate, 1e-9, 10.0)
        _check_range("weight_decay", self.weight_decay, 0.0, 10.0)
        _check_range("label_smoothing", self.label_smoothing, 0.0, 0.99)
        _check_range("dropout", self.dropout, 0.0, 0.99)
        _check_range("center_weight", self.center_weight, 0.0, 1e3)
        _check_range("center_rate", self.center_rate, 0.0, 1.0)
        _check_range("teachers", self.teachers, 0, 100)
        _check_range("teacher_weight", self.teacher_weight, 0.0, 1.0)
        _check_range("validation_share", self.validation_share, 0.0, 0.9)
        if self.validation_subjects and self.validation_share:
            raise TrainingError("expected validation_subjects or validation_share, got both; give one of them")
        if self.augmentation.shift_samples and self.acceleration != "total_acc":
            raise TrainingError("expected acceleration total_acc with augmentation.shift_samples, got body_acc")
        if self.keep == "best" and not self.validates:
            raise TrainingError(
                "expected validation_subjects or validation_share with keep 'best', got none; add some, or keep 'last'"
            )
        if not (self.read_test or self.validates):
            raise TrainingError(
                "expected validation_subjects, a validation_share or read_test, got neither: nothing to measure on"
            )

    @property
    def validates(self) -> bool:
        """Whether training windows are held out to choose by."""
        return bool(self.validation_subjects or self.validation_share)

    def changed(self, assignments: Iterable[str]) -> "TrainingSettings":
        """These settings with some of them changed, as a command line names them.

        Args:
            assignments: Such as `learning_rate=0.001`, `validation_subjects=1,3,5`, `augmentation.scale=0.05`.

        Raises:
            TrainingError: One is no assignment, names no setting, or its value makes no sense.
        """
        values = self.to_json()
        for assignment in assignments:
            name, equals, text = (part.strip() for part in assignment.partition("="))
            if not equals or name not in _assignable():
                raise TrainingError(
                    f"expected NAME=VALUE with a name out of {', '.join(_assignable())}, got {assignment!r}"
                )
            group, _, member = name.rpartition(".")
            target = values["augmentation"] if group else values
            target[member] = _value(text, listed=isinstance(target[member], list))
        return TrainingSettings.from_json(values)

    def to_json(self) -> dict[str, Any]:
        """As plain values for `json.dumps`."""
        values = asdict(self)
        values["validation_subjects"] = list(self.validation_subjects)
        return values

    @staticmethod
    def from_json(values: dict[str, Any]) -> "TrainingSettings":
        """The reverse of `to_json`; what is left out has its default.

        Raises:
            TrainingError: A name is unknown or a value makes no sense.
        """
        known = dict(values)
        _check_names("settings", known, TrainingSettings)
        if "augmentation" in known:
            _check_names("augmentation", known["augmentation"], Augmentation)
            known["augmentation"] = Augmentation(**known["augmentation"])
        if "validation_subjects" in known:
            known["validation_subjects"] = tuple(known["validation_subjects"])
        return TrainingSettings(**known)


def _assignable() -> list[str]:
    """What `changed` can change."""
    top = [item.name for item in fields(TrainingSettings) if item.name != "augmentation"]
    return top + [f"augmentation.{item.name}" for item in fields(Augmentation)]


def _value(text: str, listed: bool) -> Any:
    """A number, true, false or numbers by commas as JSON reads them; anything else is the text itself."""
    try:
        return json.loads(f"[{text}]" if listed else text)
    except ValueError:
        return text


def _check_type(name: str, value: Any, expected: Any) -> None:
    """Refuse `"12"` for 12, which a hand-written JSON may hold; an int will do for a float."""
    if get_origin(expected) is tuple:
        good = isinstance(value, tuple) and all(type(v) is get_args(expected)[0] for v in value)
    elif expected is float:
        good = type(value) in (int, float)
    else:
        good = type(value) is expected
    if not good:
        raise TrainingError(f"expected {name} to be {getattr(expected, '__name__', expected)}, got {value!r}")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of the choices, naming them."""
    if value not in choices:
        raise TrainingError(f"expected {name} to be one of {', '.join(choices)}, got {value!r}")


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise TrainingError(f"expected {name} in [{low:g}, {high:g}], got {value!r}")


def _check_names(what: str, values: Any, cls: type[TrainingSettings] | type[Augmentation]) -> None:
    names = [item.name for item in fields(cls)]
    if not isinstance(values, dict):
        raise TrainingError(f"expected {what} to be an object of {', '.join(names)}, got {values!r}")
    for name in values:
        if name not in names:
            raise TrainingError(f"expected {what} out of {', '.join(names)}, got {name!r}")
