"""What a running program needs of its identity: ways to dial, what to watch, what to say in its status.

With a folder of its own, key and request are made at the first start; until `nabd enrol import` has brought the
certificate, the program reads and keeps, and its status says what it waits for.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.config.broker import BrokerTable
from gateway.identity.dialling import Dialler
from gateway.identity.expiry import Expiry
from gateway.seclog import note
from gateway.together import Together
from gateway.transport import Connect


class Identity:
    """One program's identity at its broker."""

    def __init__(self, name: str, mqtt: BrokerTable, folder: Path, now: Callable[[], int | None], *, own: bool) -> None:
        """`folder` is the identity's; `own` makes key and request there. `now` gives UTC in ms, None while unknown."""
        self._name, self._folder, self._own, self._now = name, folder, own, now
        credential = (
            mqtt.key_file is not None and mqtt.key_file.path is not None and "credential:" in mqtt.key_file.source
        )
        self._keep = None if credential else folder / "last"
        self._diallers: list[Dialler] = []
        certificate = mqtt.cert_file or (folder / "pair.pem" if own else None)
        self._expiry = Expiry(certificate, now) if certificate else None
        self.error = ""

    def dial(self, connect: Connect) -> Dialler:
        """Give a way to dial for one connection."""
        self._diallers.append(Dialler(connect, self._keep, lambda: self._now() is not None))
        return self._diallers[-1]

    async def run(self) -> None:
        """Make what the first start makes, then watch the files for ever."""
        if self._own and not (self._folder / "request.pem").exists():
            await self._first()
        together = Together()
        for number, dialler in enumerate(self._diallers):
            together.start(dialler.watch(), f"identity[{number}]")
        await together.until_one_fails()

    def faults(self) -> Mapping[str, Callable[[], str]]:
        """Name what can be wrong, for the log."""
        own = {"certificate": lambda: self.error or next((one.fault for one in self._diallers if one.fault), "")}
        return own | dict(self._expiry.faults() if self._expiry else {})

    def status(self) -> dict[str, object]:
        """Say until when the certificate holds, and what is wrong with it."""
        fault = self.faults()["certificate"]()
        return (self._expiry.status() if self._expiry else {}) | ({"fault": fault} if fault else {})

    async def _first(self) -> None:
        try:
            making = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.identity.first", str(self._folder), self._name,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:  # no memory for another program: meters are read all the same
            self.error = f"no key can be made: {error.strerror} (make it: `nabd enrol request`)"
            return
        try:
            _, said = await making.communicate()
            self.error = said.decode("utf-8", "replace").strip()[-500:] if making.returncode else ""
            if not self.error:
                note("key_made", name=self._name)
        finally:
            if making.returncode is None:
                making.kill()
                await making.wait()
