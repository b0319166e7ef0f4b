"""Without network: a real browser shows what its reader asked it to keep, and to nobody else."""

import pytest
from playwright.sync_api import Error, expect

from tests.journeys.conftest import no_complaints
from tests.journeys.test_devices import entered
from tests.web.timetable import publish

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 800}
KEEP = "Giữ bản dùng khi mất mạng"
KEPT = (
    "async () => (await caches.has('kept')) ? (await (await caches.open('kept')).keys()).length : 0"
)


@pytest.fixture
def here(served):
    return served.settings.base_url


def keeping(browser, served, actor):
    """A phone whose owner pressed the button."""
    page = entered(browser, served, actor, viewport=PHONE)
    page.goto(f"{served.settings.base_url}/devices")
    page.get_by_role("button", name=KEEP).click()
    expect(page.get_by_text("Thiết bị này đang giữ một bản")).to_be_visible()
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    return page


def gone(page, url: str) -> bool:
    """Whether the browser has nothing at all to show there."""
    try:
        page.goto(url)
    except Error as error:
        return "ERR_" in str(error)
    return False


def test_a_teacher_reads_her_lessons_without_network_and_is_told_how_old_they_are(
    browser, served, cast, here
):
    publish(served, cast, weeks=2)
    page = keeping(browser, served, cast.actors["teacher1"])
    page.goto(f"{here}/teacher/lessons")
    expect(page.locator("#kept")).to_be_hidden()
    lessons = page.locator("main section li").all_inner_texts()
    assert lessons
    page.context.set_offline(True)
    with no_complaints(page):
        page.goto(f"{here}/teacher/lessons")
        expect(page.locator("#kept")).to_contain_text("Bản lưu lúc Thứ ")
        expect(page.locator("#kept")).to_contain_text("Không có mạng")
        assert page.locator("main section li").all_inner_texts() == lessons
        assert page.evaluate("getComputedStyle(document.querySelector('.top')).display") == "block"
        assert page.evaluate("document.fonts.check('600 16px \"Be Vietnam Pro\"')")
    page.goto(f"{here}/teacher")
    expect(page.locator("#kept")).to_be_visible()
    page.goto(f"{here}/account")  # never kept
    expect(page.get_by_role("heading", name="Không có mạng")).to_be_visible()
    page.context.set_offline(False)
    page.goto(f"{here}/teacher/lessons")
    expect(page.locator("#kept")).to_be_hidden()


def test_nothing_is_kept_where_nobody_asked_for_it(browser, served, cast, here):
    page = entered(browser, served, cast.actors["schoolA"])
    page.goto(f"{here}/devices")
    page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => {})")  # as for messages
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    page.goto(f"{here}/school")
    assert page.evaluate(KEPT) == 0
    page.context.set_offline(True)
    assert gone(page, f"{here}/school")


def test_after_signing_out_the_browser_has_nothing_of_hers(browser, served, cast, here):
    page = keeping(browser, served, cast.actors["schoolA"])
    page.goto(f"{here}/school")
    page.locator("footer form button").click()
    page.wait_for_url(f"{here}/sign-in")
    assert page.evaluate(KEPT) == 0
    page.context.set_offline(True)
    assert gone(page, f"{here}/school")


def test_signing_out_without_network_takes_the_copies_away_all_the_same(
    browser, served, cast, here
):
    page = keeping(browser, served, cast.actors["schoolA"])
    page.goto(f"{here}/school")
    page.context.set_offline(True)
    page.locator("footer form button").click()
    expect(page.locator("#lost")).to_be_focused()
    assert gone(page, f"{here}/school")


@pytest.mark.parametrize("ended", ["signed out elsewhere", "somebody else signed in"])
def test_a_page_of_another_reader_ends_the_copies(browser, served, cast, here, ended):
    page = keeping(browser, served, cast.actors["teacher1"])
    page.goto(f"{here}/teacher")
    assert page.evaluate(KEPT) > 0
    page.context.clear_cookies()
    if ended == "somebody else signed in":
        other = entered(browser, served, cast.actors["schoolA"])
        page.context.add_cookies(other.context.cookies())
    page.goto(f"{here}/")
    page.wait_for_function("async () => !(await caches.has('kept'))")
    page.context.set_offline(True)
    assert gone(page, f"{here}/teacher")


def test_a_form_that_cannot_go_out_keeps_what_was_typed(browser, served, cast, here):
    page = entered(browser, served, cast.actors["teacher1"], viewport=PHONE)
    with no_complaints(page):
        page.goto(f"{here}/teacher/reminders")
        box = page.locator("main form input[type=checkbox]").first
        box.set_checked(not box.is_checked())
        chosen = box.is_checked()
        page.context.set_offline(True)
        page.locator("main form button.main, main form button.go").first.click()
        expect(page.locator("#lost")).to_be_focused()
        expect(page.locator("#lost")).to_contain_text("Chưa gửi gì: không có mạng")
        assert box.is_checked() is chosen


def test_the_app_can_be_installed(browser, served, cast, here):
    page = entered(browser, served, cast.actors["teacher1"], viewport=PHONE)
    line = page.context.new_cdp_session(page)
    assert line.send("Page.getAppManifest")["errors"] == []
    told = line.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [each["errorId"] for each in told if each["errorId"] != "in-incognito"] == []
