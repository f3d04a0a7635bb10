"""The header with the resampler's kernel, which no bundle changes."""

from hardwear.codegen.templating import environment
from hardwear.wearable import resampling


def render() -> str:
    """The text of `firmware/core/resampler_kernel.h`."""
    return (
        environment()
        .get_template("resampler_kernel.h.j2")
        .render(
            taps=resampling.TAPS,
            phases=resampling.PHASES,
            phase_bits=resampling.PHASE_BITS,
            tap_bits=resampling.TAP_BITS,
            min_rate=f"{resampling.MIN_RATE_HZ:g}",
            max_rate=f"{resampling.MAX_RATE_HZ:g}",
            min_step=resampling.MIN_STEP,
            max_step=resampling.MAX_STEP,
            rows=resampling.KERNEL.taps.tolist(),
        )
    )
