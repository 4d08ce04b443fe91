"""What a hub wishes of a gateway, as its topic `settings` says: judged, kept over restarts, and told back by its `rev`.

1. The document is retained, so it comes again with every connection. It is taken whole or not at all: one that is too
   large or is not what it claims is refused, an older one than ours is left out; both are counted.
2. It is kept as it came, in one file beside the journal, for the next start may come before the broker does. What only
   newer versions understand is thereby kept for them too.
3. Where the document says something of a meter it wins over the gateway's own file; where it is silent the file holds,
   and a reload of the file lays the same document over it again. So neither undoes the other, in whatever order.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from gateway import durable
from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.settings import MeterSettings, Settings, decode
from gateway.check import Limits
from gateway.config.build import meter_id
from gateway.config.models import MeterTable, Wired
from gateway.message import MessageError, Topics
from gateway.seclog import note
from gateway.transport import Message
from gateway.virtual.build import virtual_id

LIMIT = 512 * 1024
"""Bytes of a document: 2,000 meters, the most there may be, of 250 bytes each."""
NAME = "settings.json"
UNKNOWN = Limits()
UNKNOWN_METER = MeterSettings()


class Desired:
    """The settings in force; `refused` counts documents by reason, `error` says what is wrong with the last one."""

    def __init__(self, file: Path) -> None:
        """`Desired.open` takes up what was kept."""
        self.now = Settings()
        self.refused: Counter[str] = Counter()
        self.error = ""
        self._file = file

    @classmethod
    def open(cls, folder: Path) -> "Desired":
        """Go on with what the file in this folder says; one that nobody can read is as good as none."""
        desired = cls(folder / NAME)
        try:
            with desired._file.open("rb") as file:
                desired.take(file.read(LIMIT + 1))
        except FileNotFoundError:
            pass  # none came yet
        except OSError as error:
            desired._refuse("unreadable", f"{desired._file}: {error.strerror}")
        return desired

    def take(self, payload: bytes) -> bool:
        """Judge a document; True when it is newer than what was in force, and is in force now."""
        if len(payload) > LIMIT:
            return self._refuse("too_large", f"settings of {len(payload)} bytes; {LIMIT} is the most")
        try:
            settings = decode(payload)
        except MessageError as error:
            return self._refuse("malformed", str(error))
        if not settings.rev:
            return self._refuse("malformed", "settings: rev: there is none")
        if settings.rev < self.now.rev:
            self.refused["older"] += 1
        if settings.rev <= self.now.rev:
            return False
        self.now, self.error = settings, ""
        return True

    async def keep(self, payload: bytes) -> None:
        """Write down what was taken; a disk that refuses is told of, and the broker sends it again anyway."""
        try:
            await asyncio.to_thread(durable.replace, self._file, payload)
        except OSError as error:
            self._refuse("not_kept", f"settings cannot be kept: {error.strerror}")

    def status(self) -> dict[str, Any]:
        """Give what `health` says of them."""
        return {"rev": self.now.rev, "refused": dict(self.refused), "error": self.error}

    def _refuse(self, reason: str, error: str) -> bool:
        self.refused[reason] += 1
        note("settings_refused", reason=reason)
        self.error = error
        return False


class Known:
    """What a hub hears of all gateways' settings, for its own checks: each meter's limits, by tenant and meter."""

    def __init__(self) -> None:
        """Know nothing yet; only the hub's own user may write these documents, so what is kept needs no bound here."""
        self._known: dict[tuple[str, str], MeterSettings] = {}
        self._limits: dict[tuple[str, str], Limits] = {}
        self._meters: dict[tuple[str, str], list[str]] = {}

    def hear(self, message: Message) -> None:
        """Take a document of any gateway; it is the gateway that complains of one that is none."""
        try:
            topics, _, _ = Topics.parse(message.topic)
            settings = decode(message.payload[: LIMIT + 1])
        except MessageError:
            return
        for meter in self._meters.pop((topics.tenant, topics.gw), ()):
            self._limits.pop((topics.tenant, meter), None)
            self._known.pop((topics.tenant, meter), None)
        self._meters[topics.tenant, topics.gw] = list(settings.meters)
        for meter, wished in settings.meters.items():
            self._limits[topics.tenant, meter] = Limits(wished.rating_a, wished.limits)
            self._known[topics.tenant, meter] = wished

    def about(self, tenant: str, meter: str) -> MeterSettings:
        """Say what is known of a meter."""
        return self._known.get((tenant, meter), UNKNOWN_METER)

    def limits(self, tenant: str, meter: str) -> Limits:
        """Say what a meter cannot exceed, as far as somebody said so."""
        return self._limits.get((tenant, meter), UNKNOWN)


def engine_of(config: Wired, settings: Settings) -> Engine:
    """Make the engine with the rules of every meter that run where it is read."""
    calendar = config.alerts.calendar.of(config.gateway.zone)
    rules = {}
    for row in config.meter:
        meter = meter_id(config, row)
        rules[meter] = rules_of(config.alerts, calendar, about(settings, meter, row))
    # A virtual meter raises nothing of its own: its parts' rules have seen all that it is made of.
    rules |= {virtual_id(config, row): [] for row in config.virtual}
    return Engine(rules, calendar)


def about(settings: Settings, meter: str, row: MeterTable) -> MeterSettings:
    """Say what is known of a meter: the hub's word, and the gateway's own file where the hub is silent."""
    wished = settings.of(meter)
    own = {"rating_a": wished.rating_a or row.rating_a, "pv": row.pv if wished.pv is None else wished.pv}
    return wished.model_copy(update=own)


def limits_of(settings: Settings, meter: str, row: MeterTable) -> Limits:
    """Say what a meter cannot exceed: by its main fuse, and by what the hub says."""
    known = about(settings, meter, row)
    return Limits(known.rating_a, known.limits)
