"""The tables of edge.toml: every option, its default, and one sentence about it. Other files have more: customers.py.

Defaults are written as the file writes them ("10s") and go through the same validators. An option without a default is
either required or None; None means that the part is not used, or that its own rule decides, as its sentence says.
"""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, FiniteFloat

from gateway.config.alerts import AlertsTable
from gateway.config.broker import UplinkTable
from gateway.config.table import Table, option
from gateway.config.urls import BusUrl, WebUrl
from gateway.config.values import (
    Address,
    Currency,
    Device,
    Framing,
    Hidden,
    Id,
    Listen,
    Model,
    Place,
    Protocol,
    Size,
    Zone,
    lasting,
)
from gateway.config.virtual import VirtualMeters

if TYPE_CHECKING:
    from gateway.config.customers import HomeConfig

Kind = Literal["edge", "hub", "home"]


class PlaceTable(Table):
    """Where people live: their time, language and money."""

    zone: Zone = option("The time zone in which days, bills and quiet hours begin.", "UTC")
    language: Literal["en", "ar"] = option("The language of pages and messages, en or ar.", "en")
    currency: Currency = option("The currency of tariffs and costs, as three capital letters.", "SAR")


class GatewayTable(PlaceTable):
    """Who this gateway is."""

    id: Id = option("The gateway's own name, unique at its broker.")
    tenant: Id = option("Whose gateway this is; it parts the topics and rows of different owners.", "home")


class ClockTable(Table):
    """How true time is found on a board that may have no clock."""

    trust: Literal["auto", "system"] = option(
        "Trust the clock once it is synchronised (auto), or always (system, for sites without NTP).", "auto"
    )
    wait: Annotated[float, lasting("0s", "1d")] = option(
        "How long readings are held back for true time before they go out without it.", "15m"
    )


class JournalTable(Table):
    """Where readings lie until the store has them."""

    folder: Place = option("The folder of the journal; state: is the service's own folder.", "state:journal")
    window: Annotated[float, lasting("1s", "60s")] = option(
        "How much time one block holds: a power cut loses at most this, a longer one spares flash.", "10s"
    )
    quota: Size = option("The most the journal takes; never over half of what is free at first.", "2GB")
    keep: Annotated[float, lasting("0s", "400d")] = option(
        "How long blocks that the store already has are kept for replay.", "7d"
    )
    mirror: Place | None = option(
        "The folder in memory that mirrors the open block; unless given, the service's run folder.", None
    )


class WebTable(Table):
    """The pages."""

    listen: Listen = option("The address and port where the pages are served.", "127.0.0.1:8080")
    url: WebUrl | None = option("The address people reach the pages by, behind a proxy or by a name of your own.", None)
    tls: bool = option("Serve them by HTTPS with a key that this device makes for itself.", default=False)
    stay: Annotated[float, lasting("1h", "400d")] = option(
        "How long a device that opened the pages by a one-time link may stay away and still be known.", "30d"
    )


class BusTable(Table):
    """One wire with meters on it: a serial device or a host."""

    name: Id = option("What meters call this bus.")
    driver: Protocol = option("The protocol spoken on it.")
    device: Device | None = option("The serial device.", None)
    url: BusUrl | None = option(
        "The host instead: tcp://, rtu+tcp:// (Modbus RTU over TCP) or capture: (a recording).", None
    )
    baud: Annotated[int, Field(ge=50, le=4_000_000)] | None = option(
        "Bits a second; the protocol's usual speed unless given.", None
    )
    framing: Framing | None = option("Data bits, parity and stop bits; the protocol's usual ones unless given.", None)
    in_flight: Annotated[int, Field(ge=1, le=64)] = option(
        "How many requests a Modbus TCP host may have open at once; many gateways take no more than one.", 1
    )


class MeterTable(Table):
    """One meter."""

    name: Id = option("What people call this meter here; the world sees gateway_name.")
    bus: Id = option("The bus it hangs on.")
    profile: Model = option("Its model, from meters/ beside this file or as shipped.")
    id: Id | None = option("Its name in the world instead, such as its maker and serial number.", None)
    address: Address | None = option(
        "Its address on the bus, where a bus has several: a Modbus unit, a P1 channel.", None
    )
    every: Annotated[float, lasting("0s", "1d")] = option("How often it is read; 0s is without pause.", "10s")
    thin: Literal["last", "mean"] = option(
        "What counts of powers and the like that a meter tells more often than that: the last value, or the mean.",
        "last",
    )
    deadline: Annotated[float, lasting("10ms", "10m")] = option("How long one answer may take.", "1s")
    key_file: Hidden | None = option("The file that holds its key in hexadecimal.", None)
    auth_key_file: Hidden | None = option("The file that holds its authentication key in hexadecimal.", None)
    password_file: Hidden | None = option("The file that holds the password it asks of a reader.", None)
    ratio: Annotated[FiniteFloat, Field(gt=0, le=1e9)] = option(
        "What energies, powers, currents, volumes and flows are multiplied by: a transformer's ratio.", 1.0
    )
    offset: FiniteFloat = option("What is then added to the main register, in Wh or litres, to match the display.", 0.0)
    rating_a: Annotated[float, Field(gt=0, le=10_000)] | None = option(
        "The main fuse in ampere, above which an overload is raised; none unless given.", None
    )
    pv: bool = option("Whether a solar plant may push energy out here, so that export is no reverse flow.", False)


Buses = Annotated[tuple[BusTable, ...], Field(strict=False, max_length=64)]
Meters = Annotated[tuple[MeterTable, ...], Field(strict=False, max_length=2000)]


class EdgeConfig(Table):
    """edge.toml: a gateway of a fleet."""

    kind: ClassVar[Literal["edge"]] = "edge"
    gateway: GatewayTable
    clock: ClockTable
    journal: JournalTable
    mqtt: UplinkTable
    web: WebTable
    alerts: AlertsTable
    bus: Buses = ()
    meter: Meters = ()
    virtual: VirtualMeters = ()


Wired: TypeAlias = "EdgeConfig | HomeConfig"
"""A document with meters in it. As text, for an edge has no room in its memory for the tables of a house."""
