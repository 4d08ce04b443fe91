"""Reads attributes over an open association: GET, lists, and answers in blocks. Scripts, as link.py explains them.

1. One attribute is one GET. Many are asked for in lists as long as the meter's longest message allows, where it offers
   lists; a meter that offers them and then refuses one is asked one by one.
2. A long answer comes in numbered blocks, each asked for after the one before.
3. An attribute that the meter denies is `Denied` in its place; a no to the whole message is Refused.
"""

from collections.abc import Iterator, Sequence

from drivers.contract import DecodeError, Refused
from drivers.dlms.apdu import Apdu
from drivers.dlms.association import Association, CounterTooLow, NotAdmitted
from drivers.dlms.axdr import Reader
from drivers.dlms.initiate import Conformance
from drivers.dlms.link import Script
from drivers.dlms.objects import Access, Denied, Descriptor, Query, Result, encode_query, read_results
from drivers.dlms.services import (
    INVOKE,
    INVOKE_ID,
    GetBlock,
    GetListRequest,
    GetListResponse,
    GetNext,
    GetRequest,
    GetResponse,
)

MAX_ANSWER = 1 << 20
"""Bytes of one answer in blocks: a year of quarter hours of six values takes 700 kB."""

_OVERHEAD = 64
"""Bytes of a message beside its queries: head, and counter, title and tag where it is ciphered."""

MAX_LIST = 32
"""Attributes in one list: more would make an answer that few meters can hold."""


class Client:
    """Reads attributes; requests are numbered, and an answer to another one is refused."""

    def __init__(self, association: Association) -> None:
        self._association = association
        self._invoke = 0
        self._lists = True

    def get(self, target: Descriptor, access: Access | None = None) -> Script[Result]:
        """Read one attribute, or the rows of it that `access` chooses; raises DriverError."""
        answer = yield from self._ask(GetRequest(target, access, self._number()))
        if isinstance(answer, GetResponse):
            return answer.result
        if isinstance(answer, GetBlock):
            whole = yield from self._gather(answer)
            return whole if isinstance(whole, Denied) else _value(whole)
        raise _stray(answer)

    def get_all(self, queries: Sequence[Query]) -> Script[tuple[Result, ...]]:
        """Read many attributes in the fewest requests; raises DriverError."""
        results: list[Result] = []
        for group in self._groups(queries):
            results += yield from self._get_group(group)
        return tuple(results)

    def _groups(self, queries: Sequence[Query]) -> Iterator[tuple[Query, ...]]:
        offers = Conformance.LISTS in self._association.granted
        room = (self._association.longest or 1 << 16) - _OVERHEAD
        group: list[Query] = []
        size = 0
        for query in queries:
            length = len(encode_query(query))
            if group and (not offers or size + length > room or len(group) >= MAX_LIST):
                yield tuple(group)
                group, size = [], 0
            group.append(query)
            size += length
        if group:
            yield tuple(group)

    def _get_group(self, group: tuple[Query, ...]) -> Script[tuple[Result, ...]]:
        if len(group) > 1 and self._lists:
            try:
                return (yield from self._get_list(group))
            except (NotAdmitted, CounterTooLow):
                raise
            except Refused:
                self._lists = False
        results = []
        for target, access in group:
            results.append((yield from self.get(target, access)))
        return tuple(results)

    def _get_list(self, group: tuple[Query, ...]) -> Script[tuple[Result, ...]]:
        answer = yield from self._ask(GetListRequest(group, self._number()))
        if isinstance(answer, GetListResponse):
            results = answer.results
        elif isinstance(answer, GetBlock):
            whole = yield from self._gather(answer)
            if isinstance(whole, Denied):
                raise Refused(f"the meter refuses a list: {whole}", "it is asked one by one", code=whole.code)
            reader = Reader(whole)
            results = read_results(reader)
            reader.end()
        else:
            raise _stray(answer)
        if len(results) != len(group):
            raise DecodeError(f"{len(results)} answers to {len(group)} questions", "the meter breaks the protocol")
        return results

    def _gather(self, block: GetBlock) -> Script[bytes | Denied]:
        """Ask for the blocks behind the first one; raises DecodeError for one that is lost, Refused for a no."""
        gathered = bytearray()
        number = block.block
        while not isinstance(block.piece, Denied):
            if block.block != number or len(gathered) + len(block.piece) > MAX_ANSWER:
                raise DecodeError(f"block {block.block} where {number} belongs", "the meter breaks the protocol")
            gathered += block.piece
            if block.last:
                return bytes(gathered)
            answer = yield from self._ask(GetNext(number, block.invoke))
            if isinstance(answer, GetResponse) and isinstance(answer.result, Denied):
                return answer.result
            if not isinstance(answer, GetBlock):
                raise _stray(answer)
            block, number = answer, number + 1
        return block.piece

    def _number(self) -> int:
        self._invoke = (self._invoke + 1) & INVOKE_ID
        return INVOKE & ~INVOKE_ID | self._invoke

    def _ask(self, request: GetRequest | GetListRequest | GetNext) -> Script[Apdu]:
        answer = yield from self._association.ask(bytes(request))
        invoke = getattr(answer, "invoke", None)
        if invoke is not None and (invoke ^ request.invoke) & INVOKE_ID:
            raise DecodeError("the answer is to another question", "it came too late: a longer deadline of the meter?")
        return answer


def _value(whole: bytes) -> Result:
    reader = Reader(whole)
    value = reader.value()
    reader.end()
    return value


def _stray(answer: Apdu) -> DecodeError:
    return DecodeError(f"{type(answer).__name__} is no answer to GET", "the meter breaks the protocol")
