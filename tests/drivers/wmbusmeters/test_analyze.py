"""Tests of drivers/wmbusmeters/analyze.py: lines explained, good and bad, and others left alone."""

from drivers.analysis import About, Keys, Value
from drivers.profiles import load
from drivers.wmbusmeters.analyze import analyze, readings

GOOD = b'{"_":"telegram","media":"gas","driver":"x","id":"21050006","total_m3":4.5,"flow_m3h":0,"ok":true,"n":null}'
DATA = b"Started\n" + GOOD + b"\n{broken\n" + GOOD.replace(b"gas", b"heat") + b"\nT1;1;1;12345678;0x00\n"


def test_lines_are_explained() -> None:
    """Each line of JSON is a frame at its place, with fields, units, and who it is of."""
    first, broken, last = analyze(DATA, Keys())
    assert (DATA[first.start : first.end], first.error) == (GOOD, None)
    assert first.meter == About("21050006", None, "x", "gas")
    assert Value("total_m3", 4.5, "m³") in first.values
    assert Value("flow_m3h", 0, "m³/h") in first.values
    assert {Value("ok", 1), Value("n", None)} < set(first.values)
    assert broken.error == "the line is no JSON"
    assert last.meter.medium == "heat"


def test_a_model_says_what_it_makes_of_them() -> None:
    """Lines of other media, and broken ones, say nothing."""
    assert readings(DATA, load("wmbusmeters-gas"), Keys()) == ({"gas_volume_l": 4500, "gas_flow_l_h": 0},)
    assert analyze(b"T1;1;1;12345678;0x00\n/NBD5\n", Keys()) == ()
