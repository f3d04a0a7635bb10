"""Center loss.

Y. Wen, K. Zhang, Z. Li, Y. Qiao: "A Discriminative Feature Learning Approach for Deep Face Recognition",
ECCV 2016. Equation numbers below are that paper's.
"""

import torch
from torch import Tensor, nn

from hardwear.errors import TrainingError


class CenterLoss(nn.Module):
    """Pulls each feature vector towards the centre of its class.

    The loss is eq. 2 divided by the batch size m: L_C = 1/m · Σᵢ ½‖xᵢ − c_yᵢ‖². To it the
    trainer adds cross-entropy, L = CE + λ·L_C (eq. 5).

    The centres are a buffer: saved with the state, seen by no optimiser and no weight decay. They move only
    by `update`.

    Args:
        classes: Number of classes.
        features: Length of a feature vector.
        rate: α in [0, 1], how far a centre goes towards its class's features per mini-batch.

    Raises:
        TrainingError: The rate is outside [0, 1].
    """

    centers: Tensor

    def __init__(self, classes: int, features: int, rate: float) -> None:
        super().__init__()
        if not 0.0 <= rate <= 1.0:
            raise TrainingError(f"expected a center rate in [0, 1], got {rate}")
        self.rate = rate
        self.register_buffer("centers", torch.zeros(classes, features))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """The loss; its gradient by xᵢ is (xᵢ − c_yᵢ)/m (eq. 3), the centres being constants.

        Args:
            features: (m, features) float.
            labels: (m,) integer, 0 … classes − 1.

        Returns:
            A scalar of the features' dtype.

        Raises:
            TrainingError: Shapes don't fit, a label is out of range, or a feature is not finite.
        """
        self._check(features, labels)
        return 0.5 * (features - self.centers[labels]).square().sum(dim=1).mean()

    @torch.no_grad()
    def update(self, features: Tensor, labels: Tensor) -> None:
        """Move the centres by one mini-batch: c_j ← c_j − α·Σ_{yᵢ=j}(c_j − xᵢ)/(1 + n_j) (eq. 4).

        The 1 in 1 + n_j keeps a class with few samples in the batch from throwing its centre about; a class
        without samples stays where it is.

        Args:
            features: (m, features) float.
            labels: (m,) integer, 0 … classes − 1.

        Raises:
            TrainingError: As `forward`.
        """
        self._check(features, labels)
        pull = torch.zeros_like(self.centers).index_add_(0, labels, self.centers[labels] - features)
        counts = torch.bincount(labels, minlength=len(self.centers)).to(self.centers.dtype)
        self.centers -= self.rate * pull / (1.0 + counts)[:, None]

    def _check(self, features: Tensor, labels: Tensor) -> None:
        classes, size = self.centers.shape
        if features.ndim != 2 or features.shape[1] != size or labels.shape != features.shape[:1]:
            raise TrainingError(
                f"expected features (m, {size}) and labels (m,) with m ≥ 1, "
                f"got {tuple(features.shape)} and {tuple(labels.shape)}"
            )
        if len(labels) == 0:
            raise TrainingError("expected a batch of at least 1 feature vector, got an empty one")
        if labels.is_floating_point() or labels.dtype == torch.bool:
            raise TrainingError(f"expected integer labels, got {labels.dtype}")
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= classes:
            raise TrainingError(
                f"expected labels 0 … {classes - 1}, got labels from {low} to {high}; check the label file"
            )
        if not bool(torch.isfinite(features).all()):
            bad = int((~torch.isfinite(features)).any(dim=1).sum())
            raise TrainingError(
                f"expected finite features, got NaN or infinity in {bad} of {len(features)}; lower the learning rate"
            )
