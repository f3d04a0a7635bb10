"""Settings that have a name."""

from dataclasses import replace

from hardwear.augmentation import Augmentation
from hardwear.training.settings import TrainingSettings, check_choice

# Chosen on validation subjects: docs/training.md.
_SHIPPED = TrainingSettings(
    epochs=120,
    center_weight=0.03,
    augmentation=Augmentation(rotation_degrees=10.0, acc_noise=0.01, gyro_noise=0.02),
)

_PRESETS = {
    "demo": replace(_SHIPPED, epochs=80),
    "shipped": _SHIPPED,
}


def preset_names() -> tuple[str, ...]:
    """The names that `preset` knows."""
    return tuple(_PRESETS)


def preset(name: str) -> TrainingSettings:
    """Settings by name: `demo` takes minutes on 2 cores, `shipped` made the bundle in `models/`.

    Raises:
        TrainingError: The name is unknown.
    """
    check_choice("preset", name, preset_names())
    return _PRESETS[name]
