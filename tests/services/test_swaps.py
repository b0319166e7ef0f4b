"""Two teachers swap a lesson each: proposed, checked, agreed, and done at once or not at all."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.answers import Excuse, Reason
from scheduler.domain.answers import Reply as Answer
from scheduler.domain.lessons import Deed, LessonState
from scheduler.domain.swaps import MOST_OPEN, Reply, SwapEnd
from scheduler.errors import Busy, Conflict, Invalid, NotFound
from scheduler.services import answers, lessons, links, sending, swap_partners, swaps
from scheduler.store import covers, history, pins, tables
from scheduler.store import lessons as lesson_rows
from tests.faults.kit import Post, states, write
from tests.planning import WEDNESDAY, draft, publish, timetable

WEEK = timedelta(days=7)
X = ("request_7A", WEDNESDAY, 450, "teacher1")
Y = ("request_8B", WEDNESDAY + WEEK, 505, "teacher2")


@pytest.fixture
def pair(ctx, cast):
    """Lesson X of teacher 1 and Y of teacher 2."""
    return published(ctx, cast, X, Y)


@pytest.fixture
def one(cast):
    return cast.actors["teacher1"]


@pytest.fixture
def two(cast):
    return cast.actors["teacher2"]


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def published(ctx, cast, *wanted):
    publish(ctx, cast, draft(ctx, cast, *wanted))
    return [x for x in timetable(ctx, cast) if x.state is not LessonState.CANCELLED]


def given_by(ctx, *found):
    with ctx.reading() as db:
        return [lesson_rows.get(db, x.id).teacher_id for x in found]


def ends(ctx):
    with ctx.reading() as db:
        return list(db.scalars(sa.select(tables.swaps.c.end).order_by(tables.swaps.c.id)))


def audited(ctx):
    with ctx.reading() as db:
        found = db.scalars(sa.select(tables.audits.c.action).order_by(tables.audits.c.id))
        return [action for action in found if "swap" in action]


def asked(ctx, one, two, x, y):
    """The proposal as the other teacher's mail names it."""
    made = swaps.ask(ctx, one, x.id, y.id)
    return swaps.of_link(
        ctx, links.swap_url(ctx, made.swap, two.person_id).rpartition("/")[2]
    ), swaps.of_actor(one, made.swap.id)


def everything_sent(ctx, clock):
    post = Post()
    sending.send_due(ctx, post)
    clock.forward(minutes=16)
    sending.send_due(ctx, post)
    return post


def body(message):
    return message.get_body(("plain",)).get_content()


def test_two_teachers_swap_their_lessons_at_once(ctx, cast, pair, one, two):
    x, y = pair
    other, _ = asked(ctx, one, two, x, y)
    found = swaps.proposal(ctx, other)
    assert (found.asked, found.end) == (True, None)
    assert (found.gets.class_name, found.gives.class_name) == ("7A", "8B")
    assert found.gets.teacher_name == "Cô teacher1"
    assert given_by(ctx, x, y) == [cast["teacher1"], cast["teacher2"]]
    for _ in range(2):
        assert swaps.answer(ctx, other, Reply.ACCEPT).end is SwapEnd.AGREED
    assert given_by(ctx, x, y) == [cast["teacher2"], cast["teacher1"]]
    assert audited(ctx) == ["ask_swap", "accept_swap"]
    with ctx.reading() as db:
        assert [v.deed for v in history.of_lesson(db, x.id)] == [Deed.PUBLISHED, Deed.SWAPPED]
        assert lesson_rows.get(db, x.id).sequence == 1


def test_a_proposal_is_one_however_often_it_is_sent(ctx, pair, one):
    x, y = pair
    first, second = (swaps.ask(ctx, one, x.id, y.id) for _ in range(2))
    assert first == second
    assert (audited(ctx), ends(ctx)) == (["ask_swap"], [None])


def test_mails_ask_the_other_and_thank_both(ctx, clock, pair, one, two):
    x, y = pair
    everything_sent(ctx, clock)
    made = swaps.ask(ctx, one, x.id, y.id, "  Hôm đó  tôi chấm thi ")
    post = Post()
    sending.send_due(ctx, post)
    assert post.recipients == ["teacher2@x.example"]
    words = body(post.arrived[0])
    assert "Tiếng Anh 7A · THCS A · Sáng tiết 1" in words
    assert "Tiếng Anh 8B · THCS B · Sáng tiết 2" in words
    assert "Hôm đó tôi chấm thi" in words
    token = words.partition("/w/")[2].split()[0]
    swaps.answer(ctx, swaps.of_link(ctx, token), Reply.ACCEPT)
    after = everything_sent(ctx, clock)
    told = dict(zip(after.recipients, map(body, after.arrived), strict=True))
    assert set(told) == {
        "teacher1@x.example", "teacher2@x.example", "schoola@x.example", "schoolb@x.example",
    }  # fmt: skip
    both = [told[f"teacher{n}@x.example"] for n in (1, 2)]
    assert all("Cảm ơn" in words and "Đã chuyển cho giáo viên khác" in words for words in both)
    assert made.swap.words == "Hôm đó tôi chấm thi"


@pytest.mark.parametrize("said", [Reply.DECLINE, Reply.WITHDRAW])
def test_a_proposal_that_ends_changes_nothing(ctx, cast, clock, pair, one, two, said):
    x, y = pair
    everything_sent(ctx, clock)
    other, own = asked(ctx, one, two, x, y)
    who = own if said is Reply.WITHDRAW else other
    for _ in range(2):
        end = swaps.answer(ctx, who, said).end
    assert swaps.answer(ctx, other, Reply.ACCEPT).end is end
    assert given_by(ctx, x, y) == [cast["teacher1"], cast["teacher2"]]
    told = everything_sent(ctx, clock)
    assert told.recipients == (["teacher1@x.example"] if said is Reply.DECLINE else [])
    assert audited(ctx) == ["ask_swap", f"{said}_swap"]


def test_nobody_answers_for_the_other(ctx, cast, pair, one, two):
    x, y = pair
    other, own = asked(ctx, one, two, x, y)
    for who, said in ((own, Reply.ACCEPT), (own, Reply.DECLINE), (other, Reply.WITHDRAW)):
        with pytest.raises(NotFound):
            swaps.answer(ctx, who, said)
    for name in ("coordinator", "schoolA", "stranger"):
        with pytest.raises(NotFound):
            swaps.of_actor(cast.actors[name], other.swap_id)
    stranger = replace(other, person_id=cast["person_schoolA"])
    for use in (lambda: swaps.proposal(ctx, stranger), lambda: swaps.of_link(ctx, "x")):
        with pytest.raises(NotFound):
            use()
    answer = links.answer_url(ctx, x, one.person_id).rpartition("/")[2]
    with pytest.raises(NotFound):
        swaps.of_link(ctx, answer)
    assert ends(ctx) == [None]


def test_only_ones_own_lesson_is_offered_and_only_in_the_programme(ctx, cast, pair, one, two):
    x, y = pair
    for actor, given, wanted in (
        (two, x.id, y.id),
        (one, y.id, x.id),
        (one, x.id, 9999),
        (cast.actors["coordinator"], x.id, y.id),
        (cast.actors["stranger"], x.id, y.id),
    ):
        with pytest.raises(NotFound):
            swaps.ask(ctx, actor, given, wanted)
    assert ends(ctx) == []


def test_too_many_words_are_not_sent(ctx, pair, one):
    with pytest.raises(Invalid):
        swaps.ask(ctx, one, pair[0].id, pair[1].id, "x" * 201)


def no_longer_teaches(ctx, cast, teacher):
    with ctx.transaction() as db:
        pledge = sa.select(tables.pledges.c.id).where(tables.pledges.c.teacher_id == cast[teacher])
        rows = tables.pledge_levels
        db.execute(rows.update().where(rows.c.pledge_id.in_(pledge)).values(level="primary"))


@pytest.mark.parametrize(("teacher", "klass"), [("teacher2", "7A"), ("teacher1", "8B")])
def test_who_could_not_give_the_others_lesson_is_not_asked(ctx, cast, pair, one, teacher, klass):
    no_longer_teaches(ctx, cast, teacher)
    why = f"Cô {teacher} cannot give the lesson of {klass}: not for this school level."
    with pytest.raises(Conflict, match=why):
        swaps.ask(ctx, one, pair[0].id, pair[1].id)
    assert ends(ctx) == []


def test_what_came_into_the_way_meanwhile_is_said_and_nothing_done(ctx, cast, pair, one, two):
    x, y = pair
    other, _ = asked(ctx, one, two, x, y)
    no_longer_teaches(ctx, cast, "teacher2")
    with pytest.raises(Conflict, match="not for this school level"):
        swaps.answer(ctx, other, Reply.ACCEPT)
    assert (given_by(ctx, x, y), ends(ctx)) == ([cast["teacher1"], cast["teacher2"]], [None])


def test_the_exchanged_lessons_do_not_stand_in_each_others_way(ctx, cast, one, two):
    at_once = published(ctx, cast, X, ("request_8B", WEDNESDAY, 450, "teacher2"))
    row = tables.pledges
    write(ctx, row, row.c.term_id == cast["term"], max_per_day=1, max_per_week=1, max_total=1)
    other, _ = asked(ctx, one, two, *at_once)
    assert swaps.answer(ctx, other, Reply.ACCEPT).end is SwapEnd.AGREED
    assert given_by(ctx, *at_once) == [cast["teacher2"], cast["teacher1"]]


def test_a_lesson_that_changed_since_is_no_longer_swapped(ctx, cast, clock, pair, one, two):
    x, y = pair
    other, _ = asked(ctx, one, two, x, y)
    everything_sent(ctx, clock)
    lessons.call_off(ctx, cast.actors["schoolB"], y.id, "Mất điện")
    assert swaps.proposal(ctx, other).end is SwapEnd.OVERTAKEN
    assert swaps.answer(ctx, other, Reply.ACCEPT).end is SwapEnd.OVERTAKEN
    assert given_by(ctx, x) == [cast["teacher1"]]
    assert ends(ctx) == ["overtaken"]
    assert "teacher1@x.example" in everything_sent(ctx, clock).recipients


def test_a_beat_ends_what_nobody_answered_once_and_tells_the_asker(ctx, clock, pair, one, two):
    other, _ = asked(ctx, one, two, *pair)
    everything_sent(ctx, clock)
    assert swaps.end_stale(ctx) == 0
    clock.forward(hours=48)
    assert swaps.answer(ctx, other, Reply.ACCEPT).end is SwapEnd.LAPSED
    assert (swaps.end_stale(ctx), ends(ctx)) == (0, ["lapsed"])
    assert everything_sent(ctx, clock).recipients.count("teacher1@x.example") >= 1


def test_the_deadline_leaves_two_hours_before_the_earlier_lesson(ctx, clock, pair, one):
    x, y = pair
    clock.at = x.starts_at - timedelta(hours=3)
    assert swaps.ask(ctx, one, x.id, y.id).swap.deadline == x.starts_at - timedelta(hours=2)
    clock.forward(hours=1)
    assert swaps.end_stale(ctx) == 1
    with pytest.raises(Conflict, match="within two hours"):
        swaps.ask(ctx, one, x.id, y.id)


def test_a_pinned_lesson_is_kept_as_it_is(ctx, cast, pair, one):
    x, y = pair
    with ctx.transaction() as db:
        pins.put(db, [y.id], cast["person_coordinator"], "hẹn", None, ctx.now())
    with pytest.raises(Conflict, match="coordinator keeps"):
        swaps.ask(ctx, one, x.id, y.id)
    assert swap_partners.of_lesson(ctx, one, x.id) == ()


def test_a_swap_ends_the_search_for_cover(ctx, cast, pair, one, two):
    x, y = pair
    answers.reply(ctx, answers.of_actor(one, x.id), Answer.CANNOT, Excuse(Reason.SICK))
    other, _ = asked(ctx, one, two, x, y)
    swaps.answer(ctx, other, Reply.ACCEPT)
    with ctx.reading() as db:
        assert covers.of_lessons(db, [x.id]) == {}
        assert lesson_rows.get(db, x.id).state is LessonState.SCHEDULED


def test_a_teacher_has_five_proposals_at_most(ctx, cast, one):
    days = [WEDNESDAY + n * WEEK for n in range(MOST_OPEN + 1)]
    published(ctx, cast, X, *(("request_8B", day, 505, "teacher2") for day in days))
    x, *others = sorted(timetable(ctx, cast), key=lambda lesson: lesson.class_name)
    for y in others[:MOST_OPEN]:
        first = swaps.ask(ctx, one, x.id, y.id)
    with pytest.raises(Conflict, match="5 proposals"):
        swaps.ask(ctx, one, x.id, others[-1].id)
    swaps.answer(ctx, swaps.of_actor(one, first.swap.id), Reply.WITHDRAW)
    swaps.ask(ctx, one, x.id, others[-1].id)
    assert len(swaps.mine(ctx, one)) == MOST_OPEN + 1


def test_ones_proposals_are_asked_of_the_database_alike_for_one_and_three(ctx, cast, one):
    days = [WEDNESDAY + n * WEEK for n in range(3)]
    published(ctx, cast, X, *(("request_8B", day, 505, "teacher2") for day in days))
    x, *others = sorted(timetable(ctx, cast), key=lambda lesson: lesson.class_name)
    counts = []
    for y in others:
        swaps.ask(ctx, one, x.id, y.id)
        said = []
        sa.event.listen(
            ctx.database.reader, "before_cursor_execute", lambda *_, to=said: to.append(1)
        )
        counts.append((len(swaps.mine(ctx, one)), len(said)))
    assert [found for found, _ in counts] == [1, 2, 3]
    assert counts[0][1] == counts[2][1] <= 6


def test_a_lesson_that_is_called_off_has_no_partners(ctx, cast, pair, one):
    lessons.call_off(ctx, cast.actors["coordinator"], pair[0].id, "Mất điện")
    assert swap_partners.of_lesson(ctx, one, pair[0].id) == ()


def test_partners_are_exactly_those_whom_one_may_ask(ctx, cast, one):
    published(
        ctx, cast, X,
        ("request_7A", WEDNESDAY + WEEK, 450, "teacher1"),
        ("request_8B", WEDNESDAY, 505, "teacher2"),
        ("request_8B", WEDNESDAY + WEEK, 450, "teacher2"),
        ("request_8B", WEDNESDAY + 2 * WEEK, 505, "teacher2"),
    )  # fmt: skip
    row = tables.pledges
    write(ctx, row, row.c.teacher_id == cast["teacher2"], max_per_week=1)
    write(ctx, row, row.c.teacher_id == cast["teacher1"], max_per_week=1)
    x = next(lesson for lesson in timetable(ctx, cast) if lesson.class_name == "7A")
    able = []
    for y in (lesson for lesson in timetable(ctx, cast) if lesson.class_name == "8B"):
        try:
            made = swaps.ask(ctx, one, x.id, y.id)
        except Conflict:
            continue
        swaps.answer(ctx, swaps.of_actor(one, made.swap.id), Reply.WITHDRAW)
        able.append(y.id)
    assert [found.lesson_id for found in swap_partners.of_lesson(ctx, one, x.id)] == able
    assert 0 < len(able) < 3
    with pytest.raises(NotFound):
        swap_partners.of_lesson(ctx, cast.actors["teacher2"], x.id)


def at_once(*uses):
    """Do all of these at the same moment; what each gave, or the error."""
    meet, found = threading.Barrier(len(uses)), [None] * len(uses)

    def run(number, use):
        meet.wait()
        try:
            found[number] = use()
        except (Conflict, Busy) as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(uses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_accepting_and_withdrawing_at_once_leave_one(ctx, cast, pair, one, two):
    x, y = pair
    other, own = asked(ctx, one, two, x, y)
    at_once(
        lambda: swaps.answer(ctx, other, Reply.ACCEPT),
        lambda: swaps.answer(ctx, own, Reply.WITHDRAW),
        lambda: swaps.answer(ctx, other, Reply.ACCEPT),
        lambda: swaps.answer(ctx, own, Reply.WITHDRAW),
    )
    swapped = given_by(ctx, x, y) == [cast["teacher2"], cast["teacher1"]]
    assert ends(ctx) == ["agreed" if swapped else "withdrawn"]
    assert audited(ctx) == ["ask_swap", "accept_swap" if swapped else "withdraw_swap"]


def test_of_two_swaps_that_share_a_lesson_one_happens(ctx, cast, one, two):
    x, y, z = published(ctx, cast, X, Y, ("request_8B", WEDNESDAY + 2 * WEEK, 505, "teacher2"))
    first, _ = asked(ctx, one, two, x, y)
    second, _ = asked(ctx, one, two, x, z)
    at_once(
        lambda: swaps.answer(ctx, first, Reply.ACCEPT),
        lambda: swaps.answer(ctx, second, Reply.ACCEPT),
    )
    swaps.end_stale(ctx)
    assert sorted(ends(ctx)) == ["agreed", "overtaken"]
    assert given_by(ctx, x) == [cast["teacher2"]]
    assert sorted(given_by(ctx, y, z)) == [cast["teacher1"], cast["teacher2"]]


def test_of_two_swaps_that_break_a_limit_together_one_happens(ctx, cast, one, two):
    """Each alone keeps the teacher at one lesson a day; both would leave two."""
    day2 = WEDNESDAY + timedelta(days=1)
    x1, x2, y1, y2 = published(
        ctx, cast,
        ("request_7A", WEDNESDAY, 450, "teacher1"), ("request_7A", day2, 505, "teacher1"),
        ("request_8B", WEDNESDAY + WEEK, 450, "teacher2"),
        ("request_8B", WEDNESDAY + WEEK + timedelta(days=1), 505, "teacher2"),
    )  # fmt: skip
    row = tables.pledges
    write(ctx, row, row.c.teacher_id == cast["teacher2"], max_per_week=2)
    write(ctx, row, row.c.teacher_id == cast["teacher1"], max_per_week=2)
    first, _ = asked(ctx, one, two, x1, y1)
    second, _ = asked(ctx, one, two, x2, y2)
    write(ctx, row, row.c.teacher_id == cast["teacher2"], max_per_week=1)
    at_once(
        lambda: swaps.answer(ctx, first, Reply.ACCEPT),
        lambda: swaps.answer(ctx, second, Reply.ACCEPT),
    )
    assert sorted(ends(ctx), key=str) == [None, "agreed"]
