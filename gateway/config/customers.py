"""The tables that only hub.toml and home.toml have: stores, the people who are told, the ways to tell them, tariffs.

A gateway of a fleet knows no customer, so it never imports this (tests/gateway/test_lean.py).
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gateway.config.alerts import AlertsTable
from gateway.config.broker import BrokerTable
from gateway.config.models import (
    Buses,
    ClockTable,
    EdgeConfig,
    GatewayTable,
    JournalTable,
    Meters,
    PlaceTable,
    WebTable,
)
from gateway.config.table import Table, option
from gateway.config.tariff import TariffTable
from gateway.config.urls import ChannelUrl, StoreUrl
from gateway.config.values import (
    EmergencyNumber,
    Hidden,
    Id,
    Mail,
    PhoneNumber,
    Place,
    Quiet,
    Readable,
    Text,
    TopicName,
    lasting,
)
from gateway.config.virtual import VirtualMeters

Often = Literal["now", "bundled", "daily", "weekly", "off"]


class TellingTable(PlaceTable):
    """A place whose people are told of alerts."""

    emergency: EmergencyNumber | None = option(
        "The number to call when it smells of gas; without it no person is told of gas that never stops.", None
    )


class HomeGatewayTable(GatewayTable, TellingTable):
    """Who this gateway is; a house has one."""

    id: Id = option("The gateway's own name, unique at its broker.", "home")


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
    raw: Annotated[float, lasting("1d", "3650d")] = option(
        "How long every reading is kept; of older ones the first of each quarter-hour stays.", "30d"
    )


class HubTable(TellingTable):
    """The hub itself."""

    id: Id = option("The hub's own name, unique at its broker.", "hub")
    database: Place = option("The hub's own database of events, accounts and messages.", "state:hub.sqlite")


class HomeHubTable(Table):
    """The customers' half of a house."""

    database: Place = option("The database of events, accounts and messages.", "state:hub.sqlite")


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


class OwnBrokerTable(BrokerTable):
    """How a house's own broker is reached, which stores nothing for us."""

    live_every: Annotated[float, lasting("0s", "1h")] = option(
        "The shortest time between two live values of one meter.", "1s"
    )
    discovery: bool = option("Tell Home Assistant of every meter by MQTT discovery.", True)
    discovery_prefix: Id = option("The first part of Home Assistant's discovery topics.", "homeassistant")


Channels = Annotated[tuple[ChannelTable, ...], Field(strict=False, max_length=16)]
HubChannels = Annotated[tuple[HubChannelTable, ...], Field(strict=False, max_length=2000)]


class HubConfig(Table):
    """hub.toml: the hub beside the store."""

    kind: ClassVar[Literal["hub"]] = "hub"
    hub: HubTable
    mqtt: BrokerTable
    store: StoreTable
    web: WebTable
    tariff: TariffTable
    alerts: AlertsTable
    channel: HubChannels = ()


class HomeConfig(Table):
    """home.toml: gateway and hub of one house in one process; a broker of the owner's only where [mqtt] stands."""

    kind: ClassVar[Literal["home"]] = "home"
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
