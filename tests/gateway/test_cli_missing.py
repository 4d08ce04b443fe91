"""Commands whose parts are not installed, as on a gateway, which holds no simulated meters."""

import sys

import pytest

from gateway.cli import main


def test_a_part_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what is missing and where to find it; no traceback."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "simulator"]:
        monkeypatch.delitem(sys.modules, name, raising=False)

    class Missing:
        """Finds no simulator."""

        def find_spec(self, name: str, *_: object) -> None:
            if name.partition(".")[0] == "simulator":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    assert main(["simulate"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("nabd: this installation comes without simulator")
    assert len(said.splitlines()) == 1
