#!/usr/bin/env python3
"""Writes firmware/core/resampler_kernel.h from the kernel's design in hardwear.wearable.resampling.

python tools/resampler_kernel.py
"""

from pathlib import Path

from hardwear.codegen.resampler_kernel import render

HEADER = Path(__file__).parents[1] / "firmware" / "core" / "resampler_kernel.h"


def main() -> None:
    """Write it."""
    HEADER.write_text(render(), encoding="utf-8")
    print(HEADER)


if __name__ == "__main__":
    main()
