"""The coordinator's week: all schools in one table, the lessons nobody gives yet among them."""

import re
from datetime import date, timedelta

import pytest

from scheduler.domain.plans import Gap
from scheduler.services import cover, lessons, plans
from scheduler.store import tables
from scheduler.store import terms as store
from scheduler.web.pages import grid
from tests.web import cast_desk as desk
from tests.web.cast_desk import THU, WED

WEEK = timedelta(days=7)
MONDAY = date(2023, 10, 2)
HERE = "/coordinator/week"


@pytest.fixture
def coordinator(site, cast):
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def timetable(ctx, cast):
    """Class 7A of school A on two Wednesdays, class 8B of school B once."""
    return desk.publish(
        ctx,
        cast,
        desk.at(cast, WED),
        desk.at(cast, WED + WEEK),
        desk.at(cast, WED, "08:25", "8B", 2),
    )


def publish(ctx, cast, *placements, gaps=()):
    plan_id = desk.draft(ctx, cast, *placements, gaps=gaps)
    seen = plans.preview(ctx, cast.actors["coordinator"], plan_id)
    plans.publish(ctx, cast.actors["coordinator"], plan_id, seen.fingerprint)
    return plan_id


def rows(page) -> dict[str, str]:
    """What stands behind each school's name, in words."""
    body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    plain = [re.sub(r"<svg.*?</svg>|<[^>]+>", " ", row) for row in body.split("</tr>")]
    found = [" ".join(row.split()).replace("không có tiết", "–") for row in plain if row.strip()]
    return {row[:6]: row[7:] for row in found}


def test_every_school_is_a_row_and_every_lesson_a_line(ctx, cast, coordinator, timetable):
    page = coordinator.see(HERE)
    assert page.status_code == 200
    assert rows(page) == {
        "THCS A": "Lục Yên · 1 tiết – – S1 7A Cô teacher1 – – –",
        "THCS B": "Lục Yên · 1 tiết – – S2 8B Cô teacher2 – – –",
    }
    assert "2 tiết ở 2 trường" in page.text
    assert f'href="/coordinator/lessons/{desk.lesson_of(ctx, cast).id}"' in page.text
    assert f'href="/coordinator/schools/{cast["A"]}?week={MONDAY}"' in page.text
    assert re.search(r'id="w2"[^>]*checked', page.text)  # today first, where a day is shown alone


def test_another_week_is_chosen_by_its_buttons_or_by_a_typed_day(cast, coordinator, timetable):
    page = coordinator.see(HERE)
    assert 'rel="prev"' not in page.text  # the term begins here
    assert f'href="{HERE}?week=09%2F10%2F2023"' in page.text
    for typed in ("09/10/2023", "15/10/2023", "2023-10-11"):
        page = coordinator.see(f"{HERE}?week={typed}")
        assert "Tuần 09/10 – 14/10" in page.text
        assert rows(page)["THCS B"] == "Lục Yên · 0 tiết – – – – – –"


def test_a_day_that_is_none_is_mended_at_its_field(coordinator, timetable):
    page = coordinator.see(f"{HERE}?week=31/09/2023")
    assert page.status_code == 422
    assert "Tháng 9 chỉ có 30 ngày" in page.text
    assert 'value="31/09/2023"' in page.text


def test_class_and_teacher_are_found_without_marks(cast, coordinator, timetable):
    assert list(rows(coordinator.see(f"{HERE}?q=co+TEACHER2"))) == ["THCS B"]
    assert list(rows(coordinator.see(f"{HERE}?q=7a"))) == ["THCS A"]
    none = coordinator.see(f"{HERE}?q=9c")
    assert 'class="empty"' in none.text
    assert f'href="{HERE}?week={MONDAY}"' in none.text


def test_a_school_or_a_level_is_shown_alone(cast, coordinator, timetable):
    assert list(rows(coordinator.see(f"{HERE}?school={cast['B']}"))) == ["THCS B"]
    assert len(rows(coordinator.see(f"{HERE}?level=lower_secondary"))) == 2
    assert rows(coordinator.see(f"{HERE}?level=primary")) == {}
    assert len(rows(coordinator.see(f"{HERE}?school=²&level=nursery"))) == 2  # no such words


def test_only_what_needs_her_leaves_out_what_runs_by_itself(ctx, cast, coordinator, timetable):
    assert rows(coordinator.see(f"{HERE}?needs=yes")) == {}
    cover.ask(ctx, cast.actors["coordinator"], desk.lesson_of(ctx, cast).id, "ốm")
    page = coordinator.see(f"{HERE}?needs=yes")
    assert rows(page) == {
        "THCS A": "Lục Yên · 1 tiết – – S1 Cần người dạy thay 7A Cô teacher1 – – –"
    }
    assert 'class="warn"' in page.text
    assert "1 tiết cần người dạy thay" in page.text


def test_what_is_called_off_stands_struck_and_counts_no_more(ctx, cast, coordinator, timetable):
    lesson = desk.lesson_of(ctx, cast)
    lessons.call_off(ctx, cast.actors["coordinator"], lesson.id, "Thi")
    page = coordinator.see(HERE)
    assert rows(page)["THCS A"] == "Lục Yên · 0 tiết – – S1 Đã huỷ 7A Cô teacher1 – – –"
    assert 'class="off"' in page.text


def test_what_a_plan_dropped_is_not_in_the_week(ctx, cast, coordinator, timetable):
    desk.publish(ctx, cast, desk.at(cast, WED + WEEK))
    assert rows(coordinator.see(HERE))["THCS A"] == "Lục Yên · 0 tiết – – – – – –"


def test_a_lesson_that_nobody_gives_stands_at_the_time_its_class_likes_best(ctx, cast, coordinator):
    gap = Gap(cast["request_7A"], MONDAY, 1, {})
    plan_id = publish(ctx, cast, desk.at(cast, WED, "08:25", "8B", 2), gaps=(gap,))
    page = coordinator.see(HERE)
    # Its first wish is Thursday's first period: see tests.cast.
    assert (
        rows(page)["THCS A"]
        == "Lục Yên · 0 tiết, 1 tiết chưa có giáo viên – – – S1 7A chưa có ai – –"
    )
    assert f'href="/coordinator/plans/{plan_id}?gaps=all#gaps"' in page.text
    assert "1 tiết chưa có giáo viên" in page.text
    assert list(rows(coordinator.see(f"{HERE}?needs=yes"))) == ["THCS A"]


def test_a_gap_is_gone_once_the_class_has_its_lesson(ctx, cast, coordinator):
    publish(ctx, cast, desk.at(cast, WED), gaps=(Gap(cast["request_7A"], MONDAY, 1, {}),))
    assert "chưa có ai" not in coordinator.see(HERE).text


def test_no_gap_stands_on_a_day_on_which_the_school_is_closed(ctx, cast, coordinator):
    publish(ctx, cast, gaps=(Gap(cast["request_7A"], MONDAY, 1, {}),))
    with ctx.transaction() as db:
        db.execute(
            tables.closed_days.insert().values(
                school_id=cast["A"], first_day=THU, last_day=THU, reason="Thi"
            )
        )
    assert "– S2 7A chưa có ai – – –" in rows(coordinator.see(HERE))["THCS A"]  # her second wish


def test_the_table_takes_as_many_queries_for_three_lessons_as_for_one(ctx, cast, coordinator):
    desk.publish(ctx, cast, desk.at(cast, WED))
    coordinator.see(HERE)
    with desk.queries(ctx) as one:
        coordinator.see(HERE)
    desk.publish(ctx, cast, desk.at(cast, WED), desk.at(cast, THU, "08:25"),
                 desk.at(cast, WED, "08:25", "8B", 2))  # fmt: skip
    with desk.queries(ctx) as three:
        coordinator.see(HERE)
    assert len(three) == len(one)


def test_a_programme_without_a_term_says_what_to_do_first(site, cast):
    page = site.of(cast.actors["stranger"]).see(HERE, follow_redirects=True)
    assert "Chưa có học kỳ nào" in page.text
    assert "THCS A" not in page.text


def test_it_prints_itself_where_a_script_runs(coordinator, timetable):
    assert re.search(r"<button[^>]*data-print hidden", coordinator.see(HERE).text)


def test_bells_of_all_schools_come_with_them(ctx, cast):
    with ctx.reading() as db:
        schools, rung = store.ringing_schools(db, cast["programme"])
    assert [school.name for school in schools] == ["THCS A", "THCS B"]
    assert len(rung.now(cast["A"])) == 3


def test_many_schools_stand_on_several_pages(cast, coordinator, timetable, monkeypatch):
    monkeypatch.setattr(grid, "AT_ONCE", 1)
    front = coordinator.see(HERE)
    assert list(rows(front)) == ["THCS A"]
    assert "ở 2 trường" in front.text
    (second,) = re.findall(rf'href="({HERE}\?[^"]*page=2[^"]*)"', front.text)
    assert list(rows(coordinator.see(second.replace("&amp;", "&")))) == ["THCS B"]
