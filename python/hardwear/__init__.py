"""Hardwear: from recorded human motion to a board that names the activity, proven bit for bit."""

__version__ = "0.1.0"
