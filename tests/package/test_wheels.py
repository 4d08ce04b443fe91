"""Wheels of several Pythons laid out as one folder."""

from pathlib import Path

import pytest

from systemd.debian.wheels import ABSENT, BuildError, _needed, layout
from tests.support.debian_packages import wheel

LOCK = Path(__file__).parents[2] / "locks/hub.txt"


def test_compiled_modules_lie_side_by_side(tmp_path: Path) -> None:
    """Each Python finds its own module by the number in its name; what both bring is there once."""
    wheels = [
        wheel(tmp_path, f"fast-{number}", {"fast/__init__.py": "", f"fast/core.cpython-{number}-x.so": number})
        for number in ("311", "313")
    ]
    assert sorted(entry.path for entry in layout(wheels, "lib")) == [
        "lib/fast/__init__.py", "lib/fast/core.cpython-311-x.so", "lib/fast/core.cpython-313-x.so",
    ]  # fmt: skip


def test_wheels_that_disagree_make_no_package(tmp_path: Path) -> None:
    """A file that differs between two Pythons would be wrong for one of them."""
    wheels = [wheel(tmp_path, name, {"fast/__init__.py": name}) for name in ("a", "b")]
    with pytest.raises(BuildError, match=r"fast/__init__\.py differs"):
        layout(wheels, "lib")


def test_what_a_gateway_does_not_need_is_left_out(tmp_path: Path) -> None:
    """Simulated meters, scripts and what only pip reads are no part of the package; licences and versions are."""
    files = {
        "simulator/serve.py": "", "drivers/p1.py": "", "x-1.data/scripts/tool": "", "x-1.data/purelib/x.py": "",
        "x-1.dist-info/RECORD": "", "x-1.dist-info/METADATA": "", "x-1.dist-info/licenses/LICENSE": "",
    }  # fmt: skip
    assert sorted(entry.path for entry in layout([wheel(tmp_path, "x", files)], "lib")) == [
        "lib/drivers/p1.py", "lib/x-1.dist-info/METADATA", "lib/x-1.dist-info/licenses/LICENSE", "lib/x.py",
    ]  # fmt: skip


def test_what_has_no_wheel_leaves_the_lock_with_its_hashes() -> None:
    """The rest of the lock stays as it is, each entry with its hashes."""
    whole = LOCK.read_text()
    assert "".join(_needed(whole, ())) == whole
    needed = "".join(_needed(whole, ABSENT["armhf"]))
    names = [line.partition("==")[0] for line in needed.splitlines() if line[0].isalnum()]
    assert set(ABSENT["armhf"]).isdisjoint(names)
    assert {"cryptography", "pydantic-core", "aiohttp"} < set(names)
    assert needed.count("==") + len(ABSENT["armhf"]) == whole.count("==")
    assert not needed.startswith(" ")
