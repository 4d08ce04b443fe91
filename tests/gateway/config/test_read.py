"""Files that cannot be read at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import ConfigError, load

BROKEN = {
    "empty": (b"", "FILE: is empty (copy the example of that name from config/, or a backup)"),
    "blank": (b" \n\t\n", "FILE: is empty (copy the example of that name from config/, or a backup)"),
    "byte order mark": (
        b"\xef\xbb\xbf[gateway]\n",
        "FILE:1: starts with a byte order mark (save it as UTF-8 without BOM)",
    ),
    "utf-16": ("[gateway]\n".encode("utf-16"), "FILE:1: is UTF-16 (save it as UTF-8)"),
    "nul": (b"[gateway]\nid = \x00\n", "FILE:2: holds a NUL byte (the file is damaged: take it from a backup)"),
    "latin-1": (b"# ok\n\n# caf\xe9\n", "FILE:3: is not UTF-8 (save it as UTF-8)"),
    "huge": (b"#" * (1024 * 1024 + 1), "FILE: is larger than 1 MiB (this is not a configuration of nabd)"),
    "deep": (b"a = " + b"[" * 100_000, "FILE: is nested too deeply (two levels are the most there is)"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_text_is_refused_in_words(name: str, complain: Callable[[bytes], str]) -> None:
    """Damage and foreign encodings are named, with their line where there is one."""
    content, told = BROKEN[name]
    assert complain(content) == told


def test_a_number_too_long_to_convert_is_no_traceback(complain: Callable[[str], str]) -> None:
    """Python refuses numbers of more than 4,300 digits with an error of its own."""
    assert complain("x = " + "9" * 5000).startswith("FILE: is not TOML: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path says where examples are."""
    with pytest.raises(ConfigError, match=r"gone\.toml: is not there \(copy the example .* or name one with -c\)"):
        load(tmp_path / "gone.toml", "edge", {})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder given for its file is told from a missing one."""
    with pytest.raises(ConfigError, match=r"is a folder \(name the file in it, such as edge\.toml\)"):
        load(tmp_path, "edge", {})


def test_a_file_that_may_not_be_read_says_who_may(
    write: Callable[[str], Path], good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests may run as root, who may read all, so the refusal is injected."""
    path = write(good)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match=r"may not be read \(run with sudo, or as the user nabd runs as\)"):
        load(path, "edge", {})


def test_an_io_error_is_told_with_its_cause(
    write: Callable[[str], Path], good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dying card is an error of ours, not a traceback."""
    path = write(good)

    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(ConfigError, match=r"cannot be read: .*Input/output error"):
        load(path, "edge", {})


def test_windows_line_ends_change_no_line_number(good: str, complain: Callable[[str], str]) -> None:
    """A file saved on Windows is read, and its mistakes stand on the lines its editor shows."""
    text = good.replace('profile = "eastron', 'profle = "eastron').replace("\n", "\r\n")
    assert complain(text).startswith("FILE:26: [[meter]] flat-7, profle:")
