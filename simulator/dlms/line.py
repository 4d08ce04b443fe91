"""DLMS meters of a scenario: asked over HDLC or the wrapper, or pushing.

1. `key`, `auth_key` and `password` of a meter say which clients it lets in besides the public one (`meter.CLIENTS`).
2. Serial lines carry HDLC; on TCP it is what the meter's model says, the wrapper as a rule.
3. An address is the physical one on HDLC, the logical device behind the wrapper. Several meters share a line.
4. A model without a way of asking pushes, and has its line for itself.
"""

import os
from collections.abc import Sequence

from drivers.contract import Keys
from drivers.dlms.acse import Mechanism
from drivers.dlms.layout import Layout
from simulator.dlms.hdlc_server import HdlcServer, Offer
from simulator.dlms.household import objects
from simulator.dlms.meter import CLIENTS, DlmsMeter, counter_at
from simulator.dlms.push import EVERY, Push
from simulator.dlms.wrapper_server import WrapperServer
from simulator.place import Place, Placed
from simulator.pushing import PushingServer
from simulator.scenario import MeterTable
from simulator.serving import Send, Server, Session, SimulatorError

OFFER = Offer(length=1024, window=3)
MAKER = b"NBD"
SERIAL = 31_080_000
"""What meters have printed on them: this, and their address."""


def line(place: Place) -> Placed:
    """Serve the meters of a line; raises SimulatorError."""
    place.no_gateway()
    layouts: list[Layout] = [model.layout for model in place.models]
    if any(layout.asking is None for layout in layouts):
        return _pushing(place, layouts[0])
    addresses = [meter.address for meter in place.meters]
    if len(set(addresses)) < len(addresses) or (None in addresses and len(addresses) > 1):
        raise SimulatorError(f"two meters of line {place.table.name} have one address", "give each its own")
    return Placed(
        Together([_server(place, meter, layout) for meter, layout in zip(place.meters, layouts, strict=True)])
    )


def _server(place: Place, table: MeterTable, layout: Layout) -> Server:
    if table.channel != "electricity":
        raise SimulatorError(f"{table.name} measures {table.channel}", "DLMS meters here measure electricity")
    meter = _meter(place, table)
    link = layout.asking.link if layout.asking else "usual"
    if link == "mode-e":
        raise SimulatorError(f"{table.name}: no simulated meter signs on by mode E", "take a model with another link")
    if link == "hdlc" or (link == "usual" and place.table.kind == "pty"):
        return HdlcServer(meter, table.address, OFFER)
    return WrapperServer(meter, 1 if table.address is None else table.address)


def _meter(place: Place, table: MeterTable) -> DlmsMeter:
    serial = f"{SERIAL + (table.address or 0):08}"
    things = tuple(objects(place.homes[table.household], place.now, place.zone, f"NBD{serial:0>13}", serial))
    keys = _keys(table)
    clients = {client: way for client, way in CLIENTS.items() if _can_be(way.mechanism, keys, ciphered=way.ciphered)}
    counter = counter_at(place.now())
    return DlmsMeter(_title(table), things, keys, place.now, os.urandom, clients, counter=counter)


def _pushing(place: Place, layout: Layout) -> Placed:
    table = place.only_meter()
    if layout.lists or layout.asking:
        raise SimulatorError(
            f"{table.name}: its model names values by their place", "simulated pushes carry codes: take dlms-push"
        )
    push = Push(place.homes[table.household], place.now, place.zone, _title(table), _keys(table))
    return Placed(PushingServer(push.telegram, EVERY))


def _title(table: MeterTable) -> bytes:
    return MAKER + (SERIAL + (table.address or 0)).to_bytes(5, "big")


def _keys(table: MeterTable) -> Keys:
    key, auth_key = (None if text is None else bytes.fromhex(text) for text in (table.key, table.auth_key))
    return Keys(key, auth_key, table.password.encode() if table.password else None)


def _can_be(mechanism: Mechanism, keys: Keys, *, ciphered: bool) -> bool:
    """Tell whether a meter with these secrets can let such a client in."""
    has_keys = bool(keys.encryption and keys.authentication)
    return (has_keys or not ciphered) and (keys.password is not None or mechanism is not Mechanism.LOW)


class Together:
    """Several meters on one line; each answers to its own address."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = servers

    def open(self, send: Send) -> Session:
        """Begin a conversation with all of them."""
        return _Joined([server.open(send) for server in self._servers])


class _Joined:
    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions = sessions

    def feed(self, data: bytes) -> None:
        for session in self._sessions:
            session.feed(data)

    def close(self) -> None:
        for session in self._sessions:
            session.close()
