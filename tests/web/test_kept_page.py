"""What came between and stands: a list, and taking days back with those lessons that can be."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from scheduler.domain.disruptions import Absence, Choice, Closure, Way
from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import LessonState
from scheduler.services import availability, cover, disruptions, lessons
from scheduler.store import tables
from tests.faults.kit import write
from tests.standins import get, join
from tests.web import cast_desk as desk
from tests.web.cast_desk import THU, WED, plain, queries

START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)
HERE = "/coordinator/disruptions/kept"
STORM = "bão số 4"


@pytest.fixture
def coordinator(site, cast, clock):
    clock.at = START - timedelta(hours=20)
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def lesson(ctx, cast, coordinator):
    desk.publish(ctx, cast, desk.at(cast, WED))
    return desk.lesson_of(ctx, cast).id


def met(ctx, cast, disruption, **choices):
    actor = cast.actors["coordinator"]
    seen = disruptions.preview(ctx, actor, disruption)
    chosen = {line.lesson.id: Choice(way) for line in seen.lines for way in choices.values()}
    disruptions.apply(ctx, actor, disruption, seen.fingerprint, chosen)


def closed(cast, *days: date, reason: str = STORM):
    return Closure((cast["A"], cast["B"]), DaySpan(days[0], days[-1]), reason)


def away(cast, day: date = WED):
    return Absence(cast["teacher1"], DaySpan(day, day), "công tác")


def link(page) -> str:
    return re.findall(rf'href="({HERE}/\w+/\d+)"', page.text)[0]


def sent(page) -> dict[str, object]:
    """What the page's form sends, as it stands."""
    seen = re.search(r'name="seen" value="(\w+)"', page.text)
    assert seen
    return {"seen": seen[1], "back": re.findall(r'name="back" value="(\d+)"', page.text)}


def test_what_stands_is_listed_with_days_reason_and_who_kept_it(ctx, cast, coordinator, lesson):
    met(ctx, cast, closed(cast, WED, THU), off=Way.CALL_OFF)
    met(ctx, cast, away(cast, date(2023, 10, 9)))
    page = coordinator.see(HERE)
    words = plain(page)
    assert "Tất cả các trường" in words
    assert "Thứ Tư 04/10" in words
    assert "Thứ Năm 05/10" in words
    assert STORM in words
    assert "Cô teacher1" in words
    assert "công tác" in words
    assert words.count("Cô coordinator") >= 2
    assert re.search(r'data-l="Số tiết bị ảnh hưởng">1<', page.text)


def test_a_search_needs_no_marks_and_the_past_is_apart(ctx, cast, site, clock, coordinator, lesson):
    met(ctx, cast, closed(cast, WED), off=Way.CALL_OFF)
    met(ctx, cast, away(cast, date(2023, 10, 9)))
    assert "công tác" not in plain(coordinator.see(f"{HERE}?q=BAO+SO"))
    assert "Không có gì như vậy" in plain(coordinator.see(f"{HERE}?q=dong+dat"))
    clock.at = START + timedelta(days=2)
    coordinator = site.of(cast.actors["coordinator"])
    assert STORM not in plain(coordinator.see(HERE))
    past = coordinator.see(f"{HERE}?when=behind")
    assert STORM in plain(past)
    assert "/closures/" not in past.text


def test_days_taken_back_give_back_what_was_called_off_for_them(ctx, cast, coordinator, lesson):
    met(ctx, cast, closed(cast, WED), off=Way.CALL_OFF)
    assert get(ctx, lesson).state is LessonState.CANCELLED
    path = link(coordinator.see(HERE))
    look = coordinator.see(path)
    assert "1 tiết có thể trở lại" in plain(look)
    assert get(ctx, lesson).state is LessonState.CANCELLED
    done = coordinator.submit(path, sent(look))
    assert (done.status_code, done.headers["location"]) == (303, HERE)
    found = get(ctx, lesson)
    assert (found.state, found.cancel_reason) == (LessonState.SCHEDULED, "")
    assert desk.count(ctx, tables.closed_days) == 0
    assert "1 tiết vẫn dạy" in plain(coordinator.see(HERE))


def test_a_lesson_without_its_tick_stays_called_off(ctx, cast, coordinator, lesson):
    met(ctx, cast, closed(cast, WED), off=Way.CALL_OFF)
    path = link(coordinator.see(HERE))
    coordinator.submit(path, sent(coordinator.see(path)) | {"back": []})
    assert get(ctx, lesson).state is LessonState.CANCELLED
    assert desk.count(ctx, tables.closed_days) == 0


def test_what_moved_stays_where_its_people_know_it(ctx, cast, coordinator, lesson):
    met(ctx, cast, closed(cast, WED))
    moved = get(ctx, lesson)
    assert moved.moved_from
    path = link(coordinator.see(HERE))
    page = coordinator.see(path)
    assert "Tiết này đã dời" in plain(page)
    coordinator.submit(path, sent(page))
    assert get(ctx, lesson).starts_at == moved.starts_at


def test_a_teacher_who_comes_after_all_keeps_the_lesson(ctx, cast, coordinator, lesson):
    join(ctx, cast, "third")
    met(ctx, cast, away(cast))
    assert get(ctx, lesson).state is LessonState.COVER
    path = link(coordinator.see(HERE))
    coordinator.submit(path, sent(coordinator.see(path)))
    assert get(ctx, lesson).state is LessonState.SCHEDULED
    assert not availability.desk(ctx, cast.actors["teacher1"]).own.away


def test_what_somebody_took_over_stays_theirs(ctx, cast, coordinator, lesson):
    met(ctx, cast, away(cast))
    cover.take(ctx, cast.actors["coordinator"], lesson, cast["teacher2"], "đã gọi")
    path = link(coordinator.see(HERE))
    page = coordinator.see(path)
    assert "Cô teacher2 đang phụ trách" in plain(page)
    coordinator.submit(path, sent(page))
    assert get(ctx, lesson).teacher_id == cast["teacher2"]


def test_a_school_still_closed_for_something_else_keeps_its_lesson_off(
    ctx, cast, coordinator, lesson
):
    met(ctx, cast, closed(cast, WED), off=Way.CALL_OFF)
    met(ctx, cast, closed(cast, WED, THU, reason="thi"))
    storm = next(
        path
        for path in re.findall(rf'href="({HERE}/\w+/\d+)"', coordinator.see(HERE).text)
        if STORM in coordinator.see(path).text
    )
    page = coordinator.see(storm)
    assert "Ngày đó trường không có tiết học" in plain(page)
    coordinator.submit(storm, sent(page))
    assert get(ctx, lesson).state is LessonState.CANCELLED
    assert desk.count(ctx, tables.closed_days) == 2


def test_an_old_look_is_refused_with_the_new_one(ctx, cast, coordinator, lesson):
    met(ctx, cast, away(cast))
    path = link(coordinator.see(HERE))
    seen = sent(coordinator.see(path))
    lessons.call_off(ctx, cast.actors["coordinator"], lesson, "mất điện")
    stale = coordinator.submit(path, seen)
    assert stale.status_code == 409
    assert 'role="alert"' in stale.text
    assert desk.count(ctx, tables.absences) == 1


def test_what_was_taken_back_is_not_there_a_second_time(ctx, cast, coordinator, lesson):
    met(ctx, cast, away(cast))
    path = link(coordinator.see(HERE))
    seen = sent(coordinator.see(path))
    assert coordinator.submit(path, seen).status_code == 303
    assert coordinator.submit(path, seen).status_code == 404


def test_the_list_takes_as_many_queries_for_more_days(ctx, cast, coordinator, lesson):
    met(ctx, cast, away(cast))
    coordinator.see(HERE)
    with queries(ctx) as few:
        coordinator.see(HERE)
    for day in (9, 10, 11):
        met(ctx, cast, away(cast, date(2023, 10, day)))
        met(ctx, cast, closed(cast, date(2023, 11, day)))
    with queries(ctx) as many:
        coordinator.see(HERE)
    assert len(many) == len(few)


def first_away(page) -> str:
    """The link of the first absence that is kept."""
    return re.findall(rf'href="({HERE}/absences/\d+)"', page.text)[0]


def taken_back(coordinator, path):
    page = coordinator.see(path)
    assert coordinator.submit(path, sent(page)).status_code == 303
    return plain(page)


def test_a_teacher_still_away_for_something_else_does_not_get_the_lesson_back(
    ctx, cast, coordinator, lesson
):
    join(ctx, cast, "third")
    met(ctx, cast, away(cast))
    ill = Absence(cast["teacher1"], DaySpan(WED, THU), "ốm")
    met(ctx, cast, ill)
    said = taken_back(coordinator, first_away(coordinator.see(HERE)))
    assert get(ctx, lesson).state is LessonState.COVER
    assert "Cô teacher1 không dạy được tiết này" in said


def test_other_days_away_for_the_same_reason_stay(ctx, cast, coordinator):
    desk.publish(ctx, cast, desk.at(cast, WED), desk.at(cast, THU, klass="8B"))
    join(ctx, cast, "third")
    met(ctx, cast, away(cast))
    met(ctx, cast, away(cast, THU))
    taken_back(coordinator, first_away(coordinator.see(HERE)))
    assert desk.lesson_of(ctx, cast).state is LessonState.SCHEDULED
    assert desk.lesson_of(ctx, cast, "8B").state is LessonState.COVER


def test_who_left_meanwhile_does_not_get_the_lesson_back(ctx, cast, coordinator, lesson):
    join(ctx, cast, "third")
    met(ctx, cast, away(cast))
    left = tables.teachers.c.id == cast["teacher1"]
    write(ctx, tables.teachers, left, left_at=ctx.now())
    taken_back(coordinator, first_away(coordinator.see(HERE)))
    assert get(ctx, lesson).state is LessonState.COVER
