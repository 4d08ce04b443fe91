"""Is it still the meter that was commissioned? Model, serial number, units and quantities must stay (V15)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.message import MeterInfo


@dataclass(frozen=True, slots=True)
class Identity:
    """What a meter was when it was taken over; `units` by key, `serial` empty where nobody said it."""

    model: str
    units: Mapping[str, str] = field(default_factory=dict)
    serial: str = ""

    def differs(self, now: "Identity") -> bool:
        """Tell whether it is another meter, or the same one read otherwise."""
        other_serial = bool(self.serial and now.serial and self.serial != now.serial)
        return other_serial or self.model != now.model or dict(self.units) != dict(now.units)

    def misses(self, seen: Iterable[tuple[str, ...]]) -> bool:
        """Tell whether a day's readings, by the keys they had, bring what was never announced or never what was."""
        keys = {key for row in seen for key in row}
        return bool(keys) and keys != set(self.units)


def identity_of(info: MeterInfo) -> Identity:
    """Read a meter's identity from its gateway's birth document."""
    return Identity(info.model, {key: row.get("unit", "") for key, row in info.quantities.items()})
