"""The emulated board itself: its memory ends where the nRF52840's does, its UART loses nothing, its count is exact."""

import os
import random
import struct
import time
from collections.abc import Callable, Iterator

import pytest

from hardwear.build import Firmware
from hardwear.link.emulator import EmulatorLink, ExitCode
from hardwear.link.frames import Frame, FrameReceiver
from hardwear.link.messages import MessageType

FLASH_END = 983_040
RAM_START = 0x20000000
RAM_END = RAM_START + 262_144
PERIPHERALS = 0x40000000


class Probe:
    """Talks to the probe firmware by the letters that its main.cpp lists."""

    def __init__(self, link: EmulatorLink) -> None:
        self.link = link
        assert self.receive(6) == b"probe\n"

    def receive(self, count: int, timeout_s: float = 20.0) -> bytes:
        data = b""
        deadline = time.monotonic() + timeout_s
        while len(data) < count:
            assert time.monotonic() < deadline, f"{len(data)} of {count} bytes came"
            data += self.link.read(count - len(data), 1.0)
        return data

    def send(self, letter: str, *numbers: int, data: bytes = b"") -> None:
        self.link.write(letter.encode() + struct.pack(f"<{len(numbers)}I", *numbers) + data)

    def number(self, letter: str, *numbers: int, data: bytes = b"") -> int:
        self.send(letter, *numbers, data=data)
        (value,) = struct.unpack("<I", self.receive(4))
        return int(value)

    def last_words(self) -> list[Frame]:
        """Everything that comes until QEMU ends, as frames."""
        receiver = FrameReceiver()
        frames: list[Frame] = []
        while self.link.exit_code is None:
            frames += [frame for frame in receiver.feed(self._rest()) if isinstance(frame, Frame)]
        return frames + [frame for frame in receiver.feed(self._rest()) if isinstance(frame, Frame)]

    def _rest(self) -> bytes:
        from hardwear.errors import LinkError

        try:
            return self.link.read(4096, 0.2)
        except LinkError:
            return b""


@pytest.fixture
def board(probe: Firmware) -> Iterator[Probe]:
    with EmulatorLink(probe.elf) as link:
        yield Probe(link)


@pytest.mark.parametrize("address", [0, FLASH_END - 1, RAM_START, RAM_END - 1])
def test_the_first_and_the_last_byte_of_flash_and_ram_can_be_read(board: Probe, address: int) -> None:
    board.send("r", address)
    assert len(board.receive(1)) == 1


@pytest.mark.parametrize("address", [RAM_END - 1])
def test_the_last_byte_of_ram_can_be_written(board: Probe, address: int) -> None:
    board.send("w", address)
    assert board.receive(1) == b"\0"


def _reads(address: int) -> Callable[[Probe], None]:
    return lambda board: board.send("r", address)


def _writes(address: int) -> Callable[[Probe], None]:
    return lambda board: board.send("w", address)


@pytest.mark.parametrize(
    ("act", "address"),
    [
        pytest.param(_reads(FLASH_END), FLASH_END, id="read one byte past flash"),
        pytest.param(_reads(RAM_END), RAM_END, id="read one byte past RAM"),
        pytest.param(_reads(RAM_START - 1), RAM_START - 1, id="read one byte before RAM"),
        pytest.param(_reads(PERIPHERALS - 1), PERIPHERALS - 1, id="read below the peripherals"),
        pytest.param(_writes(FLASH_END), FLASH_END, id="write one byte past flash"),
        pytest.param(_writes(RAM_END), RAM_END, id="write one byte past RAM"),
        pytest.param(_writes(0x400), 0x400, id="write to flash"),
    ],
)
def test_an_access_outside_of_the_chips_memory_faults_and_is_reported(
    board: Probe, act: Callable[[Probe], None], address: int
) -> None:
    act(board)
    (report,) = board.last_words()
    assert board.link.wait() == ExitCode.FAULT
    assert report.type == MessageType.LOG
    assert report.payload.decode().startswith(f"memory fault at address {address:#010x}, pc 0x0000")


def test_ram_holds_no_code(board: Probe) -> None:
    board.send("x", RAM_START)
    (report,) = board.last_words()
    assert board.link.wait() == ExitCode.FAULT
    assert "memory fault" in report.payload.decode()
    assert f"pc {RAM_START:#010x}" in report.payload.decode()


def test_a_stack_that_grows_too_far_is_stopped_and_reported(board: Probe) -> None:
    board.send("k", 1000)
    (report,) = board.last_words()
    assert board.link.wait() == ExitCode.FAULT
    assert "stack overflow" in report.payload.decode()


def test_the_high_water_mark_of_the_stack_follows_its_deepest_use(board: Probe) -> None:
    before = board.number("m")
    board.number("k", 10)
    after = board.number("m")
    assert before + 10 * 256 <= after <= before + 10 * 400
    assert board.number("m") == after


def test_asking_for_heap_memory_ends_the_firmware(board: Probe) -> None:
    board.send("h")
    assert board.link.wait() == ExitCode.HEAP_USED


def test_a_main_loop_that_ends_is_told_apart(board: Probe) -> None:
    board.send("q")
    assert board.link.wait() == ExitCode.MAIN_RETURNED


@pytest.mark.parametrize("rounds", [1, 7, 1000, 1001, 1_000_003])
def test_instructions_are_counted_one_by_one(board: Probe, rounds: int) -> None:
    # Two instructions a round; what surrounds the loop is in both counts.
    assert board.number("I", rounds) - board.number("I", 100) == 2 * (rounds - 100)


def test_the_count_is_the_same_in_every_run_and_under_load(probe: Firmware) -> None:
    counts = set()
    for pin in (True, False, True):
        with EmulatorLink(probe.elf, pin=pin) as link:
            board = Probe(link)
            board.number("S", 5, data=b"noise")  # sleeps and interrupts before it must not matter
            counts.add(board.number("I", 12345))
    assert len(counts) == 1


def test_bytes_that_arrive_meanwhile_are_not_in_the_count(board: Probe) -> None:
    quiet = board.number("I", 5_000_000)
    noise = b"." * 1500  # no command; each byte is an interrupt
    assert board.number("I", 5_000_000, data=noise) == quiet
    assert board.number("I", 5_000_000) == quiet


def test_no_byte_is_lost_or_changed_whatever_its_value(board: Probe) -> None:
    data = bytes(range(256)) * 20
    board.send("E", len(data), data=data)
    assert board.receive(len(data)) == data
    assert board.number("O") == 0


def test_a_host_that_sends_while_the_board_is_busy_loses_nothing(board: Probe) -> None:
    data = random.Random(1).randbytes(6000)  # three times what the board can hold unread
    board.link.write(struct.pack("<cI", b"D", 3_000_000) + struct.pack("<cI", b"E", len(data)) + data)
    assert board.receive(4) == struct.pack("<I", 3_000_000)
    assert board.receive(len(data)) == data
    assert board.number("O") == 0


def test_a_large_block_can_be_written_before_its_echo_is_read(board: Probe) -> None:
    data = os.urandom(40_000)  # more than the socket buffers hold
    board.send("E", len(data), data=data)
    assert board.receive(len(data), timeout_s=60) == data
