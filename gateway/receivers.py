"""Where the demo's messages arrive: a webhook, a push server and a mail server on 127.0.0.1, and a reader who answers.

1. Each is a real server of its protocol, as small as it can be; what arrives is printed in one line.
2. `told` says which alerts reached which channel, by the alert's id: the webhook names it, push and mail carry it in
   the link that acknowledges.
3. The reader follows the first such link of each alert, two seconds later, as a person with a phone would.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self

import orjson

from gateway.notify.http import PostError, post

CHANNELS = ("webhook", "push", "email")
READS_AFTER = 2.0
LARGEST = 256 * 1024
"""Bytes of one message: ours have some thousand."""

_LINK = re.compile(r"https?://[^\s\"<>]+/answer/acknowledge\.[\w-]+\.([0-9a-f]{16})\.[\w.-]+")


class Receivers:
    """Listens while its block runs."""

    def __init__(self, show: Callable[[str], None]) -> None:
        """`show` gets one line for each message."""
        self.told: dict[str, set[str]] = {channel: set() for channel in CHANNELS}
        self.answered: set[str] = set()
        self.arrived = dict.fromkeys(CHANNELS, 0)
        self._show = show
        self._servers: list[asyncio.Server] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen on free ports."""
        for serve in (self._http, self._smtp):
            self._servers.append(await asyncio.start_server(serve, "127.0.0.1", 0, limit=LARGEST))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening, and reading."""
        for server in self._servers:
            server.close()
        for task in self._reading:
            task.cancel()

    def channels_toml(self) -> str:
        """Write the tables of a hub's configuration that send here."""
        http, smtp = (server.sockets[0].getsockname()[1] for server in self._servers)
        return f"""
[[channel]]
name = "webhook"
kind = "webhook"
url  = "http://127.0.0.1:{http}/alerts"

[[channel]]
name = "phone"
kind = "ntfy"
url  = "http://127.0.0.1:{http}/nabd-demo"

[[channel]]
name = "mail"
kind = "smtp"
url  = "smtp+plain://127.0.0.1:{smtp}"
to   = "customer@home.example"
"""

    def complete(self, raised: int) -> bool:
        """Say whether so many alerts have reached every channel."""
        return all(len(alerts) >= raised for alerts in self.told.values())

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"(?im)^content-length: *(\d{1,6})", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            document = orjson.loads(body)
            if head.startswith("POST /alerts "):
                self._arrived("webhook", document["data"]["texts"]["en"]["title"], alert=document["data"]["id"])
            else:
                links = " ".join(action["url"] for action in document.get("actions", []))
                self._arrived("push", document["title"], links)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            await writer.drain()
        writer.close()

    async def _smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 demo\r\n")
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while line := (await reader.readline()).upper():
                if line.startswith(b"DATA"):
                    writer.write(b"354 go on\r\n")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    self._mail(message_from_bytes(data.replace(b"\r\n..", b"\r\n."), policy=policy.default))
                    writer.write(b"250 taken\r\n")
                elif line.startswith(b"QUIT"):
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250-demo\r\n250 SMTPUTF8\r\n" if line.startswith(b"EHLO") else b"250 ok\r\n")
        writer.close()

    def _mail(self, mail: EmailMessage) -> None:
        plain = mail.get_body(("plain",))
        self._arrived("email", str(mail["Subject"]), plain.get_content() if plain else "")

    def _arrived(self, channel: str, title: str, text: str = "", alert: str = "") -> None:
        self.arrived[channel] += 1
        self._show(f"         {channel:8} {title}")
        link = _LINK.search(text)
        alert = alert or (link[1] if link else "")
        if alert:
            self.told[channel].add(alert)
        if link and alert not in self.answered:
            self.answered.add(alert)
            task = asyncio.create_task(self._answer(link[0]), name=f"reader[{alert}]")
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _answer(self, url: str) -> None:
        await asyncio.sleep(READS_AFTER)
        try:
            answer = await post(url, {"content-type": "application/x-www-form-urlencoded"}, b"")
        except PostError as error:
            self._show(f"         reader   the link did not work: {error}")
        else:
            self._show(f"         reader   acknowledged by the link in the message ({answer.status})")
