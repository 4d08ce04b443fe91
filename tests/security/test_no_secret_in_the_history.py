"""S43: no key, token or password was ever committed; what only looks like one is an example, and named here."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail

ROOT = Path(__file__).parents[2]
KINDS = {
    "private key": rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----\s*\n\W*[A-Za-z0-9+/=]{40}",
    "token of a cloud": rb"A(?:K|S)IA[0-9A-Z]{16}\b|AIza[\w-]{35}",
    "token of a forge": rb"gh[pousr]_[A-Za-z0-9]{36}|glpat-[\w-]{20}|github_pat_\w{22}",
    "token of a registry": rb"pypi-[\w-]{50}|npm_[A-Za-z0-9]{36}",
    "token of a chat": rb"xox[abprs]-[0-9A-Za-z-]{10}",
    "token of a bot": rb":(?<=[0-9]{8}:)[A-Za-z0-9_-]{35}\b",
    "signed token": rb"eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20}",
    "password in an address": rb"://[\w.-]{1,40}:(?!secret@|s3cret@|PASSWORD@)[^\s/:@\"'{}<>$\\]{3,64}@[\w.-]+",
}
"""Each begins with letters of its own, by which it is searched fast."""


def found_in(content: bytes) -> list[tuple[str, bytes]]:
    """Name what looks like a secret."""
    return [(name, hit[0][:120]) for name, kind in KINDS.items() for hit in re.finditer(kind, content)]


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, timeout=300, check=False)
    if done.returncode:
        skip_or_fail("this is no checkout of git: there is no history to look through")
    return done.stdout


def test_no_file_holds_a_secret() -> None:
    """Every file that is in the repository now."""
    files = [ROOT / name for name in _git("ls-files", "-z").decode().split("\0") if name]
    held = {str(path): found_in(path.read_bytes()) for path in files if path.is_file()}
    assert {path: hits for path, hits in held.items() if hits} == {}


@pytest.mark.slow
def test_no_commit_ever_added_a_secret() -> None:
    """All that any commit of any branch added: what was taken out again is still there for whoever looks."""
    added = b"\n".join(
        line[1:]
        for line in _git("log", "--all", "-p", "-U0", "--no-color", "--no-ext-diff", "--format=").splitlines()
        if line.startswith(b"+") and not line.startswith(b"+++")
    )
    assert len(added) > 1_000_000
    assert found_in(added) == []


@pytest.mark.parametrize(
    "parts",
    [
        ("-----BEGIN EC PRIVATE", " KEY-----\n" + "MHcCAQEEIA" * 5), ("AKIA", "ABCDEFGHIJKLMNOP"),
        ("ghp", "_" + "a1" * 18), ("pypi", "-" + "AgEIcHlwaS" * 6), ("12345678", ":" + "Ab0-_" * 7),
        ("eyJ" + "a" * 30, ".eyJ" + "b" * 30 + "." + "c" * 30), ("mqtts://gw", ":hunter2@broker.example"),
        ("xoxb", "-1234567890-abc"),
    ],
)  # fmt: skip
def test_each_kind_would_be_found(parts: tuple[str, str]) -> None:
    """The search means something: made-up ones, put together only here, are named."""
    assert len(found_in(f"x = '{''.join(parts)}'".encode())) == 1


def test_examples_and_patterns_are_no_secrets() -> None:
    """What documentation needs may be said."""
    for text in (
        "mqtt://hub:secret@broker.example",
        "postgresql://{user}:{password}@host",
        "-----BEGIN PRIVATE KEY-----",
    ):
        assert found_in(text.encode()) == []
