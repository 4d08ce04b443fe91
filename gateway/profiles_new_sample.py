"""The telegram of a draft, as examples of its protocol are written, and in the clear.

A wireless frame that was ciphered or shortened is written anew: the sender's own head, a short header that says "not
ciphered", and the records as they are. So the file needs no key, and says nothing that the telegram did not.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from drivers.analysis import Frame, Keys
from drivers.contract import DecodeError
from drivers.mbus.frames import decode
from drivers.mbus.profile import read_telegram
from drivers.mbus.records import decode_records
from drivers.mbus.telegram import decode_telegram
from drivers.profiles import Profile
from drivers.wmbus.compact import Formats
from drivers.wmbus.layers import COMPACT, MAKERS, Message, unwrap
from drivers.wmbus.link import HEAD, decode_frame, split
from drivers.wmbus.profile import read_message
from drivers.wmbus.sniff import Sniffer

_SHORT_HEADER = 0x7A
_STX, _ETX = "\x02", "\x03"


def sample_of(protocol: str, data: bytes, frames: Sequence[Frame], chosen: int, keys: Keys) -> dict[str, str]:
    """Give the example's telegram, without its readings; `chosen` is its place among the frames of `data`."""
    if protocol == "wmbus":
        return {"telegram": _wireless(data, chosen, keys).hex().upper()}
    frame = frames[chosen]
    raw = data[frame.start : frame.end]
    if protocol == "dlms":
        return {"push": (frame.plain or raw).hex().upper()}
    if protocol in _TEXTS:
        return {"telegram": _TEXTS[protocol](frame.plain or raw)}
    return {"telegram": raw.hex().upper()}


def flags_of(protocol: str, sample: Mapping[str, str], profile: Profile) -> tuple[str, ...]:
    """Give the flags that an example's telegram raises, which stand beside its readings; most protocols have none."""
    if protocol not in ("mbus", "wmbus"):
        return ()
    telegram = bytes.fromhex(sample["telegram"])
    try:
        if protocol == "mbus":
            frame = decode(telegram)
            return read_telegram(profile.layout, decode_telegram(frame.ci, frame.data)).status
        return read_message(profile.layout, unwrap(decode_frame(telegram), None), Formats()).status
    except DecodeError:  # no example at all, as the proof will say
        return ()


def _lines(raw: bytes) -> str:
    """Give a telegram of text line by line, without what frames it."""
    text = raw.decode("latin-1").replace(_STX, "").partition(_ETX)[0]
    return "\n".join(line for line in text.replace("\r", "\n").split("\n") if line.strip("\0\x7f"))


def _line(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace").strip()


_TEXTS: dict[str, Callable[[bytes], str]] = {"p1": _lines, "iec62056-21": _lines, "wmbusmeters": _line}


def _wireless(data: bytes, chosen: int, keys: Keys) -> bytes:
    """Give a frame of the recording as one without CRCs, cipher and short cuts."""
    found = [frame for _, _, frame in split(data)] or [caught.frame for caught in Sniffer(Counter()).feed(data)]
    formats = Formats()
    for frame in found[:chosen]:
        _learn(frame, keys, formats)
    frame = found[chosen]
    message = unwrap(decode_frame(frame), keys.encryption)
    if message.ci in MAKERS or (message.mode == 0 and message.ci != COMPACT):
        return frame
    records = formats.expand(message.records) if message.ci == COMPACT else message.records
    return _in_the_clear(frame, message, records)


def _learn(frame: bytes, keys: Keys, formats: Formats) -> None:
    try:
        message = unwrap(decode_frame(frame), keys.encryption)
        if message.ci != COMPACT and message.ci not in MAKERS:
            formats.learn(decode_records(message.records, cut_off=True))
    except DecodeError:
        return


def _in_the_clear(frame: bytes, message: Message, records: bytes) -> bytes:
    header = bytes((_SHORT_HEADER, message.header.access, message.header.status, 0, 0))
    rest = frame[1:HEAD] + header + records
    return bytes((len(rest),)) + rest
