"""A first visit leads by the hand: three steps, each told by what is there, until all are done."""

import pytest

from scheduler.domain.choices import Choices
from scheduler.store import choices
from tests.web.timetable import publish

DONE = "Xong</span>"


@pytest.fixture
def teacher(ctx, cast, site):
    publish(ctx, cast)
    return site.of(cast.actors["teacher1"])


def steps(browser, path):
    found = browser.see(path).text.split('id="steps"')
    return found[1].split("</section>")[0] if len(found) > 1 else None


def subscribe(browser, key):
    browser.submit("/calendar", {"device": "apple", "feed": key})


def test_a_teacher_sees_what_is_left_until_nothing_is(ctx, cast, teacher):
    shown = steps(teacher, "/teacher")
    assert shown.count(DONE) == 1  # the cast has said when it is free
    assert 'href="/calendar"' in shown
    assert 'href="/teacher/reminders"' in shown
    subscribe(teacher, f"teacher:{cast['teacher1']}")
    assert steps(teacher, "/teacher").count(DONE) == 2
    with ctx.transaction() as db:
        choices.save(db, cast["person_teacher1"], Choices())
    assert steps(teacher, "/teacher") is None


def test_a_school_sees_its_own_three(cast, site, teacher):
    school = site.of(cast.actors["schoolA"])
    assert steps(school, "/school").count(DONE) == 2
    subscribe(school, f"school:{cast['A']}")
    assert steps(school, "/school") is None


def test_what_is_put_off_stays_hidden_in_this_browser_alone(cast, site, teacher):
    assert steps(teacher, "/teacher")
    assert teacher.submit("/teacher/steps").headers["location"] == "/teacher"
    for _ in range(2):
        assert steps(teacher, "/teacher") is None
    assert steps(site.of(cast.actors["teacher1"]), "/teacher")


def test_what_one_reader_has_done_hides_nothing_from_another_in_the_browser(ctx, cast, teacher):
    subscribe(teacher, f"teacher:{cast['teacher1']}")
    with ctx.transaction() as db:
        choices.save(db, cast["person_teacher1"], Choices())
    for _ in range(2):  # looked for, and then known
        assert steps(teacher, "/teacher") is None
    assert steps(teacher.arrive(cast.actors["teacher2"]), "/teacher")
