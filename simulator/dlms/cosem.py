"""The objects of a simulated DLMS meter, and how each attribute is read.

An object has a class, six OBIS bytes, and a reader for each of its attributes; `Objects` finds them, and lists them as
the association's object list does.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from drivers.dlms.axdr import Data, Tag
from drivers.dlms.objects import Access, Denied, Descriptor, Result

DATA, REGISTER, EXTENDED_REGISTER, DEMAND_REGISTER, PROFILE, CLOCK, ASSOCIATION = 1, 3, 4, 5, 7, 8, 15
"""Classes."""

NO_SUCH_OBJECT, OTHER_CLASS, UNAVAILABLE, OUT_OF_SCOPE = Denied(4), Denied(9), Denied(11), Denied(13)

_READ_ONLY = 1
_CALLABLE = 1

Answer = Callable[[Access | None], Result]
"""Gives an attribute, or the part of it that was asked for."""

Attributes = Mapping[int, Answer]
"""The attributes of an object by number, 1 (its name) aside."""


def six(code: str) -> bytes:
    """Give the OBIS bytes of a code like `1-0:1.8.0`; a last part that is left out is 255."""
    parts = [int(part) for part in code.replace("-", ".").replace(":", ".").replace("*", ".").split(".")]
    return bytes([*parts, 255][:6])


@dataclass(frozen=True, slots=True)
class Cosem:
    """One object."""

    class_id: int
    obis: bytes
    attributes: Attributes
    version: int = 0
    methods: tuple[int, ...] = ()

    def read(self, index: int, access: Access | None) -> Result:
        """Give one attribute."""
        if index == 1:
            return octets(self.obis)
        answer = self.attributes.get(index)
        return UNAVAILABLE if answer is None else answer(access)

    @property
    def listed(self) -> Data:
        """Its line of the object list: all attributes may be read, none written."""
        attributes = [
            structure(int8(index), enum(_READ_ONLY), Data(Tag.NULL)) for index in (1, *sorted(self.attributes))
        ]
        methods = [structure(int8(index), enum(_CALLABLE)) for index in self.methods]
        rights = structure(array(attributes), array(methods))
        return structure(uint16(self.class_id), uint8(self.version), octets(self.obis), rights)


class Objects:
    """What a meter has."""

    def __init__(self, things: Iterable[Cosem]) -> None:
        association = Cosem(ASSOCIATION, six("0-0:40.0.0"), {2: self._list}, version=1, methods=(1,))
        self._things = {thing.obis: thing for thing in (association, *things)}

    def read(self, target: Descriptor, access: Access | None = None) -> Result:
        """Give an attribute, or the no that a meter has for it."""
        thing = self._things.get(target.obis)
        if thing is None:
            return NO_SUCH_OBJECT
        return thing.read(target.index, access) if thing.class_id == target.class_id else OTHER_CLASS

    def _list(self, access: Access | None) -> Result:
        return OUT_OF_SCOPE if access else array([thing.listed for thing in self._things.values()])


def always(value: Data) -> Answer:
    """Read the same value for ever."""
    return when_asked(lambda: value)


def when_asked(read: Callable[[], Data]) -> Answer:
    """Read the value of the moment; no part of it can be chosen."""
    return lambda access: OUT_OF_SCOPE if access else read()


# --- values ----------------------------------------------------------------------------------------------------------


def structure(*members: Data) -> Data:
    """Put values in a structure."""
    return Data(Tag.STRUCTURE, members)


def array(members: Iterable[Data]) -> Data:
    """Put values in an array."""
    return Data(Tag.ARRAY, tuple(members))


def octets(content: bytes) -> Data:
    """Make a string of bytes."""
    return Data(Tag.OCTET_STRING, content)


def enum(value: int) -> Data:
    """Make a choice."""
    return Data(Tag.ENUM, value)


def int8(value: int) -> Data:
    """Make a signed number of one byte."""
    return Data(Tag.INT8, value)


def uint8(value: int) -> Data:
    """Make a number of one byte."""
    return Data(Tag.UINT8, value)


def uint16(value: int) -> Data:
    """Make a number of two bytes."""
    return Data(Tag.UINT16, value)


def uint32(value: int) -> Data:
    """Make a number of four bytes."""
    return Data(Tag.UINT32, value)
