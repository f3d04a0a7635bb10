"""The rate meter: as exact as one sample in what it counted, unmoved by gaps and faults, the same in both languages."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardwear.wearable.rate_meter import INTERVAL_US, INTERVALS, MAX_SILENCE_US, TOLERANCE, RateMeter
from hardwear.wearable.resampling import MAX_STEP, MIN_STEP, ONE, step_of_rate
from native import FIRMWARE, Native, Rates, build_library

nominals = st.sampled_from([119_000, 100_000])
gaps_us = st.lists(st.integers(1, 400_000), min_size=20, max_size=200)


@pytest.fixture(scope="module")
def library() -> Native:
    return build_library()


def told(meter: RateMeter) -> tuple[int, int, bool, bool]:
    return meter.step, meter.millihertz, meter.settled, meter.plausible


def rows(rates: Rates) -> list[tuple[int, int, bool, bool]]:
    columns = (rates.steps, rates.millihertz, rates.settled, rates.plausible)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@settings(max_examples=60)
@given(nominals, st.floats(-0.09, 0.09), st.floats(0, 1), st.integers(0, 2**32 - 1), gaps_us)
def test_the_rate_is_off_by_at_most_one_sample_in_what_was_counted(
    nominal: int, off: float, phase: float, start: int, gaps: list[int]
) -> None:
    """Whenever the FIFO is drained, and wherever between two samples that falls."""
    rate = nominal / 1000 * (1 + off)
    meter = RateMeter(nominal)
    since = counted = 0
    newest = 0
    marks = [0]
    for gap in gaps:
        since += gap
        before, counted = counted, int(since * rate / 1e6 + phase)
        meter.add((start + since) % 2**32, counted - before)
        if len(marks) == 1 and newest == 0:
            marks, newest = [since], since
        elif since - newest >= INTERVAL_US:
            marks, newest = [*marks, since][-INTERVALS - 1 :], since
        assert meter.plausible
        if meter.settled:
            span = (marks[-1] - marks[0]) / 1e6
            assert abs(meter.millihertz / 1000 - rate) <= 1 / span + 0.001
            assert abs(meter.step - step_of_rate(rate)) <= ONE / 50 / span + 1
        else:
            assert meter.step == step_of_rate(nominal / 1000)
    assert meter.settled == (len(marks) > 1)


@settings(max_examples=100)
@given(
    nominals,
    st.lists(
        st.tuples(
            st.integers(0, 3_000_000) | st.integers(0, 2**32 - 1),
            st.integers(0, 400) | st.integers(0, 2**32 - 1),
            st.booleans(),
        ),
        min_size=1,
        max_size=60,
    ),
)
def test_both_languages_say_the_same_of_any_marks(
    library: Native, nominal: int, marks: list[tuple[int, int, bool]]
) -> None:
    meter = RateMeter(nominal)
    times = [time % 2**32 for time in itertools.accumulate(gap for gap, _, _ in marks)]
    expected = []
    for time, (_, samples, restart) in zip(times, marks, strict=True):
        if restart:
            meter.restart()
        meter.add(time, samples)
        expected.append(told(meter))
        lowest, highest = (nominal * (TOLERANCE + sign) // TOLERANCE for sign in (-1, 1))
        assert lowest <= meter.millihertz <= highest
        assert MIN_STEP - 1 <= meter.step <= MAX_STEP
    rates = library.measure_rate(nominal, times, [m[1] for m in marks], [m[2] for m in marks])
    assert rows(rates) == expected


def test_both_languages_agree_on_an_hour_and_a_half_of_a_drifting_sensor(library: Native) -> None:
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.integers(20_000, 260_000, 38_000)) + 2**31
    assert times[-1] - times[0] > 5400e6 - 400e6
    arrived = np.floor(119e-6 * (times + 0.05 * 9e8 * np.sin(times / 9e8)))
    drained = np.diff(arrived, prepend=arrived[0]).astype(np.int64)
    meter = RateMeter(119_000)
    expected = []
    for time, samples in zip((times % 2**32).tolist(), drained.tolist(), strict=True):
        meter.add(time, samples)
        expected.append(told(meter))
    assert rows(library.measure_rate(119_000, times % 2**32, drained)) == expected
    assert all(plausible for _, _, _, plausible in expected)
    assert len({step for step, *_ in expected}) > 1000


def test_a_silence_is_forgotten_and_a_fault_is_told() -> None:
    meter = RateMeter(100_000)
    meter.add(0, 0)
    meter.add(2_000_000, 204)
    assert told(meter) == (step_of_rate(102), 102_000, True, True)
    meter.add(2_000_001 + MAX_SILENCE_US, 5)
    assert told(meter) == (step_of_rate(102), 102_000, True, True)
    meter.add(4_000_001 + MAX_SILENCE_US, 20)
    assert told(meter) == (step_of_rate(102), 102_000, True, False)
    meter.add(6_000_001 + MAX_SILENCE_US, 198)
    assert told(meter) == (step_of_rate(99), 99_000, True, True)
    meter.reset(119_000)
    assert told(meter) == (step_of_rate(119), 119_000, False, True)


@pytest.mark.parametrize(("samples", "plausible"), [(179, False), (180, True), (220, True), (221, False)])
def test_a_tenth_off_is_just_plausible(library: Native, samples: int, plausible: bool) -> None:
    meter = RateMeter(100_000)
    meter.add(0, 0)
    meter.add(2_000_000, samples)
    assert told(meter) == (step_of_rate(samples / 2 if plausible else 100), meter.millihertz, plausible, plausible)
    assert rows(library.measure_rate(100_000, [0, 2_000_000], [0, samples]))[-1] == told(meter)


def test_the_header_states_the_same_figures() -> None:
    header = (FIRMWARE / "core" / "rate_meter.h").read_text()
    for line in (
        f"kIntervalUs = {INTERVAL_US};",
        f"kIntervals = {INTERVALS};",
        f"kMaxSilenceUs = {MAX_SILENCE_US};",
        f"kTolerance = {TOLERANCE};",
    ):
        assert line in header
