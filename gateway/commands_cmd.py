"""`nabd command GATEWAY NAME [FIELD=VALUE …]`: a hub sends one command and prints the reply.

Fields are JSON where they are JSON, else text; `config=@FILE` takes a file's text.
"""

import asyncio
import re
import secrets
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from gateway.config.build import endpoint_of
from gateway.config.customers import HubConfig
from gateway.message import ID, Topics
from gateway.mqtt import connect
from gateway.transport import Connect, Message, TransportError

VALID = 60
"""Seconds a command is valid, as contracts say."""
LARGEST = 64 * 1024

Say = Callable[[str], None]


def run(options: Namespace, config: HubConfig, say: Say, complain: Say) -> int:
    """Send the command that the options name: 0 when it was carried out, 1 when not, 2 when it cannot be sent."""
    try:
        topics = topics_of(options.gateway, config.mqtt.root)
        fields = fields_of(options.fields)
    except (OSError, ValueError) as error:
        complain(f"nabd command: {error}")
        return 2
    message = command(topics, options.name, options.role, fields, secrets.token_hex(8))
    try:
        reply = asyncio.run(send(config, topics, message, options.wait))
    except (TransportError, TimeoutError) as error:
        complain(f"nabd command: {str(error) or f'no reply within {options.wait:g} s; is the gateway online?'}")
        return 2
    say(orjson.dumps(reply, option=orjson.OPT_INDENT_2).decode())
    return 1 if "error" in reply else 0


def topics_of(gateway: str, root: str) -> Topics:
    """Read [TENANT/]GATEWAY; raises ValueError."""
    tenant, slash, gw = gateway.rpartition("/")
    if not re.fullmatch(ID, gw) or (slash and not re.fullmatch(ID, tenant)):
        raise ValueError("a gateway is named by its id, or by its tenant's, a slash and its id")
    return Topics(tenant or "home", gw, root)


def fields_of(given: Sequence[str]) -> dict[str, Any]:
    """Read FIELD=VALUE; raises ValueError, or OSError for a file that cannot be read."""
    fields: dict[str, Any] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{pair!r} is not FIELD=VALUE")
        if value.startswith("@"):
            fields[name] = Path(value[1:]).read_text(encoding="utf-8")
            continue
        try:
            fields[name] = orjson.loads(value)
        except orjson.JSONDecodeError:
            fields[name] = value
    return fields


def command(topics: Topics, name: str, role: str, fields: Mapping[str, Any], identity: str) -> Message:
    """Make the message; the broker counts its time down, so that no clock of ours matters."""
    return Message(
        topics.of("cmd", name),
        orjson.dumps({**fields, "id": identity, "role": role}),
        qos=1,
        expiry=VALID,
        response_topic=topics.of("reply"),
        correlation=identity.encode(),
    )


async def send(
    config: HubConfig, topics: Topics, message: Message, wait: float, dial: Connect = connect
) -> dict[str, Any]:
    """Send it and await its reply; raises TransportError, or TimeoutError after `wait` seconds."""
    connection = await dial(endpoint_of(config.mqtt, f"{config.hub.id}-command-{secrets.token_hex(4)}"))
    try:
        await connection.subscribe([topics.of("reply")])
        await connection.publish(message)
        async with asyncio.timeout(wait):
            async for arrived in connection.messages():
                arrived.ack()
                if arrived.message.correlation == message.correlation and len(arrived.message.payload) <= LARGEST:
                    return _reply(arrived.message.payload)
    finally:
        await connection.close()
    raise TimeoutError


def _reply(payload: bytes) -> dict[str, Any]:
    try:
        reply = orjson.loads(payload)
    except orjson.JSONDecodeError:
        reply = None
    return reply if isinstance(reply, dict) else {"error": "the reply is not a JSON object"}
