"""A package's life under the real dpkg, on a folder: install, upgrade, an upgrade that breaks, removal, purge."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.support.debian_packages import Machine, small_package


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give two versions of a small package."""
    folder = tmp_path_factory.mktemp("packages")
    return {version: small_package(folder, version) for version in ("1.0", "2.0")}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Give an empty machine."""
    for program in ("dpkg", "systemd-sysusers", "systemd-tmpfiles"):
        if shutil.which(program) is None:
            skip_or_fail(f"{program} is not here")
    return Machine(tmp_path / "machine")


def _configured(machine: Machine) -> Path:
    config = machine.root / "etc/nabd/home.toml"
    config.write_text("# mine\n")
    readings = machine.root / "var/lib/nabd/readings.sqlite"
    readings.parent.mkdir(parents=True)
    readings.touch()
    return config


def test_installed_it_runs_and_asks_for_setup(machine: Machine, packages: dict[str, Path]) -> None:
    """The new release is the current one, user and folders are there, and nothing claims to be configured."""
    said = machine.dpkg("-i", packages["1.0"])
    assert machine.status == "installed 1.0"
    assert machine.runs == "1.0"
    assert "sudo nabd setup" in said
    assert "nabd:" in (machine.root / "etc/passwd").read_text()
    assert (machine.root / "etc/nabd").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("way", [("1.0", "2.0"), ("2.0", "1.0"), ("1.0", "1.0")], ids=" to ".join)
def test_the_configuration_outlives_an_upgrade_and_a_downgrade(
    machine: Machine, packages: dict[str, Path], way: tuple[str, str]
) -> None:
    """Whatever comes after whatever: the new release runs, no file of the old one is left, mine is as I wrote it."""
    machine.dpkg("-i", packages[way[0]])
    config = _configured(machine)
    said = machine.dpkg("-i", packages[way[1]])
    assert machine.runs == way[1]
    assert config.read_text() == "# mine\n"
    assert "setup" not in said
    assert not (machine.root / "opt/nabd/previous").exists()
    left = [path.name for path in (machine.root / "opt/nabd").rglob("only_*.py")]
    assert left == [f"only_{way[1].replace('.', '_')}.py"]


def test_between_unpacking_and_configuring_the_old_program_is_whole(
    machine: Machine, packages: dict[str, Path]
) -> None:
    """F24: cut off right there, a start still finds every file of the old one; going on finds the new one."""
    machine.dpkg("-i", packages["1.0"])
    machine.dpkg("--unpack", packages["2.0"])
    assert machine.status == "unpacked 2.0"
    assert machine.runs == "1.0"
    machine.dpkg("--unpack", packages["2.0"])
    assert machine.runs == "1.0"
    machine.dpkg("--configure", "-a")
    assert machine.runs == "2.0"


def test_an_upgrade_that_fails_leaves_the_old_program(
    machine: Machine, packages: dict[str, Path], tmp_path: Path
) -> None:
    """A package that cannot be unpacked to its end changes nothing that runs."""
    machine.dpkg("-i", packages["1.0"])
    torn = tmp_path / "torn.deb"
    torn.write_bytes(packages["2.0"].read_bytes()[:-2000])
    machine.dpkg("-i", torn, check=False)
    assert machine.status == "installed 1.0"
    assert machine.runs == "1.0"


def test_an_installation_by_hand_is_not_overwritten(machine: Machine, packages: dict[str, Path]) -> None:
    """An environment that somebody made in /opt/nabd is said and left alone."""
    by_hand = machine.root / "opt/nabd/bin/nabd"
    by_hand.parent.mkdir(parents=True)
    by_hand.write_text("mine")
    assert "made by hand" in machine.dpkg("-i", packages["1.0"], check=False)
    assert by_hand.read_text() == "mine"
    assert not machine.status.startswith("installed")


def test_removal_keeps_what_people_wrote_and_purge_says_what_it_deletes(
    machine: Machine, packages: dict[str, Path]
) -> None:
    """Remove takes the program; purge the configuration too; readings stay, and it is said how to delete them."""
    machine.dpkg("-i", packages["1.0"])
    config = _configured(machine)
    said = machine.dpkg("--remove", "nabd")
    assert not (machine.root / "opt/nabd").exists()
    assert config.exists()
    assert "kept /etc/nabd" in said
    said = machine.dpkg("--purge", "nabd")
    assert not config.parent.exists()
    assert (machine.root / "var/lib/nabd/readings.sqlite").exists()
    assert "removed /etc/nabd" in said
    assert "rm -r /var/lib/nabd" in said
