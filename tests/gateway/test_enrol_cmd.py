"""`nabd enrol`, `nabd ca` and `nabd access-lists` as typed: from a fresh gateway to a pair that serves TLS."""

import os
import ssl
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.identity.folder import Folder

Nabd = Callable[..., int]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with an edge's configuration; `nabd ca` has its folder here too."""
    (tmp_path / "edge.toml").write_text(
        '[gateway]\nid = "gw-1"\ntenant = "town"\n[journal]\nfolder = "state/journal"\n'
        '[mqtt]\nurl = "mqtts://broker.example"\n',
        encoding="utf-8",
    )
    (tmp_path / "state").mkdir(mode=0o700)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def code_of(place: Path) -> str:
    """Read the claim code, as `nabd enrol show` prints it."""
    return Folder(place / "state/identity").code() or ""


@pytest.fixture
def signing(monkeypatch: pytest.MonkeyPatch, place: Path) -> Nabd:
    """Give a callable that signs the gateway's request, answering with a claim code."""

    def sign(code: str, *more: str) -> int:
        monkeypatch.setattr("builtins.input", lambda _: code)
        whom = more or ("--tenant", "town", "--gateway", "gw-1")
        return main(["ca", "sign", str(place / "state/identity/request.pem"), *whom, "--out", "gw-1.pem"])

    return sign


def test_the_whole_way(place: Path, signing: Nabd, capsys: pytest.CaptureFixture[str]) -> None:
    """Request, sign by the code, import, renew: each step says what comes next, and nothing secret."""
    assert main(["ca", "init"]) == 0
    assert main(["enrol", "request", "-c", "edge.toml"]) == 0
    code = code_of(place)
    assert f"Claim code: {code}" in capsys.readouterr().out
    assert signing(code.lower()) == 0
    assert main(["enrol", "import", "gw-1.pem", "--ca", "nabd-ca/ca.pem", "-c", "edge.toml"]) == 0
    said = capsys.readouterr().out
    folder = Folder(place / "state/identity")
    with (place / "edge.toml").open("a", encoding="utf-8") as file:
        file.write(said.partition("[mqtt]\n")[2])
    assert main(["check", "edge.toml"]) == 0
    ssl.create_default_context(cafile=folder.authorities).load_cert_chain(folder.pair)
    assert main(["enrol", "show", "-c", "edge.toml"]) == 0
    assert "824 days from now" in capsys.readouterr().out
    before = folder.pair.read_bytes()
    assert main(["enrol", "request", "-c", "edge.toml"]) == 2
    assert main(["enrol", "request", "--new", "-c", "edge.toml"]) == 0
    assert signing(code_of(place)) == 0
    assert main(["enrol", "import", "gw-1.pem", "-c", "edge.toml"]) == 0
    assert folder.pair.read_bytes() != before
    out = capsys.readouterr()
    assert "PRIVATE" not in out.out + out.err


@pytest.mark.parametrize(
    ("code", "whom", "said"),
    [
        ("7777-7777-7777-7777-7777", (), "slip"),
        ("", (), "letters and digits"),
        (None, ("--tenant", "town", "--gateway", "gw-2"), "not for 'town/gw-2'"),
        (None, ("--tenant", "other", "--gateway", "gw-1"), "not for 'other/gw-1'"),
        (None, ("--tenant", "a/b", "--gateway", "gw-1"), "no id"),
        (None, ("--tenant", "town"), "whom is it for"),
        (None, ("--hub", "town/gw-1"), "whom is it for"),
    ],
)
def test_who_is_not_signed(
    place: Path, signing: Nabd, capsys: pytest.CaptureFixture[str], code: str | None, whom: tuple[str, ...], said: str
) -> None:
    """The reason stands on one line; no certificate is written."""
    main(["ca", "init"])
    main(["enrol", "request", "-c", "edge.toml"])
    assert signing(code_of(place) if code is None else code, *whom) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (place / "gw-1.pem").exists()


def test_nothing_is_imported_blindly(place: Path, signing: Nabd, capsys: pytest.CaptureFixture[str]) -> None:
    """Whose brokers to trust must be said once; files that are not there are named."""
    main(["ca", "init"])
    main(["enrol", "request", "-c", "edge.toml"])
    signing(code_of(place))
    assert main(["enrol", "import", "gw-1.pem", "-c", "edge.toml"]) == 2
    assert "--ca" in capsys.readouterr().err
    assert main(["enrol", "import", "none.pem", "--ca", "nabd-ca/ca.pem", "-c", "edge.toml"]) == 2
    assert "none.pem: No such file" in capsys.readouterr().err
    assert not Folder(place / "state/identity").pair.exists()


def test_a_brokers_pair(place: Path) -> None:
    """Its key is for its owner; a name without gateway gets none of a gateway's rights."""
    main(["ca", "init"])
    assert main(["ca", "broker", "broker.example", "192.0.2.7", "--out", "broker.pem"]) == 0
    assert stat.S_IMODE((place / "broker.key").stat().st_mode) == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain("broker.pem", "broker.key")


def test_a_revoked_certificate(place: Path, signing: Nabd, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what to bring where."""
    main(["ca", "init"])
    main(["enrol", "request", "-c", "edge.toml"])
    signing(code_of(place))
    before = (place / "nabd-ca/crl.pem").read_bytes()
    assert main(["ca", "revoke", "gw-1.pem"]) == 0
    assert "crl.pem" in capsys.readouterr().out
    assert (place / "nabd-ca/crl.pem").read_bytes() != before


def test_the_hub_asks_by_its_user(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub's identity lies beside its database, and is signed for one word."""
    (place / "hub.toml").write_text(
        '[hub]\ndatabase = "hubstate/hub.sqlite"\n[mqtt]\nurl = "mqtts://broker.example"\n', encoding="utf-8"
    )
    main(["ca", "init"])
    assert main(["enrol", "request", "-c", "hub.toml"]) == 0
    folder = Folder(place / "hubstate/hub-identity")
    monkeypatch.setattr("builtins.input", lambda _: folder.code())
    assert main(["ca", "sign", str(folder.path / "request.pem"), "--hub", "hub", "--out", "hub.pem"]) == 0
    assert main(["enrol", "import", "hub.pem", "--ca", "nabd-ca/ca.pem", "-c", "hub.toml"]) == 0
    assert folder.pair.exists()


def test_root_leaves_the_files_to_the_service(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with sudo, the files belong to whoever owns the state directory."""
    handed: list[tuple[str, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, uid, *_, **__: handed.append((Path(path).name, uid)))
    assert main(["enrol", "request", "-c", "edge.toml"]) == 0
    owner = (place / "state").stat().st_uid
    assert set(handed) == {(name, owner) for name in ("identity", "key.pem", "request.pem", "claim.txt")}


@pytest.mark.parametrize("word", ["home/x", "#", "hub\npattern readwrite #", '"}', ""])
def test_an_access_list_takes_no_rule_in_a_name(word: str) -> None:
    """What could end one rule and begin another is refused before it is written."""
    for option in ("--hub", "--root"):
        with pytest.raises(SystemExit):
            main(["access-lists", "emqx", option, word])


def test_an_access_list_for_other_names(capsys: pytest.CaptureFixture[str]) -> None:
    """Root and hub are as configured."""
    assert main(["access-lists", "mosquitto", "--root", "meters", "--hub", "centre"]) == 0
    said = capsys.readouterr().out
    assert "pattern write meters/v1/%u/data" in said
    assert "user centre" in said
    assert "nabd/v1" not in said
