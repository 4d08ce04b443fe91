"""`nabd support`: gathers, redacts, shows what there is, asks, and writes one zip.

Nothing is sent anywhere: the owner looks at the file, and gives it to whom they like.
"""

import argparse
import io
import json
import os
import secrets
import socket
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drivers.profiles import SHIPPED
from gateway.seclog import note
from gateway.support.parts import Here, Part, gather
from gateway.support.private import names_of, places_of, secrets_of, shown
from gateway.support.redact import Redactor

Say = Callable[[str], None]
Ask = Callable[[str], str]

KEY_BYTES = 32
_ABOUT = """This bundle was made by `nabd support`.

Passwords, keys and tokens are left out. Names, hosts and numbers of meters are words like name-1f6a09c2: the same word
is the same name within this bundle, and nobody can tell which. Look at the files before you give them away.
"""


async def run(options: argparse.Namespace, path: Path, here: Here, say: Say, ask: Ask) -> int:
    """Make a bundle; 0 when it was written, 1 when its owner did not want it."""
    tables = _tables(path)
    redactor = Redactor(
        secrets.token_bytes(KEY_BYTES),
        secrets_of(tables, path.parent, os.environ),
        [*names_of(tables), *places_of(path, socket.gethostname())],
        {file.stem for file in SHIPPED.glob("*.toml")},
    )
    parts = await gather(path, here, with_readings=options.with_readings)
    files = written(parts, tables, redactor)
    say("This goes into the bundle:")
    for name, data in files.items():
        say(f"  {name:20} {len(data):>9,} bytes")
    if not options.with_readings:
        say("Readings are left out; --with-readings takes in those of the journal.")
    if not options.yes and ask(f"Write {options.out}? [y/N] ").strip().lower() not in ("y", "yes"):
        say("Nothing was written.")
        return 1
    _write(options.out, files)
    note("support_made", readings=int(options.with_readings))
    say(f"{options.out}: look at it, then give it to whoever helps you.")
    return 0


def written(parts: Mapping[str, Part], tables: Mapping[str, Any], redactor: Redactor) -> dict[str, bytes]:
    """Redact every part, and leave out one in which something known is still found."""
    texts = {"README.txt": _ABOUT, "configuration.json": _json(shown(tables, redactor))}
    for name, part in parts.items():
        if isinstance(part, str) and name.endswith(".jsonl"):
            lines = (json.dumps(redactor.value(json.loads(line))) for line in part.splitlines() if line[:1] == "{")
            texts[name] = "".join(f"{line}\n" for line in lines)
        elif name == "versions.json":  # names of packages are nobody's, and look like anybody's
            texts[name] = _json(part)
        else:
            texts[name] = redactor.text(part) if isinstance(part, str) else _json(redactor.value(part))
    for name, text in texts.items():
        if name not in ("README.txt", "versions.json") and not redactor.is_clean(text):
            texts[name] = "left out: a name could not be taken out of it\n"
    return {name: text.encode(errors="replace") for name, text in texts.items()}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"


def _tables(path: Path) -> dict[str, Any]:
    """Read a configuration as it is; one that is no TOML has nothing that could be shown."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _write(path: Path, files: Mapping[str, bytes]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(packed.getvalue())
