"""The verbs as a user or a program runs them, over either way."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

from ble.cable import Cable
from ble.conftest import ADDRESS
from ble.org_bluez import Board
from wearer import standing

HOP = 64


def hardwear(*arguments: str, happens: Callable[[], None] = lambda: None) -> subprocess.CompletedProcess[str]:
    """Run a verb; meanwhile something happens."""
    command = [sys.executable, "-m", "hardwear", *arguments]
    thread = threading.Thread(target=happens)
    thread.start()
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    thread.join(20)
    return done


def listened_to(board: Board) -> Callable[[], None]:
    """Windows from when somebody listens."""

    def happens() -> None:
        while not board.subscribed(0):
            time.sleep(0.02)
        board.do(lambda peripheral: peripheral.move(standing(6 * HOP)))

    return happens


def test_the_monitor_prints_one_json_line_a_packet(board: Board) -> None:
    done = hardwear("monitor", "--ble", "--count", "3", "--json", happens=listened_to(board))
    assert done.returncode == 0, done.stderr
    packets = [json.loads(line) for line in done.stdout.splitlines()]
    assert [packet["received_total"] for packet in packets] == [1, 2, 3]
    assert {packet["name"] for packet in packets} == {ADDRESS}
    assert packets[0]["flags"] == ["uncalibrated"]
    assert np.isclose(sum(packets[0]["probabilities"].values()), 255, atol=6)
    assert "connected to" in done.stderr


def test_where_nothing_can_be_drawn_a_packet_is_a_line(board: Board) -> None:
    done = hardwear("monitor", "--address", ADDRESS, "--count", "2", happens=listened_to(board))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_a_monitor_that_hears_nothing_says_so_by_its_exit_code(board: Board) -> None:
    done = hardwear("monitor", "--ble", "--seconds", "0.5")
    assert (done.returncode, done.stdout) == (1, "")
    assert "sent nothing" in done.stderr


def test_without_a_message_bus_the_exit_code_is_2(bus: str) -> None:
    done = hardwear("monitor", "--ble")
    assert done.returncode == 2
    assert "install bluez" in " ".join(done.stderr.split())


def test_settings_are_told_and_changed(cable: Cable) -> None:
    done = hardwear("configure", "--port", cable.port, "--smoothing", "2", "--threshold", "40", "--no-led", "--json")
    assert done.returncode == 0, done.stderr
    told = {"smoothing": 2, "threshold": 102, "notify_every": 1, "led": False, "low_power": False}
    assert json.loads(done.stdout) == told
    table = hardwear("configure", "--port", cable.port).stdout
    assert "2 (a window counts 1/4)" in table
    assert "40 %" in table


def test_refused_settings_are_an_error_that_names_the_next_step(board: Board) -> None:
    done = hardwear("configure", "--ble", "--smoothing", "2")
    assert done.returncode == 2
    assert "double tap" in " ".join(done.stderr.split())


def test_the_cable_gives_leave(cable: Cable, board: Board) -> None:
    assert hardwear("configure", "--port", cable.port, "--unlock").returncode == 0
    refused = hardwear("configure", "--ble", "--unlock")
    assert refused.returncode == 2
    assert "goes over the cable" in " ".join(refused.stderr.split())


def test_a_calibration_is_shown_with_what_it_means(cable: Cable) -> None:
    done = hardwear("calibrate", "--port", cable.port, "--show")
    assert done.returncode == 0, done.stderr
    assert "not calibrated" in done.stdout
    matrix = json.loads(hardwear("calibrate", "--port", cable.port, "--forget", "--json").stdout)
    assert matrix["rotation"] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_two_ways_at_once_are_refused() -> None:
    done = hardwear("monitor", "--ble", "--port", "/dev/ttyACM0")
    assert done.returncode == 2
    assert "give one of them" in done.stderr
