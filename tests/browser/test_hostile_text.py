"""What meters, topics and alerts say stays text: five hundred ways to make a page run something, in a real browser."""

from collections.abc import Callable, Iterator
from itertools import product

from playwright.sync_api import Page

from gateway.alerts.event import AlertEvent, alert_id
from gateway.live import LiveMeter
from tests.support.site import Site

Open = Callable[..., Page]
PAYLOADS = 500
AT_ONCE = 125
"""Meters on one page: four pages hold all payloads in every place."""

RUN = ("alert(1)", "window.hit=1", "fetch('/leave',{method:'POST'})", "top.location='/x'", "document.title='hit'")
BREAKS = (
    "", '">', "'>", "-->", "</bdi>", "</title>", "</script>", "]]>", "</svg>", "</textarea>", '\\"', "&quot;>", "{{",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
)  # fmt: skip
FORMS = (
    "<script>{run}</script>",
    "<img src=x onerror={run}>",
    "<svg onload={run}>",
    "<svg><script>{run}</script></svg>",
    "<body onload={run}>",
    "<iframe srcdoc='<script>{run}</script>'>",
    "<a href=javascript:{run}>x</a>",
    "<details open ontoggle={run}>",
    "<input autofocus onfocus={run}>",
    "<math><mtext></form><form><mglyph><style><img src=x onerror={run}>",
    "<object data='javascript:{run}'>",
    "<style>@import '//evil.example'</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=javascript:{run}'>",
    "<form action=//evil.example><button>x",
    "<template><script>{run}</script></template>",
    "javascript:{run}",
    "{{{{constructor.constructor('{run}')()}}}}",
    "${{{run}}}",
    "<%= {run} %>",
    "\\u003cscript\\u003e{run}\\u003c/script\\u003e",
    "<\N{LATIN SMALL LETTER LONG S}cript>{run}</script>",
    "<img src='//evil.example/x.png'>",
    "<video><source onerror={run}></video>",
    "event: anew\ndata: 1\n\n",
)


def payloads() -> Iterator[str]:
    """Make the payloads: ways to run, inside ways to break out."""
    for n, (form, broken) in enumerate(product(FORMS, BREAKS)):
        yield broken + form.format(run=RUN[n % len(RUN)])
    for n, (broken, run) in enumerate(product(BREAKS, RUN)):
        yield f"{broken} on{('mouseover', 'load', 'error')[n % 3]}={run} x="
    for n in range(PAYLOADS):
        yield chr(1 + n) * 3 + "<script>" + RUN[n % len(RUN)] + "</script>"


def test_five_hundred_payloads_run_nothing(site: Site, look: Open) -> None:
    """Names, models and texts from meters and topics execute nothing, load nothing and break no policy."""
    texts = [text for _, text in zip(range(PAYLOADS), payloads(), strict=False)]
    assert len(set(texts)) == PAYLOADS
    page = look(site)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: requests.append(f"dialog {dialog.message}"))
    page.add_init_script("addEventListener('securitypolicyviolation', e => { window.violated = e.violatedDirective })")
    for start in range(0, PAYLOADS, AT_ONCE):
        for n, text in enumerate(texts[start : start + AT_ONCE]):
            meter = LiveMeter(f"m{n}", text, "gas", text, 1.0, site.now(), 0, {"gas_volume_l": text, text: text})
            site.know(meter)
            site.do(site.book.update, meter.id, site.now(), 0, {"gas_flow_l_h": n})
            site.do(site.alerts.take, "home", _alert(meter.id, site.now()))
        page.goto(f"{site.url}?lang={'ar' if start // AT_ONCE % 2 else 'en'}")
        # Every part has come once more as an event and was put into the page by the script.
        for _ in range(100):  # Playwright's own way to wait needs eval, which our policy forbids
            if page.evaluate("shown.size") == AT_ONCE + 2:
                break
            page.wait_for_timeout(50)
        assert page.evaluate("shown.size") == AT_ONCE + 2
        page.wait_for_timeout(300)
        assert page.evaluate("window.hit") is None
        assert page.evaluate("window.violated") is None
        assert "hit" not in page.title()
        shown = page.locator("#m-m0 h3 bdi").text_content()
        assert shown is not None
        assert shown.split() == texts[start].split()
        assert page.locator("iframe, object, base, h3 img, h3 svg, .model *:not(bdi)").count() == 0
    ours = (site.url, "about:", "data:")
    assert [url for url in requests if not url.startswith(ours)] == []
    assert {url.removeprefix(site.url).split("?")[0] for url in requests} <= {
        "", "events", "static/nabd.css", "static/nabd.js", "static/nabd.svg"
    }  # fmt: skip


def _alert(meter: str, now: int) -> AlertEvent:
    return AlertEvent(
        id=alert_id("overload", meter, now), seq=1, rule="overload", meter=meter, state="raised", severity="critical",
        raised=now, at=now, value=29.0, baseline=25.0, unit="A",
    )  # fmt: skip
