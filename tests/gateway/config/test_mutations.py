"""Damaged files (F21): each is refused in words, or means exactly what its text says; never a traceback."""

import contextlib
import random
import re
import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from drivers.profiles import Profile
from gateway.config import ConfigError, EdgeConfig, Kind, load
from gateway.config.explain import table_at
from gateway.config.load import model_of
from gateway.config.secret import SecretFile
from gateway.config.table import Table

Mutation = Callable[[bytes, random.Random], bytes]

EACH = 60
"""Times each kind of damage is done, so 600 files in all."""

FOREIGN = (
    "true", "-1", "1.5", "nan", "inf", "1e400", "0x10", "2026-01-01", "10:30:00",
    "[]", "{}", "[[1]]", '""', '"+/#"',
)  # fmt: skip

HOSTILE = (
    "9" * 4000, "1e400", "nan", "{}", "[{}]", '"//[::1"', '"mqtt://["', '"tcp://[::g]:1"', '"http://\\u2100.com"',
    '"credential:.."', '"state:../../x"', '"/"', '".."', '"\\u0000"', '"/dev/null"', '"/proc/self/mem"', '"Asia"',
    '"' + "x" * 300 + '"', '"' + "\u0628" * 255 + '"', '"127.0.0.1:\\u00b2"', '"::1%lo:80"',
)  # fmt: skip
"""Values that trip libraries below us: out of range, half an address, a path too long or not ours to read."""

MINIMAL = """\
[gateway]
id = "gw-1"
[mqtt]
url = "mqtts://broker.example:8883"
[[bus]]
name = "p1"
driver = "p1"
device = "/dev/ttyUSB1"
[[meter]]
name = "main"
bus = "p1"
profile = "dsmr-p1"
"""
"""Every option that can have its default has it."""


def truncate(data: bytes, dice: random.Random) -> bytes:
    """Cut the file anywhere, as a power cut does."""
    return data[: dice.randrange(len(data))]


def flip(data: bytes, dice: random.Random) -> bytes:
    """Turn one bit, as a tired card does."""
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]


def drop_line(data: bytes, dice: random.Random) -> bytes:
    """Lose a line."""
    lines = data.splitlines(keepends=True)
    del lines[dice.randrange(len(lines))]
    return b"".join(lines)


def double_line(data: bytes, dice: random.Random) -> bytes:
    """Have a line twice, not always in the same table."""
    lines = data.splitlines(keepends=True)
    lines.insert(dice.randrange(len(lines)), dice.choice(lines))
    return b"".join(lines)


def swap_lines(data: bytes, dice: random.Random) -> bytes:
    """Exchange two lines."""
    lines = data.splitlines(keepends=True)
    one, two = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def insert(data: bytes, dice: random.Random) -> bytes:
    """Put a byte where none was; a NUL, a mark, or any other."""
    at = dice.randrange(len(data))
    foreign = dice.choice([b"\0", b"\xef\xbb\xbf", b"\xff", b"\n", b'"', bytes([dice.randrange(256)])])
    return data[:at] + foreign + data[at:]


def misspell(data: bytes, dice: random.Random) -> bytes:
    """Leave a letter of a key out."""
    keys = list(re.finditer(rb"(?m)^([a-z_]+) =", data))
    key = dice.choice(keys)
    at = dice.randrange(key.start(1), key.end(1))
    return data[:at] + data[at + 1 :]


def retype(data: bytes, dice: random.Random) -> bytes:
    """Give an option a value of another type."""
    value = dice.choice(list(re.finditer(rb"(?m)= (.+)$", data)))
    return data[: value.start(1)] + dice.choice(FOREIGN).encode() + data[value.end(1) :]


def rename(data: bytes, dice: random.Random) -> bytes:
    """Give an option the value of another."""
    values = list(re.finditer(rb"(?m)= (.+)$", data))
    one, two = dice.choice(values), dice.choice(values)
    return data[: one.start(1)] + two[1] + data[one.end(1) :]


def zero(data: bytes, dice: random.Random) -> bytes:
    """Have a stretch of zeros, as a journalling file system leaves them after a power cut."""
    at = dice.randrange(len(data))
    return data[:at] + bytes(len(data) - at)


MUTATIONS = [truncate, flip, drop_line, double_line, swap_lines, insert, misspell, retype, rename, zero]

UNITS = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
    "kB": Fraction(10**3),
    "MB": Fraction(10**6),
    "GB": Fraction(10**9),
    "KiB": Fraction(2**10),
    "MiB": Fraction(2**20),
    "GiB": Fraction(2**30),
}


def meaning(written: Any, folder: Path, read: Any) -> Any:
    """Say what a value of the file means where `read` stands, by other code than the loader's."""
    if isinstance(read, Profile | SecretFile | Path):
        return written if isinstance(read, Profile) else folder / written
    if isinstance(read, int | float) and isinstance(written, str):
        amount, unit = re.fullmatch(r"([0-9.]+)(\w+)", written).groups()  # type: ignore[union-attr]
        return float(Fraction(amount) * UNITS[unit])
    return written


def plain(read: Any) -> Any:
    """Take the comparable part of what the loader gave."""
    return read.name if isinstance(read, Profile) else read.path if isinstance(read, SecretFile) else read


def compare(written: dict[str, Any], read: Table, standard: Table, folder: Path) -> None:
    """Each option written is read as it is meant, each other one is its default."""
    for name in type(read).model_fields:
        value = getattr(read, name)
        if name in written:
            assert plain(value) == meaning(written[name], folder, value), name
        elif not type(read).model_fields[name].is_required():
            assert value == getattr(standard, name), name


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_damage_is_refused_or_means_what_it_says(
    mutation: Mutation, good: str, edge: Callable[[str | bytes], EdgeConfig], write: Callable[[str | bytes], Path]
) -> None:
    """Only ConfigError comes out; what is accepted equals the text, option by option."""
    standard = edge(MINIMAL)
    for seed in range(EACH):
        data = mutation(good.encode(), random.Random(f"{mutation.__name__}{seed}"))
        path = write(data)
        config, told = read(path)
        if config is None:
            assert told.startswith(str(path)), seed
            continue
        written = tomllib.loads(data.decode())
        for name in ("gateway", "clock", "journal", "mqtt", "web"):
            compare(written.get(name, {}), getattr(config, name), getattr(standard, name), path.parent)
        for name in ("bus", "meter"):
            rows, tables = written.get(name, []), getattr(config, name)
            assert len(rows) == len(tables), seed
            for row, table in zip(rows, tables, strict=True):
                compare(row, table, getattr(standard, name)[0], path.parent)


def read(path: Path) -> tuple[EdgeConfig | None, str]:
    """Give what the loader gives: a configuration, or its words."""
    try:
        return load(path, "edge", {}), ""
    except ConfigError as error:
        return None, str(error)


def test_the_good_file_survives(good: str, edge: Callable[[str], EdgeConfig], tmp_path: Path) -> None:
    """The comparison above is no empty one: the whole file is accepted, and its every option is compared."""
    config = edge(good)
    written = tomllib.loads(good)
    standard = edge(MINIMAL).gateway
    compare(written["gateway"], config.gateway, standard, tmp_path)
    with pytest.raises(AssertionError, match="id"):
        compare({**written["gateway"], "id": "gw-2"}, config.gateway, standard, tmp_path)
    with pytest.raises(AssertionError, match="zone"):
        compare({"id": "gw-1"}, config.gateway, standard, tmp_path)


@pytest.mark.parametrize("kind", ["edge", "hub"])  # home has the tables of both
def test_no_value_of_any_option_is_a_traceback(kind: Kind, write: Callable[[str], Path]) -> None:
    """Each hostile value in each option of each table, and in an unknown one, is accepted or refused in words."""
    model = model_of(kind)
    for table in model.model_fields:
        header = f"[[{table}]]" if table in ("bus", "meter") else f"[{table}]"
        for option in (*table_at(model, (table,)).model_fields, "unknown"):
            for value in HOSTILE:
                with contextlib.suppress(ConfigError):
                    load(write(f"{header}\n{option} = {value}\n"), kind, {})
