"""One connection to the pages: how long it may take for what it says, and for taking our answer.

1. A request of a stranger must have come in whole, and its answer gone out, within `PATIENCE` after the connection
   opened, or after the request's first byte. So neither who sends slowly nor who reads slowly holds a place.
2. With a session, the answer may last: a page listens all day.
3. What still comes of a request that was answered is thrown away, up to `WASTE`; then the connection ends.

Places are given and taken by `gate.py`.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from gateway.web.gate import Gate, Place

TRUST = "trust"
"""The name in a request's state of what is called when it showed a session."""

WASTE = 65_536
"""Bytes: a form of ours that was refused is smaller, a body of a gigabyte is not."""


class Bounded(H11Protocol):
    """One connection to the pages."""

    _place: Place
    _wasted = 0

    def __init__(self, gate: Gate, **given: Any) -> None:
        """`gate` let it in; the rest is what uvicorn gives each connection."""
        super().__init__(**given)
        self._gate = gate

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        self._place = self._gate.place(transport.get_extra_info("socket").fileno())
        self._place.hang_up = transport.abort
        self.app_state = {**self.app_state, TRUST: self._trust}
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first ones of a request begin its time."""
        if self._is_idle():
            self._place.expect()
            self._wasted += len(data) if self._is_unfinished() else 0
        if self._wasted > WASTE:
            self._place.lose()
            return
        super().data_received(data)
        self._settle()

    def on_response_complete(self) -> None:
        """End the time of a request whose answer has gone out; one that waited behind it begins now."""
        self._place.done()
        super().on_response_complete()
        if not self._is_idle():
            self._place.expect()
        elif not self._is_unfinished():
            # What was asked may be 64 kB long, and the connection stay open: let go of it.
            self.cycle, self.scope, self.headers = None, None, []  # type: ignore[assignment]

    def _trust(self) -> None:
        self._place.trust()
        self._settle()

    def _settle(self) -> None:
        """End the time of a whole request with a session: its answer may last."""
        if self._place.known and not self._is_idle() and not self._is_unfinished():
            self._place.done()

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _is_unfinished(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and cycle.more_body
