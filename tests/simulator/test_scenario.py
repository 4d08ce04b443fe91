"""A scenario's file says what it means, and a mistake in it is named with its place."""

from pathlib import Path

import pytest

from simulator.scenario import load
from simulator.serving import SimulatorError

SCENARIOS = Path(__file__).parents[2] / "config" / "scenarios"
LINE = '[[line]]\nname = "a"\nkind = "pty"\n'
METER = '[[meter]]\nname = "m"\nline = "a"\nprofile = "eastron-sdm120"\n'


def test_every_shipped_scenario_loads() -> None:
    """Each file in the box is valid."""
    paths = list(SCENARIOS.glob("*.toml"))
    assert paths
    for path in paths:
        assert load(path).meter


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LINE + METER.replace('"a"', '"b"'), "no line 'b', only a"),
        (LINE + METER + 'household = "hut"\n', "no household 'hut', only home"),
        (LINE + METER + '[[fault]]\nline = "c"\nkind = "flip"\n', "no line 'c', only a"),
        (LINE + LINE + METER, "two lines have the same name"),
        (LINE + METER + METER, "two meters have the same name"),
        (LINE + METER.replace("profile", "profil"), "meter.0.prof"),
        (LINE.replace("pty", "usb") + METER, "line.0.kind"),
        (LINE + 'framing = "8X1"\n' + METER, "line.0.framing"),
        (LINE + METER + "[[event]]\n", "event.0.channel"),
        ('zone = "Europe/Atlantis"\n' + LINE + METER, "no zone 'Europe/Atlantis'"),
        ("speed = 0\n" + LINE + METER, "speed"),
        ("seed = ", "Invalid value"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    """File, place and what is wrong."""
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(SimulatorError, match=r"wrong\.toml") as failure:
        load(path)
    assert said in str(failure.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """No traceback for a wrong path."""
    with pytest.raises(SimulatorError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")
