"""The Jinja2 environment of the generated headers: strict, and with the few filters that C++ text needs."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def float_literal(value: float) -> str:
    """A C++ float literal that reads back as the same float32.

    Args:
        value: A finite number.

    Returns:
        Nine significant digits, enough for any float32, and the suffix: `0.00392156886f`.
    """
    text = f"{value:.9g}"
    return f"{text}f" if any(mark in text for mark in ".e") else f"{text}.0f"


def rows(values: Iterable[Any], width: int, indent: int = 4) -> str:
    """The body of a C++ array: `width` values a line, a comma after each, every line indented."""
    texts = [str(value) for value in values]
    lines = (texts[start : start + width] for start in range(0, len(texts), width))
    return "\n".join(" " * indent + ", ".join(line) + "," for line in lines)


def braced(values: Iterable[Any]) -> str:
    """A short C++ initialiser on one line: `{1, 2, 3}`."""
    return "{" + ", ".join(str(value) for value in values) + "}"


@cache
def environment() -> Environment:
    """The environment that renders `templates/*.j2`; an undefined name is an error, never an empty text."""
    made = Environment(
        loader=PackageLoader("hardwear.codegen"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.filters["float_literal"] = float_literal
    made.filters["braced"] = braced
    made.filters["rows"] = rows
    return made
