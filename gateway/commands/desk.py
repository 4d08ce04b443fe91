"""Where an edge's commands come together: what is judged and carried out, and the configuration it changes."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway import control
from gateway.announce import status_of
from gateway.clock import wall_ms
from gateway.commands.answers import answers
from gateway.commands.kept import Kept
from gateway.commands.memory import Executed
from gateway.commands.remote import Remote, Signs
from gateway.commands.running import Commands
from gateway.config.models import EdgeConfig
from gateway.message import Topics
from gateway.reload import Reloader
from gateway.station import Station
from gateway.together import Together
from gateway.transport import Message, TransportError
from gateway.uplink import Uplink

Reread = Callable[[], EdgeConfig]
Apply = Callable[[EdgeConfig], Awaitable[Mapping[str, Any]]]


class Desk:
    """The commands of one edge; `take` gets each message on `cmd/+`."""

    def __init__(
        self,
        config: EdgeConfig,
        here: Station,
        uplink: Uplink,
        topics: Topics,
        apply: Apply,
        reread: Reread | None,
        kept: Kept | None,
    ) -> None:
        """`apply` takes a configuration over, `reread` reads the gateway's own file, `kept` is what a hub sent."""
        self._here, self._uplink, self._topics = here, uplink, topics
        self._kept = kept
        self._remote = Remote(config, apply, kept, Signs(self._newest, self._reached))
        self._reloader = Reloader(config, kept.rereads(reread) if kept and reread else reread, self._remote.take)
        does = answers(here, uplink, self._remote, self._reloader.run)
        executed = Executed.open(config.journal.folder)
        self._commands = Commands(topics.of("reply"), does, executed, self._now, self._publish)
        self.take = self._commands.take
        self.reload = self._reloader.run

    async def run(self) -> None:
        """Carry out commands and watch what is on trial; ends only when cancelled."""
        together = Together()
        together.start(self._commands.run(), "commands")
        together.start(self._remote.run(), "commands[trial]")
        await together.until_one_fails()

    def status(self) -> dict[str, Any]:
        """Say what was done and refused, and what of the configuration the hub changed."""
        return {"commands": self._commands.status(), "remote": self._remote.status()}

    @property
    def news(self) -> str:
        """What is told at once when it changes."""
        return self._remote.state

    def answers(self) -> dict[str, control.Answer]:
        """Name the questions that the control socket answers."""
        return {"reload": self._reload}

    async def _reload(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Reload for somebody who asked here; with `local`, what the hub sent is dropped first."""
        if question.get("local") and self._kept is not None:
            try:
                self._kept.drop()
            except OSError as error:
                return {"error": f"{self._kept.path} cannot be removed: {error.strerror}"}
        return await self._reloader.run()

    def _now(self) -> int | None:
        return None if self._here.clock.offset is None else wall_ms()

    def _newest(self) -> float | None:
        """Say when a meter was last read, in the loop's time."""
        turns = [turn.last for poller in self._here.buses.pollers() for turn in poller.turns]
        return max((last for last in turns if last is not None), default=None)

    async def _reached(self) -> bool:
        """Say whether the broker acknowledges a message."""
        if self._uplink.connection is None:
            return False
        try:
            await self._uplink.connection.publish(status_of(self._topics, self._here, "online"))
        except TransportError:
            return False
        return True

    async def _publish(self, message: Message) -> None:
        """Send an answer, once; a hub that misses it asks again."""
        if self._uplink.connection is not None:
            with contextlib.suppress(TransportError):
                await self._uplink.connection.publish(message)
