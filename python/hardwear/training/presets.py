"""Settings that have a name."""

from hardwear.augmentation import Augmentation
from hardwear.training.settings import TrainingSettings, check_choice

_AUGMENTATION = Augmentation(rotation_degrees=10.0, scale=0.1, acc_noise=0.01, gyro_noise=0.02)

_PRESETS = {
    "demo": TrainingSettings(epochs=20, augmentation=_AUGMENTATION),
    "shipped": TrainingSettings(epochs=60, augmentation=_AUGMENTATION, threads=1),
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
