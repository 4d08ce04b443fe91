"""Associations: byte for byte as recorded with real meters, and every way in which one is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import NO_KEYS, DecodeError, DriverError, Keys, NoAnswer, Refused
from drivers.dlms.acse import REJECTED, REJECTED_FOR_NOW, Mechanism, OpenResponse
from drivers.dlms.association import OFFERED, Association, CounterTooLow, Identity, Manner, NotAdmitted
from drivers.dlms.client import Client
from drivers.dlms.data import Data, Tag
from drivers.dlms.hdlc import Address
from drivers.dlms.hdlc_link import HdlcLink
from drivers.dlms.initiate import Conformance, InitiateResponse, ServiceError
from drivers.dlms.link import Link, Script, T
from drivers.dlms.notices import Block, ExceptionResponse
from drivers.dlms.objects import Descriptor
from drivers.dlms.security import Received, Unproven
from drivers.dlms.services import GetResponse
from drivers.dlms.wrapper import Wrapped, WrapperLink

KEYS = Keys(
    bytes.fromhex("000102030405060708090a0b0c0d0e0f"), bytes.fromhex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"), b"12345678"
)
ENERGY = Descriptor(3, bytes((1, 0, 1, 8, 0, 255)), 2)
ACCEPTED = bytes(OpenResponse(bytes(InitiateResponse(OFFERED, 1024))))


class Tape:
    """A recorded session: what we send must be what the client sent, and what the meter said is heard."""

    def __init__(self, captures: Path, name: str) -> None:
        self.told: dict[str, Any] = json.loads((captures / "dlms/transcripts" / name).read_text())
        self._turns = iter(self.told["bytes"])

    def hear(self, sent: bytes) -> bytes:
        """Compare what was sent, and give the answer."""
        who, data = next(self._turns)
        assert (who, data) == ("client", sent.hex())
        who, data = next(self._turns)
        assert who == "meter"
        return bytes.fromhex(data)


def run(script: Script[T], hear: Callable[[bytes], bytes]) -> T:
    """Run a script against whatever answers."""
    try:
        data = next(script)
        while True:
            data = script.send(hear(data))
    except StopIteration as done:
        result: T = done.value
        return result


def associate(link: Link, manner: Manner, keys: Keys = KEYS, random: bytes = bytes(16)) -> Association:
    """Make an association with counters from 100."""
    numbers = count(100)
    identity = Identity(b"HEWATEST", lambda: next(numbers), lambda length: random[:length])
    return Association(link, manner, keys, identity, Received())


def answering(*messages: bytes) -> Callable[[bytes], bytes]:
    """Answer with messages, one a request, whatever is asked."""
    waiting = iter(messages)
    return lambda _: bytes(Wrapped(1, 16, next(waiting, b"")))


def opened(manner: Manner | None = None) -> Association:
    """Make an open association with a meter that takes everybody."""
    association = associate(WrapperLink(16, 1), manner or Manner())
    run(association.open(), answering(ACCEPTED))
    return association


def test_a_session_with_a_password_is_as_recorded(captures: Path) -> None:
    """LLS over the wrapper: each byte we send is the recorded client's, and the values are the meter's."""
    tape = Tape(captures, "lls_wrapper.json")
    manner = Manner(Mechanism.LOW, offered=Conformance(0x401E5D), longest=0xFFFF)
    association = associate(WrapperLink(16, 1), manner)
    run(association.open(), tape.hear)
    values = []
    for class_id, code, attribute in (
        (1, (0, 0, 42, 0, 0, 255), 2), (3, (1, 0, 1, 8, 0, 255), 3), (3, (1, 0, 1, 8, 0, 255), 2),
    ):  # fmt: skip
        # The recorded client numbers every request 1.
        values.append(run(Client(association).get(Descriptor(class_id, bytes(code), attribute)), tape.hear))
    assert values[0] == Data(Tag.OCTET_STRING, b"GRX12345678")
    assert values[2] == Data(Tag.UINT32, 123456)


def test_a_ciphered_session_is_as_recorded(captures: Path) -> None:
    """HLS-GMAC over HDLC: link, challenge, proof and ciphered reading are the recorded client's, byte for byte."""
    tape = Tape(captures, "hls_gmac_hdlc.json")
    link = HdlcLink(Address(1), Address(1))
    challenge = bytes.fromhex("cd7efae43ae249832a89e685aab38184")
    manner = Manner(Mechanism.HIGH_GMAC, 0x30, offered=Conformance(0x401E5D), longest=0xFFFF)
    association = associate(link, manner, random=challenge)
    run(link.open(), tape.hear)
    run(association.open(), tape.hear)
    assert association.title == bytes.fromhex("5059440000001234")
    association._manner = replace(manner, general=True)  # the recorded client changes its form here
    voltage, profile = bytes((1, 0, 32, 7, 0, 255)), bytes((1, 0, 99, 1, 0, 255))
    told = [
        # The recorded client numbers every request 1.
        run(Client(association).get(target), tape.hear)
        for target in (
            ENERGY, Descriptor(3, voltage, 3), Descriptor(3, voltage, 2), Descriptor(7, profile, 3),
            Descriptor(7, profile, 2),
        )
    ]  # fmt: skip
    assert (told[0], told[2]) == (Data(Tag.UINT32, 12345678), Data(Tag.UINT16, 2301))
    assert isinstance(told[4], Data)
    assert len(told[4].elements) == 96, "three blocks, each of them in many frames"


@pytest.mark.parametrize(
    ("answer", "manner", "error", "says"),
    [
        (OpenResponse(b"", REJECTED, 13), Manner(Mechanism.LOW), NotAdmitted, "password or key is wrong"),
        (OpenResponse(b"", REJECTED, 13), Manner(), Refused, "password or key is wrong"),
        (OpenResponse(b"", REJECTED_FOR_NOW, 1), Manner(Mechanism.LOW), Refused, "no reason given"),
        (OpenResponse(bytes(ServiceError(1, 6, 4))), Manner(), Refused, "refuses this client"),
        (OpenResponse(bytes(InitiateResponse(OFFERED, 0))), Manner(protection=0x30), NotAdmitted, "no ciphered"),
        (OpenResponse(bytes(InitiateResponse(OFFERED, 0)), diagnostic=14), Manner(Mechanism.HIGH_GMAC), NotAdmitted,
         "no challenge"),
        (OpenResponse(bytes(InitiateResponse(OFFERED, 0)), title=bytes(8), proof=bytes(16)),
         Manner(Mechanism.HIGH_GMAC), NotAdmitted, "repeats our challenge"),
        (ExceptionResponse(1, 5), Manner(Mechanism.HIGH_GMAC, 0x30), NotAdmitted, "could not be deciphered"),
        (ExceptionResponse(1, 6, 4711), Manner(Mechanism.HIGH_GMAC, 0x30), CounterTooLow, "counter is too low"),
        (GetResponse(Data(Tag.NULL)), Manner(), DecodeError, "no answer to that"),
    ],
)  # fmt: skip
def test_a_refused_association_says_why(answer: Any, manner: Manner, error: type[DriverError], says: str) -> None:
    """Each no is an error of its own; those that may lock the meter are NotAdmitted, and no others."""
    with pytest.raises(error, match=says) as raised:
        run(associate(WrapperLink(16, 1), manner).open(), answering(bytes(answer)))
    assert isinstance(raised.value, NotAdmitted) is (error is NotAdmitted)
    assert error is DecodeError or raised.value.hint


def test_a_wrong_key_is_told_before_anything_is_read() -> None:
    """A challenge that the meter answers with other keys, or with a no, lets nothing be read."""
    hello = OpenResponse(bytes(InitiateResponse(OFFERED, 0)), diagnostic=14, title=b"METER001", proof=b"c" * 16)
    for proof in ("c701c10100", "c701c1000100" + "0911" + "10" + "00" * 16):
        link = WrapperLink(16, 1)
        association = associate(link, Manner(Mechanism.HIGH_GMAC))
        with pytest.raises((NotAdmitted, DecodeError)):
            run(association.open(), answering(bytes(hello), bytes.fromhex(proof)))


def test_a_password_that_is_missing_is_told_before_the_meter_is_asked() -> None:
    """No empty password is tried, which would count as a wrong one."""
    with pytest.raises(NotAdmitted, match="password"):
        run(associate(WrapperLink(16, 1), Manner(Mechanism.LOW), NO_KEYS).open(), answering())


def test_an_open_answer_in_a_ciphered_association_is_refused() -> None:
    """Nobody can answer in the meter's place without its keys; only a no may come in the open."""
    association = opened()
    association._manner = Manner(protection=0x30)
    with pytest.raises(Unproven, match="open answer"):
        run(Client(association).get(ENERGY), answering(bytes(GetResponse(Data(Tag.UINT8, 1)))))
    with pytest.raises(Refused, match="not supported"):
        run(Client(association).get(ENERGY), answering(bytes(ExceptionResponse(2, 2))))


def test_an_answer_in_general_blocks_is_joined() -> None:
    """Each block is acknowledged, the last one ends it; a lost one is told."""
    whole = bytes(GetResponse(Data(Tag.OCTET_STRING, b"x" * 99)))
    pieces = [whole[at : at + 40] for at in range(0, len(whole), 40)]
    blocks = [bytes(Block(at + 1, piece, last=at == 2, window=1, acknowledged=1)) for at, piece in enumerate(pieces)]
    asked: list[bytes] = []
    answers = iter(blocks)

    def hear(sent: bytes) -> bytes:
        asked.append(sent[8:])
        return bytes(Wrapped(1, 16, next(answers)))

    assert run(Client(opened()).get(ENERGY), hear) == Data(Tag.OCTET_STRING, b"x" * 99)
    assert [message.hex() for message in asked[1:]] == ["e0810002000100", "e0810002000200"]
    with pytest.raises(DecodeError, match="block 3"):
        run(Client(opened()).get(ENERGY), answering(blocks[0], blocks[2]))


def test_a_meter_that_goes_silent_is_no_answer() -> None:
    """The wrapper has no second try: the conversation ends."""
    with pytest.raises(NoAnswer):
        run(associate(WrapperLink(16, 1), Manner()).open(), lambda _: b"")


def test_a_dedicated_key_is_never_shown_in_the_open() -> None:
    """It travels in a ciphered proposal, and only there."""
    sent: list[bytes] = []

    def hear(data: bytes) -> bytes:
        sent.append(data)
        return b""

    key = bytes(range(50, 66))
    association = associate(WrapperLink(16, 1), Manner(Mechanism.HIGH_GMAC, 0x30, dedicated=True), random=key)
    association._dedicated = Keys(b"dedicated key 16", KEYS.authentication)
    with pytest.raises(NoAnswer):
        run(association.open(), hear)
    assert b"dedicated key 16" not in b"".join(sent)
