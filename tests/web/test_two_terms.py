"""A new term is added while the old one runs: what people do every day stays with the old one."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from scheduler.domain import term_wishes
from scheduler.domain.disruptions import Absence, Closure
from scheduler.domain.intervals import DaySpan
from scheduler.domain.term_wishes import TermWish
from scheduler.errors import Invalid
from scheduler.services import disruptions, kept, lessons, terms
from scheduler.store import lessons as rows
from tests.web.cast_desk import at, plain, publish

HK2 = TermWish("Học kỳ II", date(2024, 1, 15), date(2024, 5, 31), 10, ())
WEDNESDAYS = [date(2023, 10, 4) + timedelta(days=7 * n) for n in range(12)]
DECEMBER = datetime(2023, 12, 5, 3, tzinfo=UTC)
EVERY_DAY = {
    "coordinator": (
        "/coordinator/week", "/coordinator/week?week=2023-11-15", "/coordinator/balance",
        "/coordinator/announce", "/coordinator/reports", "/coordinator/reports/certificates",
        "/coordinator/schools", "/coordinator/donor-schools", "/coordinator/partnerships",
        "/coordinator/schools/{A}", "/coordinator/lessons/{lesson}/change",
        "/coordinator/lessons/{lesson}/call-off", "/coordinator/disruptions",
    ),
    "teacher1": ("/teacher", "/teacher/lessons", "/teacher/lessons/{lesson}/swap"),
    "schoolA": ("/school", "/school/timetable", "/school/timetable/print"),
}  # fmt: skip


@pytest.fixture
def ahead(ctx, cast, clock):
    """A lesson each Wednesday of the old term; it is December.  The one of tomorrow."""
    publish(ctx, cast, *(at(cast, day) for day in WEDNESDAYS))
    clock.at = DECEMBER
    return lesson_on(ctx, cast, date(2023, 12, 6))


def lesson_on(ctx, cast, day):
    with ctx.reading() as db:
        found = rows.find(db, class_id=cast["7A"])
    return next(each for each in found if each.starts_at.date() == day)


def add(ctx, cast):
    return terms.add(ctx, cast.actors["coordinator"], "HK2", HK2)


def told(browser, path):
    """What the page says, but for what differs each time that it is asked for."""
    page = browser.see(path)
    assert page.status_code == 200, path
    return re.sub(r"\s+", " ", plain(page))


def test_everyday_pages_say_the_same_once_a_new_term_is_there(ctx, cast, site, ahead):
    pages = [
        (who, site.of(cast.actors[who]), path.format(lesson=ahead.id, A=cast["A"]))
        for who, paths in EVERY_DAY.items()
        for path in paths
    ]
    before = [told(browser, path) for _, browser, path in pages]
    add(ctx, cast)
    for (who, browser, path), was in zip(pages, before, strict=True):
        assert told(browser, path) == was, (who, path)


def test_a_week_of_the_new_term_can_be_looked_at_before_it_begins(ctx, cast, site, ahead):
    add(ctx, cast)
    for who, path in (("coordinator", "/coordinator/week"), ("schoolA", "/school/timetable")):
        assert "15/01" in told(site.of(cast.actors[who]), f"{path}?week=2024-01-17")


def test_the_new_term_is_shown_once_the_old_one_is_over(ctx, cast, site, ahead, clock):
    add(ctx, cast)
    clock.at = datetime(2024, 1, 2, 3, tzinfo=UTC)
    assert "15/01" in told(site.of(cast.actors["schoolA"]), "/school")


def test_lessons_of_the_old_term_are_called_off_and_brought_back(ctx, cast, ahead):
    add(ctx, cast)
    school, coordinator = cast.actors["schoolA"], cast.actors["coordinator"]
    assert lessons.call_off(ctx, school, ahead.id, "Mất điện").cancel_reason == "Mất điện"
    span = DaySpan(date(2023, 12, 13), date(2023, 12, 13))
    closed = Closure((cast["A"],), span, "Mưa lũ")
    seen = disruptions.preview(ctx, coordinator, closed)
    assert [line.lesson.starts_at.date() for line in seen.lines] == [span.first_day]
    disruptions.apply(ctx, coordinator, closed, seen.fingerprint)
    [there] = kept.board(ctx, coordinator).ahead
    look = kept.look(ctx, coordinator, there.id, away=False)
    wanted = [line.lesson.id for line in look.lines]
    kept.undo(ctx, coordinator, there.id, look.seen, wanted, away=False)
    assert kept.board(ctx, coordinator).ahead == ()


def test_days_away_are_kept_and_taken_back_in_the_old_term(ctx, cast, ahead):
    coordinator = cast.actors["coordinator"]
    away = Absence(cast["teacher1"], DaySpan(date(2023, 12, 6), date(2023, 12, 6)), "Tập huấn")
    seen = disruptions.preview(ctx, coordinator, away)
    disruptions.apply(ctx, coordinator, away, seen.fingerprint)
    add(ctx, cast)
    [there] = kept.board(ctx, coordinator).ahead
    look = kept.look(ctx, coordinator, there.id, away=True)
    assert [line.lesson.id for line in look.lines] == [ahead.id]
    kept.undo(ctx, coordinator, there.id, look.seen, [ahead.id], away=True)
    assert kept.board(ctx, coordinator).ahead == ()


def test_a_basket_changes_lessons_of_the_term_that_they_are_of(ctx, cast, site, ahead):
    add(ctx, cast)
    desk = site.of(cast.actors["coordinator"])
    path = f"/coordinator/lessons/{ahead.id}/change"
    desk.see(path)
    put = desk.submit(path, {"teacher": str(cast["teacher2"])})
    assert put.status_code == 303, put.text
    assert "Cô teacher2" in told(desk, "/coordinator/basket")


def test_days_of_the_other_term_are_not_taken_into_this_one(ctx, cast, ahead):
    add(ctx, cast)
    coordinator = cast.actors["coordinator"]
    seen = terms.one(ctx, coordinator, cast["term"])
    longer = replace(term_wishes.wish_of(seen.term), last_day=date(2024, 1, 31))
    with pytest.raises(Invalid) as refused:
        terms.change(ctx, coordinator, cast["term"], longer, seen.seen)
    assert "two terms share no day" in str(refused.value.fields["last_day"])
    assert terms.one(ctx, coordinator, cast["term"]) == seen


def test_a_persons_card_says_what_was_promised_for_the_running_term(ctx, cast, site, ahead):
    desk = site.of(cast.actors["coordinator"])
    path = f"/coordinator/people/{cast['person_teacher1']}"
    before = told(desk, path)
    add(ctx, cast)
    assert told(desk, path) == before
