"""Conditioning: from raw samples to the signals that the windows are cut from, in float64 and in fixed point."""

from hardwear.conditioning.design import FILTER_SPEC, design_filter
from hardwear.conditioning.fixed_point import StreamConditioner, condition_counts
from hardwear.conditioning.spec import FilterSpec, Section

__all__ = [
    "FILTER_SPEC",
    "FilterSpec",
    "Section",
    "StreamConditioner",
    "condition_counts",
    "design_filter",
]
