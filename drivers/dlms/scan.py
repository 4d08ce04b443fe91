"""Finds a DLMS meter: the public client opens a link, asks for the meter's own name, and closes it. No I/O.

Every meter must let the public client in and tell it that name, without any key, and nothing else need be readable.
"""

from collections.abc import Callable
from typing import TypeVar

from drivers.contract import DriverError, Keys
from drivers.dlms.association import Association, Identity, Manner
from drivers.dlms.client import Client
from drivers.dlms.data import Data
from drivers.dlms.hdlc import Address
from drivers.dlms.hdlc_link import HdlcLink
from drivers.dlms.link import Link
from drivers.dlms.link import Script as Talk
from drivers.dlms.objects import Descriptor
from drivers.dlms.security import Received
from drivers.dlms.wrapper import WrapperLink
from drivers.link import Line
from drivers.scan import Ask, Found, Script

T = TypeVar("T")

LINES = (Line(9600, 8, "N", 1), Line(2400, 8, "N", 1))
PUBLIC, READER = 16, 1
"""Clients: the public one, which asks here, and the one that will read."""

USUAL = 1
SERVERS = (USUAL, 16)
"""Logical devices: the management device, and where some makers put the only one."""

NAME = Descriptor(1, bytes((0, 0, 42, 0, 0, 255)), 2)
"""The logical device name: three letters of the maker, and what it chose."""

WAIT = 0.7
_MAKER = 3


def asked() -> Script[list[Found]]:
    """Ask a serial line."""
    for line in LINES:
        for server in SERVERS:
            talk = _name(HdlcLink(Address(PUBLIC), Address(server)))
            found = yield from _run(talk, line, None if server == USUAL else f"{READER}/{server}")
            if found is not None:
                return [found]
    return []


def host() -> Script[list[Found]]:
    """Ask a TCP host."""
    found = yield from _run(_name(WrapperLink(PUBLIC, 1)), LINES[0], None)
    return [] if found is None else [found]


def _run(talk: Talk[str], line: Line, address: str | None) -> Script[Found | None]:
    """Turn one exchange after the other into what a search asks; None where nobody takes the link."""
    ever = False
    name = ""
    try:
        sent = next(talk)
        while True:
            heard = yield Ask(sent, line, WAIT, "DLMS, as the public client", rest=0.1, left=WAIT if not ever else 0.0)
            ever = ever or _is_answer(heard)
            if not ever:
                return None
            sent = talk.send(heard)
    except StopIteration as end:
        name = end.value
    except DriverError:
        if not ever:
            return None
    finally:
        talk.close()
    said = f"its name is {name}" if name else "it takes a link, and does not tell its name"
    title = f"{name[:_MAKER]} DLMS meter" if name else "a DLMS meter"
    evidence = (said, "which models' tables it has needs its keys or its list")
    return Found("dlms", "dlms", title, "likely" if name else "something", evidence, line, address, name or None)


_FLAG = 0x7E
_VERSION = b"\x00\x01"


def _is_answer(heard: bytes) -> bool:
    return heard.count(_FLAG) > 1 or heard.startswith(_VERSION)


def _name(link: Link) -> Talk[str]:
    """Open, ask for the name, close."""
    yield from link.open()
    identity = Identity(bytes(8), _none, _zeros)
    association = Association(link, Manner(), Keys(), identity, Received())
    try:
        yield from association.open()
        result = yield from Client(association).get(NAME)
        raw = result.content if isinstance(result, Data) else b""
        text = raw.decode("ascii", "ignore") if isinstance(raw, bytes) else ""
        return "".join(sign for sign in text if sign.isprintable()).strip()
    except DriverError:
        return ""
    finally:
        yield from link.close()


_none: Callable[[], int] = int


def _zeros(count: int) -> bytes:
    return bytes(count)
