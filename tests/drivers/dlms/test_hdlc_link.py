"""A client's HDLC link against a meter that keeps to the numbers, over lines that do not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError, NoAnswer, Refused
from drivers.dlms.hdlc import Address, Decoder, Frame, Kind
from drivers.dlms.hdlc_link import DEFAULTS, TO_CLIENT, TO_METER, HdlcLink, Limits
from drivers.dlms.link import Script, T

CLIENT, METER = Address(16), Address(1, 17, 2)
LARGE = Limits(1024, 1024, 7, 7)


class Secondary:
    """A meter's end of a link: answers each message by `reply`, as far as `passes` lets frames through."""

    def __init__(self, reply: Callable[[bytes], bytes], limits: Limits) -> None:
        self.reply, self.limits = reply, limits
        self.passes: Callable[[], bool] = lambda: True
        self.granted = DEFAULTS
        self.messages: list[bytes] = []
        self.seen: list[Frame] = []
        self._decoder = Decoder()

    def hear(self, data: bytes) -> bytes:
        """Give the bytes that answer these."""
        frames = [frame for frame in self._decoder.feed(data) if self.passes()]
        out = [answer for frame in frames for answer in self._answer(frame)]
        return b"".join(bytes(frame) for frame in out if self.passes())

    def _answer(self, frame: Frame) -> Iterator[Frame]:
        self.seen.append(frame)
        if frame.kind is Kind.SNRM:
            self.granted = self.limits.granted(Limits.of_field(frame.information))
            self._expected = self._first = 0
            self._request, self._pieces = bytearray(), list[bytes]()
            yield self._frame(Kind.UA, self.granted.field)
        elif frame.kind is Kind.DISC:
            yield self._frame(Kind.UA)
        else:
            self._take(frame)
            if frame.final:
                yield from self._turn()

    def _take(self, frame: Frame) -> None:
        gone = (frame.receive - self._first) % 8
        if gone <= len(self._pieces):
            del self._pieces[:gone]
            self._first = frame.receive
        if frame.kind is Kind.I and frame.send == self._expected:
            assert len(frame.information) <= self.granted.receive
            self._expected = (self._expected + 1) % 8
            self._request += frame.information
            if not frame.segmented:
                self.messages.append(bytes(self._request).removeprefix(TO_METER))
                self._request.clear()
                answer = TO_CLIENT + self.reply(self.messages[-1])
                step = self.granted.send
                self._pieces = [answer[at : at + step] for at in range(0, len(answer), step)]

    def _turn(self) -> Iterator[Frame]:
        pieces = self._pieces[: self.granted.send_window]
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            yield replace(
                self._frame(Kind.I, piece), send=(self._first + number) % 8,
                receive=self._expected, final=last, segmented=number < len(self._pieces) - 1,
            )  # fmt: skip
        if not pieces:
            yield replace(self._frame(Kind.RR), receive=self._expected)

    def _frame(self, kind: Kind, information: bytes = b"") -> Frame:
        return Frame(CLIENT, METER, kind, information)


def run(script: Script[T], hear: Callable[[bytes], bytes]) -> T:
    """Run a script against whatever answers."""
    try:
        data = next(script)
        while True:
            data = script.send(hear(data))
    except StopIteration as done:
        result: T = done.value
        return result


def opened(meter: Secondary, wish: Limits = LARGE) -> HdlcLink:
    """Open a link."""
    link = HdlcLink(CLIENT, METER, wish)
    run(link.open(), meter.hear)
    return link


LIMITS = st.builds(
    Limits, st.integers(8, 300), st.integers(8, 300), st.integers(1, 7), st.integers(1, 7)
)  # fmt: skip


@given(LIMITS, LIMITS, st.lists(st.tuples(st.binary(max_size=900), st.binary(max_size=2000)), min_size=1, max_size=3))
def test_messages_of_any_length_pass_both_ways(ours: Limits, theirs: Limits, talk: list[tuple[bytes, bytes]]) -> None:
    """Whatever lengths and windows both sides grant, each message arrives once and whole."""
    answers = iter(answer for _, answer in talk)
    meter = Secondary(lambda _: next(answers), theirs)
    link = opened(meter, ours)
    assert [run(link.ask(message), meter.hear) for message, _ in talk] == [answer for _, answer in talk]
    assert meter.messages == [message for message, _ in talk]


@given(LIMITS, st.binary(max_size=600), st.binary(max_size=1500), st.data())
def test_lost_frames_are_sent_again(limits: Limits, message: bytes, answer: bytes, data: st.DataObject) -> None:
    """Any three frames lost, of either side: the message still arrives once, and so does the answer."""
    lost = data.draw(st.sets(st.integers(0, 30), max_size=3))
    numbers = count()

    def passes() -> bool:
        return next(numbers) not in lost

    meter = Secondary(lambda _: answer, limits)
    link = opened(meter)
    meter.passes = passes
    assert run(link.ask(message), meter.hear) == answer
    assert meter.messages == [message]


@given(st.integers(1, 40))
def test_bytes_may_come_in_any_pieces(step: int) -> None:
    """The line hands out what it has; a script asks for the rest."""
    waiting = bytearray()

    def hear(data: bytes) -> bytes:
        waiting.extend(meter.hear(data))
        taken = bytes(waiting[:step])
        del waiting[:step]
        return taken

    meter = Secondary(lambda message: message * 9, Limits(100, 100, 3, 3))
    link = HdlcLink(CLIENT, METER, LARGE)
    run(link.open(), hear)
    assert run(link.ask(b"x" * 50), hear) == b"x" * 450


def test_a_frame_that_never_ends_is_no_silence() -> None:
    """Noise that looks like a frame's start hides nothing for longer than one silence."""
    meter = Secondary(lambda _: b"yes", LARGE)
    noisy = iter([b"\x7e\xa7\xff", b""])
    link = HdlcLink(CLIENT, METER, LARGE)
    run(link.open(), lambda data: next(noisy, b"") + meter.hear(data))
    assert run(link.ask(b"?"), meter.hear) == b"yes"


def test_a_busy_meter_is_given_time() -> None:
    """RNR is answered by a pause as long as an answer may take, then by asking on."""
    meter = Secondary(lambda _: b"yes", LARGE)
    link = opened(meter)
    said: list[bytes] = []

    def hear(data: bytes) -> bytes:
        said.append(data)
        if len(said) == 1:
            meter.hear(data)
            return bytes(Frame(CLIENT, METER, Kind.RNR, receive=1))
        return meter.hear(data)

    assert run(link.ask(b"?"), hear) == b"yes"
    assert said[1] == b""


def test_a_silent_meter_is_given_up() -> None:
    """Nobody is asked for ever, neither for a link nor on one."""
    sent: list[bytes] = []

    def silence(data: bytes) -> bytes:
        sent.append(data)
        return b""

    with pytest.raises(NoAnswer, match="nobody answers"):
        run(HdlcLink(CLIENT, METER).open(), silence)
    assert len(sent) == 3
    link = opened(Secondary(lambda _: b"", LARGE))
    with pytest.raises(NoAnswer, match="fell silent"):
        run(link.ask(b"?"), silence)
    assert link.goodbye(), "DISC is sent whatever happened before"
    assert not link.goodbye()


@pytest.mark.parametrize("kind", [Kind.DM, Kind.FRMR])
def test_a_link_that_the_meter_ends_is_told(kind: Kind) -> None:
    """DM and FRMR are no answers."""
    link = opened(Secondary(lambda _: b"", LARGE))
    with pytest.raises(NoAnswer, match="ended the link"):
        run(link.ask(b"?"), lambda _: bytes(Frame(CLIENT, METER, kind)))


def test_a_refused_link_is_told() -> None:
    """DM instead of UA is a no."""
    with pytest.raises(Refused):
        run(HdlcLink(CLIENT, METER).open(), lambda _: bytes(Frame(CLIENT, METER, Kind.DM)))


def test_foreign_frames_are_counted_and_left_out() -> None:
    """Two meters on one line: each link hears its own."""
    meter = Secondary(lambda _: b"mine", LARGE)
    link = opened(meter)
    other = bytes(Frame(CLIENT, Address(1, 18, 2), Kind.I, TO_CLIENT + b"other"))
    assert run(link.ask(b"?"), lambda data: other + meter.hear(data)) == b"mine"
    assert link.counters["foreign_frame"]


def test_an_answer_without_header_is_told() -> None:
    """Every message of a meter begins with the link header."""
    link = opened(Secondary(lambda _: b"", LARGE))
    with pytest.raises(DecodeError, match="link header"):
        run(link.ask(b"?"), lambda _: bytes(Frame(CLIENT, METER, Kind.I, b"\x00", 0, 1)))


def test_a_link_is_closed_and_the_meter_says_yes() -> None:
    """A closed link needs no goodbye."""
    meter = Secondary(lambda _: b"", LARGE)
    link = opened(meter)
    run(link.close(), meter.hear)
    assert meter.seen[-1].kind is Kind.DISC
    assert link.goodbye() == b""


def test_the_granted_lengths_are_those_of_the_recorded_meter() -> None:
    """A meter's UA: 128 bytes and one frame each way."""
    assert Limits.of_field(bytes.fromhex("818012050180060180070400000001080400000001")) == DEFAULTS
    assert Limits.of_field(b"") == DEFAULTS
    assert Limits.of_field(LARGE.field) == LARGE


@given(st.binary(max_size=40))
def test_any_field_gives_limits(field: bytes) -> None:
    """Nonsense in a UA is as good as nothing."""
    limits = Limits.of_field(b"\x81\x80" + field)
    assert 1 <= limits.send_window <= 7
    assert 1 <= limits.receive <= 2048
