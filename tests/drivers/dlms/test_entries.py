"""Names of pushed values: the three forms, and those that look like them."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.dlms.axdr import Data, Tag
from drivers.dlms.entries import entries, text_of
from drivers.dlms.objects import Descriptor

POWER, CLOCK = bytes((1, 0, 1, 7, 0, 255)), bytes((0, 0, 1, 0, 0, 255))


def octets(content: bytes) -> Data:
    """Make a string of bytes."""
    return Data(Tag.OCTET_STRING, content)


def structure(*members: Data) -> Data:
    """Make a structure."""
    return Data(Tag.STRUCTURE, members)


def number(value: int) -> Data:
    """Make a number."""
    return Data(Tag.UINT16, value)


def test_a_value_of_six_bytes_is_no_code() -> None:
    """What follows a code is its value, whatever it looks like; text of six letters is no code either."""
    told = entries(structure(octets(b"LIST_1"), octets(POWER), octets(CLOCK), octets(CLOCK), number(5)))
    assert told.version == "LIST_1"
    assert [(one.place, one.target and one.target.obis, one.value.content) for one in told.values] == [
        (1, None, b"LIST_1"), (2, POWER, CLOCK), (4, CLOCK, 5),
    ]  # fmt: skip


def test_power_of_ten_and_unit_are_a_pair() -> None:
    """Of a signed byte and an enumeration, in this order; any other structure is a value by itself."""
    pair = structure(Data(Tag.INT8, -1), Data(Tag.ENUM, 35))
    other = structure(number(1), number(2))
    (first,) = entries(structure(octets(POWER), number(5), pair)).values
    assert (first.scaler, first.unit) == (-1, 35)
    first, second = entries(structure(octets(POWER), number(5), other)).values
    assert (first.scaler, second.target, second.value) == (None, None, other)


def test_an_object_list_names_what_follows() -> None:
    """One row for each value; a list of another length names nothing."""
    row = structure(number(3), octets(POWER), Data(Tag.INT8, 2), number(0))
    of_list = structure(number(40), octets(CLOCK), Data(Tag.INT8, 2), number(0))
    listed = Data(Tag.ARRAY, (of_list, row))
    told = entries(structure(listed, number(7)))
    assert [one.target for one in told.values] == [Descriptor(40, CLOCK, 2), Descriptor(3, POWER, 2)]
    assert [one.target for one in entries(structure(listed, number(7), number(8))).values] == [None] * 3
    short = Data(Tag.ARRAY, (of_list, structure(number(3))))
    assert [one.target for one in entries(structure(short, number(7))).values] == [None] * 2


def test_text_is_what_can_be_printed() -> None:
    """Letters of any kind of string; nothing else."""
    assert text_of(octets(b"KFM_001")) == "KFM_001"
    assert text_of(Data(Tag.VISIBLE_STRING, "Kamstrup")) == "Kamstrup"
    assert [text_of(octets(b"\x00")), text_of(octets(b"")), text_of(number(5))] == [None] * 3


DATA = st.recursive(
    st.one_of(st.binary(max_size=8).map(octets), st.sampled_from([octets(POWER), octets(CLOCK)]), st.just(number(1))),
    lambda inner: st.lists(inner, max_size=5).map(lambda made: structure(*made)),
)


@given(DATA)
def test_any_body_has_entries(body: Data) -> None:
    """Nothing is raised, and places are those of the body."""
    told = entries(body)
    assert all(1 <= one.place <= len(body.elements) for one in told.values)
