"""Secrets: read at start from files of their own, shown by nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import ConfigError, EdgeConfig, load
from gateway.config.build import endpoint_of
from gateway.config.report import check
from gateway.config.secret import LIMIT, Secret, SecretFile, fault_of, locate


def test_a_secret_shows_stars() -> None:
    """Neither str, repr nor a format of it shows the text; only reveal gives it."""
    secret = Secret("CANARY")
    assert f"{secret} {secret!r} {[secret]}" == "******** Secret(********) [Secret(********)]"
    assert secret.reveal() == "CANARY"


def test_no_canary_is_in_anything_shown(
    good: str, canary: str, edge: Callable[[str], EdgeConfig], tmp_path: Path
) -> None:
    """Configuration, endpoint and report tell where the password lies, never what it is (S11)."""
    config = edge(good)
    endpoint = endpoint_of(config.mqtt, "gw-1")
    assert endpoint.password == canary
    for shown in (repr(config), str(config), repr(endpoint), check(tmp_path / "edge.toml")):
        assert canary not in shown
    assert "password from " in check(tmp_path / "edge.toml")


def test_the_end_of_the_line_is_no_part_of_a_secret(tmp_path: Path) -> None:
    """Editors add a line's end; spaces within and around stay, for they may be meant."""
    path = tmp_path / "secret"
    path.write_text(" a b \r\n")
    path.chmod(0o600)
    assert SecretFile(path, "secret").read().reveal() == " a b "


@pytest.mark.parametrize(
    ("mode", "allowed"), [(0o600, True), (0o400, True), (0o640, True), (0o644, False), (0o660, False), (0o601, False)]
)
def test_a_secret_others_may_read_is_refused(
    mode: int, allowed: bool, good: str, canary: str, tmp_path: Path, complain: Callable[[str], str]
) -> None:
    """The group may read, so that root:nabd 0640 works; more is refused with the command that mends it."""
    secret = tmp_path / "mqtt.password"
    secret.chmod(mode)
    assert canary
    assert (fault_of(secret) is None) is allowed
    if not allowed:
        what = "names a file that others may read or change (run: chmod 600 DIR/mqtt.password)"
        assert complain(good) == f"FILE:10: [mqtt], password_file: {what}"


def test_each_unusable_secret_is_told(tmp_path: Path) -> None:
    """Missing, a folder, empty, too long, or no text: each has its words, and none is read."""
    path = tmp_path / "secret"
    told = [fault_of(path), fault_of(tmp_path)]
    for content in (b"", b" \n", b"x" * (LIMIT + 1), b"\xff"):
        path.write_bytes(content)
        path.chmod(0o600)
        told.append(fault_of(path))
    assert [fault[0] for fault in told if fault] == [
        "names a file that is not there",
        "is not a file",
        "names a file that is empty or too long",
        "names a file that is empty or too long",
        "names a file that is empty or too long",
        "names a file that is not text",
    ]


def test_a_secret_we_may_not_reach_says_who_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as root, so the refusal is injected."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    fault = fault_of(tmp_path / "secret")
    assert fault is not None
    assert fault[1] == "give it to the user nabd runs as; run `nabd check` with sudo"


def test_a_credential_comes_from_systemd(good: str, canary: str, write: Callable[[str], Path], tmp_path: Path) -> None:
    """`credential:NAME` is a file in $CREDENTIALS_DIRECTORY."""
    path = write(good.replace('"mqtt.password"', '"credential:mqtt.password"'))
    config = load(path, "edge", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert config.mqtt.password_file is not None
    assert config.mqtt.password_file.read().reveal() == canary


def test_without_systemd_a_credential_is_checked_later(good: str, write: Callable[[str], Path]) -> None:
    """`nabd check` runs outside the service, so only reading the credential fails, in words."""
    config = load(write(good.replace('"mqtt.password"', '"credential:mqtt"')), "edge", {})
    with pytest.raises(ConfigError, match="credential:mqtt: systemd handed us no credentials"):
        endpoint_of(config.mqtt, "gw-1")


def test_a_secret_gone_since_the_check_is_no_traceback(good: str, edge: Callable[[str], EdgeConfig]) -> None:
    """Between loading and connecting the file may go."""
    config = edge(good)
    assert config.mqtt.password_file is not None
    assert config.mqtt.password_file.path is not None
    config.mqtt.password_file.path.unlink()
    with pytest.raises(ConfigError, match="names a file that is not there"):
        endpoint_of(config.mqtt, "gw-1")


def test_a_path_may_hold_a_colon(tmp_path: Path) -> None:
    """Only the word credential before the colon means systemd."""
    assert locate("a:b", tmp_path, {}).path == tmp_path / "a:b"
