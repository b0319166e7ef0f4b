"""Each person hears once, in one message, of all that changed for them in a while."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain import news as rules
from scheduler.domain.cover import Wave
from scheduler.domain.lessons import LessonChange, LessonState
from scheduler.domain.messages import Channel
from scheduler.domain.plans import ChangeKind
from scheduler.services import mailroom, news, sending
from scheduler.services.sending import Fate
from scheduler.store import covers, offers, queue, tables
from scheduler.store.mailroom import News
from tests.faults.kit import Post, book, change, replan, rows, states, write
from tests.services.ways_kit import choose, have_device

WEDNESDAY = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # 07:30 in Hà Nội, morning period 1
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


@pytest.fixture
def lesson(ctx, cast):
    return book(ctx, cast, WEDNESDAY)


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def keys(ctx, state="planned"):
    return [key for key, at in rows(ctx, "key", "state") if at == state]


def announce(ctx, publication, *changes):
    with ctx.transaction() as db:
        return news.announce(ctx, db, f"publication:{publication}", changes, "Cô coordinator")


def changed(cast, lesson, kind, teacher="teacher1", former=None):
    old = None if former is None else cast[former]
    return LessonChange(lesson, kind, cast["7A"], cast[teacher], old)


def put(ctx, lesson, **values):
    write(ctx, tables.lessons, tables.lessons.c.id == lesson, **values)


def call_off(ctx, lesson, **more):
    put(ctx, lesson, state=LessonState.CANCELLED, cancel_reason="Bão", cancelled_by="Cô schoolA",
        changed_at=ctx.now(), **more)  # fmt: skip
    with ctx.transaction() as db:
        return news.call_off(ctx, db, [lesson], f"called_off:{lesson}")


def told(ctx, clock, after=QUARTER):
    """What each reader gets: address to the lines about lessons."""
    clock.at += after
    post = Post()
    sending.send_due(ctx, post)
    bodies = [mail.get_body(("plain",)).get_content() for mail in post.arrived]
    return dict(zip(post.recipients, bodies, strict=True)), post


def lines(words):
    return [line for line in words.splitlines() if line.startswith(("- ", "  "))]


def test_a_publication_tells_each_person_concerned_once(ctx, cast, lesson):
    second = book(ctx, cast, WEDNESDAY + 7 * DAY, teacher="teacher2")
    changes = [
        changed(cast, lesson, ChangeKind.ADDED),
        changed(cast, second, ChangeKind.RESTAFFED, "teacher2", former="teacher1"),
    ]
    assert announce(ctx, 7, *changes) == 3
    assert announce(ctx, 7, *changes) == 0
    people = sorted(cast[f"person_{who}"] for who in ("teacher1", "teacher2", "schoolA"))
    assert sorted(rows(ctx, "key", "programme_id", "due_at")) == [
        (f"publication:7:{person}:changes:mail", cast["programme"], ctx.now() + QUARTER)
        for person in people
    ]


def test_news_reads_as_things_stand_when_it_goes_out(ctx, cast, lesson, clock):
    moved = book(ctx, cast, WEDNESDAY + 7 * DAY + timedelta(hours=1))
    put(ctx, moved, moved_from=WEDNESDAY + 6 * DAY)
    put(ctx, lesson, teacher_id=cast["teacher2"])
    announce(
        ctx,
        7,
        changed(cast, lesson, ChangeKind.RESTAFFED, "teacher2", former="teacher1"),
        changed(cast, moved, ChangeKind.MOVED),
    )
    texts, post = told(ctx, clock)
    assert {who: lines(words) for who, words in texts.items()} == {
        "teacher1@x.example": [
            "- Thứ Tư 11/10 · 08:30–09:15 · Tiếng Anh 7A · THCS A · Lục Yên",
            "  trước đây: Thứ Ba 10/10 · 07:30",
            "- Thứ Tư 04/10 · 07:30–08:15 · Tiếng Anh 7A · THCS A · Sáng tiết 1 · Lục Yên",
        ],
        "teacher2@x.example": [
            "- Thứ Tư 04/10 · 07:30–08:15 · Tiếng Anh 7A · THCS A · Sáng tiết 1 · Lục Yên"
        ],
        "schoola@x.example": [
            "- Thứ Tư 11/10 · 08:30–09:15 · Tiếng Anh 7A · THCS A · Cô teacher1 (THCS Ái Mộ)",
            "  trước đây: Thứ Ba 10/10 · 07:30",
            "- Thứ Tư 04/10 · 07:30–08:15 · Tiếng Anh 7A · THCS A · Sáng tiết 1"
            " · Cô teacher2 (THCS Ái Mộ)",
        ],
    }
    assert "Đã chuyển cho giáo viên khác" in texts["teacher1@x.example"]
    assert "Người thay đổi: Cô coordinator" in texts["teacher1@x.example"]
    subjects = dict(zip(post.recipients, post.subjects, strict=True))
    assert subjects["teacher1@x.example"] == "Lịch dạy có 2 thay đổi"
    assert subjects["teacher2@x.example"].startswith("Mới: Thứ Tư 04/10 · 07:30–08:15, Tiếng Anh")


def test_what_is_assigned_and_moved_meanwhile_is_told_as_one(ctx, cast, lesson, clock):
    announce(ctx, 7, changed(cast, lesson, ChangeKind.ADDED))
    later = WEDNESDAY + DAY
    put(ctx, lesson, starts_at=later, ends_at=later + 3 * QUARTER, moved_from=WEDNESDAY)
    clock.forward(minutes=10)
    assert announce(ctx, 8, changed(cast, lesson, ChangeKind.MOVED)) == 2
    assert set(keys(ctx)) == {
        f"publication:7:{cast[p]}:changes:mail" for p in ("person_teacher1", "person_schoolA")
    }
    texts, post = told(ctx, clock, timedelta(minutes=5))
    assert set(post.subjects) == {
        "Mới: Thứ Năm 05/10 · 07:30–08:15, Tiếng Anh 7A · THCS A · Sáng tiết 1"
    }
    assert all(len(lines(words)) == 1 for words in texts.values())


def test_who_speaks_for_a_school_no_more_is_not_told_of_its_lessons(ctx, cast, lesson, clock):
    announce(ctx, 7, changed(cast, lesson, ChangeKind.ADDED))
    with ctx.transaction() as db:
        grants = tables.grants
        db.execute(grants.delete().where(grants.c.person_id == cast["person_schoolA"]))
    texts, _ = told(ctx, clock)
    assert list(texts) == ["teacher1@x.example"]


def test_what_came_and_went_meanwhile_is_not_told(ctx, cast, lesson, clock):
    announce(ctx, 7, changed(cast, lesson, ChangeKind.ADDED))
    assert call_off(ctx, lesson) == 2
    clock.at += QUARTER
    assert sending.send_due(ctx, Post()).fates == {Fate.CANCELLED: 2}


def test_news_of_a_lesson_that_is_near_goes_at_once_and_takes_the_rest_along(
    ctx, cast, lesson, clock
):
    far = book(ctx, cast, WEDNESDAY + 7 * DAY)
    clock.at = WEDNESDAY - timedelta(hours=3)
    announce(ctx, 7, changed(cast, far, ChangeKind.ADDED))
    assert sending.send_due(ctx, Post()).claimed == 0
    announce(ctx, 8, changed(cast, lesson, ChangeKind.ADDED))
    texts, _ = told(ctx, clock, timedelta(0))
    assert {who: len(lines(words)) for who, words in texts.items()} == {
        "teacher1@x.example": 2, "schoola@x.example": 2,
    }  # fmt: skip


def test_a_lesson_called_off_late_is_told_at_once_by_a_message_of_its_own(ctx, cast, lesson, clock):
    clock.at = WEDNESDAY - DAY
    assert call_off(ctx, lesson) == 2
    with ctx.transaction() as db:
        assert news.call_off(ctx, db, [lesson], f"called_off:{lesson}") == 0
    texts, post = told(ctx, clock, timedelta(0))
    assert sorted(texts) == ["schoola@x.example", "teacher1@x.example"]
    off = "Đã huỷ: Thứ Tư 04/10 · 07:30–08:15, Tiếng Anh 7A · THCS A · Sáng tiết 1"
    assert post.subjects == [off, off]
    assert "Lý do: Bão" in texts["teacher1@x.example"]
    assert "List-Unsubscribe" not in post.arrived[0]


def test_a_lesson_called_off_early_is_gathered_with_its_reason(ctx, cast, lesson, clock):
    assert call_off(ctx, lesson) == 2
    assert sending.send_due(ctx, Post()).claimed == 0
    texts, _ = told(ctx, clock)
    for words in texts.values():
        assert "Lý do: Bão" in words
        assert "Người thay đổi: Cô schoolA" in words


def test_news_for_a_reader_whose_account_is_off_is_not_planned(ctx, cast, lesson):
    people = tables.persons
    write(ctx, people, people.c.id == cast["person_teacher1"], active=False)
    assert announce(ctx, 7, changed(cast, lesson, ChangeKind.ADDED)) == 1


def test_a_change_while_a_worker_holds_the_news_is_not_lost(ctx, cast, lesson, clock):
    """The worker made its mail before the change: it loses the lease, and all goes out as one."""
    far = book(ctx, cast, WEDNESDAY + 7 * DAY)
    announce(ctx, 7, changed(cast, far, ChangeKind.ADDED))
    clock.at += QUARTER
    post = Post()
    (first, *_) = _claim(ctx)
    replan(ctx, lesson)
    announce(ctx, 8, changed(cast, lesson, ChangeKind.ADDED))
    assert not _begin(ctx, first)
    sending.send_due(ctx, post)
    bodies = [mail.get_body(("plain",)).get_content() for mail in post.arrived]
    assert [len(lines(body)) for body in bodies] == [2, 2]


def _claim(ctx):
    with ctx.transaction() as db:
        return queue.claim(
            db, Channel.MAIL, "worker", "token", ctx.now(), 100, timedelta(minutes=2)
        )


def _begin(ctx, message):
    with ctx.transaction() as db:
        return queue.begin_transmission(db, message)


def test_what_came_and_is_called_off_late_meanwhile_is_not_told_either(ctx, cast, clock):
    clock.at = WEDNESDAY - timedelta(hours=30)
    late = book(ctx, cast, WEDNESDAY)
    replan(ctx, late)
    announce(ctx, 7, changed(cast, late, ChangeKind.ADDED))
    clock.at += timedelta(minutes=10)
    put(ctx, late, starts_at=WEDNESDAY - timedelta(hours=7))  # within a day
    assert call_off(ctx, late) == 0


def test_who_was_reminded_of_a_new_lesson_hears_that_it_is_off(ctx, cast, clock):
    clock.at = WEDNESDAY - timedelta(hours=23)
    late = book(ctx, cast, WEDNESDAY)
    announce(ctx, 7, changed(cast, late, ChangeKind.ADDED))
    replan(ctx, late)
    clock.forward(seconds=1)
    assert sending.send_due(ctx, Post()).fates == {Fate.SENT: 2}  # the day's reminders
    assert call_off(ctx, late) == 2


def test_a_reminder_of_another_day_tells_nobody_of_a_new_lesson(ctx, cast, lesson, clock):
    clock.at = WEDNESDAY - timedelta(hours=23)
    replan(ctx, lesson)
    today = book(ctx, cast, WEDNESDAY - timedelta(hours=12))
    announce(ctx, 7, changed(cast, today, ChangeKind.ADDED))
    assert sending.send_due(ctx, Post()).fates == {Fate.SENT: 2}  # of Wednesday
    assert call_off(ctx, today) == 0


def test_two_writers_at_once_lose_no_news(ctx, cast, lesson, clock):
    """Twenty publications by four threads: each reader still has one message with all of them."""
    made = [book(ctx, cast, WEDNESDAY + n * DAY) for n in range(1, 21)]
    meet, faults = threading.Barrier(4), []

    def write_some(mine):
        try:
            meet.wait()
            for number in mine:
                announce(ctx, number, changed(cast, made[number], ChangeKind.ADDED))
        except Exception as fault:  # noqa: BLE001 - told below
            faults.append(fault)

    threads = [threading.Thread(target=write_some, args=(range(n, 20, 4),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    found = rows(ctx, "person_id", "payload")
    assert {person for person, _ in found} == {cast["person_teacher1"], cast["person_schoolA"]}
    assert len(found) == 2
    for _, payload in found:
        assert {entry.lesson_id for entry in rules.read(payload).entries} == set(made)


def test_an_offer_asks_alone_until_its_deadline(ctx, cast, lesson, clock):
    announce(ctx, 7, changed(cast, lesson, ChangeKind.ADDED, "teacher2"))
    deadline = ctx.now() + timedelta(hours=2)
    with ctx.transaction() as db:
        call = covers.call(db, lesson, cast["teacher1"], "sick", ctx.now(), WEDNESDAY)
        offers.add(db, call, [(cast["teacher2"], Wave.SCHOOL)], deadline, ctx.now())
        asked = [cast["person_teacher2"]]
        assert news.offer(ctx, db, lesson, asked, call, deadline) == 1
        assert news.offer(ctx, db, lesson, asked, call, deadline) == 0
    texts, post = told(ctx, clock, timedelta(0))
    assert post.recipients == ["teacher2@x.example"]
    assert "Thầy cô dạy thay được không?" in post.subjects[0]
    assert (
        len(lines(texts["teacher2@x.example"])) == 3
    )  # the lesson, until when, and where to answer


def test_thanks_come_with_the_other_news(ctx, cast, lesson, clock):
    announce(ctx, 7, changed(cast, lesson, ChangeKind.ADDED))
    with ctx.transaction() as db:
        assert news.thank(ctx, db, lesson, cast["person_teacher1"]) == 1
    texts, _ = told(ctx, clock)
    assert "Cảm ơn thầy cô!" in texts["teacher1@x.example"]
    assert "Cảm ơn thầy cô!" not in texts["schoola@x.example"]


def test_a_moved_lesson_asks_nobody_twice(ctx, cast, lesson):
    replan(ctx, lesson)
    later = WEDNESDAY + DAY
    change(ctx, lesson, starts_at=later, ends_at=later + 3 * QUARTER)
    days = [key for key in keys(ctx) if key.startswith("day:")]
    assert len(days) == 2


@pytest.mark.parametrize(
    ("before", "ways"),
    [(timedelta(hours=3), ["mail", "push"]), (timedelta(hours=3, minutes=1), ["push"])],
)
def test_a_lesson_called_off_very_near_is_told_by_mail_and_one_other_way(
    ctx, cast, lesson, clock, before, ways
):
    have_device(ctx, cast.actors["teacher1"])
    choose(ctx, cast["person_teacher1"], Channel.PUSH)
    clock.at = WEDNESDAY - before
    assert call_off(ctx, lesson) == 1 + len(ways)
    planned = rows(ctx, "person_id", "kind", "channel", "due_at")
    assert sorted(planned) == sorted(
        (cast[f"person_{who}"], "called_off", way, ctx.now())
        for who, way in [("schoolA", "mail"), *(("teacher1", way) for way in ways)]
    )


def test_news_that_is_held_stays_so_whatever_is_gathered_into_it(ctx, cast, lesson, clock):
    coordinator = cast.actors["coordinator"]
    far = book(ctx, cast, WEDNESDAY + 7 * DAY)
    announce(ctx, 7, changed(cast, far, ChangeKind.ADDED))
    held = [row for (row,) in rows(ctx, "id")]
    for message in held:
        mailroom.hold(ctx, coordinator, message)
    clock.at = WEDNESDAY - timedelta(hours=3)
    assert announce(ctx, 8, changed(cast, lesson, ChangeKind.ADDED)) == 2
    assert sending.send_due(ctx, Post()).claimed == 0
    assert mailroom.news(ctx, coordinator) == News(waiting=0, first_due_at=None, held=2)
    for message in held:
        mailroom.release(ctx, coordinator, message)
    texts, _ = told(ctx, clock, timedelta(0))
    assert {who: len(lines(words)) for who, words in texts.items()} == {
        "teacher1@x.example": 2, "schoola@x.example": 2,
    }  # fmt: skip
