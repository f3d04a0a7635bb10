"""TensorFlow's log lines, which nobody asked for between our own."""

import os


def keep_tensorflow_quiet() -> None:
    """Silence TensorFlow's start, unless the environment says otherwise; only before its first import."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # With it on, TensorFlow announces it at level 0 before the log level is read.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
