"""The API of InfluxDB 2 in front of the real engine of InfluxDB 1: its parser, its types, its write-ahead log.

Writes go to `/write` as they are, and its answers come back in version 2's words. Our few Flux queries are answered as
the scripted fake answers them, from points that the engine gave for `SELECT *`.
"""

import json
import re
from dataclasses import dataclass, field

from tests.support.fake_influx import Answer, FakeInflux
from tests.support.servers import Influx1


@dataclass
class InfluxShim(FakeInflux):
    """A FakeInflux whose points lie in a real InfluxDB 1.x; `bucket` is a database there."""

    engine: Influx1 = field(default_factory=Influx1)

    def make_bucket(self) -> None:
        """Create the database."""
        status, body = self.engine.ask("/query", b"", q=f'CREATE DATABASE "{self.bucket}"')
        assert status == 200, body

    def keep(self, days: int) -> None:
        """Let the engine keep points for so long."""
        policy = f'ALTER RETENTION POLICY "autogen" ON "{self.bucket}" DURATION {days}d SHARD DURATION 1d'
        status, body = self.engine.ask("/query", b"", q=policy)
        assert status == 200, body

    def _buckets(self) -> list[dict[str, object]]:
        _, said = self.engine.ask("/query", q=f'SHOW RETENTION POLICIES ON "{self.bucket}"')
        (series,) = json.loads(said)["results"][0]["series"]
        policy = dict(zip(series["columns"], series["values"][0], strict=True))
        hours, minutes, seconds = (
            map(int, re.findall(r"\d+", policy["duration"])) if policy["duration"] != "0s" else (0, 0, 0)
        )
        self.retention = hours * 3600 + minutes * 60 + seconds
        return super()._buckets()

    def _write(self, body: str) -> Answer:
        try:
            status, said = self.engine.ask("/write", body.encode(), db=self.bucket, precision="ms")
        except OSError:
            return 503, "the engine is away", {}
        if status == 204:
            return 204, "", {}
        message = json.loads(said)["error"] if said.startswith(b"{") else said.decode()
        # Version 1 says 400 for what version 2 calls unprocessable.
        return 422 if message.startswith("partial write") else status, message, {}

    def _query(self, flux: str) -> str:
        status, said = self.engine.ask(
            "/query", db=self.bucket, epoch="ms", q='SELECT * FROM "reading" GROUP BY tenant, gw, meter, commodity'
        )
        assert status == 200, said
        self.points.clear()
        for series in json.loads(said)["results"][0].get("series", []):
            tags = tuple((name, value) for name, value in series["tags"].items() if value)
            for row in series["values"]:
                values = dict(zip(series["columns"], row, strict=True))
                ts = values.pop("time")
                kinds: dict[str, float | int | str] = {
                    name: _number(name, value) for name, value in values.items() if value is not None
                }
                self.points[tags, ts] = kinds
        return super()._query(flux)


def _number(name: str, value: float) -> float | int:
    """JSON from the engine does not tell floats from integers; ours are integers only for two names."""
    return int(value) if re.fullmatch("q|seq", name) else float(value)
