"""HTTPS for the pages, with a key that this device made for itself at the first start.

1. `open_tls` makes key and certificates in a folder beside the sessions, unless they are there for today's names.
2. `run` makes the page's certificate anew a month before it ends; connections that come after it see the new one.

Nobody hands out a certificate for a name like `nabd.local`, so people tell their devices to trust this one, or compare
its fingerprint: docs/how-to/https-on-the-lan.md.
"""

import asyncio
import hashlib
import ssl
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway.identity.errors import Unusable
from gateway.identity.validity import BEGIN, END, validity_of
from gateway.seclog import note
from gateway.web.errors import PagesError

FOLDER = "web-tls"
PAGE, PUBLIC, NAMES = "page.pem", "authority.crt", "names.txt"
LOOK = 3600.0
"""Seconds between two looks at the certificate's end: a clock that was years off at the start is right by then."""
MONTH = 30
NOBODY = ("0.0.0.0", "::")  # noqa: S104  addresses that nobody opens


@dataclass(frozen=True)
class Tls:
    """TLS of the pages: `context` for their connections; `now` gives UTC ms."""

    folder: Path
    names: tuple[str, ...]
    now: Callable[[], int]
    context: ssl.SSLContext

    @property
    def fingerprint(self) -> str:
        """Give SHA-256 of the certificate that browsers are shown, as they write it."""
        return _fingerprint(self.folder / PAGE)

    @property
    def authority(self) -> str:
        """Give SHA-256 of the certificate that people install."""
        return _fingerprint(self.folder / PUBLIC)

    async def run(self) -> None:
        """Renew the certificate in time, for ever."""
        while True:
            await asyncio.sleep(LOOK)
            if self._is_due() and not await self._make():
                self.context.load_cert_chain(self.folder / PAGE)

    async def ready(self) -> None:
        """Make what is not there, and show it; raises PagesError."""
        why = await self._make() if self._is_due() else ""
        try:
            self.context.load_cert_chain(self.folder / PAGE)
        except (OSError, ssl.SSLError) as error:
            hint = f"let nabd's own user write to {self.folder.parent}, or leave tls out under [web]"
            raise PagesError(f"the pages have no certificate: {why or error}", hint) from error

    def _is_due(self) -> bool:
        """Tell whether there is no certificate for these names that holds for a month yet."""
        try:
            validity = validity_of((self.folder / PAGE).read_text(encoding="ascii"))
            made_for = (self.folder / NAMES).read_text(encoding="utf-8").split()
        except (OSError, ValueError, Unusable):
            return True
        now = self.now()
        return made_for != list(self.names) or validity.days_left(now) < MONTH or validity.since > now

    async def _make(self) -> str:
        """Make it in a program of its own; gives the reason when that cannot be done."""
        command = [sys.executable, "-m", "gateway.web.certificate", str(self.folder), *self.names]
        try:
            making = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            _, said = await making.communicate()
            if making.returncode:
                return said.decode("utf-8", "replace").strip()[-300:]
            (self.folder / NAMES).write_text("\n".join(self.names), encoding="utf-8")
        except OSError as error:
            return str(error.strerror)
        note("key_made", name="pages")
        return ""


async def open_tls(folder: Path, names: Iterable[str], now: Callable[[], int]) -> Tls:
    """Give TLS for pages of these names, with its files in `folder`; raises PagesError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    known = sorted(set(names) - set(NOBODY), key=lambda name: (not name.endswith(".local"), name))
    made = Tls(folder, tuple(known), now, context)
    await made.ready()
    return made


def _fingerprint(path: Path) -> str:
    text = path.read_text(encoding="ascii")
    der = ssl.PEM_cert_to_DER_cert(text[text.index(BEGIN) : text.index(END) + len(END)])
    return hashlib.sha256(der).digest().hex(":").upper()
