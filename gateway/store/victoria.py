"""The series store in single-node VictoriaMetrics: each value a metric such as `reading_energy_import_wh`.

1. `lines.py` makes the lines; `/write` takes them. The server keeps them in memory for some seconds and has no log, so
   they count as durable only `DURABLE_AFTER` later.
2. The server answers 204 and drops in silence what it cannot parse, what is older than its retention and what lies two
   days ahead. So all of that is judged here first, and its flags are read before the first write.
3. It keeps what is written twice twice, unless started with -dedup.minScrapeInterval=1ms: without that nothing is
   written and a person is told.
4. Reading back, the metrics of one moment become one reading again. New readings show after a second or two.
5. Old readings go by its -retentionPeriod alone, which an operator sets: its API for deleting is for mistakes.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from gateway.config.customers import StoreTable
from gateway.config.secret import SecretFile
from gateway.message import ID
from gateway.store.contract import Row, Stored, StoreError, TryAgain, Verdict
from gateway.store.lines import MEASUREMENT, encode
from gateway.tls import client_side

DURABLE_AFTER = 30.0
"""Seconds until a taken reading survives a kill -9: 7 s were too few and 15 s enough when measured; twice that."""
AHEAD_MS = 47 * 3600 * 1000
"""The server drops what lies more than two days ahead of its clock; an hour is left for clocks that differ."""
MARGIN_MS = 3600 * 1000
LOOKBACK = "50y"
"""How far back the newest reading of a meter is looked for; the server answers nothing beyond its own epoch."""

DAY = 86_400

_HINTS = {
    400: "look at its log",
    401: "the token is wrong or has expired: put a new one into the token file",
    403: "the token may not do this",
    404: "is the url that of a single-node VictoriaMetrics?",
}
_FLAG = re.compile(r'^flag\{name="([^"]+)", ?value="([^"]*)"', re.MULTILINE)
_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400, "": 31 * 86400}


def retention_ms(text: str) -> int:
    """Read -retentionPeriod: "100y", "30d", "5w", "36h", or months without a unit; raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([hdwy]?)", text)
    if match is None:
        raise ValueError(text)
    return int(float(match[1]) * _UNITS[match[2]] * 1000)


def objection_to(flags: Mapping[str, str]) -> str | None:
    """Say why this server cannot keep readings as the contract wants, or None."""
    if "retentionPeriod" not in flags:
        return (
            "VictoriaMetrics does not tell its flags (give the url of the server itself, not of a proxy or a cluster)"
        )
    if flags.get("dedup.minScrapeInterval") != "1ms":
        return "VictoriaMetrics would keep readings twice (start it with -dedup.minScrapeInterval=1ms)"
    return None


def from_config(config: StoreTable) -> "VictoriaStore":
    """Make the store that `[store]` describes; raises StoreError where it says too little."""
    if config.url is None:
        raise StoreError("a VictoriaMetrics store needs its url", "add it to [store]")
    return VictoriaStore(config.url, config.token_file, config.ca_file)


class VictoriaStore:
    """Keeps readings in VictoriaMetrics; durable `durable_after` seconds after `write` returned."""

    def __init__(
        self,
        url: str,
        token: SecretFile | None = None,
        ca_file: Path | None = None,
        *,
        timeout: float = 10.0,
        durable_after: float = DURABLE_AFTER,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`timeout` in seconds holds for one request; `clock` gives UTC ms."""
        self._url, self._token, self._ca_file = url.rstrip("/"), token, ca_file
        self._timeout, self._durable_after, self._clock = timeout, durable_after, clock
        self._session: Any = None
        self._retention: int | None = None

    async def open(self) -> None:
        """Make the session; raises StoreError. A server that is away shows at the first write."""
        try:
            import aiohttp  # noqa: PLC0415  an extra
        except ImportError as error:
            raise StoreError("aiohttp is not installed", "pip install 'nabd[victoria]'") from error
        headers = {"Authorization": f"Bearer {self._token.read().reveal()}"} if self._token else {}
        tls = client_side(self._ca_file) if self._url.startswith("https:") else True
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(self._timeout),
            connector=aiohttp.TCPConnector(ssl=tls),
        )

    async def close(self) -> None:
        """Let the connections go."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def write(self, rows: Sequence[Row]) -> Verdict:
        """Take a batch; readings that VictoriaMetrics would drop come back as rejected."""
        try:
            if self._retention is None:
                self._retention = await self._meet()
            now = self._clock()
            lines, rejected = _judge(rows, now - self._retention + MARGIN_MS, now + AHEAD_MS)
            if lines:
                await self._request("POST", "/write", {"precision": "ms"}, "\n".join(lines).encode())
        except _NotNow as not_now:
            self._retention = None  # it may come back with other flags
            return not_now.verdict
        return Stored(self._durable_after if lines else 0.0, tuple(rejected))

    async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
        """Give one meter's readings with start <= ts < end, by time."""
        if start >= end:
            return []
        found = await self._export(tenant, meter, start, end - 1)
        return sorted(found, key=lambda row: row.ts)

    async def latest(self, tenant: str) -> list[Row]:
        """Give the newest reading of each meter."""
        answer = await self._ask(f"max by (meter) (tlast_over_time({_seq(tenant=tenant)}[{LOOKBACK}]))")
        rows = []
        for series in answer:
            ts = round(float(series["value"][1]) * 1000)
            rows += await self._export(tenant, series["metric"]["meter"], ts, ts)
        return sorted(rows, key=lambda row: row.meter)

    async def count(self) -> int:
        """How many readings there are in all; the server counts them one by one."""
        answer = await self._ask(f"sum(count_over_time({_seq()}[{LOOKBACK}]))")
        return int(answer[0]["value"][1]) if answer else 0

    async def outlast(self, keep: float) -> str:
        """Say that the server keeps readings longer than `keep` seconds and what to type; "" where not."""
        try:
            kept = await self._meet() / 1000
        except _NotNow as not_now:
            raise StoreError(not_now.verdict.why, "look whether it runs") from not_now
        if kept <= keep:
            return ""
        meant = (
            f"{keep / DAY:g} days are meant (start it with -retentionPeriod={keep / DAY:g}d, or say so by [store] raw)"
        )
        return f"VictoriaMetrics keeps raw readings for {kept / DAY:g} days, {meant}"

    async def _meet(self) -> int:
        """Read the server's flags and give its retention in ms; raises _NotNow when it cannot be trusted."""
        flags = dict(_FLAG.findall((await self._request("GET", "/metrics", {})).decode("utf-8", "replace")))
        if why := objection_to(flags):
            raise _NotNow(TryAgain(why, 30.0, loud=True))
        try:
            return retention_ms(flags["retentionPeriod"])
        except ValueError as error:
            why = f"VictoriaMetrics keeps data for {error} (start it with a -retentionPeriod such as 5y)"
            raise _NotNow(TryAgain(why, 30.0, loud=True)) from None

    async def _export(self, tenant: str, meter: str, first: int, last: int) -> list[Row]:
        match = f'{{__name__=~"{MEASUREMENT}_.+",{_labels(tenant=tenant, meter=meter)}}}'
        span = {"start": _seconds(first), "end": _seconds(last)}
        answer = await self._read("/api/v1/export", {"match[]": match, **span})
        return _rows(answer)

    async def _ask(self, query: str) -> list[Any]:
        # The end is now, not half a minute ago, which the server prefers while metrics are still being scraped.
        answer = await self._read("/api/v1/query", {"query": query, "time": _seconds(self._clock()), "nocache": "1"})
        return list(orjson.loads(answer)["data"]["result"])

    async def _read(self, path: str, query: Mapping[str, str]) -> bytes:
        try:
            return await self._request("GET", path, query)
        except _NotNow as not_now:
            raise StoreError(not_now.verdict.why, "look whether it runs") from not_now

    async def _request(self, method: str, path: str, query: Mapping[str, str], body: bytes | None = None) -> bytes:
        """Make one request and give the answer's body; raises _NotNow."""
        import aiohttp  # noqa: PLC0415

        if self._session is None:
            raise StoreError("the VictoriaMetrics store is not open", "open it first")
        try:
            async with self._session.request(method, self._url + path, params=query, data=body) as answer:
                said: bytes = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = f"VictoriaMetrics cannot be reached: {str(error) or type(error).__name__}"
            raise _NotNow(TryAgain(why)) from error
        if answer.status >= 300:  # noqa: PLR2004  it redirects nobody
            why = f"VictoriaMetrics answered {answer.status}: {said[:200].decode('utf-8', 'replace').strip()}"
            hint = _HINTS.get(answer.status)
            raise _NotNow(TryAgain(f"{why} ({hint})" if hint else why, loud=hint is not None))
        return said


class _NotNow(Exception):  # noqa: N818
    """Nothing is promised for the whole batch."""

    def __init__(self, verdict: TryAgain) -> None:
        super().__init__(verdict.why)
        self.verdict = verdict


def _judge(rows: Sequence[Row], oldest: int, newest: int) -> tuple[list[str], list[tuple[int, str]]]:
    """Make lines of what the server will keep, and name the others by their index."""
    lines: list[str] = []
    rejected: list[tuple[int, str]] = []
    for index, row in enumerate(rows):
        if row.ts < oldest:
            rejected.append((index, "beyond_retention"))
        elif row.ts > newest:
            rejected.append((index, "too_new"))
        else:
            try:
                lines.append(encode(row))
            except ValueError:
                rejected.append((index, "unencodable"))
    return lines, rejected


def _seq(**labels: str) -> str:
    """Select the metric that every reading has."""
    return f"{MEASUREMENT}_seq{{{_labels(**labels)}}}"


def _labels(**labels: str) -> str:
    """Write label matchers. Ids are checked, so none can end its string and speak MetricsQL itself."""
    if any(not re.fullmatch(ID, value) for value in labels.values()):
        raise ValueError("not an id")
    return ",".join(f'{name}="{value}"' for name, value in labels.items())


def _seconds(ms: int) -> str:
    """Write a moment as the server takes it, to the millisecond."""
    return f"{ms // 1000}.{ms % 1000:03d}"


def _rows(export: bytes) -> list[Row]:
    """Put metrics of one moment together; what has no `seq` is not ours."""
    values: dict[tuple[str, str, str, str, int], dict[str, float]] = {}
    for line in export.splitlines():
        series = orjson.loads(line)
        labels = series["metric"]
        name = labels["__name__"].removeprefix(f"{MEASUREMENT}_")
        tenant, gw, meter, commodity = (labels.get(tag, "") for tag in ("tenant", "gw", "meter", "commodity"))
        for ts, value in zip(series["timestamps"], series["values"], strict=True):
            values.setdefault((tenant, gw, meter, commodity, ts), {})[name] = value
    return [
        Row(tenant, gw, meter, ts, 0, int(v.pop("seq")), int(v.pop("q", 0)), v, commodity)
        for (tenant, gw, meter, commodity, ts), v in values.items()
        if "seq" in v
    ]
