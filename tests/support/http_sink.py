"""A tiny HTTP server that keeps what is posted to it and answers as told; it honours the idempotency key when asked."""

import asyncio
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Posted:
    """One request, header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpSink:
    """Listens on 127.0.0.1; `answer` is sent as it is, `after` seconds late; `posted` holds every request."""

    answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    after: float = 0.0
    tls: ssl.SSLContext | None = None
    endless: bool = False
    posted: list[Posted] = field(default_factory=list)
    _server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer with this from now on."""
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.answer = f"HTTP/1.1 {status} Said\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls, backlog=200)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if ": " in line)
            }
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.posted.append(Posted(head[0].split()[1], headers, body))
            await asyncio.sleep(self.after)
            writer.write(self.answer)
            while self.endless:
                writer.write(b"x" * 65536)
                await writer.drain()
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()
