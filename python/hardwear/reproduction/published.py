"""What the paper reports, digit by digit (its Tables V, VI and VII), and what it says of how it got there."""

from dataclasses import dataclass

from hardwear.contract import CLASSES


@dataclass(frozen=True)
class Published:
    """One method's row. Fractions; None where the paper gives no figure."""

    name: str
    """As the table on our page calls it."""
    macro_f1: float
    accuracy: float | None = None
    precision: float | None = None
    """Macro average, as is `recall`."""
    recall: float | None = None
    recall_by_class: dict[str, float] | None = None


def _by_class(
    sitting: float, standing: float, laying: float, walking: float, up: float, down: float
) -> dict[str, float]:
    return dict(zip(CLASSES, (walking, up, down, sitting, standing, laying), strict=True))


PUBLISHED = {
    "svm": Published("SVM", 0.893),
    "cnn": Published("CNN", 0.915),
    "deepconvlstm": Published("DeepConvLSTM", 0.910),
    "ce": Published(
        "Table I + CE", 0.920, 0.916, 0.922, 0.919, _by_class(0.892, 0.897, 0.840, 0.988, 0.910, 0.988)
    ),
    "center": Published(
        "Table I + CE + center loss", 0.942, 0.940, 0.942, 0.942, _by_class(0.884, 0.930, 0.898, 0.996, 0.957, 0.986)
    ),
}  # fmt: skip
"""By method, in the order of the paper."""

TRAINING_WINDOWS, VALIDATION_WINDOWS, TEST_WINDOWS = 5_147, 2_205, 2_947
VALIDATION_SHARE = VALIDATION_WINDOWS / (TRAINING_WINDOWS + VALIDATION_WINDOWS)
EPOCHS = 300
LAMBDA_2 = 0.02
