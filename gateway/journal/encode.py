"""One reading's JSON, whatever the meter said: the fast way for honest values, the careful one for the rest."""

from collections.abc import Mapping
from typing import Any

from gateway.message import encode_reading

_LOW, _HIGH = -(2**63), 2**64


def reading(
    seq: int,
    when: Mapping[str, int | str],
    meter: str,
    q: int,
    values: Mapping[str, Any],
    extra: Mapping[str, Any] | None,
) -> bytes:
    """Encode; integers beyond 64 bits become strings, values that are no number are left out; never raises."""
    try:
        row = encode_reading(seq, when, meter, q, values, extra)
    except TypeError:  # orjson: an integer beyond 64 bits, or text that is not UTF-8
        return encode_reading(seq, when, meter, q, _careful(values), _careful(extra or {}))
    if b":null" in row:  # a NaN, which one hub after the other would refuse with the whole block
        return encode_reading(seq, when, meter, q, _careful(values), _careful(extra or {}))
    return row


def _careful(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _sendable(value) for key, value in values.items() if value is not None and value == value}  # noqa: PLR0124  NaN


def _sendable(value: Any) -> Any:
    if isinstance(value, int):
        return value if _LOW <= value < _HIGH else str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple):
        return [_sendable(item) for item in value]
    return value
