"""The bundle: whatever is secret or somebody's is searched for in it, and what helps is there."""

import json
import zipfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.doctor.visit import World
from gateway.support.command import run, written
from gateway.support.parts import Here
from gateway.support.private import names_of, secrets_of, shown
from gateway.support.redact import SECRET, Redactor

SECRETS = {name: f"c4nary{number}Secret{number * 7919:x}Zq" for number, name in enumerate(
    ("mqtt", "store", "smtp", "ntfy", "webhook", "push", "address", "meter", "auth", "login"))}  # fmt: skip
NAMES = (
    "Zaynab", "zaynab@mail.example", "+966 50 123 4567", "+966501234567", "Villa-Qamar", "broker.qamar.example",
    "topic-of-zaynab", "qamaruser", "ABC12345678", "98765432", "bot4711chat", "usb-FTDI_A50285BI",
)  # fmt: skip
UNTOLD = ("KFM987654321", "00112233445566778899aabbccddeeff", "2001:db8::17", "192.0.2.77", "b8:27:eb:12:34:56",
          "somebody.else@mail.example", "eyJhbGciOiJIUzI1NiJ9abcDEF", "+49 170 1234567")  # fmt: skip
"""What no configuration tells us of, in the log of a program."""

HOUSE = """
[gateway]
id = "Villa-Qamar"
zone = "Asia/Riyadh"
[journal]
folder = "{folder}/journal"
[store]
kind = "influx"
url = "https://broker.qamar.example:8086"
token_file = "store"
[hub]
database = "{folder}/hub.sqlite"
[mqtt]
url = "mqtts://broker.qamar.example:8883"
username = "qamaruser"
password_file = "mqtt"
[[channel]]
name = "phone-of-Zaynab"
kind = "ntfy"
url = "https://ntfy.example/topic-of-zaynab"
token_file = "ntfy"
[[channel]]
name = "mail"
kind = "smtp"
url = "smtps://broker.qamar.example"
to = "zaynab@mail.example"
username = "qamaruser"
password_file = "smtp"
[[channel]]
name = "hook"
kind = "webhook"
url = "https://broker.qamar.example/hook"
secret_file = "webhook"
[[bus]]
name = "cellar-Zaynab"
driver = "modbus"
device = "/dev/serial/by-id/usb-FTDI_A50285BI"
[[meter]]
name = "flat-of-Zaynab"
id = "ABC12345678"
bus = "cellar-Zaynab"
profile = "eastron-sdm120"
address = 7
every = "10s"
"""

Make = Callable[..., "tuple[int, dict[str, str], list[str]]"]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Give a callable that makes a bundle of a marked house whose log says everything."""
    for name, text in SECRETS.items():
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(text + "\n", encoding="ascii")
    (tmp_path / "home.toml").write_text(HOUSE.format(folder=tmp_path), encoding="utf-8")
    log = "\n".join(f"could not reach {text}, tried again" for text in (*NAMES, *UNTOLD, *SECRETS.values()))

    def bundle(answer: str = "y", *, config: str = "home.toml") -> tuple[int, dict[str, str], list[str]]:
        import asyncio

        said: list[str] = []
        here = Here(lambda command: log if command[0] == "journalctl" else "ActiveState=active\n", World(ports=list))
        out = tmp_path / "out.zip"
        options = Namespace(out=out, with_readings=True, yes=False)
        code = asyncio.run(run(options, tmp_path / config, here, said.append, lambda _: answer))
        if not out.exists():
            return code, {}, said
        assert out.stat().st_mode & 0o777 == 0o600
        with zipfile.ZipFile(out) as packed:
            return code, {name: packed.read(name).decode() for name in packed.namelist()}, said

    return bundle


def test_nothing_of_anybody_is_in_it(make: Make, tmp_path: Path) -> None:
    """No secret, name, mail, number, host, user or id is found in any part, whatever case it is written in."""
    code, files, _ = make()
    assert code == 0
    marks = (*SECRETS.values(), *NAMES, *UNTOLD, str(tmp_path))
    found = [(name, mark) for name, text in files.items() for mark in marks if mark.casefold() in text.casefold()]
    assert found == []
    assert not any("could not be taken out" in text for text in files.values())


def test_what_helps_is_in_it(make: Make) -> None:
    """Versions, settings, plan, findings, unit and log are there, and equal names are equal words."""
    _, files, said = make()
    assert {"README.txt", "versions.json", "configuration.json", "check.txt", "status.json", "doctor.json",
            "box.json", "unit.txt", "log.txt", "journal.json"} <= set(files)  # fmt: skip
    config = json.loads(files["configuration.json"])
    assert config["meter"][0]["bus"] == config["bus"][0]["name"] != config["meter"][0]["name"]
    assert config["meter"][0]["profile"] == "eastron-sdm120"
    assert (config["meter"][0]["address"], config["meter"][0]["every"]) == (7, "10s")
    assert config["mqtt"]["url"].startswith("mqtts://host-")
    assert config["mqtt"]["url"].endswith(":8883")
    assert "tried again" in files["log.txt"]
    assert SECRET in files["log.txt"]
    assert json.loads(files["versions.json"])["packages"]["pydantic"]
    assert all(any(name in line for line in said) for name in files)


def test_its_owner_may_say_no(make: Make) -> None:
    """What would be in it is shown first; without a yes nothing is written."""
    code, files, said = make("n")
    assert (code, files) == (1, {})
    assert any("log.txt" in line for line in said)


def test_a_configuration_that_is_wrong_is_told(make: Make, tmp_path: Path) -> None:
    """The fault is in the bundle, since that is why somebody needs help, and the secret pasted there is not."""
    text = (tmp_path / "home.toml").read_text().replace('"mqtt"', f'"{SECRETS["mqtt"]}"').replace("zone", "zonne")
    (tmp_path / "home2.toml").write_text(text)
    _, files, _ = make(config="home2.toml")
    assert "zonne" in files["check.txt"]
    assert SECRETS["mqtt"] not in "".join(files.values())


def test_two_bundles_share_no_word() -> None:
    """Words are keyed for one bundle: nobody can compare two, or try names until one fits."""
    assert Redactor(b"1" * 32).word("name", "Zaynab") != Redactor(b"2" * 32).word("name", "Zaynab")


def test_a_part_that_stays_unclean_is_left_out() -> None:
    """A name that redaction could not take out costs its part, not its owner."""
    redactor = Redactor(b"k" * 32, names=[("name", "Zaynab")])
    redactor.text = lambda text: text  # type: ignore[method-assign]
    assert written({"log.txt": "Zaynab"}, {}, redactor)["log.txt"].startswith(b"left out")


@given(st.text(min_size=2), st.text(), st.text())
def test_any_secret_goes_wherever_it_stands(secret: str, before: str, after: str) -> None:
    """Whatever surrounds it, a secret is not in the redacted text unless the words of ours spell it."""
    redacted = Redactor(b"k" * 32, [secret]).text(before + secret + after)
    assert (
        secret not in redacted or secret in SECRET or any(letter in "[]-0123456789abcdefiklnosrt" for letter in secret)
    )


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=2, max_size=30))
def test_any_name_goes_in_any_case(name: str) -> None:
    """A name between other words is taken out as a whole word, in whatever alphabet."""
    redactor = Redactor(b"k" * 32, names=[("name", name)])
    assert (
        redactor.is_clean(redactor.text(f"poll[{name}]: {name}_x failed")) or name.casefold() in "name-0123456789abcdef"
    )


def test_an_option_nobody_thought_of_is_hidden(tmp_path: Path) -> None:
    """Only options known to be harmless show their text; numbers stay, but for numbers of meters."""
    tables = {"new": {"option": "Zaynab's", "size": 3, "address": 12345678, "listen": "192.0.2.4:80"}}
    redactor = Redactor(b"k" * 32, secrets_of(tables, tmp_path, {}), names_of(tables))
    told = shown(tables, redactor)["new"]
    assert told["size"] == 3
    assert "Zaynab" not in str(told)
    assert "12345678" not in str(told)
    assert "192.0.2.4" not in str(told)
