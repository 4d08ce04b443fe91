"""Names from meters stay text wherever people read them: every page, mail, and the commissioning report (S33)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from starlette.routing import Route

from gateway.alerts.event import AlertEvent, alert_id
from gateway.commission.record import ChannelRecord, DisplayCheck, MeterRecord, Record
from gateway.commission.report import page as report
from gateway.live import LiveMeter
from gateway.notify.links import Link
from gateway.notify.render import Occasion, render, render_together
from gateway.web.page import app
from tests.support import desk, exhibit
from tests.support.site import KEY, Site

Open = Callable[..., Page]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUN = ("window.hit=1", "alert(1)", "fetch('/leave',{method:'POST'})", "top.location='/x'", "document.title='hit'")
BREAKS = ("", '">', "'>", "-->", "</bdi></p>", "</title>", "</script>", "</style>", "</textarea>", "</option></select>")
FORMS = (
    "<script>{run}</script>", "<img src=x onerror={run}>", "<svg onload={run}>", "<a href=javascript:{run}>x</a>",
    "<iframe srcdoc='<script>{run}</script>'>", "<style>@import '//evil.example/{run}'</style>",
    '" onfocus="{run}" autofocus x="', "<base href=//evil.example/{run}>",
    "<meta http-equiv=refresh content='0;url=javascript:{run}'>", "{{{{7*7}}}} {run}",
)  # fmt: skip
PAYLOADS = [broken + form.format(run=run) for run, broken, form in product(RUN, BREAKS, FORMS)]
WITNESS = (
    "window.violated = 0; addEventListener('securitypolicyviolation', () => { window.violated += 1 });"
    "window.alert = () => { window.hit = 1 }"
)


@contextmanager
def hostile(folder: Path, names: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, list[AlertEvent]]]:
    """Give the site of a home whose meters bear these names, each with an alert."""
    monkeypatch.setattr(desk, "METERS", [(f"home_{n}", name, "electricity") for n, name in enumerate(names)])
    events = [overload(f"home_{n}") for n in range(len(names))]
    with Site(lambda: exhibit.NOW, exhibit.ZONE, folder) as site:
        for n, name in enumerate(names):
            site.know(
                LiveMeter(f"home_{n}", name, "electricity", name, 1.0, site.now(), 0, {"power_w": 1.0, name: name})
            )
            site.do(site.alerts.take, "home", events[n])
        site.run(desk.arrive(site.desk, site.database, *events))
        for event in events:
            link = Link("call_me", "home", event.id, "phone", 10**10)
            site.run(site.desk.telling.act(link, exhibit.NOW))
        yield site, events


def overload(meter: str) -> AlertEvent:
    """Make an open alert."""
    return AlertEvent(
        id=alert_id("overload", meter, exhibit.NOW), seq=1, rule="overload", meter=meter, state="raised",
        severity="critical", raised=exhibit.NOW, at=exhibit.NOW, value=29.0, baseline=25.0, unit="A",
    )  # fmt: skip


def see(page: Page, address: str, name: str, wanted: list[str]) -> None:
    """Look at a page and say what is wrong with it: something ran, was asked of others, or tried to."""
    wanted.clear()
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200, address
    state = page.evaluate("[window.hit, window.violated, document.title, document.body.textContent]")
    assert state[:2] == [None, 0], (address, name)
    assert state[2] != "hit", (address, name)
    assert [url for url in wanted if not url.startswith("http://127.0.0.1:")] == [], (address, name)
    assert " ".join(name[:12].split()) in " ".join(state[3].split()), address  # long names are cut short in sentences


def each_page(names: list[str], folder: Path, look: Open, monkeypatch: pytest.MonkeyPatch) -> int:
    """Look at every page of a home with these names; gives how many."""
    looked = 0
    with hostile(folder, names, monkeypatch) as (site, events):
        page, wanted = look(site), list[str]()
        page.add_init_script(WITNESS)
        page.on("request", lambda request: wanted.append(request.url))
        for n, (name, event) in enumerate(zip(names, events, strict=True)):
            see(page, f"{site.url}alert/{event.id}?lang={('en', 'ar')[n % 2]}", name, wanted)
            looked += 1
            if n % 5:  # who follows a link with a session sees the same sheet as on the alert's own page
                continue
            token = Link("acknowledge", "home", event.id, "phone", exhibit.NOW // 1000 + 60).sign(KEY)
            see(page, f"{site.url}answer/{token}", name, wanted)
            looked += 1
        for path in ("", "settings", "settings/home", "operator", "homes"):
            see(page, f"{site.url}{path}", names[0] if path != "homes" else "home", wanted)
            looked += 1
    return looked


def test_every_page_shows_hostile_names_as_text(look: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of the payloads, on pages of alerts, answers, settings, the operator and homes alike."""
    assert each_page(PAYLOADS[:: len(PAYLOADS) // 10], tmp_path, look, monkeypatch) >= 17


@pytest.mark.slow
def test_five_hundred_names_on_every_page(look: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, fifty at a time, as many as the settings page has goals for."""
    assert len(set(PAYLOADS)) == 500
    for start in range(0, len(PAYLOADS), 50):
        folder = tmp_path / str(start)
        folder.mkdir()
        assert each_page(PAYLOADS[start : start + 50], folder, look, monkeypatch) == 65


def test_no_page_is_forgotten(tmp_path: Path) -> None:
    """Whoever adds a page that can be looked at adds it above, or says here why it shows no name."""
    with Site(lambda: exhibit.NOW, exhibit.ZONE, tmp_path) as site:
        routes = app(site._sources, site.access, desk=site.desk).routes
    looked = {route.path for route in routes if isinstance(route, Route) and "GET" in (route.methods or ())}
    shown = {"/", "/alert/{alert}", "/answer/{token}", "/settings", "/settings/{tenant}", "/operator", "/homes"}
    nameless = {"/events", "/enter/{token}", "/healthz", "/security", "/.well-known/security.txt"}
    assert looked == shown | nameless


def test_mail_and_report_show_hostile_names_as_text(browser: Browser, tmp_path: Path) -> None:
    """All five hundred in messages of both languages, and in one commissioning report, opened as files."""
    files = [tmp_path / f"{language}.html" for language in ("en", "ar")]
    for first, file in enumerate(files):
        names = PAYLOADS[first * 250 :][:250]
        told = [Occasion(overload("m"), name, file.stem, NOON, "https://nabd.example/") for name in names]
        parts = [render(one).html for one in told] + [render_together(told[n : n + 3]).html for n in range(0, 250, 9)]
        file.write_text("\n".join(parts), encoding="utf-8")
    meters = tuple(
        MeterRecord(
            name=name, label=name, model=name, profile=name, bus=name, address=name, nameplate=((name, name),),
            display=DisplayCheck("failed", name, "kWh", name, name, name, (), (name,), name),
        )
        for name in PAYLOADS
    )  # fmt: skip
    channel = ChannelRecord(PAYLOADS[0], PAYLOADS[0], "refused", PAYLOADS[0])
    record = Record(PAYLOADS[0], "home", "0.1.0", "Asia/Riyadh", PAYLOADS[1], 1, 2, meters, (channel,))
    files.append(tmp_path / "report.html")
    files[-1].write_text(report(record, "aaaa-bbbb", "en"), encoding="utf-8")
    page = browser.new_page()
    page.add_init_script(WITNESS)
    wanted: list[str] = []
    page.on("request", lambda request: wanted.append(request.url))
    for file in files:
        page.goto(f"file://{file}")
        page.wait_for_timeout(200)
        assert page.evaluate("[window.hit, window.violated, document.title == 'hit']") == [None, 0, False]
        assert page.evaluate("document.querySelectorAll('script:not([type]), iframe, img, base').length") == 0
        assert "<script>" in page.evaluate("document.body.textContent")
    assert wanted == [f"file://{file}" for file in files]
    page.close()
