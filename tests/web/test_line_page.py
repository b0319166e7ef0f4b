"""The line test: what the page may ask, what it is told, and how it goes without scripts."""

import gzip
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import security
from scheduler.domain import line as rules
from scheduler.security import Purpose
from scheduler.web import headers, view
from tests.conftest import KEY
from tests.web.timetable import change, publish

SCHOOL, TEACHER = "/school/line", "/teacher/line"
USUAL = "https://meet.jit.si"
MOST_SCRIPT = 2048


@pytest.fixture
def school(cast, site):
    return site.of(cast.actors["schoolA"])


@pytest.fixture
def teacher(cast, site):
    return site.of(cast.actors["teacher1"])


def shown(page, name):
    """Whether the page shows this verdict before any script runs."""
    return f'<div data-say="{name}">' in page.text


def ask_connections(page):
    return re.search(r"connect-src ([^;]*)", page.headers["content-security-policy"])[1]


def chain(browser, clock, place, *, trip=40, page=500):
    """Follow the redirects as a browser does that needs so many milliseconds for each."""
    browser.see(place)
    answer = browser.submit(place)
    hops = 0
    while answer.status_code == 303 and "/line/hop" in answer.headers["location"]:
        clock.forward(milliseconds=trip)
        answer = browser.get(answer.headers["location"])
        hops += 1
        if answer.status_code == 200:
            clock.forward(milliseconds=trip + page)
            answer = browser.get(refresh(answer))
            break
    return answer, hops


def refresh(page):
    return re.search(r'http-equiv="refresh" content="0;url=([^"]*)"', page.text)[1]


# -- whom the page may ask


def test_the_page_alone_may_ask_the_rooms_of_its_readers_lessons(ctx, cast, school, teacher):
    for browser, place in ((school, SCHOOL), (teacher, TEACHER)):
        page = browser.get(place)
        assert ask_connections(page) == f"'self' {USUAL}"
        assert ask_connections(browser.get("/calendar")) == "'self'"
    [first, second] = publish(ctx, cast, weeks=2)
    change(ctx, first, meeting_url="https://Phong.Example:8443/r/{room}?a=b")
    change(ctx, second, meeting_url="https://zoom.example/j/1")
    for browser, place in ((school, SCHOOL), (teacher, TEACHER)):
        page = browser.get(place)
        asked = "'self' https://phong.example:8443 https://zoom.example"
        assert ask_connections(page) == asked
        assert 'href="https://zoom.example" target="_blank" rel="noopener' in page.text
        assert headers.policy().split("; ")[0] in page.headers["content-security-policy"]


def test_the_room_of_somebody_elses_lesson_is_not_told(ctx, cast, site):
    [lesson] = publish(ctx, cast)
    change(ctx, lesson, meeting_url="https://kin.example/1")
    for name, place in (("schoolB", SCHOOL), ("teacher2", TEACHER)):
        page = site.of(cast.actors[name]).get(place)
        assert ask_connections(page) == f"'self' {USUAL}"
        assert "kin.example" not in page.text


def test_called_off_past_and_far_lessons_have_no_room_to_try(ctx, cast, clock, teacher):
    [first, second, third] = publish(ctx, cast, weeks=3)
    for n, lesson in enumerate((first, second, third)):
        change(ctx, lesson, meeting_url=f"https://r{n}.example/")
    change(ctx, second, state="cancelled")
    assert ask_connections(teacher.get(TEACHER)) == "'self' https://r0.example"
    clock.forward(days=4)
    assert ask_connections(teacher.get(TEACHER)) == "'self' https://r2.example"


NO_ORIGINS = (
    "http://plain.example/", "https://a.example; script-src *", "https://*.example/", "https://",
    "https://a b/", "javascript:alert(1)", "https://x'y.example", "https://a.example:99999/",
    "https://[::1]/", "https://-a.example/", f"https://{'a.' * 130}b/",
)  # fmt: skip


def test_what_is_no_https_host_is_never_in_the_policy(ctx, cast, teacher):
    [lesson] = publish(ctx, cast)
    for address in NO_ORIGINS:
        change(ctx, lesson, meeting_url=address)
        page = teacher.get(TEACHER)
        assert ask_connections(page) == "'self'", address
        assert "Từ đây không thử được phòng nào" in page.text


@given(st.text(max_size=60))
def test_whatever_an_address_is_its_origin_fits_a_policy(rest):
    for address in (rest, f"https://{rest}", f"https://a.example{rest}"):
        found = rules.origin(address)
        assert found is None or re.fullmatch(r"https://[a-z0-9.-]+(:\d{1,5})?", found)


def test_a_stranger_finds_nothing_there_and_a_visitor_signs_in(cast, site, school, teacher):
    assert school.get(TEACHER).status_code == 404
    assert teacher.get(SCHOOL).status_code == 404
    assert site.of(cast.actors["coordinator"]).get(SCHOOL).status_code == 404
    for path in (SCHOOL, "/line/ping", "/line/bytes", "/line/hop"):
        assert site.browser().get(path).headers["location"].startswith("/sign-in")


# -- what the script asks


def test_a_ping_is_empty_and_the_bytes_are_neither_kept_nor_packed(school):
    ping = school.get("/line/ping")
    assert (ping.status_code, ping.content) == (204, b"")
    assert ping.headers["cache-control"] == "no-store"
    body = school.get("/line/bytes", headers={"accept-encoding": "gzip"})
    assert body.headers["content-encoding"] == "identity"
    assert body.headers["cache-control"] == "no-store"
    assert len(body.content) == 200_000
    assert len(gzip.compress(body.content)) > 199_000
    assert school.get("/line/bytes").content != body.content


def test_a_few_tests_go_through_and_very_many_do_not(cast, site, school):
    for _ in range(10):
        assert school.get("/line/bytes").status_code == 200
    refused = school.get("/line/bytes")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    for _ in range(21):
        assert school.get("/line/ping").status_code == 204
    assert site.of(cast.actors["schoolB"]).get("/line/bytes").status_code == 200


def test_pings_are_limited(school):
    pings = [school.get("/line/ping").status_code for _ in range(251)]
    assert pings == [204] * 250 + [429]


def test_the_script_is_small_has_no_words_and_is_on_this_page_alone(school):
    script = (view.STATIC / "line.js").read_bytes()
    assert len(gzip.compress(script, 9)) <= MOST_SCRIPT
    assert not re.search(rb"[\x80-\xff]", script)
    assert "line.js" in school.get(SCHOOL).text
    assert "line.js" not in school.get("/school").text
    page = school.get(SCHOOL).text
    assert 'data-good="150 1 1.5"' in page
    assert 'data-fair="300 5 0.6"' in page
    for name in ("running", "good", "fair", "bad", "room", "cut", "many"):
        assert page.count(f'data-say="{name}"') == 1


# -- without scripts


def test_a_browser_without_scripts_is_sent_along_and_told(school, clock):
    for trip, name in ((40, "good"), (200, "fair"), (2000, "bad")):
        answer, hops = chain(school, clock, SCHOOL, trip=trip, page=700)
        assert hops == rules.HOPS
        assert answer.headers["location"].startswith(f"{SCHOOL}?t=")
        page = school.get(answer.headers["location"])
        assert [x for x in ("good", "fair", "bad") if shown(page, x)] == [name]
        milliseconds = f"{trip:,}".replace(",", ".")
        assert f"{milliseconds} ms, lâu nhất {milliseconds} ms" in page.text
        assert "700 ms" in page.text
        assert "Khi không có JavaScript, chúng tôi không biết được hơn" in page.text


@pytest.mark.parametrize(
    ("trip", "name"), [(0, "good"), (150, "good"), (151, "fair"), (300, "fair"), (301, "bad")]
)
def test_the_round_trip_decides_at_its_bounds(trip, name):
    assert rules.verdict(trip).value == name


def test_a_teacher_comes_back_to_the_teachers_page(teacher, clock):
    answer, _ = chain(teacher, clock, TEACHER)
    assert answer.headers["location"].startswith(f"{TEACHER}?t=")
    assert shown(teacher.get(answer.headers["location"]), "good")


def test_the_page_of_the_test_is_as_large_as_is_said(school, clock):
    school.see(SCHOOL)
    answer = school.submit(SCHOOL)
    while answer.status_code == 303:
        answer = school.get(answer.headers["location"], headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "identity"
    assert len(answer.content) > 60_000


def test_one_slow_answer_is_the_worst_and_not_the_median():
    arrivals = [0, 40, 80, 120, 1120, 1160, 1200, 1240, 1280, 1820]
    assert rules.timing(arrivals) == rules.Timing(trip_ms=40, worst_ms=1000, page_ms=500)


@given(st.lists(st.integers(-5000, 60_000), min_size=rules.HOPS + 1, max_size=rules.HOPS + 1))
def test_no_figure_is_below_nothing_and_the_worst_is_never_the_better(gaps):
    arrivals = [0]
    for gap in gaps:
        arrivals.append(arrivals[-1] + gap)
    told = rules.timing(arrivals)
    assert 0 <= told.trip_ms <= told.worst_ms
    assert told.page_ms >= 0


def test_a_result_is_shown_for_two_minutes_only(school, clock):
    answer, _ = chain(school, clock, SCHOOL)
    clock.forward(minutes=2)
    page = school.get(answer.headers["location"])
    assert page.status_code == 200
    assert "Lần thử này đã quá hai phút hoặc chưa xong" in page.text
    assert not any(shown(page, name) for name in ("good", "fair", "bad"))


def forged(person, arrivals, *, key=KEY, purpose=Purpose.LINE, place=SCHOOL):
    now = datetime(2023, 10, 1, 23, 30, tzinfo=UTC)
    subject = f"{person}:{place}:{arrivals}"
    return security.sign_link(key, purpose, subject, now, timedelta(minutes=2))


def test_a_forged_stale_or_borrowed_test_leads_to_the_page_with_a_sentence(
    cast, school, teacher, clock
):
    mine = cast["person_schoolA"]
    whole = ",".join(map(str, range(10)))
    started = school.submit(SCHOOL).headers["location"].split("t=")[1]
    tokens = [
        "x", "a.b.c", "é", started[:-2],
        forged(mine, "1,2", key=b"q" * 32),
        forged(mine, "1,2", purpose=Purpose.OFFER),
        forged(cast["person_schoolB"], "1,2"),
        forged(mine, whole),  # there is nothing after the last
        "",
    ]  # fmt: skip
    for token in tokens:
        answer = school.get(f"/line/hop?t={token}")
        assert (answer.status_code, answer.headers["location"]) == (303, SCHOOL)
        assert "Lần thử này đã quá hai phút" in school.get(SCHOOL).text
    assert teacher.get(f"/line/hop?t={started}").headers["location"] == TEACHER
    clock.forward(minutes=2)
    assert school.get(f"/line/hop?t={started}").headers["location"] == SCHOOL
    for token in (forged(mine, "1,2"), forged(cast["person_schoolB"], whole)):
        page = school.get(f"{SCHOOL}?t={token}")
        assert not shown(page, "good")
    assert school.get(f"/line/hop?t={'x' * 5000}").status_code == 422


def test_the_form_needs_the_token_of_its_session(school):
    assert school.submit(SCHOOL, {"csrf": "x"}).status_code == 403


# -- where it is offered


def test_the_test_is_offered_where_a_lesson_is_near(ctx, cast, clock, school, teacher):
    [lesson] = publish(ctx, cast)  # on Wednesday, and it is Monday, an hour earlier
    link, page = f'href="{TEACHER}"', f"/teacher/lessons/{lesson.id}"
    assert f'href="{SCHOOL}"' in school.get("/school").text
    assert link not in teacher.get("/teacher").text
    assert link not in teacher.get(page).text
    clock.forward(hours=1)
    assert link in teacher.get("/teacher").text
    assert link in teacher.get(page).text
    clock.forward(days=2)
    assert link not in teacher.get(page).text


def test_the_page_speaks_english(school):
    school.see(SCHOOL)
    school.submit("/language", {"language": "en"})
    page = school.get(SCHOOL).text
    for words in ("Will a lesson run on this line?", "Test the line", "Use sound only"):
        assert words in page
