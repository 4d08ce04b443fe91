"""Each fault does what it says, when it says, and to whom."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from simulator.faults import KINDS, TCP_UNIT, Fault, Faults, Faulty, Kind
from simulator.serving import Session

REQUEST = bytes.fromhex("01 04 0000 0002 71CB")
ANSWER = bytes.fromhex("01 04 04 4366 3333 5AFA")


def crc(data: bytes) -> bytes:
    """Divide by the polynomial bit by bit: the test's own checksum of RTU."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            odd, value = value & 1, value >> 1
            value ^= 0xA001 * odd
    return value.to_bytes(2, "little")


@pytest.fixture
def line(spy: Any, heard: Any) -> Callable[..., Session]:
    """Open a conversation on a line with the given faults."""
    spy.answer = lambda _request: ANSWER

    def open_line(*faults: Fault, now: float = 100.0, unit_at: int | None = 0) -> Session:
        return Faulty(spy, Faults(faults, 1, lambda: now), unit_at).open(heard)

    return open_line


async def ask(session: Session, heard: Any, times: int = 1) -> list[bytes]:
    """Ask, and give what came back at once, request by request."""
    answers = []
    for _ in range(times):
        before = len(heard.data)
        session.feed(REQUEST)
        answers.append(heard.data[before:])
    return answers


async def test_no_fault_changes_nothing(line: Callable[..., Session], heard: Any) -> None:
    """Without faults, and with those that do not apply, the answer passes."""
    others = [Fault("silence", unit=2), Fault("silence", after=101), Fault("flip", until=100), Fault("flip", times=0)]
    assert await ask(line(), heard) == [ANSWER]
    assert await ask(line(*others), heard) == [ANSWER]
    assert await ask(line(Fault("silence", probability=0.0)), heard) == [ANSWER]


async def test_silence_is_a_dead_meter(line: Callable[..., Session], heard: Any, spy: Any) -> None:
    """The request is not even heard, and only as often as scripted."""
    assert await ask(line(Fault("silence", unit=1, times=2)), heard, 3) == [b"", b"", ANSWER]
    assert len(spy.requests) == 1


async def test_a_late_answer_comes_whole(line: Callable[..., Session], heard: Any) -> None:
    """Nothing comes at once; after its seconds the answer does."""
    start = asyncio.get_running_loop().time()
    assert await ask(line(Fault("late", seconds=0.05)), heard) == [b""]
    assert await heard.until(len(ANSWER)) - start >= 0.049
    assert heard.data == ANSWER


async def test_noise_comes_before_the_answer(line: Callable[..., Session], heard: Any) -> None:
    """Random bytes, then the answer unharmed."""
    (got,) = await ask(line(Fault("noise", size=5)), heard)
    assert len(got) == 5 + len(ANSWER)
    assert got.endswith(ANSWER)


async def test_one_bit_flips(line: Callable[..., Session], heard: Any) -> None:
    """The answer differs in exactly one bit, not always the same."""
    answers = await ask(line(Fault("flip")), heard, 20)
    for got in answers:
        assert len(got) == len(ANSWER)
        assert (int.from_bytes(got, "big") ^ int.from_bytes(ANSWER, "big")).bit_count() == 1
    assert len(set(answers)) > 5


async def test_an_echo_comes_first(line: Callable[..., Session], heard: Any) -> None:
    """The adapter hears itself."""
    assert await ask(line(Fault("echo")), heard) == [REQUEST + ANSWER]
    assert await ask(line(Fault("echo"), Fault("silence")), heard) == [REQUEST]


async def test_a_foreign_frame_is_valid_and_not_ours(line: Callable[..., Session], heard: Any) -> None:
    """Unit 2 says the same with a right checksum before unit 1 does."""
    (got,) = await ask(line(Fault("foreign")), heard)
    foreign, ours = got[: len(ANSWER)], got[len(ANSWER) :]
    assert ours == ANSWER
    assert foreign[0] == 2
    assert foreign[-2:] == crc(foreign[:-2])
    assert foreign[1:-2] == ANSWER[1:-2]


async def test_babble_is_no_answer(line: Callable[..., Session], heard: Any) -> None:
    """As many random bytes as said, instead of the answer."""
    (got,) = await ask(line(Fault("babble", size=1_000)), heard)
    assert len(got) == 1_000
    assert len(set(got)) > 100


async def test_dice_are_seeded_and_fair(line: Callable[..., Session], heard: Any) -> None:
    """A third of the answers is lost, and the same ones each time."""
    answers = await ask(line(Fault("silence", probability=1 / 3)), heard, 600)
    assert 150 < answers.count(b"") < 250
    assert await ask(line(Fault("silence", probability=1 / 3)), heard, 600) == answers


async def test_a_tcp_frame_names_its_unit_elsewhere(line: Callable[..., Session], heard: Any) -> None:
    """On TCP the unit stands behind the length; a request too short to have one is nobody's."""
    session = line(Fault("silence", unit=5), unit_at=TCP_UNIT)
    session.feed(bytes.fromhex("0001 0000 0006 05 03 0000 0001"))
    assert heard.data == b""
    session.feed(b"\x05")
    assert heard.data == ANSWER


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("echo", "late", "foreign")])
async def test_meters_that_talk_suffer_too(kind: Kind, spy: Any, heard: Any) -> None:
    """A fault without a request looks at each telegram."""
    Faulty(spy, Faults([Fault(kind, times=1)], 1, lambda: 0.0), None).open(heard)
    spy.sends[0](b"/one!")
    spoiled = heard.data
    spy.sends[0](b"/two!")
    assert spoiled != b"/one!"
    assert heard.data == spoiled + b"/two!"


async def test_closing_forgets_late_answers(line: Callable[..., Session], heard: Any, spy: Any) -> None:
    """Nobody is there to hear them."""
    session = line(Fault("late", seconds=0.01))
    session.feed(REQUEST)
    session.close()
    await asyncio.sleep(0.03)
    assert heard.data == b""
    assert spy.closed == 1


async def test_what_fired_is_counted(spy: Any, heard: Any) -> None:
    """A demo can show how often each fault of the list happened."""
    faults = Faults([Fault("noise"), Fault("flip", times=1)], 1, lambda: 0.0)
    session = Faulty(spy, faults).open(heard)
    for _ in range(3):
        session.feed(REQUEST)
    assert faults.fired == [3, 1]
