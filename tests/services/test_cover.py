"""Cover is found: teachers are asked wave after wave, and the first to accept gives the lesson."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.answers import Reply as Answer
from scheduler.domain.candidates import Obstacle
from scheduler.domain.cover import CallEnd, OfferEnd, Reply, Standing, Wave
from scheduler.domain.lessons import Deed, LessonState
from scheduler.errors import Conflict, Invalid, NotAllowed, NotFound
from scheduler.services import answers, cover, lessons, offers, sending, waves
from scheduler.services.sending import Fate
from scheduler.store import history, pins, tables
from scheduler.store import offers as offer_rows
from tests.faults.kit import Post, book, replan, rows, states, write
from tests.standins import WEDNESDAY, asked, call, calls, cannot, get, join, school

HOUR = timedelta(hours=1)


@pytest.fixture
def lesson(ctx, cast):
    made = book(ctx, cast, WEDNESDAY)
    replan(ctx, made)
    return made


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def wave(ctx, lesson):
    """Who was asked in which wave, and how that ended."""
    return [(offer.name.removeprefix("Cô "), offer.wave, offer.end) for offer in asked(ctx, lesson)]


def offer_to(ctx, lesson, teacher):
    return next(x.id for x in asked(ctx, lesson) if x.teacher_id == teacher)


def audited(ctx):
    with ctx.reading() as db:
        return list(db.scalars(sa.select(tables.audits.c.action).order_by(tables.audits.c.id)))


def taught(ctx, cast, teacher, klass="7A", weeks=1):
    """Lessons that the teacher gave before."""
    for week in range(weeks):
        book(ctx, cast, WEDNESDAY - timedelta(days=7 * (week + 1)), klass, teacher)


def waiting(ctx, prefix):
    return [
        key for key, at in rows(ctx, "key", "state") if key.startswith(prefix) and at == "planned"
    ]


# -- who is asked


def test_who_knows_the_class_is_asked_first_then_colleagues_then_everybody(
    ctx, cast, lesson, clock
):
    far = school(ctx, cast, "THCS Xa")
    outsider = join(ctx, cast, "outsider", far)
    cast.ids["knows"] = join(ctx, cast, "knows", far)
    taught(ctx, cast, "knows", weeks=2)
    cannot(ctx, cast, lesson)
    assert wave(ctx, lesson) == [("knows", Wave.CLASS, None)]
    assert call(ctx, lesson).look_at == asked(ctx, lesson)[0].deadline
    assert waves.advance(ctx) == 0  # it is not time yet
    clock.at = call(ctx, lesson).look_at
    assert waves.advance(ctx) == 1
    assert wave(ctx, lesson) == [
        ("knows", Wave.CLASS, OfferEnd.LAPSED),
        ("teacher2", Wave.SCHOOL, None),
    ]
    offers.reply(ctx, offer_to(ctx, lesson, cast["teacher2"]), Reply.DECLINE, "đi công tác")
    assert waves.advance(ctx) == 1  # all declined: the next are asked at once
    assert wave(ctx, lesson)[2:] == [("outsider", Wave.ALL, None)]
    assert get(ctx, lesson).teacher_id == cast["teacher1"]
    found = offers.reply(ctx, offer_to(ctx, lesson, outsider), Reply.ACCEPT)
    assert found.standing is Standing.YOURS
    assert get(ctx, lesson).teacher_id == outsider
    assert calls(ctx) == [CallEnd.TAKEN]


def test_the_ranking_says_why_of_those_who_fit_and_what_hinders_the_others(ctx, cast, lesson):
    far = school(ctx, cast, "THCS Xa")
    busy = join(ctx, cast, "busy")
    book(ctx, cast, WEDNESDAY + HOUR, "8B", "teacher2")  # leaves time for both
    cast.ids["busy"] = busy
    book(ctx, cast, WEDNESDAY + timedelta(days=1), "8B", "busy")
    write(ctx, tables.pledges, tables.pledges.c.teacher_id == busy, max_per_week=1)
    outsider = join(ctx, cast, "outsider", far, max_total=10)
    found = cover.ranking(ctx, cast.actors["coordinator"], lesson)
    told = [(x.who.teacher_id, x.same_school, x.load, x.obstacles) for x in found]
    assert told == [
        (cast["teacher2"], True, 1 / 40, ()),
        (outsider, False, 0.0, ()),
        (busy, True, 1 / 40, (Obstacle.WEEK_LIMIT,)),
    ]


def test_all_are_asked_at_once_when_the_lesson_is_near(ctx, cast, lesson, clock):
    outsider = join(ctx, cast, "outsider", school(ctx, cast, "THCS Xa"))
    clock.at = WEDNESDAY - 2 * HOUR
    cannot(ctx, cast, lesson)
    assert wave(ctx, lesson) == [
        ("teacher2", Wave.SCHOOL, None),
        ("outsider", Wave.ALL, None),
    ]
    deadline = WEDNESDAY - 2 * HOUR + timedelta(minutes=30)
    assert {offer.deadline for offer in asked(ctx, lesson)} == {deadline}
    assert outsider in {offer.teacher_id for offer in asked(ctx, lesson)}


def test_coordinators_hear_once_that_nobody_is_left(ctx, cast, lesson, clock):
    cannot(ctx, cast, lesson)
    offers.reply(ctx, offer_to(ctx, lesson, cast["teacher2"]), Reply.DECLINE)
    assert sending.send_due(ctx, Post()).fates == {Fate.SENT: 1}
    for _ in range(3):
        waves.advance(ctx)
    assert call(ctx, lesson).exhausted_at == ctx.now()
    post = Post()
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 1}
    assert post.recipients == ["coordinator@x.example"]
    assert "Không còn ai để hỏi" in post.subjects[0]
    clock.at = WEDNESDAY
    assert waves.advance(ctx) == 1
    assert calls(ctx) == [CallEnd.MISSED]
    assert get(ctx, lesson).state is LessonState.SCHEDULED
    assert waves.advance(ctx) == 0
    with ctx.reading() as db:
        deeds = [x.deed for x in history.of_lesson(db, lesson)]
    assert deeds == [Deed.COVER_ASKED, Deed.COVER_WITHDRAWN]


def test_a_programme_that_does_not_want_it_asks_nobody_by_itself(ctx, cast, lesson, clock):
    coordinator = cast.actors["coordinator"]
    assert cover.automatic(ctx, coordinator) is True
    assert cover.automatic(ctx, coordinator, on=False) is False
    cannot(ctx, cast, lesson)
    assert asked(ctx, lesson) == ()
    clock.at += HOUR
    assert waves.advance(ctx) == 0
    cover.offer(ctx, coordinator, lesson, cast["teacher2"])
    offers.reply(ctx, offer_to(ctx, lesson, cast["teacher2"]), Reply.DECLINE)
    assert waves.advance(ctx) == 0
    clock.at = WEDNESDAY
    assert waves.advance(ctx) == 1
    assert calls(ctx) == [CallEnd.MISSED]
    assert audited(ctx)[0] == "set_cover"


def test_a_broken_call_keeps_no_other_waiting(ctx, cast, lesson, clock, caplog):
    other = book(ctx, cast, WEDNESDAY + timedelta(days=7))
    for each in (lesson, other):
        cannot(ctx, cast, each)
    clock.at += timedelta(hours=30)
    write(ctx, tables.cover_calls, tables.cover_calls.c.lesson_id == lesson, wave=99)
    assert waves.advance(ctx) == 1
    assert "could not be looked at" in caplog.text
    assert call(ctx, other).look_at > ctx.now()


# -- the mail and the answer


def test_the_mail_asks_with_two_buttons_and_a_deadline(ctx, cast, lesson):
    cannot(ctx, cast, lesson)
    post = Post()
    sending.send_due(ctx, post)
    mail = post.arrived[post.recipients.index("teacher2@x.example")]
    words = mail.get_body(("plain",)).get_content()
    page = mail.get_body(("html",)).get_content()
    assert "https://chungtay.example/o/" in words
    assert page.count("#accept") == page.count("#decline") == 1
    assert "trả lời trước Thứ Hai 02/10" in " ".join(words.split())


def test_accepting_is_told_to_everybody_concerned_and_thanked_once(ctx, cast, lesson, clock):
    cannot(ctx, cast, lesson)
    offer = offer_to(ctx, lesson, cast["teacher2"])
    for _ in range(3):
        assert offers.reply(ctx, offer, Reply.ACCEPT).standing is Standing.YOURS
    found = get(ctx, lesson)
    assert (found.state, found.teacher_id, found.sequence) == (
        LessonState.SCHEDULED, cast["teacher2"], 1,
    )  # fmt: skip
    assert waiting(ctx, "cover:1:person") == waiting(ctx, "offer:") == []
    assert audited(ctx) == ["ask_for_cover", "take_lesson_over"]
    clock.at += timedelta(minutes=15)
    post = Post()
    sending.send_due(ctx, post)
    told = dict(zip(post.recipients, post.arrived, strict=True))
    assert sorted(told) == ["schoola@x.example", "teacher1@x.example", "teacher2@x.example"]
    thanks = told["teacher2@x.example"].get_body(("plain",)).get_content()
    assert thanks.count("Cảm ơn thầy cô!") == 1
    with ctx.reading() as db:
        last = history.of_lesson(db, lesson)[-1]
    assert (last.deed, last.by, last.teacher_name) == (
        Deed.TAKEN_OVER, "Cô teacher2", "Cô teacher2",
    )  # fmt: skip


def test_who_answers_too_late_is_told_kindly_and_nothing_changes(ctx, cast, lesson, clock):
    third = join(ctx, cast, "third")
    cannot(ctx, cast, lesson)
    first, second = (offer_to(ctx, lesson, who) for who in (cast["teacher2"], third))
    offers.reply(ctx, first, Reply.ACCEPT)
    for said in Reply:
        assert offers.reply(ctx, second, said).standing is Standing.QUICKER
    assert get(ctx, lesson).teacher_id == cast["teacher2"]


def test_after_the_deadline_an_answer_counts_no_more(ctx, cast, lesson, clock):
    cannot(ctx, cast, lesson)
    offer = asked(ctx, lesson)[0]
    clock.at = offer.deadline
    assert offers.reply(ctx, offer.id, Reply.ACCEPT).standing is Standing.LAPSED
    assert get(ctx, lesson).teacher_id == cast["teacher1"]


def test_who_is_no_longer_free_hears_why_and_may_decline(ctx, cast, lesson):
    cannot(ctx, cast, lesson)
    offer = offer_to(ctx, lesson, cast["teacher2"])
    book(ctx, cast, WEDNESDAY + timedelta(minutes=50), "8B", "teacher2")
    with pytest.raises(Conflict, match="another lesson then, or too close"):
        offers.reply(ctx, offer, Reply.ACCEPT)
    assert get(ctx, lesson).state is LessonState.COVER
    assert offers.reply(ctx, offer, Reply.DECLINE).standing is Standing.DECLINED


def test_who_comes_after_all_ends_the_offers_and_their_mails(ctx, cast, lesson):
    cannot(ctx, cast, lesson)
    assert len(waiting(ctx, "offer:")) == 1
    answers.reply(ctx, answers.of_actor(cast.actors["teacher1"], lesson), Answer.UNDO)
    assert wave(ctx, lesson) == [("teacher2", Wave.SCHOOL, OfferEnd.WITHDRAWN)]
    assert waiting(ctx, "offer:") == waiting(ctx, "cover:") == []
    offer = offer_to(ctx, lesson, cast["teacher2"])
    assert offers.reply(ctx, offer, Reply.ACCEPT).standing is Standing.SETTLED
    cannot(ctx, cast, lesson)  # a second call asks anew, by mails of its own
    assert len(waiting(ctx, "offer:")) == 1
    assert calls(ctx) == [CallEnd.WITHDRAWN, None]


def test_looking_is_not_seeing_and_answering_later_is(ctx, cast, lesson):
    cannot(ctx, cast, lesson)
    offer = offer_to(ctx, lesson, cast["teacher2"])
    offers.question(ctx, offer)
    assert asked(ctx, lesson)[0].seen_at is None
    assert offers.reply(ctx, offer, Reply.LATER).standing is Standing.OPEN
    assert asked(ctx, lesson)[0].seen_at == ctx.now()


# -- by hand


def test_a_coordinator_looks_for_cover_asks_again_and_notes_an_answer(ctx, cast, lesson, clock):
    coordinator, teacher2 = cast.actors["coordinator"], cast["teacher2"]
    cover.ask(ctx, coordinator, lesson, "Cô ốm, gọi điện báo")
    with pytest.raises(Conflict):
        cover.ask(ctx, coordinator, lesson, "lần nữa")
    with pytest.raises(Conflict, match="asked already"):
        cover.offer(ctx, coordinator, lesson, teacher2)
    cover_again = offers.reply_for(ctx, coordinator, lesson, teacher2, Reply.DECLINE, "bận họp")
    assert cover_again.standing is Standing.DECLINED
    clock.at += timedelta(minutes=1)
    cover.offer(ctx, coordinator, lesson, teacher2)
    assert wave(ctx, lesson) == [("teacher2", Wave.BY_HAND, None)]
    assert len(waiting(ctx, "offer:")) == 1
    (search,) = cover.searches(ctx, coordinator)
    assert [x.teacher_id for x in search.offers] == [teacher2]
    won = offers.reply_for(ctx, coordinator, lesson, teacher2, Reply.ACCEPT)
    assert won.standing is Standing.YOURS
    assert cover.searches(ctx, coordinator) == ()


def test_a_coordinator_ends_the_search(ctx, cast, lesson):
    cannot(ctx, cast, lesson)
    assert cover.close(ctx, cast.actors["coordinator"], lesson).state is LessonState.SCHEDULED
    with pytest.raises(Conflict):
        cover.close(ctx, cast.actors["coordinator"], lesson)
    assert calls(ctx) == [CallEnd.WITHDRAWN]


def test_who_agreed_by_telephone_may_give_more_than_was_promised(ctx, cast, lesson):
    book(ctx, cast, WEDNESDAY + timedelta(days=7), "8B", "teacher2")
    write(ctx, tables.pledges, tables.pledges.c.teacher_id == cast["teacher2"], max_total=1)
    cannot(ctx, cast, lesson)
    coordinator = cast.actors["coordinator"]
    with pytest.raises(Invalid):
        cover.take(ctx, coordinator, lesson, cast["teacher2"], " ")
    found = cover.take(ctx, coordinator, lesson, cast["teacher2"], "đã gọi điện")
    assert (found.teacher_id, found.state) == (cast["teacher2"], LessonState.SCHEDULED)
    with ctx.reading() as db:
        assert history.of_lesson(db, lesson)[-1].reason == "đã gọi điện"
        assert set(pins.of_term(db, cast["term"], WEDNESDAY.date())) == {lesson}


def test_nobody_gives_two_lessons_at_once_whatever_was_agreed(ctx, cast, lesson):
    book(ctx, cast, WEDNESDAY, "8B", "teacher2")
    with pytest.raises(Conflict, match="another lesson"):
        cover.take(ctx, cast.actors["coordinator"], lesson, cast["teacher2"], "đã gọi điện")


def test_calling_off_ends_the_offers(ctx, cast, lesson):
    cannot(ctx, cast, lesson)
    lessons.call_off(ctx, cast.actors["schoolA"], lesson, "Mất điện")
    assert wave(ctx, lesson) == [("teacher2", Wave.SCHOOL, OfferEnd.WITHDRAWN)]
    assert calls(ctx) == [CallEnd.CALLED_OFF]
    assert waiting(ctx, "offer:") == []


DOORS = [
    lambda ctx, actor, lesson, who: cover.board(ctx, actor, lesson),
    lambda ctx, actor, lesson, who: cover.ranking(ctx, actor, lesson),
    lambda ctx, actor, lesson, who: cover.ask(ctx, actor, lesson, "ốm"),
    lambda ctx, actor, lesson, who: cover.offer(ctx, actor, lesson, who),
    lambda ctx, actor, lesson, who: cover.take(ctx, actor, lesson, who, "gọi"),
    lambda ctx, actor, lesson, who: cover.close(ctx, actor, lesson),
    lambda ctx, actor, lesson, who: offers.reply_for(ctx, actor, lesson, who, Reply.ACCEPT),
]


@pytest.mark.parametrize("door", DOORS)
def test_a_stranger_finds_nothing_and_others_may_not(ctx, cast, lesson, door):
    cannot(ctx, cast, lesson)
    for who, error in (("stranger", NotFound), ("schoolA", NotAllowed), ("schoolB", NotFound)):
        with pytest.raises(error):
            door(ctx, cast.actors[who], lesson, cast["teacher2"])
    assert get(ctx, lesson).teacher_id == cast["teacher1"]
    assert wave(ctx, lesson) == [("teacher2", Wave.SCHOOL, None)]


# -- at once


@pytest.mark.fault(21)
def test_of_many_who_accept_at_once_one_gives_the_lesson(ctx, cast, lesson):
    cannot(ctx, cast, lesson)
    many = [join(ctx, cast, f"many{n}") for n in range(50)]
    search = call(ctx, lesson)
    with ctx.transaction() as db:
        offer_rows.add(db, search.id, [(who, Wave.ALL) for who in many], search.look_at, ctx.now())
    numbers = [x.id for x in asked(ctx, lesson) if x.teacher_id in many]
    meet, found = threading.Barrier(len(numbers)), []

    def accept(number):
        meet.wait()
        found.append(offers.reply(ctx, number, Reply.ACCEPT).standing)

    threads = [threading.Thread(target=accept, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [Standing.QUICKER] * 49 + [Standing.YOURS]
    winner = get(ctx, lesson).teacher_id
    ends = {x.teacher_id: x.end for x in asked(ctx, lesson)}
    assert [who for who, end in ends.items() if end is OfferEnd.ACCEPTED] == [winner]
    assert list(ends.values()).count(OfferEnd.TAKEN) == 50
    assert audited(ctx).count("take_lesson_over") == 1
    thanks = [p for p in rows(ctx, "payload") if "thanked" in str(p)]
    assert len(thanks) == 1
