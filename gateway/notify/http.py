"""One HTTP POST: h11 on a connection of asyncio's, for messages need nothing more.

1. No redirect is followed, no proxy and no cookie known: what is posted goes where the configuration says.
2. Everything the other side says is bounded, and so is the time it may take.
3. `PostError` is the one error. It names host and cause, never the path or a header: tokens stand in those.

Addresses come from the operator's own file, so they may lie in the local network; whoever lets customers type them
must check where a name leads before connecting.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from gateway.tls import client_side

HEAD_LIMIT = 16 * 1024
"""Bytes of an answer's head: servers commonly send under 2 kB and refuse to take more than 16 themselves."""
BODY_LIMIT = 16 * 1024
"""Bytes of an answer's body that are read: an id or an error stands in the first few hundred."""
CHUNK = 4096


class PostError(Exception):
    """No answer, or none that is HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; `body` may be cut at BODY_LIMIT, header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def post(
    url: str, headers: Mapping[str, str], body: bytes, *, tls: ssl.SSLContext | None = None, timeout: float = 20.0
) -> Answer:
    """POST `body` to an http or https URL within `timeout` seconds; raises PostError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    secure = (tls or client_side()) if parts.scheme == "https" else None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, parts.port or (443 if secure else 80), ssl=secure)
            try:
                return await _talk(reader, writer, _request(parts.netloc, parts.path, parts.query, headers, body), body)
            finally:
                # Without waiting for the other side's goodbye, which may never come.
                writer.transport.abort()
    except TimeoutError:
        raise PostError(f"{host} did not answer within {timeout:g} s") from None
    except (OSError, h11.ProtocolError, ValueError) as error:
        raise PostError(f"{host}: {_cause(error)}") from None


def _request(netloc: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> h11.Request:
    fields = {"host": netloc, "user-agent": "nabd", "connection": "close", "content-length": str(len(body)), **headers}
    target = (path or "/") + (f"?{query}" if query else "")
    return h11.Request(method="POST", target=target, headers=list(fields.items()))


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request, body: bytes
) -> Answer:
    wire = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
    for part in (request, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(wire.send(part) or b"")
    await writer.drain()
    response: h11.Response | None = None
    said = b""
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(CHUNK))
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            said += bytes(event.data)
        if response is not None and (isinstance(event, h11.EndOfMessage) or len(said) >= BODY_LIMIT):
            head = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status_code, head, said[:BODY_LIMIT])
        if event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("it gave no answer")


def _cause(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__ if isinstance(error, ValueError) else str(error)
