"""Takes commands as they arrive, carries them out beside the uplink, and answers on `reply`.

1. `take` judges at once and never waits, so that a flood costs the uplink's task next to nothing and keeps no memory.
2. What may be carried out waits in a short queue for one of a few workers: a slow meter holds up no ping.
3. A worker writes the command's id down, durably, and only then begins.
4. Answers go out one after the other; who sends more than a gateway answers gets none, and is counted all the same.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from gateway.commands.bucket import Bucket
from gateway.commands.judge import Command, Refused, judge
from gateway.commands.memory import Executed
from gateway.seclog import note
from gateway.together import Together
from gateway.transport import Message

AT_ONCE, A_SECOND = 10, 1.0
"""Commands carried out: a person's handful, and then no more than a gateway does beside its readings."""
REFUSALS_AT_ONCE, REFUSALS_A_SECOND = 100, 10.0
"""Refusals answered: whoever tries things out gets told, a flood does not double itself."""
WORKERS = 4
WAITING = 16
ANSWERS = 128
"""Messages kept: all that can be under way, and a burst of refusals."""
LONGEST = 300.0
"""Seconds a command may take: a full list at 300 baud takes two minutes and a half."""

Do = Callable[[Command], Awaitable[Mapping[str, Any]]]


class Commands:
    """The commands of one gateway; `done` counts what was carried out by name, `refused` the rest by reason."""

    def __init__(
        self,
        topic: str,
        does: Mapping[str, Do],
        executed: Executed,
        now: Callable[[], int | None],
        publish: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer on `topic`; `does` names what each command does, `now` gives UTC in ms or None while unknown."""
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._topic, self._does, self._executed, self._now, self._publish = topic, does, executed, now, publish
        self._bucket = Bucket(AT_ONCE, A_SECOND)
        self._refusals = Bucket(REFUSALS_AT_ONCE, REFUSALS_A_SECOND)
        self._waiting: asyncio.Queue[tuple[Command, float]] = asyncio.Queue(WAITING)
        self._answers: asyncio.Queue[Message] = asyncio.Queue(ANSWERS)

    def take(self, name: str, message: Message) -> None:
        """Judge a message that came on `cmd/{name}`: it is carried out soon, or refused now."""
        try:
            command = judge(name, message, self._now())
            self._admit(command, asyncio.get_running_loop().time())
        except Refused as refused:
            self._refuse(refused, message.correlation)

    async def run(self) -> None:
        """Carry out and answer; ends only when cancelled."""
        together = Together()
        for number in range(WORKERS):
            together.start(self._work(), f"commands[{number}]")
        together.start(self._answer(), "commands[answers]")
        await together.until_one_fails()

    def status(self) -> dict[str, Any]:
        """Say what was done and refused, for people and for `health`."""
        return {"done": dict(self.done), "refused": dict(self.refused)}

    def _admit(self, command: Command, moment: float) -> None:
        if command.id in self._executed:
            raise Refused("replayed", "a command of this id came before")
        if self._waiting.full() or not self._bucket.take(moment):
            raise Refused("too_many", f"at most {AT_ONCE} commands at once and {A_SECOND:g} a second")
        self._executed.add(command.id, command.until, self._now())
        self._waiting.put_nowait((command, moment + command.left))

    async def _work(self) -> None:
        while True:
            command, end = await self._waiting.get()
            try:
                answer = await self._carry_out(command, end)
            except Refused as refused:
                self._refuse(refused, command.correlation)
            else:
                self._say(command.correlation, {"id": command.id, **answer})

    async def _carry_out(self, command: Command, end: float) -> Mapping[str, Any]:
        if asyncio.get_running_loop().time() >= end:
            raise Refused("expired", "it waited behind others until it was past its time")
        try:
            await self._executed.keep()
        except OSError as error:
            raise Refused("not_kept", f"its id cannot be written down: {error.strerror}") from error
        answer = await self._do(command)
        self.done[command.name] += 1
        note("command_done", command=command.name, id=command.id)
        return answer

    async def _do(self, command: Command) -> Mapping[str, Any]:
        """Do it; raises Refused where nothing was done."""
        try:
            async with asyncio.timeout(LONGEST):
                return await self._does[command.name](command)
        except TimeoutError:
            return {"error": f"it took more than {LONGEST:g} s"}
        except Refused:
            raise
        except Exception as error:  # noqa: BLE001  a bug in a command must not end the readings, and be seen
            return {"error": f"{type(error).__name__}: {error}", "hint": "report this"}

    def _refuse(self, refused: Refused, correlation: bytes | None) -> None:
        self.refused[refused.reason] += 1
        note("command_refused", reason=refused.reason)
        if correlation is not None and self._refusals.take(asyncio.get_running_loop().time()):
            self._say(correlation, {"error": refused.text, "reason": refused.reason})

    def _say(self, correlation: bytes | None, answer: Mapping[str, Any]) -> None:
        if not self._answers.full():
            payload = orjson.dumps(answer, default=str)
            self._answers.put_nowait(Message(self._topic, payload, qos=1, correlation=correlation))

    async def _answer(self) -> None:
        while True:
            await self._publish(await self._answers.get())
