"""Sends a test message by every configured channel, and asks whether it arrived.

A webhook or a broker is a program: that it took the message is enough. People are asked.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gateway.alerts.event import AlertEvent, alert_id, cloud_event
from gateway.commission.bench import Bench
from gateway.commission.phrases import LABEL_LIMIT
from gateway.commission.record import ChannelRecord
from gateway.config.models import ChannelTable, EdgeConfig, HomeConfig
from gateway.i18n import LANGUAGES, N_, direction, words
from gateway.notify.channels.contract import Delivered, Message, Receipt
from gateway.notify.render import Words
from gateway.notify.speech import clean

PROGRAMS = frozenset({"webhook", "mqtt"})
"""Kinds of channels whose messages no person sees arrive."""

TITLE = N_("Test message")
TEXT = N_("Nabd was set up here just now. Nothing has happened; this only shows that messages arrive.")

Send = Callable[[ChannelTable, Message], Awaitable[Receipt]]


@dataclass(frozen=True, slots=True)
class Test:
    """Where a test message comes from: the gateway, and the moment in UTC ms."""

    config: EdgeConfig | HomeConfig
    now: int


async def try_channels(bench: Bench, test: Test, send: Send) -> tuple[ChannelRecord, ...]:
    """Send to each channel after a yes; an edge has none, its hub tells people."""
    channels: Sequence[ChannelTable] = test.config.channel if isinstance(test.config, HomeConfig) else ()
    if not channels:
        bench.tell(N_("No channel is configured here, so nobody is sent a test message."))
        return ()
    if not bench.agreed("send", "", N_("Send a test message by every channel? [y/N]")):
        return tuple(ChannelRecord(channel.name, channel.kind, "skipped") for channel in channels)
    return tuple([await _try(bench, channel, test, send) for channel in channels])


async def _try(bench: Bench, channel: ChannelTable, test: Test, send: Send) -> ChannelRecord:
    receipt = await send(channel, message(channel, test))
    name = bench.speech.name(channel.name)
    if not isinstance(receipt, Delivered):
        bench.tell(N_("{name}: could not be sent: {why}"), name=name, why=bench.speech.paper.number(receipt.why))
        return ChannelRecord(channel.name, channel.kind, "refused", clean(receipt.why, LABEL_LIMIT))
    if channel.kind in PROGRAMS:
        bench.tell(N_("{name}: the program took it."), name=name)
        return ChannelRecord(channel.name, channel.kind, "confirmed")
    answer = bench.ask("arrived", channel.name, N_("{name}: did it arrive? [y/n, Enter: not known]"), name=name).lower()
    if bench.is_yes(answer):
        return ChannelRecord(channel.name, channel.kind, "confirmed")
    return ChannelRecord(channel.name, channel.kind, "missing" if answer else "sent")


def message(channel: ChannelTable, test: Test) -> Message:
    """Make the test message: an alert's form, so that it goes the way of every alert."""
    gateway = test.config.gateway
    event = AlertEvent(
        id=alert_id("test_message", gateway.id, test.now), seq=1, rule="test_message", meter=gateway.id,
        state="raised", severity="info", raised=test.now, at=test.now,
    )  # fmt: skip
    every = {language: _words(language) for language in LANGUAGES}
    return Message(
        key=f"{event.key}.{channel.name}",
        thread=event.id,
        words=every[channel.language or gateway.language],
        alert=event,
        event=cloud_event(event, gateway.tenant, gateway.id),
        every=every,
    )


def _words(language: str) -> Words:
    title, text = (words(language).gettext(part) for part in (TITLE, TEXT))
    page = (
        f'<!doctype html>\n<html lang="{language}" dir="{direction(language)}"><head><meta charset="utf-8">'
        f"<title>{title}</title></head><body><p>{text}</p></body></html>\n"
    )
    return Words(language, title, text, f"{text}\n", page, None, None, None)
