"""What is fuzzed: each decoder as one function of bytes. Whatever the bytes, nothing but its own errors may come out.

A new decoder is a function here and a row of `TARGETS`. `seeds` are inputs that lead deep into it.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from drivers.contract import NO_KEYS, DecodeError, Keys, Refused
from drivers.dlms.analyze import analyze as dlms_analyze
from drivers.dlms.apdu import decode as decode_apdu
from drivers.dlms.axdr import decode as decode_value
from drivers.dlms.axdr import encode as encode_value
from drivers.dlms.hdlc import Address, Kind
from drivers.dlms.hdlc import Frame as HdlcFrame
from drivers.dlms.push import LLC, Opener
from drivers.dlms.push import Decoder as PushDecoder
from drivers.dlms.security import seal
from drivers.iec62056.analyze import analyze as iec62056_analyze
from drivers.iec62056.codec import Reader
from drivers.iec62056.messages import BREAK, check_character
from drivers.mbus.analyze import analyze as mbus_analyze
from drivers.mbus.frames import Decoder as MbusDecoder
from drivers.mbus.frames import Frame, long
from drivers.mbus.telegram import decode_telegram
from drivers.modbus.codec import Read, RtuSearch, TcpFrames, crc16, judge, tcp_head
from drivers.modbus.layout import Page
from drivers.modbus.plan import Wire
from drivers.p1.analyze import analyze as analyze_p1
from drivers.p1.codec import Decoder, Telegram, encode
from drivers.profiles import load
from drivers.pulse.analyze import analyze as pulse_analyze
from drivers.pulse.s0pcm import Decoder as S0pcmDecoder
from drivers.sml.analyze import analyze as sml_analyze
from drivers.sml.codec import Decoder as SmlDecoder
from drivers.wmbus.analyze import analyze as wmbus_analyze
from drivers.wmbus.link import decode_frame
from drivers.wmbus.sniff import Sniffer
from drivers.wmbusmeters.analyze import analyze as wmbusmeters_analyze
from drivers.wmbusmeters.analyze import readings as wmbusmeters_readings
from drivers.wmbusmeters.codec import Decoder as WmbusmetersDecoder
from simulator.sml_server import LIST, file_of, message
from simulator.wmbus_stick import FORMS, WirelessMeter, format_a

READ = Read(3, 0x006B, 3)
HEAD = tcp_head(0x0715, 0x11, READ)
BODY = bytes.fromhex("110306 022B 0000 0064")
LONGEST_CHUNK = 64
P1_KEYS = Keys(bytes(16))
P1_SEALED = bytes.fromhex(
    "db084e42440000000001820040300000000794f46001652d9b5e6b9db439f743b17e2641741c5fadbe08f6b6168c47456bcde31e"
    "9370f49cbcec2c063d58dd7c079eba92c4f49cd871a39205d7"
)


def chunks(data: bytes) -> list[bytes]:
    """Cut an input where its own bytes say, as a line would deliver it."""
    parts, at = [], 0
    while at < len(data):
        size = data[at] % LONGEST_CHUNK + 1
        parts.append(data[at + 1 : at + 1 + size])
        at += 1 + size
    return parts


def rtu(data: bytes) -> None:
    """The search for an answer on a serial line."""
    search = RtuSearch(0x11, READ, Counter())
    try:
        for part in chunks(data):
            answer = search.feed(part)
            assert answer is None or len(answer) == 2 * READ.count
            assert len(search) <= RtuSearch.LIMIT
    except (DecodeError, Refused):
        return


def mbap(data: bytes) -> None:
    """Frames of a TCP stream, and their judge."""
    frames = TcpFrames()
    try:
        for part in chunks(data):
            for frame in frames.feed(part):
                assert len(judge(frame, HEAD)) == 2 * READ.count
    except (DecodeError, Refused):
        return


def registers(data: bytes) -> None:
    """The registers of three Modbus meters: any bytes give finite numbers or nothing."""
    for page in pages():
        size = 2 * page.read.count
        for value in page.decode((data + bytes(size))[:size]).values():
            assert math.isfinite(value)
        data = data[size:]


@cache
def pages() -> list[Page]:
    """Plan the requests of three meters whose tables differ most."""
    tables = [load(name).layout for name in ("eastron-sdm120", "abb-b23", "tuf-2000m")]
    return [page for table in tables for page in table.pages(Wire(10 / 9600))]


def p1(data: bytes) -> None:
    """Telegrams of a P1 port."""
    decoder = Decoder()
    for part in chunks(data):
        for telegram in decoder.feed(part):
            assert not isinstance(telegram, Telegram) or telegram.identification


def p1_analyze(data: bytes) -> None:
    """P1 bytes explained, ciphered ones with a key: the spans of a frame cover it without a gap."""
    for frame in analyze_p1(data, P1_KEYS):
        assert [span.start for span in frame.spans[1:]] == [span.end for span in frame.spans[:-1]]


def iec62056(data: bytes) -> None:
    """Messages of meters with an optical head, whatever is awaited, and the explanation of a recording."""
    for mode in ("required", "absent", "ignored"):
        for awaits in ("identification", "data", "answers"):
            reader = Reader(mode)
            reader.awaits = awaits
            for part in chunks(data):
                reader.feed(part)
    for frame in iec62056_analyze(data, NO_KEYS):
        assert frame.spans[0].start == frame.start
        assert frame.spans[-1].end == frame.end <= len(data)


IEC62056 = b"1.8.0(012345.678*kWh)\r\nP.01(24)(2*h)!\r\n\x03"
IEC62056_LIST = b"/NBD5FUZZ\r\n\x02" + IEC62056 + bytes((check_character(IEC62056),))


def sml(data: bytes) -> None:
    """An optical port, and files whose checksums are right whatever is in them."""
    decoder = SmlDecoder()
    sealed = [file_of([data]), file_of([message(1, LIST, data)])]
    for part in (*chunks(data), *sealed):
        for telegram in decoder.feed(part):
            assert telegram.entries
    for one in (data, *sealed):
        for frame in sml_analyze(one, NO_KEYS):
            assert frame.spans[0].start == frame.start
            assert frame.spans[-1].end == frame.end


MBUS_CIS = (0x72, 0x76, 0x73, 0x77, 0x7A, 0x78, 0x70)


def mbus(data: bytes) -> None:
    """A wired M-Bus line, and answers of every kind whose checksums are right whatever is in them."""
    decoder = MbusDecoder()
    answers = [long(8, 5, ci, data[:252]) for ci in MBUS_CIS]
    for part in (*chunks(data), *answers):
        for frame in decoder.feed(part):
            if isinstance(frame, Frame):
                mbus_telegram(frame.ci, frame.data)
        assert decoder.pending < len(answers[0]) + 262
    for one in (data, *answers):
        for found in mbus_analyze(one, NO_KEYS):
            assert found.spans[0].start == found.start
            assert found.spans[-1].end == found.end


def mbus_telegram(ci: int, data: bytes) -> None:
    """One answer: records with values, or one error."""
    try:
        telegram = decode_telegram(ci, data)
    except DecodeError:
        return
    assert all(record.start < record.end <= len(data) for record in telegram.records.records)


MBUS_HEADER = bytes.fromhex("78563412 8238 01 07 2a 00 0000")
MBUS_RECORDS = bytes.fromhex("0413 31d40000 8410 fd c8 fc 01 e6080000 0c93 15 00000000 066d 3b308bc13c00 1f")


def s0pcm(data: bytes) -> None:
    """Lines of a pulse counter."""
    decoder = S0pcmDecoder()
    for part in chunks(data):
        for telegram in decoder.feed(part):
            assert telegram.inputs
    for frame in pulse_analyze(data, NO_KEYS):
        assert frame.spans[-1].end == frame.end


def wmbusmeters(data: bytes) -> None:
    """Lines of JSON about radio telegrams."""
    decoder = WmbusmetersDecoder()
    for part in chunks(data):
        for telegram in decoder.feed(part):
            assert telegram.id
    for frame in wmbusmeters_analyze(data, NO_KEYS):
        assert frame.spans[-1].end == frame.end <= len(data)
    for values in wmbusmeters_readings(data, WMBUSMETERS_MODEL, NO_KEYS):
        assert all(math.isfinite(value) for value in values.values())


WMBUSMETERS_LINE = b'{"_":"telegram","media":"water","id":"21050005","total_m3":54.321,"flow_m3h":1e-3,"n":null}\n'
WMBUSMETERS_MODEL = load("wmbusmeters-water")

SML_LIST = bytes.fromhex(
    "77 01 0B0A014E42440000BC614E 01 7262016500000FFF"  # who and when
    "71 77 070100010800FF 6282 72620265 6AB13B80 621E 52FF 5501020304 01"  # one entry
    "01 01"
)


def wmbus(data: bytes) -> None:
    """Every stick, frames with right lengths and CRCs whatever is in them, and their explanation."""
    for form in WMBUS_FORMS:
        sniffer = Sniffer(Counter())
        sniffer.feed(FORMS[form](WMBUS_FRAME))
        for part in chunks(data):
            for caught in sniffer.feed(part):
                assert decode_frame(caught.frame).payload
    framed = bytes((9 + len(data[:240]) + 1,)) + WMBUS_FRAME[1:10] + b"\x7a" + data[:240]
    for one in (data, framed, format_a(framed)):
        for frame in wmbus_analyze(one, P1_KEYS):
            assert frame.spans[0].start == frame.start
            assert frame.spans[-1].end == frame.end <= len(one)


WMBUS_FORMS = ("im871a", "iu891a", "amb8465", "rc1180", "cul")
WMBUS_METER = WirelessMeter("21050003", 7, lambda: {"water_volume": 12_345.0}, bytes(16), 7)
WMBUS_FRAME = WMBUS_METER.frame()


def dlms(data: bytes) -> None:
    """A value and a message of DLMS, read twice: what is written again is read as the same."""
    try:
        value = decode_value(data)
        assert encode_value(decode_value(encode_value(value))) == encode_value(value)
    except DecodeError:
        pass
    try:
        apdu = decode_apdu(data)
        assert bytes(decode_apdu(bytes(apdu))) == bytes(apdu)
    except DecodeError:
        pass


def dlms_push(data: bytes) -> None:
    """The line of a pushing meter: noise, frames that are right whatever is in them, and messages that were sealed."""
    decoder, opener = PushDecoder(), Opener(DLMS_KEYS)
    body = data[:1000]
    sealed = [bytes(seal(body, 0xDB, DLMS_TITLE, counter, DLMS_KEYS)) for counter in (1, 2)]
    frames = [bytes(HdlcFrame(Address(16), Address(1), Kind.UI, LLC[0] + one)) for one in (body, *sealed)]
    for part in (*chunks(data), *frames):
        for apdu in decoder.feed(part):
            try:
                opener.open(apdu)
            except DecodeError:
                continue
    for one in (data, b"".join(frames)):
        for frame in dlms_analyze(one, DLMS_KEYS):
            assert frame.spans[0].start == frame.start
            assert frame.spans[-1].end == frame.end


DLMS_KEYS = Keys(bytes(16), bytes(16))
DLMS_TITLE = b"NBD\x00\x00\x00\x00\x01"
DLMS_PUSH = bytes.fromhex(
    "0F 40000000 00 01 03"  # no time, three values
    "02 02 0906 0000010000FF 090C 07E30C1001073B28FF8000FF"
    "02 03 0906 0100010700FF 06 00000462 02 02 0F00 161B"
    "02 03 0906 01001F0700FF 10 0000 02 02 0FFF 1621"
)
DLMS_SESSION = tuple(
    bytes.fromhex(raw)
    for raw in (
        "C001C100070100630100FF02010102040204120008 09060000010000FF0F02120000 090C07E2020CFF00000000800000 0100 0100",
        "C40301C1 02 00 06 0000002A 01 03",
        "6036A1090607608574050801018A0207808B0760857405080205AC0A80084B35366956616759BE10040E01000000065F1F0400007E1F04B0",
        "E0 40 0001 0000 04 0F000000",
        "13 02 02 12 06 0c 0001 00000002 0003 00000004",
    )
)


def chunked(data: bytes) -> bytes:
    """Write an input so that `chunks` gives it back."""
    parts = [data[at : at + LONGEST_CHUNK] for at in range(0, len(data), LONGEST_CHUNK)]
    return b"".join(bytes((len(part) - 1,)) + part for part in parts)


@dataclass(frozen=True)
class Target:
    """A decoder, and inputs to begin with."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


TARGETS = {
    "s0pcm": Target(s0pcm, (chunked(b"ID:8237:I:10:M1:2:1042:M2:0:50\r\n"), b"ID:8237:I:10:M1:2:1042:M2:0:50\r\n")),
    "dlms": Target(dlms, (DLMS_PUSH, *DLMS_SESSION)),
    "dlms_push": Target(dlms_push, (DLMS_PUSH, *map(chunked, DLMS_SESSION))),
    "wmbus": Target(wmbus, (WMBUS_FRAME, *(chunked(FORMS[form](WMBUS_METER.frame())) for form in WMBUS_FORMS))),
    "wmbusmeters": Target(wmbusmeters, (WMBUSMETERS_LINE, chunked(WMBUSMETERS_LINE))),
    "mbus": Target(mbus, (MBUS_HEADER + MBUS_RECORDS, chunked(long(8, 5, 0x72, MBUS_HEADER + MBUS_RECORDS)))),
    "sml": Target(sml, (SML_LIST, chunked(file_of([message(1, LIST, SML_LIST)])))),
    "rtu": Target(rtu, (chunked(BODY + crc16(BODY)), chunked(b"\x11\x83\x02" + crc16(b"\x11\x83\x02")))),
    "mbap": Target(mbap, (chunked(HEAD + BODY[3:]), chunked(HEAD[:4] + b"\x00\x03\x11\x83\x02"))),
    "registers": Target(registers, (bytes(256), bytes.fromhex("4366 3333 7FC0 0000 8000 0000 7FFF FFFF") * 8)),
    "p1_analyze": Target(p1_analyze, (P1_SEALED, encode("NBD5", ["1-0:99.97.0(1)(260301120000W)(2*s)"]))),
    "iec62056": Target(iec62056, (chunked(IEC62056_LIST), IEC62056_LIST, chunked(BREAK), chunked(IEC62056_LIST[:40]))),
    "p1": Target(p1, (chunked(encode("/NBD5\\2FUZZ", ["1-0:1.8.0(006545.766*kWh)", "0-0:1.0.0(260301120000W)"])),)),
}
