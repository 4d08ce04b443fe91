"""A DLMS meter on TCP, each message in its wrapper; a client's port is its address."""

from drivers.contract import DecodeError
from drivers.dlms.wrapper import Decoder, Wrapped
from simulator.dlms.association import Association
from simulator.dlms.meter import DlmsMeter
from simulator.serving import Send, Session

LOGICAL_DEVICE = 1


class WrapperServer:
    """Answers what is meant for the meter's one logical device."""

    def __init__(self, meter: DlmsMeter, device: int = LOGICAL_DEVICE) -> None:
        self._meter = meter
        self._device = device

    def open(self, send: Send) -> Session:
        """Begin a conversation; each client's address has an association of its own."""
        return _Session(self._meter, self._device, send)


class _Session:
    def __init__(self, meter: DlmsMeter, device: int, send: Send) -> None:
        self._meter = meter
        self._device = device
        self._send = send
        self._decoder = Decoder()
        self._associations: dict[int, Association] = {}

    def feed(self, data: bytes) -> None:
        """Take bytes of the client; a stream without wrappers is not answered."""
        try:
            messages = self._decoder.feed(data)
        except DecodeError:
            self._decoder = Decoder()
            self._meter.reject("no_wrapper")
            return
        for wrapped in messages:
            if wrapped.destination != self._device:
                continue
            association = self._associations.setdefault(wrapped.source, Association(self._meter, wrapped.source))
            for answer in association.answer(wrapped.message):
                self._send(bytes(Wrapped(self._device, wrapped.source, answer)))

    def close(self) -> None:
        """Forget all clients."""
        self._associations.clear()
