"""Invitations of people: who may invite whom, what one is worth, and who comes in by it."""

import threading
import unicodedata
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.access import Grant, Role
from scheduler.domain.invitations import InvitationState, Place
from scheduler.domain.messages import Channel, MessageState
from scheduler.errors import ChungTayError, Conflict, Invalid, NotAllowed, NotFound, TooMany
from scheduler.services import (
    accounts,
    address_changes,
    invitations,
    letters,
    outbox,
    people,
    sessions,
)
from scheduler.services.invitations import Wanted
from scheduler.store import accounts as account_rows
from scheduler.store import queue, roles, tables

NEW = "moi@x.example"


@pytest.fixture
def donor(ctx, cast):
    with ctx.reading() as db:
        return db.scalar(sa.select(tables.donor_schools.c.id))


@pytest.fixture
def head(ctx, cast, donor):
    return admit(
        ctx, "head@x.example", Grant(Role.DONOR_HEAD, cast["programme"], None, None, donor)
    )


@pytest.fixture
def admin(ctx, cast):
    return admit(ctx, "admin@x.example", Grant(Role.ADMIN, cast["programme"]))


def admit(ctx, email, grant):
    with ctx.transaction() as db:
        person = account_rows.ensure_person(
            db, email=email, name="Cô Mới", language="vi", now=ctx.now()
        )
        account_rows.add_grant(db, person, grant)
        return account_rows.actor_of(db, person)


def places(cast, donor):
    programme = cast["programme"]
    return {
        "teacher": Place(Role.TEACHER, programme, None, donor),
        "A": Place(Role.SCHOOL, programme, cast["A"]),
        "B": Place(Role.SCHOOL, programme, cast["B"]),
        "head": Place(Role.DONOR_HEAD, programme, None, donor),
        "coordinator": Place(Role.COORDINATOR, programme),
        "admin": Place(Role.ADMIN, programme),
    }


def wanted(place, email=NEW, language="vi"):
    return Wanted(email, "Lê Thị Mới", language, place)


def token(ctx):
    """Of the newest invitation in the outbox."""
    with ctx.reading() as db:
        payload = db.scalar(
            sa.select(tables.outbox.c.payload)
            .where(tables.outbox.c.kind == "invitation")
            .order_by(tables.outbox.c.id.desc())
            .limit(1)
        )
    return outbox.opened(ctx, payload)["url"].rsplit("/", 1)[1]


def claimed(ctx):
    with ctx.transaction() as db:
        return queue.claim(db, Channel.MAIL, "me", "t", ctx.now(), 20, timedelta(minutes=2))


def count(ctx, table):
    with ctx.reading() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(table))


MAY = {
    "coordinator": {"teacher", "A", "B", "head"},
    "admin": {"teacher", "A", "B", "head", "coordinator", "admin"},
    "schoolA": {"A"},
    "head": {"head"},
    "teacher1": set(),
    "stranger": set(),
}


@pytest.mark.parametrize("who", MAY)
def test_each_role_invites_those_it_may_and_nobody_else(ctx, cast, donor, head, admin, who):
    actor = {"head": head, "admin": admin}.get(who) or cast.actors[who]
    done = set()
    for name, place in places(cast, donor).items():
        try:
            invitations.invite(ctx, actor, wanted(place))
            done.add(name)
        except (NotFound, NotAllowed):
            pass
    assert done == MAY[who]
    assert count(ctx, tables.invitations) == count(ctx, tables.outbox) == len(MAY[who])


def test_to_a_stranger_the_schools_and_programmes_of_others_are_not_there(ctx, cast, donor):
    for place in places(cast, donor).values():
        with pytest.raises(NotFound):
            invitations.invite(ctx, cast.actors["stranger"], wanted(place))


def test_a_school_of_another_programme_is_no_place_in_this_one(ctx, cast, donor):
    own = cast.actors["stranger"].grants[0].programme_id
    actor = cast.actors["coordinator"]
    with ctx.transaction() as db:
        account_rows.add_grant(db, actor.person_id, Grant(Role.COORDINATOR, own))
        both = account_rows.actor_of(db, actor.person_id)
    with pytest.raises(NotFound):
        invitations.invite(ctx, both, wanted(Place(Role.SCHOOL, own, cast["A"])))
    with pytest.raises(NotFound):
        invitations.invite(ctx, both, wanted(Place(Role.TEACHER, own, None, donor)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"school_id": None},
        {"donor_school_id": 1},
        {"role": Role.COORDINATOR},
        {"role": Role.TEACHER},
    ],
)
def test_a_role_needs_the_school_it_has_and_no_other(ctx, cast, wrong):
    place = Place(
        **{"role": Role.SCHOOL, "programme_id": cast["programme"], "school_id": cast["A"]} | wrong
    )
    with pytest.raises(Invalid):
        invitations.invite(ctx, cast.actors["coordinator"], wanted(place))


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\u202eb", "a\0b", "Z" + "\u0300" * 9])
def test_a_name_that_cannot_be_is_refused(ctx, cast, donor, name):
    place = places(cast, donor)["A"]
    with pytest.raises(Invalid) as caught:
        invitations.invite(ctx, cast.actors["coordinator"], Wanted(NEW, name, "vi", place))
    assert set(caught.value.fields) == {"name"}


def test_a_name_typed_on_a_mac_is_kept_as_all_others_are(ctx, cast, donor):
    name = unicodedata.normalize("NFD", " Lê  Thị Hiện ")
    place = places(cast, donor)["A"]
    invitations.invite(ctx, cast.actors["coordinator"], Wanted(NEW, name, "vi", place))
    found, _ = invitations.look(ctx, token(ctx))
    assert found.name == unicodedata.normalize("NFC", "Lê Thị Hiện")


def test_accepting_makes_the_person_with_the_role_and_no_session(ctx, cast, donor):
    place = places(cast, donor)["teacher"]
    invitations.invite(ctx, cast.actors["coordinator"], wanted(place, "Moi@X.example", "en"))
    accepted = invitations.accept(ctx, token(ctx))
    with ctx.reading() as db:
        person = db.execute(sa.select(tables.persons).where(tables.persons.c.email == NEW)).one()
        actor = account_rows.actor_of(db, person.id)
        teacher = db.execute(
            sa.select(tables.teachers).where(tables.teachers.c.person_id == person.id)
        ).one()
    assert (person.name, person.language, person.active) == ("Lê Thị Mới", "en", True)
    assert actor.grants == (Grant(Role.TEACHER, cast["programme"], teacher_id=teacher.id),)
    assert (teacher.donor_school_id, teacher.left_at) == (donor, None)
    assert accepted.email == NEW
    assert count(ctx, tables.sessions) == 0
    assert count(ctx, tables.sign_ins) == 1


def test_accepting_adds_the_role_to_a_person_we_know_and_ends_their_sessions(ctx, cast, donor):
    link = accounts.operator_link(ctx, "teacher1@x.example").rsplit("/", 1)[1]
    session = accounts.sign_in(ctx, link, "any").token
    place = places(cast, donor)["A"]
    invitations.invite(ctx, cast.actors["schoolA"], wanted(place, "teacher1@x.example"))
    invitations.accept(ctx, token(ctx))
    with ctx.reading() as db:
        actor = account_rows.actor_of(db, cast["person_teacher1"])
    assert {grant.role for grant in actor.grants} == {Role.TEACHER, Role.SCHOOL}
    assert actor.name == "Cô teacher1"
    assert sessions.who(ctx, session) is None


def test_an_invitation_is_accepted_once(ctx, cast, donor):
    invitations.invite(ctx, cast.actors["coordinator"], wanted(places(cast, donor)["A"]))
    secret = token(ctx)
    invitations.accept(ctx, secret)
    assert invitations.look(ctx, secret)[1] is InvitationState.ACCEPTED
    with pytest.raises(NotFound):
        invitations.accept(ctx, secret)
    assert count(ctx, tables.sign_ins) == 1


@pytest.mark.parametrize("same", [True, False])
def test_of_two_presses_at_once_one_makes_the_person(ctx, cast, donor, same):
    """Of one invitation, or of two for the same new address: never a second person of it."""
    known = places(cast, donor)
    invitations.invite(ctx, cast.actors["coordinator"], wanted(known["A"]))
    one = token(ctx)
    invitations.invite(ctx, cast.actors["coordinator"], wanted(known["B"]))
    both = [one, one if same else token(ctx)]
    barrier, outcomes = threading.Barrier(2), []

    def press(secret):
        barrier.wait()
        try:
            invitations.accept(ctx, secret)
            outcomes.append("in")
        except ChungTayError:
            outcomes.append("refused")

    threads = [threading.Thread(target=press, args=(each,)) for each in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == (["in", "refused"] if same else ["in", "in"])
    with ctx.reading() as db:
        mine = sa.select(tables.persons.c.id).where(tables.persons.c.email == NEW)
        assert len(db.scalars(mine).all()) == 1


def test_a_newer_invitation_replaces_the_older_of_the_same_address_role_and_place(ctx, cast, donor):
    known, actor = places(cast, donor), cast.actors["coordinator"]
    invitations.invite(ctx, actor, wanted(known["A"]))
    older = token(ctx)
    invitations.invite(ctx, actor, wanted(known["B"]))
    other = token(ctx)
    invitations.invite(ctx, actor, wanted(known["A"]))
    newer = token(ctx)
    states = [invitations.look(ctx, each)[1] for each in (older, other, newer)]
    assert states == [InvitationState.REVOKED, InvitationState.OPEN, InvitationState.OPEN]
    assert [x.state for x in invitations.listed(ctx, actor)] == [InvitationState.OPEN] * 2
    assert states_of_mails(ctx) == [
        MessageState.CANCELLED,
        MessageState.PLANNED,
        MessageState.PLANNED,
    ]


def states_of_mails(ctx):
    query = sa.select(tables.outbox.c.state).where(tables.outbox.c.kind == "invitation")
    with ctx.reading() as db:
        return list(db.scalars(query.order_by(tables.outbox.c.id)))


def test_an_invitation_ends_after_a_week(ctx, cast, donor, clock):
    invitations.invite(ctx, cast.actors["coordinator"], wanted(places(cast, donor)["A"]))
    clock.forward(days=7, seconds=-1)
    assert invitations.look(ctx, token(ctx))[1] is InvitationState.OPEN
    clock.forward(seconds=1)
    assert invitations.look(ctx, token(ctx))[1] is InvitationState.EXPIRED
    with pytest.raises(NotFound):
        invitations.accept(ctx, token(ctx))
    assert count(ctx, tables.sign_ins) == 0


def test_an_invitation_is_taken_back_by_whoever_may_give_it(ctx, cast, donor):
    made = invitations.invite(ctx, cast.actors["schoolA"], wanted(places(cast, donor)["A"]))
    for who in ("stranger", "schoolB", "teacher1"):
        with pytest.raises(NotFound):
            invitations.take_back(ctx, cast.actors[who], made)
        assert invitations.listed(ctx, cast.actors[who]) == ()
    invitations.take_back(ctx, cast.actors["coordinator"], made)
    invitations.take_back(ctx, cast.actors["schoolA"], made)
    with pytest.raises(NotFound):
        invitations.accept(ctx, token(ctx))
    assert states_of_mails(ctx) == [MessageState.CANCELLED]
    with ctx.reading() as db:
        noted = sa.select(tables.audits.c.action).where(tables.audits.c.subject == "invitation")
        assert list(db.scalars(noted)) == ["invite", "take_invitation_back"]


def test_a_coordinator_takes_no_invitation_of_a_coordinator_back(ctx, cast, donor, admin):
    made = invitations.invite(ctx, admin, wanted(places(cast, donor)["coordinator"]))
    with pytest.raises(NotAllowed):
        invitations.take_back(ctx, cast.actors["coordinator"], made)
    assert [x.open for x in invitations.listed(ctx, cast.actors["coordinator"])] == [False]
    assert [x.open for x in invitations.listed(ctx, admin)] == [True]


def test_what_was_accepted_cannot_be_taken_back(ctx, cast, donor):
    made = invitations.invite(ctx, cast.actors["coordinator"], wanted(places(cast, donor)["A"]))
    invitations.accept(ctx, token(ctx))
    with pytest.raises(Conflict):
        invitations.take_back(ctx, cast.actors["coordinator"], made)


def test_nobody_is_invited_to_what_they_are(ctx, cast, donor):
    known = places(cast, donor)
    for name, email in (("A", "schoola@x.example"), ("teacher", "teacher1@x.example")):
        with pytest.raises(Conflict):
            invitations.invite(ctx, cast.actors["coordinator"], wanted(known[name], email))


def test_a_switched_off_account_is_not_switched_on_by_an_invitation(ctx, cast, donor):
    with ctx.transaction() as db:
        roles.set_active(db, cast["person_schoolA"], active=False)
    invitations.invite(
        ctx, cast.actors["coordinator"], wanted(places(cast, donor)["A"], "schoola@x.example")
    )
    with pytest.raises(Conflict):
        invitations.accept(ctx, token(ctx))
    assert invitations.look(ctx, token(ctx))[1] is InvitationState.OPEN


def test_who_goes_has_invited_nobody(ctx, cast, donor, admin):
    invitations.invite(ctx, cast.actors["coordinator"], wanted(places(cast, donor)["A"]))
    who = cast.actors["coordinator"].person_id
    seen = people.look_at_switch(ctx, admin, who).fingerprint
    people.switch_off(ctx, admin, who, seen)
    assert invitations.look(ctx, token(ctx))[1] is InvitationState.REVOKED


def test_too_many_invitations_have_to_wait(ctx, cast, donor):
    place = places(cast, donor)["A"]
    for n in range(50):
        invitations.invite(ctx, cast.actors["coordinator"], wanted(place, f"a{n}@x.example"))
    with pytest.raises(TooMany):
        invitations.invite(ctx, cast.actors["coordinator"], wanted(place))
    invitations.invite(ctx, cast.actors["schoolA"], wanted(place))


@pytest.mark.parametrize("secret", ["", "x", "\x00", "\ud800", "é" * 5000])
def test_no_text_is_an_invitation(ctx, cast, secret):
    with pytest.raises(NotFound):
        invitations.look(ctx, secret)
    with pytest.raises(NotFound):
        invitations.accept(ctx, secret)


def test_the_mail_goes_to_the_invited_in_their_language_and_its_secret_goes_with_it(
    ctx, cast, donor
):
    invitations.invite(
        ctx, cast.actors["coordinator"], wanted(places(cast, donor)["A"], language="en")
    )
    [message] = claimed(ctx)
    envelope, letter = letters.compose(ctx, message)
    assert (envelope.name, envelope.address) == ("Lê Thị Mới", NEW)
    assert letter.subject == "Cô coordinator invites you to Chung Tay"
    for word in ("Hello Lê Thị Mới", "Hà Nội – Yên Bái", "contact person", "THCS A", token(ctx)):
        assert word in letter.text
    with ctx.reading() as db:
        kept = repr(list(db.execute(sa.select(tables.invitations))))
    assert token(ctx) not in kept


def test_accepting_is_whole_though_no_link_can_be_sent_at_the_moment(ctx, cast, donor):
    invitations.invite(ctx, cast.actors["coordinator"], wanted(places(cast, donor)["A"]))
    link = token(ctx)
    for _ in range(5):  # somebody else asks for links to that mailbox
        accounts.request_sign_in(ctx, NEW)
    accepted = invitations.accept(ctx, link)
    assert (accepted.email, accepted.browser) == (NEW, "")
    assert NEW in {actor.email for actor in accounts.people_with(ctx, Role.SCHOOL)}


def test_nobody_fills_the_mailbox_of_a_stranger(ctx, cast, donor, clock):
    """Ten mails at once, whoever causes them and by what; then one an hour."""
    place = places(cast, donor)["A"]
    for n in range(10):
        who = ("coordinator", "schoolA")[n % 2]
        invitations.invite(ctx, cast.actors[who], wanted(place))
    for again in range(2):
        with pytest.raises(TooMany):
            invitations.invite(ctx, cast.actors["schoolA"], wanted(place))
        with pytest.raises(TooMany):
            address_changes.ask(ctx, cast.actors["teacher1"], NEW)
        invitations.invite(ctx, cast.actors["schoolA"], wanted(place, f"other{again}@x.example"))
    clock.forward(hours=1)
    address_changes.ask(ctx, cast.actors["teacher1"], NEW)


def test_an_invitation_is_worth_what_its_inviter_may_still_do(ctx, cast, donor):
    """An import takes the role from the contact whom a mistyped address had made."""
    invitations.invite(ctx, cast.actors["schoolA"], wanted(places(cast, donor)["A"]))
    link = token(ctx)
    mine = tables.grants.c.person_id == cast["person_schoolA"]
    with ctx.transaction() as db:
        db.execute(tables.grants.update().where(mine).values(person_id=cast["person_teacher2"]))
    assert invitations.look(ctx, link)[1] is InvitationState.REVOKED
    with pytest.raises(NotFound):
        invitations.accept(ctx, link)
    with ctx.transaction() as db:  # the next import gives it back
        mine = tables.grants.c.role == Role.SCHOOL
        mine &= tables.grants.c.person_id == cast["person_teacher2"]
        db.execute(tables.grants.update().where(mine).values(person_id=cast["person_schoolA"]))
    assert invitations.accept(ctx, link).email == NEW
