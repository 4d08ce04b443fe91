"""Tests of gateway/identity/folder.py: what lies in a gateway's state directory, and for whom."""

import os
import ssl
import stat
from pathlib import Path

import pytest

from gateway.identity.errors import Missing, Unusable
from gateway.identity.folder import Folder
from tests.support.identities import Town, at

NAME = "home/gw-1"


def modes(folder: Path) -> dict[str, int]:
    """Give each file's mode."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_the_first_start_makes_key_request_and_code(tmp_path: Path) -> None:
    """All of it for its owner alone, however lax the umask is; the second start changes nothing."""
    folder = Folder(tmp_path / "identity")
    before = os.umask(0)
    try:
        assert folder.request(NAME)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert modes(folder.path) == dict.fromkeys(("key.pem", "request.pem", "claim.txt"), 0o600)
    held = {path: path.read_bytes() for path in folder.path.iterdir()}
    assert not folder.request(NAME)
    assert held == {path: path.read_bytes() for path in folder.path.iterdir()}


@pytest.mark.parametrize("written", [0, 1, 2])
def test_an_interrupted_start_is_made_again(tmp_path: Path, town: Town, written: int) -> None:
    """A power cut after any of the files leaves nothing that a certificate could not be imported for."""
    folder = Folder(tmp_path / "identity")
    folder.request(NAME)
    for name in ("claim.txt", "key.pem", "request.pem")[written:]:
        (folder.path / name).unlink()
    assert folder.request(NAME)
    folder.take(town.sign(folder, NAME), NAME, town.ca.read_bytes(), at(0))


def test_what_was_imported_serves_tls(tmp_path: Path, town: Town) -> None:
    """Certificate and key stand in one file that TLS takes; the code has done its work."""
    folder = Folder(tmp_path / "identity")
    folder.request(NAME)
    assert folder.validity() is None
    folder.take(town.sign(folder, NAME, days=100), NAME, town.ca.read_bytes(), at(0))
    ssl.create_default_context(cafile=folder.authorities).load_cert_chain(folder.pair)
    validity = folder.validity()
    assert validity is not None
    assert validity.days_left(int(at(0).timestamp() * 1000)) == 99
    assert folder.code() is None
    assert set(modes(folder.path).values()) == {0o600}


def test_asking_anew_leaves_the_pair_alone(tmp_path: Path, town: Town) -> None:
    """A gateway goes on with the old pair until the new certificate is imported."""
    folder = Folder(tmp_path / "identity")
    folder.request(NAME)
    folder.take(old := town.sign(folder, NAME), NAME, town.ca.read_bytes(), at(0))
    pair = folder.pair.read_bytes()
    folder.request(NAME, again=True)
    assert folder.pair.read_bytes() == pair
    with pytest.raises(Unusable, match="another key"):
        folder.take(old, NAME, None, at(0))
    assert folder.pair.read_bytes() == pair
    folder.take(town.sign(folder, NAME), NAME, None, at(0))
    assert folder.pair.read_bytes() != pair


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """One clear error, with what to type."""
    folder = Folder(tmp_path / "identity")
    folder.request(NAME)
    (folder.path / "key.pem").chmod(mode)
    with pytest.raises(Unusable, match="others may read") as error:
        folder.secret("key.pem")
    assert "chmod 600" in error.value.hint


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    """Importing before asking is told what comes first."""
    with pytest.raises(Missing, match=r"key\.pem"):
        Folder(tmp_path).take(b"", NAME, None, at(0))
