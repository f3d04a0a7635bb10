"""The monitor without a wire: what is counted, when it connects again, and what a person and a program see."""

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from wearables import LOST, UNKNOWN, FakeRoute, Happening, Silence, prediction

from hardwear.contract import CLASSES
from hardwear.errors import LinkError
from hardwear.wearable.monitor import Event, Limits, LinkStillLost, NoPackets, Watch, watch
from hardwear.wearable.packets import Config, Flag, PredictionPacket
from hardwear.wearable.tally import Step, Tally
from hardwear.wearable.verbs import packet_json
from hardwear.wearable.view import BAR_WIDTH, bar, line, picture
from hardwear.wearable.words import flag_names


def tally(packets: Sequence[PredictionPacket], at: Sequence[float] | None = None, notify_every: int = 1) -> Tally:
    counted = Tally(notify_every)
    for index, packet in enumerate(packets):
        counted.add(packet, at[index] if at else 100 + 1.28 * index)
    return counted


def watched(route: FakeRoute, limits: Limits) -> list[Watch]:
    return list(watch(route, limits, route.clock, route.clock.sleep))


# -- counting -------------------------------------------------------------------------------------------------------


def test_a_gap_in_the_sequence_is_what_was_lost() -> None:
    counted = Tally()
    assert counted.add(prediction(5), 100.0) == Step()
    assert counted.add(prediction(6), 101.28) == Step(interval_ms=1280)
    assert counted.add(prediction(10), 106.4) == Step(lost=3, interval_ms=5120)
    assert (counted.received, counted.lost, counted.interval_s) == (3, 3, 1.28)


@given(st.integers(0, 65535), st.lists(st.integers(1, 1000), min_size=1, max_size=20))
def test_losses_add_up_whenever_the_sequence_and_the_clock_wrap(first: int, steps: list[int]) -> None:
    numbers = [first]
    for step in steps:
        numbers.append(numbers[-1] + step)
    wrapping_clock = [prediction(n, time_ms=(2**32 - 5000 + 1280 * (n - first)) % 2**32) for n in numbers]
    # While the clock is young again, a gap looks like a new start: such a wrap comes once in 49 days.
    counted = tally(wrapping_clock, [100.0 + 1e-3 * index for index in range(len(numbers))])
    assert counted.lost == sum(step - 1 for step in steps)
    assert (counted.received, counted.restarts) == (len(numbers), 0)


def test_what_the_board_was_told_not_to_send_is_not_lost() -> None:
    counted = tally([prediction(n) for n in (4, 8, 12, 24)], [100.0, 105.12, 110.24, 125.6], notify_every=4)
    assert counted.lost == 2


def test_the_same_packet_twice_counts_once() -> None:
    counted = Tally()
    counted.add(prediction(3), 100.0)
    assert counted.add(prediction(3), 100.1) is None
    assert counted.received == 1


def test_a_board_that_starts_anew_has_lost_nothing() -> None:
    counted = tally([prediction(500), prediction(0, time_ms=2600)], [100.0, 104.0])
    assert (counted.lost, counted.restarts) == (0, 1)


def test_a_board_that_started_anew_while_away_is_told_by_its_young_clock() -> None:
    # It was at number 3; switched off and on it has come to 40 meanwhile.
    counted = tally([prediction(3), prediction(40, time_ms=52_000)], [100.0, 160.0])
    assert (counted.lost, counted.restarts) == (0, 1)
    # One that went on running has sent 36 packets that nobody heard.
    counted = tally([prediction(3), prediction(40)], [100.0, 147.36])
    assert (counted.lost, counted.restarts) == (36, 0)


# -- watching -------------------------------------------------------------------------------------------------------


def test_it_ends_after_the_packets_that_were_asked_for() -> None:
    route = FakeRoute([prediction(n) for n in range(9)])
    seen = watched(route, Limits(packets=3))
    assert [state.event for state in seen] == [Event.CONNECTED, *[Event.PACKET] * 3]
    assert (seen[-1].received, seen[-1].lost) == (3, 0)
    assert route.connections[0].closed


def test_it_ends_when_the_time_is_over() -> None:
    route = FakeRoute([prediction(n) for n in range(100)])
    assert watched(route, Limits(seconds=6))[-1].received == 5
    assert route.connections[0].closed


def test_a_lost_link_is_made_again_and_what_was_missed_is_counted() -> None:
    route = FakeRoute([prediction(0), prediction(1), LOST], [prediction(7), prediction(8)])
    route.outcomes.insert(1, LinkError("found no wearable"))
    seen = watched(route, Limits(packets=4))
    assert [state.event.value for state in seen] == [
        "connected", "packet", "packet", "lost", "lost", "connected", "packet", "packet",
    ]  # fmt: skip
    assert seen[3].trouble.startswith("lost the connection")
    assert seen[4].trouble == "found no wearable"
    assert seen[-1].trouble == ""
    assert (seen[-1].received, seen[-1].lost) == (4, 5)
    assert all(connection.closed for connection in route.connections)


def test_each_attempt_waits_twice_as_long_up_to_ten_seconds() -> None:
    route = FakeRoute([prediction(0), LOST])
    with pytest.raises(LinkStillLost) as raised:
        watched(route, Limits(seconds=60))
    waits = [round(b - a, 2) for a, b in zip(route.attempts[1:], route.attempts[2:], strict=False)]
    assert waits[:6] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert raised.value.exit_code == 3


def test_a_first_connection_that_fails_is_the_users_to_mend() -> None:
    route = FakeRoute(LinkError("Bluetooth is switched off. Next step: switch it on"))
    with pytest.raises(LinkError, match="switched off"):
        watched(route, Limits())
    assert len(route.attempts) == 1


def test_a_board_that_says_nothing_has_an_exit_code_of_its_own() -> None:
    with pytest.raises(NoPackets, match="sent nothing in 20 s") as raised:
        watched(FakeRoute([]), Limits(seconds=20))
    assert raised.value.exit_code == 1


def test_packets_that_cannot_be_read_end_the_watch_at_once() -> None:
    unreadable = LinkError("expected version 1 of a prediction packet, got 2; update Hardwear")
    with pytest.raises(LinkError, match="version 1"):
        watched(FakeRoute([unreadable], [prediction(0)]), Limits())


def test_a_board_set_to_send_every_third_window_loses_nothing() -> None:
    route = FakeRoute([prediction(n) for n in (3, 6, 9)], config=Config(notify_every=3))
    assert watched(route, Limits(packets=3))[-1].lost == 0


# -- what is seen ---------------------------------------------------------------------------------------------------


def last(*happenings: Happening, received: int | None = None) -> tuple[Watch, float]:
    route = FakeRoute(list(happenings))
    count = received or sum(isinstance(h, PredictionPacket) for h in happenings)
    return watched(route, Limits(packets=count))[-1], route.clock.now


def drawn(state: Watch, now: float, width: int = 80) -> str:
    console = Console(record=True, width=width, file=io.StringIO(), color_system="truecolor")
    console.print(picture(state, now))
    return console.export_text()


def test_the_picture_shows_all_that_is_asked_of_it() -> None:
    state, now = last(prediction(0), prediction(1), prediction(4, activity=4, confidence=140))
    text = drawn(state, now + 0.3)
    for part in ("nano33ble", "BLE (fake)", "f1e05b22f399a8b3", "LSM9DS1"):
        assert part in text
    assert "WALKING" in text
    assert "this window: STANDING 55 %" in text
    assert "every 1.28 s" in text
    assert "3 received, 2 lost" in text
    assert "inference 85.3 ms" in text
    assert "last one 0.3 s ago" in text


def test_the_picture_keeps_its_place_whatever_it_shows() -> None:
    many = prediction(1, flags=Flag.UNCALIBRATED, probabilities=(0, 0, 0, 0, 0, 255), label=5)
    heights = {len(drawn(*last(packet)).splitlines()) for packet in (prediction(0), prediction(9, label=UNKNOWN))}
    assert heights == {13}
    assert [text.split()[0] for text in drawn(*last(many)).splitlines()[4:10]] == list(CLASSES)


def test_flags_are_told_in_words() -> None:
    text = " ".join(drawn(*last(prediction(0, flags=Flag.UNCALIBRATED | Flag.IMU_FROZEN)), width=120).split())
    assert "! not calibrated" in text
    assert "! the motion sensor gives the same numbers" in text
    assert "hardwear calibrate" in text


def test_without_a_window_nothing_is_named() -> None:
    status = prediction(
        0, activity=UNKNOWN, label=UNKNOWN, confidence=0, probabilities=(0,) * 6, inference_us=0, flags=Flag.SLEPT
    )
    text = drawn(*last(status))
    assert "UNKNOWN" in text
    assert "no window now" in text
    assert "no inference" in text
    assert "sleeps until it is moved" in text


def test_a_lost_link_stands_in_the_picture() -> None:
    route = FakeRoute([prediction(0), LOST], [prediction(1)])
    lost = next(state for state in watched(route, Limits(packets=2)) if state.event is Event.LOST)
    assert "! lost the connection" in drawn(lost, route.clock.now)


@given(st.integers(0, 255), st.integers(1, 80))
def test_bars_grow_with_probability_and_never_overflow(probability: int, width: int) -> None:
    assert len(bar(probability, width)) <= width
    assert len(bar(probability, width)) <= len(bar(min(probability + 1, 255), width))


def test_certainty_fills_the_bar_and_none_leaves_it_empty() -> None:
    assert bar(255) == "█" * BAR_WIDTH
    assert bar(0) == ""


def test_a_line_is_one_line() -> None:
    state, _ = last(prediction(0), prediction(3, flags=Flag.UNCALIBRATED))
    text = line(state)
    assert "\n" not in text
    assert text.split()[:2] == ["3", "WALKING"]
    assert "2 lost before it" in text


def test_a_program_gets_every_field_of_the_packet() -> None:
    state, _ = last(prediction(0), Silence(0.5), prediction(2, flags=Flag.SAMPLES_LOST))
    told = json.loads(json.dumps(packet_json(state)))
    assert told["activity"] == told["window"] == "WALKING"
    assert told["probabilities"]["WALKING_UPSTAIRS"] == 15
    assert told["flags"] == ["samples_lost"]
    assert (told["lost"], told["lost_total"], told["received_total"]) == (1, 1, 2)
    assert (told["interval_ms"], told["time_ms"], told["inference_us"]) == (2560, 12560, 85300)


# -- docs/monitor.md ------------------------------------------------------------------------------------------------

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "monitor.md").read_text()


def test_the_page_decodes_its_packet_as_python_does() -> None:
    example = next(text for text in PAGE.splitlines() if text.startswith("01 01 2c 01"))
    packet = PredictionPacket.decode(bytes.fromhex(example))
    assert (packet.sequence, packet.time_ms, packet.inference_us, packet.confidence) == (300, 12_345, 65_600, 247)
    assert example.replace(" ", "") in PAGE
    assert (packet.label_name, packet.flags) == ("WALKING", Flag.UNCALIBRATED)


def test_the_page_tells_every_json_field_and_flag() -> None:
    section = PAGE.partition("## --json")[2].partition("## ")[0]
    named = set(re.findall(r"`([a-z_]+)`", section))
    state, _ = last(prediction(0))
    assert set(packet_json(state)) <= named
    assert set(flag_names(~Flag(0))) <= named
