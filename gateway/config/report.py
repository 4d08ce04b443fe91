"""What `nabd check FILE` prints: the plan that would run, and what an installer should think twice about.

Nothing is opened: no port, no broker, no store. Files are read: the configuration, meter models, secrets' modes.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from drivers.profiles import SHIPPED
from gateway.config.broker import BrokerTable, UplinkTable
from gateway.config.build import in_memory, meter_id, mirror_folder
from gateway.config.customers import ChannelTable, Document, HomeConfig, HubConfig, StoreTable
from gateway.config.load import kind_of, load
from gateway.config.models import BusTable, EdgeConfig, Kind, MeterTable, PlaceTable, WebTable
from gateway.config.near import printable
from gateway.config.spell import spell_bytes, spell_seconds
from gateway.config.wire import load_of, requests_of
from gateway.flash import advice
from gateway.virtual.build import plans_of
from gateway.virtual.compute import Plan

LOCAL = ("localhost", "127.0.0.1", "::1")
Wired = EdgeConfig | HomeConfig


def check(path: Path, kind: Kind | None = None, env: Mapping[str, str] | None = None) -> str:
    """Describe what the file at `path` would run, as text of several lines; raises ConfigError."""
    kind = kind or kind_of(path)
    env = os.environ if env is None else env
    config = load(path, kind, env)
    lines = [f"nabd {kind} would run this from {path}:", "", *_plan(config, env)]
    notes = list(_notes(config, env))
    if notes:
        lines += ["", "Think twice about:", *(f"  - {note}" for note in notes)]
    return "\n".join(printable(line) for line in lines) + "\n"


def _plan(config: Document, env: Mapping[str, str]) -> Iterator[str]:
    if isinstance(config, HubConfig):
        yield _row("hub", f"{config.hub.id}, {_place(config.hub)}")
        yield _row("database", str(config.hub.database))
    else:
        yield _row("gateway", f"{config.gateway.id}, tenant {config.gateway.tenant}, {_place(config.gateway)}")
        yield from _keeping(config, env)
    if isinstance(config, HomeConfig):
        yield _row("database", str(config.hub.database))
    yield _row("mqtt", _broker(config.mqtt) if config.mqtt else "none")
    if isinstance(config, HubConfig | HomeConfig):
        yield _row("store", _store(config.store))
    yield _row("pages", f"http://{config.web.listen}")
    if isinstance(config, HubConfig | HomeConfig):
        yield from (_row("channel", _channel(channel)) for channel in config.channel)
    if not isinstance(config, HubConfig):
        for bus in config.bus:
            yield from ("", _row("bus", _bus(bus)))
            for meter in (meter for meter in config.meter if meter.bus == bus.name):
                yield f"  {_meter(config, meter)}"
                if requests := requests_of(bus, meter):
                    yield f"    {requests}"
        yield from (line for plan in plans_of(config) for line in ("", _row("virtual", _virtual(plan))))


def _keeping(config: Wired, env: Mapping[str, str]) -> Iterator[str]:
    journal, wait = config.journal, spell_seconds(config.clock.wait)
    trusted = "always trusted" if config.clock.trust == "system" else f"readings wait up to {wait} for true time"
    yield _row("clock", trusted)
    yield _row(
        "journal",
        f"{journal.folder}, a block every {spell_seconds(journal.window)}, at most {spell_bytes(journal.quota)}, "
        f"kept {spell_seconds(journal.keep)} once stored",
    )
    yield _row("mirror", str(mirror_folder(config, env) or "none"))


def _broker(mqtt: BrokerTable) -> str:
    parts = [mqtt.url, f"topics {mqtt.root}/v1/…"]
    if mqtt.username:
        parts.append(f"as {mqtt.username}")
    if mqtt.password_file:
        parts.append(f"password from {mqtt.password_file.source}")
    if isinstance(mqtt, UplinkTable):
        parts.append(f"acknowledged by {'the store' if mqtt.ack_mode == 'stored' else 'the broker'}")
    return ", ".join(parts)


def _store(store: StoreTable) -> str:
    where = f"{store.kind}, {store.path if store.kind == 'sqlite' else store.url}"
    where += f", bucket {store.bucket}" if store.kind == "influx" else ""
    return f"{where}, {'every reading' if store.keep_raw else 'quarter-hours only'}"


def _channel(channel: ChannelTable) -> str:
    """Say who is told; of an address only the host, for the rest of it may be what keeps others out."""
    where = channel.to or channel.number or channel.chat or urlsplit(channel.url or "").hostname or "a secret address"
    if channel.kind == "webhook":
        return f"{channel.name}: webhook at {where}, everything at once"
    quiet = f", quiet {channel.quiet[0]:%H:%M}-{channel.quiet[1]:%H:%M}" if channel.quiet else ""
    return f"{channel.name}: {channel.kind} to {where}, from {channel.severity} on{quiet}"


def _bus(bus: BusTable) -> str:
    framing = f"{bus.baud or 'usual'} baud, {bus.framing or 'usual'} framing"
    return f"{bus.name}: {bus.driver} on {f'{bus.device}, {framing}' if bus.device else bus.url}"


def _meter(config: Wired, meter: MeterTable) -> str:
    profile = meter.profile
    address = f"address {meter.address}, " if meter.address is not None else ""
    shipped = profile.path is None or profile.path.parent == SHIPPED
    return (
        f"{meter.name}: {profile.title}{'' if profile.evidence == 'two-sources' else ' (unconfirmed)'}, {address}"
        f"every {spell_seconds(meter.every)}, {len(profile.quantities)} quantities, as {meter_id(config, meter)}, "
        f"profile {profile.name} {'as shipped' if shipped else 'beside this file'}"
    )


def _virtual(plan: Plan) -> str:
    return (
        f"{plan.name} = {plan.text}, from readings at most {spell_seconds(plan.within)} apart, "
        f"{len(plan.quantities)} quantities, as {plan.id}"
    )


def _notes(config: Document, env: Mapping[str, str]) -> Iterator[str]:
    if config.mqtt:
        yield from _broker_notes(config.mqtt)
    if not isinstance(config, HubConfig):
        yield from _station_notes(config, env)
    if isinstance(config, HubConfig | HomeConfig) and config.channel and config.web.url is None:
        scheme = "https" if config.web.tls else "http"
        yield f"messages link to {scheme}://{config.web.listen}, which a phone may not reach: give [web] url"
    if isinstance(config, HubConfig | HomeConfig) and _is_open(config.web):
        yield "[web] is without TLS: everybody on its network can read the pages along; write tls = true"
    if isinstance(config, HubConfig | HomeConfig) and config.channel:
        table, place = ("hub", config.hub) if isinstance(config, HubConfig) else ("gateway", config.gateway)
        if place.emergency is None:
            yield f"no person is told of gas that never stops: give [{table}] emergency, the number to call"


def _is_open(web: WebTable) -> bool:
    """Tell whether pages leave this machine unencrypted, as far as the file says: a proxy's address is its own word."""
    host = web.listen.rpartition(":")[0].strip("[]")
    return host not in LOCAL and not web.tls and not (web.url or "").startswith("https:")


def _broker_notes(mqtt: BrokerTable) -> Iterator[str]:
    if mqtt.url.startswith("mqtt:") and urlsplit(mqtt.url).hostname not in LOCAL:
        yield "[mqtt] url is without TLS: everybody on the way reads along, the password too; write mqtts://"
    if isinstance(mqtt, UplinkTable) and mqtt.ack_mode == "puback":
        yield '[mqtt] ack_mode "puback" trusts the broker\'s disk: what it forgets in a crash is lost'


def _station_notes(config: Wired, env: Mapping[str, str]) -> Iterator[str]:
    if mirror_folder(config, env) is None:
        window = spell_seconds(config.journal.window)
        yield f"there is no mirror in memory: a crash of the process loses up to {window}, as a power cut does"
    if config.journal.mirror and not in_memory(config.journal.mirror):
        yield (
            f"[journal] mirror {config.journal.mirror} is on a disk: after a power cut it would pass for a crash's, and"
            " what was lost would be named by nobody; choose a folder in memory, such as /dev/shm"
        )
    if spare := advice(config.journal.folder, config.journal.window):
        yield spare
    for bus in config.bus:
        if not any(meter.bus == bus.name for meter in config.meter):
            yield f"bus {bus.name} has no meter"
        load = load_of(bus, [meter for meter in config.meter if meter.bus == bus.name])
        if load > 1:
            yield f"bus {bus.name} is asked for {load:.1f} times what its speed allows: read less often, or raise baud"
    if not config.bus:
        yield "there is no bus and no meter yet"
    doubtful = sorted({meter.profile.name for meter in config.meter if meter.profile.evidence == "one-source"})
    for name in doubtful:
        yield f"profile {name} is unconfirmed: compare the first values with the meter's display"


def _place(place: PlaceTable) -> str:
    return f"time zone {place.zone}, language {place.language}, currency {place.currency}"


def _row(name: str, what: str) -> str:
    return f"{name:<9}{what}"
