"""What a client asks of a meter's objects and what it answers: GET, SET, ACTION. Bytes in, values out, and back.

The second byte of a message is its form: normal, a block of a long answer, a list. SET is read, for the simulator and
for people who look at bytes, and never sent: Nabd changes nothing in a meter.
"""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.contract import DecodeError
from drivers.dlms.axdr import Data, Reader, encode, encode_length
from drivers.dlms.objects import (
    Access,
    Denied,
    Descriptor,
    Query,
    Result,
    encode_query,
    encode_result,
    encode_results,
    read_descriptor,
    read_query,
    read_result,
    read_results,
)

GET_REQUEST, SET_REQUEST, ACTION_REQUEST = 0xC0, 0xC1, 0xC3
GET_RESPONSE, SET_RESPONSE, ACTION_RESPONSE = 0xC4, 0xC5, 0xC7
NORMAL, BLOCK, LIST = 1, 2, 3

INVOKE = 0xC1
"""A request's number (1), confirmed (0x40), of high priority (0x80); an answer repeats it."""

INVOKE_ID = 0x0F
"""The bits of `invoke` that number a request."""


@dataclass(frozen=True, slots=True)
class GetRequest:
    """Asks for one attribute."""

    target: Descriptor
    access: Access | None = None
    invoke: int = INVOKE

    def __bytes__(self) -> bytes:
        """Give the message."""
        return bytes((GET_REQUEST, NORMAL, self.invoke)) + encode_query((self.target, self.access))


@dataclass(frozen=True, slots=True)
class GetNext:
    """Asks for the block after `block`."""

    block: int
    invoke: int = INVOKE

    def __bytes__(self) -> bytes:
        """Give the message."""
        return bytes((GET_REQUEST, BLOCK, self.invoke)) + self.block.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class GetListRequest:
    """Asks for several attributes at once."""

    queries: tuple[Query, ...]
    invoke: int = INVOKE

    def __bytes__(self) -> bytes:
        """Give the message."""
        head = bytes((GET_REQUEST, LIST, self.invoke)) + encode_length(len(self.queries))
        return head + b"".join(map(encode_query, self.queries))


@dataclass(frozen=True, slots=True)
class GetResponse:
    """One attribute's value."""

    result: Result
    invoke: int = INVOKE

    def __bytes__(self) -> bytes:
        """Give the message."""
        return bytes((GET_RESPONSE, NORMAL, self.invoke)) + encode_result(self.result)


@dataclass(frozen=True, slots=True)
class GetBlock:
    """A piece of a long answer; all pieces together are a value, or the results of a list (count and all)."""

    last: bool
    block: int
    piece: bytes | Denied
    invoke: int = INVOKE

    def __bytes__(self) -> bytes:
        """Give the message."""
        head = bytes((GET_RESPONSE, BLOCK, self.invoke, self.last)) + self.block.to_bytes(4, "big")
        if isinstance(self.piece, Denied):
            return head + bytes((1, self.piece.code))
        return head + b"\x00" + encode_length(len(self.piece)) + self.piece


@dataclass(frozen=True, slots=True)
class GetListResponse:
    """The values of several attributes, in the order of the request."""

    results: tuple[Result, ...]
    invoke: int = INVOKE

    def __bytes__(self) -> bytes:
        """Give the message."""
        return bytes((GET_RESPONSE, LIST, self.invoke)) + encode_results(self.results)


@dataclass(frozen=True, slots=True)
class SetRequest:
    """Writes one attribute."""

    target: Descriptor
    value: Data
    access: Access | None = None
    invoke: int = INVOKE

    def __bytes__(self) -> bytes:
        """Give the message."""
        return bytes((SET_REQUEST, NORMAL, self.invoke)) + encode_query((self.target, self.access)) + encode(self.value)


@dataclass(frozen=True, slots=True)
class SetResponse:
    """Whether an attribute was written; code 0 is yes."""

    code: int
    invoke: int = INVOKE

    def __bytes__(self) -> bytes:
        """Give the message."""
        return bytes((SET_RESPONSE, NORMAL, self.invoke, self.code))


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """Calls a method."""

    target: Descriptor
    parameter: Data | None = None
    invoke: int = INVOKE

    def __bytes__(self) -> bytes:
        """Give the message."""
        parameter = b"\x00" if self.parameter is None else b"\x01" + encode(self.parameter)
        return bytes((ACTION_REQUEST, NORMAL, self.invoke)) + bytes(self.target) + parameter


@dataclass(frozen=True, slots=True)
class ActionResponse:
    """What a method did: code 0 is success; `returned` is what it gives back, if anything."""

    code: int
    returned: Result | None = None
    invoke: int = INVOKE

    def __bytes__(self) -> bytes:
        """Give the message."""
        returned = b"\x00" if self.returned is None else b"\x01" + encode_result(self.returned)
        return bytes((ACTION_RESPONSE, NORMAL, self.invoke, self.code)) + returned


Service = (
    GetRequest | GetNext | GetListRequest | GetResponse | GetBlock | GetListResponse
    | SetRequest | SetResponse | ActionRequest | ActionResponse
)  # fmt: skip


# --- reading ---------------------------------------------------------------------------------------------------------


def read_service(tag: int, reader: Reader) -> Service:
    """Read a message behind its tag; raises DecodeError, also for forms that Nabd does not offer."""
    form = reader.number(1, "form")
    read = _READERS.get((tag, form))
    if read is None:
        raise DecodeError(f"form {form} of message {tag:#04x} is not offered", "Nabd reads meters, and writes nothing")
    return read(reader, reader.number(1, "invocation"))


def _get_request(reader: Reader, invoke: int) -> GetRequest:
    return GetRequest(*read_query(reader), invoke)


def _get_next(reader: Reader, invoke: int) -> GetNext:
    return GetNext(reader.number(4, "block"), invoke)


def _get_list_request(reader: Reader, invoke: int) -> GetListRequest:
    return GetListRequest(tuple(read_query(reader) for _ in range(reader.count("queries"))), invoke)


def _get_response(reader: Reader, invoke: int) -> GetResponse:
    return GetResponse(read_result(reader), invoke)


def _get_block(reader: Reader, invoke: int) -> GetBlock:
    last, block = reader.flag("last block"), reader.number(4, "block")
    if reader.flag("denied"):
        return GetBlock(last, block, Denied(reader.number(1, "reason")), invoke)
    return GetBlock(last, block, reader.octets("piece"), invoke)


def _get_list_response(reader: Reader, invoke: int) -> GetListResponse:
    return GetListResponse(read_results(reader), invoke)


def _set_request(reader: Reader, invoke: int) -> SetRequest:
    target, access = read_query(reader)
    return SetRequest(target, reader.value(), access, invoke)


def _set_response(reader: Reader, invoke: int) -> SetResponse:
    return SetResponse(reader.number(1, "result"), invoke)


def _action_request(reader: Reader, invoke: int) -> ActionRequest:
    target = read_descriptor(reader)
    return ActionRequest(target, reader.value() if reader.flag("parameter") else None, invoke)


def _action_response(reader: Reader, invoke: int) -> ActionResponse:
    code = reader.number(1, "result")
    return ActionResponse(code, read_result(reader) if reader.flag("returns something") else None, invoke)


_READERS: dict[tuple[int, int], Callable[[Reader, int], Service]] = {
    (GET_REQUEST, NORMAL): _get_request,
    (GET_REQUEST, BLOCK): _get_next,
    (GET_REQUEST, LIST): _get_list_request,
    (GET_RESPONSE, NORMAL): _get_response,
    (GET_RESPONSE, BLOCK): _get_block,
    (GET_RESPONSE, LIST): _get_list_response,
    (SET_REQUEST, NORMAL): _set_request,
    (SET_RESPONSE, NORMAL): _set_response,
    (ACTION_REQUEST, NORMAL): _action_request,
    (ACTION_RESPONSE, NORMAL): _action_response,
}
