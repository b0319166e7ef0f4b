"""A teacher is away, schools are closed: looked at first, then met in one press."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.lessons import LessonState
from scheduler.services import lessons
from scheduler.store import tables
from tests.standins import get, join
from tests.web import cast_desk as desk
from tests.web.cast_desk import WED, plain, queries

START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)
HERE = "/coordinator/disruptions"
DAY = "04/10/2023"


@pytest.fixture
def coordinator(site, cast, clock):
    clock.at = START - timedelta(hours=20)
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def lesson(ctx, cast, coordinator):
    desk.publish(ctx, cast, desk.at(cast, WED))
    return desk.lesson_of(ctx, cast).id


def again(page) -> dict[str, str]:
    """What the preview's form sends, as it stands."""
    form = page.text.partition(f'action="{HERE}"')[2].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(?!csrf)(\w+)" value="([^"]*)"', form))


def test_an_absence_is_seen_first_and_met_in_one_press(ctx, cast, coordinator, lesson):
    join(ctx, cast, "third")
    coordinator.see(HERE)
    said = {
        "kind": "away", "teacher": str(cast["teacher1"]), "first_day": DAY, "reason": "công tác",
    }  # fmt: skip
    page = coordinator.submit(HERE, said)
    assert "1 tiết bị ảnh hưởng" in plain(page)
    assert "Tìm người dạy thay" in plain(page)
    assert get(ctx, lesson).state is LessonState.SCHEDULED
    done = coordinator.submit(HERE, again(page))
    assert (done.status_code, done.headers["location"]) == (303, "/coordinator")
    assert get(ctx, lesson).state is LessonState.COVER
    assert "1 tiết tìm người dạy thay" in plain(coordinator.see("/coordinator"))


def test_a_storm_closes_all_schools_of_a_district_unless_chosen_otherwise(
    ctx, cast, coordinator, lesson
):
    coordinator.see(HERE)
    said = {"kind": "closed", "district": "Lục Yên", "first_day": DAY, "reason": "bão số 4"}
    page = coordinator.submit(HERE, said)
    assert "Dời" in plain(page)
    assert f'name="way-{lesson}"' in page.text
    chosen = again(page) | {f"way-{lesson}": "call_off"}
    assert coordinator.submit(HERE, chosen).status_code == 303
    found = get(ctx, lesson)
    assert (found.state, found.cancel_reason) == (LessonState.CANCELLED, "bão số 4")
    assert desk.count(ctx, tables.closed_days) == 2


def test_an_old_look_is_refused_with_the_new_one(ctx, cast, coordinator, lesson):
    coordinator.see(HERE)
    said = {"kind": "closed", "everywhere": "yes", "first_day": DAY, "reason": "bão"}
    seen = again(coordinator.submit(HERE, said))
    lessons.call_off(ctx, cast.actors["coordinator"], lesson, "mất điện")
    stale = coordinator.submit(HERE, seen)
    assert stale.status_code == 409
    assert 'role="alert"' in stale.text
    assert "Không có tiết nào bị ảnh hưởng" in plain(stale)
    assert desk.count(ctx, tables.closed_days) == 0
    assert coordinator.submit(HERE, again(stale)).status_code == 303


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({}, set()),
        ({"kind": "away"}, {"away-teacher", "away-first_day", "away-reason"}),
        ({"kind": "closed", "first_day": DAY, "reason": "bão"}, {"closed-district"}),
        ({"kind": "closed", "everywhere": "yes", "first_day": "31/02/2023", "reason": "bão"},
         {"closed-first_day"}),
        ({"kind": "closed", "everywhere": "yes", "first_day": DAY, "last_day": "03/10/2023",
          "reason": "bão"}, {"closed-last_day"}),
        ({"kind": "closed", "everywhere": "yes", "first_day": "04/10/2024", "reason": "bão"},
         {"closed-first_day"}),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_at_its_field(coordinator, lesson, said, fields):
    coordinator.see(HERE)
    page = coordinator.submit(HERE, said)
    assert page.status_code == 422
    found = set(re.findall(r'<li><a href="#([\w-]+)"', page.text))
    assert found == fields or (not said and 'role="alert"' in page.text)
    assert all(f'id="{each}"' in page.text for each in fields)


def test_a_strangers_teacher_and_an_unknown_school_are_not_there(site, cast, coordinator, lesson):
    coordinator.see(HERE)
    away = {"kind": "away", "teacher": "987654", "first_day": DAY, "reason": "x"}
    closed = {"kind": "closed", "school": "XX", "first_day": DAY, "reason": "lý do kín"}
    for form in (away, closed):  # said at the form, which keeps what was typed
        page = coordinator.submit(HERE, form)
        assert page.status_code == 422
        assert f'value="{form["reason"]}"' in page.text


def test_the_form_takes_as_many_queries_for_more_teachers(ctx, cast, coordinator):
    coordinator.see(HERE)
    with queries(ctx) as few:
        coordinator.see(HERE)
    for name in ("x", "y", "z"):
        join(ctx, cast, name)
    with queries(ctx) as many:
        coordinator.see(HERE)
    assert len(many) == len(few)


def test_a_storm_over_more_than_a_thousand_lessons_can_be_sent(coordinator):
    coordinator.see(HERE)
    choices = {f"way-{n}": "leave" for n in range(1, 1200)}
    storm = {"kind": "closed", "everywhere": "yes", "first_day": DAY, "reason": "bão"}
    page = coordinator.submit(HERE, storm | choices)
    assert page.status_code == 200
