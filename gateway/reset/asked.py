"""The reset that a file asks for at boot, when nobody is there to mend anything: `nabd factory-reset --if-asked`.

1. Nothing happens unless one of `ASKED` exists.
2. Each configuration that can be read tells where it keeps things. Besides, the usual folders are emptied: a reset that
   was interrupted may have left no configuration, and one that nobody can read must not keep its owner's data.
3. What was collected goes first, configurations after it, the asking file last: cut anywhere, the next boot goes on.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gateway.config import ConfigError, kind_of, load
from gateway.config.customers import Document
from gateway.reset.command import Say, carry_out, is_running
from gateway.reset.places import elsewhere, outermost, places, usual

ASKED = tuple(
    map(Path, ("/boot/firmware/nabd-factory-reset", "/boot/nabd-factory-reset", "/var/lib/nabd/factory-reset"))
)
"""A card's first partition can be written on any computer, and by a button's program; the last is the page's."""

METERS = "meters"
"""The folder of meter models: they tell of devices, not of people, and who installs next may need them."""


def run(
    folder: Path, say: Say, complain: Say, *, env: Mapping[str, str] = os.environ, asked: Sequence[Path] = ASKED
) -> int:
    """Reset what the configurations in `folder` tell of; 0 when all is gone or nobody asked, 2 when it failed."""
    asking = [path for path in asked if path.exists()]
    if not asking:
        return 0
    readable = list(_readable(folder, complain))
    configs = [config for _, config in readable]
    if any(is_running(config, env) for config in configs):
        complain("nabd factory-reset: a program runs; a reset is done at boot, before any of them")
        return 2
    collected = [path for file, config in readable for path in places(config, file, env, configuration=False)]
    ours = [path for path in folder.iterdir() if path.name != METERS] if folder.is_dir() else []
    stays = sorted({secret for config in configs for secret in elsewhere(config)})
    last = {path.parent.resolve() / path.name for path in asking}
    found = [path for path in (*outermost([*collected, *usual(env)]), *sorted(ours)) if path not in last]
    return carry_out(found, stays, say, complain, asking)


def _readable(folder: Path, complain: Say) -> Iterator[tuple[Path, Document]]:
    for file in sorted(folder.glob("*.toml")):
        try:
            yield file, load(file, kind_of(file))
        except ConfigError as error:
            complain(f"nabd factory-reset: {file} goes unread, what it keeps in folders of its own stays: {error}")
