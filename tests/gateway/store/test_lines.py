"""Line protocol, read back by a parser that shares nothing with the encoder."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.contract import Row
from gateway.store.lines import RESERVED, encode
from tests.support.fake_influx import parse_line

ROW = Row("t", "gw-1", "m", 1795219200000, 7, 1000, 4, {"power_w": -12.5}, "electricity")

text = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="\\", include_characters=" "), min_size=1
)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)


def fits(value: float | str) -> bool:
    """Say whether a float can be made of it: an integer may be too large."""
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


rows = st.builds(
    Row, text, text, text, st.integers(0, 1 << 42), st.just(0), st.integers(0, (1 << 63) - 1), st.integers(0, 255),
    st.dictionaries(text.filter(lambda name: name not in RESERVED), (numbers | decimals).filter(fits)),
    st.just("") | text,
)  # fmt: skip


def test_a_line_in_full() -> None:
    """The line of the reading in the module's own example."""
    assert encode(ROW) == (
        "reading,tenant=t,gw=gw-1,meter=m,commodity=electricity power_w=-12.5,q=4i,seq=1000i 1795219200000"
    )


@given(rows)
def test_an_independent_parser_reads_the_same(row: Row) -> None:
    """Tags, fields, types and time survive, whatever the names hold."""
    point = parse_line(encode(row))
    tags = {"tenant": row.tenant, "gw": row.gw, "meter": row.meter, "commodity": row.commodity}
    assert point.measurement == "reading"
    assert dict(point.tags) == {name: value for name, value in tags.items() if value}
    fields = dict(point.fields)
    assert (fields.pop("q"), fields.pop("seq"), point.ts) == (row.q, row.seq, row.ts)
    assert fields == {name: float(value) for name, value in row.v.items()}
    assert all(isinstance(value, float) for value in fields.values())


@pytest.mark.parametrize("bad", ["a\nb", "a\\", "tab\t", "null\0"])
def test_what_line_protocol_cannot_carry_is_refused(bad: str) -> None:
    """A line break or a backslash would become another line or another tag."""
    with pytest.raises(ValueError, match="cannot carry"):
        encode(replace(ROW, meter=bad))


@pytest.mark.parametrize("bad", [math.nan, math.inf, "1e999", "many"])
def test_numbers_that_are_none_are_refused(bad: float | str) -> None:
    """InfluxDB has no not-a-number."""
    with pytest.raises(ValueError, match=r"cannot carry|could not convert"):
        encode(replace(ROW, v={"power_w": bad}))


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_our_own_names_are_not_for_values(name: str) -> None:
    """One hostile reading must not decide the type of `seq` for all others."""
    with pytest.raises(ValueError, match="name of our own"):
        encode(replace(ROW, v={name: 1.0}))
