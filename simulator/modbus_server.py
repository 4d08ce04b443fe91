"""Modbus meters, served by pymodbus: our own client is judged by a grown-up second implementation.

pymodbus gets bytes and gives bytes here; wires, pace and faults are ours. One `ModbusServer` is one line or host with
all its units. Registers are made when they are asked for, so a reading is never older than its request. A meter that
takes another address is still pymodbus' device of its first one; only the address on the wire changes.
"""

import asyncio
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulator.faults import RTU_UNIT, TCP_UNIT
from simulator.meters import Constant, VirtualMeter, modbus_meter
from simulator.place import Place, Placed
from simulator.serving import Send, Session, SimulatorError

HOLDING, INPUT = 3, 4

LAST_UNIT = 255

RTU_SILENCE = 3.5
"""Characters of silence that end an RTU frame."""


def line(place: Place) -> Placed:
    """Serve the units of a line or host; raises SimulatorError."""
    addresses = [1 if meter.address is None else meter.address for meter in place.meters]
    units = {
        address: modbus_meter(model, place.values(meter), address)
        for address, meter, model in zip(addresses, place.meters, place.models, strict=True)
    }
    if max(addresses) > LAST_UNIT:
        raise SimulatorError(f"a meter of line {place.table.name} has no Modbus address", f"0 to {LAST_UNIT}")
    if len(units) < len(addresses):
        raise SimulatorError(f"two meters of line {place.table.name} have one address", "give each its own")
    if place.table.kind == "tcp":
        return Placed(ModbusServer(units, "tcp"), TCP_UNIT)
    return Placed(ModbusServer(units, "rtu"), RTU_UNIT, RTU_SILENCE)


class ModbusServer:
    """Units on one line, in RTU or TCP frames; other units get no answer. Needs a running loop."""

    def __init__(self, units: Mapping[int, VirtualMeter], framing: Literal["rtu", "tcp"]) -> None:
        self._devices = {unit: unit for unit in units}  # by the address on the wire
        self._moving: dict[int, int] = {}
        self._rtu = framing == "rtu"
        # It never listens: connections come from our own wires. Its address is only the place for one.
        self._server = ModbusTcpServer(
            [_device(unit, meter, partial(self._moving.__setitem__, unit)) for unit, meter in units.items()],
            framer=FramerType.RTU if self._rtu else FramerType.SOCKET,
            address=("127.0.0.1", 0),
            trace_pdu=self._address,
        )

    def open(self, send: Send) -> Session:
        """Begin a conversation with a request handler of its own."""
        handler = self._server.callback_new_connection()
        handler.connection_made(_Outlet(send))
        return _Conversation(handler, rtu=self._rtu)

    def _address(self, sending: bool, pdu: Any) -> Any:
        if sending:
            return self._answer(pdu)
        # pymodbus would answer for a unit that is not there; on a shared line nobody does.
        device = self._devices.get(pdu.dev_id)
        if device is None:
            return None
        pdu.dev_id = device
        return pdu

    def _answer(self, pdu: Any) -> Any:
        """Answer under the address that was asked; a new one counts from then on."""
        device = pdu.dev_id
        pdu.dev_id = next(unit for unit, known in self._devices.items() if known == device)
        if device in self._moving:
            del self._devices[pdu.dev_id]
            self._devices[self._moving.pop(device)] = device
        return pdu


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


def _device(unit: int, meter: VirtualMeter, move: Callable[[int], None]) -> SimDevice:
    nothing = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    return SimDevice(
        unit,
        (nothing, list(nothing), _block(meter, HOLDING), _block(meter, INPUT)),
        action=partial(_serve, meter, move),
    )


def _block(meter: VirtualMeter, function: int) -> list[SimData]:
    blocks = [
        SimData(span.start, values=[0] * len(span), datatype=DataType.REGISTERS, readonly=True)
        for span in meter.spans(function)
    ]
    blocks += [
        SimData(row.at, values=list(row.words), datatype=DataType.REGISTERS, readonly=not row.is_address)
        for row in meter.constants
        if row.function == function
    ]
    return sorted(blocks, key=lambda block: block.address) or [SimData(0, datatype=DataType.INVALID)]


async def _serve(
    meter: VirtualMeter,
    move: Callable[[int], None],
    function: int,
    base: int,
    address: int,
    count: int,
    registers: list[int],
    written: Any,
) -> ExcCodes | None:
    if written is None:
        meter.refresh(function, range(address, address + count), registers, base)
        return None
    row = next((row for row in meter.constants if row.is_address and row.at == address), None)
    new = _address_in(written, row)
    if new is None:
        return ExcCodes.ILLEGAL_VALUE
    move(new)
    return None


def _address_in(written: Sequence[int], row: Constant | None) -> int | None:
    """Give the address that was written, or None for anything else."""
    if row is None or len(written) != len(row.words):
        return None
    value: float = struct.unpack(">f", struct.pack(">2H", *written))[0] if len(written) > 1 else written[0]
    return int(value) if value in range(1, 248) else None
