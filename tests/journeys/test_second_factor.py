"""A real browser sets up a second factor and shows it, with a passkey and without any script."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from playwright.sync_api import expect

from scheduler.services import accounts, factors
from tests.journeys import conftest
from tests.journeys.conftest import no_complaints

# What a browser does is the same on both engines, and the pages are tested on both elsewhere.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

PHONE = {"width": 360, "height": 800}
BUILT_IN = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def served(ctx, cast):
    """Under a name: browsers let no passkey be bound to an IP address."""
    with conftest.serving(ctx, "localhost") as ours:
        yield ours


def entered(context, served, actor):
    """A page of somebody who used the link in the mail."""
    page = context.new_page()
    page.goto(accounts.operator_link(served, actor.email))
    page.click("main form button")
    page.wait_for_url(lambda where: "/sign-in/" not in where or "/factor" in where)
    return page


def again(page, served, actor):
    """The same browser, signed out and in again."""
    page.get_by_role("button", name="Đăng xuất").click()
    page.goto(accounts.operator_link(served, actor.email))
    page.click("main form button")
    page.wait_for_url(lambda where: where.endswith("/sign-in/factor"))


def test_with_a_passkey_one_press_is_enough(browser, served, cast):
    mine = cast.actors["coordinator"]
    context = browser.new_context(viewport=PHONE)
    page = entered(context, served, mine)
    expect(page).to_have_url(f"{served.settings.base_url}/sign-in/factor/set-up")
    line = context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    device = line.send("WebAuthn.addVirtualAuthenticator", {"options": BUILT_IN})
    with no_complaints(page):
        page.get_by_role("button", name="Tạo khoá truy cập trên máy này").click()
        expect(page.locator(".codes li")).to_have_count(10)
        page.get_by_role("link", name="Tôi đã cất giữ").click()
        page.wait_for_url("**/coordinator")
        again(page, served, mine)
        page.get_by_role("button", name="Dùng khoá truy cập").click()
        page.wait_for_url("**/coordinator")
        page.goto(f"{served.settings.base_url}/account/factor")
        expect(page.get_by_text("Khoá truy cập · Chrome · Linux")).to_be_visible()
        expect(page.get_by_text("dùng lần cuối")).to_be_visible()
    again(page, served, mine)
    stopped = {"authenticatorId": device["authenticatorId"], "isUserVerified": False}
    line.send("WebAuthn.setUserVerified", stopped)
    page.get_by_role("button", name="Dùng khoá truy cập").click()
    expect(page.get_by_text("Chưa dùng khoá truy cập.")).to_be_visible()
    page.goto(f"{served.settings.base_url}/coordinator")
    expect(page).to_have_url(f"{served.settings.base_url}/sign-in/factor")
    assert factors.mine(served, mine).count == 1
    context.close()


def test_without_script_an_app_and_paper_are_enough(browser, served, cast):
    mine = cast.actors["coordinator"]
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = entered(context, served, mine)
    secret = page.locator("#key").inner_text().replace(" ", "")
    expect(page.get_by_role("button", name="Tạo khoá truy cập trên máy này")).to_be_hidden()
    page.get_by_label("Sáu chữ số").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Dùng ứng dụng này").click()
    codes = page.locator(".codes li").all_inner_texts()
    page.get_by_role("link", name="Tôi đã cất giữ").click()
    page.wait_for_url("**/coordinator")

    again(page, served, mine)
    later = datetime.now(UTC) + timedelta(seconds=30)
    page.get_by_label("Sáu chữ số").fill(pyotp.TOTP(secret).at(later))
    page.get_by_role("button", name="Tiếp tục").click()
    page.wait_for_url("**/coordinator")

    again(page, served, mine)
    page.get_by_text("Không có điện thoại hay khoá truy cập bên mình").click()
    page.get_by_label("Một trong các mã dự phòng").fill(codes[0])
    page.get_by_role("button", name="Dùng mã này").click()
    page.wait_for_url("**/coordinator")
    assert factors.mine(served, mine).codes_left == 9
    context.close()
