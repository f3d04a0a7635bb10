"""What the int8 input holds of each sensor: a share of its peaks for the sway of somebody who stands.

int8 has 255 steps for all that a network sees, and one scale for both sensors. The rare peaks of a run downstairs reach
fifteen deviations of angular rate: a range that holds them leaves a few steps to what tells sitting from standing. A
network that learnt without saturation hardly misses those peaks, and acceleration, which gravity bounds, needs another
range than angular rate; docs/conversion.md has the figures.
"""

import copy
from dataclasses import replace

import torch
from torch import nn

from hardwear.contract import GYRO
from hardwear.networks import Network
from hardwear.quantization.convert import Calibration
from hardwear.training import Normalization


def with_one_range(
    network: Network, normalization: Normalization, calibration: Calibration
) -> tuple[Network, Normalization]:
    """The same function of windows in physical units, whose two sensors saturate at the same normalised value.

    Angular rate is divided by more or less than its deviation, and the first convolution multiplies it back. What
    begins with anything else than a convolution is left as it is, with one limit for both: no network for the board
    does, and what can't be converted is named when its layers are read.

    Args:
        network: In the form that is exported, see `inference_form`; it is not changed.
        normalization: What makes its input of windows.
        calibration: Where each sensor is to saturate.

    Returns:
        A network and a normalisation, for both of which `calibration.acc_limit` is the end of the range.
    """
    scaled = copy.deepcopy(network)
    convolution = scaled.body[0]
    if not isinstance(convolution, nn.Conv1d):
        return network, normalization
    gain = calibration.gyro_limit / calibration.acc_limit
    with torch.no_grad():
        convolution.weight[:, GYRO] *= gain
    std = list(normalization.std)
    std[GYRO] = [gain * deviation for deviation in std[GYRO]]
    return scaled, replace(normalization, std=tuple(std))
