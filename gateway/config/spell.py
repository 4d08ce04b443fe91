"""Writes seconds and bytes as the configuration writes them: 900 is "15m"."""

from gateway.config.values import BYTES, SECONDS


def spell_seconds(seconds: float) -> str:
    """Write seconds in the largest unit that takes no fraction."""
    milliseconds = round(seconds * 1000)
    units = [(name, int(factor * 1000)) for name, factor in SECONDS.items()]
    name, size = next((unit for unit in reversed(units) if milliseconds and milliseconds % unit[1] == 0), ("s", 1000))
    return f"{milliseconds // size}{name}"


def spell_bytes(count: int) -> str:
    """Write bytes in the largest unit of ten that takes no fraction."""
    name, size = next(((name, BYTES[name]) for name in ("GB", "MB", "kB") if count % BYTES[name] == 0), ("B", 1))
    return f"{count // size}{name}"
