"""An InfluxDB v2 for tests: checks each request against the published API, answers as scripted, keeps the points.

1. `script` holds answers for the next writes: (status, message, headers), or HANG. When it is empty, lines are parsed
   by `parse_line`, which shares no code with the encoder under test, and kept by their series and time.
2. `refuses` lets single points fail as InfluxDB does: the good ones of the batch are kept, the answer is a partial
   write.
3. Queries are read only as far as our own Flux goes: equal filters, a time range, last, count, pivot.
4. Its one bucket says for how long it keeps points; `retention` in seconds, 0 for ever, None: the token may not see it.
"""

import asyncio
import csv
import gzip
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, str, dict[str, str]]
HANG: Answer = (0, "", {})
CODES = {
    400: "invalid", 401: "unauthorized", 403: "forbidden", 404: "not found", 413: "request too large",
    422: "unprocessable entity", 429: "too many requests", 500: "internal error", 503: "unavailable",
}  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One parsed line; integer fields are int, all others float or str."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, float | int | str], ...]
    ts: int


@dataclass
class Request:
    """What came in, as far as the API describes it."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


def parse_line(line: str) -> Point:
    """Parse one line of line protocol, character by character; raises ValueError."""
    head, fields, ts = _split(line, " ")
    measurement, *tags = _split(head, ",")
    pairs = tuple(_pair(tag) for tag in tags)
    if (
        not measurement
        or any(not value for _, value in pairs)
        or [k for k, _ in pairs] != list(dict.fromkeys(k for k, _ in pairs))
    ):
        raise ValueError(f"unable to parse '{line}': bad tags")
    return Point(
        _unescape(measurement), pairs, tuple((k, _number(v)) for k, v in map(_pair, _split(fields, ","))), int(ts)
    )


def _split(text: str, mark: str) -> list[str]:
    parts, part, escaped = [], "", False
    for char in text:
        if char == mark and not escaped:
            parts.append(part)
            part = ""
        else:
            part += char
        escaped = char == "\\" and not escaped
    return [*parts, part]


def _pair(text: str) -> tuple[str, str]:
    name, value = _split(text, "=")
    return _unescape(name), _unescape(value)


def _unescape(text: str) -> str:
    return re.sub(r"\\([ ,=])", r"\1", text)


def _number(text: str) -> float | int:
    if text.endswith("i"):
        number = int(text[:-1])
        if not -(2**63) <= number < 2**63:
            raise ValueError("integer out of range")
        return number
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text):
        raise ValueError(f"unable to parse '{text}': invalid number")
    return float(text)


@dataclass
class FakeInflux:
    """Serves on 127.0.0.1; use as an async context manager, `url` says where."""

    org: str = "o"
    bucket: str = "b"
    token: str = "secret"
    script: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    points: dict[tuple[tuple[tuple[str, str], ...], int], dict[str, float | int | str]] = field(default_factory=dict)
    refuses: Callable[[Point], str | None] = lambda _: None
    largest: int = 1 << 30
    retention: int | None = 0
    url: str = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            while request := await _request(reader):
                self.requests.append(request)
                self._check(request)
                status, body, headers = self._answer(request)
                if not status:
                    await asyncio.Event().wait()
                head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n"
                head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                writer.write(head.encode() + b"\r\n" + body)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def _check(self, request: Request) -> None:
        """Note what the API does not allow."""
        wrong = self.violations.append
        method = {"/api/v2/write": "POST", "/api/v2/query": "POST", "/api/v2/buckets": "GET"}.get(request.path)
        if request.method != method:
            wrong(f"{request.method} {request.path}")
        if request.headers.get("authorization") != f"Token {self.token}":
            wrong("authorization")
        if request.query.get("org") != [self.org]:
            wrong("org")
        if request.path == "/api/v2/buckets" and request.query.get("name") != [self.bucket]:
            wrong("bucket's name")
        if request.path == "/api/v2/write":
            if request.query.get("bucket") != [self.bucket] or request.query.get("precision") != ["ms"]:
                wrong("bucket or precision")
            if set(request.query) - {"org", "orgID", "bucket", "precision"}:
                wrong("unknown parameter")
            if request.headers.get("content-encoding", "identity") not in {"gzip", "identity"}:
                wrong("content-encoding")
            if request.headers.get("content-type") not in {"text/plain", "text/plain; charset=utf-8"}:
                wrong("content-type")
            if int(request.headers.get("content-length", "-1")) < 0:
                wrong("content-length")

    def _answer(self, request: Request) -> tuple[int, bytes, dict[str, str]]:
        if request.path == "/api/v2/buckets":
            return 200, json.dumps({"buckets": self._buckets()}).encode(), {"Content-Type": "application/json"}
        if request.path == "/api/v2/query":
            return 200, self._query(json.loads(request.body)["query"]).encode(), {"Content-Type": "text/csv"}
        if request.headers.get("content-encoding") == "gzip":
            request.body = gzip.decompress(request.body)
        status, message, headers = self.script.pop(0) if self.script else self._write(request.body.decode())
        if status in {0, 204}:
            return status, b"", headers
        error = json.dumps({"code": CODES[status], "message": message}).encode()
        return status, error, {"Content-Type": "application/json", **headers}

    def _buckets(self) -> list[dict[str, object]]:
        if self.retention is None:
            return []
        rule = {"type": "expire", "everySeconds": self.retention, "shardGroupDurationSeconds": 86_400}
        return [{"id": "0f00", "name": self.bucket, "retentionRules": [rule]}]

    def _write(self, body: str) -> Answer:
        lines = body.split("\n")
        if len(lines) > self.largest:
            return 413, "unable to read data: points batch is too large", {}
        try:
            points = [parse_line(line) for line in lines]
        except ValueError as error:
            return 400, f"unable to parse: {error}", {}
        refused = [reason for point in points if (reason := self.refuses(point))]
        for point in points:
            if not self.refuses(point):
                self.points.setdefault((point.tags, point.ts), {}).update(point.fields)
        if refused:
            return 422, f"failure writing points to database: partial write: {refused[0]} dropped={len(refused)}", {}
        return 204, "", {}

    def _query(self, flux: str) -> str:
        wanted = dict(re.findall(r'r\.(\w+) == "([^"]*)"', flux))
        times = [int(ns) // 1_000_000 for ns in re.findall(r"time\(v: (-?\d+)\)", flux)] or [0, 1 << 62]
        found = [
            (dict(tags), ts, fields)
            for (tags, ts), fields in self.points.items()
            if times[0] <= ts < times[1]
            and all(dict(tags).get(name) == value for name, value in wanted.items() if name[0] != "_")
        ]
        if "count()" in flux:
            return _table([{"_value": len(found)}]) if found else ""
        if "last()" in flux:
            found = _last(found)
        return "".join(_table([{"_time": ts, **tags, **fields}], n) for n, (tags, ts, fields) in enumerate(found))


Found = tuple[dict[str, str], int, dict[str, float | int | str]]


def _last(found: list[Found]) -> list[Found]:
    """Keep the newest value of each field of each series, then pivot by time: as Flux does, rows may be torn."""
    rows: dict[tuple[tuple[tuple[str, str], ...], int], dict[str, float | int | str]] = {}
    newest: dict[tuple[tuple[tuple[str, str], ...], str], int] = {}
    for tags, ts, fields in found:
        for name in fields:
            series = (tuple(tags.items()), name)
            newest[series] = max(ts, newest.get(series, ts))
    for tags, ts, fields in found:
        for name, value in fields.items():
            if newest[tuple(tags.items()), name] == ts:
                rows.setdefault((tuple(tags.items()), ts), {})[name] = value
    return [(dict(tags), ts, fields) for (tags, ts), fields in rows.items()]


def _table(rows: list[dict[str, float | int | str]], number: int = 0) -> str:
    """Write annotated CSV as the query API gives it."""
    names = list(rows[0])
    kinds = ["dateTime:RFC3339" if n == "_time" else _kind(rows[0][n]) for n in names]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["#datatype", "string", "long", *kinds])
    writer.writerow(["#group", "false", "false", *("false" for _ in names)])
    writer.writerow(["#default", "_result", "", *("" for _ in names)])
    writer.writerow(["", "result", "table", *names])
    for row in rows:
        values = [_stamp(int(row[n])) if n == "_time" else row[n] for n in names]
        writer.writerow(["", "", number, *values])
    return out.getvalue() + "\r\n"


def _kind(value: float | str) -> str:
    return {int: "long", float: "double", str: "string"}[type(value)]


def _stamp(ms: int) -> str:
    whole = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{ms % 1000:03d}Z"


async def _request(reader: asyncio.StreamReader) -> Request | None:
    """Read one HTTP/1.1 request with a Content-Length; None at the end of the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    where = urlsplit(target)
    return Request(method, where.path, parse_qs(where.query), headers, body)
