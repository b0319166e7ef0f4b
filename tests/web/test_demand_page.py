"""Before a term: demand, supply and certain shortage, half-day by half-day and in words."""

from datetime import UTC, date, datetime, timedelta

import pytest

from scheduler.services import demand
from scheduler.store import tables
from tests.cast import FIRST, LAST, T0, minutes
from tests.web import cast_desk as desk
from tests.web.cast_desk import THU, WED
from tests.web.test_week_page import rows

HERE = "/coordinator/demand"
MONDAY = date(2023, 10, 2)


@pytest.fixture
def coordinator(site, cast):
    return site.of(cast.actors["coordinator"])


def put(ctx, table, **values) -> int:
    with ctx.transaction() as db:
        made = db.execute(table.insert().values(**values).returning(table.c.id))
        return int(made.scalar_one())


def ask(ctx, cast, *slots: tuple[int, str], klass: str = "7A", number: int = 2) -> None:
    """One more lesson a week of a class at these weekdays and times, the best liked in front."""
    request = put(
        ctx, tables.requests, class_id=cast[klass], term_id=cast["term"], number=number,
        lessons_per_week=1, first_day=FIRST, last_day=LAST, priority=1, created_at=T0,
    )  # fmt: skip
    for rank, (weekday, clock) in enumerate(slots):
        start = minutes(clock)
        put(ctx, tables.request_slots, request_id=request, weekday=weekday, start_minute=start,
            end_minute=start + 45, rank=rank)  # fmt: skip


def away(ctx, cast, first: date, last: date) -> None:
    """Both teachers are away."""
    with ctx.reading() as db:
        pledges = list(db.scalars(tables.pledges.select().with_only_columns(tables.pledges.c.id)))
    for pledge in pledges:
        put(ctx, tables.absences, pledge_id=pledge, first_day=first, last_day=last, reason="")


def look(ctx, cast, day=None):
    return demand.of_week(ctx, cast.actors["coordinator"], day)


def test_lessons_stand_where_their_classes_like_them_best(ctx, cast, coordinator):
    page = coordinator.see(HERE)
    assert page.status_code == 200
    assert "Tuần này chưa thấy tiết nào chắc chắn thiếu người" in page.text
    assert "xin 2 tiết, 2 giáo viên có lúc rảnh" in page.text
    found = rows(page)
    assert found["Sáng T"] == "ứ Năm 05/10 có vẻ đủ 2 tiết · 2 giáo viên rảnh"
    cells = look(ctx, cast).cells
    assert [(x.weekday, x.asked, x.free) for x in cells] == [(2, 0, 2), (3, 2, 2)]


def test_what_nobody_can_give_is_said_in_words_at_its_half_day(ctx, cast, coordinator):
    ask(ctx, cast, (1, "13:30"))
    page = coordinator.see(HERE)
    assert "Tuần này chắc chắn thiếu người cho 1 tiết" in page.text
    assert "Cần thêm người cho 1 tiết chiều Thứ Ba, cấp trung học cơ sở." in page.text
    assert "7A (THCS A):" in page.text
    assert "không giáo viên nào của cấp này rảnh" in page.text
    assert "chắc chắn thiếu 1" in page.text


def test_what_competes_for_one_teacher_is_told_together(ctx, cast, coordinator):
    with ctx.transaction() as db:
        table = tables.availability
        db.execute(table.delete().where(table.c.weekday == 0, table.c.pledge_id == 2))
        db.execute(tables.pledges.update().values(max_per_day=1))
    ask(ctx, cast, (0, "07:30"))
    ask(ctx, cast, (0, "08:25"), klass="8B")
    page = coordinator.see(HERE)
    assert "7A (THCS A), 8B (THCS B):" in page.text
    assert "xin 2 tiết, 1 giáo viên có thể dạy chỉ nhận được nhiều nhất 1" in page.text
    assert look(ctx, cast).bound.short == 1


def test_what_can_move_is_tight_and_not_short(ctx, cast, coordinator):
    ask(ctx, cast, (1, "13:30"), (3, "09:20"))
    page = coordinator.see(HERE)
    assert "chưa thấy tiết nào chắc chắn thiếu" in page.text
    assert "sát: 1 phải chuyển" in page.text


def test_days_off_and_appointments_count_in_their_own_week(ctx, cast):
    away(ctx, cast, WED, THU)
    assert look(ctx, cast).bound.short == 2
    assert look(ctx, cast, THU + timedelta(days=7)).bound.short == 0


def test_an_appointment_takes_its_time_alone(ctx, cast):
    ask(ctx, cast, (4, "07:30"))
    ask(ctx, cast, (4, "09:20"), klass="8B")
    friday = datetime(2023, 10, 6, tzinfo=UTC)  # 07:00 in Hà Nội
    for n in (1, 2):
        put(
            ctx, tables.busy_times, teacher_id=cast[f"teacher{n}"],
            starts_at=friday + timedelta(minutes=60), ends_at=friday + timedelta(minutes=135),
        )  # fmt: skip
    found = {(x.weekday, x.only, x.certain) for x in look(ctx, cast).cells if x.weekday == 4}
    assert found == {(4, 2, 1)}  # what ends at 08:15 touches it, what begins at 09:20 does not


def test_a_closed_school_asks_for_nothing_on_that_day(ctx, cast):
    put(ctx, tables.closed_days, school_id=cast["A"], first_day=WED, last_day=THU, reason="Thi")
    found = look(ctx, cast)
    assert found.bound.asked == 1


def test_who_left_or_is_switched_off_gives_nothing(ctx, cast):
    with ctx.transaction() as db:
        db.execute(tables.teachers.update().values(left_at=ctx.now()))
    found = look(ctx, cast)
    assert (found.teachers, found.bound.short) == (0, 2)


def test_another_week_is_chosen_or_typed(coordinator):
    page = coordinator.see(HERE)
    assert 'rel="prev"' not in page.text
    assert f'href="{HERE}?week=2023-10-09"' in page.text
    assert "Thứ Hai 16/10" in coordinator.see(f"{HERE}?week=18/10/2023").text
    wrong = coordinator.see(f"{HERE}?week=morgen")
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text
    assert 'value="morgen"' in wrong.text


def test_it_says_what_it_proves_and_leads_to_who_has_not_answered(coordinator):
    page = coordinator.see(HERE).text
    assert "Chỗ không ghi chắc chắn thiếu vẫn có thể thiếu" in page
    assert 'href="/coordinator/readiness"' in page


def test_it_takes_as_many_queries_for_three_requests_as_for_one(ctx, cast, coordinator):
    coordinator.see(HERE)
    with desk.queries(ctx) as one:
        coordinator.see(HERE)
    for n in (2, 3, 4):
        ask(ctx, cast, (n, "07:30"), number=n)
    with desk.queries(ctx) as more:
        coordinator.see(HERE)
    assert len(more) == len(one)


def test_another_programmes_coordinator_sees_nothing_of_it(site, cast):
    page = site.of(cast.actors["stranger"]).see(HERE, follow_redirects=True)
    assert "Chưa có học kỳ nào" in page.text
    assert "THCS A" not in page.text


def test_a_lesson_that_stands_is_not_short_whoever_went_away_since(ctx, cast, coordinator):
    desk.publish(ctx, cast, desk.at(cast, THU))
    before = look(ctx, cast)
    away(ctx, cast, WED, THU)
    found = look(ctx, cast)
    assert (before.asked, before.short, found.asked, found.short) == (2, 0, 2, 1)
