"""What networks are compared with: hand-made features and a support vector machine on them."""

from hardwear.baselines.features import Features, window_features
from hardwear.baselines.svm import Svm, SvmSettings, train_svm

__all__ = ["Features", "Svm", "SvmSettings", "train_svm", "window_features"]
