"""The authentication layer, CI 90: a counter that must rise, and the signature of the message. Bytes in, values out.

A field that is announced and not there as a whole is refused: a signature cut short would be easy to forge.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.contract import DecodeError

AUTHENTICATION = 0x90

_MORE_FRAGMENTS = 0x4000
_CONTROL, _KEY, _COUNTER, _SIGNATURE, _TOTAL = 0x2000, 0x0200, 0x0800, 0x0400, 0x1000
_TOTAL_SIZE = 2
_FIELDS = ((_CONTROL, 1), (_KEY, 2), (_COUNTER, 4), (_SIGNATURE, 0), (_TOTAL, _TOTAL_SIZE))
"""In the order on air: the bit that announces a field, and its bytes; those of a signature depend on its kind."""
_PART = 0x00FF
_SIGNATURES = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16}
"""Bytes of a signature by its kind."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """The layer; what it does not have is empty. `length` is its bytes with CI.

    `part` is the number of the frame within its message, 0 for a message in one frame; `more` tells that others follow.
    """

    length: int
    control: bytes = b""
    key_information: bytes = b""
    counter: bytes = b""
    signature: bytes = b""
    total: bytes = b""
    part: int = 0
    more: bool = False

    @property
    def is_part(self) -> bool:
        """Whether the message comes in several frames."""
        return bool(self.part or self.more)

    @property
    def signed_head(self) -> bytes:
        """What of this layer is signed together with the message."""
        return self.control + self.counter + self.total


def take_authentication(data: bytes) -> Authentication:
    """Read the layer that `data` begins with; raises DecodeError."""
    length = 2 + (data[1] if len(data) > 1 else 0)
    layer = data[2:length]
    if len(data) < length or len(layer) < 2:  # noqa: PLR2004  the two bytes that say what else there is
        raise _cut_off()
    what, rest = int.from_bytes(layer[:2], "little"), layer[2:]
    fields: dict[int, bytes] = {}
    for bit, size in _FIELDS:
        if not what & bit:
            continue
        count = size or _signature_size(what, fields.get(_CONTROL), len(rest))
        if not count or len(rest) < count:
            raise _cut_off()
        fields[bit], rest = rest[:count], rest[count:]
    control, key, counter, signature, total = (fields.get(bit, b"") for bit, _ in _FIELDS)
    more = bool(what & _MORE_FRAGMENTS)
    return Authentication(length, control, key, counter, signature, total, what & _PART, more)


def _signature_size(what: int, control: bytes | None, left: int) -> int:
    """Give the bytes of a signature, 0 where nobody can tell; a later part leaves out what says its kind."""
    if control:
        return _SIGNATURES.get(control[0] & 0x0F, 0)
    size = left - (_TOTAL_SIZE if what & _TOTAL else 0)
    return size if what & _PART and size in _SIGNATURES.values() else 0


def join(layers: Sequence[Authentication]) -> bytes:
    """Write the layers of a message's parts as the one that it would have in a single frame."""
    what, fields = 0, b""
    for place, (bit, _) in enumerate(_FIELDS):
        # Each is said once; were it said twice, the last counts, as the signature stands in the last part.
        said = [value for layer in layers if (value := _values(layer)[place])]
        if said:
            what |= bit
            fields += said[-1]
    return bytes((AUTHENTICATION, 2 + len(fields))) + what.to_bytes(2, "little") + fields


def _values(layer: Authentication) -> tuple[bytes, ...]:
    return layer.control, layer.key_information, layer.counter, layer.signature, layer.total


def _cut_off() -> DecodeError:
    return DecodeError("the authentication layer is cut off", "the frame is damaged")
