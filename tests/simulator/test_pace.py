"""A line is as slow as its baud rate, in both directions, and never faster.

Bounds are tight below and generous above: a busy machine may be late, but a byte that comes early is a broken line.
"""

import asyncio
from typing import Any

import pytest

from simulator.pace import BURST_LIMIT, QUEUE_LIMIT, Pace, Paced

SLACK = 0.05


@pytest.mark.parametrize(
    ("baud", "framing", "bits"), [(9600, "8N1", 10), (9600, "8E1", 11), (2400, "7E1", 10), (300, "8N2", 11)]
)
def test_a_character_takes_its_bits(baud: int, framing: str, bits: int) -> None:
    """Start bit, data, parity and stop bits all take their time."""
    assert Pace(baud, framing).byte == pytest.approx(bits / baud)


def test_the_silence_of_rtu_is_fixed_on_fast_lines() -> None:
    """Three and a half characters up to 19200 baud, 1.75 ms above; none where no silence is asked for."""
    assert Pace(9600, gap=3.5).silence == pytest.approx(0.003646, abs=1e-6)
    assert Pace(115_200, gap=3.5).silence == 0.00175
    assert Pace(115_200).silence == 0.0


async def test_a_burst_of_100_bytes_takes_104_ms(spy: Any, heard: Any) -> None:
    """At 9600 8N1 the answer's last byte comes 104 ms after its first bit, in pieces on the way."""
    session = Paced(spy, Pace(9600)).open(heard)
    start = asyncio.get_running_loop().time()
    spy.sends[0](bytes(range(100)))
    end = await heard.until(100)
    assert 0.103 <= end - start <= 0.104 * 1.15 + SLACK
    assert heard.data == bytes(range(100))
    assert len(heard.pieces) > 10
    for when, sofar in zip((t for t, _ in heard.pieces), _running(heard.pieces), strict=True):
        assert when - start >= sofar * Pace(9600).byte - 1e-4
    session.close()


def _running(pieces: list[tuple[float, bytes]]) -> list[int]:
    return [sum(len(data) for _, data in pieces[: place + 1]) for place in range(len(pieces))]


async def test_a_request_travels_too(spy: Any, heard: Any) -> None:
    """The server hears eight bytes, whole, when they and the silence after them have passed; then comes the answer."""
    pace = Pace(9600, gap=3.5, turnaround=0.02)
    session = Paced(spy, pace).open(heard)
    start = asyncio.get_running_loop().time()
    session.feed(b"1234")
    session.feed(b"5678")
    end = await heard.until(8)
    assert spy.requests == [b"12345678"]
    assert spy.heard[0][0] - start >= 8 * pace.byte + pace.silence - 1e-4
    assert 8 * pace.byte + 0.02 + 8 * pace.byte - 1e-4 <= end - start <= 0.05 + SLACK
    session.close()


async def test_two_requests_are_parted_by_silence(spy: Any, heard: Any) -> None:
    """Requests with more than the gap between them reach the server apart."""
    session = Paced(spy, Pace(115_200, gap=3.5)).open(heard)
    session.feed(b"one")
    await heard.until(3)
    session.feed(b"two")
    await heard.until(6)
    assert spy.requests == [b"one", b"two"]
    session.close()


async def test_answers_wait_for_each_other(spy: Any, heard: Any) -> None:
    """Two answers share the wire: the second begins when the first is out."""
    session = Paced(spy, Pace(9600)).open(heard)
    start = asyncio.get_running_loop().time()
    spy.sends[0](b"a" * 24)
    spy.sends[0](b"b" * 24)
    end = await heard.until(48)
    assert end - start >= 48 * Pace(9600).byte - 1e-4
    assert heard.data == b"a" * 24 + b"b" * 24
    session.close()


async def test_a_babbling_client_is_cut(spy: Any, heard: Any) -> None:
    """However much a client writes without a pause, no more than one burst is kept."""
    session = Paced(spy, Pace(1_000_000)).open(heard)
    session.feed(b"x" * (BURST_LIMIT + 1))
    session.feed(b"x" * BURST_LIMIT)
    await heard.until(BURST_LIMIT)
    assert spy.requests == [b"x" * BURST_LIMIT]
    session.close()


async def test_a_babbling_server_overruns(spy: Any, heard: Any) -> None:
    """What does not fit the queue is lost, and the line goes on."""
    session = Paced(spy, Pace(1_000_000)).open(heard)
    spy.sends[0](b"x" * QUEUE_LIMIT)
    spy.sends[0](b"lost")
    await heard.until(1)
    await heard.until(QUEUE_LIMIT)
    assert heard.data == b"x" * QUEUE_LIMIT
    spy.sends[0](b"again")
    await heard.until(QUEUE_LIMIT + 5)
    session.close()


async def test_closing_forgets_what_is_on_the_way(spy: Any, heard: Any) -> None:
    """A client that is gone hears nothing more, and the server is told."""
    session = Paced(spy, Pace(115_200)).open(heard)
    spy.sends[0](b"never heard")
    session.close()
    await asyncio.sleep(0.01)
    assert heard.data == b""
    assert spy.closed == 1
