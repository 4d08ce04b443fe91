"""The messages of DLMS, by their first byte: bytes in, one frozen value out; `bytes(value)` is the way back.

association     acse.py       AARQ, AARE, RLRQ, RLRE
agreement       initiate.py   what client and meter offer, and the meter's no to a service
services        services.py   GET, SET, ACTION
notices         notices.py    notifications, exceptions, blocks
ciphered        sealed.py     any of these, closed; security.py opens it
"""

from collections.abc import Callable

from drivers.contract import DecodeError
from drivers.dlms import acse, initiate, notices, sealed, services
from drivers.dlms.acse import Acse
from drivers.dlms.axdr import Reader, Trace
from drivers.dlms.initiate import InitiateRequest, InitiateResponse, ServiceError
from drivers.dlms.notices import Notice
from drivers.dlms.sealed import Sealed
from drivers.dlms.services import Service

Apdu = Acse | InitiateRequest | InitiateResponse | ServiceError | Service | Notice | Sealed


def decode(data: bytes, trace: Trace | None = None) -> Apdu:
    """Read one message that fills the bytes; raises DecodeError, also for messages that Nabd does not speak."""
    reader = Reader(data, trace=trace)
    tag = reader.byte()
    reader.note(0, name_of(tag))
    apdu = _read(tag, reader)
    reader.end()
    return apdu


def name_of(tag: int) -> str:
    """Name a message by its first byte."""
    return NAMES.get(tag) or (f"ciphered {NAMES[sealed.PLAIN[tag]]}" if tag in sealed.PLAIN else f"message {tag:#04x}")


def _read(tag: int, reader: Reader) -> Apdu:
    if tag in _READERS:
        return _READERS[tag](reader)
    if tag in (acse.AARQ, acse.AARE, acse.RLRQ, acse.RLRE):
        return acse.read_acse(tag, reader)
    if tag in _SERVICES:
        return services.read_service(tag, reader)
    if tag in sealed.GENERAL or tag in sealed.PLAIN:
        return sealed.read_sealed(tag, reader)
    if tag in NAMES:
        raise DecodeError(
            f"{NAMES[tag]} is not offered", "Nabd speaks GET, HLS and pushes, with keys agreed beforehand"
        )
    raise DecodeError(f"{tag:#04x} begins no message of DLMS", "the message is damaged, or of another protocol")


_READERS: dict[int, Callable[[Reader], Apdu]] = {
    initiate.INITIATE_REQUEST: initiate.read_initiate_request,
    initiate.INITIATE_RESPONSE: initiate.read_initiate_response,
    initiate.SERVICE_ERROR: initiate.read_service_error,
    notices.DATA_NOTIFICATION: notices.read_data_notification,
    notices.EVENT_NOTIFICATION: notices.read_event_notification,
    notices.EXCEPTION: notices.read_exception,
    notices.BLOCK_TRANSFER: notices.read_block,
}
_SERVICES = (
    services.GET_REQUEST, services.SET_REQUEST, services.ACTION_REQUEST,
    services.GET_RESPONSE, services.SET_RESPONSE, services.ACTION_RESPONSE,
)  # fmt: skip

NAMES = {
    0x01: "initiate request", 0x08: "initiate response", 0x0E: "service error", 0x0F: "data notification",
    0x05: "read request (short names)", 0x06: "write request (short names)", 0x0C: "read response (short names)",
    0x0D: "write response (short names)", 0x18: "information report (short names)",
    0x60: "association request", 0x61: "association response", 0x62: "release request", 0x63: "release response",
    0xC0: "GET request", 0xC1: "SET request", 0xC2: "event notification", 0xC3: "ACTION request",
    0xC4: "GET response", 0xC5: "SET response", 0xC7: "ACTION response", 0xD8: "exception",
    0xD9: "ACCESS request", 0xDA: "ACCESS response", 0xDB: "general ciphering with the meter's key",
    0xDC: "general ciphering with a dedicated key", 0xDD: "general ciphering with an agreed key",
    0xDF: "general signing", 0xE0: "block",
}  # fmt: skip
