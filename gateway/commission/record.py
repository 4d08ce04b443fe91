"""What a commissioning found, as plain values: the one thing that is signed, and from which every page is made.

Numbers are decimal texts, so that the same record is the same bytes everywhere. Times are UTC ms.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Verdict = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class DisplayCheck:
    """The display beside the register, in the display's `unit`: what was typed, and what was read before and after.

    `times` is what the display was multiplied by, where it shows the transformers' other side. `causes` name what
    explained a difference, as kind and fact; `changes` are the lines that were written for it.
    """

    verdict: Verdict
    typed: str = ""
    unit: str = ""
    before: str = ""
    after: str = ""
    times: str = "1"
    causes: tuple[tuple[str, str], ...] = ()
    changes: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DirectionCheck:
    """The power in W beside what the installer saw: "import" or "export"; `against` are phases of the other sign."""

    verdict: Verdict
    said: str = ""
    power: str = ""
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterRecord:
    """One meter: what it is, how it is configured now, and what was checked."""

    name: str
    label: str
    model: str
    profile: str
    bus: str
    address: str
    nameplate: tuple[tuple[str, str], ...] = ()
    transformer: str = ""
    ratio: str = "1"
    offset: str = "0"
    quantities: tuple[str, ...] = ()
    at: int = 0
    values: tuple[tuple[str, str], ...] = ()
    display: DisplayCheck = DisplayCheck("skipped")
    direction: DirectionCheck = DirectionCheck("skipped")

    @property
    def passed(self) -> bool:
        """Whether the display agreed and nothing spoke against it."""
        return self.display.verdict == "passed" and self.direction.verdict != "failed"


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """A test message by one channel: "confirmed" by who got it, "sent", "missing", "refused" or "skipped"; why."""

    name: str
    kind: str
    verdict: Literal["confirmed", "sent", "missing", "refused", "skipped"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A whole commissioning."""

    gateway: str
    tenant: str
    version: str
    zone: str
    installer: str
    began: int
    ended: int
    meters: tuple[MeterRecord, ...]
    channels: tuple[ChannelRecord, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every meter passed, and no channel failed."""
        failed = any(channel.verdict in ("missing", "refused") for channel in self.channels)
        return bool(self.meters) and all(meter.passed for meter in self.meters) and not failed

    def with_meter(self, meter: MeterRecord) -> "Record":
        """Add a meter."""
        return replace(self, meters=(*self.meters, meter))

    def to_dict(self) -> dict[str, Any]:
        """Give what is signed."""
        return {"v": 1, "passed": self.passed, **asdict(self)}


def canonical(value: Any) -> bytes:
    """Write JSON in the one way that is signed: keys sorted, no space, UTF-8; the record holds no fraction."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
