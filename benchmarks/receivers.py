"""Two real servers of their own process: SMTP and HTTP. Each message they accept is a line: kind, moment, name.

python -m benchmarks.receivers    first line: the ports of both, SMTP first
"""

import asyncio
import re
import time
from typing import Any

from aiosmtpd.smtp import SMTP

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Mails:
    """Takes every mail."""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        """Say when it came, and its Message-ID."""
        found = re.search(rb"(?mi)^message-id:\s*<([^@>]+)", envelope.content)
        tell("smtp", found[1].decode() if found else "")
        return "250 taken"


async def hook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take one POST; say when it came, and its id."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = re.search(r"content-length: (\d+)", head)
    await reader.readexactly(int(length[1]) if length else 0)
    name = re.search(r"webhook-id: (\S+)", head)
    tell("webhook", name[1] if name else "")
    writer.write(ANSWER)
    await writer.drain()
    writer.close()


def tell(kind: str, name: str) -> None:
    """Write one line."""
    print(kind, time.time(), name, flush=True)


async def main() -> None:
    """Serve until ended."""
    loop = asyncio.get_running_loop()
    handler = Mails()
    mails = await loop.create_server(lambda: SMTP(handler), "127.0.0.1", 0, backlog=200)
    hooks = await asyncio.start_server(hook, "127.0.0.1", 0, backlog=200)
    print(*(server.sockets[0].getsockname()[1] for server in (mails, hooks)), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
