"""How library code tells of long work without printing: it calls a function that the caller gave."""

from typing import Protocol


class Progress(Protocol):
    """Called as work goes on."""

    def __call__(self, done: int, total: int, detail: str = "") -> None:
        """Tell that `done` of `total` steps are done; `detail` is a short phrase such as `loss 0.12`."""


def silent(done: int, total: int, detail: str = "") -> None:
    """The `Progress` that tells nobody."""
