"""Recorded and simulated human motion, verified and in the contract's order and units."""

from hardwear.datasets.dataset import SYNTHETIC, Dataset, WindowSet
from hardwear.datasets.download import DatasetUnavailable
from hardwear.datasets.hapt import load_hapt
from hardwear.datasets.recording import ACTIVITIES, Recording, Segment
from hardwear.datasets.uci_har import load_uci_har

__all__ = [
    "ACTIVITIES",
    "SYNTHETIC",
    "Dataset",
    "DatasetUnavailable",
    "Recording",
    "Segment",
    "WindowSet",
    "load_hapt",
    "load_uci_har",
]
