"""`nabd commission [METER …]`: every meter beside its display, a test message, and a report that is signed.

1. Each meter is led through (commission/dialogue.py), by an installer at the terminal or by a file of answers.
2. A test message goes by every channel (commission/channels.py).
3. The record is signed and written as JSON, as one page in both languages, and as PDF where a browser can print it.

`nabd commission verify FILE` proves a report, `nabd commission key` names the gateway's key. Exit codes: 0 all passed,
1 something did not, or the file is not as it was signed; 2 it could not run.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from drivers.profiles import ProfileError
from gateway import VERSION, control
from gateway.clock import wall_ms
from gateway.commission.bench import Bench
from gateway.commission.causes import Change
from gateway.commission.console import Answers, Console, Terminal, load_answers
from gateway.commission.dialogue import commission_meter
from gateway.commission.edit import change_meter, configuration
from gateway.commission.errors import CommissionError, NotSigned
from gateway.commission.pdf import print_pdf
from gateway.commission.phrases import Bare, Marked
from gateway.commission.reading import Readings
from gateway.commission.record import ChannelRecord, Record, canonical
from gateway.commission.report import page
from gateway.commission.serials import remember
from gateway.commission.signing import Signer, embed, open_key, verify
from gateway.config.build import meter_id
from gateway.config.customers import ChannelTable, HomeConfig
from gateway.config.errors import ConfigError
from gateway.config.models import EdgeConfig, MeterTable
from gateway.i18n import N_, RIGHT_TO_LEFT
from gateway.notify.speech import Speech, clean
from gateway.show import socket_of

Say = Callable[[str], None]
Language = Literal["en", "ar"]


@dataclass(frozen=True)
class Options:
    """What the command line says; `file` is the configuration, `out` the folder for the reports."""

    file: Path
    meters: Sequence[str] = ()
    answers: Path | None = None
    language: Language | None = None
    out: Path = Path()
    pdf: bool = True


async def commission(options: Options, tell: Say, ask: Callable[[str], str], now: Callable[[], int] = wall_ms) -> int:
    """Commission what the options name; raises CommissionError and ConfigError before anything was read."""
    config = configuration(options.file)
    rows = _chosen(config, options.meters)
    signer = open_key(config.journal.folder)
    language = options.language or config.gateway.language
    console: Console = Answers(load_answers(options.answers), tell) if options.answers else Terminal(tell, ask)
    bench = _bench(options.file, config, console, language, now)
    record = Record(config.gateway.id, config.gateway.tenant, VERSION, config.gateway.zone, "", now(), 0, ())
    installer = bench.ask("installer", "", N_("Who installs this? (your name, for the report)"))
    for number, row in enumerate(rows, 1):
        record = record.with_meter(await commission_meter(bench, row, f"{number}/{len(rows)}"))
    channels = await _try_channels(bench, configuration(options.file), now)
    record = replace(record, installer=clean(installer, 80), channels=channels, ended=now())
    await _write(bench, record, signer, options, language)
    _remember(configuration(options.file), record)
    return 0 if record.passed else 1


def _chosen(config: EdgeConfig | HomeConfig, names: Sequence[str]) -> list[MeterTable]:
    known = {row.name: row for row in config.meter}
    for name in names:
        if name not in known:
            raise CommissionError(f"there is no meter {name!r}", f"configured: {', '.join(known) or 'none'}")
    if not known:
        raise CommissionError("no meter is configured", "`nabd scan --write FILE` finds them")
    return [known[name] for name in names] or list(known.values())


def _bench(
    file: Path, config: EdgeConfig | HomeConfig, console: Console, language: Language, now: Callable[[], int]
) -> Bench:
    readings = Readings(config, now)
    speech = Speech(language, Marked() if language in RIGHT_TO_LEFT else Bare(), datetime.now(UTC))

    async def write(name: str, change: Change) -> MeterTable:
        row = change_meter(file, name, change)
        with suppress(control.NobodyThere):  # a running program reads by the old table until it is told
            error = (await control.ask(socket_of(config), {"do": "reload"}, timeout=60)).get("error")
            if error:
                said = N_("It is written, but the running program goes on without it: {error}")
                console.tell(speech.say(said, error=speech.paper.number(str(error))))
        return row

    return Bench(console, speech, readings.sample, readings.orders, write)


async def _try_channels(
    bench: Bench, config: EdgeConfig | HomeConfig, now: Callable[[], int]
) -> tuple[ChannelRecord, ...]:
    try:
        from gateway.commission import channels  # noqa: PLC0415  mail and HTTP are extras that an edge may lack
        from gateway.notify.channels.build import channel_of  # noqa: PLC0415
        from gateway.notify.channels.contract import Refused  # noqa: PLC0415
    except ImportError:
        bench.tell(N_("This installation cannot send messages, so nobody is sent a test message."))
        return ()

    async def send(table: ChannelTable, message: Any) -> Any:
        try:
            return await channel_of(table, lambda: now() / 1000, config.gateway.tenant).send(message)
        except ConfigError as error:  # a secret's file that is gone, an extra that is not installed
            return Refused(str(error))

    return await channels.try_channels(bench, channels.Test(config, now()), send)


def _remember(config: EdgeConfig | HomeConfig, record: Record) -> None:
    """Keep the serial numbers for doctor; on a disk that refuses, the report has them all the same."""
    ids = {row.name: meter_id(config, row) for row in config.meter}
    serials = {ids[meter.name]: dict(meter.nameplate).get("serial", "") for meter in record.meters if meter.name in ids}
    with suppress(OSError):
        remember(config.journal.folder, serials)


async def _write(bench: Bench, record: Record, signer: Signer, options: Options, language: Language) -> None:
    """Write the three files; without a PDF it says how to come by one."""
    text = page(record, signer.fingerprint, language)
    signed = signer.sign(record.to_dict(), text)
    began = datetime.fromtimestamp(record.began / 1000, UTC)
    html = options.out / f"commissioning-{record.gateway}-{began:%Y%m%d-%H%M%S}.html"
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        html.write_text(embed(text, signed), encoding="utf-8")
        html.with_suffix(".json").write_bytes(canonical(signed) + b"\n")
    except OSError as error:
        raise CommissionError(f"{html}: {error.strerror}", "name another folder with --out") from error
    files = [html, html.with_suffix(".json")]
    if options.pdf:
        why = await print_pdf(html, html.with_suffix(".pdf"))
        if why:
            bench.tell(
                N_("No PDF was made ({why}): print the page from a browser."), why=bench.speech.paper.number(why)
            )
        else:
            files.append(html.with_suffix(".pdf"))
    for file in files:
        bench.tell(N_("Written: {file}"), file=bench.speech.paper.number(str(file)))


def prove(file: Path, tell: Say) -> int:
    """Say whether a report is as it was signed, and by which key."""
    try:
        found = verify(file)
    except NotSigned as error:
        tell(f"{file}: {error}")
        return 1
    record = found.record
    when = datetime.fromtimestamp(record["ended"] / 1000, UTC)
    tell(f"{file}: as it was signed on {when:%Y-%m-%d %H:%M} UTC for gateway {clean(record['gateway'], 64)}")
    tell(f"key {found.fingerprint}: compare it with `nabd commission key` on that gateway")
    return 0


def run(options: Any, config: Path | None, tell: Say, complain: Say) -> int:
    """Do what the command line says; `config` is the configuration it means, None where there is none."""
    try:
        return _run(options, config, tell)
    except (CommissionError, ProfileError) as error:
        complain(f"nabd commission: {error}")
        return 2


def _run(options: Any, config: Path | None, tell: Say) -> int:
    words = list(options.what)
    if words[:1] == ["verify"]:
        if len(words) != 2:  # noqa: PLR2004
            raise CommissionError("verify takes one file", "nabd commission verify FILE")
        return prove(Path(words[1]), tell)
    if config is None:
        raise CommissionError("there is no configuration", "name one with -c FILE")
    if words == ["key"]:
        tell(open_key(configuration(config).journal.folder).fingerprint)
        return 0
    given = Options(config, words, options.answers, options.language, options.out, options.pdf)
    return asyncio.run(commission(given, tell, input))
