"""The page of supported meters: as many models as promised, each with evidence, and the evidence read again."""

import json
import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from drivers import PROTOCOLS
from drivers.analysis import Keys
from drivers.profiles import available, load_file
from drivers.quantities import BY_KEY
from gateway.analyze_cmd import bytes_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference/supported-meters.md"
MODELS: list[dict[str, Any]] = tomllib.loads((ROOT / "docs/models.toml").read_text(encoding="utf-8"))["model"]
LEAST = 40
"""Models over all protocols that the page names with evidence beyond one project's word."""

Row = tuple[str, str, str, str, str, str, str]


def rows() -> list[Row]:
    """Read the table of models."""
    table = PAGE.read_text(encoding="utf-8").split("\n## Models\n")[1].split("\n## ")[0]
    return [tuple(line.strip("| ").split(" | ")) for line in table.splitlines()[3:] if line]  # type: ignore[misc]


def test_enough_models_are_named_with_evidence() -> None:
    """Forty, over at least six protocols and four commodities, none of them on one project's word alone."""
    proven = [row for row in rows() if not row[5].startswith("one project")]
    assert len({(row[0], row[1]) for row in proven}) >= LEAST
    assert len({row[3] for row in proven}) >= 6
    assert {row[2] for row in proven} == {"electricity", "water", "gas", "heat"}


def test_no_model_stands_twice() -> None:
    """Maker, model and protocol name one row."""
    names = [row[:2] for row in rows()]
    assert len(names) == len(set(names))


def test_every_profile_is_on_the_page() -> None:
    """Whoever looks for a profile finds it, as a model's or as a whole kind's."""
    assert set(re.findall(r"\| `([a-z0-9-]+)` \|", PAGE.read_text(encoding="utf-8"))) == set(available())


def test_a_source_that_says_nothing_is_no_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is not made of profiles that do not say where they come from."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    supported = import_module("supported")
    text = available()["eastron-sdm120"].read_text(encoding="utf-8")
    path = tmp_path / "eastron-sdm120.toml"
    path.write_text(re.sub(r"(?m)^source .*$", 'source = "somebody said so"', text), encoding="utf-8")
    with pytest.raises(supported.Unproven, match="somebody said so"):
        supported.evidence_of(load_file(path))
    sys.modules.pop("supported")


@pytest.mark.parametrize("model", MODELS, ids=[f"{row['maker']} {row['model']}" for row in MODELS])
def test_a_recording_says_what_the_page_says(model: dict[str, Any], captures: Path) -> None:
    """The profile finds just these quantities in the recording of this model."""
    profile = load_file(available()[model["profile"]])
    protocol, _, name = str(model["recording"]).partition("/")
    entries = json.loads((captures / protocol / "index.json").read_text(encoding="utf-8"))["entries"]
    (entry,) = [entry for entry in entries if entry["file"] == name]
    keys = Keys(*(bytes.fromhex(entry[key]) if key in entry else None for key in ("key", "authentication_key")))
    analysis: Any = import_module(f"{PROTOCOLS[profile.driver]}.analyze")
    said = analysis.readings(bytes_of(str(captures / model["recording"])), profile, keys)
    assert list(dict.fromkeys(BY_KEY[key].name for values in said for key in values)) == model["reads"]
