"""Virtual meters in a configuration: names, formulas, and what an installer is told."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from gateway.config import EdgeConfig
from gateway.config.report import check
from gateway.virtual.build import plans_of

HEAT_PUMP = """
[[meter]]
name = "heat-pump"
bus = "rs485-1"
profile = "eastron-sdm630"
address = 2
every = "30s"
"""


def virtual(formula: str, name: str = "rest", more: str = "") -> str:
    """Write one virtual meter."""
    return f'{HEAT_PUMP}\n[[virtual]]\nname = "{name}"\nformula = "{formula}"\n{more}'


def test_a_virtual_meter_has_what_its_parts_have(good: str, edge: Callable[[str], EdgeConfig]) -> None:
    """Ids, weights and paces are those of the parts; unless given, readings lie as far apart as the slowest is read."""
    (plan,) = plans_of(edge(good + virtual("main - 0.5 * heat-pump")))
    assert plan.weights == {"gw-1_main": 1, "gw-1_heat-pump": Fraction(-1, 2)}
    assert plan.paces == {"gw-1_main": 10.0, "gw-1_heat-pump": 30.0}
    assert (plan.id, plan.every, plan.within) == ("gw-1_rest", 30.0, 30.0)
    names = {row.name for row in plan.quantities}
    assert {"power", "energy_import", "energy_export"} <= names
    assert not {"voltage_l1", "current_l1", "power_factor", "power_import"} & names
    (plan,) = plans_of(edge(good + virtual("main + flat-7", more='within = "2s"\nid = "sum"\n')))
    assert (plan.id, plan.every, plan.within) == ("sum", 10.0, 2.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (virtual("main-heat-pump"), 'formula: names "main-heat-pump", and no meter is called so'),
        (virtual("main - pump"), 'formula: names "pump", and no meter is called so'),
        (virtual("main - heat-pumb"), 'no meter is called so (did you mean "heat-pump"?)'),
        (virtual("main-gas"), "(put spaces around the minus: main - gas)"),
        (virtual("main + gas"), "formula: has meters with nothing in common that can be added"),
        (virtual("main * main"), "formula: multiplies two meters"),
        (virtual("main", name="main"), 'name: is "main", as a meter is (rename one)'),
        (virtual("main", more='id = "gw-1_main"'), "id: makes the id gw-1_main, as meter main does (change one)"),
        (virtual("main") + virtual("main")[len(HEAT_PUMP) :], 'is "rest", as virtual meter number 1 is'),
        (virtual("main", name="x" * 62), "longer than 64"),
        (virtual("main", more='within = "2d"'), 'within: is "2d" (from 100ms to 1d)'),
        (virtual("main").replace('"main"', "5"), "formula: must be text in quotes"),
        (virtual("main") + HEAT_PUMP.replace("heat-pump", "rest"), "is"),
    ],
)
def test_mistakes_are_told(text: str, told: str, good: str, complain: Callable[[str], str]) -> None:
    """Each names its place and what to write."""
    assert told in complain(good + text)


def test_a_virtual_meter_is_no_part(good: str, complain: Callable[[str], str]) -> None:
    """Formulas name meters that are read, so that nothing is computed of itself."""
    text = virtual("main") + '[[virtual]]\nname = "twice"\nformula = "2 * rest"\n'
    assert '[[virtual]] twice, formula: names "rest", and no meter is called so' in complain(good + text)


def test_check_shows_what_would_be_computed(good: str, write: Callable[[str], Path]) -> None:
    """The plan names the formula and how far apart its readings may be."""
    told = check(write(good + virtual("main - heat-pump")), "edge", {})
    assert "virtual  rest = main - heat-pump, from readings at most 30s apart, " in told
    assert told.split("virtual ")[1].rstrip().split("\n")[0].endswith("quantities, as gw-1_rest")
