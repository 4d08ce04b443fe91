"""A thousand kills of our reader, at any moment: no invocation counter of ours is used twice (S14)."""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from drivers.contract import DriverError
from drivers.dlms.sealed import Sealed
from drivers.dlms.security import check_answer, unseal
from simulator.dlms.wrapper_server import WrapperServer
from simulator.wire import tcp_line
from tests.support.dlms_meters import dlms_meter
from tests.support.dlms_readers import driver_for, meter_behind

KILLS = 1000
LONGEST_LIFE = 0.12
"""Seconds until a kill: a reading takes about half of it, its counter's file a tenth."""


def forked(work: Callable[[], Coroutine[None, None, None]]) -> int:
    """Run a coroutine function in a child of its own, which ends with it."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(work())
        finally:
            os._exit(0)
    return child


async def served(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be the meter until asked to end, and then tell every counter that a client used, right or wrong."""
    seen: Counter[str] = Counter()

    def saw_message(sealed: Sealed, *rest: object, **named: object) -> object:
        seen[f"{rest[2]!r} {sealed.counter}"] += 1
        return unseal(sealed, *rest, **named)  # type: ignore[arg-type]

    def saw_answer(answer: bytes, challenge: bytes, title: bytes, *rest: object) -> None:
        seen[f"{title!r} {int.from_bytes(answer[1:5], 'big')}"] += 1
        check_answer(answer, challenge, title, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("simulator.dlms.association.unseal", saw_message)
    monkeypatch.setattr("simulator.dlms.association.check_answer", saw_answer)
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    async with tcp_line(WrapperServer(dlms_meter()), "127.0.0.1") as port:
        (folder / "port.new").write_text(str(port))
        (folder / "port.new").rename(folder / "port")
        await done.wait()
    (folder / "seen").write_text(json.dumps(seen))


async def read_for_ever(port: int, state: Path) -> None:
    """Be the gateway."""
    meter = meter_behind("gmac", hdlc=False)
    async with driver_for(port, state) as driver:
        while True:
            try:
                await driver.read(meter)
            except DriverError as error:
                (state.parent / "error").write_text(str(error))


@pytest.mark.slow
def test_no_counter_is_used_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader is killed at random moments of its life, and the meter has then seen each counter once."""
    meter_behind("gmac", hdlc=False)  # loaded once, before all children
    server = forked(lambda: served(tmp_path, monkeypatch))
    try:
        while not (tmp_path / "port").exists():
            time.sleep(0.01)
        port, dice = int((tmp_path / "port").read_text()), random.Random(14)
        for _ in range(KILLS):
            reader = forked(lambda: read_for_ever(port, tmp_path / "state"))
            time.sleep(dice.uniform(0, LONGEST_LIFE))
            os.kill(reader, signal.SIGKILL)
            os.waitpid(reader, 0)
    finally:
        os.kill(server, signal.SIGTERM)
        os.waitpid(server, 0)
    seen: dict[str, int] = json.loads((tmp_path / "seen").read_text())
    assert not (tmp_path / "error").exists()
    assert len(seen) > KILLS
    assert [used for used in seen if seen[used] > 1] == []
