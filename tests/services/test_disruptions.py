"""A teacher away, a school closed, a storm: proposed together, done in one step, undone in part."""

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.candidates import obstacles
from scheduler.domain.disruptions import Absence, Choice, Closure, Way
from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import Deed, LessonState
from scheduler.domain.messages import MessageKind
from scheduler.domain.openings import Board
from scheduler.domain.plans import Fingerprint
from scheduler.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from scheduler.services import disruptions, lessons, sending, situations
from scheduler.store import accounts, candidates, covers, history, pins, tables, terms
from scheduler.store.availability import pledge
from tests.faults.kit import Post, write
from tests.planning import A1, A2, B1, WEDNESDAY, draft, publish, timetable

THURSDAY = WEDNESDAY + timedelta(days=1)
STORM = "Bão số 4"


def on(day, last=None):
    return DaySpan(day, last or day)


def away(cast, teacher="teacher1", day=WEDNESDAY, reason="Đi công tác"):
    return Absence(cast[teacher], on(day), reason)


def closed(cast, *schools, day=WEDNESDAY, last=None):
    return Closure(tuple(cast[school] for school in schools), on(day, last), STORM)


def look(ctx, cast, disruption, who="coordinator"):
    return disruptions.preview(ctx, cast.actors[who], disruption)


def done(ctx, cast, disruption, who="coordinator", **choices):
    actor = cast.actors[who]
    seen = disruptions.preview(ctx, actor, disruption)
    chosen = {line.lesson.id: choices[line.lesson.class_name] for line in seen.lines
              if line.lesson.class_name in choices}  # fmt: skip
    return disruptions.apply(ctx, actor, disruption, seen.fingerprint, chosen)


def ways(seen):
    return [(line.lesson.class_name, line.proposal.way) for line in seen.lines]


def told(ctx):
    """Who has a message waiting, by mail address, without reminders."""
    with ctx.reading() as db:
        wanted = (
            sa.select(tables.persons.c.email, tables.outbox.c.kind)
            .join(tables.persons, tables.outbox.c.person_id == tables.persons.c.id)
            .where(tables.outbox.c.state == "planned")
        )
        return {
            (row.email.partition("@")[0], row.kind)
            for row in db.execute(wanted)
            if row.kind in (MessageKind.CHANGES, MessageKind.CALLED_OFF, MessageKind.COVER_WANTED)
        }


@pytest.fixture
def published(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, A2, B1))
    with ctx.transaction() as db:  # the news of the publication has gone out
        db.execute(tables.outbox.update().values(state="cancelled", lease_token=None))
    return timetable(ctx, cast)


def test_a_lesson_of_an_absent_teacher_looks_for_cover(ctx, cast, published):
    seen = look(ctx, cast, away(cast))
    assert ways(seen) == [("7A", Way.COVER), ("8B", Way.COVER)]
    assert [line.proposal.could_come for line in seen.lines] == [1, 1]
    done(ctx, cast, away(cast))
    first, second, later = timetable(ctx, cast)
    assert (first.state, second.state, later.state) == (
        LessonState.COVER, LessonState.COVER, LessonState.SCHEDULED,
    )  # fmt: skip
    assert first.teacher_id == cast["teacher1"]  # responsible until somebody takes it
    with ctx.reading() as db:
        calls = covers.of_lessons(db, [first.id, second.id])
        assert [calls[x.id].reason for x in (first, second)] == ["Đi công tác"] * 2
        assert pledge(db, cast["term"], cast["teacher1"]).absences == (on(WEDNESDAY),)
        assert [x.deed for x in history.of_lesson(db, first.id)][-1] is Deed.COVER_ASKED
    assert told(ctx) == {
        ("coordinator", MessageKind.COVER_WANTED),
        ("teacher2", MessageKind.CHANGES),  # is asked to stand in
    }
    assert look(ctx, cast, away(cast)).lines == ()


def test_who_could_stand_in_once_is_not_counted_for_two_lessons(ctx, cast, published):
    write(ctx, tables.pledges, tables.pledges.c.teacher_id == cast["teacher2"], max_per_day=1)
    seen = look(ctx, cast, away(cast))
    assert ways(seen) == [("7A", Way.COVER), ("8B", Way.MOVE)]
    after = seen.lines[1].proposal.after
    assert (after.day, after.teacher_id) == (THURSDAY, cast["teacher1"])


def test_where_nobody_can_stand_in_the_lesson_moves_inside_its_week(ctx, cast, published):
    busy_all_day(ctx, cast, "teacher2")
    done(ctx, cast, away(cast))
    moved = [(x.class_name, x.state, x.moved_from is not None) for x in timetable(ctx, cast)]
    assert moved == [
        ("7A", LessonState.SCHEDULED, True),
        ("8B", LessonState.SCHEDULED, True),
        ("7A", LessonState.SCHEDULED, False),
    ]
    assert {place(x) for x in timetable(ctx, cast)[:2]} == {
        (THURSDAY, "07:30"),
        (THURSDAY, "09:20"),
    }


def busy_all_day(ctx, cast, teacher, day=WEDNESDAY):
    """The teacher has another absence on that day."""
    with ctx.transaction() as db:
        held = sa.select(tables.pledges.c.id).where(tables.pledges.c.teacher_id == cast[teacher])
        db.execute(
            tables.absences.insert().values(
                pledge_id=db.scalar(held), first_day=day, last_day=day, reason=""
            )
        )


def place(lesson):
    at = lesson.starts_at + timedelta(hours=7)
    return at.date(), f"{at:%H:%M}"


def test_a_closed_school_moves_its_lesson_to_the_slot_it_likes_best(ctx, cast, published, clock):
    seen = done(ctx, cast, closed(cast, "A"))
    assert ways(seen) == [("7A", Way.MOVE)]
    assert seen.lines[0].teacher == "Cô teacher1"
    moved = timetable(ctx, cast)[1]
    assert (moved.class_name, place(moved)) == ("7A", (THURSDAY, "07:30"))
    with ctx.reading() as db:
        assert terms.closed_spans(db, cast["programme"]) == {cast["A"]: (on(WEDNESDAY),)}
        assert [(x.deed, x.reason) for x in history.of_lesson(db, moved.id)][-1] == (
            Deed.MOVED, STORM,
        )  # fmt: skip
        (pin,) = pins.of_term(db, cast["term"], WEDNESDAY).values()
        assert (pin.lesson_id, pin.note, pin.until) == (moved.id, STORM, THURSDAY)
        assert pins.of_term(db, cast["term"], THURSDAY + timedelta(days=1)) == {}
    assert told(ctx) == {("teacher1", MessageKind.CHANGES), ("schoola", MessageKind.CHANGES)}
    clock.forward(minutes=16)
    post = Post()
    sending.send_due(ctx, post)
    words = [(str(m["To"]), m.get_body(("plain",)).get_content()) for m in post.arrived]
    mails = {to: text for to, text in words if "Cô coordinator" in text}
    assert len(mails) == 2
    assert all("Lý do: Bão số 4" in text for text in mails.values())
    assert look(ctx, cast, closed(cast, "A")).lines == ()


def test_a_moved_lesson_that_finds_a_weekly_time_of_its_class_is_not_pinned(ctx, cast):
    weekly = ("request_7A", THURSDAY + timedelta(days=7), 450, "teacher1")
    publish(ctx, cast, draft(ctx, cast, A1, weekly))
    done(ctx, cast, closed(cast, "A"))
    with ctx.reading() as db:
        assert pins.of_term(db, cast["term"], WEDNESDAY) == {}


def test_a_storm_calls_off_what_finds_no_other_time(ctx, cast, published):
    storm = closed(cast, "A", "B", last=WEDNESDAY + timedelta(days=2))
    seen = done(ctx, cast, storm)
    assert ways(seen) == [("7A", Way.CALL_OFF), ("8B", Way.CALL_OFF)]
    first, second, later = timetable(ctx, cast)
    assert {(x.state, x.cancel_reason) for x in (first, second)} == {(LessonState.CANCELLED, STORM)}
    assert later.state is LessonState.SCHEDULED
    kind = MessageKind.CHANGES
    assert told(ctx) == {("teacher1", kind), ("schoola", kind), ("schoolb", kind)}


def test_a_lesson_goes_to_another_teacher_where_its_own_is_not_free(ctx, cast, published):
    busy_all_day(ctx, cast, "teacher1", THURSDAY)
    seen = done(ctx, cast, closed(cast, "A"))
    assert (seen.lines[0].teacher, seen.lines[0].proposal.after.day) == ("Cô teacher2", THURSDAY)
    kind = MessageKind.CHANGES
    assert told(ctx) == {("teacher1", kind), ("teacher2", kind), ("schoola", kind)}


def test_nobody_who_may_be_busy_is_given_a_lesson_unasked(ctx, cast, published):
    busy_all_day(ctx, cast, "teacher1", THURSDAY)
    begins = ctx.now().replace(day=5, hour=0, minute=0)
    noon = begins + timedelta(hours=12)
    maybe = {"teacher_id": cast["teacher2"], "starts_at": begins, "ends_at": noon, "soft": True}
    with ctx.transaction() as db:
        db.execute(tables.busy_times.insert().values(maybe))
    assert ways(look(ctx, cast, closed(cast, "A"))) == [("7A", Way.CALL_OFF)]


def test_two_lessons_do_not_get_the_same_room(ctx, cast, published):
    write(ctx, tables.classes, tables.classes.c.id == cast["8B"], school_id=cast["A"])
    seen = look(ctx, cast, closed(cast, "A"))
    assert [place_of(line.proposal.after) for line in seen.lines] == [
        (THURSDAY, 450), (THURSDAY, 560),
    ]  # fmt: skip


def place_of(placement):
    return placement.day, placement.start


def test_only_times_from_tomorrow_on_are_proposed(ctx, cast, published, clock):
    clock.forward(days=1)
    seen = look(ctx, cast, away(cast))
    assert ways(seen) == [("7A", Way.COVER), ("8B", Way.COVER)]
    clock.forward(days=1, hours=1)  # Wednesday, 07:30: the first has begun
    assert ways(look(ctx, cast, closed(cast, "A", "B"))) == [("8B", Way.MOVE)]


# -- choices


@pytest.mark.parametrize("way", [Way.LEAVE, Way.CALL_OFF, Way.COVER])
def test_a_choice_takes_the_place_of_the_proposal(ctx, cast, published, way):
    seen = done(ctx, cast, away(cast), **{"7A": Choice(way)})
    assert ways(seen) == [("7A", way), ("8B", Way.COVER)]
    state = {
        Way.LEAVE: LessonState.SCHEDULED, Way.CALL_OFF: LessonState.CANCELLED,
        Way.COVER: LessonState.COVER,
    }  # fmt: skip
    assert timetable(ctx, cast)[0].state is state[way]


def test_a_lesson_moves_to_the_time_that_was_chosen(ctx, cast, published):
    chosen = Choice(Way.MOVE, THURSDAY, 560)
    done(ctx, cast, closed(cast, "A"), **{"7A": chosen})
    assert place(timetable(ctx, cast)[1]) == (THURSDAY, "09:20")


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (Choice(Way.MOVE, THURSDAY, 505), "The class did not ask for this time."),
        (Choice(Way.MOVE, THURSDAY + timedelta(days=7), 450), "A lesson moves inside its week"),
        (Choice(Way.MOVE, WEDNESDAY, 505), "The school has no lessons on that day."),
        (Choice(Way.MOVE, date(2023, 10, 2), 505), "Choose a day from tomorrow on"),
    ],
)
def test_a_choice_that_does_not_fit_is_refused_whole(ctx, cast, published, choice, sentence):
    before = timetable(ctx, cast)
    with pytest.raises(Conflict, match=sentence):
        done(ctx, cast, closed(cast, "A", "B"), **{"7A": choice})
    assert timetable(ctx, cast) == before
    with ctx.reading() as db:
        assert terms.closed_spans(db, cast["programme"]) == {}


def test_a_time_that_another_proposal_takes_cannot_be_chosen(ctx, cast, published):
    write(ctx, tables.classes, tables.classes.c.id == cast["8B"], school_id=cast["A"])
    with pytest.raises(Conflict, match="All rooms of the school are taken then"):
        done(ctx, cast, closed(cast, "A"), **{"8B": Choice(Way.MOVE, THURSDAY, 450)})


def test_a_choice_names_the_teacher_who_must_then_be_free(ctx, cast, published):
    busy_all_day(ctx, cast, "teacher2", THURSDAY)
    with pytest.raises(Conflict, match="No teacher is free then"):
        done(
            ctx,
            cast,
            closed(cast, "A"),
            **{"7A": Choice(Way.MOVE, THURSDAY, 450, cast["teacher2"])},
        )
    with pytest.raises(Invalid, match="another teacher does not help"):
        done(ctx, cast, closed(cast, "A"), **{"7A": Choice(Way.COVER)})


# -- once, stale, withdrawn


def test_applying_twice_acts_once(ctx, cast, published):
    actor = cast.actors["coordinator"]
    seen = disruptions.preview(ctx, actor, closed(cast, "A"))
    disruptions.apply(ctx, actor, closed(cast, "A"), seen.fingerprint)
    after = timetable(ctx, cast)
    again = disruptions.apply(ctx, actor, closed(cast, "A"), seen.fingerprint)
    assert (again.lines, timetable(ctx, cast)) == ((), after)


def test_what_changed_meanwhile_is_shown_anew(ctx, cast, published):
    actor = cast.actors["coordinator"]
    seen = disruptions.preview(ctx, actor, closed(cast, "A", "B"))
    lessons.call_off(ctx, cast.actors["schoolB"], published[1].id, "Mất điện")
    with pytest.raises(Stale):
        disruptions.apply(ctx, actor, closed(cast, "A", "B"), seen.fingerprint)
    with pytest.raises(Stale):
        disruptions.apply(ctx, actor, closed(cast, "A"), Fingerprint(""))
    with ctx.reading() as db:
        assert terms.closed_spans(db, cast["programme"]) == {}


def test_two_at_once_leave_one_storm(ctx, cast, published):
    actor, meet = cast.actors["coordinator"], threading.Barrier(3)
    seen = disruptions.preview(ctx, actor, closed(cast, "A"))

    def say():
        meet.wait()
        disruptions.apply(ctx, actor, closed(cast, "A"), seen.fingerprint)

    threads = [threading.Thread(target=say) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moved = timetable(ctx, cast)[1]
    assert (place(moved), moved.sequence) == ((THURSDAY, "07:30"), 1)
    with ctx.reading() as db:
        assert terms.closed_spans(db, cast["programme"]) == {cast["A"]: (on(WEDNESDAY),)}
        assert [x.deed for x in history.of_lesson(db, moved.id)] == [Deed.PUBLISHED, Deed.MOVED]


@pytest.mark.parametrize("kind", ["absence", "closure"])
def test_withdrawing_leaves_the_lessons_as_they_are(ctx, cast, published, kind):
    disruption = away(cast) if kind == "absence" else closed(cast, "A")
    done(ctx, cast, disruption)
    after = timetable(ctx, cast)
    disruptions.withdraw(ctx, cast.actors["coordinator"], disruption)
    assert timetable(ctx, cast) == after
    with ctx.reading() as db:
        assert terms.closed_spans(db, cast["programme"]) == {}
        assert pledge(db, cast["term"], cast["teacher1"]).absences == ()
        record = sa.select(tables.audits.c.action).order_by(tables.audits.c.id)
        assert list(db.scalars(record))[-2:] == [kind, f"withdraw_{kind}"]
    with pytest.raises(NotFound):
        disruptions.withdraw(ctx, cast.actors["coordinator"], disruption)


# -- who may


def test_a_teacher_goes_away_herself_and_a_school_closes_itself(ctx, cast, published):
    assert ways(look(ctx, cast, away(cast), "teacher1")) == [("7A", Way.COVER), ("8B", Way.COVER)]
    assert ways(done(ctx, cast, closed(cast, "A"), "schoolA")) == [("7A", Way.MOVE)]
    assert ways(done(ctx, cast, away(cast), "teacher1")) == [("8B", Way.COVER)]


@pytest.mark.parametrize("who", ["teacher2", "schoolA", "schoolB", "stranger"])
def test_nobody_else_sends_a_teacher_away(ctx, cast, published, who):
    for act in (look, done):
        with pytest.raises(NotFound):
            act(ctx, cast, away(cast), who)
    with pytest.raises(NotFound):
        disruptions.withdraw(ctx, cast.actors[who], away(cast))


@pytest.mark.parametrize("who", ["teacher1", "schoolB", "stranger"])
def test_nobody_else_closes_a_school(ctx, cast, published, who):
    with pytest.raises(NotFound):
        look(ctx, cast, closed(cast, "A"), who)
    with pytest.raises(NotFound):
        disruptions.closure_of(ctx, cast.actors[who], on(WEDNESDAY), STORM, codes=["A"])


def test_several_schools_are_closed_by_coordinators_only(ctx, cast, published):
    with ctx.transaction() as db:  # a contact of both schools
        db.execute(
            tables.grants.insert().values(
                person_id=cast["person_schoolA"], role="school", programme_id=cast["programme"],
                school_id=cast["B"],
            )
        )  # fmt: skip
        both = accounts.actor_of(db, cast["person_schoolA"])
    with pytest.raises(NotAllowed):
        disruptions.preview(ctx, both, closed(cast, "A", "B"))
    assert disruptions.preview(ctx, both, closed(cast, "B")).lines


@pytest.mark.parametrize(
    ("first", "last", "reason", "field"),
    [
        (WEDNESDAY, WEDNESDAY, " ", "reason"),
        (WEDNESDAY, WEDNESDAY, "x" * 201, "reason"),
        (THURSDAY, WEDNESDAY, STORM, "last_day"),
        (date(2023, 9, 1), WEDNESDAY, STORM, "first_day"),
    ],
)
def test_days_and_reason_must_make_sense(ctx, cast, first, last, reason, field):
    with pytest.raises(Invalid) as error:
        look(ctx, cast, Closure((cast["A"],), DaySpan(first, last), reason))
    assert list(error.value.fields) == [field]


def test_a_board_rules_out_whom_the_search_for_cover_rules_out(ctx, cast, published):
    busy_all_day(ctx, cast, "teacher2", THURSDAY)
    write(ctx, tables.pledges, tables.pledges.c.teacher_id == cast["teacher1"], max_per_day=1)
    first = published[0]
    with ctx.reading() as db:
        term = terms.get(db, cast["term"])
        board = Board(situations.take(db, term, ctx.now()))
        here = board.situation.standing[first.id]
        compared = []
        for day in (WEDNESDAY, THURSDAY, WEDNESDAY + timedelta(days=7)):
            for start in (400, 450, 505, 660):
                there = replace(here, day=day, start=start, end=start + 45)
                want = board.want(first.id, there)
                able = [
                    x for x in candidates.find(db, term, want, ctx.now()) if not obstacles(x, want)
                ]
                ours = board.free(first.id, there)
                assert {x.teacher_id for x in ours} == {x.teacher_id for x in able}
                compared.append(len(able))
    assert set(compared) == {0, 1}
