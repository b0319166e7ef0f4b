"""A real browser is signed up for messages, shows one, and opens nothing of another house."""

import json

import pytest
from playwright.sync_api import expect

from scheduler.services import accounts, devices
from tests.delivery.browsers import Browser as Keys
from tests.delivery.browsers import letters
from tests.faults.kit import until
from tests.journeys.conftest import no_complaints

pytestmark = pytest.mark.browser

# The makers' services cannot be asked from here: this browser answers for them.
ANSWERS = """
const keys = %s;
const bytes = (word) => Uint8Array.from(atob(word), (letter) => letter.charCodeAt(0)).buffer;
const made = { endpoint: keys.endpoint, getKey: (name) => bytes(keys[name]) };
PushManager.prototype.getSubscription = async () => (sessionStorage.made ? made : null);
PushManager.prototype.subscribe = async (wish) => {
  if (!wish.userVisibleOnly || wish.applicationServerKey.length !== 65) throw new Error("key");
  sessionStorage.made = 1;
  return made;
};
"""


SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map((each) => [each.title, each.body, each.tag, each.lang])"""


def entered(browser, ctx, actor, **more):
    context = browser.new_context(**more)
    page = context.new_page()
    page.goto(accounts.operator_link(ctx, actor.email))
    page.click("main form button")
    page.wait_for_url(lambda where: "/sign-in/" not in where)
    return page


def padded(word: str) -> str:
    return word.replace("-", "+").replace("_", "/") + "=" * (-len(word) % 4)


def test_a_browser_is_signed_up_and_shows_what_is_pushed(browser, served, cast):
    mine, here = cast.actors["teacher1"], served.settings.base_url
    told = Keys().subscription()
    page = entered(browser, served, mine, viewport={"width": 360, "height": 800})
    page.context.grant_permissions(["notifications"], origin=here)
    keys = {"endpoint": told.endpoint, "p256dh": padded(told.p256dh), "auth": padded(told.auth)}
    page.add_init_script(ANSWERS % json.dumps(keys))
    with no_complaints(page):
        page.goto(f"{here}/devices")
        page.get_by_role("button", name="Gửi tin đến thiết bị này").click()
        expect(page.get_by_text("Thiết bị này đang nhận tin")).to_be_visible()
        expect(page.locator("li [data-this]")).to_be_visible()
    [device] = devices.mine(served, mine)
    assert device.name == "Chrome · Linux"
    with served.reading() as db:
        [address] = devices.addresses(served, db, mine.person_id)
    assert json.loads(address)["keys"] == {
        "p256dh": told.p256dh,
        "auth": letters(b"0123456789abcdef"),
    }

    shown = _pushed(page, {"title": "Tiết dạy 7A", "body": "07:30", "url": f"{here}/teacher",
                           "tag": "t", "lang": "vi"})  # fmt: skip
    assert shown == [["Tiết dạy 7A", "07:30", "t", "vi"]]
    newer = _pushed(page, {"title": "Đổi giờ", "body": "", "url": "/", "tag": "t", "lang": "vi"})
    assert newer == [["Đổi giờ", "", "t", "vi"]]  # in the place of the older

    [worker] = page.context.service_workers
    for wish, way in ((f"{here}/teacher?a=1", f"{here}/teacher?a=1"), ("/j/x", f"{here}/j/x")):
        assert worker.evaluate("ours", wish) == way
    for wish in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "http://["):
        assert worker.evaluate("ours", wish) == "/"


def _pushed(page, told):
    """What the worker shows of a message that its maker's service hands over."""
    origin = page.evaluate("location.origin")
    line = page.context.new_cdp_session(page)
    found = []
    line.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.append(event))
    line.send("ServiceWorker.enable")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    # Some of the events name none; asking the page lets those that wait come in.
    until(lambda: page.evaluate("1") and any(event["registrations"] for event in found))
    named = next(event["registrations"][0] for event in found[::-1] if event["registrations"])
    registration = named["registrationId"]
    line.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": origin, "registrationId": registration, "data": json.dumps(told)},
    )
    until(lambda: told["title"] in [each[0] for each in page.evaluate(SHOWN)])
    return page.evaluate(SHOWN)


def test_a_browser_that_may_not_show_messages_is_told_the_way_out(browser, served, cast):
    page = entered(browser, served, cast.actors["schoolA"])
    page.add_init_script('Object.defineProperty(Notification, "permission", { value: "denied" })')
    page.goto(f"{served.settings.base_url}/devices")
    expect(page.get_by_text("Trình duyệt này không cho gửi tin")).to_be_visible()
    expect(page.get_by_role("button", name="Gửi tin đến thiết bị này")).to_be_hidden()


def test_without_script_the_page_says_what_to_do(browser, served, cast):
    page = entered(browser, served, cast.actors["schoolA"], java_script_enabled=False)
    page.goto(f"{served.settings.base_url}/devices")
    expect(page.get_by_text("Trình duyệt này chưa nhận tin được")).to_be_visible()
    expect(page.get_by_text("Thêm vào MH chính")).to_be_visible()
