#!/usr/bin/env python3
"""The replay validator: exactly `hardwear replay`, for those who look for it here."""

import sys

from hardwear.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "replay")
    main()
