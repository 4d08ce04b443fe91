"""The sign of power beside what the installer sees."""

from fractions import Fraction

import pytest

from gateway.commission.direction import Flow, judge


def watts(**values: int) -> dict[str, Fraction]:
    """Make a sample's values."""
    return {f"{key}_w": Fraction(value) for key, value in values.items()}


@pytest.mark.parametrize(
    ("values", "said", "right"),
    [
        (watts(power=800), "import", True),
        (watts(power=-800), "import", False),
        (watts(power=-800), "export", True),
        (watts(power=3), "import", None),
        (watts(power_import=0, power_export=500), "import", False),
        (watts(power_l1=300, power_l2=300), "import", True),
    ],
)
def test_the_sign_is_judged(values: dict[str, Fraction], said: Flow, right: bool | None) -> None:
    """Positive is consumed; next to nothing says nothing."""
    found = judge(values, said)
    assert found is not None
    assert found.right is right


def test_one_reversed_phase_is_named() -> None:
    """Two of three transformers may hide the third."""
    found = judge(watts(power=400, power_l1=600, power_l2=-500, power_l3=300), "import")
    assert found is not None
    assert found.against == ("L2",)


def test_a_meter_without_power_is_not_judged() -> None:
    """Water has no direction to look at."""
    assert judge({"water_volume_l": Fraction(1)}, "import") is None
