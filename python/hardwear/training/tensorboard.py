"""Curves for TensorBoard, for those who ask for them; `curves.csv` has the same numbers without it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hardwear.errors import TrainingError
from hardwear.tensorflow_log import keep_tensorflow_quiet

FOLDER = "tensorboard"


@contextmanager
def curve_logger(run: Path, wanted: bool) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """Yield what writes one epoch's row of curves; it does nothing unless wanted.

    Args:
        run: The run folder.
        wanted: Whether to write.

    Raises:
        TrainingError: It is wanted, but TensorBoard is not installed.
    """
    if not wanted:
        yield lambda row: None
        return
    keep_tensorflow_quiet()  # torch's writer imports it where it finds it
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingError(
            'expected TensorBoard, got none; pip install "hardwear[tensorboard]", or leave --tensorboard out'
        ) from error

    writer = SummaryWriter(str(run / FOLDER))

    def log(row: Mapping[str, float]) -> None:
        for name, value in row.items():
            if name != "epoch":
                writer.add_scalar(name, value, int(row["epoch"]))

    try:
        yield log
    finally:
        writer.close()
