# ruff: noqa: INP001  a tool of ./run, not a part of the program
"""Writes the bill of materials of an installation, CycloneDX 1.6 as JSON: `./run sbom [edge | hub | demo]`.

1. The lock says which packages, in which versions, with which hashes; it serves all platforms.
2. Installed metadata say the licence of each, and which needs which.
3. The same sources give the same bytes: time is SOURCE_DATE_EPOCH or the last commit's, the serial number a hash.
"""

import argparse
import json
import sys
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from gateway import VERSION
from locks.licences import is_spdx, licence_of
from locks.lock import FOLDER, Locked, installed, normal, read
from systemd.debian.build import source_epoch
from systemd.debian.wheels import BuildError

_NABD = f"pkg:pypi/nabd@{VERSION}"
EXTRAS = {
    "edge": (),
    "hub": ("hub", "influx", "postgres", "victoria"),
    "demo": ("hub", "influx", "postgres", "victoria", "embedded", "simulator"),
}
"""What each lock was compiled with: see `make_locks` in ./run."""


def bill(lock: str, locked: Iterable[Locked], known: Mapping[str, Distribution], epoch: int) -> dict[str, Any]:
    """Make the bill of a lock's packages; `known` are installed ones by name, `epoch` is its time in seconds."""
    packages = {package.name: package for package in locked}
    content = {
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application", "bom-ref": _NABD, "name": "nabd", "version": VERSION, "purl": _NABD,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
            "properties": [{"name": "nabd:lock", "value": f"locks/{lock}.txt"}],
        },
        "components": [_component(package, known.get(package.name)) for package in packages.values()],
        "dependencies": _dependencies(packages, known, EXTRAS[lock]),
    }  # fmt: skip
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", "version": 1, **content,
    }  # fmt: skip


def _component(package: Locked, found: Distribution | None) -> dict[str, Any]:
    """Describe one package; a licence is told only where this platform has it installed."""
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
    }
    licence = licence_of(found) if found else None
    if licence is not None:
        component["licenses"] = [{"expression": licence} if is_spdx(licence) else {"license": {"name": licence}}]
    # A package is many files, one for each platform: these are the hashes of all that an installer may choose from.
    component["hashes"] = [{"alg": "SHA-256", "content": digest} for digest in package.hashes]
    return component


def _dependencies(
    packages: Mapping[str, Locked], known: Mapping[str, Distribution], extras: Iterable[str]
) -> list[dict[str, Any]]:
    rows = [{"ref": _NABD, "dependsOn": _needs(known.get("nabd"), packages, extras)}]
    rows += [{"ref": one.purl, "dependsOn": _needs(known.get(name), packages, ())} for name, one in packages.items()]
    return rows


def _needs(found: Distribution | None, packages: Mapping[str, Locked], extras: Iterable[str]) -> list[str]:
    """Name the packages of the lock that one needs here, with these extras of it."""
    asked = [{"extra": extra} for extra in ("", *extras)]
    names = {
        normal(need.name)
        for need in map(Requirement, (found.requires or []) if found else [])
        if need.marker is None or any(need.marker.evaluate(one) for one in asked)
    }
    return sorted(packages[name].purl for name in names if name in packages)


def main() -> int:
    """Print one bill, or write it."""
    parser = argparse.ArgumentParser(prog="./run sbom", description="Write the bill of materials, CycloneDX as JSON.")
    parser.add_argument("lock", nargs="?", choices=list(EXTRAS), default="hub", help="of what (hub, which holds edge)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file to write (standard output)")
    options = parser.parse_args()
    try:
        made = bill(options.lock, read(FOLDER / f"{options.lock}.txt"), installed(), source_epoch())
    except (BuildError, ValueError) as error:
        print(f"nabd sbom: {error}", file=sys.stderr)  # noqa: T201  it talks to people
        return 2
    text = json.dumps(made, indent=2) + "\n"
    if options.out is None:
        sys.stdout.write(text)
    else:
        options.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
