"""S6 with real weaknesses: twenty that were found in packages we pin, as of November 2026.

What each mends is public; the records here have OSV's shape and those facts, and no word of the advisories. They are no
copy of the advisories: a release is audited against a whole one.
"""

import json
from pathlib import Path

import pytest
from packaging.version import Version

from locks.audit import audit
from locks.lock import FOLDER, LOCKS, read

KNOWN = [
    ("CVE-2026-34513", "aiohttp", "0", "3.13.4"), ("CVE-2026-34993", "aiohttp", "0", "3.14.0"),
    ("CVE-2026-47265", "aiohttp", "0", "3.14.0"), ("CVE-2026-54273", "aiohttp", "0", "3.14.1"),
    ("CVE-2026-69243", "aiohttp", "0", "3.14.2"), ("CVE-2026-69244", "aiohttp", "0", "3.14.3"),
    ("CVE-2026-53533", "aiosmtplib", "0", "5.1.1"), ("CVE-2026-55558", "aiosmtplib", "0", "5.1.2"),
    ("CVE-2026-63374", "anyio", "0", "4.14.2"),
    ("CVE-2026-39892", "cryptography", "0", "46.0.7"), ("CVE-2026-69248", "cryptography", "45.0.0", "49.0.0"),
    ("CVE-2026-69249", "cryptography", "42.0.0", "49.0.0"), ("CVE-2026-69247", "cryptography", "44.0.0", "50.0.0"),
    ("CVE-2025-43859", "h11", "0", "0.16.0"), ("CVE-2026-45409", "idna", "0", "3.15"),
    ("CVE-2025-27516", "jinja2", "0", "3.1.6"), ("CVE-2025-67221", "orjson", "0", "3.11.6"),
    ("CVE-2026-48710", "starlette", "0", "1.0.1"), ("CVE-2026-54283", "starlette", "0", "1.3.1"),
    ("CVE-2026-44431", "urllib3", "0", "2.7.0"),
]  # fmt: skip
HASH = "0" * 64


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Write the records as a folder of OSV files."""
    folder = tmp_path / "osv"
    folder.mkdir()
    for name, package, introduced, fixed in KNOWN:
        span = {"type": "ECOSYSTEM", "events": [{"introduced": introduced}, {"fixed": fixed}]}
        record = {"id": name, "affected": [{"package": {"ecosystem": "PyPI", "name": package}, "ranges": [span]}]}
        (folder / f"{name}.json").write_text(json.dumps(record))
    return folder


def test_nothing_we_pin_has_one_of_them(copy: Path) -> None:
    """Each of these packages is pinned, in a version that mends it."""
    said: list[str] = []
    assert audit(FOLDER, copy, {}, said.append) == 0, said
    pinned = {package.name: Version(package.version) for name in LOCKS for package in read(FOLDER / f"{name}.txt")}
    assert {package for _, package, _, _ in KNOWN} <= set(pinned)
    assert all(pinned[package] >= Version(fixed) for _, package, _, fixed in KNOWN)


def test_the_version_before_would_be_found(copy: Path, tmp_path: Path) -> None:
    """With pins from before 2025 every one of them is a fault, by its name and with the version that mends it."""
    old = {"aiohttp": "3.11.0", "aiosmtplib": "3.0.0", "anyio": "4.0.0", "cryptography": "45.0.1", "h11": "0.14.0",
           "idna": "3.7", "jinja2": "3.1.4", "orjson": "3.9.15", "starlette": "0.40.0", "urllib3": "2.2.0"}  # fmt: skip
    lock = "".join(f"{name}=={version} \\\n    --hash=sha256:{HASH}\n" for name, version in old.items())
    for name in LOCKS:
        (tmp_path / f"{name}.txt").write_text(lock)
    said: list[str] = []
    assert audit(tmp_path, copy, {}, said.append) == 1
    faults = {line for line in said if line.startswith("fault: ")}
    assert faults == {f"fault: {p} {old[p]}: {name}, mended in {fixed}" for name, p, _, fixed in KNOWN}
