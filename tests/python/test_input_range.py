"""Where each sensor saturates in int8 changes what the network is handed, not what it says."""

import copy

import numpy as np
import pytest
import torch

from hardwear import networks
from hardwear.datasets import Dataset, simulate_dataset
from hardwear.networks import inference_form
from hardwear.quantization.convert import Calibration
from hardwear.quantization.input_range import with_one_range
from hardwear.training import Normalization
from hardwear.training.run import outputs_of


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return simulate_dataset()


def test_both_sensors_saturate_at_one_value_and_the_network_says_the_same(dataset):
    network, normalization = inference_form(networks.build("nano")), Normalization.of(dataset.train.windows)
    before = copy.deepcopy(network.state_dict())
    calibration = Calibration(acc_limit=3.0, gyro_limit=2.0)
    ranged, shared = with_one_range(network, normalization, calibration)
    deviations = np.repeat([3.0, 2.0], 3)
    ends = np.array(normalization.mean) + deviations * np.array(normalization.std)
    np.testing.assert_allclose((ends - shared.mean) / shared.std, calibration.acc_limit)
    windows = dataset.test.windows
    logits, embedding = outputs_of(network, torch.from_numpy(normalization.apply(windows)))
    again = outputs_of(ranged, torch.from_numpy(shared.apply(windows)))
    np.testing.assert_allclose(again[0], logits, atol=1e-5 * float(logits.abs().max()))
    np.testing.assert_allclose(again[1], embedding, atol=1e-5 * float(embedding.abs().max()))
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_a_network_that_begins_with_no_convolution_keeps_its_normalisation(dataset):
    network, normalization = networks.build("deepconvlstm"), Normalization.of(dataset.train.windows)
    assert with_one_range(network, normalization, Calibration()) == (network, normalization)
