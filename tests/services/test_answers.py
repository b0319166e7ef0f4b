"""A teacher confirms, cannot come, takes it back: each once, and everybody concerned follows."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain import cover
from scheduler.domain.answers import Excuse, Reason, Reply, Standing
from scheduler.domain.choices import Choices
from scheduler.domain.cover import Progress
from scheduler.domain.lessons import Deed, LessonState
from scheduler.errors import NotFound
from scheduler.services import answers, links, offers, sending, waves
from scheduler.services import cover as desk
from scheduler.services import lessons as timetable
from scheduler.services.sending import Fate
from scheduler.store import choices, lessons, tables
from tests.faults.kit import Post, book, change, replan, rows, states, write
from tests.standins import asked as offered
from tests.standins import join, school

WEDNESDAY = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # 07:30 in Hà Nội, morning period 1
ILL = Excuse(Reason.SICK)


@pytest.fixture
def lesson(ctx, cast):
    made = book(ctx, cast, WEDNESDAY)
    replan(ctx, made)
    return made


@pytest.fixture
def asked(ctx, cast, lesson):
    """What the link in the teacher's mail asks about."""
    return answers.of_link(ctx, token(ctx, cast, lesson))


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def get(ctx, lesson):
    with ctx.reading() as db:
        return lessons.get(db, lesson)


def token(ctx, cast, lesson, who="person_teacher1"):
    return links.answer_url(ctx, get(ctx, lesson), cast[who]).rpartition("/")[2]


def kinds(ctx, state="planned"):
    return sorted(kind for kind, at in rows(ctx, "kind", "state") if at == state)


def audited(ctx):
    with ctx.reading() as db:
        return list(db.scalars(sa.select(tables.audits.c.action).order_by(tables.audits.c.id)))


def table(ctx, name):
    with ctx.reading() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(tables.metadata.tables[name]))


def test_confirming_ends_the_reminders_of_the_teacher_and_of_nobody_else(ctx, lesson, asked):
    assert answers.question(ctx, asked).standing is Standing.ASKED
    for _ in range(2):
        assert answers.reply(ctx, asked, Reply.CONFIRM).standing is Standing.CONFIRMED
    assert kinds(ctx) == ["day_before"]  # of the school
    assert audited(ctx) == ["confirm_lesson"]
    assert answers.reply(ctx, asked, Reply.UNDO).standing is Standing.ASKED
    assert kinds(ctx) == ["day_before", "day_before", "hour_before", "soon"]


def test_who_chose_so_gets_the_link_to_the_room_after_confirming_too(ctx, cast, lesson, asked):
    with ctx.transaction() as db:
        choices.save(db, cast["person_teacher1"], Choices(after_confirming=True))
    answers.reply(ctx, asked, Reply.CONFIRM)
    assert kinds(ctx) == ["day_before", "soon"]


def test_an_excuse_is_told_to_coordinators_only_and_never_to_the_record(ctx, cast, lesson, asked):
    answers.reply(ctx, asked, Reply.CANNOT, Excuse(Reason.SICK, "sốt cao"))
    for who, words in (("coordinator", "sick: sốt cao"), ("teacher1", ""), ("schoolA", "")):
        actor = cast.actors[who]
        told = timetable.history(ctx, actor, lesson)[-1]
        assert (who, told.deed, told.reason) == (who, Deed.COVER_ASKED, words)
        then = timetable.as_of(ctx, actor, lesson, ctx.now())
        assert (who, then.reason) == (who, words)
    with ctx.reading() as db:
        line = db.execute(sa.select(tables.audits)).one()
    assert (line.action, line.reason, "sốt" in str(line)) == ("ask_for_cover", "", False)


def test_a_move_asks_anew(ctx, lesson, asked):
    answers.reply(ctx, asked, Reply.CONFIRM)
    later = WEDNESDAY + timedelta(hours=3)
    change(ctx, lesson, starts_at=later, ends_at=later + timedelta(minutes=45))
    assert answers.question(ctx, asked).standing is Standing.CHANGED
    assert kinds(ctx) == ["day_before", "day_before", "hour_before", "soon"]


def test_who_cannot_come_stays_responsible_while_coordinators_look(ctx, cast, lesson, asked):
    for _ in range(2):
        assert answers.reply(ctx, asked, Reply.CANNOT, ILL).standing is Standing.LOOKING
    assert get(ctx, lesson).state is LessonState.COVER
    assert get(ctx, lesson).teacher_id == cast["teacher1"]
    assert table(ctx, "cover_calls") == 1
    assert audited(ctx) == ["ask_for_cover"]
    reminders = ["day_before", "day_before", "hour_before", "soon"]
    assert kinds(ctx) == ["changes", "cover_wanted", *reminders]  # a colleague is asked at once
    post = Post()
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 2}
    assert sorted(post.recipients) == ["coordinator@x.example", "teacher2@x.example"]
    mail = post.arrived[post.recipients.index("coordinator@x.example")]
    assert "Cần người dạy thay" in mail["Subject"]
    assert "Tiếng Anh 7A · THCS A · Sáng tiết 1" in mail["Subject"]
    assert "Lý do: Tôi bị ốm" in mail.get_body(("plain",)).get_content()
    (wanted,) = desk.searches(ctx, cast.actors["coordinator"])
    assert (wanted.lesson.id, wanted.call.reason) == (lesson, "sick")


def test_taking_it_back_ends_the_search(ctx, cast, lesson, asked):
    answers.reply(ctx, asked, Reply.CANNOT, Excuse(Reason.OTHER, "đám cưới"))
    assert answers.reply(ctx, asked, Reply.UNDO).standing is Standing.ASKED
    assert get(ctx, lesson).state is LessonState.SCHEDULED
    assert desk.searches(ctx, cast.actors["coordinator"]) == ()
    assert sending.send_due(ctx, Post()).claimed == 0
    assert answers.reply(ctx, asked, Reply.CANNOT, ILL).standing is Standing.LOOKING
    assert sending.send_due(ctx, Post()).fates == {Fate.SENT: 2}  # a coordinator, and a colleague
    assert answers.reply(ctx, asked, Reply.CONFIRM).standing is Standing.CONFIRMED
    assert get(ctx, lesson).state is LessonState.SCHEDULED


def test_without_an_excuse_nothing_happens(ctx, lesson, asked):
    assert answers.reply(ctx, asked, Reply.CANNOT).standing is Standing.ASKED
    assert get(ctx, lesson).state is LessonState.SCHEDULED


@pytest.mark.parametrize(
    ("values", "standing"),
    [
        ({"state": "cancelled", "sequence": 1}, Standing.CALLED_OFF),
        ({"teacher_id": 2, "sequence": 1}, Standing.OTHER_TEACHER),
        ({"starts_at": WEDNESDAY + timedelta(days=1), "ends_at": WEDNESDAY + timedelta(days=2),
          "sequence": 1}, Standing.CHANGED),
    ],
)  # fmt: skip
def test_what_changed_since_is_said_and_nothing_done(ctx, cast, lesson, asked, values, standing):
    assert values.get("teacher_id", cast["teacher2"]) == cast["teacher2"]
    write(ctx, tables.lessons, tables.lessons.c.id == lesson, **values)
    before = get(ctx, lesson)
    for said in Reply:
        assert answers.reply(ctx, asked, said, ILL).standing is standing
    assert get(ctx, lesson) == before
    assert (table(ctx, "confirmations"), table(ctx, "cover_calls")) == (0, 0)


def test_once_it_has_begun_nothing_can_be_answered(ctx, cast, lesson, asked, clock):
    found = token(ctx, cast, lesson)
    clock.at = WEDNESDAY
    assert answers.reply(ctx, asked, Reply.CANNOT, ILL).standing is Standing.BEGUN
    clock.at = WEDNESDAY + timedelta(days=2)
    with pytest.raises(NotFound):
        answers.of_link(ctx, found)


def test_a_link_that_is_not_ours_asks_nothing(ctx, cast, lesson):
    good = token(ctx, cast, lesson)
    stop = links.stop_url(ctx, cast["person_teacher1"]).rpartition("/")[2]
    for odd in ("", "x", good[:-3], stop):
        with pytest.raises(NotFound):
            answers.of_link(ctx, odd)


def test_a_signed_in_teacher_answers_for_own_lessons_only(ctx, cast, lesson):
    own = answers.of_actor(cast.actors["teacher1"], lesson)
    assert answers.reply(ctx, own, Reply.CONFIRM).standing is Standing.CONFIRMED
    with pytest.raises(NotFound):
        answers.question(ctx, answers.of_actor(cast.actors["teacher2"], lesson))
    with pytest.raises(NotFound):
        answers.of_actor(cast.actors["schoolA"], lesson)


def test_a_mail_made_before_the_answer_does_not_go_out(ctx, lesson, asked, clock):
    clock.at = WEDNESDAY - timedelta(hours=23)

    class Meanwhile(Post):
        def send(self, parcel):
            if not self.arrived:
                answers.reply(ctx, asked, Reply.CONFIRM)
            return super().send(parcel)

    post = Meanwhile()
    sending.send_due(ctx, post)
    sending.send_due(ctx, post)
    assert sorted(post.recipients).count("teacher1@x.example") <= 1
    assert post.recipients.count("schoola@x.example") == 1


def test_two_answers_at_once_leave_one(ctx, lesson, asked):
    meet = threading.Barrier(4)

    def say():
        meet.wait()
        answers.reply(ctx, asked, Reply.CANNOT, ILL)

    threads = [threading.Thread(target=say) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert table(ctx, "cover_calls") == 1
    assert kinds(ctx).count("cover_wanted") == 1


def test_who_cannot_come_sees_how_the_search_goes_without_names(ctx, cast, lesson, asked, clock):
    join(ctx, cast, "far", school(ctx, cast, "THCS Xa"))
    assert answers.question(ctx, asked).progress is None
    found = answers.reply(ctx, asked, Reply.CANNOT, ILL)
    until = offered(ctx, lesson)[0].deadline
    assert found.progress == Progress(asked=1, declined=0, next_at=until)
    offers.reply(ctx, offered(ctx, lesson)[0].id, cover.Reply.DECLINE)
    waves.advance(ctx)
    until = offered(ctx, lesson)[1].deadline
    assert answers.question(ctx, asked).progress == Progress(2, 1, until)
    clock.at = until
    waves.advance(ctx)  # nobody is left
    assert answers.question(ctx, asked).progress == Progress(2, 1, None)
    assert answers.reply(ctx, asked, Reply.UNDO).progress is None
