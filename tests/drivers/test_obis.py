"""OBIS codes taken apart, compared and scaled."""

from fractions import Fraction

import pytest

from drivers.obis import Obis, RowOfFile, compile_rows
from drivers.profiles import ProfileError


@pytest.mark.parametrize(
    "text", ["1-0:1.8.0*255", "1-0:1.8.1", "1.8.0", "1.8.0*12", "F.F", "C.1.0", "0-1:24.2.1", "31.7"]
)
def test_a_code_is_written_as_it_was_read(text: str) -> None:
    """Taking a code apart and joining it gives the code."""
    assert str(Obis.parse(text)) == text


@pytest.mark.parametrize("text", ["", "1-0", "1.8.0)", "1-0:1", "-0:1.8.0", "1..0", "a.b.c", "1000.8.0", "1.8.0*"])
def test_what_is_no_code_is_none(text: str) -> None:
    """Anything else is no code, and no error."""
    assert Obis.parse(text) is None


def test_six_bytes_are_a_code() -> None:
    """Binary protocols send each part in a byte."""
    assert str(Obis.of_bytes(bytes((1, 0, 1, 8, 0, 255)))) == "1-0:1.8.0*255"


@pytest.mark.parametrize(
    ("wire", "row", "same"),
    [
        ("1.8.0", "1-0:1.8.0", True), ("1-0:1.8.0*255", "1.8.0", True), ("1-0:1.8.0*255", "1-0:1.8.0", True),
        ("1-1:1.8.0", "1-0:1.8.0", False), ("1.8.1", "1.8.0", False), ("1.8.0*12", "1.8.0", False),
        ("31.7", "1-0:31.7.0", True), ("1.8", "1.8.1", False),
    ],
)  # fmt: skip
def test_left_out_parts_count_as_the_same(wire: str, row: str, *, same: bool) -> None:
    """A row names a value whether or not the meter writes medium, tariff 0 and storage 255; never another one."""
    left, right = Obis.parse(wire), Obis.parse(row)
    assert left is not None
    assert right is not None
    assert left.is_named_by(right) is same


def test_a_row_brings_values_into_the_base_unit() -> None:
    """The wire's unit counts, then the row's; one of another dimension gives nothing."""
    (row,) = compile_rows((RowOfFile(obis="1.8.0", quantity="energy_import", unit="kWh"),))
    assert row.measure(Fraction("12.345"), None) == 12345
    assert row.measure(5, "Wh") == 5
    assert row.measure(5, "W") is None


@pytest.mark.parametrize(("quantity", "unit"), [("energy_imports", "kWh"), ("energy_import", "kW")])
def test_a_row_that_means_nothing_is_refused(quantity: str, unit: str) -> None:
    """A quantity outside the closed list, or a unit of another dimension, is an error of the file."""
    with pytest.raises(ProfileError):
        compile_rows((RowOfFile(obis="1.8.0", quantity=quantity, unit=unit),))


def test_a_code_stands_once() -> None:
    """Two rows for one code contradict each other."""
    row = RowOfFile(obis="1.8.0", quantity="energy_import", unit="kWh")
    with pytest.raises(ProfileError):
        compile_rows((row, row))
