"""What may be added up and what never is."""

from decimal import Decimal
from fractions import Fraction

from drivers.quantities import QUANTITIES
from gateway.virtual.additive import offered, value_of

ONE, LESS = Fraction(1), Fraction(-1)
ALL = set(QUANTITIES)


def names(parts: list[set[str]], *weights: Fraction) -> set[str]:
    """Name what a formula's meter has."""
    return {row.name for row in offered(parts, weights)}


def test_only_what_adds_up_is_offered() -> None:
    """Energies, volumes, powers and flows; no voltage, current, apparent power, factor, frequency or temperature."""
    found = names([ALL, ALL], ONE, ONE)
    assert {"energy_import", "reactive_energy_import", "gas_volume", "power", "power_l2", "water_flow"} <= found
    assert {QUANTITIES[name].unit for name in found} == {"Wh", "varh", "l", "W", "var", "l/h"}


def test_only_what_all_parts_have_is_offered() -> None:
    """A sum that lacks one of its parts is no sum."""
    assert names([{"power", "energy_import"}, {"energy_import", "voltage"}], ONE, ONE) == {"energy_import"}
    assert names([{"water_volume"}, {"energy_import"}], ONE, ONE) == set()


def test_a_difference_has_no_power_of_one_way() -> None:
    """What is left of import alone says nothing once the other meter gives and takes; the signed power does."""
    parts = [{"power", "power_import", "energy_import"}, {"power", "power_import", "energy_import"}]
    assert names(parts, ONE, ONE) == {"power", "power_import", "energy_import"}
    assert names(parts, ONE, LESS) == {"power", "energy_import"}


def test_a_register_needs_a_part_that_counts_up() -> None:
    """A meter turned round has a power, and no register."""
    assert names([{"power", "energy_import"}], LESS) == {"power"}


def test_import_and_export_make_a_power() -> None:
    """A P1 meter tells them apart; a heat pump's meter gives one signed value."""
    assert "power" in names([{"power_import", "power_export"}, {"power"}], ONE, LESS)
    assert "power" not in names([{"power_import"}, {"power"}], ONE, LESS)
    assert value_of({"power_import_w": 0, "power_export_w": 1500}, "power_w") == -1500
    assert value_of({"power_import_w": 100.5}, "power_w") is None
    assert value_of({"power_import_l2_w": 100.5, "power_export_l2_w": 0}, "power_l2_w") == Fraction(201, 2)


def test_a_value_is_exact_or_absent() -> None:
    """What is no number adds up to nothing."""
    assert value_of({"energy_import_wh": Decimal("123456789012345.6789")}, "energy_import_wh") == Fraction(
        "123456789012345.6789"
    )
    assert value_of({"energy_import_wh": float("nan")}, "energy_import_wh") is None
    assert value_of({"power_import_w": float("inf"), "power_export_w": 0}, "power_w") is None
    assert value_of({}, "energy_import_wh") is None
