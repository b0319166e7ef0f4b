"""Coming in by a mailed link: who may, how often, and what a stranger learns from the pages."""

import threading

import pytest

from scheduler.services import accounts, sessions
from tests.web.browser import BASE, mailed, messages

EMAIL = "teacher1@x.example"
SID = "__Host-sid"


def ask(browser, email=EMAIL):
    browser.see("/sign-in")
    return browser.submit("/sign-in", {"email": email})


def test_the_browser_that_asked_comes_in_with_one_press(ctx, cast, visitor):
    assert ask(visitor).status_code == 202
    link, _ = mailed(ctx)
    assert 'name="code"' not in visitor.see(link).text
    entered = visitor.submit(link)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert visitor.get("/").headers["location"] == "/teacher"
    assert visitor.get("/teacher").status_code == 200


def test_a_known_and_an_unknown_address_get_the_same_page_and_cookies(ctx, cast, site):
    known, unknown = site.browser(), site.browser()
    one = ask(known, "teacher1@x.example")
    two = ask(unknown, "nobody10@x.example")
    assert messages(ctx) == 1
    assert one.text == two.text.replace("nobody10@", "teacher1@")
    assert one.status_code == two.status_code
    shape = [(cookie.name, len(cookie.value)) for cookie in known.cookies.jar]
    assert shape == [(cookie.name, len(cookie.value)) for cookie in unknown.cookies.jar]


@pytest.mark.parametrize(
    "email",
    ["TEACHER1@X.EXAMPLE", "teacher1+a@x.example", "lan@trường.example",
     "a@xn--trng-rib8295b.example", "teacher1@х.example", "teacher1@x.exаmple",
     "a@" + ".".join(["b" * 60] * 3) + ".example"],
)  # fmt: skip
def test_any_address_that_can_be_one_gets_the_same_page(cast, site, email):
    """Known, unknown, with a plus, of another alphabet, or as long as they come."""
    known, other = (ask(site.browser(), each) for each in (EMAIL, email))
    assert other.status_code == 202
    assert other.text.replace(email, EMAIL) == known.text


@pytest.mark.parametrize("email", [EMAIL, "nobody10@x.example"])
@pytest.mark.parametrize(("language", "words"), [("vi", "Quá nhiều lần"), ("en", "Too often")])
def test_the_sixth_request_for_a_mailbox_is_told_to_wait(ctx, cast, site, email, language, words):
    browser = site.browser()
    browser.see("/sign-in")
    browser.submit("/language", {"language": language, "next": "/sign-in"})
    before = [ask(browser, email).status_code for _ in range(5)]
    sent = messages(ctx)
    refused = ask(browser, email.upper())
    assert before == [202] * 5
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "180")
    assert words in refused.text
    assert "set-cookie" not in refused.headers
    assert messages(ctx) == sent
    if email == EMAIL:
        assert browser.submit(mailed(ctx)[0]).status_code == 303  # what was sent before is good


def test_the_21st_request_of_one_address_is_told_to_wait(ctx, cast, visitor):
    statuses = [ask(visitor, f"somebody{n}@x.example").status_code for n in range(21)]
    assert statuses == [202] * 20 + [429]
    assert ask(visitor).status_code == 429
    assert messages(ctx) == 0


def test_codes_typed_without_end_are_told_to_wait(cast, visitor):
    ask(visitor)
    statuses = [
        visitor.submit("/sign-in/code", {"code": "AAAAAAAA"}).status_code for _ in range(21)
    ]
    assert statuses == [422] * 20 + [429]


def test_a_wrong_code_reads_the_same_for_a_known_and_an_unknown_address(cast, site):
    known, unknown = site.browser(), site.browser()
    ask(known)
    ask(unknown, "nobody@x.example")
    answers = [each.submit("/sign-in/code", {"code": "AAAAAAAA"}) for each in (known, unknown)]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].text == answers[1].text


def test_what_is_no_address_is_said_at_the_field(visitor, cast, ctx):
    answer = ask(visitor, "a@x.example, evil@x.example")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert messages(ctx) == 0


def test_looking_at_a_link_never_consumes_it(ctx, cast, visitor):
    ask(visitor)
    link, _ = mailed(ctx)
    for _ in range(3):
        assert visitor.get(link).status_code == 200
        head = visitor.head(link)
        assert (head.status_code, head.content) == (200, b"")
        assert SID not in visitor.cookies
    assert visitor.submit(link).status_code == 303


def test_another_browser_must_type_the_code(ctx, cast, site):
    ask(site.browser())
    link, code = mailed(ctx)
    other = site.browser()
    assert 'name="code"' in other.see(link).text
    assert other.submit(link).status_code == 200  # the button of a page it never saw
    assert SID not in other.cookies
    assert other.submit(link, {"code": f" {code[:4].lower()} {code[4:]}"}).status_code == 303
    assert other.get("/teacher").status_code == 200


def test_the_asking_browser_may_type_the_code_without_the_link(ctx, cast, visitor):
    ask(visitor)
    _, code = mailed(ctx)
    assert visitor.submit("/sign-in/code", {"code": code}).headers["location"] == "/"
    assert visitor.get("/teacher").status_code == 200


def test_five_wrong_codes_end_the_link(ctx, cast, site):
    asking, other = site.browser(), site.browser()
    ask(asking)
    link, code = mailed(ctx)
    other.see(link)
    statuses = [other.submit(link, {"code": "AAAAAAAA"}).status_code for _ in range(5)]
    assert statuses == [422, 422, 422, 422, 410]
    assert other.submit(link, {"code": code}).status_code == 410
    assert asking.submit(link).status_code == 410


def test_a_used_link_leads_its_own_user_home_and_nobody_else(ctx, cast, site):
    first = site.browser()
    ask(first)
    link, _ = mailed(ctx)
    first.submit(link)
    again = first.get(link)
    assert (again.status_code, again.headers["location"]) == (303, "/")
    assert site.browser().get(link).status_code == 410


def test_a_link_ends_after_ten_minutes_and_an_unknown_one_looks_the_same(ctx, cast, clock, visitor):
    ask(visitor)
    link, _ = mailed(ctx)
    clock.forward(minutes=10)
    expired, unknown = visitor.get(link), visitor.get("/sign-in/nothing")
    assert (expired.status_code, unknown.status_code) == (410, 410)
    assert visitor.submit(link).status_code == 410
    assert expired.text.replace(link, "") == unknown.text.replace("/sign-in/nothing", "")


def test_of_two_presses_at_once_one_comes_in(ctx, cast, site, visitor):
    ask(visitor)
    link, _ = mailed(ctx)
    twins = [site.browser(), site.browser()]
    for twin in twins:
        twin.cookies.update(visitor.cookies)
    barrier, entered = threading.Barrier(2), []

    def press(twin):
        barrier.wait()
        twin.submit(link)
        entered.append(SID in twin.cookies)

    threads = [threading.Thread(target=press, args=(twin,)) for twin in twins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entered) == [False, True]


def test_signing_out_ends_the_session_everywhere_its_cookie_went(cast, site):
    browser = site.of(cast.actors["teacher1"])
    stolen = browser.cookies[SID]
    left = browser.submit("/sign-out")
    assert left.headers["location"] == "/sign-in"
    assert SID not in browser.cookies
    thief = site.browser()
    thief.cookies.set(SID, stolen, domain="chungtay.example", path="/")
    assert thief.get("/teacher").headers["location"] == "/sign-in?next=/teacher"


def test_signing_in_again_ends_the_session_before(cast, site):
    browser = site.of(cast.actors["teacher1"])
    old = browser.cookies[SID]
    path = accounts.operator_link(site.ctx, EMAIL).removeprefix(BASE)
    assert browser.submit(path).status_code == 303
    assert browser.cookies[SID] != old
    assert sessions.who(site.ctx, old) is None


def test_a_coordinator_is_asked_again_after_twelve_idle_hours_and_a_teacher_is_not(
    cast, site, clock
):
    coordinator, teacher = (site.of(cast.actors[who]) for who in ("coordinator", "teacher1"))
    clock.forward(hours=13)
    assert coordinator.get("/coordinator").status_code == 303
    assert teacher.get("/teacher").status_code == 200


def test_one_comes_back_to_the_page_that_was_asked_for(ctx, cast, visitor):
    turned = visitor.get("/teacher/lessons")
    assert turned.headers["location"] == "/sign-in?next=/teacher/lessons"
    visitor.see("/sign-in?next=/teacher/lessons")
    visitor.submit("/sign-in", {"email": EMAIL})
    link, _ = mailed(ctx)
    assert visitor.submit(link).headers["location"] == "/teacher/lessons"


def test_odd_letters_of_an_address_come_back_as_they_were(ctx, cast, visitor):
    turned = visitor.get("/school/l%E1%BB%9Bp%3F?a=%C4%91")
    assert turned.status_code == 404
    turned = visitor.get("/teacher/lessons?tu%E1%BA%A7n=1")
    assert turned.headers["location"] == "/sign-in?next=/teacher/lessons%3Ftu%25E1%25BA%25A7n%3D1"
    visitor.see(turned.headers["location"])
    visitor.submit("/sign-in", {"email": EMAIL})
    link, _ = mailed(ctx)
    assert visitor.submit(link).headers["location"] == "/teacher/lessons?tu%E1%BA%A7n=1"


@pytest.mark.parametrize(
    "wish",
    ["//evil.org", "/\\evil.org", "https:evil", "https://evil.org", "javascript:alert(1)",
     "/\t/evil.org", "\\\\evil.org", "", "/a\u202eb", "/Hồng", "/" + "x" * 600],
)  # fmt: skip
def test_a_wish_to_go_elsewhere_leads_to_the_first_page(ctx, cast, visitor, wish):
    visitor.see("/sign-in", params={"next": wish})
    visitor.submit("/sign-in", {"email": EMAIL})
    link, _ = mailed(ctx)
    assert visitor.submit(link).headers["location"] == "/"
    chosen = visitor.see("/calendar") and visitor.submit(
        "/language", {"language": "en", "next": wish}
    )
    assert chosen.headers["location"] == "/"


def test_the_language_stays_for_a_visitor_and_goes_with_a_person(cast, site, visitor):
    assert '<html lang="vi">' in visitor.see("/sign-in").text
    changed = visitor.submit("/language", {"language": "en", "next": "/sign-in"})
    assert changed.headers["location"] == "/sign-in"
    assert '<html lang="en">' in visitor.get("/sign-in").text
    person = site.of(cast.actors["teacher1"])
    assert '<html lang="vi">' in person.get("/teacher").text
    person.submit("/language", {"language": "en", "next": "/teacher"})
    assert '<html lang="en">' in person.get("/teacher").text
    assert '<html lang="en">' in site.of(cast.actors["teacher1"]).get("/teacher").text


def test_a_language_we_do_not_speak_is_refused(visitor):
    assert visitor.submit("/language", {"language": "xx"}).status_code == 422


def test_kept_mail_is_for_coordinators_only(cast, site, visitor):
    assert visitor.get("/mail").status_code == 404
    assert site.of(cast.actors["teacher1"]).get("/mail").status_code == 404
    coordinator = site.of(cast.actors["coordinator"])
    assert coordinator.get("/mail").status_code == 200
    assert coordinator.get("/mail/..%2f..%2fsecret").status_code == 404
