"""A lesson that looks for cover goes to another time and another teacher in one press."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.lessons import LessonState
from scheduler.services import cover
from tests.standins import asked, call, get, join
from tests.web import cast_desk as desk
from tests.web.cast_desk import WED, plain

START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)


@pytest.fixture
def lesson(ctx, cast, clock):
    clock.at = START - timedelta(hours=44)
    desk.publish(ctx, cast, desk.at(cast, WED))
    return desk.lesson_of(ctx, cast).id


@pytest.fixture
def coordinator(site, cast, lesson):
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def sought(ctx, cast, lesson):
    join(ctx, cast, "third")
    cover.ask(ctx, cast.actors["coordinator"], lesson, "ốm")
    return f"/coordinator/lessons/{lesson}/cover/move"


def values(page) -> list[str]:
    return re.findall(r'name="time" value="([\d -]+)"', page.text)


def test_time_and_teacher_change_in_one_press(ctx, cast, coordinator, lesson, sought):
    assert asked(ctx, lesson)
    assert f'href="{sought}"' in coordinator.see(f"/coordinator/lessons/{lesson}").text
    page = coordinator.see(sought)
    before = get(ctx, lesson)
    chosen = next(x for x in values(page) if x.endswith(f" {cast['teacher2']}"))
    done = coordinator.submit(sought, {"time": chosen})
    assert (done.status_code, done.headers["location"]) == (303, f"/coordinator/lessons/{lesson}")
    after = get(ctx, lesson)
    assert (after.state, after.teacher_id) == (LessonState.SCHEDULED, cast["teacher2"])
    assert after.starts_at != before.starts_at
    assert call(ctx, lesson) is None
    assert all(offer.end is not None for offer in asked(ctx, lesson))
    assert "Cô teacher2" in plain(coordinator.see(f"/coordinator/lessons/{lesson}"))


def test_whoever_accepted_meanwhile_keeps_it(ctx, cast, coordinator, lesson, sought):
    chosen = values(coordinator.see(sought))[0]
    cover.take(ctx, cast.actors["coordinator"], lesson, cast["teacher2"], "đã gọi")
    refused = coordinator.submit(sought, {"time": chosen})
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert get(ctx, lesson).starts_at == START


@pytest.mark.parametrize("typed", ["", "x", "2023-10-05 9 x", "2023-13-05 450 1", "1 2 3 4"])
def test_nothing_or_nonsense_is_asked_for_again(ctx, coordinator, lesson, sought, typed):
    coordinator.see(sought)
    page = coordinator.submit(sought, {"time": typed})
    assert page.status_code == 422
    assert "Chọn giờ và người dạy" in plain(page)
    assert get(ctx, lesson).starts_at == START


def test_a_lesson_that_has_its_teacher_says_so(coordinator, lesson):
    page = coordinator.see(f"/coordinator/lessons/{lesson}/cover/move")
    assert 'name="time"' not in page.text
