"""GET, the meter's side: one attribute, a list of them, and answers too long for one message in blocks of their own."""

from drivers.dlms.axdr import encode
from drivers.dlms.initiate import Conformance
from drivers.dlms.notices import ExceptionResponse
from drivers.dlms.objects import Denied, encode_results
from drivers.dlms.services import GetBlock, GetListRequest, GetListResponse, GetNext, GetRequest, GetResponse
from simulator.dlms.cosem import OUT_OF_SCOPE, Objects

BLOCK_HEAD = 12
"""Bytes of a block around its piece: tag, form, invocation, last, number, choice, length."""

NO_BLOCK, WRONG_BLOCK = Denied(16), Denied(19)
NOT_ALLOWED = ExceptionResponse(1, 1)
TOO_LONG = Denied(14)


class Reading:
    """Reads for one association; `room` is how long an answer may be, `agreed` what the client may ask for."""

    def __init__(self, objects: Objects, agreed: Conformance, room: int) -> None:
        self._objects = objects
        self._agreed = agreed
        self._room = room
        self._rest = b""
        self._block = 0

    def get(self, request: GetRequest) -> bytes:
        """Read one attribute."""
        if request.access and Conformance.SELECTIVE_ACCESS not in self._agreed:
            return bytes(GetResponse(OUT_OF_SCOPE, request.invoke))
        result = self._objects.read(request.target, request.access)
        answer = bytes(GetResponse(result, request.invoke))
        if isinstance(result, Denied) or len(answer) <= self._room:
            return answer
        return self._begin(encode(result), request.invoke)

    def get_list(self, request: GetListRequest) -> bytes:
        """Read several attributes."""
        if Conformance.LISTS not in self._agreed:
            return bytes(NOT_ALLOWED)
        results = tuple(self._objects.read(target, access) for target, access in request.queries)
        answer = bytes(GetListResponse(results, request.invoke))
        return answer if len(answer) <= self._room else self._begin(encode_results(results), request.invoke)

    def get_next(self, request: GetNext) -> bytes:
        """Go on with the block after the one that the client has."""
        if not self._block or request.block != self._block:
            denied = WRONG_BLOCK if self._block else NO_BLOCK
            self._rest, self._block = b"", 0
            return bytes(GetBlock(last=True, block=request.block, piece=denied, invoke=request.invoke))
        return self._next(request.invoke)

    def _begin(self, octets: bytes, invoke: int) -> bytes:
        if Conformance.BLOCKS_WITH_GET not in self._agreed:
            return bytes(GetResponse(TOO_LONG, invoke))
        self._rest, self._block = octets, 0
        return self._next(invoke)

    def _next(self, invoke: int) -> bytes:
        size = self._room - BLOCK_HEAD
        piece, self._rest = self._rest[:size], self._rest[size:]
        self._block += 1
        block = GetBlock(last=not self._rest, block=self._block, piece=piece, invoke=invoke)
        if block.last:
            self._block = 0
        return bytes(block)
