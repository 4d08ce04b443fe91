"""The scripted InfluxDB is held to the published API description, which lies outside the project: NABD_CONTRACTS."""

import os
import re
from pathlib import Path

import pytest

from gateway.store.contract import Row, Stored
from gateway.store.influx import InfluxStore
from tests.support.fake_influx import CODES, FakeInflux

ROOT = Path(__file__).parents[3]
T0 = 1_700_000_000_000


@pytest.fixture(scope="module")
def api() -> str:
    """Give the text of the description; it is read by its indentation, so that no YAML library is needed."""
    path = Path(os.environ.get("NABD_CONTRACTS", ROOT.parent / "shared" / "contracts")) / "influxdb-oss.yml"
    if not path.is_file():
        pytest.skip(f"no API descriptions: set NABD_CONTRACTS to their folder, {path} is none")
    return path.read_text(encoding="utf-8")


def below(text: str, *keys: str) -> str:
    """Give the lines below a path of keys, each found among the deeper lines of the one before."""
    for key in keys:
        match = re.search(rf"(?m)^( *)(?:- )?{re.escape(key)}:.*\n((?:\1[ -].*\n|\n)*)", text)
        assert match, f"the description has no {key}"
        text = match[2]
    return text


def items(text: str) -> set[str]:
    """Give the entries of the first list."""
    match = re.search(r"(?m)((?:^ *- .*\n)+)", text)
    assert match
    return {line.strip().removeprefix("- ") for line in match[1].splitlines()}


def test_the_fake_speaks_only_documented_answers(api: str) -> None:
    """Its error codes are those of the schema; the statuses of a write are the documented ones, or the default."""
    assert set(CODES.values()) <= items(below(api, "    Error", "properties", "code", "enum"))
    write = below(api, "  /api/v2/write", "post", "responses")
    documented = {int(status) for status in re.findall(r'(?m)^ {8}"(\d{3})":', write)}
    assert {204, 400, 401, 404, 413, 429, 500, 503} == documented
    assert "default:" in write  # which covers 403 and 422, that servers give too
    assert set(CODES) - documented == {403, 422}
    for status in ("429", "503"):
        assert "Retry-After" in below(write, f'"{status}"')


async def test_our_writes_are_what_the_description_asks_for(api: str, token: Path) -> None:
    """Every header and parameter of a real request of ours is documented, with a documented value."""
    write = below(api, "  /api/v2/write", "post")
    parameters = set(re.findall(r"(?m)^        name: (\S+)", write.split("requestBody")[0]))
    async with FakeInflux() as server:
        store = InfluxStore(server.url, server.org, server.bucket, token)
        await store.open()
        assert await store.write([Row("t", "g", "m", T0, 0, 1, 0, {"power_w": 1.0})]) == Stored()
        await store.close()
    (request,) = server.requests
    assert set(request.query) <= parameters
    assert request.query["precision"][0] in items(below(api, "    WritePrecision", "enum"))
    allowed = re.findall(r"(?m)^ {10}- (.+)$", write.split("requestBody")[0])
    for header in ("Content-Encoding", "Content-Type"):
        assert header in parameters
        assert request.headers[header.lower()] in allowed
