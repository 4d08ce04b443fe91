"""What people judged about known weaknesses: the document, and what the audit lets pass for it."""

import json
import re
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import pytest

from locks.audit import audit
from locks.lock import FOLDER, LOCKS, installed, read
from locks.sbom import EXTRAS, bill
from locks.vex import FILE, Justification, State, document, outdated, statements

HASH = "0" * 64
EPOCH = 1_795_219_200
JUDGED = """
[[statement]]
id            = "CVE-1"
package       = "jinja2"
version       = "{version}"
state         = "not_affected"
justification = "code_not_reachable"
detail        = "Templates come from the package, never from people."
"""


def pinned(name: str) -> str:
    """Give the version that the hub's lock pins."""
    return next(one.version for one in read(FOLDER / "hub.txt") if one.name == name)


@pytest.mark.parametrize("lock", EXTRAS)
def test_the_document_is_about_the_bill_of_the_same_lock(lock: str) -> None:
    """Each statement leads, by the bill's serial number, to a component of it; words are those that CycloneDX knows."""
    made = bill(lock, read(FOLDER / f"{lock}.txt"), installed(), EPOCH)
    judged = (*statements(FILE.read_text()), *statements(JUDGED.format(version=pinned("jinja2"))))
    said = document(made, judged)
    assert (said["bomFormat"], said["specVersion"], said["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch("urn:uuid:[0-9a-f-]{36}", said["serialNumber"])
    assert said["serialNumber"] != made["serialNumber"]
    refs = {row["bom-ref"] for row in made["components"]}
    for row in said["vulnerabilities"]:
        (affected,) = row["affects"]
        link, _, ref = affected["ref"].partition("#")
        assert link == f"urn:cdx:{made['serialNumber'].removeprefix('urn:uuid:')}/1"
        assert unquote(ref) in refs
        assert row["analysis"]["state"] in get_args(State)
        assert row["analysis"].get("justification", "code_not_present") in get_args(Justification)
        assert row["analysis"]["detail"]
    names = [row["id"] for row in said["vulnerabilities"]]
    assert ("CVE-1" in names) is (lock != "edge")
    assert json.dumps(said) == json.dumps(document(made, judged))


def test_our_own_statements_are_about_what_we_pin() -> None:
    """A judgement does not outlive the version it was made for."""
    packages = [one for name in LOCKS for one in read(FOLDER / f"{name}.txt")]
    assert outdated(statements(FILE.read_text()), packages) == []


@pytest.mark.parametrize(
    "change",
    [
        {"justification": ""}, {"state": "exploitable"}, {"state": "fixed"}, {"justification": "trust_me"},
        {"detail": "no"}, {"id": ""}, {"surprise": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_a_statement_is_justified_in_known_words(change: dict[str, str]) -> None:
    """Nothing is let pass without a reason, and no word is made up."""
    text = JUDGED.format(version="1")
    for key, value in change.items():
        text = re.sub(f"{key} .*", "", text) + (f'{key} = "{value}"\n' if value or key == "id" else "")
    with pytest.raises(ValueError, match=r"statement"):
        statements(text)


def osv(folder: Path, aliases: list[str]) -> Path:
    """Write an advisory for every version of a package."""
    record: dict[str, Any] = {"id": "GHSA-1", "aliases": aliases, "affected": [
        {"package": {"ecosystem": "PyPI", "name": "jinja2"}, "versions": ["3.1.6"]},
    ]}  # fmt: skip
    folder.mkdir()
    (folder / "GHSA-1.json").write_text(json.dumps(record))
    return folder


@pytest.mark.parametrize(
    ("judged", "aliases", "code", "told"),
    [
        (JUDGED.format(version="3.1.6"), ["CVE-1"], 0, "jinja2 3.1.6: GHSA-1, mended in no version yet; not_affected"),
        (JUDGED.format(version="3.1.6"), ["CVE-2"], 1, "fault: jinja2 3.1.6: GHSA-1"),
        (JUDGED.format(version="3.1.5"), ["CVE-1"], 1, "fault: locks/vex.toml: CVE-1 is judged for jinja2 3.1.5"),
        (re.sub("justification.*", "", JUDGED).replace("not_affected", "in_triage").format(version="3.1.6"), ["CVE-1"],
         1, "fault: jinja2 3.1.6: GHSA-1"),
    ],
    ids=["judged", "another weakness", "another version", "not judged yet"],
)  # fmt: skip
def test_the_audit_lets_pass_what_was_judged_and_nothing_else(
    tmp_path: Path, judged: str, aliases: list[str], code: int, told: str
) -> None:
    """A statement counts for one weakness of one version, once somebody has found that it does not concern us."""
    for name in LOCKS:
        (tmp_path / f"{name}.txt").write_text(f"jinja2==3.1.6 \\\n    --hash=sha256:{HASH}\n")
    said: list[str] = []
    assert audit(tmp_path, osv(tmp_path / "osv", aliases), {}, said.append, statements(judged)) == code
    assert any(line.startswith(told) for line in said), said
