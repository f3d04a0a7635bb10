"""The paired comparison, against scipy and against hand calculation."""

import math

import numpy as np
import pytest
from scipy import stats

from hardwear.errors import HardwearError
from hardwear.reproduction.statistics import holm, paired

FIRST = [0.91, 0.92, 0.90, 0.93, 0.89, 0.915]
SECOND = [0.93, 0.925, 0.93, 0.935, 0.915, 0.91]


def test_it_agrees_with_scipy() -> None:
    found = paired(FIRST, SECOND)
    t_test = stats.ttest_rel(SECOND, FIRST)
    assert found.t_test == pytest.approx(t_test.pvalue, rel=1e-9)
    assert found.interval == pytest.approx(tuple(t_test.confidence_interval(0.95)), rel=1e-9)
    assert found.wilcoxon == pytest.approx(stats.wilcoxon(SECOND, FIRST, method="exact").pvalue)


def test_it_agrees_with_hand_calculation() -> None:
    """Differences 1, 2, 3: mean 2, deviation 1, t = 2·√3 = 3.4641, and 2·P(T > 3.4641) with 2 degrees is 0.07418."""
    found = paired([0.0, 0.0, 0.0], [1.0, 2.0, 3.0])
    assert (found.pairs, found.mean, found.sd) == (3, 2.0, 1.0)
    assert found.t_test == pytest.approx(0.07418, abs=1e-5)
    assert found.interval == pytest.approx((2 - 4.30265 / math.sqrt(3), 2 + 4.30265 / math.sqrt(3)), abs=1e-4)
    assert found.wilcoxon == found.wilcoxon_least == 0.25
    assert 1.0 <= found.bootstrap[0] < 2.0 < found.bootstrap[1] <= 3.0


def test_swapping_the_settings_turns_the_sign() -> None:
    there, back = paired(FIRST, SECOND), paired(SECOND, FIRST)
    assert back.mean == pytest.approx(-there.mean)
    assert back.interval == pytest.approx((-there.interval[1], -there.interval[0]))
    assert back.t_test == pytest.approx(there.t_test)


@pytest.mark.parametrize(("pairs", "effect"), [(5, 1.682), (10, 0.996), (20, 0.660)])
def test_the_detectable_difference_is_that_of_power_tables(pairs: int, effect: float) -> None:
    """G*Power 3.1: paired t-test, two-sided 5 %, power 80 %."""
    second = np.arange(pairs, dtype=float)
    found = paired([0.0] * pairs, second.tolist())
    assert found.detectable / found.sd == pytest.approx(effect, abs=2e-3)


def test_the_detectable_difference_is_found_as_often_as_promised() -> None:
    rng = np.random.default_rng(0)
    effect = paired([0.0] * 5, [0.0, 1.0, 2.0, 3.0, 4.0])
    shift = effect.detectable / effect.sd
    samples = rng.standard_normal((4000, 5)) + shift
    assert np.mean(stats.ttest_1samp(samples, 0.0, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.02)


def test_equal_differences_are_no_warning() -> None:
    assert paired([0.5, 0.6], [0.5, 0.6]).t_test == 1.0
    assert paired([0.5, 0.6], [0.5, 0.6]).wilcoxon == 1.0
    assert paired([1.0, 2.0], [2.0, 3.0]).t_test == 0.0
    assert paired([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]).wilcoxon == 1.0


def test_one_pair_or_unequal_numbers_are_refused() -> None:
    with pytest.raises(HardwearError, match="run more seeds"):
        paired([0.9], [0.8])
    with pytest.raises(HardwearError, match="2 and 3"):
        paired([0.9, 0.8], [0.8, 0.7, 0.6])


def test_holm_corrects_as_in_the_book() -> None:
    """p 0.01, 0.04, 0.03, 0.005 of four tests: 4·0.005, 3·0.01, 2·0.03, and the last no smaller than that."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
