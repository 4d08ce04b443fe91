"""What options must be to each other: names unique, buses there, protocols agreeing, secrets and addresses complete.

Each check yields findings (key, what, hint) and knows nothing of lines; `find` runs those that fit the document.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.config import virtual_relations
from gateway.config.broker import BrokerTable
from gateway.config.build import meter_id
from gateway.config.locate import Key
from gateway.config.models import BusTable, Wired
from gateway.config.near import meant, shown

if TYPE_CHECKING:
    from gateway.config.customers import Document

Finding = tuple[Key, str, str]

LONGEST_ID = 64
SERIAL_UNITS = range(1, 248)
TCP_UNITS = range(256)
UNIT = 1
"""The Modbus driver's unit for a meter without an address."""


def find(config: "Document") -> Iterator[Finding]:
    """Yield all that does not fit together."""
    if config.mqtt is not None:
        yield from _broker(config.mqtt, named=config.kind == "edge")
    if config.kind != "edge":
        from gateway.config import customer_relations  # noqa: PLC0415  an edge has no room for it in its memory

        yield from customer_relations.find(config)
    if config.kind != "hub":
        for number, bus in enumerate(config.bus):
            yield from _bus(bus, ("bus", number))
        yield from _one_wire_each(config)
        yield from _meters(config)
        yield from _addresses(config)
        yield from virtual_relations.find(config)


def _broker(mqtt: BrokerTable, *, named: bool) -> Iterator[Finding]:
    if (mqtt.cert_file is None) != (mqtt.key_file is None):
        there, gone = ("cert_file", "key_file") if mqtt.cert_file else ("key_file", "cert_file")
        yield ("mqtt", there), f"needs {gone} beside it", "a certificate and its private key go together"
    if mqtt.identity and mqtt.cert_file:
        yield ("mqtt", "cert_file"), "stands beside identity", "delete one: identity has its own certificate"
    if mqtt.url.startswith("mqtt:") and (mqtt.ca_file or mqtt.cert_file):
        yield ("mqtt", "url"), "is without TLS, though certificates are given", "write mqtts:// and its port"
    if mqtt.password_file and not mqtt.username and not named:
        yield ("mqtt", "password_file"), "needs username beside it", "only a fleet's gateway has a user by default"


def _bus(bus: BusTable, key: Key) -> Iterator[Finding]:
    if bus.device and bus.url:
        yield (*key, "url"), "stands beside device", "a bus is a device or a host; delete one"
    if not bus.device and not bus.url:
        yield key, "has neither device nor url", 'device = "/dev/ttyUSB0" or url = "tcp://192.0.2.10:502"'
    for name in ("baud", "framing"):
        if bus.url and getattr(bus, name) is not None:
            yield (*key, name), "is for a serial device only", "set it at the other end of the url"
    if bus.in_flight > 1 and not (bus.driver == "modbus" and bus.url and bus.url.startswith("tcp:")):
        yield (*key, "in_flight"), "is for Modbus TCP only", "delete it: anything else answers one request at a time"
    if bus.url and bus.url.startswith("rtu+tcp:") and bus.driver != "modbus":
        yield (*key, "url"), "is for Modbus only", "write tcp://"


def _one_wire_each(config: Wired) -> Iterator[Finding]:
    names: dict[str, int] = {}
    wires: dict[str, str] = {}
    for number, bus in enumerate(config.bus):
        if names.setdefault(bus.name, number) != number:
            yield ("bus", number, "name"), f"is {shown(bus.name)}, as bus number {names[bus.name] + 1} is", "rename one"
        option, where = ("device", os.path.realpath(bus.device)) if bus.device else ("url", (bus.url or "").lower())
        if where and wires.setdefault(where, bus.name) != bus.name:
            yield ("bus", number, option), f"is that of bus {wires[where]} too", "put all meters of a wire on one bus"


def _buses(config: Wired) -> dict[str, BusTable]:
    """Find buses by name; of two with one name the first, so that the mistake is told once."""
    found: dict[str, BusTable] = {}
    for bus in config.bus:
        found.setdefault(bus.name, bus)
    return found


def _meters(config: Wired) -> Iterator[Finding]:
    buses = _buses(config)
    names: dict[str, int] = {}
    ids: dict[str, str] = {}
    for number, meter in enumerate(config.meter):
        key: Key = ("meter", number)
        if names.setdefault(meter.name, number) != number:
            first = names[meter.name] + 1
            yield (*key, "name"), f"is {shown(meter.name)}, as meter number {first} is", "rename one"
            continue
        wire = meter_id(config, meter)
        if len(wire) > LONGEST_ID:
            yield (*key, "name"), f"makes the id {wire}, longer than {LONGEST_ID}", "shorten it or the gateway's id"
        if ids.setdefault(wire, meter.name) != meter.name:
            yield (*key, "id" if meter.id else "name"), f"makes the id {wire}, as meter {ids[wire]} does", "change one"
        if meter.bus not in buses:
            hint = meant(meter.bus, buses, f"the buses are {', '.join(buses)}" if buses else "add a [[bus]]")
            yield (*key, "bus"), f"is {shown(meter.bus)}, and there is no such bus", hint
        elif meter.profile.driver != buses[meter.bus].driver:
            speaks, spoken = meter.profile.driver, buses[meter.bus].driver
            yield (
                (*key, "profile"),
                f"speaks {speaks}, but bus {meter.bus} speaks {spoken}",
                f'choose a {spoken} profile, or put the meter on a bus with driver = "{speaks}"',
            )
        rest = getattr(meter.profile.layout, "rest", 0)
        if meter.every < rest:
            yield (
                (*key, "every"),
                f"is more often than its battery was made for, once in {rest} s",
                "lengthen it",
            )


def _addresses(config: Wired) -> Iterator[Finding]:
    buses = _buses(config)
    taken: dict[tuple[str, str, str], str] = {}
    for number, meter in enumerate(config.meter):
        key: Key = ("meter", number, "address") if meter.address is not None else ("meter", number)
        bus = buses.get(meter.bus)
        modbus = bus is not None and bus.driver == "modbus"
        units = TCP_UNITS if bus is not None and bus.url and bus.url.startswith("tcp:") else SERIAL_UNITS
        if modbus and meter.address is not None and meter.address not in units:
            yield key, f"is {shown(meter.address)}", f"a Modbus unit is a number from {units[0]} to {units[-1]}"
        # A P1 port shows the main meter and the gas meter at once: same bus, no address, two profiles.
        address = meter.address if meter.address is not None else UNIT if modbus else ""
        first = taken.setdefault((meter.bus, str(address), meter.profile.name), meter.name)
        if first != meter.name:
            what = f"is {shown(meter.address)}" if meter.address is not None else "has no address"
            yield key, f"{what}, like meter {first} on bus {meter.bus}", "two meters on a bus have two addresses"
