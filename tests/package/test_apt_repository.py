"""S8, S9: what apt does with our repository when somebody forged, damaged, swapped or replayed a part of it."""

import hashlib
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from systemd.debian.archive import Entry, package
from systemd.debian.repository import DAY, make, read
from systemd.debian.wheels import BuildError
from tests.conftest import skip_or_fail
from tests.support.apt_machines import PAGE, Debian, Gateway
from tests.support.booted import copy, root

NOW = int(time.time())
OURS, THEIRS = "Nabd test <nabd@localhost>", "Somebody <else@localhost>"
LISTS = "dists/stable/main/binary-amd64/Packages"
DEB = "pool/main/nabd_2.0_amd64.deb"


def deb(version: str, name: str = "nabd") -> bytes:
    """Make a package that holds its version in a file, and needs nothing."""
    fields = {"Package": name, "Version": version, "Architecture": "amd64", "Maintainer": OURS, "Description": "x"}
    return package(fields, {}, [Entry(f"opt/{name}/version", version.encode())], NOW, 0)


@pytest.fixture(scope="module", autouse=True)
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let gpg have two keys: ours, and one of somebody else."""
    for program in ("gpg", "apt-get", "dpkg"):
        if shutil.which(program) is None:
            skip_or_fail(f"{program} is not here (apt install gnupg; apt is Debian's)")
    home = tmp_path_factory.mktemp("gpg")
    home.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNUPGHOME", str(home))
        for who in (OURS, THEIRS):
            _run("gpg", "--batch", "--faked-system-time", f"{NOW - 30 * DAY}!", "--passphrase", "",
                 "--quick-generate-key", who, "ed25519", "sign", "1y")  # fmt: skip
        yield
        _run("gpgconf", "--kill", "gpg-agent")


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, timeout=60, check=True)


@pytest.fixture(scope="module")
def installed(keys: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:  # noqa: ARG001  gpg's
    """Make a gateway that took version 1.0 from the repository, and a copy of both as they were then."""
    folder = tmp_path_factory.mktemp("gateway")
    make(folder / "repository", [read(deb("1.0"))], OURS, NOW - 20 * DAY)
    made = Gateway(folder, folder / "repository")
    said = made.update()
    assert made.version == "1.0", said
    return made, shutil.copytree(folder, folder.with_name("kept"), symlinks=True)


@pytest.fixture
def gateway(installed: tuple[Gateway, Path]) -> Gateway:
    """Give the gateway as it was after its installation, at the same place."""
    made, kept = installed
    shutil.rmtree(made.repository.parent)
    shutil.copytree(kept, made.repository.parent, symlinks=True)
    return made


def publish(repository: Path, key: str = OURS, days: int = 90) -> None:
    """Bring a new version out."""
    make(repository, [read(deb("2.0"))], key, NOW - DAY, days)


def test_an_update_from_the_repository_is_taken(gateway: Gateway) -> None:
    """Nothing is confirmed, no check is switched off: the honest way works."""
    publish(gateway.repository)
    said = gateway.update()
    assert gateway.version == "2.0", said
    assert "FAILED" not in said
    assert "W:" not in said


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def _all_of_release(repository: Path, change: Callable[[Path], None]) -> None:
    for name in ("InRelease", "Release"):
        change(repository / "dists/stable" / name)


def _unsigned(repository: Path) -> None:
    for name in ("InRelease", "Release.gpg"):
        (repository / "dists/stable" / name).unlink()


def _anothers_key(repository: Path) -> None:
    shutil.rmtree(repository / "dists")
    publish(repository, THEIRS)


def _another_product(repository: Path) -> None:
    """Our own key signs, but what it signs calls itself something else."""
    suite = repository / "dists/stable"
    told = (
        (suite / "Release").read_text().replace("Origin: Nabd", "Origin: Other").replace("Label: Nabd", "Label: Other")
    )
    (suite / "Release").write_text(told)
    for name, how in (("InRelease", "--clear-sign"), ("Release.gpg", "--detach-sign")):
        (suite / name).unlink()
        _run("gpg", "--batch", "--armor", "-u", OURS, "-o", str(suite / name), how, str(suite / "Release"))


def _swapped(repository: Path) -> None:
    """The list is whole, and a package of the same size but other content lies in its place."""
    content = deb("2.0")
    (repository / DEB).write_bytes(content[:-8] + bytes(byte ^ 0xFF for byte in content[-8:]))


VERIFYING = "error occurred during the signature verification"
FORGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "unsigned": (_unsigned, "not signed|no longer signed"),
    "another's key": (_anothers_key, VERIFYING),
    "another product": (_another_product, "changed its 'Origin' value"),
    "a bit of the package": (lambda place: _flip(place / DEB), "Hash Sum mismatch"),
    "a swapped package": (_swapped, "Hash Sum mismatch"),
    "a bit of the list": (lambda place: _flip(place / LISTS), "Hash Sum mismatch"),
    "a bit of the release": (lambda place: _all_of_release(place, _flip), VERIFYING),
    "half a package": (lambda place: _cut(place / DEB), "unexpected size|Hash Sum mismatch"),
    "half a list": (lambda place: _cut(place / LISTS), "unexpected size|Hash Sum mismatch"),
    "half a release": (lambda place: _all_of_release(place, _cut), VERIFYING),
}  # fmt: skip


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_or_damaged_update_changes_no_file(gateway: Gateway, how: str) -> None:
    """S8: apt says what is wrong, and every file of the machine is as it was."""
    publish(gateway.repository)
    forge, reason = FORGED[how]
    forge(gateway.repository)
    before = gateway.files
    said = gateway.update()
    assert re.search(reason, said), said
    assert gateway.files == before


def test_an_old_release_is_no_way_back(gateway: Gateway, tmp_path: Path) -> None:
    """S9: whoever shows a gateway an older release, signed as it is, hides a newer version from nobody who saw it."""
    old = shutil.copytree(gateway.repository, tmp_path / "old")
    publish(gateway.repository)
    gateway.apt("update")
    shutil.rmtree(gateway.repository / "dists")
    shutil.copytree(old / "dists", gateway.repository / "dists")
    gateway.update()
    assert gateway.version == "2.0"


def test_a_release_holds_for_its_time_only(gateway: Gateway) -> None:
    """S9: to whoever saw no newer one an old release can be shown until its date, and no longer."""
    publish(gateway.repository, days=0)
    before = gateway.files
    assert "is expired" in (said := gateway.update()), said
    assert gateway.files == before


def test_an_older_version_needs_its_owners_word(gateway: Gateway) -> None:
    """S9: apt goes back only when it is told so, and the newer version stays otherwise."""
    publish(gateway.repository)
    gateway.update()
    before = gateway.files
    assert "FAILED" in gateway.apt("install", "nabd=1.0")
    assert gateway.files == before
    gateway.apt("install", "--allow-downgrades", "nabd=1.0")
    assert gateway.version == "1.0"


def test_our_key_brings_nothing_but_nabd_and_nobody_else_brings_it(gateway: Gateway, tmp_path: Path) -> None:
    """A repository that the system trusts cannot replace Nabd; ours, in thieves' hands, can replace nothing else."""
    foreign = tmp_path / "foreign"
    make(foreign, [read(deb("9.0"))], THEIRS, NOW - DAY)
    _rename(foreign, "Origin: Nabd", "Origin: Debian", THEIRS)
    gateway.trust(foreign / "nabd.asc")
    shutil.copy(foreign / "nabd.asc", gateway.machine.root.parent / "apt/etc/foreign.asc")
    gateway.source("foreign", foreign, "foreign.asc")
    _add_another_package(gateway.repository)
    before = gateway.files
    said = gateway.update() + gateway.apt("install", "libc-evil")
    assert "no installation candidate" in said, said
    assert gateway.files == before
    assert gateway.version == "1.0"


def _rename(repository: Path, old: str, new: str, key: str) -> None:
    suite = repository / "dists/stable"
    (suite / "Release").write_text((suite / "Release").read_text().replace(old, new))
    (suite / "InRelease").unlink()
    _run("gpg", "--batch", "--armor", "-u", key, "-o", str(suite / "InRelease"), "--clear-sign", str(suite / "Release"))


def _add_another_package(repository: Path) -> None:
    """List a package of another name, which our tool would not."""
    data = deb("1.0", "libc-evil")
    (repository / "pool/main/evil.deb").write_bytes(data)
    suite = repository / "dists/stable"
    old = (repository / LISTS).read_bytes()
    row = (
        "\nPackage: libc-evil\nVersion: 1.0\nArchitecture: amd64\nFilename: pool/main/evil.deb\n"
        f"Size: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
    )
    (repository / LISTS).write_bytes(old + row.encode())
    changed = (repository / LISTS).read_bytes()
    told = (suite / "Release").read_text()
    told = told.replace(
        f"{hashlib.sha256(old).hexdigest()} {len(old)}", f"{hashlib.sha256(changed).hexdigest()} {len(changed)}"
    )
    (suite / "Release").write_text(told)
    _rename(repository, "", "", OURS)


def test_the_same_packages_give_the_same_repository(tmp_path: Path) -> None:
    """Twice the same bytes, signatures among them."""
    for name in ("one", "two"):
        make(tmp_path / name, [read(deb("1.0")), read(deb("1.1"))], OURS, NOW)
    one, two = ({str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
                for place in (tmp_path / "one", tmp_path / "two"))  # fmt: skip
    assert one == two


def test_a_version_that_is_out_never_changes(tmp_path: Path) -> None:
    """Another content under a version that gateways may have is refused, and the repository stays as it was."""
    make(tmp_path, [read(deb("1.0"))], OURS, NOW)
    other = package(dict(read(deb("1.0")).fields), {}, [Entry("opt/nabd/other", b"x")], NOW, 0)
    with pytest.raises(BuildError, match="another content"):
        make(tmp_path, [read(other)], OURS, NOW)
    assert (tmp_path / "pool/main/nabd_1.0_amd64.deb").read_bytes() == deb("1.0")


@pytest.mark.parametrize("data", [deb("1.0", "libc6"), b"", b"!<arch>\n", deb("1.0")[:300], b"\0" * 500])
def test_nothing_but_nabd_is_signed(data: bytes) -> None:
    """A package of another name, half a package or rubbish is refused before gpg is asked."""
    with pytest.raises(BuildError):
        read(data)


def test_a_key_that_gpg_lacks_is_said(tmp_path: Path) -> None:
    """The error has gpg's own words, and no release is written."""
    with pytest.raises(BuildError, match="gpg did not sign"):
        make(tmp_path, [read(deb("1.0"))], "nobody@localhost", NOW)
    assert not (tmp_path / "dists").exists()


@pytest.mark.slow
def test_debian_13_checks_it_too(tmp_path: Path) -> None:
    """Its apt verifies by another program: it takes what is ours, and nothing that was altered after."""
    make(tmp_path / "repository", [read(deb("1.0"))], OURS, NOW - 20 * DAY)
    with copy(root("trixie")) as place:
        debian = Debian(place, tmp_path / "repository")
        debian.run("apt-get update; apt-get install --yes nabd")
        assert debian.version == "1.0"
        publish(tmp_path / "repository")
        for how in ("a bit of the release", "another's key", "unsigned"):
            debian.bring(FORGED[how][0])
            said = debian.run("apt-get update; apt-get install --yes nabd")
            assert re.search(FORGED[how][1], said), said
            assert debian.version == "1.0"
        debian.bring()
        debian.run("apt-get update; apt-get install --yes nabd")
        assert debian.version == "2.0"


@pytest.mark.slow
def test_updates_come_by_themselves_as_the_page_says(tmp_path: Path) -> None:
    """With the page's few lines the system's own unattended upgrades take ours, and not before they were written."""
    told = next(block for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL) if "Unattended-Upgrade" in block)
    make(tmp_path / "repository", [read(deb("1.0"))], OURS, NOW - 20 * DAY)
    with copy(root("bookworm")) as place:
        debian = Debian(place, tmp_path / "repository")
        said = debian.run("apt-get update; apt-get install --yes --no-install-recommends nabd unattended-upgrades")
        if not (place / "usr/bin/unattended-upgrade").exists():
            skip_or_fail(f"unattended-upgrades cannot be fetched here: {said[-300:]}")
        # Debian's own updates would come too, which takes minutes and shows nothing of ours.
        debian.put("etc/apt/sources.list", "")
        publish(tmp_path / "repository")
        debian.bring()
        debian.run("apt-get update; unattended-upgrade")
        assert debian.version == "1.0"
        debian.put("etc/apt/apt.conf.d/52nabd", told)
        said = debian.run("unattended-upgrade -v")
        assert debian.version == "2.0", said
