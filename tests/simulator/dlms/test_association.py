"""The simulated meter lets in whom it should, and refuses what is false, old or without sense."""

from collections import deque
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.dlms import acse, apdu, security
from drivers.dlms.acse import Context, Mechanism, OpenRequest, OpenResponse
from drivers.dlms.axdr import Data
from drivers.dlms.initiate import Conformance, InitiateRequest
from drivers.dlms.notices import Block, Blocks, ExceptionResponse
from drivers.dlms.objects import Denied, Descriptor
from drivers.dlms.sealed import GENERAL_GLOBAL, GLOBAL, Sealed
from drivers.dlms.services import GetBlock, GetListRequest, GetNext, GetRequest, GetResponse
from simulator.dlms.association import Association
from simulator.dlms.meter import LOCK, OFFERED, TRIES, DlmsMeter
from tests.support.dlms_meters import KEYS, NOW, TITLE, dlms_meter

OURS = b"NBDTEST1"
SERIAL = Descriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2)
LIST = Descriptor(15, bytes((0, 0, 40, 0, 0, 255)), 2)
PROPOSAL = InitiateRequest(OFFERED & ~Conformance.GENERAL_BLOCK_TRANSFER, 0xFFFF)


def say(association: Association, message: object) -> apdu.Apdu:
    """Say one message, and read the one answer."""
    (answer,) = association.answer(bytes(message))  # type: ignore[call-overload]
    return apdu.decode(answer)


def opened(meter: DlmsMeter, proposal: InitiateRequest = PROPOSAL) -> Association:
    """Come in as the public client."""
    association = Association(meter, 16)
    answer = say(association, OpenRequest(bytes(proposal)))
    assert isinstance(answer, OpenResponse)
    assert answer.result == acse.ACCEPTED
    return association


class Ciphered:
    """A client with password and keys that can be made to lie; its counters are in its own hand."""

    def __init__(self, meter: DlmsMeter, counter: int = 100) -> None:
        self.association = Association(meter, 3)
        self.counter = counter

    def open(self) -> OpenResponse:
        """Send AARQ."""
        user = self.sealed(bytes(PROPOSAL), 0x21)
        password = KEYS.password
        answer = say(self.association, OpenRequest(user, Context.LONG_NAMES_CIPHERED, Mechanism.LOW, OURS, password))
        assert isinstance(answer, OpenResponse)
        return answer

    def sealed(self, plain: bytes, tag: int, **changed: object) -> bytes:
        """Close a message, with the next counter unless told."""
        settings: dict[str, object] = {"title": OURS, "counter": self.counter, "keys": KEYS, **changed}
        if "counter" not in changed:
            self.counter += 1
        return bytes(security.seal(plain, tag, **settings))  # type: ignore[arg-type]

    def get(self, tag: int = GLOBAL[0xC0], **changed: object) -> bytes:
        """Close a question for the serial number."""
        return self.sealed(bytes(GetRequest(SERIAL)), tag, **changed)


def is_value(answers: list[bytes]) -> bool:
    """Tell whether the meter answered with a value, which opens with its keys."""
    got = apdu.decode(answers[0])
    if not isinstance(got, Sealed):
        return False
    inner = security.unseal(got, KEYS, security.Received(), TITLE)
    return isinstance(inner, GetResponse) and isinstance(inner.result, Data)


def test_old_and_false_messages_are_refused() -> None:
    """S15 at the meter: five of five refused, none moves a counter, and the client goes on where it was."""
    meter = dlms_meter()
    client = Ciphered(meter)
    assert client.open().result == acse.ACCEPTED
    first, second = client.get(), client.get()
    assert is_value(client.association.answer(first))
    assert is_value(client.association.answer(second))
    heard = dict(meter.heard.highest)
    forged = client.get(counter=5_000_000)
    for attack, reason in (
        (first, "replayed"),
        (client.get(counter=client.counter - 1), "replayed"),
        (client.get(counter=client.counter - 2), "replayed"),
        (client.get(GENERAL_GLOBAL, title=b"NBDOTHER"), "foreign"),
        (forged[:-1] + bytes((forged[-1] ^ 1,)), "bad_tag"),
    ):
        before = meter.rejected.get(reason, 0)
        (answer,) = client.association.answer(attack)
        assert isinstance(apdu.decode(answer), ExceptionResponse)
        assert meter.rejected[reason] == before + 1
        assert meter.heard.highest == heard
    assert is_value(client.association.answer(client.get()))


def test_a_new_association_remembers_counters() -> None:
    """The counter outlives the association: an old opening does not open again."""
    meter = dlms_meter()
    client = Ciphered(meter)
    client.open()
    again = Ciphered(meter)
    (answer,) = again.association.answer(
        bytes(OpenRequest(client.sealed(bytes(PROPOSAL), 0x21, counter=100), Context.LONG_NAMES_CIPHERED,
                          Mechanism.LOW, OURS, KEYS.password))
    )  # fmt: skip
    assert apdu.decode(answer) == ExceptionResponse(1, 6, 101)


def test_plain_messages_in_a_ciphered_association_are_refused() -> None:
    """Nothing is read in the open where everything is to be ciphered."""
    client = Ciphered(dlms_meter())
    client.open()
    assert isinstance(say(client.association, GetRequest(SERIAL)), ExceptionResponse)
    assert is_value(client.association.answer(client.get()))


def test_wrong_passwords_lock_the_meter_for_a_while() -> None:
    """After three in a row even the right one is refused, until time has passed; the public client stays welcome."""
    time = [NOW]
    meter = dlms_meter(lambda: time[0])
    right = OpenRequest(bytes(PROPOSAL), mechanism=Mechanism.LOW, proof=KEYS.password)
    wrong = replace(right, proof=b"87654321")
    answers = [say(Association(meter, 2), wrong) for _ in range(TRIES)]
    assert {(a.result, a.diagnostic) for a in answers if isinstance(a, OpenResponse)} == {(1, 13)}
    locked = say(Association(meter, 2), right)
    assert isinstance(locked, OpenResponse)
    assert locked.result == acse.REJECTED_FOR_NOW
    assert isinstance(say(opened(meter), GetRequest(SERIAL)), GetResponse)
    time[0] += LOCK
    free = say(Association(meter, 2), right)
    assert isinstance(free, OpenResponse)
    assert free.result == acse.ACCEPTED


@pytest.mark.parametrize(
    ("client", "request_", "diagnostic"),
    [
        (99, OpenRequest(bytes(PROPOSAL)), 3),
        (16, OpenRequest(bytes(PROPOSAL), Context.LONG_NAMES_CIPHERED), 2),
        (16, OpenRequest(bytes(PROPOSAL), Context.SHORT_NAMES), 2),
        (2, OpenRequest(bytes(PROPOSAL)), 11),
        (16, OpenRequest(bytes(GetRequest(SERIAL))), 1),
    ],
)
def test_who_comes_the_wrong_way_is_told_why(client: int, request_: OpenRequest, diagnostic: int) -> None:
    """Unknown clients, other contexts and mechanisms, and proposals that are none."""
    association = Association(dlms_meter(), client)
    answer = say(association, request_)
    assert isinstance(answer, OpenResponse)
    assert (answer.result, answer.diagnostic) == (acse.REJECTED, diagnostic)
    assert isinstance(say(association, GetRequest(SERIAL)), ExceptionResponse)


def test_release_ends_it() -> None:
    """After RLRQ nothing is read."""
    association = opened(dlms_meter())
    assert isinstance(say(association, acse.CloseRequest()), acse.CloseResponse)
    assert isinstance(say(association, GetRequest(SERIAL)), ExceptionResponse)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (Descriptor(3, bytes((1, 0, 99, 99, 0, 255)), 2), 4),
        (Descriptor(4, SERIAL.obis, 2), 9),
        (Descriptor(1, SERIAL.obis, 7), 11),
    ],
)
def test_what_is_not_there_is_denied(target: Descriptor, code: int) -> None:
    """Objects, classes and attributes that the meter has not."""
    answer = say(opened(dlms_meter()), GetRequest(target))
    assert isinstance(answer, GetResponse)
    assert answer.result == Denied(code)


def test_services_that_were_not_agreed_are_refused() -> None:
    """Lists, chosen rows and blocks are for those who agreed on them."""
    association = opened(dlms_meter(), InitiateRequest(Conformance.GET, 100))
    assert isinstance(say(association, GetListRequest(((SERIAL, None),))), ExceptionResponse)
    answer = say(association, GetRequest(LIST))
    assert isinstance(answer, GetResponse)
    assert answer.result == Denied(14)
    assert isinstance(say(association, Block(1, b"x", last=True)), ExceptionResponse)


def test_long_answers_come_in_blocks_no_longer_than_agreed() -> None:
    """Blocks follow one another, none longer than the client takes; a wrong number ends them."""
    association = opened(dlms_meter(), InitiateRequest(PROPOSAL.conformance, 100))
    (whole,) = opened(dlms_meter()).answer(bytes(GetRequest(LIST)))
    gathered, number = b"", 0
    message = bytes(GetRequest(LIST))
    while True:
        (said,) = association.answer(message)
        block = apdu.decode(said)
        number += 1
        assert isinstance(block, GetBlock)
        assert isinstance(block.piece, bytes)
        assert len(said) <= 100
        assert block.block == number
        gathered += block.piece
        if block.last:
            break
        message = bytes(GetNext(number))
    assert gathered == whole[4:]
    association.answer(bytes(GetRequest(LIST)))
    lost = say(association, GetNext(7))
    assert isinstance(lost, GetBlock)
    assert lost.piece == Denied(19)


@pytest.mark.parametrize("window", [1, 4])
def test_general_blocks_are_sent_again_when_they_get_lost(window: int) -> None:
    """A client acknowledges what it has; what it has not comes again."""
    association = opened(dlms_meter(), InitiateRequest(OFFERED, 100))
    waiting = deque(association.answer(bytes(GetRequest(LIST))))
    blocks, last, lose, message = Blocks(), 0, True, None
    while message is None:
        while waiting:
            block = apdu.decode(waiting.popleft())
            assert isinstance(block, Block)
            if block.number == 3 and lose:
                lose = False
                waiting.clear()
                break
            message, last = blocks.add(block), block.number
        if message is None:
            waiting.extend(association.answer(bytes(Block(1, b"", last=True, window=window, acknowledged=last))))
    (whole,) = opened(dlms_meter()).answer(bytes(GetRequest(LIST)))
    assert message == whole
    assert not lose


@given(st.lists(st.binary(max_size=80), max_size=5), st.integers(0, 255), st.integers(0, 200))
@settings(max_examples=100, deadline=None)
def test_no_bytes_bring_it_down(messages: list[bytes], byte: int, place: int) -> None:
    """Whatever comes, before and after the association is open, is answered or passed over."""
    meter = dlms_meter()
    for association in (Association(meter, 16), opened(meter)):
        for message in (*messages, bytes(GetRequest(LIST)), bytes(OpenRequest(bytes(PROPOSAL)))):
            association.answer(message)
            association.answer(message[:place] + bytes((byte,)) + message[place + 1 :])
