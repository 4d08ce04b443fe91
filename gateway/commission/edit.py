"""Changes one line of a meter's table in a configuration, and leaves its comments and all else as they were.

The file is proven as a whole beside itself before it takes the old one's place. A profile that reads the words of its
registers in another order becomes a file of its own in `meters/`, its examples turned alike, and is proven too.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from drivers.profiles import Profile, load_file
from gateway import durable
from gateway.commission.causes import Change
from gateway.commission.errors import CommissionError
from gateway.config.customers import HomeConfig, HubConfig
from gateway.config.load import kind_of, load
from gateway.config.locate import Key, lines_of
from gateway.config.models import EdgeConfig, MeterTable
from gateway.config.read import read
from gateway.scan.toml import replace_proven

_COMMENT = re.compile(r"""^(?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*')*?(\s*#.*)?$""")
_ORDER = re.compile(r"^order\s*=.*$", re.MULTILINE)
_TABLE = re.compile(r"^table\s*=.*$", re.MULTILINE)
_NAME = re.compile(r"^name\s*=.*$", re.MULTILINE)
_EXAMPLES = "[[examples]]"


def configuration(path: Path) -> EdgeConfig | HomeConfig:
    """Load a configuration with meters; raises ConfigError and CommissionError."""
    config = load(path, kind_of(path))
    if isinstance(config, HubConfig):
        raise CommissionError("a hub has no meters", "name an edge.toml or home.toml with -c")
    return config


def change_meter(path: Path, name: str, change: Change) -> MeterTable:
    """Write one line into the table of a meter, and give its table as it stands now; raises ConfigError, OSError."""
    path = path.resolve()
    config = configuration(path)
    number = next(at for at, row in enumerate(config.meter) if row.name == name)
    if change.key == "order":
        change = _turned(path.parent / "meters", config.meter[number].profile, change.value)
    replace_proven(path, with_line(read(path), number, change))
    return configuration(path).meter[number]


def with_line(text: str, number: int, change: Change) -> str:
    """Set a key of the meter whose table is the one with this number, from 0."""
    lines = text.splitlines(keepends=True)
    places = lines_of(text)
    at = places.get(("meter", number, change.key))
    if at is not None:
        old = lines[at - 1].rstrip("\r\n")
        comment = _COMMENT.fullmatch(old)
        kept = (comment[1] or "") if comment else ""
        lines[at - 1] = f"{old.partition('=')[0].rstrip()} = {change.value}{kept}\n"
        return "".join(lines)
    last = max(line for key, line in places.items() if _in_table(key, number))
    ending = "" if lines[last - 1].endswith("\n") else "\n"
    lines.insert(last, f"{ending}{change.key} = {change.value}\n")
    return "".join(lines)


def _in_table(key: Key, number: int) -> bool:
    return key[:2] == ("meter", number)


def _turned(folder: Path, profile: Profile, order: str) -> Change:
    """Write a model's file with another order of words; raises ProfileError, OSError."""
    if profile.path is None:
        raise CommissionError(f"{profile.name} has no file", f'write order = "{order}" into its profile')
    name = f"{profile.name.removesuffix(f'-{profile.layout.order.lower()}')}-{order.lower()}"
    text = profile.path.read_text(encoding="utf-8")
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.toml"
    durable.replace(path, turned(text, profile, name, order).encode())
    path.chmod(0o644)  # a model is no secret, and the service must read it
    load_file(path)
    return Change("profile", f'"{name}"')


def turned(text: str, profile: Profile, name: str, order: str) -> str:
    """Turn a model's file: its name, its order, and the bytes of its examples."""
    from drivers.modbus.profile import File  # noqa: PLC0415  a house with P1 only needs none of it

    file = File.model_validate(tomllib.loads(text))
    head = _NAME.sub(f'name     = "{name}"', text.partition(_EXAMPLES)[0], count=1)
    line = f'order    = "{order}"'
    head = _ORDER.sub(line, head, count=1) if _ORDER.search(head) else _TABLE.sub(rf"\g<0>\n{line}", head, count=1)
    parts = [head.rstrip() + "\n"]
    for example in file.examples:
        data = _turn(example.registers(), profile, file.order, order)
        parts.append(f"{_EXAMPLES}\n[examples.bytes]\n" + "".join(f'0x{at:04X} = "{data[at].hex()}"\n' for at in data))
        parts[-1] += "[examples.readings]\n" + "".join(f"{key} = {value}\n" for key, value in example.readings.items())
    return "\n".join(parts)


def _turn(registers: dict[int, bytes], profile: Profile, old: Any, new: Any) -> dict[int, bytes]:
    """Put the bytes of every number where the other order has them."""
    from drivers.modbus.layout import positions  # noqa: PLC0415

    turned = {at: bytearray(word) for at, word in registers.items()}
    for row in profile.layout.rows:
        parts = [part for part in (row, getattr(row, "scale", None), getattr(row, "plus", None)) if part]
        for part in parts:
            places = [positions(part, part.at, order) for order in (old, new)]
            for before, after in zip(*places, strict=True):
                source, target = part.at + before // 2, part.at + after // 2
                if source in registers and target in turned:
                    turned[target][after % 2] = registers[source][before % 2]
    return {at: bytes(word) for at, word in turned.items()}
