"""The people of a programme: finding them, taking roles and accounts away, and leaving."""

import threading
from contextlib import nullcontext
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from scheduler.domain import names
from scheduler.domain.access import Grant, Role
from scheduler.domain.calendars import FeedKind
from scheduler.domain.cover import OfferEnd
from scheduler.domain.cover import Reply as OfferReply
from scheduler.domain.invitations import Place
from scheduler.domain.lessons import LessonState
from scheduler.domain.swaps import SwapEnd
from scheduler.errors import ChungTayError, Conflict, NotAllowed, NotFound, Stale
from scheduler.services import (
    access_tokens,
    accounts,
    answers,
    exports,
    feeds,
    offers,
    people,
    plans,
    sessions,
    suggestions,
    swaps,
)
from scheduler.services.standing import read as standing
from scheduler.store import accounts as account_rows
from scheduler.store import candidates, roles, rosters, tables, terms
from scheduler.store import lessons as lesson_rows
from scheduler.store import swaps as swap_rows
from tests import standins
from tests.planning import A1, A2, WEDNESDAY, draft, publish, timetable

B2 = ("request_8B", WEDNESDAY, 450, "teacher2")
STRANGERS = ("stranger", "teacher1", "teacher2", "schoolA", "schoolB")


@pytest.fixture
def taught(ctx, cast):
    """Teacher 1 gives two lessons of 7A, teacher 2 one of 8B."""
    publish(ctx, cast, draft(ctx, cast, A1, A2, B2))
    return timetable(ctx, cast)


@pytest.fixture
def admin(ctx, cast):
    return admit(ctx, cast, "admin@x.example", Role.ADMIN)


def admit(ctx, cast, email, role=Role.COORDINATOR, **place):
    with ctx.transaction() as db:
        person = account_rows.ensure_person(
            db, email=email, name=f"Cô {email}", language="vi", now=ctx.now()
        )
        account_rows.add_grant(db, person, Grant(role, cast["programme"], **place))
        return account_rows.actor_of(db, person)


def rows(ctx, query):
    with ctx.reading() as db:
        return list(db.execute(query))


def grant_id(ctx, person_id):
    query = sa.select(tables.grants.c.id).where(tables.grants.c.person_id == person_id)
    with ctx.reading() as db:
        return db.scalars(query.order_by(tables.grants.c.id)).first()


def remove(ctx, actor, person_id):
    role = grant_id(ctx, person_id)
    seen = people.look_at_removal(ctx, actor, person_id, role).fingerprint
    return people.remove(ctx, actor, person_id, role, seen)


def switch_off(ctx, actor, person_id):
    seen = people.look_at_switch(ctx, actor, person_id).fingerprint
    return people.switch_off(ctx, actor, person_id, seen)


def leave(ctx, actor):
    mine, *_ = people.leavings(ctx, actor)
    return people.leave(ctx, actor, mine.held.id, mine.departure.fingerprint)


def signed_in(ctx, email):
    link = accounts.operator_link(ctx, email).rsplit("/", 1)[1]
    return accounts.sign_in(ctx, link, "any").token


WAYS = {
    "remove": lambda ctx, cast: remove(ctx, cast.actors["coordinator"], cast["person_teacher1"]),
    "switch off": lambda ctx, cast: switch_off(
        ctx, cast.actors["coordinator"], cast["person_teacher1"]
    ),
    "leave": lambda ctx, cast: leave(ctx, cast.actors["teacher1"]),
}
each_way = pytest.mark.parametrize("way", WAYS)


# -- finding


@given(words=st.text(max_size=30))
def test_folding_is_the_same_however_often_and_however_the_marks_are_written(words):
    once = names.fold(words)
    assert names.fold(once) == once
    assert names.fold(words.upper()) == names.fold(words.upper().lower())


@pytest.mark.parametrize(
    ("words", "found"),
    [("co TEACHER1", 1), ("Ái mộ", 2), ("ai mo co", 2), ("thcs b", 1), ("@x.example", 5),
     ("nobody", 0), ("teacher1 thcs", 1), ("%", 0), ("_", 0), ("", 5)],
)  # fmt: skip
def test_people_are_found_without_marks_by_name_address_and_school(ctx, cast, words, found):
    assert len(people.directory_of(ctx, cast.actors["coordinator"], words)) == found


def test_marks_may_be_written_in_either_form(ctx, cast):
    with ctx.transaction() as db:
        row = tables.persons
        db.execute(
            row.update().where(row.c.id == cast["person_teacher1"]).values(name="Đặng Thị Hồng")
        )
    for words in ("dang thi hong", "Đặng", "đa\u0306\u0323ng", "HỒNG"):
        [entry] = people.directory_of(ctx, cast.actors["coordinator"], words)
        assert entry.name == "Đặng Thị Hồng"


def test_the_list_is_of_one_role_where_one_is_wanted(ctx, cast):
    found = people.directory_of(ctx, cast.actors["coordinator"], role=Role.SCHOOL)
    assert [entry.name for entry in found] == ["Cô schoolA", "Cô schoolB"]


def test_a_stranger_finds_nobody_and_changes_nothing(ctx, cast, taught):
    [only] = people.directory_of(ctx, cast.actors["stranger"])
    assert only.id == cast.actors["stranger"].person_id
    role, who = grant_id(ctx, cast["person_teacher1"]), cast["person_teacher1"]
    for name in STRANGERS:
        actor = cast.actors[name]
        for look in (
            lambda actor: people.card(ctx, actor, who),
            lambda actor: people.look_at_removal(ctx, actor, who, role),
            lambda actor: people.remove(ctx, actor, who, role, ""),
            lambda actor: people.look_at_switch(ctx, actor, who),
            lambda actor: people.switch_off(ctx, actor, who, ""),
            lambda actor: people.switch_on(ctx, actor, who),
            lambda actor: people.known(ctx, actor, "teacher1@x.example"),
        ):
            with pytest.raises(NotFound):
                look(actor)
    assert [x.state for x in timetable(ctx, cast)] == [LessonState.SCHEDULED] * 3


def test_a_coordinator_does_not_see_the_roles_of_another_programme(ctx, cast):
    other = cast.actors["stranger"].grants[0].programme_id
    with ctx.transaction() as db:
        account_rows.add_grant(db, cast["person_schoolA"], Grant(Role.COORDINATOR, other))
    card = people.card(ctx, cast.actors["coordinator"], cast["person_schoolA"])
    assert [held.grant.role for held in card.entry.roles] == [Role.SCHOOL]
    assert (card.elsewhere, card.switchable) == (True, False)
    with pytest.raises(NotAllowed):
        people.look_at_switch(ctx, cast.actors["coordinator"], cast["person_schoolA"])
    remove(ctx, cast.actors["coordinator"], cast["person_schoolA"])


@pytest.mark.parametrize("more", [0, 20])
def test_the_list_takes_as_many_queries_for_many_as_for_few(ctx, cast, database, more):
    for n in range(more):
        standins.join(ctx, cast, f"more{n}")
    counted = []
    event.listen(database.reader, "before_cursor_execute", lambda *x: counted.append(x[2]))
    found = people.directory_of(ctx, cast.actors["coordinator"])
    assert len(found) == 5 + more
    assert len([each for each in counted if each.startswith("SELECT")]) == 4


# -- what ends


@each_way
def test_the_lessons_ahead_of_a_teacher_look_for_cover(ctx, cast, taught, way):
    before = people.look_at_switch(ctx, cast.actors["coordinator"], cast["person_teacher1"])
    mine = [lesson.id for lesson in taught if lesson.teacher_id == cast["teacher1"]]
    assert [lesson.id for lesson in before.lessons] == mine
    WAYS[way](ctx, cast)
    states = {x.teacher_id: x.state for x in timetable(ctx, cast)}
    assert states == {
        cast["teacher1"]: LessonState.COVER, cast["teacher2"]: LessonState.SCHEDULED,
    }  # fmt: skip
    asked = rows(ctx, sa.select(tables.offers.c.teacher_id).distinct())
    assert [row[0] for row in asked] in ([], [cast["teacher2"]])


@each_way
def test_sessions_and_calendar_links_end(ctx, cast, taught, way):
    session = signed_in(ctx, "teacher1@x.example")
    other = signed_in(ctx, "teacher2@x.example")
    with ctx.transaction() as db:
        for n, who in enumerate(("teacher1", "teacher2")):
            feed = db.scalar(
                tables.feeds.insert()
                .values(kind="teacher", owner_id=cast[who], language="vi", show_cancelled=True,
                        dirty=True)
                .returning(tables.feeds.c.id)
            )  # fmt: skip
            db.execute(
                tables.feed_links.insert().values(
                    feed_id=feed, person_id=cast[f"person_{who}"], name="x", token_hash=str(n),
                    created_at=ctx.now(), reads=0, client="",
                )
            )  # fmt: skip
    WAYS[way](ctx, cast)
    assert sessions.who(ctx, session) is None
    assert sessions.who(ctx, other) is not None
    ended = rows(ctx, sa.select(tables.feed_links.c.revoked_at).order_by(tables.feed_links.c.id))
    assert [row[0] for row in ended] == [ctx.now(), None]


@pytest.mark.parametrize(
    ("way", "left"), [("remove", ["school"]), ("leave", ["school"]), ("switch off", [])]
)
def test_the_links_that_another_role_opens_stay_with_it(ctx, cast, way, left):
    with ctx.transaction() as db:
        also = Grant(Role.SCHOOL, cast["programme"], school_id=cast["A"])
        account_rows.add_grant(db, cast["person_teacher1"], also)
        actor = account_rows.actor_of(db, cast["person_teacher1"])
    for kind, owner in ((FeedKind.TEACHER, "teacher1"), (FeedKind.SCHOOL, "A")):
        feeds.create_link(ctx, actor, kind, cast[owner], "phone")
    WAYS[way](ctx, cast)
    assert [link.key.kind for link in feeds.links_of(ctx, actor)] == left


def test_programs_stop_with_the_account(ctx, cast):
    token = access_tokens.issue(ctx, "teacher1@x.example", timedelta(hours=1))
    assert access_tokens.actor(ctx, token) is not None
    switch_off(ctx, cast.actors["coordinator"], cast["person_teacher1"])
    assert access_tokens.actor(ctx, token) is None


@each_way
def test_it_is_done_once_and_noted_once(ctx, cast, taught, way):
    WAYS[way](ctx, cast)
    gone = pytest.raises((NotFound, ValueError, AttributeError))
    with nullcontext() if way == "switch off" else gone:
        WAYS[way](ctx, cast)
    actions = ("remove_role", "switch_off", "leave")
    noted = rows(ctx, sa.select(tables.audits.c.action).where(tables.audits.c.action.in_(actions)))
    assert len(noted) == 1
    calls = rows(ctx, sa.select(tables.cover_calls.c.id))
    assert len(calls) == 2


def test_what_changed_since_the_look_is_looked_at_again(ctx, cast, taught):
    who, role = cast["person_teacher1"], grant_id(ctx, cast["person_teacher1"])
    actor = cast.actors["coordinator"]
    seen = people.look_at_removal(ctx, actor, who, role).fingerprint
    mine = next(x for x in taught if x.teacher_id == cast["teacher1"])
    answers.reply(
        ctx, answers.of_actor(cast.actors["teacher1"], mine.id), answers.Reply.CANNOT, standins.ILL
    )
    with pytest.raises(Stale):
        people.remove(ctx, actor, who, role, seen)
    found = remove(ctx, actor, who)
    assert (len(found.lessons), found.looking) == (2, 1)


def test_a_swap_that_a_leaving_teacher_was_asked_for_counts_as_declined(ctx, cast, taught):
    mine, other = (
        next(x for x in taught if x.teacher_id == cast[who]) for who in ("teacher1", "teacher2")
    )
    swap = swaps.ask(ctx, cast.actors["teacher1"], mine.id, other.id).swap
    leave(ctx, cast.actors["teacher2"])
    with ctx.reading() as db:
        assert swap_rows.get(db, swap.id).end is SwapEnd.DECLINED


def test_an_offer_to_a_leaving_teacher_ends_and_cannot_be_taken(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1))
    [lesson] = timetable(ctx, cast)
    standins.cannot(ctx, cast, lesson.id)
    [offer] = standins.asked(ctx, lesson.id)
    leave(ctx, cast.actors["teacher2"])
    assert standins.asked(ctx, lesson.id)[0].end is OfferEnd.DECLINED
    with ctx.transaction() as db:
        open_again = tables.offers.update().values(ended_at=None, end=None)
        db.execute(open_again.where(tables.offers.c.id == offer.id))
    with pytest.raises(ChungTayError):
        offers.reply(ctx, offer.id, OfferReply.ACCEPT)
    assert standins.get(ctx, lesson.id).teacher_id == cast["teacher1"]


# -- whom nobody can spare


def test_the_last_one_who_runs_a_programme_stays(ctx, cast, admin):
    coordinator = cast.actors["coordinator"]
    for act in (remove, switch_off):
        with pytest.raises(Conflict):
            act(ctx, admin, admin.person_id)  # nobody by accident
    with pytest.raises(Conflict):
        leave(ctx, admin)
    remove(ctx, admin, coordinator.person_id)
    with pytest.raises(Conflict):
        leave(ctx, admin)


def test_a_coordinator_without_an_administrator_stays_until_there_is_another(ctx, cast):
    with pytest.raises(Conflict):
        leave(ctx, cast.actors["coordinator"])
    admit(ctx, cast, "second@x.example")
    assert leave(ctx, cast.actors["coordinator"]) is False


def test_a_coordinator_takes_nothing_from_those_who_run_the_programme(ctx, cast, admin):
    other = admit(ctx, cast, "second@x.example")
    for who in (admin, other):
        for act in (remove, switch_off):
            with pytest.raises(NotAllowed):
                act(ctx, cast.actors["coordinator"], who.person_id)


def test_of_two_who_remove_each_other_at_once_one_stays(ctx, cast, admin):
    second = admit(ctx, cast, "second@x.example", Role.ADMIN)
    with ctx.transaction() as db:  # nobody else could run it
        mine = tables.grants.c.person_id == cast.actors["coordinator"].person_id
        db.execute(tables.grants.delete().where(mine))
    barrier, outcomes = threading.Barrier(2), []
    pairs = [(admin, second), (second, admin)]
    plans_ = [(who, other.person_id, grant_id(ctx, other.person_id)) for who, other in pairs]
    seen = [people.look_at_removal(ctx, *each).fingerprint for each in plans_]

    def act(each, fingerprint):
        barrier.wait()
        try:
            people.remove(ctx, *each, fingerprint)
            outcomes.append("done")
        except ChungTayError:
            outcomes.append("refused")

    threads = [threading.Thread(target=act, args=x) for x in zip(plans_, seen, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]


def test_the_last_contact_of_a_school_is_told_whom_to_ask(ctx, cast):
    [mine] = people.leavings(ctx, cast.actors["schoolA"])
    assert (mine.bound, [who.email for who in mine.ask]) == (True, ["coordinator@x.example"])
    with pytest.raises(Conflict):
        leave(ctx, cast.actors["schoolA"])
    admit(ctx, cast, "second@x.example", Role.SCHOOL, school_id=cast["A"])
    [mine] = people.leavings(ctx, cast.actors["schoolA"])
    assert (mine.bound, mine.ask) == (False, ())
    leave(ctx, cast.actors["schoolA"])


def test_nobody_lays_down_what_is_not_theirs(ctx, cast):
    role = grant_id(ctx, cast["person_teacher2"])
    for who in ("teacher1", "coordinator", "stranger"):
        with pytest.raises(NotFound):
            people.leave(ctx, cast.actors[who], role, "")


def test_who_keeps_another_role_stays_signed_in(ctx, cast):
    with ctx.transaction() as db:
        school = Grant(Role.SCHOOL, cast["programme"], school_id=cast["B"])
        account_rows.add_grant(db, cast["person_teacher1"], school)
    session = signed_in(ctx, "teacher1@x.example")
    first, _ = people.leavings(ctx, cast.actors["teacher1"])
    assert people.leave(ctx, cast.actors["teacher1"], first.held.id, first.departure.fingerprint)
    assert [g.role for g in sessions.who(ctx, session).actor.grants] == [Role.SCHOOL]


def test_switched_on_again_a_person_has_the_roles_and_no_old_session(ctx, cast, taught):
    session = signed_in(ctx, "teacher1@x.example")
    coordinator = cast.actors["coordinator"]
    switch_off(ctx, coordinator, cast["person_teacher1"])
    for _ in range(2):
        people.switch_on(ctx, coordinator, cast["person_teacher1"])
    assert sessions.who(ctx, session) is None
    with ctx.reading() as db:
        assert account_rows.actor_of(db, cast["person_teacher1"]) == cast.actors["teacher1"]
    noted = rows(ctx, sa.select(tables.audits.c.id).where(tables.audits.c.action == "switch_on"))
    assert len(noted) == 1


# -- no more lessons


@each_way
def test_who_is_gone_is_in_nobodys_choice(ctx, cast, taught, way):
    WAYS[way](ctx, cast)
    other = next(x for x in taught if x.teacher_id == cast["teacher2"])
    with ctx.reading() as db:
        term = terms.get(db, cast["term"])
        need = candidates.need(db, other)
        asked = candidates.find(db, need.term, need.want, ctx.now())
        whole = rosters.of_term(db, term, lesson_rows.placements(db, term.id))
    assert [who.teacher_id for who in asked] == [cast["teacher2"]]
    assert set(whole) == {cast["teacher2"]}
    found = suggestions.of_lesson(ctx, cast.actors["coordinator"], other.id)
    assert cast["teacher1"] not in {line.who.teacher_id for line in found.teachers}
    with pytest.raises(ChungTayError):
        swaps.ask(ctx, cast.actors["teacher2"], other.id, taught[-1].id)


@each_way
def test_the_engine_gives_no_lesson_from_tomorrow_on_to_who_is_gone(ctx, cast, taught, way):
    WAYS[way](ctx, cast)
    data = exports.export_instance(ctx)
    away = {x["id"]: x["unavailable"] for x in data["teachers"]}
    assert away == {
        "teacher1@x.example": [{"first_day": "2023-10-03", "last_day": "2023-12-31"}],
        "teacher2@x.example": [],
    }
    assert len(data["current"]) == 3  # what stands is not forgotten
    snapshot = standing(ctx, cast.actors["coordinator"], cast["term"]).snapshot
    gone = next(x for x in snapshot.instance.teachers if x.id == "teacher1@x.example")
    assert gone.unavailable


@each_way
def test_a_plan_from_before_gives_nothing_to_who_is_gone(ctx, cast, way):
    plan_id = draft(ctx, cast, A1)
    actor = cast.actors["coordinator"]
    seen = plans.preview(ctx, actor, plan_id).fingerprint
    WAYS[way](ctx, cast)
    with pytest.raises(Conflict, match="Cô teacher1"):
        plans.publish(ctx, actor, plan_id, seen)
    assert timetable(ctx, cast) == ()


def test_who_is_invited_again_comes_back_as_the_same_teacher(ctx, cast, taught):
    from_before = cast["teacher1"]
    leave(ctx, cast.actors["teacher1"])
    with ctx.transaction() as db:
        donor = db.scalar(sa.select(tables.donor_schools.c.id))
        place = Place(Role.TEACHER, cast["programme"], None, donor)
        assert roles.give(db, cast["person_teacher1"], place)
    [row] = rows(ctx, sa.select(tables.teachers).where(tables.teachers.c.id == from_before))
    assert (row.left_at, row.person_id) == (None, cast["person_teacher1"])
