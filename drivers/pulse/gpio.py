"""Edges of real GPIO lines, through gpiod (the extra `pulse`), which is imported only where a board's lines are used.

The kernel debounces, stamps each edge with the monotonic clock, and numbers them: what its buffer could not hold is
told by a gap in the numbers.
"""

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any

from drivers.contract import NoAnswer, NotConnected
from drivers.pulse.contact import Contact, Edge, Heard

BUFFER = 1024
"""Edges the kernel keeps while this program is busy: the most it grants, 5 s of the fastest meters (200 a second)."""


class GpioEdges:
    """The lines of one chip."""

    def __init__(self, chip: str) -> None:
        """Take the chip's path; nothing is opened."""
        self._chip = chip
        self._requests: list[Any] = []

    async def open(self, lost: Callable[[str], None]) -> None:
        """See that there is such a chip."""
        try:
            self._gpiod = _gpiod()
        except ImportError as error:
            raise NotConnected("gpiod is not installed", "install nabd[pulse]") from error
        if not os.access(self._chip, os.R_OK | os.W_OK):
            hint = "`gpiodetect` shows the chips; the service's user must be in the group gpio"
            raise NotConnected(f"{self._chip} cannot be opened", hint)
        self._lost = lost

    def watch(self, contact: Contact, heard: Heard) -> None:
        """Request the contact's lines."""
        line, gpiod = self._gpiod.line, self._gpiod
        layout = contact.layout
        bias = {"pull-up": line.Bias.PULL_UP, "pull-down": line.Bias.PULL_DOWN, "off": line.Bias.DISABLED}[layout.bias]
        settings = partial(
            gpiod.LineSettings, direction=line.Direction.INPUT, bias=bias, active_low=layout.active_low,
        )  # fmt: skip
        debounce = timedelta(microseconds=layout.debounce / 1000)
        lines = {contact.line: settings(edge_detection=line.Edge.RISING, debounce_period=debounce)}
        if contact.direction is not None:
            lines[contact.direction] = settings()
        try:
            request = gpiod.request_lines(self._chip, lines, consumer="nabd", event_buffer_size=BUFFER)
        except (OSError, ValueError) as error:
            hint = "is it a line of this chip, and has no other program taken it? `gpioinfo` shows both"
            raise NoAnswer(f"line {contact.line} of {self._chip}: {error}", hint) from error
        self._requests.append(request)
        asyncio.get_running_loop().add_reader(request.fd, self._read, request, contact, heard)

    def close(self) -> None:
        """Let all lines go."""
        requests, self._requests = self._requests, []
        for request in requests:
            asyncio.get_running_loop().remove_reader(request.fd)
            request.release()

    def _read(self, request: Any, contact: Contact, heard: Heard) -> None:
        try:
            events = request.read_edge_events()
            active = self._gpiod.line.Value.ACTIVE
            backward = contact.direction is not None and request.get_value(contact.direction) == active
        except OSError as error:  # the chip was unplugged
            self._lost(f"{self._chip}: {error}")
            return
        for event in events:
            heard(Edge(event.timestamp_ns, backward, event.line_seqno))


def _gpiod() -> Any:
    return import_module("gpiod")
