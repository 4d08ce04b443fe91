"""DLMS messages: there and back, captured ones as another implementation read them, damaged ones refused."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError
from drivers.dlms import apdu
from drivers.dlms.acse import AUTHENTICATION_REQUIRED, CloseRequest, CloseResponse, Mechanism, OpenRequest, OpenResponse
from drivers.dlms.apdu import Apdu, decode
from drivers.dlms.axdr import Data, Tag
from drivers.dlms.initiate import Conformance, InitiateRequest, InitiateResponse, ServiceError
from drivers.dlms.notices import (
    COUNTER_ERROR,
    LONGEST_MESSAGE,
    Block,
    Blocks,
    DataNotification,
    EventNotification,
    ExceptionResponse,
)
from drivers.dlms.objects import CLOCK, Denied, Descriptor, by_entry, by_range
from drivers.dlms.sealed import GENERAL, PLAIN, Sealed
from drivers.dlms.services import (
    ActionRequest,
    ActionResponse,
    GetBlock,
    GetListRequest,
    GetListResponse,
    GetNext,
    GetRequest,
    GetResponse,
    SetRequest,
    SetResponse,
)

BYTE, WORD, LONG = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
OCTETS, TITLES, TIMES = (
    st.binary(max_size=200),
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=12, max_size=12),
)
VALUES = st.one_of(
    LONG.map(lambda number: Data(Tag.UINT32, number)),
    OCTETS.map(lambda octets: Data(Tag.OCTET_STRING, octets)),
    st.lists(BYTE.map(lambda number: Data(Tag.UINT8, number)), max_size=4).map(
        lambda made: Data(Tag.ARRAY, tuple(made))
    ),
)
TARGETS = st.builds(Descriptor, WORD, st.binary(min_size=6, max_size=6), BYTE)
RESULTS = st.one_of(VALUES, st.builds(Denied, BYTE))
ACCESSES = st.one_of(st.none(), st.builds(by_range, TIMES, TIMES), st.builds(by_entry, LONG, LONG))
CONFORMANCES = st.integers(0, 0xFFFFFF).map(Conformance)
MAYBE = st.one_of(st.none(), BYTE)
SEALS = st.one_of(
    st.builds(Sealed, st.sampled_from(sorted(PLAIN)), BYTE, LONG, OCTETS),
    st.builds(Sealed, st.sampled_from(GENERAL), BYTE, LONG, OCTETS, TITLES),
)
APDUS: st.SearchStrategy[Apdu] = st.one_of(
    st.builds(OpenRequest, OCTETS, BYTE, st.integers(1, 7), st.one_of(st.none(), TITLES), st.one_of(st.none(), OCTETS)),
    st.builds(OpenResponse, OCTETS, BYTE, BYTE, BYTE, BYTE, TITLES, OCTETS, st.booleans()),
    st.builds(CloseRequest, OCTETS, MAYBE),
    st.builds(CloseResponse, OCTETS, MAYBE),
    st.builds(InitiateRequest, CONFORMANCES, WORD, st.one_of(st.none(), OCTETS), st.booleans(), MAYBE, BYTE),
    st.builds(InitiateResponse, CONFORMANCES, WORD, WORD, MAYBE, BYTE),
    st.builds(ServiceError, BYTE, BYTE, BYTE),
    st.builds(GetRequest, TARGETS, ACCESSES, BYTE),
    st.builds(GetNext, LONG, BYTE),
    st.builds(GetListRequest, st.lists(st.tuples(TARGETS, ACCESSES), max_size=4).map(tuple), BYTE),
    st.builds(GetResponse, RESULTS, BYTE),
    st.builds(GetBlock, st.booleans(), LONG, st.one_of(OCTETS, st.builds(Denied, BYTE)), BYTE),
    st.builds(GetListResponse, st.lists(RESULTS, max_size=4).map(tuple), BYTE),
    st.builds(SetRequest, TARGETS, VALUES, ACCESSES, BYTE),
    st.builds(SetResponse, BYTE, BYTE),
    st.builds(ActionRequest, TARGETS, st.one_of(st.none(), VALUES), BYTE),
    st.builds(ActionResponse, BYTE, st.one_of(st.none(), RESULTS), BYTE),
    st.builds(DataNotification, VALUES, st.one_of(st.just(b""), TIMES), LONG, st.booleans()),
    st.builds(EventNotification, TARGETS, VALUES, st.one_of(st.none(), TIMES)),
    st.builds(ExceptionResponse, BYTE, BYTE, st.one_of(st.none(), LONG)),
    st.builds(Block, WORD, OCTETS, st.booleans(), st.booleans(), st.integers(0, 63), WORD),
    SEALS,
)


@given(APDUS)
def test_every_message_comes_back(message: Apdu) -> None:
    """What is written is read as the same message."""
    assert decode(bytes(message)) == message


@given(APDUS, st.data())
def test_what_is_cut_off_is_never_the_same_message(message: Apdu, data: st.DataObject) -> None:
    """A message without its last bytes is refused; only what may be left out may be cut."""
    raw = bytes(message)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    try:
        shorter = decode(cut)
    except DecodeError:
        return
    assert isinstance(message, ExceptionResponse)
    assert shorter != message


@given(st.binary(max_size=300), st.sampled_from([*apdu.NAMES, *PLAIN]))
def test_any_bytes_end(data: bytes, tag: int) -> None:
    """Random bytes behind any first byte are a message or a DecodeError."""
    try:
        decode(bytes((tag,)) + data)
    except DecodeError:
        return


def test_captured_messages_are_read_and_written_as_they_came(captures: Path) -> None:
    """Each one is a message, byte for byte, or is refused with a hint; what another implementation reads, we read."""
    read = set()
    refused: dict[str, DecodeError] = {}
    entries = json.loads((captures / "dlms/index.json").read_text())["entries"]
    for entry in entries:
        if not entry["file"].startswith("apdu/"):
            continue
        raw = bytes.fromhex((captures / "dlms" / entry["file"]).read_text())
        try:
            assert bytes(decode(raw)) == raw, entry["file"]
            read.add(entry["file"])
        except DecodeError as error:
            refused[entry["file"]] = error
    assert all(error.what and error.hint for error in refused.values())
    theirs = {entry["file"] for entry in entries if entry["file"].startswith("apdu/") and "expected" in entry}
    # The other implementation does not mind what is missing or too many here: a SET without its value, a GET answer
    # that goes on behind its value, a list of no results with a thousand bytes behind it.
    careless = {
        "apdu/get_wrong_tag_raises_valueerror_1.hex", "apdu/action_wrong_tag_raises_valueerror_1-2.hex",
        "apdu/get_wrong_type_raises_valueerror_1.hex",
    }  # fmt: skip
    assert theirs - read == careless


def test_every_truncation_of_every_capture_ends(captures: Path) -> None:
    """No cut makes a decoder loop, or raise anything but its own error."""
    for path in sorted((captures / "dlms").glob("[ahp]*/*.hex")):
        raw = bytes.fromhex(path.read_text())
        for end in range(0, len(raw), 1 + len(raw) // 100):
            with contextlib.suppress(DecodeError):
                decode(raw[:end])


def test_what_others_read_in_the_captures(captures: Path) -> None:
    """Values of captured messages: associations, agreement, selections of rows."""

    def read(name: str) -> Apdu:
        return decode(bytes.fromhex((captures / f"dlms/apdu/{name}.hex").read_text()))

    refused = read("aare_no_ciphering_no_security_app_context_name_wrong_1")
    assert isinstance(refused, OpenResponse)
    assert (refused.result, refused.reason) == (1, "it does not offer this way of naming or ciphering")
    challenged = read("aare_no_ciher_hls_ok_1")
    assert isinstance(challenged, OpenResponse)
    assert (challenged.diagnostic, challenged.proof) == (AUTHENTICATION_REQUIRED, b"P6wRJ21F")
    asking = read("aarq_parse_no_ciphering_high_security_1")
    assert isinstance(asking, OpenRequest)
    assert (asking.mechanism, asking.proof) == (Mechanism.HIGH_GMAC, b"K56iVagY")
    agreed = read("initiate_parse_simple_1-2")
    offered = (
        Conformance.PRIORITY | Conformance.BLOCKS_WITH_GET | Conformance.GET | Conformance.SET
        | Conformance.SELECTIVE_ACCESS | Conformance.EVENT_NOTIFICATION | Conformance.ACTION
    )  # fmt: skip
    assert agreed == InitiateResponse(offered, 500)
    first, last = bytes.fromhex("07E2020CFF00000000800000"), bytes.fromhex("07E3020CFF00000000800000")
    profile = Descriptor(7, bytes((1, 0, 99, 1, 0, 255)), 2)
    assert read("selective_access_range_descriptor1_2") == GetRequest(profile, by_range(first, last))


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        ("dd 00", "general ciphering with an agreed key is not offered"),
        ("d9 00", "ACCESS request is not offered"),
        ("05 01 02 fa 00", r"read request \(short names\) is not offered"),
        ("c1 03 c1", "form 3 of message 0xc1 is not offered"),
        ("77 00", "begins no message of DLMS"),
        ("", "cut off"),
        ("db 07 01020304050607 05 3000000000", "a system title of 7 bytes"),
        ("61 03 a1 01 00", "a field holds something else"),
        ("60 0b a1 09 06 07 61857405080101", "names nothing of DLMS"),
        ("0f 00000000 05 0102030405 00", "a time of 5 bytes"),
        ("c4 01 c1 02 00", "neither yes nor no"),
        ("01 00 00 00 06 5f1f0300 00001f ffff", "no list of services"),
    ],
)
def test_what_is_not_spoken_is_refused_by_name(raw: str, what: str) -> None:
    """Messages that Nabd does not offer, and damage, each with its reason."""
    with pytest.raises(DecodeError, match=what):
        decode(bytes.fromhex(raw))


def test_a_no_is_said_in_words() -> None:
    """Numbers of the meter, known ones in words."""
    assert str(Denied(3)) == "access denied"
    assert str(Denied(77)) == "number 77"
    assert str(ExceptionResponse(1, COUNTER_ERROR, 5)) == (
        "the service is not allowed now: the invocation counter is too low"
    )
    assert str(ServiceError(1, 6, 4)) == "the meter refuses this client"
    assert str(CLOCK) == "class 8, 0-0:1.0.0*255, 2"
    assert OpenResponse(b"", 1, 2, by_provider=True).reason == "it speaks another version of the association protocol"


@given(st.binary(min_size=1, max_size=300), st.integers(1, 50))
def test_blocks_are_joined(message: bytes, size: int) -> None:
    """Blocks in their order give the message; a new first block begins a new one."""
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    blocks = [Block(at, piece, at == len(pieces)) for at, piece in enumerate(pieces, 1)]
    joiner = Blocks()
    assert [joiner.add(block) for block in (*blocks, *blocks)] == 2 * [*([None] * (len(pieces) - 1)), message]


@pytest.mark.parametrize("order", [[1, 2, 2], [1, 3], [2], [1, 2, 4]])
def test_a_lost_or_repeated_block_costs_the_message(order: list[int]) -> None:
    """What follows is refused too, until a message begins."""
    joiner = Blocks()
    *good, bad = (Block(number, b"x") for number in order)
    assert not any(map(joiner.add, good))
    with pytest.raises(DecodeError, match="belongs"):
        joiner.add(bad)
    with pytest.raises(DecodeError, match="whose blocks were lost"):
        joiner.add(Block(bad.number + 1, b"x", last=True))
    assert joiner.add(Block(1, b"whole", last=True)) == b"whole"


def test_a_message_in_blocks_is_bounded() -> None:
    """No sender makes us keep more than the longest message."""
    joiner = Blocks()
    full = LONGEST_MESSAGE // 1000
    assert not any(joiner.add(Block(number, bytes(1000))) for number in range(1, full + 1))
    with pytest.raises(DecodeError, match="belongs"):
        joiner.add(Block(full + 1, bytes(1000)))
