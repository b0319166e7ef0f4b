"""Records of what was given: by teacher, school, class and month, for those who may see them."""

from datetime import date
from io import BytesIO

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from scheduler.domain.lessons import Cause, LessonState
from scheduler.domain.records import Amount, Outcome
from scheduler.errors import NotFound
from scheduler.services import exports, records, statements
from scheduler.services import lessons as lesson_services
from tests import outcomes
from tests.planning import A1, A2, draft, publish, timetable


@pytest.fixture
def autumn(ctx, cast, clock):
    """Class 7A: 9 Wednesdays from 4 October; 8B: 2 of them with teacher 2.  It is December."""
    found = outcomes.autumn(ctx, cast)
    clock.forward(days=70)
    return found


def counts(sums):
    return {outcome: sums.of(outcome).lessons for outcome in Outcome if sums.of(outcome).lessons}


def test_a_programmes_record_tells_what_became_of_each_lesson(ctx, cast, autumn):
    (a, b, c, d, e, *rest), (f, g) = autumn
    outcomes.hold(ctx, a, b, f)
    outcomes.end(ctx, [c], LessonState.NOT_HELD, cause=Cause.CLASS.value)
    outcomes.end(ctx, [d], LessonState.NOT_HELD, cause=Cause.TEACHER.value)
    outcomes.end(ctx, [e], LessonState.DISPUTED)
    outcomes.report(ctx, cast, rest[0], "teacher")
    outcomes.end(ctx, [rest[1]], LessonState.CANCELLED, cancel_reason="mất điện")
    outcomes.end(ctx, [g], LessonState.CANCELLED, cancel_reason="ghép lớp", merged_into_id=b.id)
    found = records.of_programme(ctx, cast.actors["coordinator"])
    assert counts(found.whole) == {
        Outcome.GIVEN: 3, Outcome.WAS_THERE: 1, Outcome.NOT_GIVEN: 1, Outcome.DISPUTED: 1,
        Outcome.AWAITING: 1, Outcome.CALLED_OFF: 1, Outcome.MERGED: 1, Outcome.UNREPORTED: 2,
    }  # fmt: skip
    assert found.whole.given == Amount(3, 135)
    assert found.whole.causes == {Cause.CLASS: Amount(1, 45), Cause.TEACHER: Amount(1, 45)}
    assert {part.name: part.sums.given.lessons for part in found.teachers} == {
        "Cô teacher1": 2, "Cô teacher2": 1,
    }  # fmt: skip
    assert {part.name: part.sums.given.minutes for part in found.schools} == {
        "THCS A": 90, "THCS B": 45,
    }  # fmt: skip
    assert [part.name for part in found.classes] == ["7A · THCS A", "8B · THCS B"]
    assert [part.sums for part in found.donor_schools] == [found.whole]
    assert {month: sums.whole.lessons for month, sums in found.months.items()} == {
        date(2023, 10, 1): 6, date(2023, 11, 1): 5,
    }  # fmt: skip


def test_the_month_is_that_of_the_programmes_wall_not_of_greenwich(ctx, cast, clock):
    """A lesson at 6:00 on 1 November in Hà Nội begins on 31 October in Greenwich."""
    from_wall = draft(ctx, cast, ("request_7A", date(2023, 11, 1), 360, "teacher1"))
    publish(ctx, cast, from_wall)
    clock.forward(days=60)
    found = records.of_programme(ctx, cast.actors["coordinator"])
    assert list(found.months) == [date(2023, 11, 1)]
    october = records.of_programme(
        ctx, cast.actors["coordinator"], date(2023, 10, 1), date(2023, 10, 31)
    )
    assert october.lines == ()
    november = records.of_programme(
        ctx, cast.actors["coordinator"], date(2023, 11, 1), date(2023, 11, 1)
    )
    assert november.whole.whole == Amount(1, 45)


def test_what_one_side_reported_counts_once_the_other_agrees(ctx, cast, autumn):
    (lesson, *_), _ = autumn
    outcomes.report(ctx, cast, lesson, "teacher")
    mine = records.own(ctx, cast.actors["teacher1"])
    assert counts(mine.whole) == {Outcome.AWAITING: 1, Outcome.UNREPORTED: 8}
    outcomes.report(ctx, cast, lesson, "school")
    outcomes.hold(ctx, lesson)
    mine = records.own(ctx, cast.actors["teacher1"])
    assert counts(mine.whole) == {Outcome.GIVEN: 1, Outcome.UNREPORTED: 8}


def test_a_lesson_that_another_plan_dropped_was_not_called_off(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    publish(ctx, cast, draft(ctx, cast))
    assert records.of_programme(ctx, cast.actors["coordinator"]).lines == ()


def test_a_lesson_that_a_school_called_off_is_in_the_record(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1))
    (lesson,) = timetable(ctx, cast)
    lesson_services.call_off(ctx, cast.actors["schoolA"], lesson.id, "thi học kỳ")
    found = records.of_programme(ctx, cast.actors["coordinator"])
    assert counts(found.whole) == {Outcome.CALLED_OFF: 1}


def test_a_class_whose_host_lesson_was_not_held_was_not_taught_by_joining(ctx, cast, autumn):
    (host, *_), (joined, _) = autumn
    outcomes.end(ctx, [joined], LessonState.CANCELLED, cancel_reason="x", merged_into_id=host.id)
    outcomes.end(ctx, [host], LessonState.NOT_HELD, cause=Cause.POWER.value)
    found = records.of_programme(ctx, cast.actors["coordinator"])
    assert found.whole.of(Outcome.MERGED).lessons == 0
    assert found.whole.of(Outcome.CALLED_OFF).lessons == 1


def test_a_teacher_sees_their_own_record_alone(ctx, cast, autumn):
    own = records.own(ctx, cast.actors["teacher2"])
    assert own.whose == "Cô teacher2"
    assert {line.teacher_id for line in own.lines} == {cast["teacher2"]}
    for name in ("teacher2", "schoolA", "stranger"):
        with pytest.raises(NotFound):
            records.of_teacher(ctx, cast.actors[name], cast["teacher1"])
    for name in ("teacher1", "schoolA"):
        with pytest.raises(NotFound):
            records.of_programme(ctx, cast.actors[name])
    with pytest.raises(NotFound):
        records.own(ctx, cast.actors["coordinator"])
    with pytest.raises(NotFound):
        records.teacher_of(ctx, cast.actors["coordinator"], "nobody@x.example")
    with pytest.raises(NotFound):
        records.teacher_of(ctx, cast.actors["stranger"], "teacher1@x.example")


def test_a_stranger_who_coordinates_another_programme_sees_nothing_of_ours(ctx, cast, autumn):
    with pytest.raises(NotFound):  # theirs has no term yet
        records.of_programme(ctx, cast.actors["stranger"])


def test_a_coordinator_finds_a_teacher_by_their_address(ctx, cast, autumn):
    teacher = records.teacher_of(ctx, cast.actors["coordinator"], " Teacher1@X.example ")
    found = records.of_teacher(ctx, cast.actors["coordinator"], teacher)
    assert found.whose == "Cô teacher1"
    assert found.whole.whole.lessons == 9


def test_the_record_takes_one_query_however_many_lessons_there_are(ctx, cast, autumn, database):
    asked = []
    sa.event.listen(database.reader, "before_cursor_execute", lambda *args: asked.append(args[2]))
    records.own(ctx, cast.actors["teacher2"])
    few = len(asked)
    records.own(ctx, cast.actors["teacher1"])
    assert len(asked) == 2 * few
    assert sum("lessons" in query for query in asked) == 2


def test_the_workbook_has_a_sheet_for_each_way_to_divide_the_record(ctx, cast, autumn):
    (a, *_), (f, _) = autumn
    outcomes.hold(ctx, a, f)
    found = records.of_programme(ctx, cast.actors["coordinator"])
    book = load_workbook(BytesIO(statements.workbook(found)))
    assert book.sheetnames == ["Tháng", "Trường hỗ trợ", "Trường tiếp nhận", "Lớp", "Giáo viên"]
    rows = list(book["Giáo viên"].values)
    assert rows[0][:3] == ("Giáo viên", "Đã dạy", "Số phút đã dạy")
    assert [row[:3] for row in rows[1:]] == [
        ("Cô teacher1", 1, 45), ("Cô teacher2", 1, 45), ("Cộng", 2, 90),
    ]  # fmt: skip


def test_the_table_is_read_by_a_spreadsheet_and_runs_no_formula(ctx, cast, autumn):
    found = records.of_programme(ctx, cast.actors["coordinator"])
    said = statements.table(found)
    assert said.startswith("\ufeffTháng,Trường tiếp nhận,Lớp".encode())
    lines = said.decode("utf-8-sig").splitlines()
    assert lines[1].startswith("10/2023,THCS A,7A,Cô teacher1,THCS Ái Mộ (Long Biên),")


def test_disputed_lessons_can_be_written_out(ctx, cast, autumn):
    (lesson, *_), _ = autumn
    outcomes.end(ctx, [lesson], LessonState.DISPUTED)
    book = load_workbook(BytesIO(exports.export_lessons(ctx)))
    assert "Hai bên báo khác nhau" in [row[-1] for row in book.active.values]
