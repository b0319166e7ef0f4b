"""Balance: shares of teachers and schools, what donor schools pledge, and sharing out anew."""

import pytest

from scheduler.domain.runs import Scope
from scheduler.services import programmes, runs
from scheduler.store import runs as store
from scheduler.store import school_pledges, tables
from scheduler.web.pages import balance
from tests import outcomes
from tests.web import cast_desk as desk
from tests.web.cast_desk import THU, WED

HERE = "/coordinator/balance"


@pytest.fixture
def coordinator(site, cast):
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def timetable(ctx, cast):
    """Teacher 1 gives two lessons, teacher 2 none."""
    return desk.publish(ctx, cast, desk.at(cast, WED), desk.at(cast, THU, "08:25", "8B"))


def test_it_says_first_how_much_of_what_was_asked_for_has_a_teacher(coordinator, timetable):
    page = coordinator.see(HERE)
    assert page.status_code == 200
    assert "8\N{NO-BREAK SPACE}% số tiết xin đã có giáo viên" in page.text  # 2 of 2 x 13
    assert "2 giáo viên được xếp dưới nửa số tiết đã hứa" in page.text
    assert "1 / 13" in page.text
    assert page.text.count('<svg class="chart"') == 2


def test_each_picture_has_its_finding_as_its_name_and_its_numbers_beside_it(coordinator, timetable):
    page = coordinator.see(HERE).text
    assert page.count('role="img" aria-label="') >= 2
    assert "từ 8\N{NO-BREAK SPACE}% ở THCS A" in page
    assert page.count("Số liệu của biểu đồ") == 2


def test_who_promised_and_has_no_lesson_is_named_with_a_way_to_write(cast, coordinator, timetable):
    page = coordinator.see(HERE).text
    assert "1 giáo viên chưa có tiết nào" in page
    assert f'href="/coordinator/write?to={cast["person_teacher2"]}"' in page
    assert f'href="/coordinator/write?to={cast["person_teacher1"]}"' not in page


def test_a_window_of_weeks_measures_those_weeks_alone(cast, site, timetable, clock):
    clock.forward(days=30)
    coordinator = site.of(cast.actors["coordinator"])
    assert "1 / 13" in coordinator.see(HERE).text
    assert "0 / 4" in coordinator.see(f"{HERE}?weeks=4").text
    assert "1 / 13" in coordinator.see(f"{HERE}?weeks=²").text  # no number: the whole term


def test_a_pledge_is_noted_and_measured_by(ctx, cast, coordinator, timetable):
    coordinator.see(HERE)
    answer = coordinator.submit(
        f"{HERE}/pledge", {"school": "THCS Ái Mộ (Long Biên)", "lessons": "4"}
    )
    assert answer.status_code == 303
    with ctx.reading() as db:
        assert list(school_pledges.of_term(db, cast["term"]).values()) == [4]
    page = coordinator.see(HERE)
    assert "Đã ghi: THCS Ái Mộ (Long Biên) hứa 4 tiết" in page.text
    assert "50\N{NO-BREAK SPACE}%" in page.text  # 2 of 4


@pytest.mark.parametrize(
    ("school", "lessons", "said"),
    [
        ("THCS Ái Mộ (Long Biên)", "nhiều", "Viết một số từ 0 đến 100.000"),
        ("THCS Ái Mộ (Long Biên)", "-1", "Viết một số từ 0 đến 100.000"),
        ("THCS Không Có", "4", "THCS Không Có"),
    ],
)
def test_a_pledge_that_cannot_be_meant_is_kept_to_be_mended(
    ctx, cast, coordinator, timetable, school, lessons, said
):
    coordinator.see(HERE)
    answer = coordinator.submit(f"{HERE}/pledge", {"school": school, "lessons": lessons})
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{lessons}"' in answer.text
    with ctx.reading() as db:
        assert school_pledges.of_term(db, cast["term"]) == {}


def test_sharing_out_anew_starts_a_search_that_may_change_so_many_lessons(
    ctx, cast, coordinator, timetable
):
    coordinator.see(HERE)
    answer = coordinator.submit(f"{HERE}/rebalance", {"most_lessons": "3"})
    assert answer.status_code == 303
    run = runs.latest(ctx, cast.actors["coordinator"], cast["term"])
    assert run is not None
    assert run.scope == Scope(most_lessons=3)
    assert answer.headers["location"] == f"/coordinator/matching/runs/{run.id}"


def test_while_a_search_runs_a_second_one_is_refused_and_says_where_the_first_is(
    ctx, cast, coordinator, timetable
):
    coordinator.see(HERE)
    coordinator.submit(f"{HERE}/rebalance", {"most_lessons": "3"})
    again = coordinator.submit(f"{HERE}/rebalance", {"most_lessons": "8"})
    assert again.status_code == 409
    assert 'value="8"' in again.text
    assert 'href="/coordinator/matching"' in again.text
    assert desk.count(ctx, tables.runs) == 1


def test_without_a_timetable_it_says_that_there_is_nothing_to_change(ctx, coordinator):
    coordinator.see(HERE)
    answer = coordinator.submit(f"{HERE}/rebalance", {"most_lessons": "3"})
    assert answer.status_code == 422
    assert "Chưa công bố lịch dạy nào" in answer.text
    assert desk.count(ctx, tables.runs) == 0


def made(ctx, cast, *placements, **scope):
    """A draft as a search with this budget has made it."""
    plan_id = desk.draft(ctx, cast, *placements)
    desk.add_run(ctx, cast, "done", ctx.now(), plan_id=plan_id, **scope)
    return plan_id


def test_the_last_draft_under_a_budget_says_what_it_would_do(ctx, cast, coordinator, timetable):
    plan_id = made(
        ctx, cast, desk.at(cast, WED, teacher=2), desk.at(cast, THU, "08:25", "8B"),
        desk.at(cast, THU + 7 * (THU - WED), "08:25", "8B"), most_lessons=4,
    )  # fmt: skip
    made(ctx, cast)  # without a budget: not of this page
    page = coordinator.see(HERE).text
    assert "Lấp một tiết còn trống, thay đổi một tiết dạy của một thầy cô" in page
    assert f'href="/coordinator/plans/{plan_id}"' in page


def test_a_draft_that_was_published_is_no_offer_any_more(ctx, cast, coordinator, timetable):
    plan_id = made(ctx, cast, desk.at(cast, WED, teacher=2), most_lessons=4)
    with ctx.transaction() as db:
        assert store.latest_limited(db, cast["term"]) is not None
        mine = tables.plans.c.id == plan_id
        db.execute(
            tables.plans.update().where(mine).values(state="superseded", published_at=ctx.now())
        )
        assert store.latest_limited(db, cast["term"]) is None


def test_of_more_donor_schools_than_one_can_choose_from_the_name_is_written(
    coordinator, timetable, monkeypatch
):
    monkeypatch.setattr(balance, "CHOSEN_OF", 0)
    assert '<input class="in" id="school"' in coordinator.get(HERE).text
    answer = coordinator.submit(f"{HERE}/pledge", {"school": "THCS Không Có", "lessons": "4"})
    assert (answer.status_code, "THCS Không Có" in answer.text) == (422, True)


def test_it_takes_as_many_queries_for_three_lessons_as_for_one(ctx, cast, coordinator):
    desk.publish(ctx, cast, desk.at(cast, WED))
    coordinator.see(HERE)
    with desk.queries(ctx) as one:
        coordinator.see(HERE)
    outcomes.autumn(ctx, cast)
    with desk.queries(ctx) as many:
        coordinator.see(HERE)
    assert len(many) == len(one)


def test_another_programmes_coordinator_sees_nothing_of_it(ctx, site, cast, timetable):
    stranger = site.of(cast.actors["stranger"])
    assert stranger.see(HERE).headers["location"] == "/coordinator/imports"
    answer = stranger.submit(f"{HERE}/pledge", {"school": "THCS Ái Mộ (Long Biên)", "lessons": "4"})
    assert answer.headers["location"] == "/coordinator/imports"  # it has no term yet
    assert programmes.own(cast.actors["stranger"]) != cast["programme"]
    with ctx.reading() as db:
        assert school_pledges.of_term(db, cast["term"]) == {}
