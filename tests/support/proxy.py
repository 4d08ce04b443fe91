"""A TCP proxy that can lose a link as the real world does: without a word.

async with TcpProxy("127.0.0.1", broker.port) as proxy:  # connect to proxy.url
    proxy.swallow()  # bytes go nowhere; no FIN, no RST
    proxy.resume()  # connections that lived through the silence get RST, as from a rebooted NAT
    proxy.cut()  # abort every connection now
"""

import asyncio
import contextlib
import socket
import struct
from typing import Self

CHUNK = 65536


class TcpProxy:
    """Forwards connections to a target; `passed` counts bytes in both directions, `connections` those accepted."""

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self.passed = 0
        self.connections = 0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it listens, as an MQTT Endpoint wants it."""
        return f"mqtt://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def swallowing(self) -> bool:
        """Whether bytes are being lost."""
        return not self._flowing.is_set()

    def swallow(self) -> None:
        """Lose every byte from now on, of new connections too, and keep all of them open."""
        self._flowing.clear()

    def resume(self) -> None:
        """Forward again; the connections that went through the silence are reset."""
        self._flowing.set()
        self.cut()

    def cut(self) -> None:
        """Reset every connection now."""
        for writer in self._writers:
            raw = writer.get_extra_info("socket")
            if raw is not None and not writer.transport.is_closing():
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close means RST
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        self._writers.add(writer)
        try:
            while self.swallowing and await reader.read(CHUNK):
                pass
            there, back = await asyncio.open_connection(*self._target)
            self._writers.add(back)
            await self._both(reader, back, there, writer)
        except OSError:
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    async def _both(
        self,
        reader: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, back))
                group.create_task(self._pump(there, writer))
        finally:
            back.transport.abort()
            self._writers.discard(back)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Forward until the source ends, then end the sink; an end within a silence is swallowed too."""
        with contextlib.suppress(ConnectionError):
            while data := await source.read(CHUNK):
                if not self.swallowing:
                    self.passed += len(data)
                    sink.write(data)
                    await sink.drain()
        await self._flowing.wait()
        with contextlib.suppress(OSError, RuntimeError):
            sink.write_eof()
