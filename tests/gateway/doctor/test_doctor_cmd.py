"""The command: what it prints in both languages, its JSON, its exit codes."""

import json
import string
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.config.errors import ConfigError
from gateway.config.models import EdgeConfig
from gateway.doctor.finding import Finding, Report
from gateway.doctor.texts import SKIPPED, TEXTS, WHATS, said
from gateway.doctor.visit import World
from gateway.doctor_cmd import doctor, lines
from gateway.i18n import words

Edge = Callable[..., EdgeConfig]


async def run(world: World, **given: Any) -> tuple[int, str, str]:
    """Run the command; give its code, what it told and what it complained of."""
    told: list[str] = []
    complaints: list[str] = []
    file = given.pop("config", None)
    options = Namespace(**({"language": None, "json": False, "dev": Path("/dev")} | given))
    code = await doctor(options, file, told.append, complaints.append, world)
    return code, "\n".join(told), "\n".join(complaints)


async def test_programs_get_one_object(tmp_path: Path, edge: Edge, world: World, free_port: Callable[[], int]) -> None:
    """Code, severity, place, evidence, text and advice of each finding; what was looked at; exit 1."""
    edge(f"mqtt://127.0.0.1:{free_port()}")
    code, told, progress = await run(world, config=tmp_path / "edge.toml", json=True)
    report = json.loads(told)
    assert code == 1
    assert [set(one) for one in report["findings"]] == [{"code", "severity", "where", "evidence", "text", "advice"}]
    assert report["findings"][0]["code"] == "broker_unreachable"
    assert [one["what"] for one in report["checked"]] == ["box", "disk", "broker"]
    assert "broker mqtt://" in progress


async def test_people_read_their_language(tmp_path: Path, edge: Edge, world: World) -> None:
    """What is wrong, what to do, what was looked at; the configuration's language unless another is asked for."""
    edge("mqtt://broker.invalid")
    file = tmp_path / "edge.toml"
    _, english, _ = await run(world, config=file)
    _, arabic, _ = await run(world, config=file, language="ar")
    assert "error (dns_fails): The name broker.invalid has no address" in english
    assert "Checked:" in english
    assert "(dns_fails)" in arabic
    assert "تحقّق" in arabic
    file.write_text(file.read_text().replace("[gateway]", '[gateway]\nlanguage = "ar"'))
    assert (await run(world, config=file))[1] == arabic


async def test_nothing_wrong_is_said(world: World) -> None:
    """Without a configuration box and ports are looked at; what could not be is listed; exit 0."""
    code, told, _ = await run(world)
    assert code == 0
    assert "Nothing is wrong" in told
    assert "line and meters: there is no configuration" in told


async def test_a_broken_configuration_is_the_callers_to_tell(tmp_path: Path, world: World) -> None:
    """`nabd` prints a ConfigError and exits with 2, as for every command."""
    (tmp_path / "edge.toml").write_text("[gateway\n")
    with pytest.raises(ConfigError):
        await run(world, config=tmp_path / "edge.toml")


@pytest.mark.parametrize("code", TEXTS)
def test_every_finding_speaks_both_languages(code: str) -> None:
    """Each text has an Arabic one of its own, with the same places."""
    text = TEXTS[code]
    for english in (text.text, text.advice):
        arabic = words("ar").gettext(english)
        assert arabic != english
        assert places(arabic) == places(english)


def test_a_command_that_cannot_run_gives_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration that is not there; a language nobody speaks."""
    from gateway.cli import main

    assert main(["doctor", "-c", str(tmp_path / "edge.toml")]) == 2
    with pytest.raises(SystemExit, match="2"):
        main(["doctor", "--language", "xx"])
    assert "edge.toml" in capsys.readouterr().err


def test_no_fault_is_without_its_seed() -> None:
    """Each code is looked for by some test of this folder."""
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert [code for code in TEXTS if f'"{code}"' not in tests] == []


@pytest.mark.parametrize("text", [*WHATS.values(), *SKIPPED.values()])
def test_every_other_word_does_too(text: str) -> None:
    """What was looked at, and why something was not."""
    assert words("ar").gettext(text) != text


def places(text: str) -> set[str]:
    """Name the places of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_words_from_outside_are_shown_and_not_obeyed() -> None:
    """A terminal's orders and turned directions in evidence become visible; in Arabic they are isolated."""
    finding = Finding("port_busy", "/dev/x", {"holder": "\x1b[2J\u202eevil"})
    for language in ("en", "ar"):
        text, _ = said(finding, language)
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "\u2068/dev/x\u2069" in said(finding, "ar")[0]


def test_what_is_grave_comes_first() -> None:
    """Errors before warnings, each with its advice below."""
    report = Report([Finding("undervoltage_past", "", {"flags": "0x1"}), Finding("no_network", "")])
    told = lines(report, "en")
    assert told[0].startswith("error (no_network)")
    assert told[3].startswith("warning (undervoltage_past)")
    assert told[1].startswith("  → ")


async def test_progress_says_what_is_looked_at(edge: Edge, world: World, tmp_path: Path) -> None:
    """Each thing once, in order."""
    edge("mqtt://broker.invalid")
    _, _, progress = await run(replace(world), config=tmp_path / "edge.toml")
    assert [line.split(" ", maxsplit=1)[0] for line in progress.splitlines()] == ["this", "disk", "broker"]
