"""What the tables of hub.toml and home.toml must be to each other: a store with the options of its kind, channels."""

from collections.abc import Iterator

from gateway.config import channels
from gateway.config.customers import HomeConfig, HubConfig, StoreTable
from gateway.config.locate import Key

Finding = tuple[Key, str, str]

STORE_URLS = {
    "influx": "https://influx.example:8086",
    "postgres": "postgresql://db.example/nabd",
    "victoria": "https://victoria.example:8428",
}
STORE_OPTIONS = {
    "url": ("influx", "postgres", "victoria"),
    "token_file": ("influx", "victoria"),
    "username": ("postgres",),
    "password_file": ("postgres",),
    "ca_file": ("postgres", "victoria"),
}
"""The options of [store] that only some kinds know."""


def find(config: HubConfig | HomeConfig) -> Iterator[Finding]:
    """Yield all that does not fit together."""
    yield from _store(config.store)
    yield from channels.find(config.channel)


def _store(store: StoreTable) -> Iterator[Finding]:
    example = STORE_URLS.get(store.kind)
    if example and store.url is None:
        yield ("store", "kind"), f"{store.kind} needs url beside it", f'url = "{example}"'
    elif example and store.url and store.url.startswith("postgresql") != example.startswith("postgresql"):
        yield ("store", "url"), f"is no url of a {store.kind} store", f'url = "{example}"'
    for name, kinds in STORE_OPTIONS.items():
        if store.kind not in kinds and getattr(store, name) is not None:
            yield (
                ("store", name),
                f'changes nothing with kind "{store.kind}"',
                f'write kind = "{kinds[0]}", or delete it',
            )
