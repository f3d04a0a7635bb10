"""Transports: ports by name, by URL and by USB id, and what is said when they fail."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hardwear.errors import LinkError
from hardwear.link import Device, ProcessLink, SerialLink, find_port, open_serial
from hardwear.link.serial_link import PortInfo
from native import program

BOARD = PortInfo("/dev/ttyACM0", 0x2341, 0x805A, "Arduino Nano 33 BLE")
SECOND = PortInfo("/dev/ttyACM1", 0x2341, 0x805A, "Arduino Nano 33 BLE")
BOOTLOADER = PortInfo("/dev/ttyACM2", 0x2341, 0x005A, "Arduino Nano 33 BLE")
MODEM = PortInfo("/dev/ttyUSB0", 0x0403, 0x6001, "FT232R")
BUILT_IN = PortInfo("/dev/ttyS0", None, None, "ttyS0")


@pytest.fixture
def served() -> Iterator[str]:
    """The native program behind a TCP port, as the emulator's serial line is."""
    listener = socket.create_server(("127.0.0.1", 0))
    processes: list[subprocess.Popen[bytes]] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            processes.append(subprocess.Popen([program()], stdin=connection, stdout=connection))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"socket://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    thread.join(5)
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def terminal() -> Iterator[str]:
    """The native program behind a pseudo-terminal that echoes until somebody opens it, as a fresh USB port does."""
    ours, theirs = os.openpty()
    process = subprocess.Popen([program()], stdin=ours, stdout=ours)
    time.sleep(0.3)  # its first line comes back to it as an echo
    yield os.ttyname(theirs)
    process.kill()
    process.wait()
    os.close(ours)
    os.close(theirs)


def windows(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(-9000, 9000, (count, 128, 6)).astype(np.int16)


def expected(given: np.ndarray) -> list[tuple[int, ...]]:
    with Device(ProcessLink([program()])) as device:
        return [answer.logits for answer in device.windows(given)]


def test_a_device_behind_a_socket_answers_like_one_behind_a_pipe(served: str) -> None:
    with open_serial(served) as device:
        assert device.hello().board == "native"
        assert [answer.logits for answer in device.windows(windows(20))] == expected(windows(20))


def test_a_device_on_a_serial_port_that_echoed_at_first_answers(terminal: str) -> None:
    with open_serial(terminal) as device:
        assert device.hello().board == "native"
        assert [answer.logits for answer in device.windows(windows(20))] == expected(windows(20))
        assert device.stats()["unknown_type"] <= 2  # its own lines, once each: no storm


def test_ports_without_a_descriptor_are_read_too() -> None:
    link = SerialLink("loop://")
    link.write(b"abc")
    assert link.read(10, 1.0) == b"abc"
    started = time.monotonic()
    assert link.read(10, 0.05) == b""
    assert 0.04 < time.monotonic() - started < 1.0
    link.close()


def test_a_device_that_goes_away_is_one_line_of_advice(served: str) -> None:
    link = SerialLink(served)
    assert link.read(4096, 10.0)
    link.write(b"")
    socket_of_port = link._port._socket
    socket_of_port.shutdown(socket.SHUT_RDWR)
    with pytest.raises(LinkError, match=r"lost socket://.*Next step: plug the board in again"):
        link.read(4096, 1.0)


def test_a_closed_port_fails_as_a_link() -> None:
    link = SerialLink("loop://")
    link.close()
    link.close()
    for use in (lambda: link.read(1, 0.1), lambda: link.write(b"x")):
        with pytest.raises(LinkError, match="lost loop://"):
            use()


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("/dev/no-such-port", r"can't open /dev/no-such-port: .*Next step: check the name"),
        ("nonsense://x", r"can't open nonsense://x: .*Next step: check the name"),
        ("socket://127.0.0.1:1", r"can't open socket://127.0.0.1:1: .*refused.*Next step: start what should listen"),
    ],
)
def test_a_port_that_cannot_be_opened_says_what_to_do(port: str, message: str) -> None:
    with pytest.raises(LinkError, match=message):
        open_serial(port)


def test_a_port_in_use_by_another_program_is_named_so(terminal: str) -> None:
    first = SerialLink(terminal)
    with pytest.raises(LinkError, match="close the other program"):
        SerialLink(terminal)
    first.close()


def test_without_a_port_the_only_board_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARDWEAR_PORT", raising=False)
    assert find_port(candidates=[BUILT_IN, MODEM, BOARD, BOOTLOADER]) == BOARD.device


def test_several_boards_are_listed_and_none_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARDWEAR_PORT", raising=False)
    with pytest.raises(LinkError, match=r"expected one board, found 2: /dev/ttyACM0.*/dev/ttyACM1.*--port"):
        find_port(candidates=[BOARD, SECOND, MODEM])


def test_a_board_in_its_bootloader_gets_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARDWEAR_PORT", raising=False)
    with pytest.raises(LinkError, match=r"/dev/ttyACM2 is in its bootloader.*upload"):
        find_port(candidates=[BOOTLOADER, MODEM])


def test_without_a_board_the_ports_that_are_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARDWEAR_PORT", raising=False)
    with pytest.raises(LinkError, match=r"2341:805a.*ports here: /dev/ttyUSB0.*HARDWEAR_PORT.*--emulator"):
        find_port(candidates=[MODEM])
    with pytest.raises(LinkError, match="ports here: none"):
        find_port(candidates=[])


def test_the_environment_names_a_port_and_an_argument_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARDWEAR_PORT", "/dev/from-environment")
    assert find_port(candidates=[BOARD]) == "/dev/from-environment"
    assert find_port("/dev/named", candidates=[BOARD]) == "/dev/named"


def test_a_program_that_is_missing_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"can't start .*Next step: build it"):
        ProcessLink([tmp_path / "hardwear"])


def test_a_program_that_ends_is_named_with_its_code_and_words() -> None:
    script = "import sys; sys.stdin.buffer.read(1); print('out of luck', file=sys.stderr); sys.exit(3)"
    device = Device(ProcessLink([sys.executable, "-c", script]))
    with pytest.raises(LinkError, match=r"has ended \(exit code 3\): out of luck"):
        device.hello()
    with pytest.raises(LinkError, match=r"exit code 3"):
        device.hello()
    device.close()
    with pytest.raises(LinkError, match=r"exit code 3"):
        device.hello()


def test_closing_twice_does_no_harm() -> None:
    link = ProcessLink([program()])
    link.close()
    link.close()
    assert link.exit_code == 0
