# ruff: noqa: INP001  an example of the documentation, not a package
"""A back end in one file: takes the blocks of every gateway into SQLite, and tells each gateway when its block is safe.

    python back_end.py mqtt://hub:secret@broker.example:1883 readings.sqlite

1. Several of these may run side by side: the subscription is shared, so each block comes to one of them.
2. A block is written whole, in one transaction. Keys make writing it twice the same as once.
3. Only then goes the PUBACK to the broker, and the stored ack to the gateway, which frees the block there.
4. What dies in between costs nothing: the gateway sends the block again.

It needs `paho-mqtt` and nothing of Nabd.
"""

import json
import sqlite3
import sys
import zlib
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

LARGEST = 1024 * 1024
TABLES = """
CREATE TABLE IF NOT EXISTS reading (tenant, meter, ts, gw, stream, seq, q, v, PRIMARY KEY (tenant, meter, ts));
CREATE TABLE IF NOT EXISTS untimed (tenant, stream, seq, gw, meter, boot, mono, q, v,
                                    PRIMARY KEY (tenant, stream, seq));
CREATE TABLE IF NOT EXISTS loss (tenant, stream, block, n, gw, loss, PRIMARY KEY (tenant, stream, block, n));
CREATE TABLE IF NOT EXISTS event (tenant, key, event, PRIMARY KEY (tenant, key));
"""
READING = "INSERT OR IGNORE INTO reading VALUES (:tenant, :meter, :ts, :gw, :stream, :seq, :q, :values)"
UNTIMED = "INSERT OR IGNORE INTO untimed VALUES (:tenant, :stream, :seq, :gw, :meter, :boot, :mono, :q, :values)"
LOSS = "INSERT OR IGNORE INTO loss VALUES (:tenant, :stream, :block, :n, :gw, :row)"
EVENT = "INSERT OR IGNORE INTO event VALUES (:tenant, :key, :row)"


def block_of(message: MQTTMessage, gw: str) -> dict[str, Any]:
    """Give the block in a message of this gateway, deflated or plain; raises ValueError for anything else."""
    payload = bytes(message.payload)
    if payload[:1] == b"\x78":
        inflater = zlib.decompressobj()
        try:
            payload = inflater.decompress(payload, LARGEST)
        except zlib.error as error:
            raise ValueError(f"not deflate: {error}") from error
        if not inflater.eof:
            raise ValueError("cut short, or larger than a block may be")
    block = json.loads(payload)
    if not isinstance(block, dict) or block.get("v") != 1:
        raise ValueError("not a block of version 1")
    if block["gw"] != gw or name_of(block) != getattr(message.properties, "CorrelationData", None):
        raise ValueError("not what its topic and Correlation Data say")
    return block


def name_of(block: dict[str, Any]) -> bytes:
    """Name a block as its Correlation Data does."""
    return f"{block['stream']}:{block['block']}".encode()


def keep(database: sqlite3.Connection, tenant: str, block: dict[str, Any]) -> None:
    """Write a block in one transaction; what is there already stays as it is."""
    whose = {"tenant": tenant, "gw": block["gw"], "stream": block["stream"], "block": block["block"]}
    with database:
        for row in block.get("readings", ()):
            database.execute(READING, {**row, **whose, "values": json.dumps(row["v"])})
        for row in block.get("untimed", ()):
            database.execute(UNTIMED, {**row, **whose, "values": json.dumps(row["v"])})
        for n, row in enumerate(block.get("losses", ())):
            database.execute(LOSS, {**whose, "n": n, "row": json.dumps(row)})
        for row in block.get("events", ()):
            database.execute(EVENT, {**whose, "key": row["key"], "row": json.dumps(row)})


def on_message(client: Client, database: sqlite3.Connection, message: MQTTMessage) -> None:
    """Take one block; what is none is acknowledged to the broker only, so that it does not come again and again."""
    root, version, tenant, gw, _ = message.topic.split("/")
    try:
        block = block_of(message, gw)
        keep(database, tenant, block)
    except (ValueError, KeyError, TypeError, sqlite3.InterfaceError, sqlite3.ProgrammingError) as error:
        sys.stderr.write(f"{message.topic}: not used: {error!r}\n")
    else:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = name_of(block)
        client.publish(f"{root}/{version}/{tenant}/{gw}/ack", b'{"status":"stored"}', qos=1, properties=properties)
    client.ack(message.mid, message.qos)


def main(url: str, path: str) -> None:
    """Serve for ever; a lost connection is made again."""
    place = urlsplit(url)
    database = sqlite3.connect(path, check_same_thread=False)
    database.executescript(TABLES)
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True)
    client.user_data_set(database)
    client.on_connect = lambda client, *_: client.subscribe("$share/store/nabd/v1/+/+/data", qos=1)
    client.on_message = on_message
    if place.username:
        client.username_pw_set(unquote(place.username), unquote(place.password or ""))
    if place.scheme == "mqtts":
        client.tls_set()
    client.connect(place.hostname or "localhost", place.port or (8883 if place.scheme == "mqtts" else 1883))
    client.loop_forever(retry_first_connection=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
