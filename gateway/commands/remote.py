"""What commands change of the configuration: intervals for a while, and whole documents on trial.

1. A document is validated whole, and only what may change while the program runs may differ; else nothing is done.
2. It is taken over, and watched: within `confirm_s` a meter that it configures must be read, and after that the broker
   must acknowledge a message. Then it is kept for the next start (`kept.py`).
3. If not, what ran before comes back, and `health` and the log say so. Until it is kept nothing of it is on disk, so
   whoever is killed meanwhile starts with what ran before.
4. A reload by hand ends a trial, and intervals: what the installer says last counts.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.aside import aside
from gateway.commands import interval
from gateway.commands.judge import Refused
from gateway.commands.kept import LIMIT, Kept
from gateway.commands.secrets import strange
from gateway.config.errors import ConfigError
from gateway.config.models import EdgeConfig
from gateway.reload import needs_start

LOOK_EVERY = 1.0
PROBE = 10.0
"""Seconds a broker may take to acknowledge the message that proves the way to it."""

log = logging.getLogger("nabd")

Done = Mapping[str, Any]


class Wanted(BaseModel):
    """The payload of `cmd/reload`; without `config` the gateway reads its own file again."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    config: str | None = None
    confirm_s: float = Field(default=300.0, ge=10, le=3600)


@dataclass(frozen=True, slots=True)
class Signs:
    """What shows that a gateway does its work: when a meter was last read (loop time), and whether a broker answers."""

    read: Callable[[], float | None]
    reached: Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class _Trial:
    text: str
    before: EdgeConfig
    intervals: dict[str, float]
    since: float
    until: float


class Remote:
    """The configuration as it runs now; `apply` makes it another one, and may raise ConfigError."""

    def __init__(
        self, config: EdgeConfig, apply: Callable[[EdgeConfig], Awaitable[Done]], kept: Kept | None, signs: Signs
    ) -> None:
        """`kept` is None for a program that does not know its file: it takes no document."""
        self.config = config
        self.state: Literal["", "runs", "on trial", "rolled back"] = "runs" if kept and kept.runs else ""
        self.why = ""
        self._apply, self._kept, self._signs = apply, kept, signs
        self._intervals: dict[str, float] = {}
        self._trial: _Trial | None = None
        self._begun = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    async def take(self, config: EdgeConfig) -> Done:
        """Take over what a reload read; raises ConfigError."""
        async with self._one_at_a_time:
            done = await self._change(config)
            self._trial = None
            self.state, self.why = "runs" if self._kept and self._kept.runs else "", ""
            return done

    async def set_interval(self, payload: bytes) -> Done:
        """Answer `cmd/set_interval`; raises Refused."""
        wish = interval.wanted(payload)
        async with self._one_at_a_time:
            meter, new = interval.with_interval(self.config, wish)
            await self._whole(new, {**self._intervals, meter: wish.every_s})
        return {"meter": meter, "every_s": wish.every_s, "until": "the next start or reload"}

    async def stage(self, wish: Wanted) -> Done:
        """Answer `cmd/reload` with a configuration; raises Refused."""
        text = wish.config or ""
        if self._kept is None:
            raise Refused("malformed", "this program does not know its file; it takes no configuration")
        if len(text.encode()) > LIMIT:
            raise Refused("too_large", f"a configuration has at most {LIMIT} bytes")
        async with self._one_at_a_time:
            if self._trial is not None:
                raise Refused("too_many", "another configuration is on trial")
            before, intervals = self.config, self._intervals
            try:
                new = await aside("remote", self._kept.read, text)
            except ConfigError as error:
                raise Refused("malformed", str(error)) from None
            _see_that_it_may(self._kept.base or before, new)
            done = await self._whole(new, {})
            now = asyncio.get_running_loop().time()
            self._trial = _Trial(text, before, intervals, now, now + wish.confirm_s)
            self.state, self.why = "on trial", ""
            self._begun.set()
        return {**done, "state": self.state, "confirm_s": wish.confirm_s}

    async def run(self) -> None:
        """Watch what is on trial; ends only when cancelled."""
        while True:
            await self._begun.wait()
            self._begun.clear()
            if self._trial is not None:
                await self._watch(self._trial)

    def status(self) -> dict[str, Any]:
        """Say what runs that the gateway's own file does not say."""
        return {"configuration": self.state, "why": self.why, "intervals": dict(self._intervals)}

    async def _watch(self, trial: _Trial) -> None:
        loop = asyncio.get_running_loop()
        missing = "no meter of it was read"
        while self._trial is trial and loop.time() < trial.until:
            await asyncio.sleep(LOOK_EVERY)
            read = self._signs.read()
            if read is not None and read > trial.since:
                missing = "the broker was out of reach"
                if await self._reached():
                    await self._confirm(trial)
                    return
        await self._roll_back(trial, missing)

    async def _reached(self) -> bool:
        try:
            async with asyncio.timeout(PROBE):
                return await self._signs.reached()
        except TimeoutError:
            return False

    async def _confirm(self, trial: _Trial) -> None:
        async with self._one_at_a_time:
            if self._trial is not trial or self._kept is None:
                return
            try:
                await asyncio.to_thread(self._kept.keep, trial.text)
            except OSError as error:
                self.why = f"it cannot be kept for the next start: {error.strerror}"
                log.warning("the configuration that the hub sent runs, but %s", self.why)
            self._trial, self.state = None, "runs"

    async def _roll_back(self, trial: _Trial, missing: str) -> None:
        async with self._one_at_a_time:
            if self._trial is not trial:
                return  # a reload by hand came first
            self._trial = None
            self.state, self.why = "rolled back", f"within {trial.until - trial.since:g} s {missing}"
            try:
                await self._change(trial.before, trial.intervals)
            except ConfigError as error:
                self.why += f", and what ran before cannot run: {error}"
        log.warning("the configuration that the hub sent is rolled back: %s", self.why)

    async def _whole(self, config: EdgeConfig, intervals: Mapping[str, float]) -> Done:
        """Take a configuration over; raises Refused."""
        try:
            return await self._change(config, intervals)
        except Exception as error:
            raise Refused("malformed", f"it cannot be taken over: {error}") from error

    async def _change(self, config: EdgeConfig, intervals: Mapping[str, float] = MappingProxyType({})) -> Done:
        """Take a configuration over, or have what ran before again, and raise what kept it from running."""
        try:
            done = await self._apply(config)
        except Exception:  # whatever it was, half of a configuration must not run
            await self._apply(self.config)
            raise
        self.config, self._intervals = config, dict(intervals)
        return done


def _see_that_it_may(own: EdgeConfig, new: EdgeConfig) -> None:
    """See that a document changes only what may change from afar; raises Refused."""
    if fixed := needs_start(own, new):
        raise Refused("malformed", f"only the gateway's own file can change {', '.join(fixed)}; nothing was changed")
    if unknown := strange(own, new):
        what = f"the gateway's own file names no such secret for a meter: {', '.join(unknown)}"
        raise Refused("malformed", f"{what}; who is there adds it")


def wanted(payload: bytes) -> Wanted:
    """Read the payload of `cmd/reload`; raises Refused."""
    try:
        return Wanted.model_validate_json(payload)
    except ValidationError:
        raise Refused("malformed", 'the payload is not {"config": TOML, "confirm_s": 10 to 3600}') from None
