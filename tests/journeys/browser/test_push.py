"""Push in a real browser: turned on in the preferences, sent by a worker, shown by the browser's own worker, opened by a click.

The push service is the tests' own: no browser is to speak to its maker's here. What it took is given to Chromium as its own would give it.
"""

import time

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.test_looks import faults, poor_contrasts
from tests.support.push import decode, point_of, push_service
from tests.support.shares import by_rest
from tests.support.world import ACME

SECONDS = 30
AGAIN_SECONDS = 8

SUBSCRIBE = """
([address, point, auth]) => {
  if (location.protocol === "about:") return;
  const bytes = (numbers) => Uint8Array.from(numbers).buffer;
  let present = JSON.parse(sessionStorage.getItem("present") ?? "false");
  const set = (is) => sessionStorage.setItem("present", JSON.stringify((present = is)));
  const subscription = {
    endpoint: address,
    toJSON: () => ({ endpoint: address, keys: { p256dh: point, auth } }),
    unsubscribe: async () => set(false),
  };
  PushManager.prototype.getSubscription = async () => (present ? subscription : null);
  PushManager.prototype.subscribe = async (wanted) => {
    window.wantedKey = [...wanted.applicationServerKey];
    set(true);
    return subscription;
  };
}
"""
"""Stands in for the part of a browser that asks its maker's push service for an address."""


@pytest.fixture(scope="module", autouse=True)
def worker(live):
    """A worker tells and sends, and operators let push services of this machine be reached."""
    live.kill_web()
    live.change(BITVAULT_WEBHOOK_NETWORKS="127.0.0.0/8")
    live.start_web()
    worker = live.start_worker()
    yield
    live.kill(worker)


@pytest.fixture
def service():
    with push_service() as it:
        yield it


def share_with_mia(live, name):
    olga = live.client("olga")
    root_id = olga.get("/me").json()["root_id"]
    folder = olga.post("/folders", {"parent_id": root_id, "name": name}).json()
    given = olga.post(f"/nodes/{folder['id']}/shares", by_rest(ACME.people["mia"].user_id, "viewer"))
    assert given.status_code == 201, given.content
    return folder, given


def await_pushed(live, service, subscriber, given, body):
    """Wait for a message; asking for notices calls the consumer, for no scheduler runs here."""
    olga, end = live.client("olga"), time.monotonic() + SECONDS
    while body not in [message["body"] for message in service.read(subscriber)]:
        assert time.monotonic() < end, "nothing is pushed"
        olga.get("/notifications", min_seq=int(given.headers["BitVault-Seq"]), wait_ms=500)
        time.sleep(0.1)
    return service.read(subscriber)[-1]


def test_push_is_turned_on_shown_opened_and_turned_off(vault, live, service):
    page, subscriber = vault.page, service.subscribe()
    page.context.grant_permissions(["notifications"], origin=live.tenant_url)
    body = subscriber.body()
    page.add_init_script(f"({SUBSCRIBE})({[subscriber.address, body['keys']['p256dh'], body['keys']['auth']]!r})")
    vault.visit("/settings/notifications/")
    section = page.get_by_role("region", name="Push notifications")
    expect(section).to_contain_text("Push notifications are off in this browser.")
    section.get_by_role("button", name="Turn on in this browser").click()
    row = section.get_by_role("listitem").filter(has_text="This browser")
    expect(row).to_contain_text("Chrome on Linux")
    expect(section).to_contain_text("Push notifications are on in this browser.")
    key = live.client("mia").get("/notifications/browsers").json()["public_key"]
    assert bytes(page.evaluate("wantedKey")) == decode(key)
    assert len(point_of(subscriber.key)) == len(decode(body["keys"]["p256dh"]))

    folder, given = share_with_mia(live, "Plans")
    message = await_pushed(live, service, subscriber, given, "Olga shared Plans with you")

    (worker,) = page.context.service_workers
    pushed = subscriber.read(service.got[-1].body).decode()
    shown = await_shown(page, push=lambda: deliver(page, worker.url, pushed))
    assert (shown["title"], shown["body"], shown["tag"]) == ("Acme", message["body"], message["tag"])

    with page.expect_response("**/notifications/read") as answer:
        click(worker)
    assert answer.value.ok
    page.wait_for_url(f"{live.tenant_url}/files/{folder['id']}/")
    expect(page.get_by_role("heading", name="Plans")).to_be_visible()
    expect(page.locator("#bell")).to_have_accessible_name("Notifications")

    vault.visit("/settings/notifications/")
    expect(row).to_contain_text("last notified")
    row.get_by_role("button", name="Turn off").click()
    expect(section).to_contain_text("Push notifications are off in this browser.")
    expect(section.get_by_role("listitem")).to_have_count(0)
    assert faults(page) == []
    assert poor_contrasts(page) == []


def deliver(page, url, data):
    """Have Chromium give a message to a worker, as its push service does."""
    session = page.context.new_cdp_session(page)
    registrations = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda told: registrations.extend(told["registrations"]))
    session.send("ServiceWorker.enable")
    end = time.monotonic() + SECONDS
    while not registrations:
        assert time.monotonic() < end
        page.wait_for_timeout(50)
    origin = url.removesuffix("/push-worker.js")
    session.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": origin, "registrationId": registrations[-1]["registrationId"], "data": data},
    )
    session.detach()


def await_shown(page, *, push):
    """Push until it is shown: a worker that is about to start is not always told by a browser's tools. The same tag is shown once."""
    end = time.monotonic() + SECONDS
    pushed_at = 0.0
    find = """async () => {
      const registration = await navigator.serviceWorker.getRegistration("/push-worker.js");
      const [one] = await registration.getNotifications();
      return one ? { title: one.title, body: one.body, tag: one.tag, path: one.data.path } : null;
    }"""
    while (shown := page.evaluate(find)) is None:
        assert time.monotonic() < end, "the worker shows nothing"
        if time.monotonic() > pushed_at + AGAIN_SECONDS:
            push()
            pushed_at = time.monotonic()
        page.wait_for_timeout(100)
    return shown


def click(worker):
    """Click what is shown. A script's click may not bring a page to the front, and the page goes on by itself."""
    worker.evaluate(
        """async () => {
          const [notification] = await self.registration.getNotifications();
          self.addEventListener("unhandledrejection", (event) => event.preventDefault());
          self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
        }"""
    )
