"""The authentication layer, CI 90: a counter that must rise, and the signature of the message. Bytes in, values out.

A field that is announced and not there as a whole is refused: a signature cut short would be easy to forge.
"""

from dataclasses import dataclass

from drivers.contract import DecodeError

AUTHENTICATION = 0x90

_MORE_FRAGMENTS = 0x4000
_CONTROL, _KEY, _COUNTER, _SIGNATURE, _TOTAL = 0x2000, 0x0200, 0x0800, 0x0400, 0x1000
_SIGNATURES = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16}
"""Bytes of a signature by its kind."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """The layer; what it does not have is empty. `length` is its bytes with CI."""

    length: int
    control: bytes = b""
    key_information: bytes = b""
    counter: bytes = b""
    signature: bytes = b""
    total: bytes = b""

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
    if what & _MORE_FRAGMENTS:
        raise DecodeError("the message comes in several frames", "such meters are not read yet")
    fields: dict[int, bytes] = {}
    for bit, size in ((_CONTROL, 1), (_KEY, 2), (_COUNTER, 4), (_SIGNATURE, 0), (_TOTAL, 2)):
        if not what & bit:
            continue
        count = size or _SIGNATURES.get(fields.get(_CONTROL, b"\0")[0] & 0x0F, 0)
        if not count or len(rest) < count:
            raise _cut_off()
        fields[bit], rest = rest[:count], rest[count:]
    return Authentication(length, *(fields.get(bit, b"") for bit in (_CONTROL, _KEY, _COUNTER, _SIGNATURE, _TOTAL)))


def _cut_off() -> DecodeError:
    return DecodeError("the authentication layer is cut off", "the frame is damaged")
