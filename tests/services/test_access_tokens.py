"""Access tokens: made, used, listed, ended; each by its own person only."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler import security
from scheduler.domain.access import Grant, Role
from scheduler.domain.access_tokens import MOST_TOKENS
from scheduler.errors import Conflict, Invalid, NotFound
from scheduler.security import Purpose
from scheduler.services import access_tokens
from scheduler.store import accounts, tables

HOUR = timedelta(hours=1)


@pytest.fixture
def me(cast):
    return cast.actors["teacher1"]


def test_a_token_is_its_person_until_its_day(ctx, me, clock):
    made = access_tokens.make(ctx, me, "timetable", 1)
    clock.forward(hours=24, seconds=-1)
    assert access_tokens.actor(ctx, made.text) == me
    clock.forward(seconds=1)
    assert access_tokens.actor(ctx, made.text) is None
    assert access_tokens.mine(ctx, me) == ()


def test_an_ended_token_is_refused_at_once_and_ends_once(ctx, me):
    ended, kept = (access_tokens.make(ctx, me, name, 30) for name in ("old", "new"))
    [_, which] = access_tokens.mine(ctx, me)
    assert which.name == "old"
    for _ in range(2):
        access_tokens.revoke(ctx, me, which.id)
    assert access_tokens.actor(ctx, ended.text) is None
    assert access_tokens.actor(ctx, kept.text) == me
    assert [each.name for each in access_tokens.mine(ctx, me)] == ["new"]
    with ctx.reading() as db:
        actions = list(db.scalars(sa.select(tables.audits.c.action).order_by(tables.audits.c.id)))
    assert actions == ["access_token", "access_token", "revoked_token"]


@pytest.mark.parametrize("who", ["teacher2", "coordinator", "stranger"])
def test_nobody_sees_or_ends_what_is_another_persons(ctx, cast, me, who):
    made = access_tokens.make(ctx, me, "mine", 30)
    [token] = access_tokens.mine(ctx, me)
    assert access_tokens.mine(ctx, cast.actors[who]) == ()
    for number in (token.id, 999_999):
        with pytest.raises(NotFound):
            access_tokens.revoke(ctx, cast.actors[who], number)
    assert access_tokens.actor(ctx, made.text) == me


def test_a_token_signed_by_us_that_is_on_no_list_is_nobodys(ctx, me):
    unlisted = security.sign_link(ctx.key, Purpose.ACCESS, str(me.person_id), ctx.now(), HOUR)
    assert access_tokens.actor(ctx, unlisted) is None


def test_a_token_of_one_person_is_never_anothers(ctx, cast, me):
    made = access_tokens.make(ctx, me, "mine", 1)
    with ctx.transaction() as db:
        db.execute(tables.access_tokens.update().values(person_id=cast["person_teacher2"]))
    assert access_tokens.actor(ctx, made.text) is None


def test_a_token_ends_with_its_account(ctx, cast, me):
    made = access_tokens.make(ctx, me, "mine", 1)
    with ctx.transaction() as db:
        db.execute(tables.persons.update().values(active=False))
    assert access_tokens.actor(ctx, made.text) is None


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.ADMIN])
def test_a_token_made_before_its_person_ran_a_programme_opens_nothing_of_it(ctx, cast, me, role):
    before = access_tokens.make(ctx, me, "of the teacher", 30)
    with ctx.transaction() as db:
        accounts.add_grant(db, me.person_id, Grant(role, cast["programme"]))
    assert access_tokens.actor(ctx, before.text) is None
    proved = access_tokens.make(ctx, me, "of the coordinator", 30, proved=True)
    for good in (proved.text, access_tokens.issue(ctx, me.email, HOUR)):
        assert access_tokens.actor(ctx, good).with_role(role)
    coordinator = access_tokens.actor(ctx, proved.text)
    listed = access_tokens.mine(ctx, coordinator)
    told = [access_tokens.shut(ctx, coordinator, each) for each in listed]
    assert told == [False, False, True]
    with ctx.transaction() as db:
        db.execute(tables.grants.delete().where(tables.grants.c.role == role))
    assert access_tokens.actor(ctx, before.text) == me


def test_where_no_second_factor_is_asked_for_a_token_needs_none(ctx, cast):
    open_house = replace(ctx, settings=ctx.settings.model_copy(update={"second_factor": False}))
    made = access_tokens.make(ctx, cast.actors["coordinator"], "mine", 30)
    assert access_tokens.actor(open_house, made.text) == cast.actors["coordinator"]
    assert access_tokens.actor(ctx, made.text) is None


def test_a_use_is_noted_once_in_ten_minutes(ctx, me, clock):
    made = access_tokens.make(ctx, me, "mine", 1)
    noted = []
    for minutes in (0, 9, 1, 9):
        clock.forward(minutes=minutes)
        access_tokens.actor(ctx, made.text)
        noted.append(access_tokens.mine(ctx, me)[0].last_used_at)
    first = clock.now() - timedelta(minutes=19)
    assert noted == [first, first, first + timedelta(minutes=10), first + timedelta(minutes=10)]


@pytest.mark.parametrize(
    ("name", "days", "field"),
    [("", 30, "name"), ("x" * 61, 30, "name"), ("a\nb", 30, "name"), ("x", 0, "days"),
     ("x", 91, "days"), ("x", -1, "days")],
)  # fmt: skip
def test_a_token_has_a_name_and_lives_90_days_at_most(ctx, me, name, days, field):
    with pytest.raises(Invalid) as refused:
        access_tokens.make(ctx, me, name, days)
    assert set(refused.value.fields) == {field}
    assert access_tokens.mine(ctx, me) == ()


def test_one_has_ten_tokens_at_most_however_many_are_made_at_once(ctx, me):
    for n in range(MOST_TOKENS - 2):
        access_tokens.make(ctx, me, f"t{n}", 1)
    barrier, refused = threading.Barrier(4), []

    def make():
        barrier.wait()
        try:
            access_tokens.make(ctx, me, "at once", 1)
        except Conflict as fault:
            refused.append(fault)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 2
    assert len(access_tokens.mine(ctx, me)) == MOST_TOKENS


def test_the_operators_command_lists_its_token_too(ctx, me):
    token = access_tokens.issue(ctx, me.email, HOUR)
    assert access_tokens.actor(ctx, token) == me
    [listed] = access_tokens.mine(ctx, me)
    assert (listed.name, listed.expires_at) == ("chungtay access-token", ctx.now() + HOUR)


def test_the_text_of_a_token_is_kept_nowhere(ctx, me):
    made = access_tokens.make(ctx, me, "mine", 1)
    signature = made.text.rsplit(".", 1)[1]
    with ctx.reading() as db:
        kept = [
            *db.execute(sa.select(tables.access_tokens)),
            *db.execute(sa.select(tables.audits)),
        ]
    assert signature not in repr([tuple(row) for row in kept])
