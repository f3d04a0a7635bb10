"""A worn board on the emulated Cortex-M4 tells what Python tells, packet for packet.

Its sensor is a virtual LSM9DS1, register for register, which the test feeds: recorded motion at the sensor's own rate,
several per cent off its nominal one. What comes out has gone through driver, FIFO, measured rate, resampler, mounting,
conditioning, model and smoothing. `firmware/boards/emulator/worn/main.cpp` is the other end.
"""

import struct
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from emulator.conftest import BUILD_DIR
from hardwear.build import PROJECT, Firmware, build
from hardwear.bundle import Bundle
from hardwear.contract import from_counts
from hardwear.datasets import Recording, simulate_recordings
from hardwear.link.emulator import EmulatorLink
from hardwear.studies.sensor_rate import as_sensor
from hardwear.wearable.chain import WornBoard, blocks
from hardwear.wearable.orientation import Mounting, Rotation
from hardwear.wearable.packets import CalibrationAction, Config, Flag, PredictionPacket
from hardwear.wearable.sensors import LSM9DS1, to_counts, to_steps

NOMINAL_MILLIHERTZ = 119_000
READ_EVERY_US = 100_000
AHEAD = 128
"""Samples that the board holds before the sensor takes them."""
CONFIG, CALIBRATION = 1, 2
"""Characteristics, as `firmware/core/gatt.h` numbers them."""
DONE, LOCKED = 0, 2

Int16Array = npt.NDArray[np.int16]


@pytest.fixture(scope="session")
def worn() -> Firmware:
    """The wearable with a virtual sensor."""
    return build("emulator_worn", build_dir=BUILD_DIR)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(PROJECT / "models" / "compact")


class Wearer:
    """Feeds the virtual sensor and reads what the board tells, beside Python's board, which is fed the same."""

    def __init__(self, link: EmulatorLink, steps: Int16Array, twin: WornBoard) -> None:
        self.told: list[PredictionPacket] = []
        self.expected: list[PredictionPacket] = []
        self._link = link
        self._twin = twin
        self._steps = steps
        self._counts = to_counts(LSM9DS1, steps)
        self._sampled = 0
        self._sent = 0
        link.write(self._next_samples())

    def live(self, us: int = READ_EVERY_US) -> bool:
        """Let time pass; False once the recording is over."""
        if len(self._steps) < self._sampled + AHEAD:
            return False
        self._link.write(struct.pack("<cI", b"t", us) + self._next_samples())
        now_us, self._sampled, handed_out, overrun, packets = struct.unpack("<IIHBB", self._receive(12))
        self.told += [PredictionPacket.decode(self._receive(PredictionPacket.SIZE)) for _ in range(packets)]
        found = self._counts[self._sampled - handed_out : self._sampled]
        self.expected += self._twin.take(blocks(now_us, found, interrupted=bool(overrun)), now_us // 1000)
        return True

    def write(self, characteristic: int, data: bytes) -> int:
        self._link.write(struct.pack("<cBB", b"w", characteristic, len(data)) + data)
        return self._receive(1)[0]

    def open_writes(self) -> None:
        self._link.write(b"o")
        assert self._receive(1) == b"\0"

    def _next_samples(self) -> bytes:
        fresh = self._steps[self._sent : self._sampled + AHEAD]
        self._sent += len(fresh)
        return struct.pack("<H", len(fresh)) + fresh.astype("<i2").tobytes()

    def _receive(self, count: int) -> bytes:
        data = b""
        deadline = time.monotonic() + 60
        while len(data) < count:
            assert time.monotonic() < deadline, f"{len(data)} of {count} bytes came"
            data += self._link.read(count - len(data), 1.0)
        return data


def steps_of(recording: Recording, rate_error: Fraction = Fraction(1)) -> Int16Array:
    """A recording as an LSM9DS1 of another clock would have told it."""
    return to_steps(LSM9DS1, from_counts(as_sensor(recording.samples, 119 * rate_error)))


def without_duration(packets: list[PredictionPacket]) -> list[PredictionPacket]:
    """What Python can't know is left out: how long the model took."""
    return [replace(packet, inference_us=0) for packet in packets]


def live_through(worn: Firmware, steps: Int16Array, twin: WornBoard) -> Wearer:
    with EmulatorLink(worn.elf) as link:
        wearer = Wearer(link, steps, twin)
        while wearer.live():
            pass
    assert without_duration(wearer.told) == wearer.expected
    return wearer


def test_a_simulated_wearer_is_told_as_python_tells(worn: Firmware, bundle: Bundle) -> None:
    steps = steps_of(simulate_recordings(seed=4)[0], Fraction(103, 100))[:9000]
    wearer = live_through(worn, steps, WornBoard(bundle, NOMINAL_MILLIHERTZ))
    assert len(wearer.told) > 50
    assert wearer.told[0].time_ms < 4000
    assert len({packet.activity for packet in wearer.told}) > 1
    assert {packet.flags for packet in wearer.told} == {Flag.UNCALIBRATED}


def test_a_late_reader_begins_anew_and_says_so_as_python_does(worn: Firmware, bundle: Bundle) -> None:
    steps = steps_of(simulate_recordings(seed=4)[0])[:5000]
    with EmulatorLink(worn.elf) as link:
        wearer = Wearer(link, steps, WornBoard(bundle, NOMINAL_MILLIHERTZ))
        looks = 0
        while wearer.live(400_000 if looks in (100, 101, 200) else READ_EVERY_US):
            looks += 1
    assert without_duration(wearer.told) == wearer.expected
    assert sum(Flag.SAMPLES_LOST in packet.flags for packet in wearer.told) == 2


def test_mounting_and_settings_written_over_ble_are_in_force_as_in_python(worn: Firmware, bundle: Bundle) -> None:
    upside_down = Rotation(((-16384, 0, 0), (0, 16384, 0), (0, 0, -16384)))
    config = Config(smoothing=3, threshold=200)
    twin = WornBoard(bundle, NOMINAL_MILLIHERTZ, Mounting(upside_down), calibrated=True, config=config)
    steps = steps_of(simulate_recordings(seed=5)[0])[:4000]
    with EmulatorLink(worn.elf) as link:
        wearer = Wearer(link, steps, twin)
        command = bytes([CalibrationAction.SET]) + struct.pack("<9h", *np.array(upside_down.q14).ravel())
        assert wearer.write(CALIBRATION, command) == LOCKED
        wearer.open_writes()
        assert wearer.write(CALIBRATION, command) == DONE
        assert wearer.write(CONFIG, config.encode()) == DONE
        while wearer.live():
            pass
    assert without_duration(wearer.told) == wearer.expected
    assert len(wearer.told) > 20


@pytest.mark.data
@pytest.mark.parametrize("rate_error", [Fraction(95, 100), Fraction(1)], ids=["-5 %", "nominal"])
def test_a_real_recording_is_told_as_python_tells(
    worn: Firmware, bundle: Bundle, hapt: tuple[Recording, ...], rate_error: Fraction
) -> None:
    recording = hapt[-1] if rate_error == 1 else hapt[0]
    wearer = live_through(worn, steps_of(recording, rate_error), WornBoard(bundle, NOMINAL_MILLIHERTZ))
    assert len(wearer.told) > 200
    assert len({packet.activity for packet in wearer.told}) == 6
