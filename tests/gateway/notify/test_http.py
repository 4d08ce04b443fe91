"""One POST: whatever the other side sends, it is bounded, and the error names no secret."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.notify.http import BODY_LIMIT, PostError, post
from tests.support.http_sink import HttpSink


@pytest.mark.parametrize(
    "flood", [b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 " + b"x" * 100, b"HTTP/1.1 100 Continue\r\nx: "]
)
async def test_a_head_without_end_is_cut(flood: bytes) -> None:
    """By its size, long before its time is up."""
    async with HttpSink(answer=flood, endless=True) as sink:
        with pytest.raises(PostError) as caught:
            await post(f"http://127.0.0.1:{sink.port}/canary", {"authorization": "canary"}, b"x", timeout=30)
    assert "did not answer" not in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("framing", ["content-length: 99999999999", "transfer-encoding: chunked", "x: y"])
async def test_a_body_without_end_is_cut(framing: str) -> None:
    """The status counts, and no more is kept than the bound."""
    first = b"FFFFFFF\r\n" if "chunked" in framing else b""
    answer = f"HTTP/1.1 201 Made\r\n{framing}\r\n\r\n".encode() + first
    async with HttpSink(answer=answer, endless=True) as sink:
        said = await post(f"http://127.0.0.1:{sink.port}/", {}, b"", timeout=30)
    assert said.status == 201
    assert len(said.body) == BODY_LIMIT


async def test_it_posts_what_it_was_given() -> None:
    """Path, query, host, headers and body arrive; a port in the URL stands in the host."""
    async with HttpSink() as sink:
        host = f"127.0.0.1:{sink.port}"
        said = await post(f"http://{host}/a?b=c", {"x-y": "z"}, "نبض".encode())
    (posted,) = sink.posted
    assert said.status == 200
    assert (posted.path, posted.headers["x-y"], posted.body.decode()) == ("/a?b=c", "z", "نبض")
    assert posted.headers["host"] == host


async def test_a_header_cannot_begin_another(free_port: Callable[[], int]) -> None:
    """A line end in a value is refused before anything is sent."""
    async with HttpSink() as sink:
        with pytest.raises(PostError):
            await post(f"http://127.0.0.1:{sink.port}/", {"x": "a\r\nhost: evil"}, b"")
        await asyncio.sleep(0)
    assert sink.posted == []
    with pytest.raises(PostError):
        await post(f"http://127.0.0.1:{free_port()}/", {}, b"")
