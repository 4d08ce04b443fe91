"""The shipped edge.toml, hub.toml and home.toml: they load, and what they say of each option is true."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest

from drivers.profiles import Profile
from gateway.config import Kind, kind_of, load
from gateway.config.explain import table_at
from gateway.config.load import model_of
from gateway.config.table import Table

CONFIG = Path(__file__).parents[3] / "config"
KINDS: tuple[Kind, ...] = get_args(Kind)

_HEADER = re.compile(r"(?:# )?\[{1,2}([a-z_.]+)\]{1,2}(?:  # .*)?")
_OPTION = re.compile(r"(# )?([a-z_]+) = (.+?)(  # example)?")


@dataclass(frozen=True)
class Option:
    """One option as the file shows it."""

    table: str
    name: str
    sentence: str
    value: Any
    commented: bool
    example: bool


def options_of(kind: Kind) -> list[Option]:
    """Read a shipped file with its comments."""
    found, table, sentence = [], "", ""
    for line in (CONFIG / f"{kind}.toml").read_text(encoding="utf-8").splitlines():
        if header := _HEADER.fullmatch(line):
            table = header[1]
        elif table and (option := _OPTION.fullmatch(line)):
            value = tomllib.loads(f"x = {option[3]}")["x"]
            found.append(Option(table, option[2], sentence, value, bool(option[1]), bool(option[4])))
        sentence = line.removeprefix("# ")
    return found


def fields_of(kind: Kind) -> list[tuple[str, type[Table]]]:
    """List the tables of a document with their models; a table of tables is those."""
    document = model_of(kind)
    found = []
    for name in document.model_fields:
        table = table_at(document, (name,))
        inner = [(f"{name}.{key}", table_at(table, (key,))) for key in table.model_fields]
        found += [(name, table)] if any(model is table for _, model in inner) else inner
    # Rules have a page of their own, docs/reference/alerts.md: in a file to start from they would hide the rest.
    return [(name, table) for name, table in found if not name.startswith("alerts.") or name == "alerts.calendar"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_shipped_file_loads_as_it_is(kind: Kind) -> None:
    """Who copies it and changes nothing gets no error."""
    path = CONFIG / f"{kind}.toml"
    assert kind_of(path) == kind
    assert load(path, kind, {}).kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_appears_once_under_its_sentence(kind: Kind) -> None:
    """The file shows all options there are, and no other, each below its model's own sentence."""
    shown = {(option.table, option.name): option.sentence for option in options_of(kind)}
    assert len(shown) == len(options_of(kind))
    assert shown == {
        (name, key): field.description for name, table in fields_of(kind) for key, field in table.model_fields.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_is_one(kind: Kind) -> None:
    """A capital letter, a full stop, and no second sentence."""
    for option in options_of(kind):
        assert re.fullmatch(r"[A-Z][^.]*(?:\.[a-z/][^.]*)*\.", option.sentence), option.sentence


@pytest.mark.parametrize("kind", KINDS)
def test_a_commented_value_is_the_default(kind: Kind) -> None:
    """Unmarked ones are the model's default as the file would write it; examples stand where there is no default."""
    for option in options_of(kind):
        field = table_at(model_of(kind), tuple(option.table.split("."))).model_fields[option.name]
        if option.example:
            assert option.commented, option
            assert field.is_required() or field.default is None, option
        elif option.commented:
            assert (type(option.value), option.value) == (type(field.default), field.default), option


@pytest.mark.parametrize("kind", KINDS)
def test_taking_every_default_out_of_its_comment_changes_nothing(kind: Kind, tmp_path: Path) -> None:
    """The written default is accepted, and means the same as leaving it out."""
    text = (CONFIG / f"{kind}.toml").read_text(encoding="utf-8")
    full = "\n".join(
        line.removeprefix("# ") if (found := _OPTION.fullmatch(line)) and found[1] and not found[4] else line
        for line in re.sub(r"(?ms)^# \[.*?(?=^\[|\Z)", "", text).splitlines()
    )
    path = tmp_path / f"{kind}.toml"
    path.write_text(full, encoding="utf-8")
    assert full != text
    assert plain(load(path, kind, {})) == plain(load(CONFIG / f"{kind}.toml", kind, {}))


def plain(part: Any) -> Any:
    """Make tables comparable: a profile, whose compiled rows equal no others, by its name."""
    if isinstance(part, Table):
        return {name: plain(getattr(part, name)) for name in type(part).model_fields}
    if isinstance(part, tuple):
        return [plain(row) for row in part]
    return part.name if isinstance(part, Profile) else part


def test_the_examples_can_be_used(tmp_path: Path) -> None:
    """What is shown as an example is accepted where it stands; files are left out, for they are not there."""
    for kind in KINDS:
        for option in options_of(kind):
            if not option.example or option.name.endswith("_file") or (option.table, option.name) == ("mqtt", "url"):
                continue
            text = (CONFIG / f"{kind}.toml").read_text(encoding="utf-8")
            text = text.replace("# [mqtt]", "[mqtt]").replace('# url = "mqtt:', 'url = "mqtt:')
            if (option.table, option.name) == ("store", "url"):
                text = text.replace('# kind = "sqlite"', 'kind = "influx"')
            if (option.table, option.name) == ("store", "username"):
                text = text.replace('# kind = "sqlite"', 'kind = "postgres"\nurl = "postgresql://db.example/nabd"')
            if (option.table, option.name) == ("bus", "url"):
                text = re.sub(r"(?m)^device = .*$", "", text)
            if option.table == "channel":
                text = with_channel(text, option.name, tmp_path)
            if option.table == "virtual":
                text = with_virtual(text, option.name)
            head, tail = re.split(rf"(?m)^(?=\[+{option.table}\])", text, maxsplit=1)
            path = tmp_path / f"{kind}.toml"
            path.write_text(head + re.sub(rf"(?m)^# (?={option.name} = )", "", tail, count=1), encoding="utf-8")
            load(path, kind, {})


CHANNELS = {
    "ntfy": {"url": '"https://ntfy.example/topic"'},
    "smtp": {"url": '"smtps://mail.example"', "to": '"someone@mail.example"'},
    "telegram": {"chat": '"1"', "token_file": '"secret"'},
    "sms": {"url": '"https://sms.example/send"', "number": '"+966500000000"', "body": '"to={to}&text={text}"'},
    "mqtt": {"url": '"mqtts://broker.example"'},
}
"""What each kind of channel needs at least."""


def with_channel(text: str, name: str, folder: Path) -> str:
    """Take a file's channel out of its comments, of the kind that has the option `name`, complete."""
    text = text.replace("# [[channel]]", "[[channel]]")
    kinds = {"chat": "telegram", "number": "sms", "body": "sms", "topic": "mqtt"}
    kind = kinds.get(name, "smtp" if name in ("to", "sender", "username") else "ntfy")
    required = {"name": '"phone"', "kind": f'"{kind}"', **CHANNELS[kind]}
    (folder / "secret").write_text("secret", encoding="utf-8")
    (folder / "secret").chmod(0o600)
    if name == "username":
        required["password_file"] = '"secret"'
    required.pop(name, None)
    added = "".join(f"\n{key} = {value}" for key, value in required.items())
    return re.sub(r"(?m)^(\[\[channel\]\].*)$", lambda found: found[1] + added, text)


def with_virtual(text: str, name: str) -> str:
    """Take a file's virtual meter out of its comments, with what it needs beside the option `name`."""
    required = {"name": '"rest"', "formula": '"main"'}
    required.pop(name, None)
    added = "".join(f"\n{key} = {value}" for key, value in required.items())
    return re.sub(r"(?m)^# (\[\[virtual\]\].*)$", lambda found: found[1] + added, text)
