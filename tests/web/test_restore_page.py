"""A lesson that was called off by mistake: its school and coordinators let it take place."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.lessons import Deed, LessonState
from scheduler.services import cover, lessons, sending
from tests.faults.kit import Post
from tests.standins import call, get
from tests.web import cast_desk as desk
from tests.web.cast_desk import WED, plain

BOTH = {"teacher1@x.example", "schoola@x.example"}
START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)


@pytest.fixture
def lesson(ctx, cast, clock):
    clock.at = START - timedelta(hours=20)
    desk.publish(ctx, cast, desk.at(cast, WED))
    return desk.lesson_of(ctx, cast).id


@pytest.fixture
def school(site, cast, lesson):
    return site.of(cast.actors["schoolA"])


@pytest.fixture
def coordinator(site, cast, lesson):
    return site.of(cast.actors["coordinator"])


def off(ctx, cast, lesson, who="schoolA"):
    lessons.call_off(ctx, cast.actors[who], lesson, "thi học kỳ")


def test_a_school_lets_its_lesson_take_place_after_all(ctx, cast, school, lesson):
    off(ctx, cast, lesson)
    before = get(ctx, lesson)
    assert "Báo huỷ nhầm?" in plain(school.see("/school?week=2023-10-04"))
    page = school.see(f"/school/lessons/{lesson}/call-off")
    assert "Vẫn dạy tiết này" in plain(page)
    done = school.submit(f"/school/lessons/{lesson}/restore", {})
    assert done.status_code == 303
    found = get(ctx, lesson)
    assert (found.state, found.cancel_reason) == (LessonState.SCHEDULED, "")
    assert found.sequence == before.sequence + 1
    assert found.changed_at > before.changed_at
    told = lessons.history(ctx, cast.actors["schoolA"], lesson)
    assert told[-1].deed is Deed.RESTORED
    assert school.submit(f"/school/lessons/{lesson}/restore", {}).status_code == 409


def test_its_people_hear_that_it_takes_place_after_they_heard_that_it_does_not(
    ctx, cast, clock, school, lesson
):
    post = Post()
    clock.forward(minutes=20)
    sending.send_due(ctx, post)  # that it was published
    off(ctx, cast, lesson)
    sending.send_due(ctx, post)
    assert _told(post, "Đã huỷ") == BOTH
    post.arrived.clear()
    school.submit(f"/school/lessons/{lesson}/restore", {})
    clock.forward(minutes=20)
    sending.send_due(ctx, post)
    assert _told(post, "Mới") == BOTH


def _told(post, news):
    letters = zip(post.subjects, post.recipients, strict=True)
    return {who for subject, who in letters if subject.startswith(f"{news}:")}


def test_what_a_coordinator_called_off_is_the_coordinators_to_bring_back(
    ctx, cast, school, coordinator, lesson
):
    off(ctx, cast, lesson, "coordinator")
    assert "Vẫn dạy tiết này" not in plain(school.see(f"/school/lessons/{lesson}/call-off"))
    assert school.submit(f"/school/lessons/{lesson}/restore", {}).status_code == 409
    assert get(ctx, lesson).state is LessonState.CANCELLED
    assert "Vẫn dạy tiết này" in plain(coordinator.see(f"/coordinator/lessons/{lesson}"))
    coordinator.submit(f"/coordinator/lessons/{lesson}/restore", {})
    page = plain(coordinator.see(f"/coordinator/lessons/{lesson}"))
    assert get(ctx, lesson).state is LessonState.SCHEDULED
    assert "Vẫn dạy sau khi đã huỷ" in page


def test_a_lesson_whose_teacher_cannot_come_looks_for_somebody_again(
    ctx, cast, coordinator, lesson
):
    cover.ask(ctx, cast.actors["coordinator"], lesson, "ốm")
    off(ctx, cast, lesson)
    page = coordinator.see(f"/coordinator/lessons/{lesson}")
    assert "(ốm)" in plain(page)
    coordinator.submit(f"/coordinator/lessons/{lesson}/restore", {})
    assert get(ctx, lesson).state is LessonState.COVER
    assert call(ctx, lesson).reason == "ốm"


def test_a_teacher_who_has_another_lesson_then_keeps_it_off_and_the_page_says_so(
    ctx, cast, coordinator, lesson
):
    off(ctx, cast, lesson)
    desk.publish(ctx, cast, desk.at(cast, WED, klass="8B"))
    page = coordinator.see(f"/coordinator/lessons/{lesson}")
    assert 'aria-disabled="true"' in page.text
    assert "Cô teacher1 không dạy được tiết này" in plain(page)
    refused = coordinator.submit(f"/coordinator/lessons/{lesson}/restore", {})
    assert refused.status_code == 409
    assert get(ctx, lesson).state is LessonState.CANCELLED


def test_once_it_was_to_begin_nothing_brings_it_back(ctx, cast, clock, school, lesson):
    off(ctx, cast, lesson)
    clock.at = START
    assert "Vẫn dạy tiết này" not in plain(school.see(f"/school/lessons/{lesson}/call-off"))
    assert school.submit(f"/school/lessons/{lesson}/restore", {}).status_code == 409
