"""The collector on a broker in memory: what it takes, what it promises, and when."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.message import Loss, Topics, decode_ack, encode_reading
from gateway.progress import Progress
from gateway.store.contract import TryAgain
from gateway.transport import Lost, Message, NotTaken
from tests.support.collecting import GW, STREAM, T0, Hub, block, info


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """Give a running, connected hub."""
    async with Hub(tmp_path) as running:
        await running.connected()
        yield running


async def test_subscribes_in_a_clean_session_to_its_share_and_to_births(hub: Hub) -> None:
    """Collectors share the data, each hears every birth, and none leaves a session behind."""
    assert hub.broker.connections[0].filters == ["nabd/v1/+/+/info", "$share/store/nabd/v1/+/+/data"]
    assert hub.broker.endpoints[0].session_expiry == 0


async def test_block_is_stored_recorded_and_acknowledged(hub: Hub) -> None:
    """A block's readings, losses, events and untimed rows are kept, then its ack names it."""
    untimed = encode_reading(4, {"boot": "b", "mono": 5}, "m-1", 0, {"power_w": 2})
    loss = Loss.model_validate({"reason": "evicted", "first": 1, "last": 1, "count": 1})
    hub.broker.deliver(block(7, [2, 3], events=[b'{"rule":"E13"}'], losses=[loss], untimed=[untimed]))
    (ack,) = await hub.stored(1)
    assert (ack.topic, ack.qos, ack.correlation) == ("nabd/v1/t/gw-1/ack", 1, b"9f2c3a41b07d:7")
    assert decode_ack(ack.payload).rejected == []
    rows = await hub.store.query("t", "m-1", 0, T0 * 2)
    assert [(r.gw, r.seq, r.stream, r.v, r.commodity) for r in rows] == [
        ("gw-1", seq, int(STREAM, 16), {"energy_import_wh": 1.5}, "electricity") for seq in (2, 3)
    ]
    assert [event.body for event in await hub.database.events()] == [{"rule": "E13"}]
    assert [row.seq for row in await hub.database.untimed("t", int(STREAM, 16))] == [4]
    assert await hub.database.missing("t", int(STREAM, 16)) == []
    assert hub.broker.pubacks == 1
    assert (hub.collector.counters.blocks, hub.collector.counters.readings) == (1, 3)


async def test_block_sent_again_gives_one_row_and_a_second_ack(hub: Hub) -> None:
    """When the ack was lost the edge sends again: nothing doubles, and it hears again."""
    hub.broker.deliver(block(7, [1, 2], events=[b"{}"]))
    await hub.stored(1)
    hub.broker.deliver(block(7, [1, 2], events=[b"{}"]), block(7, [1, 2], events=[b"{}"]))
    assert len(await hub.stored(3)) == 3
    assert await hub.store.count() == 2
    assert len(await hub.database.events()) == 1
    assert hub.collector.counters.duplicates == 4


POISON: dict[str, dict[str, Any]] = {
    "undecodable": {"payload": b'{"v":1'},
    "foreign_gateway": {"gw": "gw-2"},
    "bad_correlation": {"correlation": b"9f2c3a41b07d:8"},
    "foreign_response_topic": {"response_topic": "nabd/v1/t/gw-2/ack"},
    "bad_number": {"losses": [Loss.model_validate({"reason": "evicted", "first": 1, "last": 1 << 70})]},
    "bad_event": {"events": [b'{"n":123456789012345678901234567890}']},
}


@pytest.mark.parametrize("reason", POISON)
async def test_poison_is_buried_and_never_acknowledged_as_stored(hub: Hub, reason: str) -> None:
    """A message nobody can use leaves the broker, is kept for people, and the next block passes."""
    poison = block(7, [1], **POISON[reason])
    hub.broker.deliver(poison, block(8, [2]))
    (ack,) = await hub.stored(1)
    assert ack.correlation == b"9f2c3a41b07d:8"
    (letter,) = await hub.database.dead_letters()
    assert (letter.reason, letter.topic, letter.payload) == (reason, poison.topic, poison.payload)
    assert hub.broker.pubacks == 2
    assert hub.collector.counters.dead_letters == {reason: 1}
    assert [row.seq for row in await hub.store.query("t", "m-1", 0, T0 * 2)] == [2]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ts": -T0}, "bad_time"),
        ({"ts": 1 << 60}, "bad_time"),
        ({"v": {"power_w": 1 << 70}}, "bad_value"),
        ({"v": {"power_w": "a lot"}}, "bad_value"),
    ],
)
async def test_impossible_readings_are_rejected_alone(hub: Hub, changes: dict[str, Any], reason: str) -> None:
    """A reading no store can keep is named in the ack; its block is done with."""
    if changes.get("v") == {"power_w": 1 << 70}:
        payload = block(7, [1]).payload.replace(b"1.5", str(1 << 70).encode())
        hub.broker.deliver(block(7, [1], payload=payload))
    else:
        hub.broker.deliver(block(7, [1], **changes))
    (ack,) = await hub.stored(1)
    assert [(r.seq, r.reason) for r in decode_ack(ack.payload).rejected] == [(1, reason)]
    assert await hub.store.count() == 0


@pytest.mark.parametrize("literal", [b"NaN", b"1e999", b"-Infinity"])
async def test_a_number_that_is_none_never_reaches_the_store(hub: Hub, literal: bytes) -> None:
    """Not-a-number and infinity are refused before they could become null in a store."""
    hub.broker.deliver(block(7, [1], payload=block(7, [1]).payload.replace(b"1.5", literal)), block(8, [2]))
    await hub.until(lambda: hub.collector.counters.blocks + sum(hub.collector.counters.dead_letters.values()) == 2)
    assert [row.seq for row in await hub.store.query("t", "m-1", 0, T0 * 2)] == [2]


async def test_decimal_strings_pass_as_they_came(hub: Hub) -> None:
    """A value beyond what a float holds keeps all its digits."""
    hub.broker.deliver(block(7, [1], v={"energy_import_wh": "90071992547409931.5", "power_w": 3}))
    await hub.stored(1)
    assert (await hub.store.latest("t"))[0].v == {"energy_import_wh": "90071992547409931.5", "power_w": 3}


async def test_a_meter_of_another_gateway_is_a_conflict(hub: Hub) -> None:
    """A meter belongs to the gateway that announced it first; other gateways' readings of it are rejected."""
    hub.broker.deliver(info(GW, "m-1"))
    await hub.until(lambda: hub.collector.counters.enrolled == 1)
    other = Topics("t", "gw-2")
    message = block(9, [1, 2], other, meter="m-1")
    hub.broker.deliver(info(other, "m-1", "m-2"), message, block(10, [3], other, meter="m-2"))
    conflict, fine = await hub.stored(2)
    assert [(r.seq, r.reason) for r in decode_ack(conflict.payload).rejected] == [
        (1, "meter_conflict"), (2, "meter_conflict"),
    ]  # fmt: skip
    assert decode_ack(fine.payload).rejected == []
    assert [letter.reason for letter in await hub.database.dead_letters()] == ["meter_conflict"]
    assert await hub.database.missing("t", int(STREAM, 16)) == [(1, 2)]
    assert hub.collector.counters.rejected == {"meter_conflict": 2}


@pytest.mark.parametrize(
    "payload", [b"{", b'{"meters":[{"id":"a","name":"","commodity":"","model":"","every":1e999,"quantities":{}}]}']
)
async def test_a_birth_nobody_can_use_is_buried(hub: Hub, payload: bytes) -> None:
    """A broken birth document leaves the broker and changes no enrolment."""
    hub.broker.deliver(Message(GW.of("info"), payload, qos=1, retain=True))
    await hub.until(lambda: hub.broker.pubacks == 1)
    assert len(await hub.database.dead_letters()) == 1
    assert await hub.database.meters("t") == []


async def test_untimed_readings_are_judged_too(hub: Hub) -> None:
    """An untimed reading with an impossible value, or of another gateway's meter, is rejected by its seq."""
    hub.broker.deliver(info(Topics("t", "gw-2"), "m-2"))
    await hub.until(lambda: hub.collector.counters.enrolled == 1)
    when: dict[str, int | str] = {"boot": "b", "mono": 5}
    rows = [(1, "m-1", 2), (2, "m-1", "much"), (3, "m-2", 2)]
    hub.broker.deliver(
        block(1, [], untimed=[encode_reading(n, when, meter, 0, {"power_w": v}) for n, meter, v in rows])
    )
    (ack,) = await hub.stored(1)
    assert [(r.seq, r.reason) for r in decode_ack(ack.payload).rejected] == [(2, "bad_value"), (3, "meter_conflict")]
    assert [row.seq for row in await hub.database.untimed("t", int(STREAM, 16))] == [1]


async def test_an_emptied_birth_frees_the_meters(hub: Hub) -> None:
    """Deleting a gateway's retained birth document hands its meters on."""
    hub.broker.deliver(info(GW, "m-1"), Message(GW.of("info"), b"", qos=1, retain=True))
    await hub.until(lambda: hub.collector.counters.enrolled == 2)
    hub.broker.deliver(block(1, [1], Topics("t", "gw-2"), meter="m-1"))
    (ack,) = await hub.stored(1)
    assert decode_ack(ack.payload).rejected == []


async def test_rows_the_store_refuses_go_back_to_their_blocks(hub: Hub) -> None:
    """A refusal by the store names the right reading of the right block."""
    hub.store.rejects = {2: "type_conflict", 5: "beyond_retention"}
    hub.store.hold.clear()
    hub.broker.deliver(block(1, [1, 2, 3]), block(2, [4]), block(3, [5, 6]))
    hub.store.hold.set()
    acks = await hub.stored(3)
    assert [[(r.seq, r.reason) for r in decode_ack(ack.payload).rejected] for ack in acks] == [
        [(2, "type_conflict")], [], [(5, "beyond_retention")],
    ]  # fmt: skip
    assert await hub.database.missing("t", int(STREAM, 16)) == [(2, 2), (5, 5)]


async def test_a_store_that_is_away_loses_and_doubles_nothing(hub: Hub) -> None:
    """While the store is down nothing is acknowledged and the broker is held back; then everything is there once."""
    hub.broker.window = 5
    hub.store.answers = [TryAgain("down", after=9.0)] * 4
    hub.tick.clear()
    hub.broker.deliver(*(block(n, [n]) for n in range(1, 31)))
    await hub.until(lambda: hub.waits)
    await asyncio.sleep(0.02)
    assert (hub.broker.published, hub.broker.pubacks, hub.broker.unacked) == ([], 0, 5)
    assert hub.collector.troubles == {"store": "down"}
    assert hub.waits[0] >= 9.0
    hub.tick.set()
    await hub.stored(30)
    assert await hub.store.count() == 30
    assert hub.broker.most_unacked == 5
    assert hub.collector.counters.store_waits == 4
    assert hub.collector.troubles == {}


async def test_no_ack_before_the_store_is_durable(hub: Hub) -> None:
    """The broker is freed at once, the gateway only when a crash of the store could not lose the block any more."""
    hub.store.durable_after = 30.0
    hub.tick.clear()
    hub.broker.deliver(block(1, [1]))
    await hub.until(lambda: hub.waits)
    assert hub.waits[0] == pytest.approx(30.0, abs=1.0)
    assert (hub.broker.pubacks, hub.broker.published) == (1, [])
    assert hub.collector.counters.blocks == 0
    hub.tick.set()
    await hub.stored(1)


async def test_no_ack_before_the_hub_database_has_it(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses and events are part of the promise too."""
    write, answers = hub.database.write, [TryAgain("locked")] * 3

    async def busy(*args: Any) -> Any:
        return answers.pop() if answers else await write(*args)

    monkeypatch.setattr(hub.database, "write", busy)
    hub.tick.clear()
    hub.broker.deliver(block(1, [1], events=[b"{}"]))
    await hub.until(lambda: hub.waits)
    assert hub.broker.published == []
    assert hub.collector.troubles == {"hub database": "locked"}
    hub.tick.set()
    await hub.stored(1)
    assert len(await hub.database.events()) == 1


async def test_a_lost_connection_forgets_what_was_due(hub: Hub) -> None:
    """Acks due on a dead connection are never sent on the next one; the edge sends again and hears then."""
    hub.store.durable_after = 30.0
    hub.tick.clear()
    hub.broker.deliver(block(1, [1]))
    await hub.until(lambda: hub.waits)
    hub.broker.lose()
    await hub.until(lambda: len(hub.waits) == 2)
    assert hub.collector.error
    hub.store.durable_after = 0.0
    hub.tick.set()
    await hub.until(lambda: len(hub.broker.connections) == 2)
    await hub.connected()
    assert hub.broker.published == []
    hub.broker.deliver(block(1, [1]))
    await hub.stored(1)
    assert await hub.store.count() == 1
    assert hub.collector.error == ""


async def test_refused_acks_are_counted_and_said(hub: Hub) -> None:
    """A hub whose broker forbids the ack topic says so instead of stalling."""
    hub.broker.refuse_with = 0x87
    hub.broker.deliver(block(1, [1]), block(2, [2]))
    await hub.until(lambda: hub.collector.counters.acks_refused == 2)
    assert "acks" in hub.collector.troubles


async def test_acks_keep_to_the_window(hub: Hub) -> None:
    """Never more than twenty stored acks are on their way at once."""
    hub.broker.swallow_acks = True
    hub.broker.deliver(*(block(n, [n]) for n in range(1, 91)))
    await hub.until(lambda: hub.broker.pubacks == 90 and hub.broker.swallowed >= 20)
    await asyncio.sleep(0.02)
    assert hub.broker.swallowed == 20


class Watch:
    """The watchdog's look at a hub's collector, by a clock of its own."""

    def __init__(self, hub: Hub) -> None:
        self.now = 0.0
        self.progress = Progress(lambda: self.now)
        hub.collector.watch(self.progress)

    def later(self) -> list[str]:
        """Give the steps that stand still when far more time has passed than any may take."""
        self.progress.look()
        self.now += 1000
        return [said.partition(" ")[0] for said in self.progress.look()]


@pytest.mark.parametrize("step", ["intake", "settle", "ack-0"])
async def test_a_step_that_hangs_is_seen_though_all_is_connected(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A store, a hub database, a broker that take what they are given and never answer: the step is named."""
    watch = Watch(hub)
    hub.broker.deliver(block(1, [1]))
    await hub.stored(1)
    assert watch.later() == [], "having nothing to do is no standstill"
    hung = asyncio.Event()

    async def never(*_: Any) -> Any:
        hung.set()
        await asyncio.Event().wait()

    if step == "ack-0":
        hub.broker.swallow_acks = True
    else:
        monkeypatch.setattr(hub.store if step == "intake" else hub.database, "write", never)
    hub.broker.deliver(block(2, [2]))
    await hub.until(lambda: hung.is_set() or hub.broker.swallowed)
    seen = watch.later()
    assert len(seen) == 1
    assert seen[0].startswith(f"collector[{step.rstrip('0')}")
    hub.broker.lose()
    await hub.until(lambda: len(hub.broker.connections) == 2)
    assert watch.later() == [], "a new connection begins anew"


async def test_a_store_that_is_away_is_no_standstill(hub: Hub) -> None:
    """It is the world's trouble, and a new start would not mend it."""
    watch = Watch(hub)
    hub.store.answers = [TryAgain("away", after=600.0)]
    hub.tick.clear()
    hub.broker.deliver(block(1, [1]))
    await hub.until(lambda: hub.waits)
    assert watch.later() == []
    hub.tick.set()
    await hub.stored(1)


@pytest.mark.parametrize(("error", "wait"), [(Lost("no route"), None), (NotTaken("bad password", code=0x86), 60.0)])
async def test_waits_between_connections(tmp_path: Path, error: Exception, wait: float | None) -> None:
    """Back-off is drawn under a doubling cap; a refusal waits the longest."""
    hub = Hub(tmp_path)
    hub.broker.down = error
    async with hub:
        await hub.until(lambda: len(hub.waits) >= 20)
        assert str(error) in hub.collector.error
    assert all(w == wait for w in hub.waits) if wait else max(hub.waits[:2]) <= 2 < max(hub.waits) <= 60


async def test_two_collectors_at_once(tmp_path: Path) -> None:
    """Two collectors on the same files, both given everything, store each reading once and each acknowledge it."""
    async with Hub(tmp_path) as one, Hub(tmp_path) as two:
        for hub in (one, two):
            await hub.connected()
            hub.broker.deliver(*(block(n, range(n * 10 + 1, n * 10 + 11)) for n in range(50)))
        await one.stored(50)
        await two.stored(50)
        assert await one.store.count() == 500
        assert await two.database.missing("t", int(STREAM, 16)) == []
        assert one.collector.counters.duplicates + two.collector.counters.duplicates == 500


async def test_status_is_plain(hub: Hub) -> None:
    """The status page gets numbers, words, and nothing that JSON does not know."""
    assert json.loads(json.dumps(hub.collector.status()))["connects"] == 1
