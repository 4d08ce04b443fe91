"""What the tables of hub.toml and home.toml must be to each other."""

from collections.abc import Callable

HUB = '[mqtt]\nurl = "mqtts://broker.example"\n'


def test_a_store_needs_what_its_kind_needs(complain: Callable[..., str]) -> None:
    """A server needs its url; a file takes none, and says so rather than ignore it."""
    told = complain(HUB + '[store]\nkind = "influx"\n', "hub")
    assert told == 'FILE:4: [store], kind: influx needs url beside it (url = "https://influx.example:8086")'
    told = complain(HUB + '[store]\nurl = "https://influx.example"\ntoken_file = "mqtt.password"\n', "hub")
    assert told.split("\n") == [
        'FILE:4: [store], url: changes nothing with kind "sqlite" (write kind = "influx", or delete it)',
        'FILE:5: [store], token_file: changes nothing with kind "sqlite" (write kind = "influx", or delete it)',
    ]
