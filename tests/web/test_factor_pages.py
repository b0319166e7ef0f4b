"""The way from the mail link through the second factor, and the page that changes it."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pyotp

from scheduler.services import accounts, factors
from scheduler.web import guard
from tests.passkey import Device
from tests.web.browser import BASE

PROOF, SET_UP, HERE = "/sign-in/factor", "/sign-in/factor/set-up", "/account/factor"
SID = "__Host-sid"


def entered(site, actor):
    """A browser that used its mail link and nothing else."""
    browser = site.browser()
    path = accounts.operator_link(site.ctx, actor.email).removeprefix(BASE)
    browser.see(path)
    assert browser.submit(path).status_code == 303
    return browser


def code(secret, steps=0):
    """What a phone shows now, or so many steps later."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30 * steps))


def offered(page):
    """The secret of a set-up page, and the sealed one of its form."""
    secret = re.search(r'id="key">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")
    return secret, unescape(re.search(r'name="sealed" value="([^"]+)"', page.text)[1])


def codes_of(page):
    return re.findall(r"<li>([A-Z2-9]{5} [A-Z2-9]{5})", page.text)


def set_up(browser, path=SET_UP):
    secret, sealed = offered(browser.see(path))
    page = browser.submit(path, {"sealed": sealed, "code": code(secret)})
    return secret, page


def test_a_coordinator_is_led_from_the_link_over_the_set_up_to_the_page_she_asked_for(cast, site):
    browser = site.browser()
    browser.see("/sign-in?next=/coordinator/messages")
    path = accounts.operator_link(site.ctx, cast.actors["coordinator"].email).removeprefix(BASE)
    browser.see(path)
    assert browser.submit(path).headers["location"] == "/coordinator/messages"
    assert browser.get("/coordinator/messages").headers["location"] == PROOF
    assert browser.get(PROOF).headers["location"] == SET_UP
    half = browser.cookies[SID]
    _, page = set_up(browser)
    assert page.status_code == 200
    assert len(codes_of(page)) == 10
    assert 'href="/coordinator/messages"' in page.text
    assert browser.cookies[SID] != half
    assert browser.get("/coordinator/messages").status_code == 200
    assert browser.get(SET_UP).headers["location"] == PROOF
    assert browser.get(PROOF).headers["location"] == "/"


def test_the_set_up_page_works_by_eye_by_hand_and_on_the_phone_itself(cast, site):
    page = entered(site, cast.actors["coordinator"]).see(SET_UP)
    secret, _ = offered(page)
    uri = unescape(re.search(r'href="(otpauth:[^"]+)"', page.text)[1])
    assert pyotp.parse_uri(uri).secret == secret
    assert pyotp.parse_uri(uri).name == "coordinator@x.example"
    assert re.search(r'class="qr" src="data:image/svg', page.text)
    assert re.search(r'id="key">([A-Z2-7]{4} ){7}[A-Z2-7]{4}<', page.text)


def test_a_wrong_first_code_keeps_the_secret_that_the_phone_has_scanned(cast, site):
    browser = entered(site, cast.actors["coordinator"])
    secret, sealed = offered(browser.see(SET_UP))
    page = browser.submit(SET_UP, {"sealed": sealed, "code": "12345"})
    assert page.status_code == 422
    assert "Đây không phải mã ứng dụng đang hiện" in page.text
    assert offered(page)[0] == secret
    assert browser.get("/coordinator").headers["location"] == PROOF
    assert browser.submit(SET_UP, {"sealed": "made up", "code": "12345"}).status_code == 422


def test_at_the_next_sign_in_the_six_digits_open_the_house_and_once_only(cast, site):
    secret, _ = set_up(entered(site, cast.actors["coordinator"]))
    browser = entered(site, cast.actors["coordinator"])
    assert browser.get("/coordinator?week=1").headers["location"] == PROOF
    assert browser.get(SET_UP).headers["location"] == PROOF
    browser.see(PROOF)
    typed = code(secret, 1)
    opened = browser.submit(PROOF, {"code": typed})
    assert (opened.status_code, opened.headers["location"]) == (303, "/coordinator?week=1")
    assert browser.get("/coordinator").status_code == 200
    replay = entered(site, cast.actors["coordinator"])
    replay.see(PROOF)
    refused = replay.submit(PROOF, {"code": typed})
    assert refused.status_code == 422
    assert "Mã này đã dùng rồi" in refused.text
    assert replay.get("/coordinator").headers["location"] == PROOF


def test_a_recovery_code_opens_once(cast, site):
    _, page = set_up(entered(site, cast.actors["coordinator"]))
    typed = codes_of(page)[0].lower()
    for expected in (303, 422):
        browser = entered(site, cast.actors["coordinator"])
        browser.see(PROOF)
        answer = browser.submit(PROOF, {"recovery": typed})
        assert answer.status_code == expected
    assert "hoặc mã đã dùng rồi" in answer.text
    assert '<details class="more" open>' in answer.text


def test_after_ten_tries_the_page_says_when_to_come_back(cast, site):
    set_up(entered(site, cast.actors["coordinator"]))
    browser = entered(site, cast.actors["coordinator"])
    browser.see(PROOF)
    statuses = [browser.submit(PROOF, {"code": "000000"}).status_code for _ in range(10)]
    assert statuses == [422] * 9 + [429]
    told = browser.submit(PROOF, {"code": "000000"})
    assert 0 < int(told.headers["retry-after"]) <= 180
    assert re.search(r"thử lại sau [1-3] phút", told.text)


def test_half_signed_in_there_is_nothing_to_see_but_the_way_on_and_the_way_out(cast, site):
    browser = entered(site, cast.actors["coordinator"])
    page = browser.see(SET_UP)
    assert "/coordinator" not in page.text
    assert 'href="/mail"' not in page.text
    for path in ("/account/factor", "/calendar", "/devices"):
        assert browser.get(path).headers["location"] == PROOF
    assert browser.get("/").headers["location"] == PROOF
    assert '<html lang="en">' not in page.text
    browser.submit("/language", {"language": "en", "next": SET_UP})
    assert '<html lang="en">' in browser.see(SET_UP).text
    missing = browser.see("/nothing-here")
    assert missing.status_code == 404
    assert browser.submit("/sign-out").headers["location"] == "/sign-in"
    assert browser.get(SET_UP).headers["location"].startswith("/sign-in?next=")


def test_a_teacher_has_no_such_pages(cast, site):
    browser = site.of(cast.actors["teacher1"])
    assert browser.get(HERE).status_code == 404
    assert browser.get(PROOF).headers["location"] == "/"
    assert browser.get(SET_UP).headers["location"] == PROOF
    for path in (f"{PROOF}/challenge", f"{SET_UP}/challenge"):
        assert browser.submit(path).status_code == 404


def test_every_page_on_the_way_needs_the_token_of_its_form(cast, site):
    browser = entered(site, cast.actors["coordinator"])
    for path in sorted(guard.HALF_OPEN):
        assert browser.submit(path, {"csrf": "wrong"}).status_code == 403


def test_a_passkey_sets_up_and_shows(cast, site):
    device, browser = Device(), entered(site, cast.actors["coordinator"])
    assert 'data-passkey="create"' in browser.see(SET_UP).text
    options = browser.submit(f"{SET_UP}/challenge")
    assert options.headers["content-type"] == "application/json"
    page = browser.submit(SET_UP, {"credential": device.make(options.text)})
    assert len(codes_of(page)) == 10
    later = entered(site, cast.actors["coordinator"])
    assert 'data-passkey="get"' in later.see(PROOF).text
    asked = later.submit(f"{PROOF}/challenge")
    assert json.loads(asked.text)["rpId"] == "chungtay.example"
    opened = later.submit(PROOF, {"credential": device.sign(asked.text)})
    assert (opened.status_code, opened.headers["location"]) == (303, "/")
    assert later.get("/coordinator").status_code == 200
    refused = later.submit(f"{HERE}/passkeys", {"credential": "{}"})
    assert refused.status_code == 422


def test_factors_are_listed_added_changed_and_removed(cast, site):
    browser = entered(site, cast.actors["coordinator"])
    set_up(browser)
    page = browser.see(HERE)
    assert "Ứng dụng trên điện thoại" in page.text
    assert "Còn 10 mã." in page.text
    assert f"{HERE}/app/remove" not in page.text  # the only one
    assert browser.submit(f"{HERE}/app/remove").status_code == 409
    asked = browser.submit(f"{SET_UP}/challenge")
    made = browser.submit(f"{HERE}/passkeys", {"credential": Device().make(asked.text)})
    assert made.headers["location"] == HERE
    _, page = set_up(browser, f"{HERE}/app")
    assert page.headers["location"] == HERE
    assert "Từ giờ ứng dụng có hiệu lực." in browser.see(HERE).text
    assert browser.submit(f"{HERE}/app/remove").status_code == 303
    [passkey] = factors.mine(site.ctx, cast.actors["coordinator"]).passkeys
    assert browser.submit(f"{HERE}/passkeys/{passkey.id}/remove").status_code == 409
    assert browser.submit(f"{HERE}/passkeys/999/remove").status_code == 404
    fresh = browser.submit(f"{HERE}/codes")
    assert len(codes_of(fresh)) == 10
    assert f'href="{HERE}"' in fresh.text


def test_after_a_quarter_of_an_hour_the_factor_is_asked_for_again(cast, site, clock):
    browser = entered(site, cast.actors["coordinator"])
    secret, _ = set_up(browser)
    clock.forward(minutes=15)
    assert browser.get("/coordinator").status_code == 200
    assert browser.get(HERE).headers["location"] == PROOF
    browser.see(PROOF)
    assert browser.submit(f"{HERE}/codes").headers["location"] == PROOF
    browser.see(PROOF)
    opened = browser.submit(PROOF, {"code": code(secret, 1)})
    assert opened.headers["location"] == HERE
    assert browser.get(HERE).status_code == 200


def test_a_page_may_name_where_to_go_on_to_and_no_other_host(cast, site):
    secret, _ = set_up(entered(site, cast.actors["coordinator"]))
    browser = entered(site, cast.actors["coordinator"])
    browser.see(f"{PROOF}?next=//evil.example")
    browser.see(f"{PROOF}?next=/account/factor")
    assert browser.submit(PROOF, {"code": code(secret, 1)}).headers["location"] == HERE
