"""Battery life: the arithmetic, what fills in for what was not measured, and that the page tells the same figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardwear.errors import HardwearError
from hardwear.wearable.power import FIGURES, HOP_MS, Battery, Design, State, budget, rail_currents

ALL = {
    State.INFERENCE: 14.0,
    State.SENSING: 8.0,
    State.ASLEEP: 2.0,
    State.ADVERTISING: 0.3,
    State.CONNECTED: 0.2,
}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "power.md"


def test_measured_currents_come_out_as_on_paper() -> None:
    design = Design(inference_ms=64, asleep_hours=12, connected_hours=6)
    result = budget(ALL, design, Battery(capacity_mah=1000, usable=0.5))
    # Awake half the day; of that 64 of 1,280 ms at 14 mA, else 8 mA; asleep 2 mA; a quarter of the day connected.
    expected = 0.5 * (0.05 * 14 + 0.95 * 8) + 0.5 * 2 + 0.75 * 0.3 + 0.25 * 0.2
    assert result.average_ma == pytest.approx(expected)
    assert result.hours == pytest.approx(500 / expected)
    assert result.measured


def test_nothing_is_called_measured_that_was_not() -> None:
    result = budget({State.SENSING: 8.0}, Design(), Battery())
    assert not result.measured
    assert [share.measured for share in result.shares] == [False, True, False, False, False]
    assert not budget({}, Design(), Battery()).measured


def test_what_never_happens_needs_no_measurement() -> None:
    measured = {state: ALL[state] for state in (State.INFERENCE, State.SENSING, State.CONNECTED)}
    assert budget(measured, Design(asleep_hours=0, connected_hours=24), Battery()).measured


def test_only_datasheet_figures_go_through_the_regulator() -> None:
    ideal, real = (Battery(volts=3.3, efficiency=e) for e in (1.0, 0.5))
    assert budget(ALL, Design(), ideal).average_ma == budget(ALL, Design(), real).average_ma
    assert budget({}, Design(), real).average_ma == pytest.approx(2 * budget({}, Design(), ideal).average_ma)


@given(st.floats(0, HOP_MS), st.floats(0, 24), st.floats(0, 24), st.sampled_from(["lsm9ds1", "bmi270"]))
def test_shares_make_a_whole_day(inference_ms: float, asleep: float, connected: float, sensor: str) -> None:
    design = Design(sensor, inference_ms=inference_ms, asleep_hours=asleep, connected_hours=connected)
    shares = {share.state: share.share for share in budget({}, design, Battery()).shares}
    assert sum(shares[s] for s in (State.INFERENCE, State.SENSING, State.ASLEEP)) == pytest.approx(1)
    assert shares[State.ADVERTISING] + shares[State.CONNECTED] == pytest.approx(1)


def test_what_can_be_switched_off_saves() -> None:
    plain = rail_currents(Design())
    assert rail_currents(Design(power_led=True))[State.ASLEEP][0] - plain[State.ASLEEP][0] == pytest.approx(
        FIGURES["power_led"].milliamps
    )
    assert rail_currents(Design(dcdc=True))[State.INFERENCE][0] < plain[State.INFERENCE][0]
    assert rail_currents(Design(sensor="bmi270"))[State.SENSING][0] < plain[State.SENSING][0]
    assert plain[State.ASLEEP][0] < plain[State.SENSING][0] < plain[State.INFERENCE][0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Design(sensor="mpu6050"),
        lambda: Design(inference_ms=1281),
        lambda: Design(asleep_hours=-1),
        lambda: Battery(capacity_mah=0),
        lambda: Battery(usable=1.1),
        lambda: budget({State.ASLEEP: -1.0}, Design(), Battery()),
        lambda: budget({State.ASLEEP: float("nan")}, Design(), Battery()),
        lambda: budget(dict.fromkeys(State, 0.0), Design(), Battery()),
    ],
)
def test_nonsense_is_refused(make: object) -> None:
    with pytest.raises(HardwearError, match="expected"):
        make()  # type: ignore[operator]


def test_the_page_tells_every_figure_its_source_and_whether_it_was_read() -> None:
    rows = [line.split("|") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    told = {(row[1].strip(), row[2].strip()): [cell.strip() for cell in row[3:-1]] for row in rows if len(row) == 7}
    for figure in FIGURES.values():
        milliamps, source, checked = told[figure.part, figure.doing]
        assert float(milliamps) == figure.milliamps
        assert source == figure.source
        assert checked == ("read" if figure.checked else "not verified")


def test_the_page_shows_what_the_verb_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hardwear", "power", "--json"], capture_output=True, text=True, check=True
    )
    result = json.loads(done.stdout)
    page = PAGE.read_text()
    assert f"= {result['hours']:.1f} h" in page
    for share in result["states"]:
        assert (
            f"| {share['state']} | {share['milliamps']:.2f} | {share['share']:.1%} | {share['average']:.2f} |" in page
        )
