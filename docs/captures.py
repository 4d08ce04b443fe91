# ruff: noqa: INP001  a tool of the documentation, not a package
"""The page of captured telegrams: what Nabd makes of recordings of real meters, file by file.

The recordings stay outside the project (NABD_CAPTURES), whatever their licence; without them the page stays as it is.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from drivers import PROTOCOLS
from drivers.analysis import Frame, Keys
from gateway.analyze_cmd import CannotAnalyze, bytes_of

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/reference/captures.md"

HEAD = """# Captured telegrams

<!-- made by `./run docs` from the recordings that NABD_CAPTURES names: never change this page by hand -->

What Nabd makes of recordings of real meters, as `nabd analyze --protocol P FILE --json` gives it.
The recordings themselves are not part of the project.
Each value that a recording's source expects is compared in the test that stands below the protocol's name.
A damaged, foreign or ciphered frame is refused with a reason, and gives no value.

"""

TESTS = {
    "dlms": "tests/drivers/dlms",
    "iec62056-21": "tests/drivers/iec62056/test_codec.py",
    "mbus": "tests/drivers/mbus/test_records.py",
    "p1": "tests/drivers/p1",
    "sml": "tests/drivers/sml",
    "wmbus": "tests/drivers/wmbus",
}
_NO_TELEGRAMS = (".json",)


def folder() -> Path | None:
    """Find the recordings."""
    path = Path(os.environ.get("NABD_CAPTURES", ROOT.parent / "shared" / "captures"))
    return path if path.is_dir() else None


def page(captures: Path) -> str:
    """Make the whole page."""
    parts = [
        _protocol(captures / name, name) for name in sorted(PROTOCOLS) if (captures / name / "index.json").exists()
    ]
    return HEAD + "\n".join(parts)


def _protocol(place: Path, name: str) -> str:
    entries = json.loads((place / "index.json").read_text(encoding="utf-8"))["entries"]
    rows, total = [], Counter[str]()
    for entry in entries:
        if not entry["file"].endswith(_NO_TELEGRAMS):
            frames = _frames(place / entry["file"], name, entry)
            rows.append(_row(entry, frames))
            total.update(files=1, whole=sum(f.ok for f in frames), values=sum(len(f.values) for f in frames if f.ok))
            total.update(refused=sum(not f.ok for f in frames))
    summary = (
        f"{total['files']} recordings: {total['whole']} frames whole with {total['values']} values, "
        f"{total['refused']} refused. Proof: `{TESTS[name]}`."
    )
    head = ["| Recording | From | Meter | Whole | Refused | Values |", "|---|---|---|---|---|---|"]
    return "\n".join([f"## {name}", "", summary, "", *head, *rows, ""])


def _frames(path: Path, name: str, entry: Mapping[str, Any]) -> tuple[Frame, ...]:
    keys = Keys(_key(entry, "key"), _key(entry, "authentication_key"))
    try:
        data = bytes_of(str(path))
    except CannotAnalyze:
        return ()
    found: tuple[Frame, ...] = import_module(f"{PROTOCOLS[name]}.analyze").analyze(data, keys)
    return found


def _key(entry: Mapping[str, Any], name: str) -> bytes | None:
    text = entry.get(name)
    return bytes.fromhex(text) if isinstance(text, str) else None


def _row(entry: Mapping[str, Any], frames: tuple[Frame, ...]) -> str:
    whole = [frame for frame in frames if frame.ok]
    reasons = Counter(str(frame.error) for frame in frames if not frame.ok)
    refused = "; ".join(f"{count} x {_cell(reason)}" for reason, count in reasons.items())
    values = sum(len(frame.values) for frame in whole)
    cells = (f"`{entry['file']}`", _source(entry), _meter(whole), str(len(whole)), refused, str(values))
    return f"| {' | '.join(cells)} |"


def _source(entry: Mapping[str, Any]) -> str:
    source = str(entry.get("source_repo", ""))
    return _cell("made from public descriptions" if source.startswith("synthetic") else source)


def _meter(frames: Iterable[Frame]) -> str:
    """Name the first meter that says who it is, without its number: a customer's."""
    for frame in frames:
        words = [word for word in (frame.meter.manufacturer, frame.meter.model, frame.meter.medium) if word]
        if words:
            return _cell(" ".join(words))
    return ""


def _cell(text: str) -> str:
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return clean.replace("|", "\\|")
