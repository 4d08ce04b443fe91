"""The settings page in a real browser: without script, and push as far as it goes without a push service.

A subscription is made by the browser's maker over the Internet, so here `subscribe` answers what a browser would; the
worker is the real one, and what it shows is read from the browser.
"""

from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.support import exhibit
from tests.support.site import Site

Open = Callable[..., Page]
ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"
PUSHED = (
    '{"tag":"t1","title":"Title","body":"b","lang":"ar","url":"/","silent":false,'
    '"actions":[{"action":"acknowledge","title":"Seen","url":"/answer/x"}]}'
)
FAKED = f"""
    const given = {{
      endpoint: "{ENDPOINT}",
      toJSON: () => ({{ endpoint: "{ENDPOINT}", keys: {{
        p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth: "BTBZMqHH6r4Tts7J_aSIgg" }} }}),
      unsubscribe: () => {{ sessionStorage.removeItem("given"); return Promise.resolve(true); }},
    }};
    PushManager.prototype.subscribe = (options) => {{
      sessionStorage.setItem("given", options.applicationServerKey.length);
      return Promise.resolve(given);
    }};
    PushManager.prototype.getSubscription = () => Promise.resolve(sessionStorage.getItem("given") ? given : null);
"""


def test_choices_are_kept_without_script(family: Site, look: Open) -> None:
    """Choose, save, see it; leave home by one button."""
    page = look(family, script=False)
    page.goto(f"{family.url}settings")
    page.select_option("#phone-usage", "weekly")
    page.fill("#phone-quiet-from", "21:30")
    page.click("#channel-phone button >> nth=0")
    expect(page.locator(".saved[role=status]")).to_be_visible()
    expect(page.locator("#phone-usage")).to_have_value("weekly")
    expect(page.locator("#phone-quiet-from")).to_have_value("21:30")
    page.click(".switch")
    expect(page.locator(".away.on .switch")).to_have_text("We are back")
    expect(page.locator("#push-start")).to_be_hidden()


def test_an_alert_is_answered_on_its_page(family: Site, look: Open) -> None:
    """From the live page to the alert, and what was said stands in its story."""
    page = look(family, script=False)
    page.locator(".over summary").click()
    page.click(f"a[href='/alert/{exhibit.leak().id}']")
    page.get_by_role("button", name="I fixed it").click()
    expect(page.locator(".steps")).to_contain_text("said to be fixed, by this page")
    expect(page.get_by_role("button", name="I fixed it")).to_have_count(0)


def test_a_browser_subscribes_and_is_removed(family: Site, look: Open) -> None:
    """The button hands the subscription over under our key; removing it at the hub ends it in the browser too."""
    page = look(family)
    page.add_init_script(FAKED)
    page.goto(f"{family.url}settings")
    page.click("#push-start")
    expect(page.locator("#push-told")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('given')") == "65"
    assert [told.body.count(ENDPOINT) for told in family.run(family.desk.browsers("home"))] == [1]
    page.locator("[data-browser] button").click()
    expect(page.locator("#push-start")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('given')") is None
    assert family.run(family.desk.browsers("home")) == []


def test_a_refusal_is_said(family: Site, look: Open) -> None:
    """Whoever answers no to the browser reads what that means."""
    page = look(family)
    page.add_init_script("PushManager.prototype.subscribe = () => Promise.reject(new Error('denied'))")
    page.goto(f"{family.url}settings")
    page.click("#push-start")
    expect(page.locator("#push-refused")).to_be_visible()


def test_the_worker_shows_what_is_pushed(family: Site, browser: Browser) -> None:
    """A message as the channel makes it becomes a notification in its language; a tap opens what it is about.

    Headless Chromium shows no notifications, so the worker's `showNotification` and `openWindow` are watched.
    """
    context = browser.new_context(locale="en")
    context.add_cookies([family.cookie()])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{family.url}settings")
    expect(page.locator("#push-start")).to_be_visible()
    worker = context.service_workers[0]
    worker.evaluate("""() => {
        self.seen = [];
        self.registration.showNotification = (title, shown) => { self.seen.push([title, shown]); };
        self.clients.openWindow = (url) => { self.seen.push(url); };
    }""")
    session = context.new_cdp_session(page)
    registered: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda said: registered.extend(one["registrationId"] for one in said["registrations"]),
    )
    session.send("ServiceWorker.enable")
    for _ in range(100):
        if registered:
            break
        page.wait_for_timeout(50)
    pushed = {"origin": family.url.rstrip("/"), "registrationId": registered[0], "data": PUSHED}
    session.send("ServiceWorker.deliverPushMessage", pushed)
    for _ in range(100):
        if worker.evaluate("self.seen.length"):
            break
        page.wait_for_timeout(50)
    title, shown = worker.evaluate("self.seen[0]")
    assert (title, shown["body"], shown["dir"], shown["tag"]) == ("Title", "b", "rtl", "t1")
    assert shown["actions"] == [{"action": "acknowledge", "title": "Seen"}]
    opened = worker.evaluate("""() => {
        for (const action of ["", "acknowledge"]) {
            const notification = { close: () => {}, data: self.seen[0][1].data };
            const tapped = Object.assign(new Event("notificationclick"), { notification, action, waitUntil: () => {} });
            self.dispatchEvent(tapped);
        }
        return self.seen.slice(1);
    }""")
    context.close()
    assert opened == ["/", "/answer/x"]
