"""The audit of the locks: licences that bind, weaknesses that are known, entries that are not pinned."""

import json
import zipfile
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from locks.advisories import weaknesses
from locks.audit import audit
from locks.licences import is_refused, licence_of
from locks.lock import FOLDER, LOCKS, Locked, installed, read

HASH = "0" * 64


def advisory(*events: Mapping[str, str], name: str = "Jinja2", **more: Any) -> dict[str, Any]:
    """Give a weakness as OSV writes it."""
    package = {"ecosystem": "PyPI", "name": name}
    return {"id": "X-1", "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]} | more


def locks_in(folder: Path, text: str) -> Path:
    """Write the same lock under every name."""
    for name in LOCKS:
        (folder / f"{name}.txt").write_text(text)
    return folder


def test_our_locks_may_be_shipped() -> None:
    """Nothing in them is refused, and what could not be looked at is said."""
    said: list[str] = []
    assert audit(FOLDER, None, installed(), said.append) == 0
    assert any("NOT looked for known weaknesses" in line for line in said)
    assert not any(line.startswith("fault") for line in said)


@pytest.mark.parametrize(
    ("licence", "refused"),
    [
        ("MIT", False), ("LGPL-2.1-or-later", False), ("MPL-2.0 AND (Apache-2.0 OR MIT)", False),
        ("GPL-3.0-only", True), ("AGPL-3.0-or-later", True), ("BUSL-1.1", True), ("BSL-1.0", False),
        ("MIT AND GPL-2.0-only", True), ("MIT OR GPL-2.0-only", False), ("(GPL-2.0 OR AGPL-3.0) AND MIT", True),
        ("EPL-2.0 OR BSD-3-Clause", False), ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("GNU Affero General Public License v3 or later (AGPLv3+)", True), ("GPL v3", True), ("BSD License", False),
        ("(MIT OR Apache-2.0", True), ("MIT AND Apache-2.0)", True),
    ],
)  # fmt: skip
def test_licences_that_bind_are_refused(licence: str, *, refused: bool) -> None:
    """Of alternatives one free one is enough; of licences that all count none may bind; the unreadable is refused."""
    assert is_refused(licence) is refused


@pytest.mark.parametrize(
    ("field", "value", "licence"),
    [
        ("License-Expression", "MIT", "MIT"), ("License", "Apache 2.0", "Apache-2.0"),
        ("Classifier", "License :: OSI Approved :: MIT License", "MIT"), ("Classifier", "Framework :: X", None),
        ("License", "x" * 500, None),
    ],
)  # fmt: skip
def test_a_licence_is_read_wherever_it_stands(field: str, value: str, licence: str | None) -> None:
    """Expression, text or classifier; a whole licence's text names none."""
    metadata = Message()
    metadata[field] = value
    assert licence_of(SimpleNamespace(metadata=metadata)) == licence  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "events", "hit"),
    [
        ("3.1.3", [{"introduced": "0"}, {"fixed": "3.1.4"}], True),
        ("3.1.4", [{"introduced": "0"}, {"fixed": "3.1.4"}], False),
        ("3.1.10", [{"introduced": "3.1.9"}, {"last_affected": "3.1.10"}], True),
        ("3.1.11", [{"introduced": "3.1.9"}, {"last_affected": "3.1.10"}], False),
        ("2.5", [{"introduced": "0"}, {"fixed": "2"}, {"introduced": "2.5"}], True),
        ("1.0", [{"introduced": "2"}], False),
    ],
)
def test_a_weak_version_is_found(version: str, events: list[dict[str, str]], *, hit: bool) -> None:
    """Versions are compared as numbers, and a range may be on and off several times."""
    found = weaknesses([Locked("jinja2", version, (HASH,))], [advisory(*events)])
    assert bool(found) is hit


def test_what_is_withdrawn_or_of_another_world_is_no_weakness() -> None:
    """A withdrawn advisory, one of another ecosystem and one of a package we do not have say nothing of us."""
    locked, all_versions = [Locked("jinja2", "3.1.6", (HASH,))], {"introduced": "0"}
    foreign = advisory(all_versions)
    foreign["affected"][0]["package"]["ecosystem"] = "npm"
    others = [advisory(all_versions, withdrawn="2026-01-01T00:00:00Z"), foreign, advisory(all_versions, name="flask")]
    assert weaknesses(locked, others) == []
    (only,) = weaknesses(locked, [advisory(all_versions)])
    assert str(only) == "jinja2 3.1.6: X-1, mended in no version yet"


def test_a_known_weakness_fails_the_audit(tmp_path: Path) -> None:
    """A folder of advisories is read whole; one that fits a pinned version is a fault, an empty folder an error."""
    folder = locks_in(tmp_path, f"jinja2==3.1.3 \\\n    --hash=sha256:{HASH}\n")
    said: list[str] = []
    (tmp_path / "osv").mkdir()
    with pytest.raises(ValueError, match="no advisories"):
        audit(folder, tmp_path / "osv", {}, said.append)
    record = advisory({"introduced": "0"}, {"fixed": "3.1.4"})
    (tmp_path / "osv" / "X-1.json").write_text(json.dumps(record))
    assert audit(folder, tmp_path / "osv", {}, said.append) == 1
    assert said[-1] == "fault: jinja2 3.1.3: X-1, mended in 3.1.4"


@pytest.mark.parametrize("entry", ["jinja2>=3", "jinja2==3.1.6", "jinja2 @ git+https://example.org/jinja2"])
def test_what_is_not_pinned_is_an_error(tmp_path: Path, entry: str) -> None:
    """A lock names version and hash of everything; a source tree is no package."""
    (tmp_path / "edge.txt").write_text(entry + "\n")
    with pytest.raises(ValueError, match="not pinned"):
        read(tmp_path / "edge.txt")


def test_one_weakness_with_several_advisories_is_told_once() -> None:
    """Advisories that name one another are one weakness, whoever comes first, by all its names and what mends it."""
    bug = {"introduced": "0"}
    copies = [
        advisory(bug, {"fixed": "4"}, id="GHSA-1", aliases=["CVE-1"]),
        advisory(bug, id="OTHER-1"),
        advisory(
            bug, {"fixed": "4"}, {"introduced": "4.1"}, {"fixed": "4.2"}, id="PYSEC-1", aliases=["CVE-1", "GHSA-1"]
        ),
    ]
    locked = [Locked("jinja2", "3.1.6", (HASH,)), Locked("jinja2", "4.3", (HASH,))]
    for order in (copies, copies[::-1]):
        found = weaknesses(locked, order)
        assert sorted(
            (one.package.version, set(one.names), set(one.mended)) for one in found if len(one.names) > 1
        ) == [("3.1.6", {"GHSA-1", "CVE-1", "PYSEC-1"}, {"4", "4.2"})]
        assert [one.package.version for one in found if one.names == ("OTHER-1",)] == ["3.1.6", "4.3"]


def test_versions_that_are_named_count_without_a_range() -> None:
    """An advisory may list versions, and have a range of commits, which says nothing of versions."""
    commits = {"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "deadbeef"}]}
    listed = advisory(versions=["3.1.3"])
    listed["affected"][0] |= {"ranges": [commits], "versions": ["3.1.2", "3.1.3"]}
    assert weaknesses([Locked("jinja2", "3.1.3", (HASH,))], [listed])
    assert not weaknesses([Locked("jinja2", "3.1.4", (HASH,))], [listed])


def test_an_archive_of_advisories_is_read_like_a_folder(tmp_path: Path) -> None:
    """The zip that OSV exports gives the same faults; what is no archive and no advisory is an error."""
    folder = locks_in(tmp_path, f"jinja2==3.1.3 \\\n    --hash=sha256:{HASH}\n")
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("X-1.json", json.dumps(advisory({"introduced": "0"}, {"fixed": "3.1.4"})))
        packed.writestr("modified_id.csv", "not asked")
    said: list[str] = []
    assert audit(folder, archive, {}, said.append) == 1
    assert said[-1] == "fault: jinja2 3.1.3: X-1, mended in 3.1.4"
    for name, content in (("no.zip", b"PK rubbish"), ("list/one.json", b"[]"), ("none/one.json", b"{}")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=r"archive|no advisory"):
            audit(folder, tmp_path / name if name.endswith("zip") else (tmp_path / name).parent, {}, said.append)
