"""The watchdog is fed while every essential task makes turns, and only then."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.program import stay_alive
from gateway.progress import Progress, beaten, counted
from gateway.transport import Endpoint, Lost
from tests.support.virtual_time import run_virtually


class Clock:
    """A clock by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Give what systemd was told since the last call; it wants a sign of life every 30 s."""
    path = tmp_path / "notify"
    there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    there.bind(str(path))
    there.setblocking(False)
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")

    def read() -> list[str]:
        found = []
        while True:
            try:
                found.append(there.recv(4096).decode())
            except BlockingIOError:
                return found

    yield read
    there.close()


def test_a_task_may_pause_as_long_as_it_said_and_no_longer() -> None:
    """Silence within the pause is honest; beyond it the task is named, until its next turn."""
    clock = Clock()
    progress = Progress(clock)
    pulse = progress.pulse("poll[line]", 60)
    clock.now = 60
    assert progress.look() == []
    clock.now = 61
    assert progress.look() == ["poll[line] made no turn for 61 s"] == progress.overdue
    pulse.alive()
    assert progress.look() == []
    clock.now += 60
    assert progress.look() == []


def test_a_busy_task_does_not_hide_a_stuck_one() -> None:
    """Each is judged by its own turns."""
    clock = Clock()
    progress = Progress(clock)
    busy = progress.pulse("busy", 10)
    progress.pulse("stuck", 10)
    for clock.now in range(0, 30, 5):
        busy.alive()
        found = progress.look()
    assert [line.split()[0] for line in found] == ["stuck"]


def test_having_nothing_to_do_is_progress() -> None:
    """A mark of None is an honest pause of any length; the time begins anew when there is work."""
    clock = Clock()
    progress = Progress(clock)
    work: list[int | None] = [None]
    progress.watch("journal", 10, lambda: work[0])
    clock.now = 1000
    assert progress.look() == []
    work[0] = 7
    assert progress.look() == []
    clock.now = 1010
    assert progress.look() == []
    clock.now = 1011
    assert progress.look() != []
    progress.forget("journal")
    assert progress.look() == []


def test_parts_that_know_nothing_of_it_are_heard_all_the_same() -> None:
    """A clock that is read and a connection that is tried are turns."""

    async def nobody(_: Endpoint, timeout: float = 1.0) -> None:
        raise Lost(f"nobody answers within {timeout}")

    async def dial() -> int:
        progress = Progress(Clock())
        pulse = progress.pulse("it", 1)
        assert beaten(pulse, lambda: 7)() == 7
        with pytest.raises(Lost):
            await counted(nobody, pulse)(Endpoint("mqtt://x", "c"))  # type: ignore[arg-type]
        return pulse.turns

    assert run_virtually(dial()) == 2


def test_the_watchdog_is_fed_while_all_move_and_starves_when_one_does_not(
    said: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    """WATCHDOG=1 well within its time; none, but the name of who stands still, once that is overdue."""

    async def story() -> None:
        loop = asyncio.get_running_loop()
        progress = Progress(loop.time)
        pulse = progress.pulse("uplink", 60)
        task = asyncio.create_task(stay_alive(progress))
        fed: list[str] = []
        for _ in range(12):
            pulse.alive()
            await asyncio.sleep(15)
            fed += said()
        assert fed.count("WATCHDOG=1") == len(fed) >= 180 / 15
        await asyncio.sleep(61)
        said()
        await asyncio.sleep(600)
        assert said() == []
        assert progress.overdue
        pulse.alive()
        await asyncio.sleep(15)
        assert "WATCHDOG=1" in said()
        task.cancel()

    run_virtually(story())
    assert [record.message for record in caplog.records] == [
        "standstill: uplink made no turn for 65 s",
        "standstill: over",
    ]


def test_a_turn_costs_one_addition() -> None:
    """A beat asks for no time and tells nobody; only a look does."""
    times: list[float] = []

    def now() -> float:
        times.append(0.0)
        return 0.0

    pulse = Progress(now).pulse("poll", 1)
    begun = len(times)
    for _ in range(1000):
        pulse.alive()
    assert pulse.turns == 1000
    assert len(times) == begun
