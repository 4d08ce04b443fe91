"""What the driver knows of a meter model: its rows, and how it is asked or what it pushes."""

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from drivers.contract import Keys
from drivers.dlms.acse import Mechanism
from drivers.dlms.association import Manner
from drivers.dlms.measured import Places, Register
from drivers.dlms.objects import Descriptor


@dataclass(frozen=True, slots=True)
class Asking:
    """How a meter is asked: link, client and server, HDLC's window and frame length, and the association's manner.

    `mechanism` is None where the meter's keys decide. `counter` is the object in which the meter shows the highest
    invocation counter it has seen of this client; `title` is our system title, where the meter knows only one.
    """

    link: str
    client: int
    server: int
    window: int
    frame: int
    mechanism: Mechanism | None
    manner: Manner
    counter: bytes | None = None
    title: bytes | None = None

    def manner_for(self, keys: Keys) -> Manner:
        """Fit the manner to what is known of the meter: keys mean HLS-GMAC, a password LLS, neither an open reading."""
        mechanism = self.mechanism
        if mechanism is None:
            secret = Mechanism.LOW if keys.password else Mechanism.NONE
            mechanism = Mechanism.HIGH_GMAC if keys.encryption else secret
        protection = self.manner.protection if keys.encryption else 0
        dedicated = self.manner.dedicated and bool(protection)
        return replace(self.manner, mechanism=mechanism, protection=protection, dedicated=dedicated)


@dataclass(frozen=True, slots=True)
class History:
    """The load profile that fills gaps, and the zone of its times where they name no deviation."""

    target: Descriptor
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled profile; a meter without `asking` pushes."""

    registers: tuple[Register, ...]
    lists: tuple[Places, ...] = ()
    asking: Asking | None = None
    history: History | None = None
