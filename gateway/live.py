"""The newest reading of every meter: kept for pages and status, and posted on its live topic as often as agreed.

Values of `live/{meter}` are sent at QoS 0 and never awaited: what a page misses now, it sees a moment later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from drivers.contract import Number
from gateway.message import MessageError, MeterInfo, Topics, decode_info, decode_live, encode_live
from gateway.transport import Connection, Message

LATE_MS = 90_000
"""What is older than the shown reading by more than this was not late: the gateway's clock was set back."""

METERS = 100_000
"""Meters of all gateways: many times what one hub serves; beyond it somebody makes them up."""
OF_ONE = 1000
"""Meters of one gateway: four lines full of them."""
TEXT = 120
"""Characters of a name or a model that came by a topic; a page shows fewer."""
LIVE_LIMIT = 8192
"""Bytes of a live document: sixty values and two texts of a P1 port are half of it."""


@dataclass(slots=True)
class LiveMeter:
    """One meter as a page shows it; `ts` is UTC ms, 0 before its first reading. `every` is in seconds.

    `gw` is the gateway that announced it by a topic, and alone may speak for it.
    """

    id: str
    name: str
    commodity: str
    model: str
    every: float
    ts: int = 0
    q: int = 0
    values: Mapping[str, Number | str] = field(default_factory=dict)
    tenant: str = ""
    gw: str = ""


class LiveBook:
    """All meters of one program by tenant, in the order they became known: two tenants may give theirs one id."""

    def __init__(self, tenant: str = "") -> None:
        """Start with no meter, `tenant` owning those that name none.

        `dropped` counts what was not what it claims, `refused` meters beyond the bounds, or of another gateway.
        """
        self.dropped = self.refused = 0
        self._heard = 0
        self._announced: dict[tuple[str, str], set[str]] = {}
        self._tenant = tenant
        self._homes: dict[str, dict[str, LiveMeter]] = {}

    def know(self, meter: LiveMeter) -> None:
        """Add a meter, or take over a changed description of one, keeping its newest values."""
        meter.tenant = meter.tenant or self._tenant
        home = self._homes.setdefault(meter.tenant, {})
        old = home.get(meter.id)
        if old is not None:
            meter.ts, meter.q, meter.values = old.ts, old.q, old.values
        home[meter.id] = meter

    def update(self, meter: str, ts: int, q: int, values: Mapping[str, Number | str], tenant: str = "") -> None:
        """Take a meter's newest reading; one of an unknown meter, or a little older than the shown one, is left out."""
        known = self._homes.get(tenant or self._tenant, {}).get(meter)
        if known is not None and not 0 < known.ts - ts <= LATE_MS:
            known.ts, known.q, known.values = ts, q, values

    def forget(self, meter: str) -> None:
        """Show a meter of our own no longer."""
        self._homes.get(self._tenant, {}).pop(meter, None)

    def meters(self) -> Sequence[LiveMeter]:
        """List what is known."""
        return [meter for home in self._homes.values() for meter in home.values()]

    def of(self, tenant: str) -> Sequence[LiveMeter]:
        """List one tenant's meters."""
        return list(self._homes.get(tenant, {}).values())

    def tenants(self) -> Sequence[str]:
        """List whose meters are known."""
        return list(self._homes)

    def hear(self, message: Message) -> None:
        """Take a live or info message of any gateway; anything else is counted and dropped."""
        try:
            topics, kind, _ = Topics.parse(message.topic)
            if kind == "info":
                self._announce(topics, decode_info(message.payload).meters)
            elif kind == "live":
                document = decode_live(message.payload if len(message.payload) <= LIVE_LIMIT else b"")
                meter, ts, q = str(document.pop("meter")), int(document.pop("ts")), int(document.pop("q", 0))
                document.pop("v", None)
                known = self._homes.get(topics.tenant, {}).get(meter)
                if known is not None and known.gw == topics.gw:
                    self.update(meter, ts, q, document, topics.tenant)
        except (MessageError, KeyError, ValueError, OverflowError):
            self.dropped += 1

    def _announce(self, topics: Topics, rows: Sequence[MeterInfo]) -> None:
        """Take a birth document: a gateway's meters are these, and those it no longer names are gone."""
        own, home = (topics.tenant, topics.gw), self._homes.setdefault(topics.tenant, {})
        named = {row.id: row for row in rows[:OF_ONE]}
        self.refused += len(rows) - len(named)
        for gone in self._announced.pop(own, set()) - named.keys():
            del home[gone]
            self._heard -= 1
        for row in named.values():
            self._meet(topics, row)
        kept = {name for name in named if name in home and home[name].gw == topics.gw}
        if kept:
            self._announced[own] = kept
        elif not home:
            del self._homes[topics.tenant]

    def _meet(self, topics: Topics, row: MeterInfo) -> None:
        old = self._homes[topics.tenant].get(row.id)
        if (old.gw != topics.gw) if old is not None else (self._heard >= METERS):
            self.refused += 1
            return
        self._heard += old is None
        name, model, commodity = row.name[:TEXT], row.model[:TEXT], row.commodity[:TEXT]
        self.know(LiveMeter(row.id, name, commodity, model, row.every, tenant=topics.tenant, gw=topics.gw))


class HasConnection(Protocol):
    """Whoever holds the broker's connection, when there is one."""

    connection: Connection | None


class LivePoster:
    """Posts each meter's newest reading at most once in `every` seconds; the retained copy expires by itself."""

    uplink: HasConnection | None = None

    def __init__(self, topics: Topics, every: float) -> None:
        """`every` 0 posts each reading; nothing is posted before `uplink` is set and connected."""
        self._topics = topics
        self._next: dict[str, int] = {}
        self.pace(every)

    def pace(self, every: float) -> None:
        """Post at most once in so many seconds from now on."""
        self._every_ms = int(every * 1000)
        self._next.clear()

    def post(self, meter: str, ts: int, q: int, values: Mapping[str, Number], every: float) -> None:
        """Send unless it is too early or nobody is connected; `every` is the meter's own interval in seconds."""
        connection = self.uplink.connection if self.uplink else None
        if connection is None or 0 < self._next.get(meter, 0) - ts <= self._every_ms:  # further back the clock was set
            return
        # Half a poll early still counts as due, or a meter read each second would be shown every second second.
        self._next[meter] = ts + self._every_ms - min(int(every * 500), self._every_ms)
        connection.post(self._message(meter, ts, q, values, every))

    def newest(self, book: LiveBook) -> list[Message]:
        """Make the messages of a new connection: what was read before it, and what a restarted broker forgot."""
        return [self._message(m.id, m.ts, m.q, m.values, m.every) for m in book.meters() if m.ts]

    def _message(self, meter: str, ts: int, q: int, values: Mapping[str, Number | str], every: float) -> Message:
        lasts = 3 * max(every, self._every_ms / 1000)
        payload = encode_live(ts, meter, q, values)
        return Message(self._topics.of("live", meter), payload, retain=True, expiry=max(int(lasts), 1))
