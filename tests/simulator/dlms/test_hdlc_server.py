"""The answering side of an HDLC link: opened, numbered, closed, and never brought down."""

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.dlms.acse import OpenRequest
from drivers.dlms.hdlc import Address, Decoder, Frame, Kind
from drivers.dlms.initiate import Conformance, InitiateRequest
from simulator.dlms.hdlc_server import HdlcServer, Offer
from tests.support.dlms_meters import dlms_meter

USUAL = Offer()
CLIENT, METER = Address(16), Address(1, 17, 2)
ASKED = bytes.fromhex("81801405020100060201000704000000070804000000 07")
HELLO = b"\xe6\xe6\x00" + bytes(OpenRequest(bytes(InitiateRequest(Conformance.GET, 0))))


class Line:
    """A line with a meter at its end; what it says is kept."""

    def __init__(self, offer: Offer = USUAL) -> None:
        self.said: list[Frame] = []
        self._decoder = Decoder()
        self.session = HdlcServer(dlms_meter(), 17, offer).open(self._hear)

    def _hear(self, data: bytes) -> None:
        self.said += self._decoder.feed(data)

    def send(self, kind: Kind, information: bytes = b"", to: Address = METER, **numbers: int) -> list[Frame]:
        """Send one frame, and give the answers."""
        self.said.clear()
        self.session.feed(bytes(Frame(to, CLIENT, kind, information, **numbers)))  # type: ignore[arg-type]
        return list(self.said)


def test_a_link_is_what_both_can_do() -> None:
    """UA grants no more than was asked for, and no more than the meter can."""
    for offer, granted in ((Offer(), "0501 80 0601 80 0704 00000001 0804 00000001"),
                           (Offer(1024, 3), "0502 0100 0602 0100 0704 00000003 0804 00000003")):  # fmt: skip
        (answer,) = Line(offer).send(Kind.SNRM, ASKED)
        assert answer.kind is Kind.UA
        assert answer.information[3:] == bytes.fromhex(granted)


def test_without_a_link_there_is_no_answer_but_no() -> None:
    """DM before SNRM and after DISC; nothing at another address."""
    line = Line()
    assert [frame.kind for frame in line.send(Kind.I, HELLO)] == [Kind.DM]
    assert [frame.kind for frame in line.send(Kind.SNRM)] == [Kind.UA]
    assert [frame.kind for frame in line.send(Kind.DISC)] == [Kind.UA]
    assert [frame.kind for frame in line.send(Kind.RR)] == [Kind.DM]
    assert line.send(Kind.SNRM, to=Address(1, 18, 2)) == []


def test_a_repeated_frame_is_answered_but_not_taken_twice() -> None:
    """A client whose answer got lost sends its frame again, and gets the same answer again."""
    line = Line()
    line.send(Kind.SNRM)
    first = line.send(Kind.I, HELLO)
    assert [frame.kind for frame in first] == [Kind.I]
    assert line.send(Kind.I, HELLO) == first
    assert [(frame.kind, frame.receive) for frame in line.send(Kind.RR, receive=1)] == [(Kind.RR, 1)]


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.binary(max_size=60), st.integers(0, 7), st.integers(0, 7))))
@settings(max_examples=100, deadline=None)
def test_no_frames_bring_it_down(frames: list[tuple[Kind, bytes, int, int]]) -> None:
    """Any kind with any numbers and content, on an open link."""
    line = Line(Offer(1024, 7))
    for kind, information, send, receive in [(Kind.SNRM, ASKED, 0, 0), *frames]:
        line.send(kind, information, send=send, receive=receive)
    line.session.feed(bytes(range(256)))
    assert line.send(Kind.SNRM, ASKED)[-1].kind is Kind.UA
