"""What lies between the link layer and the records: radio layer, authentication layer, transport header.

1. CI 8C to 8F: the radio's own layer, with an access number and, in 8D and 8F, a session number that ciphers the rest.
2. CI 90: the authentication layer, with a counter that must rise and a signature.
3. CI 72, 7A, 78: the transport header, which says how the records are ciphered. CI 79 leaves out what a receiver knows
   from an earlier telegram (compact.py). A0 to B7 are a maker's own.
"""

from dataclasses import dataclass

from drivers.contract import DecodeError
from drivers.mbus.telegram import Header, decode_header
from drivers.wmbus.link import RadioFrame, crc16
from drivers.wmbus.security import (
    BLOCK,
    PROOF,
    authentication_key,
    decipher_cbc,
    decipher_ctr,
    encryption_key,
    is_signed,
)  # fmt: skip

_RADIO = {0x8C: 2, 0x8D: 8, 0x8E: 10, 0x8F: 16}
_SESSION = (0x8D, 0x8F)
_RECEIVER = (0x8E, 0x8F)
_AFL = 0x90
_MCL, _ML, _MCR, _MAC, _KI = 0x2000, 0x1000, 0x0800, 0x0400, 0x0200
_MORE_FRAGMENTS = 0x4000
_SIGNATURES = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16}
COMPACT, FULL = 0x79, 0x78
_HEADERS = (0x72, 0x7A, 0x78)
MAKERS = range(0xA0, 0xB8)
_MODES = {5: "AES-CBC", 7: "AES-CBC with a key for each message", 13: "TLS"}
_SESSION_MODE = 13
_EXTENDED = (7, 13)
"""Modes with one more byte behind the header."""


class WrongKey(DecodeError):  # noqa: N818  the caller counts these apart
    """The frame is whole, and the key does not fit it, or there is none."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a frame carries, deciphered: `records` begin at the first DIF.

    `ci` is the transport layer's; `counter` the authentication layer's, which must rise; `mode` how it was ciphered.
    `layers` tell where each layer began in the payload, for whoever explains it.
    """

    ci: int
    header: Header
    records: bytes
    mode: int = 0
    counter: int | None = None
    signed: bool = False
    layers: tuple[tuple[int, str], ...] = ()
    trailer: bytes = b""
    """What follows the ciphered records in the clear."""


def unwrap(frame: RadioFrame, key: bytes | None) -> Message:
    """Take the layers of a frame off, one after the other; raises WrongKey, DecodeError."""
    return _Layers(frame, key).unwrap()


class _Layers:
    """One frame on its way through the layers."""

    def __init__(self, frame: RadioFrame, key: bytes | None) -> None:
        self._frame = frame
        self._key = key
        self._data = frame.payload
        self._names: list[tuple[int, str]] = []
        self._at = 0
        self._afl = b""
        self._counter = self._signature = b""
        self._ml = b""
        self._mode = 0
        self._offset = 0

    def unwrap(self) -> Message:
        """Go down to the records."""
        if self._ci() in _RADIO:
            self._radio()
        if self._ci() == _AFL:
            self._authentication()
        return self._transport()

    def _ci(self) -> int:
        if not self._data:
            raise DecodeError("the frame is cut off", "is the receiver's firmware right?")
        return self._data[0]

    def _take(self, count: int) -> bytes:
        if len(self._data) < count:
            raise DecodeError("the frame is cut off", "is the receiver's firmware right?")
        taken, self._data = self._data[:count], self._data[count:]
        self._at += count
        return taken

    def _note(self, name: str) -> None:
        self._names.append((self._at, name))

    # --- 8C to 8F ----------------------------------------------------------------------------------------------------

    def _radio(self) -> None:
        self._note("radio layer")
        ci = self._ci()
        layer = self._take(1 + _RADIO[ci] - (2 if ci in _SESSION else 0))
        if ci not in _SESSION:
            return
        session = layer[-4:]
        address = layer[3:11] if ci in _RECEIVER else self._frame.address
        # Whoever recorded the frame may have deciphered it and left the header as it was: then the CRC is right.
        ciphered = session[3] >> 5 == 1 and not self._is_whole()
        if ciphered:
            if self._key is None:
                raise WrongKey("the frame is ciphered", "give the meter's key")
            iv = address + layer[1:2] + session + b"\0\0\0"
            self._data = decipher_ctr(self._key, iv, self._data)
            self._mode = 1
        whole = self._is_whole()
        self._note("CRC of the rest")
        self._take(2)
        if not whole:
            if ciphered:
                raise WrongKey("the key does not fit this meter", "ask the utility for the key of this number")
            raise DecodeError("the CRC of the frame is wrong", "it was damaged on its way")

    def _is_whole(self) -> bool:
        return crc16(self._data[2:]).to_bytes(2, "little") == self._data[:2]

    # --- 90 ----------------------------------------------------------------------------------------------------------

    def _authentication(self) -> None:
        self._note("authentication layer")
        layer = self._take(2 + (self._data[1] if len(self._data) > 1 else 0))[2:]
        if len(layer) < 2:  # noqa: PLR2004  the two bytes that say what else there is
            raise DecodeError("the authentication layer is cut off", "the frame is damaged")
        what, rest = int.from_bytes(layer[:2], "little"), layer[2:]
        if what & _MORE_FRAGMENTS:
            raise DecodeError("the message comes in several frames", "such meters are not read yet")
        sizes = ((_MCL, 1), (_KI, 2), (_MCR, 4))
        fields: dict[int, bytes] = {}
        for bit, size in sizes:
            if what & bit:
                fields[bit], rest = rest[:size], rest[size:]
        self._afl = fields.get(_MCL, b"")
        self._counter = fields.get(_MCR, b"")
        if what & _MAC:
            size = _SIGNATURES.get(self._afl[0] & 0x0F if self._afl else 0, 0)
            self._signature, rest = rest[:size], rest[size:]
        if what & _ML:
            self._ml = rest[:2]

    # --- 72, 7A, 78 --------------------------------------------------------------------------------------------------

    def _transport(self) -> Message:
        ci = self._ci()
        message = self._data
        self._note(f"transport layer, CI {ci:02X}")
        if ci in MAKERS:
            return self._message(ci, Header(0), self._data[1:])
        if ci == COMPACT:
            return self._message(ci, Header(0), self._data[1:])
        if ci not in _HEADERS:
            raise DecodeError(f"nothing is known of CI {ci:02X}", "`nabd analyze` shows its bytes")
        self._take(1)
        header = decode_header(ci, self._data)
        self._take(header.length)
        # Old meters put a signature of their own where newer ones say how they cipher.
        mode = header.security if header.security in _MODES else 0
        if mode in _EXTENDED:
            self._take(1)
        if mode == 0:
            return self._message(ci, header, self._data)
        return self._deciphered(ci, header, mode, message)

    def _deciphered(self, ci: int, header: Header, mode: int, message: bytes) -> Message:
        size = BLOCK * (header.signature >> 4 & 0x0F)
        ciphered, trailer = self._data[:size], self._data[size:]
        if self._data.startswith(PROOF):  # somebody deciphered it before, and left the header as it was
            return self._message(ci, header, self._data)
        if mode == _SESSION_MODE:
            raise DecodeError("security mode 13 is not read", "ask the utility for mode 5 or 7")
        if self._key is None:
            raise WrongKey("the records are ciphered", "give the meter's key")
        if len(ciphered) < size or not size:
            raise DecodeError("the ciphered records are cut off", "the frame is damaged")
        plain = self._mode_5(header, ciphered) if mode == 5 else self._mode_7(header, ciphered, message)  # noqa: PLR2004
        if not plain.startswith(PROOF):
            raise WrongKey("the key does not fit this meter", "ask the utility for the key of this number")
        self._mode = mode
        return self._message(ci, header, plain, trailer)

    def _address(self, header: Header) -> bytes:
        """Give maker, number, version and medium of the meter itself, which a radio may only pass on."""
        return header.address or self._frame.address

    def _mode_5(self, header: Header, data: bytes) -> bytes:
        assert self._key is not None  # noqa: S101  looked at
        iv = self._address(header) + bytes((header.access,)) * 8
        return decipher_cbc(self._key, iv, data)

    def _mode_7(self, header: Header, data: bytes, message: bytes) -> bytes:
        assert self._key is not None  # noqa: S101  looked at
        if not self._counter:
            raise DecodeError("a message of mode 7 without a counter", "the frame is damaged")
        number = self._address(header)[2:6]
        if self._signature:
            signed = self._afl + self._counter + self._ml + message
            if not is_signed(authentication_key(self._key, self._counter, number), signed, self._signature):
                raise WrongKey("the signature does not fit", "the key is another meter's, or somebody forged it")
        return decipher_cbc(encryption_key(self._key, self._counter, number), bytes(BLOCK), data)

    def _message(self, ci: int, header: Header, records: bytes, trailer: bytes = b"") -> Message:
        counter = int.from_bytes(self._counter, "little") if self._counter else None
        signed = bool(self._signature) and self._mode == 7  # noqa: PLR2004
        return Message(ci, header, records, self._mode, counter, signed, tuple(self._names), trailer)
