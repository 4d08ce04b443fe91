"""The tables of edge.toml, hub.toml and home.toml: every option, its default, and one sentence about it.

Defaults are written as the file writes them ("10s") and go through the same validators. An option without a default is
either required or None; None means that the part is not used, or that its own rule decides, as its sentence says.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, FiniteFloat

from gateway.config.alerts import AlertsTable
from gateway.config.broker import BrokerTable, OwnBrokerTable, UplinkTable
from gateway.config.table import Table, option
from gateway.config.tariff import TariffTable
from gateway.config.urls import BusUrl, ChannelUrl, StoreUrl, WebUrl
from gateway.config.values import (
    Address,
    Currency,
    Device,
    EmergencyNumber,
    Framing,
    Hidden,
    Id,
    Listen,
    Mail,
    Model,
    PhoneNumber,
    Place,
    Protocol,
    Quiet,
    Readable,
    Size,
    Text,
    TopicName,
    Zone,
    lasting,
)
from gateway.config.virtual import VirtualMeters

Kind = Literal["edge", "hub", "home"]
Often = Literal["now", "bundled", "daily", "weekly", "off"]


class PlaceTable(Table):
    """Where people live: their time, language and money."""

    zone: Zone = option("The time zone in which days, bills and quiet hours begin.", "UTC")
    language: Literal["en", "ar"] = option("The language of pages and messages, en or ar.", "en")
    currency: Currency = option("The currency of tariffs and costs, as three capital letters.", "SAR")


class GatewayTable(PlaceTable):
    """Who this gateway is."""

    id: Id = option("The gateway's own name, unique at its broker.")
    tenant: Id = option("Whose gateway this is; it parts the topics and rows of different owners.", "home")


class TellingTable(PlaceTable):
    """A place whose people are told of alerts."""

    emergency: EmergencyNumber | None = option(
        "The number to call when it smells of gas; without it no person is told of gas that never stops.", None
    )


class HomeGatewayTable(GatewayTable, TellingTable):
    """Who this gateway is; a house has one."""

    id: Id = option("The gateway's own name, unique at its broker.", "home")


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


class StoreTable(Table):
    """The series store."""

    kind: Literal["sqlite", "postgres", "influx", "victoria"] = option(
        "A file of our own (sqlite), PostgreSQL (postgres), InfluxDB 2 (influx) or VictoriaMetrics (victoria).",
        "sqlite",
    )
    path: Place = option("The file of the sqlite store.", "state:readings.sqlite")
    url: StoreUrl | None = option(
        "Where the server answers: https://, http://, postgresql://host/database, or postgresql+plain:// without TLS.",
        None,
    )
    org: Text = option("The organisation at the influx store.", "nabd")
    bucket: Text = option("The bucket of the influx store.", "nabd")
    token_file: Hidden | None = option("The file that holds the token of the influx or victoria store.", None)
    username: Text | None = option("The user at the postgres store.", None)
    password_file: Hidden | None = option("The file that holds that user's password.", None)
    ca_file: Readable | None = option("The certificates to trust; the system's own unless given.", None)
    keep_raw: bool = option("Keep every reading, or only quarter-hours, which halves what is written to flash.", True)


class HubTable(TellingTable):
    """The hub itself."""

    id: Id = option("The hub's own name, unique at its broker.", "hub")
    database: Place = option("The hub's own database of events, accounts and messages.", "state:hub.sqlite")


class HomeHubTable(Table):
    """The customers' half of a house."""

    database: Place = option("The database of events, accounts and messages.", "state:hub.sqlite")


class WebTable(Table):
    """The pages."""

    listen: Listen = option("The address and port where the pages are served.", "127.0.0.1:8080")
    url: WebUrl | None = option("The address people reach the pages by, behind a proxy or by a name of your own.", None)
    tls: bool = option("Serve them by HTTPS with a key that this device makes for itself.", default=False)
    stay: Annotated[float, lasting("1h", "400d")] = option(
        "How long a device that opened the pages by a one-time link may stay away and still be known.", "30d"
    )


class ChannelTable(Table):
    """One way to tell people, or a program, of alerts."""

    name: Id = option("What this way is called, in links and figures.")
    kind: Literal["webhook", "ntfy", "smtp", "telegram", "sms", "mqtt", "webpush", "apprise"] = option(
        "A program (webhook), push to a phone (ntfy), mail (smtp), a chat (telegram), text messages (sms), "
        "a topic (mqtt), push to a browser (webpush), or one of apprise's services."
    )
    url: ChannelUrl | None = option(
        "The webhook's, the sms provider's or the broker's address, the topic's at an ntfy server, or the mail server, "
        "smtps:// or smtp:// (STARTTLS).",
        None,
    )
    to: Mail | None = option("The mail address that is written to.", None)
    sender: Mail | None = option("The mail address that writes; that of to unless given.", None)
    chat: Text | None = option("The chat that the bot writes to, by its number.", None)
    number: PhoneNumber | None = option("The telephone number that text messages go to, with its country.", None)
    body: Text | None = option("What the sms provider wants to be posted, JSON or a form, with {to} and {text}.", None)
    topic: TopicName | None = option("The MQTT topic; nabd/message/TENANT/NAME unless given.", None)
    username: Text | None = option("The user at the mail server, the sms provider or the broker.", None)
    password_file: Hidden | None = option("The file that holds that user's password.", None)
    token_file: Hidden | None = option(
        "The file that holds the access token of the ntfy server, the telegram bot or the sms provider.", None
    )
    secret_file: Hidden | None = option("The file that holds the secret with which webhooks are signed.", None)
    key_file: Hidden | None = option("The file that holds our private key for push to browsers.", None)
    address_file: Hidden | None = option(
        "The file that holds apprise's address, or a browser's subscription as it gave it.", None
    )
    ca_file: Readable | None = option("The certificates to trust; the system's own unless given.", None)
    language: Literal["en", "ar"] | None = option("The reader's language; that of the pages unless given.", None)
    severity: Literal["critical", "warning", "info"] = option(
        "The least that is told at once: the first channel tells a warning, each of them what is critical.", "warning"
    )
    safety: Often | None = option("How often it tells what is critical; never off on all of them.", None)
    leak: Often | None = option("How often it tells of leaks: now, bundled, daily, weekly or off.", None)
    usage: Often | None = option("How often it tells of unusual use.", None)
    cost: Often | None = option("How often it tells of bills and tariffs.", None)
    operator: Often | None = option("How often it tells of silent meters and the like.", None)
    digest: Literal["daily", "weekly", "off"] | None = option(
        "How often it brings the digest; weekly on the first channel but sms unless given.", None
    )
    quiet: Quiet = option("When only what is critical is told; a webhook knows no quiet.", "22:00-07:00")
    fasting: Quiet = option("When that is in Ramadan instead, such as 04:00-10:00.", "")
    second: bool = option("Told only what is critical and was answered by nobody.", False)


class HubChannelTable(ChannelTable):
    """One way to tell a customer, or a program, of alerts."""

    tenant: Id = option("Whose alerts it tells.", "home")


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
Channels = Annotated[tuple[ChannelTable, ...], Field(strict=False, max_length=16)]
HubChannels = Annotated[tuple[HubChannelTable, ...], Field(strict=False, max_length=2000)]


class EdgeConfig(Table):
    """edge.toml: a gateway of a fleet."""

    kind: ClassVar[Kind] = "edge"
    gateway: GatewayTable
    clock: ClockTable
    journal: JournalTable
    mqtt: UplinkTable
    web: WebTable
    alerts: AlertsTable
    bus: Buses = ()
    meter: Meters = ()
    virtual: VirtualMeters = ()


class HubConfig(Table):
    """hub.toml: the hub beside the store."""

    kind: ClassVar[Kind] = "hub"
    hub: HubTable
    mqtt: BrokerTable
    store: StoreTable
    web: WebTable
    tariff: TariffTable
    alerts: AlertsTable
    channel: HubChannels = ()


class HomeConfig(Table):
    """home.toml: gateway and hub of one house in one process; a broker of the owner's only where [mqtt] stands."""

    kind: ClassVar[Kind] = "home"
    gateway: HomeGatewayTable
    clock: ClockTable
    journal: JournalTable
    store: StoreTable
    hub: HomeHubTable
    mqtt: OwnBrokerTable | None = None
    web: WebTable
    tariff: TariffTable
    alerts: AlertsTable
    channel: Channels = ()
    bus: Buses = ()
    meter: Meters = ()
    virtual: VirtualMeters = ()


Document = EdgeConfig | HubConfig | HomeConfig
DOCUMENTS: dict[Kind, type[EdgeConfig] | type[HubConfig] | type[HomeConfig]] = {
    "edge": EdgeConfig, "hub": HubConfig, "home": HomeConfig,
}  # fmt: skip
