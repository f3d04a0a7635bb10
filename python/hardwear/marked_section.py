"""The parts of committed pages that programs write: between `<!-- name -->` and `<!-- /name -->`."""

from pathlib import Path

from hardwear.errors import HardwearError


def replace_section(page: Path, name: str, text: str) -> None:
    """Put `text` between the page's two markers, each on a line of its own.

    Raises:
        HardwearError: The page lacks them; it is not a page to append to.
    """
    content = page.read_text(encoding="utf-8")
    begin, end = markers(name)
    if begin not in content or end not in content:
        raise HardwearError(
            f"expected the markers {begin.strip()} and {end} in {page}, got none; put them where that part belongs"
        )
    head, rest = content.split(begin, 1)
    page.write_text(head + begin + text + "\n" + end + rest.split(end, 1)[1], encoding="utf-8")


def markers(name: str) -> tuple[str, str]:
    """The line that opens a part, with its line end, and the one that closes it."""
    return f"<!-- {name} -->\n", f"<!-- /{name} -->"
