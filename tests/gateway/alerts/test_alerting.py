"""Alerting through the real journal: told once, whatever kills the process, and no meter blamed for our absence."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.alerts.alerting import Alerting
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent, parse
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.silence import Silence
from gateway.check import Limits
from gateway.journal import Journal
from gateway.message import decode_block
from tests.support import alert_child
from tests.support.alert_days import START

ROOT = Path(__file__).parents[3]


async def events_in(folder: Path) -> list[AlertEvent]:
    """Read every event of every block of a journal, in their order."""
    journal = await Journal.open(
        folder, gw="gw-1", mirror=None, wall=lambda: START, clock_state=lambda: "synced", boot="b"
    )
    blocks = [decode_block(payload) async for _, payload in journal.after(-1)]
    seqs = sorted(row.seq for block in blocks for row in block.readings)
    assert seqs == list(range(1, len(seqs) + 1))
    await journal.close()
    return [parse(event) for block in blocks for event in block.events]


def kill_until_done(folder: Path, dice: random.Random) -> int:
    """Run the day in processes that are killed after some milliseconds each; give how many were."""
    (folder / "run").mkdir()
    arguments = [sys.executable, "-m", "tests.support.alert_child", str(folder / "journal"), str(folder / "run")]
    killed = 0
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        while True:
            parent.stdin.write(b"\n")
            parent.stdin.flush()
            child = int(parent.stdout.readline())
            if killed < 12:
                time.sleep(dice.uniform(0.05, 0.25))  # anywhere in its work: that is the test
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            said = parent.stdout.readline()
            if said == b"done\n":
                break
            killed += 1
        parent.stdin.close()
    return killed


def test_kill_9_neither_repeats_nor_forgets_an_alert(tmp_path: Path) -> None:
    """A dozen kills at any moment give the events of the run that nobody killed, each once, in their order."""
    asyncio.run(alert_child.run(tmp_path / "whole", None, 60))
    whole = asyncio.run(events_in(tmp_path / "whole"))
    assert len(whole) > 60
    killed = kill_until_done(tmp_path, random.Random(4))
    assert killed >= 5
    assert [event.key for event in asyncio.run(events_in(tmp_path / "journal"))] == [event.key for event in whole]


class Bench:
    """One gateway's alerting on a real journal, with a clock by hand."""

    def __init__(self, folder: Path) -> None:
        """Keep everything below `folder`."""
        self.folder = folder
        self.now: int | None = START
        self.told: list[AlertEvent] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Alerting]:
        """Open journal and alerting, and close them in order."""
        journal = await Journal.open(
            self.folder, gw="gw-1", mirror=None, wall=lambda: self.now or 0, clock_state=lambda: "synced", boot="b"
        )
        engine = Engine({"m": [Silence(), Overload(63.0)]})
        alerting = await Alerting.open(engine, journal, lambda: self.now, {"m": Limits()})
        alerting.listeners.append(self.told.append)
        self.journal = journal
        yield alerting
        alerting.keep()
        await journal.close()

    def read(self, alerting: Alerting, amps: float, times: int = 1) -> None:
        """Read ten seconds later."""
        for _ in range(times):
            assert self.now is not None
            self.now += 10_000
            values = {"current_a": amps}
            q, intervals = alerting.checker.judge("m", self.now, values, (), Limits())
            self.journal.add("m", self.now, 0, q, values)
            alerting.hear("m", self.now, q, values, intervals)
            alerting.look()


async def test_an_event_is_in_a_block_of_its_reading_before_anybody_is_told(tmp_path: Path) -> None:
    """The window closes with the reading that raised it; its block holds both."""
    bench = Bench(tmp_path)
    async with bench.running() as alerting:
        first = bench.journal.next_block
        bench.read(alerting, 70, 7)
        (event,) = bench.told
        assert bench.journal.next_block == first + 2  # the first reading of the quarter, and the rest
        await bench.journal.flush()
        blocks = [decode_block(p) async for n, p in bench.journal.after(first - 1)]
        assert [row for block in blocks for row in block.events] == [orjson.loads(event.encode())]
        assert max(row.ts for block in blocks for row in block.readings) == event.raised


async def test_no_meter_is_blamed_for_the_gateway_s_night(tmp_path: Path) -> None:
    """Off for ten hours, on again: nothing is silent until its own limit has passed with us listening."""
    bench = Bench(tmp_path)
    async with bench.running() as alerting:
        bench.read(alerting, 5, 20)
    bench.now = START + 36_000_000
    async with bench.running() as alerting:
        assert bench.told == []
        for _ in range(89):
            bench.now += 10_000
            alerting.look()
        assert bench.told == []
        bench.now += 20_000
        alerting.look()
        assert [event.rule for event in bench.told] == ["meter_offline"]


async def test_no_meter_is_blamed_while_its_bus_is_lent(tmp_path: Path) -> None:
    """Half an hour with another program is no silence; after it, the meter's own limit begins."""
    bench = Bench(tmp_path)
    async with bench.running() as alerting:
        bench.read(alerting, 5, 20)
        assert bench.now is not None
        lent = ["m"]
        alerting.unheard = lambda: lent
        for meter, looks in (("m", 180), ("other", 88)):
            lent[:] = [meter]
            for _ in range(looks):
                bench.now += 10_000
                alerting.look()
        assert bench.told == []
        bench.now += 30_000
        alerting.look()
        assert [event.rule for event in bench.told] == ["meter_offline"]


@pytest.mark.parametrize("jump", [3_600_000, -3_600_000])
async def test_a_clock_that_is_set_makes_nobody_silent(tmp_path: Path, jump: int) -> None:
    """An hour on or back is no hour of silence."""
    bench = Bench(tmp_path)
    async with bench.running() as alerting:
        bench.read(alerting, 5, 20)
        assert bench.now is not None
        bench.now += jump
        alerting.look()
        bench.read(alerting, 5, 20)
        assert bench.told == []


async def test_without_the_time_nothing_is_judged_by_it(tmp_path: Path) -> None:
    """An unsynced clock pauses what depends on time, from the first start on."""
    bench = Bench(tmp_path)
    bench.now = None
    async with bench.running() as alerting:
        alerting.look()
        bench.now = START
        alerting.look()
        bench.read(alerting, 5, 20)
        bench.now = None
        alerting.look()
        assert bench.told == []


async def test_a_state_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    """Of another version, or nonsense: the meter begins anew, and the others go on."""
    bench = Bench(tmp_path)
    for wrong in (
        b"no",
        b"[]",
        b'{"v":9}',
        b'{"v":1,"at":0,"check":{},"alerts":{"last":0,"rules":{"overload":[[],[]]}}}',
    ):
        async with bench.running() as alerting:
            bench.read(alerting, 70, 2)
        journal = await Journal.open(
            tmp_path, gw="gw-1", mirror=None, wall=lambda: START, clock_state=lambda: "synced", boot="b"
        )
        journal.keep({"m": wrong})
        await journal.close()
    async with bench.running() as alerting:
        bench.read(alerting, 70, 7)
    assert [event.state for event in bench.told] == ["raised"]


async def test_a_reading_whose_time_was_repaired_is_not_judged_again(tmp_path: Path) -> None:
    """It was not judged when it came, so a start does not judge it either."""
    bench = Bench(tmp_path)
    async with bench.running():
        for n in range(10):
            bench.journal.add("m", START + n * 10_000, 0, 8, {"current_a": 70})
        await bench.journal.flush()
        bench.journal.keep = lambda *_, **__: None  # type: ignore[method-assign]
    bench.now = START + 100_000
    async with bench.running():
        assert bench.told == []


async def test_time_passes_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task looks at the time, and writes states down now and then."""
    bench = Bench(tmp_path)
    kept: list[Any] = []
    async with bench.running() as alerting:
        monkeypatch.setattr("gateway.alerts.alerting.TICK", 0.001)
        monkeypatch.setattr("gateway.alerts.alerting.KEEP_EVERY", 0.01)
        monkeypatch.setattr(bench.journal, "keep", lambda states, **_: kept.append(states))
        bench.read(alerting, 5, 20)
        task = asyncio.create_task(alerting.run())
        async with asyncio.timeout(10):
            while not bench.told or not kept:
                assert bench.now is not None
                bench.now += 30_000
                await asyncio.sleep(0.002)
        task.cancel()
    assert bench.told[0].rule == "meter_offline"


async def test_much_reading_keeps_states_sooner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start hears again what came after the states: where much is read that must not take minutes."""
    bench = Bench(tmp_path)
    kept: list[Any] = []
    async with bench.running() as alerting:
        monkeypatch.setattr("gateway.alerts.alerting.TICK", 0.001)
        monkeypatch.setattr("gateway.alerts.alerting.HEARD_AGAIN", 5)
        monkeypatch.setattr(bench.journal, "keep", lambda states, **_: kept.append(states))
        task = asyncio.create_task(alerting.run())
        for reading in range(1, 7):
            kept.clear()
            bench.read(alerting, 5)
            await asyncio.sleep(0.05)
            assert bool(kept) == (reading == 5), reading
        task.cancel()


async def test_both_halves_of_a_window_are_heard_in_their_order(tmp_path: Path) -> None:
    """A quarter of an hour begins within an overload: its first reading lies in the other block, before a low one."""
    bench = Bench(tmp_path)
    bench.now = START - START % 900_000 + 900_000 - 35_000
    begin = bench.now + 30_000
    async with bench.running() as alerting:
        bench.journal.keep = lambda *_, **__: bench.journal.shut()  # type: ignore[method-assign]
        for amps in (70, 20, 70, 70, 70):
            bench.read(alerting, amps)
    async with bench.running() as alerting:
        bench.read(alerting, 70, 5)
    (event,) = bench.told
    assert event.raised == begin + 60_000
    assert event.evidence["since_ms"] == begin


async def test_a_silence_told_before_a_crash_is_told_once(tmp_path: Path) -> None:
    """Its event stands in a block, no state knows it; the next start does, and tells when it is over."""
    bench = Bench(tmp_path)
    async with bench.running() as alerting:
        bench.journal.keep = lambda *_, **__: bench.journal.shut()  # type: ignore[method-assign]
        bench.read(alerting, 5, 20)
        for _ in range(100):
            assert bench.now is not None
            bench.now += 10_000
            alerting.look()
    assert [event.state for event in bench.told] == ["raised"]
    bench.now = START + 7_200_000
    async with bench.running() as alerting:
        for _ in range(100):
            bench.now += 10_000
            alerting.look()
        assert [event.state for event in bench.told] == ["raised"]
        bench.read(alerting, 5, 2)
    assert [(event.state, event.id) for event in bench.told[1:]] == [("cleared", bench.told[0].id)]
