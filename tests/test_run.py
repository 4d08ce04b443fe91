"""`./run` on machines of many kinds, played by small programs that stand in for Python, pip, apt-get and uv.

Each test gets a checkout (in a folder with a space in its name) and a PATH that holds only the stand-ins and a few
plain tools, so nothing is installed and no network is touched. A stand-in writes what it was asked to `calls`.
"""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("cat", "cksum", "dirname", "env", "grep", "head", "mkdir", "mktemp", "rm", "sed", "sh", "tail", "tee")

# A Python that is new enough and can make an environment holding a copy of itself, unless told otherwise.
PYTHON = """#!/bin/sh
case "$*" in
*version_info*) exit {too_old} ;;
*"import ensurepip"*) exit {no_venv} ;;
"-m venv"*) for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python" ;;
"-m pip --version") ;;
*) echo "python $*" >>"{calls}"; exit {work} ;;
esac
"""
RECORDER = """#!/bin/sh
echo "{name} $*" >>"{calls}"
"""


@dataclass
class Machine:
    """A checkout and a PATH of stand-ins."""

    checkout: Path
    bin: Path
    calls_file: Path
    environment: dict[str, str] = field(default_factory=dict)

    def program(self, name: str, text: str) -> None:
        """Put a stand-in on the PATH."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def recorder(self, name: str, then: str = "") -> None:
        """Put a program on the PATH that only writes down how it was called."""
        self.program(name, RECORDER.format(name=name, calls=self.calls_file) + then)

    def python(self, name: str = "python3", *, too_old: bool = False, no_venv: bool = False, work: int = 0) -> None:
        """Put a Python on the PATH; `work` is the exit code of whatever it is told to run."""
        self.program(name, PYTHON.format(calls=self.calls_file, too_old=int(too_old), no_venv=int(no_venv), work=work))

    def user(self, uid: int) -> None:
        """Say who is at the keyboard."""
        self.program("id", f"#!/bin/sh\necho {uid}\n")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Start `./run` from another folder."""
        return subprocess.run(
            [str(self.checkout / "run"), *arguments],
            env={"PATH": str(self.bin), **self.environment},
            cwd=self.bin,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """What the stand-ins were asked, in order."""
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A user's machine with plain tools and no Python at all."""
    made = Machine(tmp_path / "a b" / "nabd", tmp_path / "bin", tmp_path / "calls")
    made.bin.mkdir()
    for tool in (*TOOLS, "cp"):
        found = shutil.which(tool)
        assert found, f"{tool} is not on this machine"
        (made.bin / tool).symlink_to(found)
    made.checkout.mkdir(parents=True)
    for name in ("run", "pyproject.toml"):
        shutil.copy(ROOT / name, made.checkout)
    shutil.copytree(ROOT / "locks", made.checkout / "locks")
    made.user(1000)
    return made


def test_the_script_is_plain_posix() -> None:
    """The shell of Debian reads the script without complaint."""
    dash = shutil.which("dash") or "sh"
    subprocess.run([dash, "-n", str(ROOT / "run")], check=True)


def test_nothing_asked_shows_what_can_be_asked(machine: Machine) -> None:
    """Without a command the list of commands is shown, and the exit code says that nothing was done."""
    done = machine.run()
    assert done.returncode == 2
    assert "./run demo" in done.stderr


def test_an_unknown_command_is_refused_before_any_setup(machine: Machine) -> None:
    """A misspelt command costs nothing and names the help."""
    done = machine.run("dmeo")
    assert (done.returncode, machine.calls) == (2, [])
    assert "unknown command: dmeo" in done.stderr
    assert "./run help" in done.stderr


def test_first_start_installs_by_hash_and_runs(machine: Machine) -> None:
    """Packages come from the lock by hash, ours without dependencies, then the command runs with its arguments."""
    machine.python()
    done = machine.run("demo", "--for", "60")
    assert done.returncode == 0, done.stderr
    packages, ours, command = machine.calls
    assert "--require-hashes" in packages
    assert packages.endswith("locks/demo.txt")
    assert "--no-deps" in ours
    assert command == "python -m gateway.cli demo --for 60"
    assert done.stdout == ""


def test_second_start_installs_nothing(machine: Machine) -> None:
    """The stamp spares the second start every installation."""
    machine.python()
    machine.run("nabd", "status")
    before = len(machine.calls)
    machine.run("nabd", "status")
    assert machine.calls[before:] == ["python -m gateway.cli status"]


def test_an_environment_for_developers_serves_the_demo(machine: Machine) -> None:
    """Dev holds all the others hold, so the demo after it installs nothing."""
    machine.python()
    machine.run("setup", "dev")
    before = len(machine.calls)
    machine.run("demo")
    assert machine.calls[before:] == ["python -m gateway.cli demo"]


@pytest.mark.parametrize("changed", ["locks/demo.txt", "pyproject.toml"])
def test_a_changed_lock_installs_again(machine: Machine, changed: str) -> None:
    """What the environment was made from has changed, so it is made right again."""
    machine.python()
    machine.run("setup")
    before = len(machine.calls)
    with (machine.checkout / changed).open("a") as file:
        file.write("# newer\n")
    machine.run("setup")
    assert len(machine.calls) == before + 2


def test_a_moved_checkout_starts_again(machine: Machine) -> None:
    """Environments cannot move, so a checkout that did gets a new one."""
    machine.python()
    machine.run("setup")
    (machine.checkout / ".venv" / "old").touch()
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("moved"))
    done = machine.run("setup")
    assert done.returncode == 0, done.stderr
    assert not (machine.checkout / ".venv" / "old").exists()


def test_the_exit_code_is_that_of_the_work(machine: Machine) -> None:
    """What the command says by its exit code reaches the caller."""
    machine.python()
    machine.run("setup")
    python = machine.checkout / ".venv" / "bin" / "python"
    python.write_text(python.read_text().replace("exit 0 ;;\nesac", "exit 7 ;;\nesac"))
    assert machine.run("nabd", "check").returncode == 7


def test_a_failed_installation_shows_its_words(machine: Machine) -> None:
    """When pip fails, its last lines are shown, nothing runs, and the next start tries again."""
    machine.python(work=1)
    for _ in range(2):
        before = len(machine.calls)
        done = machine.run("demo")
        assert done.returncode == 2
        assert "could not be installed" in done.stderr
        assert len(machine.calls) == before + 1


def test_an_old_python_is_passed_over(machine: Machine) -> None:
    """The first Python that is new enough is taken."""
    machine.python("python3", too_old=True)
    machine.python("python3.13")
    assert "with python3.13" in machine.run("setup").stderr


def test_a_whole_python_is_better_than_one_without_venv(machine: Machine) -> None:
    """A later Python that can make environments wins over an earlier one that cannot."""
    machine.python("python3.11", no_venv=True)
    machine.python("python3.12")
    assert "with python3.12" in machine.run("setup").stderr


def test_without_python_the_one_command_is_printed(machine: Machine) -> None:
    """No Python, no uv, no root: the user is told what to type."""
    done = machine.run("demo")
    assert done.returncode == 2
    assert "sudo apt-get install python3 python3-venv" in done.stderr


def test_without_venv_the_one_command_is_printed(machine: Machine) -> None:
    """Debian's Python without its venv part, no uv, no root: the user is told what to type."""
    machine.python(no_venv=True)
    machine.recorder("apt-get")
    done = machine.run("demo")
    assert (done.returncode, machine.calls) == (2, [])
    assert "sudo apt-get install python3-venv" in done.stderr


def test_root_gets_the_missing_part_from_debian(machine: Machine) -> None:
    """Root on Debian needs to type nothing: python3-venv is fetched and used."""
    machine.python(no_venv=True)
    whole = PYTHON.format(calls=machine.calls_file, too_old=0, no_venv=0, work=0)
    mend = f"cat >'{machine.bin}/python3' <<'END'\n{whole}END\n"
    machine.recorder("apt-get", then=mend)
    machine.user(0)
    done = machine.run("setup")
    assert done.returncode == 0, done.stderr
    assert machine.calls[0] == "apt-get update"
    assert machine.calls[1].endswith("python3 python3-venv")


def test_uv_serves_where_python_cannot(machine: Machine) -> None:
    """A uv on the PATH makes the environment when Python lacks the means."""
    machine.python(no_venv=True)
    copy = f'for last; do :; done; mkdir -p "$last/bin"; cp \'{machine.bin}/python3\' "$last/bin/python"\n'
    machine.recorder("uv", then=copy)
    done = machine.run("setup")
    assert done.returncode == 0, done.stderr
    assert machine.calls[0].startswith("uv venv")


def test_tests_say_which_packages_they_miss(machine: Machine) -> None:
    """Without root and without --system nothing is installed, and what is skipped is said."""
    machine.python()
    machine.recorder("apt-get")
    done = machine.run("test")
    assert done.returncode == 0, done.stderr
    assert "skipped:" in done.stderr
    assert "--system" in done.stderr
    assert not any(call.startswith("apt-get") for call in machine.calls)


def test_tests_run_the_checks_first_and_leave_the_slow_out(machine: Machine) -> None:
    """A plain `./run test` is format, lint, types, layers, then all quick tests, two at a time."""
    machine.python()
    machine.run("test")
    work = [call for call in machine.calls if " pip " not in call]
    assert [call.split()[2] for call in work] == ["ruff", "ruff", "mypy", "pytest", "pytest"]
    assert work[-1] == "python -m pytest -m not slow -n 2 --dist worksteal"


def test_arguments_reach_pytest_and_spare_the_checks(machine: Machine) -> None:
    """Whoever asks for one test file gets that file and no more."""
    machine.python()
    machine.run("test", "--all", "tests/drivers", "-k", "crc")
    work = [call for call in machine.calls if " pip " not in call]
    assert work == ["python -m pytest -m slow or not slow tests/drivers -k crc"]


def test_ci_makes_the_tests_strict(machine: Machine) -> None:
    """With CI=true the fixtures are told that a test that cannot run has failed."""
    machine.environment["CI"] = "true"
    machine.python()
    machine.run("setup", "dev")
    python = machine.checkout / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\necho "strict=$NABD_TESTS_STRICT" >>"{machine.calls_file}"\n')
    machine.run("test", "tests/x")
    assert machine.calls[-1] == "strict=1"


def test_every_lock_names_only_hashed_packages() -> None:
    """Each requirement of each lock is pinned and hashed, and names no host."""
    for lock in sorted((ROOT / "locks").glob("*.txt")):
        text = lock.read_text()
        requirements = text.replace("\\\n", " ").splitlines()
        assert requirements, lock.name
        for line in requirements:
            assert "==" in line, line
            assert "--hash=sha256:" in line, line
        assert "://" not in text, lock.name
