"""The page of the board's model: every part that figures stand in is written from the results files."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hardwear.contract import SYNTHETIC_HEADING
from hardwear.errors import StudyError
from hardwear.marked_section import markers, replace_section
from hardwear.studies import calibration, leave_one_out, pareto, robustness, search, seeds

PAGE = "board-model.md"

SECTIONS: Mapping[str, tuple[str, Callable[[Path], str]]] = {
    "search": ("How it was chosen", search.section),
    "seeds": ("Five seeds", seeds.section),
    "leave-one-out": ("Leave one person out", leave_one_out.section),
    "robustness": ("Robustness", robustness.section),
    "pareto": ("What accuracy costs", pareto.section),
    "calibration": ("How sure it is", calibration.section),
}
"""By marker: the heading, and what writes the part from an output folder's results (and draws its pictures there)."""


def render_page(out: Path, synthetic: bool = False) -> Path:
    """Write every part of an output folder's page anew; a folder without the page gets a bare one.

    Args:
        out: Holds `results/`; gets `pictures/` and the page.
        synthetic: A bare page is headed SYNTHETIC.

    Returns:
        The page.

    Raises:
        StudyError: Simulated figures are to go onto a page that is not headed so, or the other way round.
        HardwearError: The page lacks the markers of a part.
    """
    page = out / PAGE
    require_kind(out, synthetic)
    if not page.exists():
        out.mkdir(parents=True, exist_ok=True)
        page.write_text(_bare(synthetic), encoding="utf-8")
    for marker, (_, write) in SECTIONS.items():
        replace_section(page, marker, write(out))
    return page


def require_kind(out: Path, synthetic: bool) -> None:
    """Keep figures of simulated motion and of people apart.

    Raises:
        StudyError: The folder's page is of the other kind.
    """
    page = out / PAGE
    if page.exists() and (SYNTHETIC_HEADING in page.read_text(encoding="utf-8")) != synthetic:
        kinds = ("figures of people", "simulated figures")
        raise StudyError(
            f"expected {out} to hold {kinds[synthetic]}, but its {PAGE} is for {kinds[not synthetic]}; "
            "name another folder with --out"
        )


def _bare(synthetic: bool) -> str:
    parts = ["# The board's model", *([SYNTHETIC_HEADING] if synthetic else [])]
    parts += [f"## {heading}\n{''.join(markers(marker))}" for marker, (heading, _) in SECTIONS.items()]
    return "\n\n".join(parts) + "\n"
