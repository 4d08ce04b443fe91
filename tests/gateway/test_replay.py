"""The edge's answer to cmd/replay: stored blocks that are still kept go out again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from gateway.journal import Journal
from gateway.message import Topics, decode_block
from gateway.replay import replay
from gateway.transport import Endpoint
from gateway.uplink import Uplink
from tests.support.memory_transport import MemoryBroker

T0 = 1_795_219_200_000
TOPICS = Topics("t", "gw-1")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """Give a journal with thirty readings in blocks of ten, all stored, and ten more that are not."""
    opened = await Journal.open(
        tmp_path, gw="gw-1", mirror=None, wall=lambda: T0, clock_state=lambda: "synced", boot="boot-1"
    )
    for window in range(4):
        for number in range(10):
            opened.add("m", T0 + 10 * window + number, 0, 0, {"power_w": number})
        await opened.flush()
        if window < 3:
            for block in list(opened.pending()):
                opened.stored(block)
    await opened.flush()
    yield opened
    await opened.close()


@pytest.fixture
def broker() -> MemoryBroker:
    """Give a broker in memory."""
    return MemoryBroker()


@pytest.fixture
async def uplink(journal: Journal, broker: MemoryBroker) -> AsyncIterator[Uplink]:
    """Give a running uplink that has sent what was pending."""
    made = Uplink(journal, broker, Endpoint("mqtt://broker", "gw-1"), TOPICS, list)
    task = asyncio.create_task(made.run())
    async with asyncio.timeout(10):
        while len(seqs(broker)) < 10:
            await asyncio.sleep(0.01)
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def seqs(broker: MemoryBroker) -> list[int]:
    """Give the numbers of all readings that were published, in order."""
    data = [message.payload for message in broker.published if message.topic == TOPICS.of("data")]
    return [row.seq for payload in data for row in decode_block(payload).readings]


async def test_the_blocks_that_hold_them_are_sent_again(journal: Journal, uplink: Uplink, broker: MemoryBroker) -> None:
    """Asked for 15 to 22, the edge sends whole blocks: 11 to 30 at least, and the pending ones not twice."""
    answer = await replay(journal, uplink, orjson.dumps({"from": 15, "to": 22, "stream": journal.stream}))
    assert isinstance(answer["blocks"], int)
    assert answer["blocks"] >= 2
    async with asyncio.timeout(20):
        while not set(range(15, 23)) <= set(seqs(broker)):
            await asyncio.sleep(0.01)
    assert len(seqs(broker)) == len(set(seqs(broker)))
    assert set(seqs(broker)) <= set(range(11, 41))


async def test_what_is_pending_or_unknown_needs_no_replay(journal: Journal, uplink: Uplink) -> None:
    """Pending blocks come in any case; numbers nobody has are no error."""
    assert await replay(journal, uplink, b'{"from": 31, "to": 40}') == {"blocks": 0}
    assert await replay(journal, uplink, b'{"from": 1000, "to": 9999999999999999999999}') == {"blocks": 0}


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"[]", b'{"from": 1}', b'{"from": -1, "to": 3}', b'{"from": 1, "to": 2, "stream": "x"}']
)
async def test_a_question_nobody_understands_is_answered(journal: Journal, uplink: Uplink, payload: bytes) -> None:
    """The answer says what the payload should be."""
    assert "payload" in str((await replay(journal, uplink, payload))["error"])


async def test_another_stream_is_not_ours(journal: Journal, uplink: Uplink) -> None:
    """Numbers mean something only within their stream."""
    answer = await replay(journal, uplink, b'{"from": 1, "to": 9, "stream": "000000000000"}')
    assert journal.stream in str(answer["error"])
