"""Modbus meters, served by pymodbus: our own client is judged by a grown-up second implementation.

pymodbus gets bytes and gives bytes here; wires, pace and faults are ours. One `ModbusServer` is one line or host with
all its units. Registers are made when they are asked for, so a reading is never older than its request.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulator.meters import VirtualMeter
from simulator.serving import Send, Session

HOLDING, INPUT = 3, 4


class ModbusServer:
    """Units on one line, in RTU or TCP frames; other units get no answer. Needs a running loop."""

    def __init__(self, units: Mapping[int, VirtualMeter], framing: Literal["rtu", "tcp"]) -> None:
        self._units = units
        self._rtu = framing == "rtu"
        # It never listens: connections come from our own wires. Its address is only the place for one.
        self._server = ModbusTcpServer(
            [_device(unit, meter) for unit, meter in units.items()],
            framer=FramerType.RTU if self._rtu else FramerType.SOCKET,
            address=("127.0.0.1", 0),
            trace_pdu=self._only_ours,
        )

    def open(self, send: Send) -> Session:
        """Begin a conversation with a request handler of its own."""
        handler = self._server.callback_new_connection()
        handler.connection_made(_Outlet(send))
        return _Conversation(handler, rtu=self._rtu)

    def _only_ours(self, sending: bool, pdu: Any) -> Any:
        # pymodbus would answer for a unit that is not there; on a shared line nobody does.
        return pdu if sending or pdu.dev_id in self._units else None


class _Conversation:
    def __init__(self, handler: Any, *, rtu: bool) -> None:
        self._handler = handler
        self._rtu = rtu

    def feed(self, data: bytes) -> None:
        if self._rtu:
            # The line's pace has already found the silence that ends a frame: what was cut short is forgotten.
            self._handler.recv_buffer = b""
        self._handler.data_received(data)

    def close(self) -> None:
        self._handler.connection_lost(None)


class _Outlet(asyncio.Transport):
    """What pymodbus takes for its socket."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._send(bytes(data))

    def close(self) -> None:
        self._send = _nowhere


def _nowhere(_data: bytes) -> None:
    """An answer to a client that is gone."""


def _device(unit: int, meter: VirtualMeter) -> SimDevice:
    nothing = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    return SimDevice(
        unit,
        (nothing, list(nothing), _block(meter, HOLDING), _block(meter, INPUT)),
        action=partial(_refresh, meter),
    )


def _block(meter: VirtualMeter, function: int) -> list[SimData]:
    spans = meter.spans(function)
    if not spans:
        return [SimData(0, datatype=DataType.INVALID)]
    return [SimData(span.start, values=[0] * len(span), datatype=DataType.REGISTERS, readonly=True) for span in spans]


async def _refresh(
    meter: VirtualMeter, function: int, base: int, address: int, count: int, registers: list[int], _written: Any
) -> ExcCodes | None:
    meter.refresh(function, range(address, address + count), registers, base)
    return None
