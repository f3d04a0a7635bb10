"""Training: from labelled windows and settings to a run folder that holds the network."""

from hardwear.training.loop import train
from hardwear.training.normalization import Normalization
from hardwear.training.presets import preset, preset_names
from hardwear.training.run import Run, load_run
from hardwear.training.settings import TrainingSettings

__all__ = ["Normalization", "Run", "TrainingSettings", "load_run", "preset", "preset_names", "train"]
