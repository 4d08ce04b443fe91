# ruff: noqa: INP001  a tool of ./run, not a part of the program
"""Says which known weaknesses concern Nabd and which do not, as CycloneDX 1.6 (VEX): `./run vex [edge | hub | demo]`.

1. People judge, in locks/vex.toml, and say why. A statement is about one version of one package.
2. `./run audit` lets pass what does not concern us, and what is judged for a version that we no longer pin is a fault.
3. The document points into the bill of materials of the same lock (`./run sbom`) by its serial number.
"""

import argparse
import json
import sys
import tomllib
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, model_validator

from locks.advisories import Weakness
from locks.lock import FOLDER, Locked, installed, read
from locks.sbom import EXTRAS, bill
from systemd.debian.build import source_epoch
from systemd.debian.wheels import BuildError

FILE = FOLDER / "vex.toml"
State = Literal["not_affected", "false_positive", "exploitable", "in_triage"]
Justification = Literal[
    "code_not_present", "code_not_reachable", "requires_configuration", "requires_dependency", "requires_environment",
    "protected_by_compiler", "protected_at_runtime", "protected_at_perimeter", "protected_by_mitigating_control",
]  # fmt: skip


class Statement(BaseModel):
    """What we say about one weakness of one version of a package."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    package: str
    version: str
    state: State
    justification: Justification | None = None
    detail: str = Field(min_length=20)

    @model_validator(mode="after")
    def _is_justified(self) -> Self:
        if (self.state == "not_affected") != (self.justification is not None):
            raise ValueError("`not_affected` has a justification, and nothing else has")
        return self

    @property
    def lets_pass(self) -> bool:
        """Whether the weakness does not concern us."""
        return self.state in ("not_affected", "false_positive")

    def is_about(self, weakness: Weakness) -> bool:
        """Tell whether it is this weakness, in this version."""
        package = weakness.package
        return (self.package, self.version) == (package.name, package.version) and self.id in weakness.names


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    statement: tuple[Statement, ...] = ()


def statements(text: str) -> tuple[Statement, ...]:
    """Read what people judged; raises ValueError, of which pydantic's and TOML's errors are kinds."""
    return _File.model_validate(tomllib.loads(text)).statement


def outdated(judged: Iterable[Statement], packages: Iterable[Locked]) -> list[str]:
    """Name statements about what no lock pins; they would excuse nothing, and mislead whoever reads them."""
    pinned = {(package.name, package.version) for package in packages}
    return [
        f"locks/vex.toml: {one.id} is judged for {one.package} {one.version}, which no lock pins: judge it anew"
        for one in judged
        if (one.package, one.version) not in pinned
    ]


def document(made: Mapping[str, Any], judged: Iterable[Statement]) -> dict[str, Any]:
    """Give the statements about what a bill of materials holds."""
    serial = str(made["serialNumber"]).removeprefix("urn:uuid:")
    refs = {(row["name"], row["version"]): row["bom-ref"] for row in made["components"]}
    rows = [
        _row(one, f"urn:cdx:{serial}/{made['version']}#{quote(refs[one.package, one.version], safe='')}")
        for one in judged
        if (one.package, one.version) in refs
    ]
    content = {"metadata": {key: made["metadata"][key] for key in ("timestamp", "component")}, "vulnerabilities": rows}
    named = uuid.uuid5(uuid.UUID(serial), json.dumps(content, sort_keys=True))
    return {key: made[key] for key in ("$schema", "bomFormat", "specVersion")} | {
        "serialNumber": f"urn:uuid:{named}", "version": 1, **content,
    }  # fmt: skip


def _row(judged: Statement, ref: str) -> dict[str, Any]:
    analysis = {"state": judged.state, "justification": judged.justification, "detail": judged.detail}
    kept = {key: value for key, value in analysis.items() if value is not None}
    return {"bom-ref": f"{judged.id}@{judged.package}", "id": judged.id, "analysis": kept, "affects": [{"ref": ref}]}


def main() -> int:
    """Print one document, or write it."""
    parser = argparse.ArgumentParser(prog="./run vex", description="Say which known weaknesses concern Nabd.")
    parser.add_argument("lock", nargs="?", choices=list(EXTRAS), default="hub", help="of what (hub, which holds edge)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file to write (standard output)")
    options = parser.parse_args()
    try:
        made = bill(options.lock, read(FOLDER / f"{options.lock}.txt"), installed(), source_epoch())
        text = json.dumps(document(made, statements(FILE.read_text(encoding="utf-8"))), indent=2) + "\n"
    except (BuildError, ValueError) as error:
        print(f"nabd vex: {error}", file=sys.stderr)  # noqa: T201  it talks to people
        return 2
    if options.out is None:
        sys.stdout.write(text)
    else:
        options.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
