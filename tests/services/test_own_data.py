"""All that is kept of a person: copied whole, and taken away whole."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.access import Role
from scheduler.domain.invitations import Place
from scheduler.domain.messages import MessageState
from scheduler.errors import Conflict, NotFound
from scheduler.origin import Origin, coming_from
from scheduler.services import accounts, address_changes, invitations, outbox, own_data, sending
from scheduler.services.invitations import Wanted
from scheduler.store import audits, tables
from scheduler.store.own_data import PLACES, Fate
from tests.faults.kit import Post
from tests.planning import A1, draft, publish

MARK = "Zyx"  # in every word that is written about the person
TARGETS = (tables.persons, tables.teachers, tables.pledges)
SECRETS = ("hash", "sealed", "csrf", "jti", "token", "public_key", "credential")
OVER = {
    "reports": {"side": "teacher"},
    "check_ins": {"side": "teacher"},
    "joint_session_attendees": {"school_id": None, "answer": "coming"},
    "grants": {"role": "donor_head", "teacher_id": None, "school_id": None},
    "invitations": {"role": "coordinator", "school_id": None, "donor_school_id": None},
    "offers": {"end": "declined"},
    "swaps": {"end": "declined"},
    "outbox": {"kind": "note", "channel": "mail", "state": "planned", "phase": "waiting",
               "sent_at": None, "lease_token": None, "lease_owner": None, "lease_until": None,
               "payload": {"words": MARK, "name": MARK, "email": MARK}, "follows_id": None},
    "reminder_choices": {"quiet_from": None, "quiet_until": None},
    "plans": {"state": "draft", "published_at": None, "origin": "run", "weights": None,
              "terms": None},
    "runs": {"state": "cancelled", "plan_id": None, "lease_token": None, "seconds_limit": 1},
    "publications": {"previous_id": None, "undoes_id": None},
    "requests": {"number": 9, "lessons_per_week": 1, "priority": 1},
    "lesson_history": {"publication_id": None, "deed": "called_off", "state": "cancelled"},
    "plan_lessons": {"start_minute": 1, "end_minute": 2},
    "availability": {"start_minute": 1, "end_minute": 2, "weekday": 1},
    "pledge_levels": {"level": "primary"},
    "busy_sources": {"last_good_at": None, "known_until": None},
    "audits": {"reason": "", "before": None, "after": None, "subject_id": 1},
    "handovers": {},
    "sign_ins": {"email": None},
    "pledges": {"max_per_day": 1, "max_per_week": 1, "max_total": 1},
}  # fmt: skip
SPANS = {"starts_at": 0, "ends_at": 1, "first_day": 0, "last_day": 1}
THERE_ALREADY = {"lessons", "teachers", "pledges"}


def value(ctx, column, owner):
    """Something that fits, with the mark where there is room for words."""
    if column.foreign_keys:
        (target,) = (key.column.table for key in column.foreign_keys)
        if target.name in owner:
            return owner[target.name]
        with ctx.reading() as db:
            return db.scalar(sa.select(sa.func.min(target.c.id)))
    kind = column.type.python_type if not isinstance(column.type, sa.JSON) else dict
    now = ctx.now() + timedelta(days=SPANS.get(column.name, 0))
    name = type(column.type).__name__
    made = {"Instant": now, "Date": now.date(), "Boolean": False, "JSON": {"x": MARK},
            "LargeBinary": b"x", "Float": 1.0}  # fmt: skip
    if name in made:
        return made[name]
    return 1 if kind is int else f"{MARK}{column.table.name[:4]}{column.name}"[: column.type.length]


def fill(ctx, owner, place):
    """A row of that place which leads to the person."""
    row = {
        column.name: value(ctx, column, owner)
        for column in place.table.columns
        if not (column.primary_key and column.name == "id")
    }
    row |= OVER.get(place.table.name, {})
    if place.name.startswith("grants"):
        row["donor_school_id"] = 1
    with ctx.transaction() as db:
        db.execute(place.table.insert().values(**row))


@pytest.fixture
def person(ctx, cast):
    """Somebody of whom every table knows something: a teacher whose lessons are over."""
    publish(ctx, cast, draft(ctx, cast, A1))
    ctx.clock.forward(days=30)
    found = cast["person_teacher1"]
    with ctx.transaction() as db:
        db.execute(
            tables.persons.update()
            .where(tables.persons.c.id == found)
            .values(name=f"{MARK} A", phone=MARK, email=f"{MARK}@x.example".lower(),
                    mail_fault=MARK, mail_fault_at=ctx.now(), zone="Asia/Tokyo")
        )  # fmt: skip
        db.execute(tables.lessons.update().values(cancelled_by=f"{MARK} A", cancel_reason=MARK))
        pledge = db.scalar(
            sa.select(tables.pledges.c.id).where(tables.pledges.c.teacher_id == cast["teacher1"])
        )
        db.execute(tables.feeds.insert().values(kind="teacher", owner_id=1, language="vi",
                   show_cancelled=False, dirty=False))  # fmt: skip
        pair = db.execute(tables.partnerships.insert().values(programme_id=cast["programme"],
                   donor_unit="Q", receiving_unit="H", lessons_pledged=1,
                   joint_sessions_pledged=1)).inserted_primary_key[0]  # fmt: skip
        met = db.execute(tables.joint_sessions.insert().values(partnership_id=pair, uid="u",
                   join_token="t", title="x", state="cancelled", starts_at=ctx.now(),
                   ends_at=ctx.now() + timedelta(hours=1), sequence=0, created_at=ctx.now(),
                   changed_at=ctx.now(), cancelled_by=f"{MARK} A",
                   cancel_reason=MARK)).inserted_primary_key[0]  # fmt: skip
        audits.record(db, ctx.now(), found, "call_off_joint_session", "joint_session", met)
        db.execute(tables.cover_calls.insert().values(lesson_id=1, teacher_id=cast["teacher2"],
                   reason="", asked_at=ctx.now(), ended_at=ctx.now()))  # fmt: skip
    owner = {"persons": found, "teachers": cast["teacher1"], "pledges": pledge}
    for place in PLACES:
        fresh = place.table.name not in THERE_ALREADY
        if fresh and place.name not in FILLED_BY_ANOTHER:
            fill(ctx, owner, place)
    with ctx.transaction() as db, coming_from(Origin("r", "192.0.2.77")):
        audits.record(db, ctx.now(), found, "x", "person", found)
    return found


# Names of things and of states, made by machines.
NO_WORDS = {
    "audits.action", "audits.network", "audits.request_id", "audits.subject", "certificates.code",
    "certificates.programme", "cover_calls.end", "outbox.key", "outbox.message_id", "reports.cause",
    "plans.input_hash", "plans.supposes", "publications.fingerprint", "runs.error", "runs.history",
    "runs.supposes",
}  # fmt: skip
# One row stands for both columns.
FILLED_BY_ANOTHER = {
    "grants.teacher_id", "certificates.issued_by", "lesson_history.teacher_id", "swaps.asked_id",
    "invitations.invited_by", "pledge_levels.pledge_id", "joint_session_attendees.teacher_id",
}  # fmt: skip


def everything(ctx):
    with ctx.reading() as db:
        return {
            name: [dict(row._mapping) for row in db.execute(sa.select(table))]
            for name, table in tables.metadata.tables.items()
        }


def test_every_column_that_leads_to_a_person_has_its_place():
    found = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.tables.values()
        for column in table.columns
        if any(key.column.table in TARGETS for key in column.foreign_keys)
    }
    assert {place.name for place in PLACES} == found
    assert all(place.not_shown == "" or len(place.not_shown) > 20 for place in PLACES)


def test_a_copy_holds_a_row_of_every_place_and_no_secret(ctx, person):
    copy = json.loads(own_data.copy(ctx, person, by=person))
    shown = {place.name for place in PLACES if not place.not_shown} | {"persons"}
    assert copy["kept"].keys() == shown
    assert [name for name, rows in copy["kept"].items() if not rows] == []
    columns = {column for rows in copy["kept"].values() for row in rows for column in row}
    assert sorted(c for c in columns if any(sign in c for sign in SECRETS)) == []


def test_a_copy_holds_nothing_of_anybody_else(ctx, cast, person):
    copy = json.loads(own_data.copy(ctx, cast["person_teacher2"], by=None))
    assert MARK not in json.dumps(copy)
    assert [row["id"] for row in copy["kept"]["persons"]] == [cast["person_teacher2"]]
    with pytest.raises(NotFound):
        own_data.copy(ctx, 999, by=None)


def test_erasing_leaves_no_word_of_a_person_anywhere(ctx, cast, person):
    counts = {name: len(rows) for name, rows in everything(ctx).items()}
    assert own_data.erase(ctx, person)
    after = everything(ctx)
    told = {
        f"{name}.{column}": value
        for name, rows in after.items()
        for row in rows
        for column, value in row.items()
        if MARK.lower() in str(value).lower()
    }
    assert {name: value for name, value in told.items() if name not in NO_WORDS} == {}
    gone = {place.table.name for place in PLACES if place.fate is Fate.GOES}
    stay = counts.keys() - gone - {"audit_origins", "audits", "switches"}
    assert {name: len(after[name]) for name in stay} == {name: counts[name] for name in stay}
    assert after["audit_origins"] == []
    (who,) = (row for row in after["persons"] if row["id"] == person)
    assert (who["name"], who["email"]) == ("tình nguyện viên cũ", f"erased-{person}@erased.invalid")
    assert (who["active"], who["phone"], who["zone"], who["erased_at"]) == (
        False,
        "",
        None,
        ctx.now(),
    )


def test_erasing_twice_is_once_and_the_record_keeps_numbers_alone(ctx, person):
    assert own_data.erase(ctx, person)
    assert not own_data.erase(ctx, person)
    with ctx.reading() as db:
        lines = db.execute(sa.select(tables.audits).where(tables.audits.c.action == "erase")).all()
    assert [(x.person_id, x.subject_id, x.reason, x.after) for x in lines] == [
        (None, person, "", None)
    ]


def test_whoever_was_erased_is_known_by_the_deed_and_not_by_an_address(ctx, cast, person):
    with ctx.transaction() as db:
        mine = tables.persons.c.id == cast["person_teacher2"]
        db.execute(sa.update(tables.persons).where(mine).values(email="lan@erased.invalid"))
    assert b"lan@erased.invalid" in own_data.copy(ctx, cast["person_teacher2"], by=None)
    own_data.erase(ctx, person)
    with ctx.transaction() as db:
        mine = tables.persons.c.id == person
        db.execute(sa.update(tables.persons).where(mine).values(email="lan@x.example"))
    with pytest.raises(NotFound):
        own_data.copy(ctx, person, by=None)
    with pytest.raises(NotFound):
        own_data.ask_erasure(ctx, person, by=None)


def test_others_stay_as_they_are(ctx, cast, person):
    before = everything(ctx)
    own_data.erase(ctx, person)
    after = everything(ctx)
    others = lambda rows: [row for row in rows if row["id"] != person]  # noqa: E731
    assert others(after["persons"]) == others(before["persons"])
    theirs = lambda rows: [row for row in rows if row["person_id"] != person]  # noqa: E731
    assert theirs(after["grants"]) == theirs(before["grants"])


# -- asking


def test_whoever_has_lessons_ahead_leaves_first(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1))
    actor = cast.actors["teacher1"]
    assert own_data.standing(ctx, actor).lessons == 1
    with pytest.raises(Conflict, match="Leave first"):
        own_data.ask_erasure(ctx, actor.person_id, by=actor.person_id)
    assert not own_data.erase(ctx, actor.person_id)
    ctx.clock.forward(days=10)
    own_data.ask_erasure(ctx, actor.person_id, by=actor.person_id)


def test_the_last_coordinator_stays_until_there_is_another(ctx, cast):
    actor = cast.actors["coordinator"]
    with pytest.raises(Conflict, match="successor"):
        own_data.ask_erasure(ctx, actor.person_id, by=None)
    accounts.add_user(ctx, "new@x.example", Role.COORDINATOR)
    own_data.ask_erasure(ctx, actor.person_id, by=None)


def test_a_last_mail_goes_to_the_old_address_and_then_the_data_go(ctx, cast):
    actor = cast.actors["teacher1"]
    for _ in range(2):
        own_data.ask_erasure(ctx, actor.person_id, by=actor.person_id)
    assert own_data.standing(ctx, actor).asked
    assert own_data.erase_asked(ctx) == 0  # it has not gone out yet
    post = Post()
    sending.send_due(ctx, post)
    assert post.recipients == ["teacher1@x.example"]
    assert (own_data.erase_asked(ctx), own_data.erase_asked(ctx)) == (1, 0)
    with ctx.reading() as db:
        assert accounts_gone(db, actor.person_id)


def test_a_mail_that_cannot_go_out_holds_nobody_longer_than_an_hour(ctx, cast):
    actor = cast.actors["teacher1"]
    own_data.ask_erasure(ctx, actor.person_id, by=None)
    ctx.clock.forward(minutes=59)
    assert own_data.erase_asked(ctx) == 0
    ctx.clock.forward(minutes=2)
    assert own_data.erase_asked(ctx) == 1
    with ctx.reading() as db:
        [row] = db.execute(sa.select(tables.outbox)).all()
    assert (row.state, row.payload) == (
        MessageState.CANCELLED, {"words": "", "name": "", "email": ""},
    )  # fmt: skip


def test_of_two_coordinators_who_both_go_one_stays_until_there_is_another(ctx, cast, clock):
    one = cast.actors["coordinator"]
    two = accounts.add_user(ctx, "two@x.example", Role.COORDINATOR)
    for each in (one, two):
        own_data.ask_erasure(ctx, each.person_id, by=each.person_id)
    clock.forward(hours=2)
    assert own_data.erase_asked(ctx) == 1
    assert own_data.erase_asked(ctx) == 0
    with ctx.reading() as db:
        gone = [accounts_gone(db, each.person_id) for each in (one, two)]
    assert sorted(gone) == [False, True]
    accounts.add_user(ctx, "three@x.example", Role.COORDINATOR)
    assert own_data.erase_asked(ctx) == 1


def test_the_last_administrator_stays_though_there_are_coordinators(ctx, cast):
    admin = accounts.add_user(ctx, "admin@x.example", Role.ADMIN)
    with pytest.raises(Conflict, match="successor"):
        own_data.ask_erasure(ctx, admin.person_id, by=None)


def invited(ctx, by, email, place):
    """The secret in the mail of an invitation."""
    made = invitations.invite(ctx, by, Wanted(email, f"{MARK} Mới", "vi", place))
    with ctx.reading() as db:
        key = tables.outbox.c.key == f"invitation:{made}:mail"
        payload = db.scalar(sa.select(tables.outbox.c.payload).where(key))
    return outbox.opened(ctx, payload)["url"].rsplit("/", 1)[1]


def test_whoever_is_erased_speaks_for_nobody_any_more(ctx, cast):
    two = accounts.add_user(ctx, "two@x.example", Role.COORDINATOR, name=f"{MARK} Hai")
    place = Place(Role.SCHOOL, cast["programme"], cast["A"])
    link = invited(ctx, two, "moi@x.example", place)
    own_data.erase(ctx, two.person_id)
    with pytest.raises(NotFound):
        invitations.accept(ctx, link)
    assert "Hai" not in str(everything(ctx)["outbox"])


def test_an_invitation_that_waits_goes_to_nobody_who_is_erased(ctx, cast):
    """Its mail is the inviter's, and holds the name and address of another."""
    place = Place(Role.SCHOOL, cast["programme"], cast["A"])
    teacher = cast.actors["teacher1"]
    link = invited(ctx, cast.actors["coordinator"], teacher.email, place)
    address_changes.ask(ctx, cast.actors["teacher2"], "other@x.example")
    with ctx.transaction() as db:
        wish = tables.address_changes.update().values(email=teacher.email)
        db.execute(wish)
    assert own_data.erase(ctx, teacher.person_id)
    left = everything(ctx)
    assert (left["invitations"], left["address_changes"]) == ([], [])
    told = [row for row in left["outbox"] if row["kind"] == "invitation"]
    assert [row["state"] for row in told] == [MessageState.CANCELLED]
    assert MARK not in str(told)
    assert teacher.email not in str(told)
    with pytest.raises(NotFound):
        invitations.accept(ctx, link)


def accounts_gone(db, person_id):
    row = db.execute(sa.select(tables.persons).where(tables.persons.c.id == person_id)).one()
    return row.erased_at is not None and not row.active


def test_whom_to_tell_of_a_breach(ctx, cast):
    now = ctx.now()
    found = own_data.concerned(ctx, now - timedelta(days=1), now, "P")
    lines = found.table.decode("utf-8-sig").splitlines()
    assert (lines[0], found.count, len(lines)) == ("name,email,language,roles", 5, 6)
    assert "Cô coordinator,coordinator@x.example,vi,coordinator" in lines
    assert "stranger@x.example" not in found.table.decode()
    assert own_data.concerned(ctx, now, now).count == 6
    own_data.erase(ctx, cast["person_teacher2"])
    later = own_data.concerned(ctx, now, now, "P")
    assert (later.count, later.gone) == (4, 1)
