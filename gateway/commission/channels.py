"""Sends a test alert by every configured channel, and asks whether it arrived.

That a program took it is enough (`MACHINES`); people are asked.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.commission.bench import Bench
from gateway.commission.phrases import LABEL_LIMIT
from gateway.commission.record import ChannelRecord
from gateway.config.channels import MACHINES
from gateway.config.customers import ChannelTable, HomeConfig
from gateway.config.models import EdgeConfig
from gateway.i18n import N_
from gateway.notify.channels.contract import Delivered, Message, Receipt
from gateway.notify.speech import clean
from gateway.notify.trial import trial

Send = Callable[[ChannelTable, Message], Awaitable[Receipt]]


@dataclass(frozen=True, slots=True)
class Test:
    """Where a test alert comes from: the gateway, and the moment in UTC ms."""

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
    place = test.config.gateway
    now = datetime.fromtimestamp(test.now / 1000, ZoneInfo(place.zone))
    receipt = await send(channel, trial(place.id, place.tenant, channel.name, channel.language or place.language, now))
    name = bench.speech.name(channel.name)
    if not isinstance(receipt, Delivered):
        bench.tell(N_("{name}: could not be sent: {why}"), name=name, why=bench.speech.paper.number(receipt.why))
        return ChannelRecord(channel.name, channel.kind, "refused", clean(receipt.why, LABEL_LIMIT))
    if channel.kind in MACHINES:
        bench.tell(N_("{name}: the program took it."), name=name)
        return ChannelRecord(channel.name, channel.kind, "confirmed")
    answer = bench.ask("arrived", channel.name, N_("{name}: did it arrive? [y/n, Enter: not known]"), name=name).lower()
    if bench.is_yes(answer):
        return ChannelRecord(channel.name, channel.kind, "confirmed")
    return ChannelRecord(channel.name, channel.kind, "missing" if answer else "sent")
