"""docs/reproduction.md, made from the results file alone."""

from dataclasses import dataclass
from pathlib import Path

from hardwear.contract import SYNTHETIC_HEADING
from hardwear.errors import HardwearError
from hardwear.progress import Progress, silent


@dataclass(frozen=True)
class Paths:
    """Where the reproduction's files lie."""

    out: Path

    @property
    def results(self) -> Path:
        """Every finished run."""
        return self.out / "results" / "reproduction.json"

    @property
    def page(self) -> Path:
        """The page."""
        return self.out / "reproduction.md"

    def require_kind(self, synthetic: bool) -> None:
        """Keep figures of simulated motion and of people apart.

        Raises:
            HardwearError: The folder's page is of the other kind.
        """
        if self.page.exists() and (SYNTHETIC_HEADING in self.page.read_text(encoding="utf-8")) != synthetic:
            kinds = ("figures of people", "simulated figures")
            raise HardwearError(
                f"expected {self.out} to hold {kinds[synthetic]}, but its {self.page.name} is for "
                f"{kinds[not synthetic]}; name another folder with --out"
            )


def write_page(paths: Paths, runs: Path, source: Path | None = None, progress: Progress = silent) -> Path:
    """Page."""
    return paths.page
