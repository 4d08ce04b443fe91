"""GET as a client asks it: lists within the meter's bounds, blocks in order, answers to the right question."""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from drivers.contract import DecodeError, Refused
from drivers.dlms.apdu import Apdu, decode
from drivers.dlms.client import MAX_LIST, Client
from drivers.dlms.data import Data, Tag
from drivers.dlms.initiate import Conformance
from drivers.dlms.objects import Denied, Descriptor, encode_results
from drivers.dlms.services import GetBlock, GetListRequest, GetListResponse, GetNext, GetRequest, GetResponse

ENERGY = Descriptor(3, bytes((1, 0, 1, 8, 0, 255)), 2)
QUERIES = [(Descriptor(3, bytes((1, 0, number, 8, 0, 255)), 2), None) for number in range(100)]


class Meter:
    """Stands in for an association; `answer` gives a message to each request."""

    granted = Conformance.LISTS

    def __init__(self, answer: Callable[[Any], Apdu], longest: int = 1024) -> None:
        self.answer, self.longest = answer, longest
        self.asked: list[Any] = []

    def ask(self, request: bytes) -> Generator[bytes, bytes, Apdu]:
        """Answer at once."""
        yield from ()
        self.asked.append(decode(request))
        return self.answer(self.asked[-1])


def run(script: Generator[bytes, bytes, Any]) -> Any:
    """Run a script that needs no bytes."""
    try:
        next(script)
    except StopIteration as done:
        return done.value
    raise AssertionError


def client(meter: Meter) -> Client:
    """Make a client of the stand-in."""
    return Client(meter)  # type: ignore[arg-type]


def number(target: Descriptor) -> Data:
    """Give an attribute's value: its own third code."""
    return Data(Tag.UINT8, target.obis[2])


def told(request: Any) -> Apdu:
    """Answer one attribute, or a list of them."""
    if isinstance(request, GetListRequest):
        return GetListResponse(tuple(number(target) for target, _ in request.queries), request.invoke)
    return GetResponse(number(request.target), request.invoke)


def test_lists_are_as_long_as_the_meter_takes() -> None:
    """No list is longer than its bound, no request longer than the meter's longest message; all are answered."""
    for longest, lists in ((0, 4), (1024, 4), (200, 8)):
        meter = Meter(told, longest)
        assert [data.content for data in run(client(meter).get_all(QUERIES))] == list(range(100))
        assert len(meter.asked) == lists
        assert all(len(request.queries) <= MAX_LIST for request in meter.asked)
        assert all(not longest or len(bytes(request)) <= longest for request in meter.asked)


def test_a_meter_without_lists_is_asked_one_by_one() -> None:
    """One that does not offer them, and one that offers them and refuses."""

    def refuses(request: Any) -> Apdu:
        if isinstance(request, GetListRequest):
            raise Refused("no lists")
        return told(request)

    meter = Meter(refuses)
    assert len(run(client(meter).get_all(QUERIES[:5]))) == 5
    assert len(meter.asked) == 1 + 5
    meter = Meter(told)
    meter.granted = Conformance.GET
    assert len(run(client(meter).get_all(QUERIES[:5]))) == 5
    assert all(isinstance(request, GetRequest) for request in meter.asked)


def in_blocks(whole: bytes, size: int, **changes: Any) -> Callable[[Any], Apdu]:
    """Answer in blocks of this size; `changes` spoil the second one."""

    def answer(request: Any) -> Apdu:
        block = request.block + 1 if isinstance(request, GetNext) else 1
        piece = whole[(block - 1) * size : block * size]
        spoilt = changes if block == 2 else {}
        fields = {"last": block * size >= len(whole), "block": block, "piece": piece, "invoke": request.invoke} | spoilt
        return GetBlock(**fields)

    return answer


def test_blocks_are_gathered_in_their_order() -> None:
    """A value and a list, cut anywhere; each block is asked for by the number of the one before."""
    value = Data(Tag.OCTET_STRING, b"0123456789")
    for size in (1, 5, 12, 99):
        assert run(client(Meter(in_blocks(b"\x09\x0a0123456789", size))).get(ENERGY)) == value
    whole = encode_results(tuple(number(target) for target, _ in QUERIES[:20]))
    assert [data.content for data in run(client(Meter(in_blocks(whole, 7))).get_all(QUERIES[:20]))] == list(range(20))


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"block": 3}, "block 3 where 2"), ({"invoke": 0xC9}, "another question"), ({"piece": b""}, "block 3 is")],
)
def test_a_block_out_of_place_is_told(changes: dict[str, Any], says: str) -> None:
    """A lost block, an answer to something else; an empty block alone does no harm."""
    meter = Meter(in_blocks(b"\x09\x0a0123456789", 5, **changes))
    if says == "block 3 is":
        with pytest.raises(DecodeError):  # five bytes are missing from the value
            run(client(meter).get(ENERGY))
        return
    with pytest.raises(DecodeError, match=says):
        run(client(meter).get(ENERGY))


def test_a_no_in_the_middle_is_a_no() -> None:
    """A meter that gives up a long answer denies it."""
    meter = Meter(in_blocks(b"\x09\x0a0123456789", 5, piece=Denied(15)))
    assert run(client(meter).get(ENERGY)) == Denied(15)
    two = GetListResponse((Data(Tag.NULL), Data(Tag.NULL)), 0xC1)
    with pytest.raises(DecodeError, match="2 answers to 3"):
        run(client(Meter(lambda _: two)).get_all(QUERIES[:3]))


def test_answers_belong_to_their_questions() -> None:
    """An answer that came too late is not taken for the next one's."""
    with pytest.raises(DecodeError, match="another question"):
        run(client(Meter(lambda _: GetResponse(Data(Tag.NULL), 0xC7))).get(ENERGY))


def test_a_value_without_end_is_bounded() -> None:
    """Blocks are gathered up to a bound."""
    endless = Meter(lambda request: GetBlock(
        last=False, block=getattr(request, "block", 0) + 1, piece=bytes(60_000), invoke=request.invoke
    ))  # fmt: skip
    with pytest.raises(DecodeError):
        run(client(endless).get(ENERGY))
    assert len(endless.asked) < 20
