"""The uplink on a broker in memory and on virtual time: freed by the stored ack alone, sent again, never lost."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.backoff import Backoff
from gateway.message import Topics, correlation, encode_ack
from gateway.transport import Endpoint, Lost, Message, NotTaken
from gateway.uplink import AckMode, Uplink
from tests.support.memory_transport import MemoryBroker
from tests.support.virtual_time import run_virtually

STREAM = "0123456789ab"
TOPICS = Topics("t", "gw")


@dataclass
class FakeJournal:
    """Blocks in a list."""

    stream: str = STREAM
    blocks: list[int] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)
    unreadable: set[int] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def commit(self, *blocks: int) -> None:
        """Add committed blocks."""
        self.blocks.extend(blocks)
        self.changed.set()

    def pending(self) -> list[int]:
        """What is not stored."""
        return self.blocks

    async def load(self, block: int) -> bytes | None:
        """Give a block's bytes."""
        await asyncio.sleep(0)
        return None if block in self.unreadable else b"block %d" % block

    async def wait(self) -> None:
        """Wait for a commit."""
        await self.changed.wait()
        self.changed.clear()

    def stored(self, block: int, rejected: Iterable[tuple[int, str]] = ()) -> bool:
        """Free a block."""
        if block not in self.blocks:
            return False
        self.blocks.remove(block)
        self.freed.append(block)
        self.rejected += rejected
        return True


@dataclass
class Scene:
    """One uplink, its journal and its broker."""

    journal: FakeJournal
    broker: MemoryBroker
    uplink: Uplink

    def data(self) -> list[int]:
        """Numbers of the blocks that reached the broker, in order."""
        return [int(message.payload.split()[1]) for message in self.broker.published if message.topic.endswith("/data")]

    def ack(self, block: int, stream: str = STREAM, rejected: Iterable[tuple[int, str]] = ()) -> None:
        """Answer as a collector does."""
        self.broker.deliver(Message(TOPICS.of("ack"), encode_ack(rejected), 1, correlation=correlation(stream, block)))


def play(
    story: Callable[[Scene], Awaitable[None]], *, blocks: Iterable[int] = (), ack_mode: AckMode = "stored"
) -> Scene:
    """Run an uplink on virtual time while the story lasts."""

    async def run() -> Scene:
        journal, broker = FakeJournal(blocks=list(blocks)), MemoryBroker()
        birth = Message(TOPICS.of("status"), b"online", qos=1, retain=True)
        uplink = Uplink(
            journal, broker, Endpoint("mqtt://broker", "gw"), TOPICS, lambda: [birth],
            ack_mode=ack_mode, ack_timeout=75, backoff=Backoff(1, 4),
        )  # fmt: skip
        scene = Scene(journal, broker, uplink)
        task = asyncio.create_task(uplink.run())
        await asyncio.sleep(5)
        await story(scene)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return scene

    return run_virtually(run())


def test_a_block_is_freed_by_its_stored_ack_alone() -> None:
    """A PUBACK frees nothing; the stored ack does, and its rejections reach the ledger."""

    async def story(scene: Scene) -> None:
        assert scene.data() == [1, 2]
        assert scene.journal.freed == []
        scene.ack(2, rejected=[(7, "type_conflict")])
        await asyncio.sleep(1)

    scene = play(story, blocks=[1, 2])
    assert scene.journal.freed == [2]
    assert scene.journal.rejected == [(7, "type_conflict")]


def test_birth_comes_before_data() -> None:
    """Status and birth document are the first a new connection says, to a subscribed gateway."""

    async def story(scene: Scene) -> None:
        assert scene.broker.published[0].payload == b"online"
        assert TOPICS.of("ack") in scene.broker.connections[0].filters

    play(story, blocks=[1])


def test_puback_mode_frees_on_puback() -> None:
    """For back ends that cannot answer, the broker's word is enough."""

    async def story(_: Scene) -> None:
        await asyncio.sleep(1)

    assert play(story, blocks=[1, 2], ack_mode="puback").journal.freed == [1, 2]


def test_silence_sends_again() -> None:
    """Without a stored ack a block goes out again after ack_timeout, and then less often."""

    async def story(_: Scene) -> None:
        await asyncio.sleep(75 + 150 + 300 + 20)

    scene = play(story, blocks=[1])
    assert scene.data() == [1, 1, 1, 1]
    assert scene.uplink.lanes.missing_acks == 3


def test_acks_of_others_are_counted_and_ignored() -> None:
    """A foreign stream, an unknown block, a payload that is no ack: nothing is freed."""

    async def story(scene: Scene) -> None:
        scene.ack(1, stream="ffffffffffff")
        scene.ack(99)
        scene.broker.deliver(Message(TOPICS.of("ack"), b"}", 1, correlation=correlation(STREAM, 1)))
        scene.broker.deliver(Message(TOPICS.of("ack"), encode_ack(), 1, correlation=b"nonsense"))
        await asyncio.sleep(1)

    scene = play(story, blocks=[1])
    assert scene.journal.freed == []
    assert scene.uplink.counters.unknown_acks == 2
    assert scene.uplink.counters.bad_acks == 2


def test_a_lost_connection_is_opened_again_and_goes_on() -> None:
    """What had no PUBACK goes out on the next connection; what was stored does not."""

    async def story(scene: Scene) -> None:
        scene.ack(1)
        await asyncio.sleep(1)
        scene.broker.swallow_acks = True
        scene.journal.commit(3)
        await asyncio.sleep(1)
        scene.broker.swallow_acks = False
        scene.broker.lose()
        await asyncio.sleep(10)

    scene = play(story, blocks=[1, 2])
    assert scene.data() == [1, 2, 3]
    assert scene.uplink.counters.connects == 2


def test_the_window_bounds_what_waits_for_its_puback() -> None:
    """A broker that does not acknowledge gets twenty blocks and no more."""

    async def story(scene: Scene) -> None:
        scene.broker.swallow_acks = True
        scene.journal.commit(*range(100))
        await asyncio.sleep(10)
        assert scene.broker.swallowed == 20

    play(story)


def test_a_refused_block_stays_and_is_tried_later() -> None:
    """A reason code of 0x80 or more loses nothing; quota exceeded slows the backlog down."""

    async def story(scene: Scene) -> None:
        scene.broker.refuse_with = 0x97
        before = scene.uplink.lanes.backlog_rate
        scene.journal.commit(1)
        await asyncio.sleep(1)
        assert scene.uplink.counters.refused == 1
        assert scene.uplink.lanes.backlog_rate < before
        scene.broker.refuse_with = 0
        await asyncio.sleep(80)
        assert scene.data() == [1]

    play(story)


def test_a_block_that_is_gone_is_not_sent() -> None:
    """One that was evicted or damaged between choosing and loading is left out."""

    async def story(scene: Scene) -> None:
        scene.journal.unreadable.add(5)
        scene.journal.commit(5, 6)
        await asyncio.sleep(0)
        scene.journal.blocks.remove(5)
        await asyncio.sleep(1000)
        assert set(scene.data()) == {6}

    play(story)


def test_a_block_the_disk_does_not_give_now_is_sent_when_it_does() -> None:
    """The connection holds; the block is asked of the journal again, and the others do not wait."""

    async def story(scene: Scene) -> None:
        scene.journal.unreadable.add(5)
        scene.journal.commit(5, 6)
        await asyncio.sleep(1)
        assert scene.data() == [6]
        scene.journal.unreadable.clear()
        await asyncio.sleep(5)
        assert scene.data() == [6, 5]
        assert scene.uplink.counters.connects == 1

    play(story)


def test_a_broker_that_only_hangs_up_is_asked_more_and_more_seldom() -> None:
    """A connection that carries nothing before it ends does not begin the back-off anew."""

    async def story(scene: Scene) -> None:
        for _ in range(600):
            scene.broker.lose()
            await asyncio.sleep(0.1)
        assert scene.uplink.counters.connects < 60

    play(story)


@pytest.mark.parametrize("error", [Lost("no route"), NotTaken("bad user name or password", code=0x86)])
def test_a_broker_that_is_not_there_is_tried_for_ever(error: Exception) -> None:
    """The reason is kept for people, and the first success goes on as if nothing had been."""

    async def run() -> None:
        journal, broker = FakeJournal(blocks=[1]), MemoryBroker(down=error)
        uplink = Uplink(
            journal, broker, Endpoint("mqtt://broker", "gw"), TOPICS, list, ack_timeout=75, backoff=Backoff(1, 4)
        )
        task = asyncio.create_task(uplink.run())
        await asyncio.sleep(60)
        assert str(error) in uplink.error
        assert 10 <= len(broker.endpoints) <= 60 or isinstance(error, NotTaken)
        broker.down = None
        await asyncio.sleep(60)
        assert [message for message in broker.published if message.topic.endswith("/data")]
        task.cancel()

    run_virtually(run())


def test_goodbye_is_said_on_an_open_connection() -> None:
    """A clean stop publishes the farewell and closes."""

    async def story(scene: Scene) -> None:
        await scene.uplink.stop(Message(TOPICS.of("status"), b"offline", qos=1, retain=True))
        assert scene.broker.published[-1].payload == b"offline"

    play(story)


def test_commands_go_to_their_handler_and_its_answer_to_the_broker() -> None:
    """Also a retained one, which its handler refuses and counts."""
    asked: list[tuple[str, bool]] = []

    async def handle(kind: str, message: Message) -> Message | None:
        asked.append((kind, message.retain))
        return Message(TOPICS.of("reply"), message.payload, qos=1)

    async def run() -> None:
        journal, broker = FakeJournal(), MemoryBroker()
        uplink = Uplink(journal, broker, Endpoint("mqtt://broker", "gw"), TOPICS, list, handle=handle)
        task = asyncio.create_task(uplink.run())
        await asyncio.sleep(1)
        broker.deliver(Message(TOPICS.of("cmd", "ping"), b"1", 1))
        broker.deliver(Message(TOPICS.of("cmd", "ping"), b"2", 1, retain=True))
        await asyncio.sleep(1)
        assert asked == [("cmd/ping", False), ("cmd/ping", True)]
        assert [message.payload for message in broker.published] == [b"1", b"2"]
        task.cancel()

    run_virtually(run())


def test_a_replayed_block_is_sent_and_its_ack_is_expected() -> None:
    """The journal calls it stored already; the answer is neither unknown nor counted as newly stored."""

    async def story(scene: Scene) -> None:
        assert scene.uplink.replay([7, 8]) == 2
        await asyncio.sleep(5)
        scene.ack(7)
        scene.ack(8)
        await asyncio.sleep(1)
        scene.ack(8)
        await asyncio.sleep(200)

    scene = play(story)
    assert scene.data() == [7, 8]
    counters = scene.uplink.counters
    assert (counters.replayed, counters.stored, counters.unknown_acks) == (2, 0, 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["ack", "again", "beyond", "foreign", "torn"]), st.integers(1, 12)), max_size=40)
)
def test_whatever_acks_come_only_stored_blocks_are_freed(acks: list[tuple[str, int]]) -> None:
    """D8: acks lost, repeated, out of order, beyond what there is, or of another stream free nothing they should not.

    What was never acknowledged goes out again.
    """

    async def story(scene: Scene) -> None:
        for kind, block in acks:
            if kind in {"ack", "again"}:
                scene.ack(block)
            elif kind == "beyond":
                scene.ack(block + 1000)
            elif kind == "foreign":
                scene.ack(block, stream="ffffffffffff")
            else:
                scene.broker.deliver(Message(TOPICS.of("ack"), b'{"sta', 1, correlation=correlation(STREAM, block)))
            await asyncio.sleep(1)
        await asyncio.sleep(200)

    scene = play(story, blocks=range(1, 13))
    stored = {block for kind, block in acks if kind in {"ack", "again"}}
    assert set(scene.journal.freed) == stored
    assert len(scene.journal.freed) == len(stored)
    left = set(range(1, 13)) - stored
    assert set(scene.journal.blocks) == left
    assert all(scene.data().count(block) >= 2 for block in left)
