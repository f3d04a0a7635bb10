"""The parts of committed pages that scripts write: between `<!-- name -->` and `<!-- /name -->`."""

from pathlib import Path


def replace_section(page: Path, name: str, text: str) -> None:
    """Put `text` between the page's two markers; a page without them is an error, not a page to append to."""
    content = page.read_text()
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if begin not in content or end not in content:
        raise SystemExit(
            f"{page} lacks the markers {begin.strip()} and {end.strip()}: put them where the table belongs"
        )
    head, rest = content.split(begin, 1)
    page.write_text(head + begin + text + "\n" + end + rest.split(end, 1)[1])
