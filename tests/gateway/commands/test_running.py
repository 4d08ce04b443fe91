"""Commands as they arrive: carried out once, in bounds, answered, never in the way of anything else."""

import asyncio
import gc
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.commands.judge import Command, Refused
from gateway.commands.memory import Executed
from gateway.commands.running import AT_ONCE, LONGEST, REFUSALS_AT_ONCE, WORKERS, Commands
from gateway.transport import Message
from tests.support.virtual_time import run_virtually

NOW = 1_795_219_200_000


@dataclass
class Gateway:
    """Commands with a gateway that only notes what it was told to do."""

    folder: Path
    did: list[str] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    ping: Callable[[Command], Awaitable[Mapping[str, Any]]] | None = None

    def open(self) -> Commands:
        """Start with what the folder remembers."""
        does = {"ping": self.ping or self._note, "read_now": self._note, "reload": self._note}
        executed = Executed.open(self.folder)
        return Commands("reply", does, executed, lambda: NOW, self._publish)

    def play(self, story: Callable[[Commands], Coroutine[Any, Any, None]]) -> Commands:
        """Let a story happen, in no time."""

        async def run() -> Commands:
            commands = self.open()
            task = asyncio.create_task(commands.run())
            await story(commands)
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return commands

        return run_virtually(run())

    async def _note(self, command: Command) -> Mapping[str, Any]:
        self.did.append(command.id)
        return {"noted": command.name}

    async def _publish(self, message: Message) -> None:
        assert message.topic == "reply"
        assert message.qos == 1
        self.replies.append(dict(orjson.loads(message.payload)))


def command(number: int, **more: Any) -> Message:
    """Make a ping of its own."""
    return Message("cmd/ping", orjson.dumps({"id": f"command-{number}", **more}), qos=1, expiry=60, correlation=b"c")


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write where we are: virtual time does not wait for threads."""

    async def at_once(work: Callable[..., None], *arguments: object) -> None:
        work(*arguments)

    monkeypatch.setattr("asyncio.to_thread", at_once)


async def _written() -> None:
    """Let every worker come round."""
    await asyncio.sleep(0.001)


def test_a_command_is_carried_out_and_answered(tmp_path: Path) -> None:
    """With its id, so that the answer tells which."""
    gateway = Gateway(tmp_path)

    async def story(commands: Commands) -> None:
        commands.take("ping", command(1))
        await _written()

    commands = gateway.play(story)
    assert gateway.did == ["command-1"]
    assert gateway.replies == [{"id": "command-1", "noted": "ping"}]
    assert commands.status() == {"done": {"ping": 1}, "refused": {}}


def test_a_second_one_of_the_same_id_is_refused_also_after_a_restart(tmp_path: Path) -> None:
    """The broker may deliver twice, and somebody may have kept a copy."""
    gateway = Gateway(tmp_path)

    async def story(commands: Commands) -> None:
        commands.take("ping", command(1))
        commands.take("ping", command(1))
        await _written()

    assert gateway.play(story).refused == {"replayed": 1}
    assert gateway.play(story).refused == {"replayed": 2}
    assert gateway.did == ["command-1"]
    assert [reply.get("reason") for reply in gateway.replies].count("replayed") == 3


def test_its_id_is_on_disk_before_it_is_carried_out(tmp_path: Path) -> None:
    """Whoever is killed while doing it does not do it again."""
    seen: list[bool] = []

    async def look(command: Command) -> Mapping[str, Any]:
        seen.append(command.id in Executed.open(tmp_path))
        return {}

    async def story(commands: Commands) -> None:
        commands.take("ping", command(1))
        await _written()

    Gateway(tmp_path, ping=look).play(story)
    assert seen == [True]


def test_without_a_disk_nothing_is_carried_out(tmp_path: Path) -> None:
    """What cannot be remembered could be done twice."""
    gateway = Gateway(tmp_path / "gone")

    async def story(commands: Commands) -> None:
        commands.take("ping", command(1))
        await _written()

    assert gateway.play(story).refused == {"not_kept": 1}
    assert gateway.did == []


def test_ten_at_once_then_one_a_second(tmp_path: Path) -> None:
    """A hub that runs wild costs a gateway little."""
    gateway = Gateway(tmp_path)

    async def story(commands: Commands) -> None:
        for number in range(AT_ONCE + 5):
            commands.take("ping", command(number))
        await _written()
        await asyncio.sleep(2)
        for number in range(100, 105):
            commands.take("ping", command(number))
        await _written()

    assert gateway.play(story).refused == {"too_many": 5 + 3}
    assert len(gateway.did) == AT_ONCE + 2


def test_who_waited_too_long_is_not_carried_out(tmp_path: Path) -> None:
    """Slow commands hold up others until these are past their time; then nobody wants them."""
    did: list[str] = []

    async def slow(command: Command) -> Mapping[str, Any]:
        did.append(command.id)
        await asyncio.sleep(70)
        return {}

    async def story(commands: Commands) -> None:
        for number in range(WORKERS + 1):
            commands.take("ping", command(number))
        await _written()
        await asyncio.sleep(80)
        await _written()

    assert Gateway(tmp_path, ping=slow).play(story).refused == {"expired": 1}
    assert len(did) == WORKERS


def test_one_that_never_ends_is_ended(tmp_path: Path) -> None:
    """A meter that never answers does not keep a worker for ever."""
    gateway = Gateway(tmp_path, ping=lambda _: asyncio.get_running_loop().create_future())

    async def story(commands: Commands) -> None:
        commands.take("ping", command(1))
        await _written()
        await asyncio.sleep(LONGEST + 1)

    gateway.play(story)
    assert "more than" in gateway.replies[0]["error"]


@pytest.mark.parametrize("error", [Refused("malformed", "no such meter"), ZeroDivisionError("by zero")])
def test_what_goes_wrong_is_answered_and_the_next_one_done(tmp_path: Path, error: Exception) -> None:
    """Neither a bad field nor a bug ends the gateway."""

    async def wrong(_: Command) -> Mapping[str, Any]:
        raise error

    async def story(commands: Commands) -> None:
        commands.take("ping", command(1))
        for number in range(WORKERS):
            commands.take("read_now", command(2 + number))
        await _written()

    gateway = Gateway(tmp_path, ping=wrong)
    counted = gateway.play(story).status()
    assert str(error) in str([reply.get("error") for reply in gateway.replies])
    assert len(gateway.did) == WORKERS
    refused = isinstance(error, Refused)
    assert counted == {
        "done": {"read_now": WORKERS} if refused else {"ping": 1, "read_now": WORKERS},
        "refused": {"malformed": 1} if refused else {},
    }


def test_the_benchs_pings_are_all_carried_out(tmp_path: Path) -> None:
    """What a bench takes for the way of a command is no refusal, however long it asks."""
    from benchmarks.lag import EVERY

    async def story(commands: Commands) -> None:
        for number in range(10 * AT_ONCE):
            commands.take("ping", command(number))
            await asyncio.sleep(EVERY)

    assert Gateway(tmp_path).play(story).status() == {"done": {"ping": 10 * AT_ONCE}, "refused": {}}


def test_a_flood_of_bombs_costs_no_memory_and_answers_few(tmp_path: Path) -> None:
    """Ten thousand payloads of 1 B to 1 MB, nested 100,000 deep among them: all counted, none done, nothing kept."""
    sizes = [1, 100, 10_000, 65_536, 65_537, 1_000_000]
    bombs = [Message("cmd/ping", b"[" * size, qos=1, expiry=60, correlation=b"b" * 1000) for size in sizes]
    bombs.append(Message("cmd/ping", b'{"a":' * 100_000, qos=1, expiry=60, correlation=b"b"))
    gateway = Gateway(tmp_path)

    async def story(commands: Commands) -> None:
        commands.take("ping", bombs[0])
        gc.collect()
        tracemalloc.start()
        for number in range(10_000):
            commands.take("ping", bombs[number % len(bombs)])
        kept, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept < 500_000, "what lies in queues"
        assert most < 2_000_000, "what one of them needs while it is judged"
        await asyncio.sleep(0)

    commands = gateway.play(story)
    assert commands.refused.total() == 10_001
    assert set(commands.refused) == {"malformed", "too_large"}
    assert gateway.did == []
    assert len(gateway.replies) <= REFUSALS_AT_ONCE + 10
