"""Faults of makes of meters, each mended by name: a profile lists those it knows of, and each looks for its own meters.

`dzg-sign`: DZG meters of the series DVS74 send a positive power without its leading zero byte, so that its highest bit
reads as a sign: 356.24 W arrives as -299.12 W in two bytes. Their status word tells which way energy flows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from drivers.sml.element import Negative
from drivers.sml.identity import maker_of
from drivers.sml.message import Entry, Telegram

_POWER = bytes.fromhex("0100100700FF")
_STATUS_BITS = 0xFFE0_09FF
_STATUS_TAKING = 0x0000_0104
"""Of the status word: 4 in its lowest byte and nothing above bit 20, so it is of this series; bit 8, there is a load;
bit 11 would be energy given away. Captured words: 1C0104 while taking, 1C6904 and 1C7904 while giving."""
_WIDTHS = (1, 2, 3)
"""Bytes: a power of four has its sign."""


def mend(telegram: Telegram, names: Iterable[str]) -> Telegram:
    """Mend what the named quirks find; telegrams of other meters stay as they are."""
    for name in names:
        telegram = QUIRKS[name](telegram)
    return telegram


def _dzg_sign(telegram: Telegram) -> Telegram:
    if not any(entry.code == _POWER and isinstance(entry.value, Negative) for entry in telegram.entries):
        return telegram
    status = next((entry.status for entry in telegram.entries if entry.status is not None), None)
    if status is None or status & _STATUS_BITS != _STATUS_TAKING or maker_of(telegram.server, ()) != "DZG":
        return telegram
    return replace(telegram, entries=tuple(map(_without_sign, telegram.entries)))


def _without_sign(entry: Entry) -> Entry:
    value = entry.value
    if entry.code != _POWER or not isinstance(value, Negative) or value.width not in _WIDTHS:
        return entry
    return entry._replace(value=value + (1 << 8 * value.width))


QUIRKS: Mapping[str, Callable[[Telegram], Telegram]] = {"dzg-sign": _dzg_sign}
