"""The table [mqtt]: how a hub and a gateway of a fleet reach their broker; a house's own is customers.py's."""

from typing import Annotated, Literal

from gateway.config.table import Table, option
from gateway.config.urls import BrokerUrl
from gateway.config.values import Hidden, Id, Place, Readable, Text, lasting


class BrokerTable(Table):
    """How the broker is reached."""

    url: BrokerUrl = option("The broker, mqtts:// with TLS or mqtt:// without.")
    root: Id = option("The first part of every topic.", "nabd")
    username: Text | None = option("The user at the broker; a gateway's is tenant/id unless given.", None)
    password_file: Hidden | None = option(
        "The file that holds the password, or credential:NAME for one from systemd.", None
    )
    keepalive: Annotated[float, lasting("5s", "1h")] = option(
        "How often a silent link is tried, which is how soon a dead one is noticed.", "30s"
    )
    identity: Place | None = option(
        "The folder of a key and certificate of our own; the first start makes the key, `nabd enrol` brings the rest.",
        None,
    )
    ca_file: Readable | None = option("The certificates to trust; the system's own unless given.", None)
    cert_file: Readable | None = option("The certificate that shows the broker who we are.", None)
    key_file: Hidden | None = option("The private key of cert_file.", None)


class UplinkTable(BrokerTable):
    """How a gateway of a fleet reaches its broker."""

    ack_mode: Literal["stored", "puback"] = option(
        "A block is let go once the store has it (stored), or the broker, which may forget (puback).", "stored"
    )
    ack_timeout: Annotated[float, lasting("5s", "10m")] = option(
        "How long a block waits for its acknowledgement before it is sent again.", "75s"
    )
    spread: Annotated[float, lasting("1s", "60s")] = option(
        "The longest first wait after a lost connection; 60s keeps ten thousand gateways from coming back at once.",
        "1s",
    )
    live_every: Annotated[float, lasting("0s", "1h")] = option(
        "The shortest time between two live values of one meter.", "10s"
    )
    discovery: bool = option("Tell Home Assistant of every meter by MQTT discovery.", False)
    discovery_prefix: Id = option("The first part of Home Assistant's discovery topics.", "homeassistant")
