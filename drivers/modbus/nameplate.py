"""What a meter says of itself: maker, model, serial number, as text or number. Never a quantity."""

from dataclasses import dataclass

from drivers.modbus.codec import Read
from drivers.modbus.layout import Order, Part, positions
from drivers.modbus.numbers import Type


@dataclass(frozen=True, slots=True)
class Nameplate:
    """One such place: what it is called, and where it is. Without a `type` it is text."""

    name: str
    read: Read
    type: Type | None = None
    order: Order = "ABCD"

    def text(self, payload: bytes) -> str:
        """Read it; of a text, what no terminal should see is left out."""
        if self.type is None:
            return "".join(sign for sign in payload.decode("ascii", "ignore") if sign.isprintable()).strip()
        number = bytes(payload[place] for place in positions(Part(0, self.type), 0, self.order))
        return number.hex().lstrip("0") or "0" if self.type.startswith("bcd") else str(int.from_bytes(number, "big"))
