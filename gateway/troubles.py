"""What keeps a gateway from its work, in words for its page: no network, no bus, no time, no broker.

None of them keeps it from starting: it reads what it can, keeps what it reads, and says here what it waits for.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.i18n import N_

ROUTES = (Path("/proc/net/route"), Path("/proc/net/ipv6_route"))

_NETWORK = N_("No network: check the cable or the wireless password. Meters are read meanwhile.")
_BUS = N_("The bus {name} cannot be reached ({reason}). Check its adapter and cable; it is tried again by itself.")
_CLOCK = N_(
    "The time is not known yet: connect the network, or set the clock. Readings are kept, and get their time then."
)
_BROKER = N_("The broker cannot be reached: check that it runs. Nothing is lost; it is tried again by itself.")


class Trouble(NamedTuple):
    """One sentence; its places are filled with names and reasons that nobody translates."""

    text: str
    parts: Mapping[str, str]


def troubles(*, network: bool, clock: str, buses: Mapping[str, str], broker: bool) -> Sequence[Trouble]:
    """Say what is amiss; `buses` gives each one's fault, "" where it is well, `clock` the clock's state."""
    found = []
    if not network:
        found.append(Trouble(_NETWORK, {}))
    for name, fault in buses.items():
        if fault:
            found.append(Trouble(_BUS, {"name": name, "reason": fault}))
    if clock == "unsynced":
        found.append(Trouble(_CLOCK, {}))
    if not broker:
        found.append(Trouble(_BROKER, {}))
    return found


def has_network(routes: Sequence[Path] = ROUTES) -> bool:
    """Tell whether any way leads out of this box, by the kernel's tables; True where they cannot be read."""
    try:
        lines = [line.split() for path in routes if path.exists() for line in path.read_text("ascii").splitlines()]
    except OSError:
        return True
    return not lines or any(words[0 if len(words[0]) < len("0" * 32) else -1] not in ("Iface", "lo") for words in lines)
