"""The generated header with the filters' coefficients."""

from hardwear.codegen.templating import environment
from hardwear.conditioning.spec import ACCUMULATOR_LIMIT, STATE_LIMIT, FilterSpec, headroom


def render(spec: FilterSpec, banner: str) -> str:
    """The text of `filter_coefficients.h`, from the filters alone.

    Args:
        spec: The filters, as they stand in the bundle's manifest.
        banner: C++ comment that names what made the file.
    """
    return (
        environment()
        .get_template("filter_coefficients.h.j2")
        .render(
            banner=banner,
            spec=spec,
            headroom=headroom(spec),
            state_limit=STATE_LIMIT,
            accumulator_limit=ACCUMULATOR_LIMIT,
        )
    )
