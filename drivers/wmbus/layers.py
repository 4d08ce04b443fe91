"""What lies between the link layer and the records, taken off one after the other.

1. CI 8C to 8F: the radio's own layer, which may cipher the rest (radio.py).
2. CI 90: a counter that must rise and a signature (authentication.py). A message in several frames is put together
   before (fragments.py).
3. CI 72, 7A, 78: the transport header, which says how the records are ciphered. CI 79 leaves out what a receiver knows
   from an earlier telegram (compact.py). A0 to B7 are a maker's own.

A key is tried before the bytes are taken for plain ones: whoever recorded a frame may have deciphered it and left its
header as it was. `mode` then says 0, and whoever needs a proof of the sender must refuse it.
"""

from dataclasses import dataclass, replace

from drivers.contract import DecodeError
from drivers.mbus.telegram import Header, Identity, decode_header
from drivers.wmbus.authentication import AUTHENTICATION, Authentication, take_authentication
from drivers.wmbus.link import RadioFrame
from drivers.wmbus.radio import is_radio, take_radio
from drivers.wmbus.security import (
    BLOCK,
    PROOF,
    WrongKey,
    authentication_key,
    decipher_cbc,
    encryption_key,
    is_signed,
)  # fmt: skip

__all__ = ["COMPACT", "MAKERS", "Message", "WrongKey", "meters_of", "unwrap"]

COMPACT = 0x79
MAKERS = range(0xA0, 0xB8)
_LONG = 0x72
_HEADERS = (_LONG, 0x7A, 0x78)
_CBC, _CBC_BY_MESSAGE, _SESSION = 5, 7, 13
_EXTENDED = (_CBC_BY_MESSAGE, _SESSION)
"""Modes with one more byte behind the header."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a frame carries, deciphered: `records` begin at the first DIF.

    `ci` is the transport layer's; `mode` how it was ciphered, 0 for not at all; `counter` the authentication layer's.
    `head` are the bytes before the records, deciphered, and `layers` tell where in them each layer begins, for whoever
    explains them. `trailer` follows the ciphered records in the clear.
    """

    ci: int
    header: Header
    records: bytes
    mode: int = 0
    counter: int | None = None
    layers: tuple[tuple[int, str], ...] = ()
    head: bytes = b""
    trailer: bytes = b""
    sender: Identity | None = None
    address: bytes = b""
    """The sender's maker and address as on air."""

    @property
    def meter(self) -> Identity | None:
        """Who the message speaks of: the meter its header names, or whoever sent it."""
        return self.header.identity or self.sender


@dataclass(frozen=True, slots=True)
class _Opened:
    """A payload without the radio's cipher, where the transport layer begins, and what the layers above said."""

    clear: bytes
    at: int
    mode: int
    authentication: Authentication | None
    layers: tuple[tuple[int, str], ...]

    @property
    def data(self) -> bytes:
        """The message from the transport layer's CI on."""
        return self.clear[self.at :]


def unwrap(frame: RadioFrame, key: bytes | None) -> Message:
    """Take the layers of a frame off; raises WrongKey, DecodeError."""
    opened = _upper_layers(frame, key)
    data, ci = opened.data, opened.data[0]
    layers = (*opened.layers, (opened.at, f"transport layer, CI {ci:02X}"))
    counter = opened.authentication.counter if opened.authentication else b""
    made = Message(
        ci, Header(0), data[1:], opened.mode, int.from_bytes(counter, "little") if counter else None, layers,
        opened.clear[: opened.at + 1], sender=frame.sender, address=frame.address,
    )  # fmt: skip
    if ci in MAKERS or ci == COMPACT:
        return made
    if ci not in _HEADERS:
        raise DecodeError(f"nothing is known of CI {ci:02X}", "`nabd analyze` shows its bytes")
    header = decode_header(ci, data[1:])
    # Old meters put a signature of their own where newer ones say how they cipher.
    ciphered = header.security in (_CBC, _CBC_BY_MESSAGE, _SESSION)
    start = 1 + header.length + (ciphered and header.security in _EXTENDED)
    made = replace(made, header=header, records=data[start:], head=opened.clear[: opened.at + start])
    return _deciphered(made, frame, opened, key) if ciphered else made


def meters_of(frame: RadioFrame) -> tuple[Identity, ...]:
    """Name the meter and whoever transmits for it, as far as that can be told without a key."""
    try:
        opened = _upper_layers(frame, None)
        header = decode_header(_LONG, opened.data[1:]) if opened.data[0] == _LONG else Header(0)
    except DecodeError:
        return (frame.sender,)
    return (frame.sender,) if header.identity in (None, frame.sender) else (header.identity, frame.sender)


def _upper_layers(frame: RadioFrame, key: bytes | None) -> _Opened:
    clear, at, mode = frame.payload, 0, 0
    layers: list[tuple[int, str]] = []
    authentication = None
    if is_radio(clear[0]):
        radio = take_radio(clear, frame.address, key)
        layers.append((0, "radio layer"))
        clear, at, mode = radio.clear, radio.length, radio.mode
    if clear[at : at + 1] == bytes((AUTHENTICATION,)):
        authentication = take_authentication(clear[at:])
        if authentication.is_part:
            raise DecodeError("one of several frames of a message", "it is read once all of them were heard")
        layers.append((at, "authentication layer"))
        at += authentication.length
    if at >= len(clear):
        raise DecodeError("the frame is cut off", "is the receiver's firmware right?")
    return _Opened(clear, at, mode, authentication, tuple(layers))


# --- modes 5, 7 and 13 -----------------------------------------------------------------------------------------------


def _deciphered(made: Message, frame: RadioFrame, opened: _Opened, key: bytes | None) -> Message:
    header = made.header
    size = BLOCK * (header.signature >> 4 & 0x0F)
    ciphered, trailer = made.records[:size], made.records[size:]
    if header.security == _SESSION:
        raise DecodeError("security mode 13 is not read", "ask the utility for mode 5 or 7")
    if len(ciphered) < size:
        raise DecodeError("the ciphered records are cut off", "the frame is damaged")
    if key is not None and size:
        address = header.address or frame.address
        if header.security == _CBC:
            plain = decipher_cbc(key, address + bytes((header.access,)) * 8, ciphered)
        else:
            plain = _by_message(key, address[2:6], opened, ciphered)
        if plain.startswith(PROOF):
            return replace(made, records=plain, mode=header.security, trailer=trailer)
    if not size or ciphered.startswith(PROOF):
        return made
    if key is None:
        raise WrongKey("the records are ciphered", "give the meter's key")
    raise WrongKey("the key does not fit this meter", "ask the utility for the key of this number")


def _by_message(key: bytes, number: bytes, opened: _Opened, ciphered: bytes) -> bytes:
    """Decipher with the key of this one message, once its signature is proved; else give nothing."""
    layer = opened.authentication
    if layer is None or not layer.counter or not layer.signature:
        raise DecodeError("a message of mode 7 without counter and signature", "the frame is damaged")
    signing = authentication_key(key, layer.counter, number)
    if not is_signed(signing, layer.signed_head + opened.data, layer.signature):
        return b""
    return decipher_cbc(encryption_key(key, layer.counter, number), bytes(BLOCK), ciphered)
