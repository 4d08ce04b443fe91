"""`nabd setup`: asks the few things that only people know, writes the configuration, and looks for meters.

1. Answers come from the terminal or from a file (setup/dialogue.py); each is proven as it is given.
2. A configuration that is there is replaced only after a yes, and is kept beside the new one.
3. The file is written (setup/text.py, setup/place.py), then `nabd scan` adds the meters it finds.
"""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.i18n import LANGUAGES, N_, words
from gateway.scan_cmd import scan
from gateway.setup.dialogue import at_terminal, from_file
from gateway.setup.errors import SetupError
from gateway.setup.place import put
from gateway.setup.questions import usual_answers
from gateway.setup.text import configuration

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; `config` is the file to write, `folder` where it goes unless named."""

    folder: Path
    config: Path | None = None
    answers: Path | None = None
    replace: bool = False


async def setup(
    options: Options, usual: Mapping[str, str], tell: Say, complain: Say, read: Callable[[str], str]
) -> int:
    """Set this machine up; 0 when the configuration stands, 1 when somebody would not have it replaced."""
    folder = options.config.parent if options.config else options.folder
    file = options.answers
    given = from_file(file, usual, folder) if file else at_terminal(usual, folder, tell, read)
    say = words(given["language"]).gettext
    path = options.config or folder / f"{given['kind']}.toml"
    if path.exists() and not _may_replace(options, path, say, read):
        tell(say(N_("Nothing was written.")))
        return 1
    kept = put(path, "edge" if given["kind"] == "edge" else "home", configuration(given))
    tell(say(N_("Written: {file}")).format(file=path))
    if kept:
        tell(say(N_("What stood there before is kept as {file}.")).format(file=kept))
    if given.get("search"):
        await _search(given["search"], path, tell, complain)
    for line in _next(path, given["kind"]):
        tell(say(line).format(file=path, kind=given["kind"]))
    return 0


def _may_replace(options: Options, path: Path, say: Callable[[str], str], read: Callable[[str], str]) -> bool:
    if options.replace:
        return True
    if options.answers:
        raise SetupError(f"{path} is there already", "--replace puts the new one in its place and keeps the old one")
    asked = say(N_("{file} is there already. Replace it? The old one is kept. [y/N]")).format(file=path)
    try:
        return read(asked + " ").strip().lower() in {"y", "yes", "نعم", "ن"}
    except EOFError:
        return False


async def _search(where: str, path: Path, tell: Say, complain: Say) -> None:
    """Search ports and hosts; a search without result is no reason to undo what was written."""
    ports = [] if where == "all" else where.split()
    options = Namespace(ports=ports, list=False, quick=True, write=path, json=False, config=path, dev=Path("/dev"))
    await scan(options, tell, complain)


def _next(path: Path, kind: str) -> list[str]:
    lines = [N_("To see what would run: nabd check {file}")]
    if path.parent == Path("/etc/nabd") and path.stem == kind:
        lines.append(N_("To start it, now and at each boot: sudo systemctl enable --now nabd-{kind}"))
    else:
        lines.append(N_("To start it: nabd {kind} -c {file}"))
    return lines


def usual_here(env: Mapping[str, str], etc: Path, host: str) -> dict[str, str]:
    """Tell the usual answers of this machine by its language, its time zone and its name."""
    language = env.get("LANG", "")[:2]
    name = "".join(char for char in host if char.isascii() and (char.isalnum() or char in "-_"))[:64]
    return usual_answers(language if language in LANGUAGES else "en", _zone(etc), name or "gw-1")


def _zone(etc: Path) -> str:
    """Read which zone this machine is in, from the link that Debian and others set."""
    try:
        parts = (etc / "localtime").readlink().parts
    except OSError:
        return "UTC"
    after = parts[parts.index("zoneinfo") + 1 :] if "zoneinfo" in parts else ()
    return "/".join(after).removeprefix("Etc/") or "UTC"
