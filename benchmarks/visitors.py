"""People who look at the pages all day: `python -m benchmarks.visitors SECONDS LINK …`, a line for each page they got.

Each enters by a link of their own, keeps a stream of changes open, and loads the whole page every two seconds.
"""

import contextlib
import sys
import threading
import time
import urllib.request
from http.cookiejar import CookieJar

EVERY = 2.0


def visit(link: str, until: float) -> None:
    """Be one visitor; print how long each page took, in seconds."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    site = link.split("/enter/", maxsplit=1)[0]
    page = site + "/"
    opener.open(urllib.request.Request(link, data=b"", headers={"origin": site})).close()  # noqa: S310  our own page
    threading.Thread(target=_follow, args=(opener, page + "events"), daemon=True).start()
    while time.monotonic() < until:
        print(_load(opener, page), flush=True)
        time.sleep(EVERY)


def _load(opener: urllib.request.OpenerDirector, url: str) -> float:
    begun = time.monotonic()
    with opener.open(url, timeout=30) as answer:
        answer.read()
    return time.monotonic() - begun


def _follow(opener: urllib.request.OpenerDirector, url: str) -> None:
    with contextlib.suppress(OSError), opener.open(url) as stream:
        while stream.readline():
            pass


def main(seconds: float, links: list[str]) -> None:
    """Let everybody in for so many seconds."""
    until = time.monotonic() + seconds
    visitors = [threading.Thread(target=visit, args=(link, until)) for link in links]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
