"""A wired M-Bus line with meters on it: what several meters say at once is heard as one garbled answer.

1. A meter answers to its primary address, to 254, and to 253 while it is selected by its secondary address, of which
   open parts (F digits, FFFF, FF) fit any.
2. REQ_UD2 gives a telegram; the same frame count bit again gives the same one. A meter with more than fits says so and
   goes on with the next bit; SND_NKE and a select begin anew, with the bit as if it had been clear.
3. Telegrams are made here, byte by byte, from what a household's channel shows: not by the codec that will read them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from simulator.place import Place, Placed, Values
from simulator.serving import Send, Session

NUMBERS = 21_050_000
"""What M-Bus meters have printed on them: this, and their primary address."""

ADDRESS_AT = 2
"""Where a short frame has the address."""

SILENCE = 3.5
"""Characters of silence that end a request."""

MEDIA: Mapping[str, int] = {"electricity": 0x02, "gas": 0x03, "water": 0x07, "heat": 0x04}
MAKER, VERSION = "NBD", 0x01

_ACK = b"\xe5"
_ANSWERS = 0x08
_NKE, _SND_UD, _REQ_UD2, _FCB = 0x40, 0x53, 0x5B, 0x20
_SELECT, _CI_DATA = 0x52, 0x72
_ALL, _SELECTED = 0xFE, 0xFD
_MORE = b"\x1f"
_GARBLED = 0x5A
"""What simultaneous answers are mixed with, so that no checksum is right by luck."""

# Quantity -> DIF and VIF of a 32-bit integer, and what a base unit is multiplied by.
_RECORDS: Mapping[str, tuple[bytes, float]] = {
    "energy_import": (b"\x04\x03", 1), "energy_import_t1": (b"\x84\x10\x03", 1),
    "energy_import_t2": (b"\x84\x20\x03", 1), "power": (b"\x04\x2b", 1),
    "voltage_l1": (b"\x04\xfd\xc8\xfc\x01", 10), "voltage_l2": (b"\x04\xfd\xc8\xfc\x02", 10),
    "voltage_l3": (b"\x04\xfd\xc8\xfc\x03", 10), "current_l1": (b"\x04\xfd\xd9\xfc\x01", 1000),
    "current_l2": (b"\x04\xfd\xd9\xfc\x02", 1000), "current_l3": (b"\x04\xfd\xd9\xfc\x03", 1000),
    "frequency": (b"\x04\xfb\x2e", 10), "water_volume": (b"\x04\x13", 1), "gas_volume": (b"\x04\x13", 1),
    "water_flow": (b"\x04\x3b", 1), "gas_flow": (b"\x04\x3b", 1),
}  # fmt: skip


def line(place: Place) -> Placed:
    """Serve the meters of a line, each by its address and the number that follows from it."""
    slaves = [
        MbusMeter(address := meter.address or 0, f"{NUMBERS + address:08}", MEDIA[model.commodity], place.values(meter))
        for meter, model in zip(place.meters, place.models, strict=True)
    ]
    return Placed(MbusServer(slaves), ADDRESS_AT, SILENCE)


@dataclass
class MbusMeter:
    """One meter; `number` is its eight digits. `split` is how many records a telegram takes."""

    primary: int
    number: str
    medium: int
    values: Values
    maker: str = MAKER
    version: int = VERSION
    split: int = 12
    selected: bool = False
    told: list[bytes] = field(default_factory=list)
    """CI and data of what it was told, selects aside."""
    _fcb: int = 0
    _turn: int = 0
    _access: int = 0
    _said: bytes = b""

    def restart(self) -> None:
        """Forget where it was."""
        self._fcb, self._turn, self._said = 0, 0, b""

    def identity(self) -> bytes:
        """Its eight bytes."""
        first, second, third = (ord(letter) - 64 for letter in self.maker)
        maker = (first << 10 | second << 5 | third).to_bytes(2, "little")
        return bytes.fromhex(self.number)[::-1] + maker + bytes((self.version, self.medium))

    def fits(self, address: bytes) -> bool:
        """Tell whether a secondary address with open parts means this meter."""
        mine = self.identity()
        digits = all(
            asked in ("f", own) for asked, own in zip(address[:4].hex(), mine[:4].hex(), strict=True)
        )  # fmt: skip
        maker = address[4:6] in (b"\xff\xff", mine[4:6])
        return digits and maker and all(asked in (0xFF, own) for asked, own in zip(address[6:], mine[6:], strict=True))

    def data(self, fcb: int) -> bytes:
        """Give the telegram of this turn, or the last one again."""
        if self._fcb == fcb and self._said:
            return self._said
        is_repetition, self._fcb = self._fcb == fcb, fcb
        self._access = (self._access + 1) % 256
        records = _records(self.values())
        part = records[self._turn * self.split : (self._turn + 1) * self.split]
        more = len(records) > (self._turn + 1) * self.split
        if not is_repetition:
            self._turn = self._turn + 1 if more else 0
        header = self.identity() + bytes((self._access, 0, 0, 0))
        self._said = _long(_ANSWERS, self.primary, _CI_DATA, header + b"".join(part) + (_MORE if more else b""))
        return self._said


def _records(values: Mapping[str, float]) -> list[bytes]:
    return [
        head + round(values[name] * scale).to_bytes(4, "little", signed=True)
        for name, (head, scale) in _RECORDS.items()
        if name in values
    ]


def _long(control: int, address: int, ci: int, data: bytes) -> bytes:
    body = bytes((control, address, ci)) + data
    return b"\x68" + bytes((len(body),)) * 2 + b"\x68" + body + bytes((sum(body) % 256, 0x16))


@dataclass
class MbusServer:
    """A line with its meters; every client hears what they say."""

    meters: Sequence[MbusMeter]
    heard: list[bytes] = field(default_factory=list)
    """The requests so far, for whoever counts them."""

    def open(self, send: Send) -> Session:
        """Begin a conversation."""
        return _Conversation(self, send)

    def answer(self, request: bytes) -> bytes:
        """Give what the line carries after a request."""
        self.heard.append(request)
        answers = [answer for meter in self.meters if (answer := _answer(meter, request))]
        return answers[0] if len(answers) == 1 else _together(answers)


def _answer(meter: MbusMeter, request: bytes) -> bytes:
    if request[0] == 0x68:  # noqa: PLR2004  a long frame
        return _told(meter, request[4], request[5], request[6], request[7:-2])
    control, address = request[1], request[2]
    if control == _NKE:
        meter.restart()
        was, meter.selected = meter.selected, meter.selected and address != _SELECTED
        return _ACK if address in (meter.primary, _ALL) or (address == _SELECTED and was) else b""
    if not _is_called(meter, address) or control & ~_FCB != _REQ_UD2:
        return b""
    return meter.data(control & _FCB)


def _told(meter: MbusMeter, control: int, address: int, ci: int, data: bytes) -> bytes:
    if control & ~_FCB != _SND_UD:
        return b""
    if ci == _SELECT and address == _SELECTED:
        meter.selected = meter.fits(data[:8])
        if meter.selected:
            meter.restart()
        return _ACK if meter.selected else b""
    if not _is_called(meter, address):
        return b""
    meter.told.append(bytes((ci,)) + data)
    return _ACK


def _is_called(meter: MbusMeter, address: int) -> bool:
    return address in (meter.primary, _ALL) or (address == _SELECTED and meter.selected)


def _together(answers: Iterable[bytes]) -> bytes:
    """Mix answers as a wire would: equal ones are one, others are garbled."""
    kinds = set(answers)
    if len(kinds) < 2:  # noqa: PLR2004  nothing to mix
        return next(iter(kinds), b"")
    longest = max(map(len, kinds))
    mixed = bytearray(longest)
    for answer in kinds:
        for at, byte in enumerate(answer):
            mixed[at] |= byte
    return bytes(byte ^ _GARBLED if at % 3 == 1 else byte for at, byte in enumerate(mixed))


class _Conversation:
    def __init__(self, server: MbusServer, send: Send) -> None:
        self._server = server
        self._send = send

    def feed(self, data: bytes) -> None:
        """Answer the requests in what came; what begins none is another reader's, and not for us.

        The pace before this server finds the silence that ends a request, so none comes in two pieces.
        """
        at = 0
        while at < len(data):
            length = _length(data[at:])
            if length and _is_sound(request := data[at : at + length]):
                if answer := self._server.answer(request):
                    self._send(answer)
                at += length
            else:
                at += 1

    def close(self) -> None:
        """Nobody is left to answer."""


def _length(data: bytes) -> int:
    """Give the length of the request that the bytes begin with, if they do; else 0."""
    if data[0] == 0x10:  # noqa: PLR2004  a short frame
        return 5
    is_long = data[0] == 0x68 and len(data) > 1  # noqa: PLR2004  a long frame
    return data[1] + 6 if is_long else 0


def _is_sound(request: bytes) -> bool:
    body = request[1:-2] if request[0] == 0x10 else request[4:-2]  # noqa: PLR2004  a short frame
    return len(request) >= 5 and request[-1] == 0x16 and sum(body) % 256 == request[-2]  # noqa: PLR2004  its end
