"""The bill of materials: all that an installation holds, pinned, hashed and licensed, the same each time."""

import json
import re
from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement

from locks.lock import FOLDER, installed, normal, read
from locks.sbom import EXTRAS, bill

EPOCH = 1_795_219_200


def needed(extras: tuple[str, ...]) -> set[str]:
    """Walk what Nabd needs here with these extras, as an installer would, by metadata alone."""
    found: set[str] = set()
    waiting = [("nabd", extras)]
    seen = set()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        for text in distribution(name).requires or []:
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
                found.add(normal(need.name))
                waiting.append((need.name, tuple(sorted(need.extras))))
    return found


@pytest.mark.parametrize("lock", EXTRAS)
def test_every_package_of_an_installation_is_in_it(lock: str) -> None:
    """What the metadata say that an installation needs is a component each, in the version that is installed."""
    known = installed()
    made = bill(lock, read(FOLDER / f"{lock}.txt"), known, EPOCH)
    versions = {row["name"]: row["version"] for row in made["components"]}
    assert {name: known[name].version for name in needed(EXTRAS[lock])}.items() <= versions.items()


def test_each_package_has_a_licence_hashes_and_a_url() -> None:
    """Every component has hashes, and a licence where this platform has it: an SPDX expression or a name."""
    known = installed()
    for row in bill("demo", read(FOLDER / "demo.txt"), known, EPOCH)["components"]:
        assert row["purl"] == f"pkg:pypi/{row['name']}@{row['version']}" == row["bom-ref"]
        assert all(re.fullmatch("[0-9a-f]{64}", one["content"]) for one in row["hashes"])
        assert row["hashes"]
        if row["name"] not in known:
            continue
        (licence,) = row["licenses"]
        assert licence.get("expression") or licence["license"]["name"]


def test_what_needs_what_is_told() -> None:
    """References lead to components, and a known dependency is among them."""
    made = bill("hub", read(FOLDER / "hub.txt"), installed(), EPOCH)
    refs = {made["metadata"]["component"]["bom-ref"], *(row["bom-ref"] for row in made["components"])}
    needs = {row["ref"]: set(row["dependsOn"]) for row in made["dependencies"]}
    assert set(needs) == refs
    assert set().union(*needs.values()) <= refs
    by_name = {ref.partition("@")[0].rpartition("/")[2]: ref for ref in refs}
    assert by_name["pydantic-core"] in needs[by_name["pydantic"]]
    assert by_name["uvicorn"] in needs[by_name["nabd"]]


def test_the_same_sources_give_the_same_bill() -> None:
    """Twice the same bytes; another time, or another lock, another serial number."""
    locked, known = read(FOLDER / "edge.txt"), installed()
    first = bill("edge", locked, known, EPOCH)
    assert json.dumps(first) == json.dumps(bill("edge", locked, known, EPOCH))
    assert first["metadata"]["timestamp"] == "2026-11-21T00:00:00Z"
    assert first["serialNumber"] != bill("edge", locked[1:], known, EPOCH)["serialNumber"]
    assert re.fullmatch("urn:uuid:[0-9a-f-]{36}", first["serialNumber"])
