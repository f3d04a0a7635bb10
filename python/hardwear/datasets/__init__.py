"""Recorded and simulated human motion, verified and in the contract's order and units."""

from hardwear.datasets.dataset import SYNTHETIC, Dataset, Surroundings, WindowSet, concatenate
from hardwear.datasets.hapt import load_hapt
from hardwear.datasets.origins import Origins, WindowOrigins, window_origins
from hardwear.datasets.recording import ACTIVITIES, Recording, Segment
from hardwear.datasets.simulator import simulate_dataset, simulate_recordings
from hardwear.datasets.split import split_by_subject, split_by_window
from hardwear.datasets.summary import DatasetSummary, PartSummary, summarize
from hardwear.datasets.surroundings import with_surroundings
from hardwear.datasets.uci_har import load_uci_har
from hardwear.datasets.windowing import cut_windows, dataset_of_recordings, recordings_sha256

__all__ = [
    "ACTIVITIES",
    "SYNTHETIC",
    "Dataset",
    "DatasetSummary",
    "Origins",
    "PartSummary",
    "Recording",
    "Segment",
    "Surroundings",
    "WindowOrigins",
    "WindowSet",
    "concatenate",
    "cut_windows",
    "dataset_of_recordings",
    "load_hapt",
    "load_uci_har",
    "recordings_sha256",
    "simulate_dataset",
    "simulate_recordings",
    "split_by_subject",
    "split_by_window",
    "summarize",
    "window_origins",
    "with_surroundings",
]
