"""The link: a device that answers requests, over any stream of bytes that may lose some.

A transport is a `ByteStream`: serial port, emulator, process. `Device` on top of it never knows which. It numbers
its requests, and sends the identical frame again when an answer stays away or is damaged. The device answers a frame
that it has executed already from memory, so that asking twice is as good as asking once (`docs/protocol.md`).
"""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from hardwear.errors import LinkError
from hardwear.link.frames import Frame, FrameFault, FrameReceiver, encode_frame, wire_bytes
from hardwear.link.messages import (
    ANSWER_BIT,
    DAMAGED,
    MAX_CHUNK_SAMPLES,
    DeviceErrorReport,
    ErrorCode,
    Hello,
    MessageType,
    Prediction,
    StreamAnswer,
    StreamFlag,
    StreamPrediction,
    decode_stats,
    decode_unlock,
    encode_chunk,
    encode_live,
    encode_window,
)
from hardwear.wearable.packets import CalibrationCommand, CalibrationPacket, Config, PredictionPacket

READ_BYTES = 4096
DEFAULT_TIMEOUT_S = 2.0
DEFAULT_RETRIES = 5
MOST_IN_FLIGHT = 4
MOST_UNREAD = 1000
"""Live predictions that are kept until somebody asks for them; the oldest go first."""

_ADVICE = {
    ErrorCode.BAD_VERSION: "build and flash the firmware of this version of Hardwear",
    ErrorCode.UNKNOWN_TYPE: "build and flash the firmware of this version of Hardwear",
    ErrorCode.BAD_LENGTH: "build and flash the firmware of this version of Hardwear",
    ErrorCode.BAD_VALUE: "restart the stream, or ask for a setting that docs/protocol.md allows",
    ErrorCode.STREAM_GAP: "restart the stream: the device was reset, or another program talks to it",
    ErrorCode.REFUSED: "run hardwear generate, build and flash again; generated headers and code don't belong together",
    ErrorCode.ENGINE_FAILED: "build and flash again; does the model's arena fit?",
    ErrorCode.NO_SENSOR: "connect a wearable: this device only replays",
}


class ByteStream(Protocol):
    """What a transport has to be. Every failure of it is a `LinkError` that says what to do next."""

    @property
    def name(self) -> str:
        """What it is connected to, for messages: `/dev/ttyACM0`, `the emulator`."""

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """Wait for bytes and return what is there, at least one; nothing only if none came in `timeout_s`.

        Raises:
            LinkError: The other end has gone.
        """

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            LinkError: The other end has gone or takes no more.
        """

    def close(self) -> None:
        """Let go of the transport; more than once does no harm."""


class DeviceError(LinkError):
    """The device understood a request and did not do it; `report` says why."""

    def __init__(self, name: str, request: str, report: DeviceErrorReport) -> None:
        """Put the device's reason and the next step into one line."""
        self.report = report
        known = report.code in set(ErrorCode)
        code = ErrorCode(report.code).name.lower().replace("_", " ") if known else f"code {report.code}"
        advice = _ADVICE.get(ErrorCode(report.code), "") if known else "update Hardwear"
        super().__init__(
            f"{name} did not do {request}: {code}, {report.text!r} (detail {report.detail})"
            + (f". Next step: {advice}" if advice else "")
        )


@dataclass
class LinkCounters:
    """What went wrong on the way and was mended.

    Attributes:
        resent: Requests sent again.
        timeouts: Times that no answer came.
        damaged_answers: Frames from the device that arrived damaged.
        damaged_requests: Damaged frames that the device told of.
        stale: Answers that nobody waited for any more.
    """

    resent: int = 0
    timeouts: int = 0
    damaged_answers: int = 0
    damaged_requests: int = 0
    stale: int = 0


@dataclass
class _Request:
    """A request on its way."""

    type: MessageType
    sequence: int
    wire: bytes
    tries: int = 0
    deadline: float = 0.0
    first_sent: int = 0
    """Number of its first sending among all sendings."""
    last_sent: int = 0
    outcome: Frame | LinkError | None = field(default=None)


class Device:
    """A board that speaks the protocol. Use it as a context manager, from one thread.

    Args:
        stream: The transport; the device closes it.
        timeout_s: How long to wait for an answer before asking again.
        retries: How often to ask again.
        log: Called with every line of text that the device sends unasked.
        first_sequence: Number of the first request, 1 to 65535; drawn at random by default, so that a late answer to
            another program is not taken for one to this.
    """

    def __init__(
        self,
        stream: ByteStream,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
        log: Callable[[str], None] | None = None,
        first_sequence: int | None = None,
    ) -> None:
        self._stream = stream
        self._timeout_s = timeout_s
        self._retries = retries
        self._log = log
        self._sequence = first_sequence if first_sequence is not None else 1 + secrets.randbelow(0xFFFF)
        self._receiver = FrameReceiver()
        self._received: deque[Frame | FrameFault] = deque()
        self._sendings = 0
        self._hello: Hello | None = None
        self._next_sample = 0
        self._predictions: deque[PredictionPacket] = deque(maxlen=MOST_UNREAD)
        self.counters = LinkCounters()

    @property
    def name(self) -> str:
        """What it is connected by."""
        return self._stream.name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the transport."""
        self._stream.close()

    def hello(self) -> Hello:
        """Ask the device what it is.

        Raises:
            LinkError: No answer, or not one of this protocol.
        """
        self._hello = Hello.decode(self._ask(MessageType.HELLO))
        return self._hello

    def window(self, counts: npt.ArrayLike) -> Prediction:
        """Have one window classified.

        Args:
            counts: (128, 6) int16 conditioned counts.

        Raises:
            DeviceError: The device refuses, for example because its known-answer test failed.
            LinkError: No answer.
        """
        return next(self.windows([counts], in_flight=1))

    def windows(self, windows: Iterable[npt.ArrayLike], in_flight: int | None = None) -> Iterator[Prediction]:
        """Have many windows classified, in order; the next ones travel while the device computes.

        A window is sent again on its own when its answer is lost: classifying has no memory, so that neither order nor
        repetition changes an answer.

        Args:
            windows: Each (128, 6) int16 conditioned counts.
            in_flight: How many to send ahead. Default: as many as the device can hold unread, at most 4.

        Raises:
            DeviceError: The device refuses.
            LinkError: No answer.
        """
        hello = self._checked_hello()
        if in_flight is None:
            in_flight = hello.receive_capacity // wire_bytes(hello.window_samples * hello.channel_count * 2)
            in_flight = min(in_flight, MOST_IN_FLIGHT)
        payloads = (encode_window(counts) for counts in windows)
        for answer in self._exchange(MessageType.WINDOW, payloads, max(in_flight, 1)):
            yield Prediction.decode(answer, hello.embedding_size)

    def stream(
        self, counts: npt.ArrayLike, first_sample: int | None = None, restart: bool = False, end: bool = False
    ) -> list[StreamPrediction]:
        """Send raw samples through conditioning, window and model on the chip.

        Args:
            counts: (N, 6) int16 raw counts, any N; goes in chunks of at most 128.
            first_sample: Where they start within the recording. Default: where the last call ended.
            restart: Begin a new recording, from zero state.
            end: The recording ends with them: the last conditioned sample comes out too.

        Returns:
            The windows that fell due, oldest first.

        Raises:
            DeviceError: The device refuses, or waits for another sample.
            LinkError: No answer.
        """
        hello = self._checked_hello()
        samples = np.asarray(counts)
        at = first_sample if first_sample is not None else 0 if restart else self._next_sample
        due: list[StreamPrediction] = []
        starts = range(0, max(len(samples), 1), MAX_CHUNK_SAMPLES)
        for start in starts:
            chunk = samples[start : start + MAX_CHUNK_SAMPLES]
            flags = StreamFlag(0)
            if restart and start == 0:
                flags |= StreamFlag.RESTART
            if end and start == starts[-1]:
                flags |= StreamFlag.END
            payload = self._ask(MessageType.STREAM, encode_chunk(chunk, at, flags))
            answer = StreamAnswer.decode(payload, hello.embedding_size)
            at += len(chunk)
            if answer.next_sample != at:
                raise LinkError(
                    f"expected {self.name} to wait for sample {at} next, it waits for {answer.next_sample}; "
                    "is another program talking to it? Restart the stream"
                )
            due += answer.predictions
        self._next_sample = at
        return due

    def stats(self) -> dict[str, int]:
        """The device's counters since start or reset, by the names in `messages.COUNTERS`.

        Raises:
            LinkError: No answer.
        """
        return decode_stats(self._ask(MessageType.STATS))

    def live(self, on: bool = True) -> None:
        """Have the device send a packet for every window of its wearer from now on, or no more: see `next_prediction`.

        Raises:
            DeviceError: It has no sensor.
            LinkError: No answer.
        """
        self._ask(MessageType.LIVE, encode_live(on))
        if not on:
            self._predictions.clear()

    def next_prediction(self, timeout_s: float) -> PredictionPacket | None:
        """The oldest live packet that was not asked for yet; None if none came in time.

        Args:
            timeout_s: How long to wait for it.

        Raises:
            LinkError: The device has gone, or sends what this version does not know.
        """
        deadline = time.monotonic() + timeout_s
        while not self._predictions:
            received = self._receive(deadline)
            if received is None:
                return None
            if isinstance(received, FrameFault):
                self.counters.damaged_answers += 1
            elif not self._take_unasked(received):
                self.counters.stale += 1
        return self._predictions.popleft()

    def config(self) -> Config:
        """How the device is set.

        Raises:
            DeviceError: It has no sensor.
            LinkError: No answer.
        """
        return Config.decode(self._ask(MessageType.CONFIG))

    def configure(self, config: Config) -> Config:
        """Set the device. It keeps that after power-off.

        Returns:
            How it is set now.

        Raises:
            DeviceError: It has no sensor.
            LinkError: No answer.
        """
        return Config.decode(self._ask(MessageType.CONFIG, config.encode()))

    def calibration(self) -> CalibrationPacket:
        """How a calibration goes, and the rotation in force.

        Raises:
            DeviceError: The device has no sensor.
            LinkError: No answer.
        """
        return CalibrationPacket.decode(self._ask(MessageType.CALIBRATE))

    def calibrate(self, command: CalibrationCommand) -> CalibrationPacket:
        """Start or cancel a calibration, forget or set its result.

        Returns:
            How it goes now.

        Raises:
            DeviceError: The device has no sensor.
            LinkError: No answer.
        """
        return CalibrationPacket.decode(self._ask(MessageType.CALIBRATE, command.encode()))

    def unlock(self) -> int:
        """Let every central write over BLE for a while.

        Returns:
            For how many seconds.

        Raises:
            DeviceError: The device has no sensor.
            LinkError: No answer.
        """
        return decode_unlock(self._ask(MessageType.UNLOCK))

    def reset(self) -> None:
        """Set stream and counters of the device back to where they are after power-on, and live packets off.

        Raises:
            LinkError: No answer.
        """
        self._ask(MessageType.RESET)
        self._next_sample = 0
        self._predictions.clear()

    def _checked_hello(self) -> Hello:
        hello = self._hello or self.hello()
        hello.check_contract()
        return hello

    def _ask(self, kind: MessageType, payload: bytes = b"") -> bytes:
        return next(self._exchange(kind, [payload], 1))

    def _exchange(self, kind: MessageType, payloads: Iterable[bytes], in_flight: int) -> Iterator[bytes]:
        """Send requests, up to `in_flight` ahead, and give the answers' payloads in the order of the requests."""
        source = iter(payloads)
        pending: deque[_Request] = deque()
        more = True
        while True:
            while more and len(pending) < in_flight:
                payload = next(source, None)
                if payload is None:
                    more = False
                    break
                sequence = self._take_sequence()
                pending.append(_Request(kind, sequence, encode_frame(Frame(kind, sequence, payload))))
                self._send(pending[-1])
            if not pending:
                return
            while pending[0].outcome is None:
                self._advance(pending)
            outcome = pending.popleft().outcome
            if isinstance(outcome, LinkError):
                raise outcome
            assert outcome is not None
            yield outcome.payload

    def _take_sequence(self) -> int:
        sequence = self._sequence
        self._sequence = sequence % 0xFFFF + 1  # 0 is for what the device sends unasked
        return sequence

    def _send(self, request: _Request) -> None:
        self._sendings += 1
        if request.tries == 0:
            request.first_sent = self._sendings
        else:
            self.counters.resent += 1
        request.last_sent = self._sendings
        request.tries += 1
        self._stream.write(request.wire)
        request.deadline = time.monotonic() + self._timeout_s

    def _advance(self, pending: deque[_Request]) -> None:
        """Wait for the next frame or for the first request's time to run out, and do what follows from it."""
        oldest = pending[0]
        received = self._receive(oldest.deadline)
        if received is None:
            self.counters.timeouts += 1
            if oldest.tries > self._retries:
                raise LinkError(
                    f"expected an answer to {oldest.type.name} from {self.name}, got none in {oldest.tries} tries of "
                    f"{self._timeout_s:g} s. Next step: is Hardwear's firmware on it? Press reset or plug it in again"
                )
            self._send(oldest)
        elif isinstance(received, FrameFault):
            self.counters.damaged_answers += 1
            self._send_again_early(oldest)
        elif self._take_unasked(received):
            pass
        elif received.type == MessageType.ERROR and received.sequence == 0:
            report = DeviceErrorReport.decode(received.payload)
            if report.code in DAMAGED:
                self.counters.damaged_requests += 1
                self._send_again_early(oldest)
            else:
                raise DeviceError(self.name, oldest.type.name, report)
        else:
            self._settle(received, pending)

    def _take_unasked(self, received: Frame) -> bool:
        """Take a frame that answers nothing; False if it is none."""
        if received.type == MessageType.LOG:
            if self._log is not None:
                self._log(received.payload.decode("ascii", "replace"))
        elif received.type == MessageType.PREDICTION:
            self._predictions.append(PredictionPacket.decode(received.payload))
        else:
            return False
        return True

    def _settle(self, received: Frame, pending: deque[_Request]) -> None:
        """Hand an answer to the request that waits for it."""
        for request in pending:
            if request.sequence != received.sequence or request.outcome is not None:
                continue
            if received.type == MessageType.ERROR:
                report = DeviceErrorReport.decode(received.payload)
                request.outcome = DeviceError(self.name, request.type.name, report)
            elif received.type == request.type | ANSWER_BIT:
                request.outcome = received
            else:
                continue
            # The device answers in order: whatever was sent before this one and has no answer yet was lost.
            for earlier in pending:
                if earlier.outcome is None and earlier.last_sent < request.first_sent:
                    self._send_again_early(earlier)
            return
        self.counters.stale += 1

    def _send_again_early(self, request: _Request) -> None:
        """Ask again at once where a loss is known of. Only a timeout gives up, so that noise alone can't end a link."""
        if request.outcome is None and request.tries <= self._retries:
            self._send(request)

    def _receive(self, deadline: float) -> Frame | FrameFault | None:
        while not self._received:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._received += self._receiver.feed(self._stream.read(READ_BYTES, left))
        return self._received.popleft()
