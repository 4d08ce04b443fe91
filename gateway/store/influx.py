"""The series store in InfluxDB 2, through the official client.

1. `lines.py` makes the lines; the asyncio client sends them, gzip, precision always said. It never retries, which suits
   us: the collector does. (Its batching writer drops what the server refuses, so it is not used.)
2. `judge` sorts every answer: try again, or this batch holds lines that will never be taken.
3. Bad lines are found by halving: good ones sent twice change nothing. Where the server says that it dropped all of
   them, no search is needed.
4. Old readings go by the bucket's own retention, which an operator sets. Deleting single points by its API would cost a
   request for each meter and quarter of an hour.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config.customers import StoreTable
from gateway.message import ID
from gateway.store.contract import Row, Stored, StoreError, TryAgain, Verdict
from gateway.store.lines import MEASUREMENT, encode
from gateway.tls import client_side

LONGEST_WAIT = 300.0
"""Seconds: the quota window of InfluxDB Cloud; a server that asks for more is asked again sooner."""

DAY = 86_400

_TAGS = ("tenant", "gw", "meter", "commodity")
_HINTS = {
    401: "the token is wrong or has expired: put a new one into the token file",
    403: "the token may not do this: give it read and write on the bucket",
    404: "create the organisation and bucket, or mend their names in the configuration",
}
_REASONS = {
    "type conflict": "type_conflict",
    "field type": "type_conflict",
    "retention": "beyond_retention",
    "unable to parse": "unparsable",
    "partial write": "refused",
}
_DROPPED = re.compile(r"dropped=(\d+)")
_BAD_REQUEST, _TOO_LARGE, _UNPROCESSABLE = 400, 413, 422


@dataclass(frozen=True, slots=True)
class Bad:
    """Some lines of this batch will never be taken; `dropped` says how many, where the server told."""

    reason: str
    dropped: int | None = None


def judge(status: int, message: str, retry_after: str | None) -> Bad | TryAgain:
    """Sort an answer that is not a success.

    A 400 counts as bad lines only where the message speaks of lines: InfluxDB says 400 for an unknown organisation too.
    """
    if status == _TOO_LARGE:
        return Bad("too_large")
    if status in {_BAD_REQUEST, _UNPROCESSABLE}:
        for words, reason in _REASONS.items():
            if words in message:
                dropped = _DROPPED.search(message)
                return Bad(reason, int(dropped[1]) if dropped else None)
    why = f"InfluxDB answered {status}: {message[:200]}"
    if hint := _HINTS.get(status):
        why += f" ({hint})"
    seconds = float(retry_after) if retry_after and retry_after.isdecimal() else 1.0
    return TryAgain(why, min(seconds, LONGEST_WAIT), loud=_BAD_REQUEST <= status < 500 and status != 429)  # noqa: PLR2004


def from_config(config: StoreTable) -> "InfluxStore":
    """Make the store that `[store]` describes; raises StoreError where it says too little."""
    if config.url is None or config.token_file is None:
        raise StoreError("an InfluxDB store needs url and token_file", "add both to [store]")
    if config.token_file.path is None:
        raise StoreError("systemd handed us no InfluxDB token", "$CREDENTIALS_DIRECTORY is set only inside the service")
    return InfluxStore(config.url, config.org, config.bucket, config.token_file.path)


class InfluxStore:
    """Keeps readings in a bucket of InfluxDB 2; a 204 means they are in its write-ahead log."""

    def __init__(self, url: str, org: str, bucket: str, token_file: Path, *, timeout: float = 10.0) -> None:
        """`timeout` in seconds holds for one request."""
        self._url, self._org, self._bucket = url, org, bucket
        self._token_file, self._timeout = token_file, timeout
        self._client: Any = None

    async def open(self) -> None:
        """Read the token and make the client; raises StoreError. A server that is away shows at the first write."""
        try:
            from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync  # noqa: PLC0415  an extra
        except ImportError as error:
            raise StoreError("the InfluxDB client is not installed", "pip install 'nabd[influx]'") from error
        try:
            token = self._token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"cannot read the InfluxDB token: {error}", "mend token_file in [store]") from error
        self._client = InfluxDBClientAsync(
            self._url,
            token,
            org=self._org,
            timeout=int(self._timeout * 1000),
            enable_gzip=True,
            ssl_context=client_side() if self._url.startswith("https:") else None,
        )

    async def close(self) -> None:
        """Let the connections go."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def write(self, rows: Sequence[Row]) -> Verdict:
        """Take a batch; readings that InfluxDB will never take come back as rejected."""
        lines: list[tuple[int, str]] = []
        rejected: list[tuple[int, str]] = []
        for index, row in enumerate(rows):
            try:
                lines.append((index, encode(row)))
            except ValueError:
                rejected.append((index, "unencodable"))
        try:
            await self._offer(lines, rejected)
        except _NotNow as not_now:
            return not_now.verdict
        return Stored(rejected=tuple(sorted(rejected)))

    async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
        """Give one meter's readings with start <= ts < end, by time."""
        if start >= end:
            return []
        found = await self._ask(f"range(start: {_time(start)}, stop: {_time(end)})", tenant=tenant, meter=meter)
        return sorted(found, key=lambda row: row.ts)

    async def latest(self, tenant: str) -> list[Row]:
        """Give the newest reading of each meter: of its fields, those that share the newest time."""
        newest: dict[str, Row] = {}
        for row in await self._ask("range(start: 0)", "last()", tenant=tenant):
            if row.meter not in newest or row.ts > newest[row.meter].ts:
                newest[row.meter] = row
        return [newest[meter] for meter in sorted(newest)]

    async def count(self) -> int:
        """How many readings there are in all."""
        flux = f'{self._source("range(start: 0)")} |> filter(fn: (r) => r._field == "seq") |> group() |> count()'
        async with self._reading():
            tables = await self._client.query_api().query(flux)
        return sum(int(record.get_value()) for table in tables for record in table.records)

    async def outlast(self, keep: float) -> str:
        """Say that the bucket keeps readings longer than `keep` seconds and what to type; "" where not."""
        from influxdb_client.service.buckets_service import BucketsService  # noqa: PLC0415  comes with the extra

        async with self._reading():
            service = BucketsService(self._client.api_client)
            found = await service.get_buckets_async(org=self._org, name=self._bucket)
        if not found.buckets:
            return f"InfluxDB shows no bucket {self._bucket} (let the token read the bucket itself)"
        kept = min(
            (rule.every_seconds for rule in found.buckets[0].retention_rules if rule.every_seconds), default=None
        )
        if kept is not None and kept <= keep:
            return ""
        span = "for ever" if kept is None else f"for {kept / DAY:g} days"
        mend = f"influx bucket update --id {found.buckets[0].id} --retention {keep / DAY:g}d, or say so by [store] raw"
        return f"bucket {self._bucket} keeps raw readings {span}, {keep / DAY:g} days are meant (type: {mend})"

    async def _offer(self, lines: list[tuple[int, str]], rejected: list[tuple[int, str]]) -> None:
        """Send lines; halve what is refused until each bad one stands alone. Raises _NotNow."""
        if not lines:
            return
        bad = await self._post("\n".join(line for _, line in lines))
        if bad is None:
            return
        if len(lines) == 1 or bad.dropped == len(lines):
            rejected += [(index, bad.reason) for index, _ in lines]
            return
        half = len(lines) // 2
        await self._offer(lines[:half], rejected)
        await self._offer(lines[half:], rejected)

    async def _post(self, body: str) -> Bad | None:
        import aiohttp  # noqa: PLC0415  comes with the extra
        from influxdb_client.rest import ApiException  # noqa: PLC0415

        try:
            await self._client.write_api().write(self._bucket, self._org, body.encode(), write_precision="ms")
        except ApiException as error:
            verdict = judge(error.status or 0, str(error.message), error.retry_after)
            if isinstance(verdict, TryAgain):
                raise _NotNow(verdict) from error
            return verdict
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _NotNow(TryAgain(f"InfluxDB cannot be reached: {str(error) or type(error).__name__}")) from error
        return None

    async def _ask(self, span: str, *steps: str, **tags: str) -> list[Row]:
        flux = " |> ".join([
            self._source(span, **tags),
            *steps,
            'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
        ])  # fmt: skip
        async with self._reading():
            tables = await self._client.query_api().query(flux)
        records = [record for table in tables for record in table.records]
        return [_row(r.get_time(), r.values) for r in records if r.values.get("seq") is not None]

    def _source(self, span: str, **tags: str) -> str:
        """Begin a Flux query. Ids are checked, so none can end its string and speak Flux itself."""
        if any(not re.fullmatch(ID, value) for value in tags.values()):
            raise ValueError("not an id")
        where = "".join(f' and r.{tag} == "{value}"' for tag, value in tags.items())
        bucket = self._bucket.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
        return f'from(bucket: "{bucket}") |> {span} |> filter(fn: (r) => r._measurement == "{MEASUREMENT}"{where})'

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        """Let a query's failure out as StoreError."""
        import aiohttp  # noqa: PLC0415
        from influxdb_client.client.exceptions import InfluxDBError  # noqa: PLC0415

        try:
            yield
        except InfluxDBError as error:
            status = getattr(error, "status", 0)
            raise StoreError(f"InfluxDB refused a query: {error.message}", _HINTS.get(status, "try later")) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise StoreError(f"InfluxDB cannot be reached: {error}", "look whether it runs") from error


@dataclass
class _NotNow(Exception):  # noqa: N818
    """Ends a search for bad lines early: nothing is promised for the whole batch."""

    verdict: TryAgain


def _time(ms: int) -> str:
    """Write a moment as Flux takes it, from nanoseconds."""
    return f"time(v: {ms * 1_000_000})"


def _row(time: Any, values: dict[str, Any]) -> Row:
    known = {*_TAGS, "q", "seq", "result", "table"}
    v = {name: value for name, value in values.items() if name not in known and name[0] != "_" and value is not None}
    tenant, gw, meter, commodity = (values.get(tag) or "" for tag in _TAGS)
    return Row(
        tenant, gw, meter, round(time.timestamp() * 1000), 0, int(values["seq"]), int(values["q"]), v, commodity
    )  # fmt: skip
