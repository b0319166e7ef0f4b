"""Signing in by a mailed link: who may use it, how often, and what a stranger learns."""

import threading

import pytest
import sqlalchemy as sa

from scheduler.domain.access import Role
from scheduler.domain.accounts import LinkState
from scheduler.errors import ChungTayError, Conflict, Invalid, NotFound
from scheduler.services import accounts, outbox, sessions
from scheduler.store import tables


def mailed(ctx):
    """The link's token and the code of the newest sign-in message in the outbox."""
    accounts.make_links(ctx)  # what the next beat does
    with ctx.reading() as db:
        payload = db.scalar(
            sa.select(tables.outbox.c.payload).order_by(tables.outbox.c.id.desc()).limit(1)
        )
    told = outbox.opened(ctx, payload)
    return told["url"].rsplit("/", 1)[1], told["code"]


def messages(ctx):
    accounts.make_links(ctx)
    with ctx.reading() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(tables.outbox))


def test_the_browser_that_asked_signs_in_with_one_click(ctx, cast):
    browser = accounts.request_sign_in(ctx, " Teacher1@X.example ")
    token, _ = mailed(ctx)
    assert accounts.link_state(ctx, token, browser) is LinkState.READY
    session = accounts.sign_in(ctx, token, browser)
    assert session.actor == cast.actors["teacher1"]
    seen = sessions.who(ctx, session.token)
    assert seen is not None
    assert seen.actor == cast.actors["teacher1"]


def test_another_browser_needs_the_code(ctx, cast):
    accounts.request_sign_in(ctx, "teacher1@x.example")
    token, code = mailed(ctx)
    assert accounts.link_state(ctx, token, "another") is LinkState.NEEDS_CODE
    with pytest.raises(NotFound):
        accounts.sign_in(ctx, token, "another")
    typed = f"{code[:4].lower()} {code[4:]}"
    assert accounts.sign_in_by_code(ctx, typed, token=token).actor == cast.actors["teacher1"]


def test_the_asking_browser_may_type_the_code_instead(ctx, cast):
    browser = accounts.request_sign_in(ctx, "teacher1@x.example")
    _, code = mailed(ctx)
    assert accounts.sign_in_by_code(ctx, code, browser=browser).actor == cast.actors["teacher1"]


def test_five_wrong_codes_end_the_link(ctx, cast):
    accounts.request_sign_in(ctx, "teacher1@x.example")
    token, code = mailed(ctx)
    for _ in range(5):
        with pytest.raises(Invalid):
            accounts.sign_in_by_code(ctx, "AAAAAAAA", token=token)
    with pytest.raises(NotFound):
        accounts.sign_in_by_code(ctx, code, token=token)


def test_an_unknown_address_gets_the_same_answer_and_no_mail(ctx, cast):
    known = accounts.request_sign_in(ctx, "teacher1@x.example")
    unknown = accounts.request_sign_in(ctx, "nobody@x.example")
    assert len(known) == len(unknown)
    assert messages(ctx) == 1


@pytest.mark.parametrize("address", ["", "x", "a@b@c", "a b@x.example", "a@x.example, b@x.example"])
def test_what_is_no_address_is_said_to_be_none(ctx, cast, address):
    with pytest.raises(Invalid) as caught:
        accounts.request_sign_in(ctx, address)
    assert set(caught.value.fields) == {"email"}


def test_a_link_works_once(ctx, cast):
    browser = accounts.request_sign_in(ctx, "teacher1@x.example")
    token, _ = mailed(ctx)
    accounts.sign_in(ctx, token, browser)
    assert accounts.link_state(ctx, token, browser) is LinkState.USED
    with pytest.raises(NotFound):
        accounts.sign_in(ctx, token, browser)


def test_of_two_clicks_at_once_one_wins(ctx, cast):
    browser = accounts.request_sign_in(ctx, "teacher1@x.example")
    token, _ = mailed(ctx)
    barrier, outcomes = threading.Barrier(2), []

    def click():
        barrier.wait()
        try:
            accounts.sign_in(ctx, token, browser)
            outcomes.append("in")
        except ChungTayError:
            outcomes.append("refused")

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused"]


def test_a_link_ends_after_ten_minutes(ctx, cast, clock):
    browser = accounts.request_sign_in(ctx, "teacher1@x.example")
    token, _ = mailed(ctx)
    clock.forward(minutes=10)
    assert accounts.link_state(ctx, token, browser) is LinkState.EXPIRED


def test_a_newer_link_ends_the_older_one(ctx, cast):
    first = accounts.request_sign_in(ctx, "teacher1@x.example")
    token, _ = mailed(ctx)
    accounts.request_sign_in(ctx, "teacher1@x.example")
    newer, _ = mailed(ctx)
    assert newer != token
    assert accounts.link_state(ctx, token, first) is LinkState.EXPIRED


def signed_in(ctx, who="teacher1"):
    token = accounts.operator_link(ctx, f"{who}@x.example").rsplit("/", 1)[1]
    return accounts.sign_in(ctx, token, "any browser").token


def test_signing_out_ends_the_session_at_once(ctx, cast):
    token = signed_in(ctx)
    sessions.sign_out(ctx, token)
    assert sessions.who(ctx, token) is None


@pytest.mark.parametrize(("who", "hours"), [("teacher1", 14 * 24), ("coordinator", 12)])
def test_an_idle_session_ends_sooner_for_coordinators(ctx, cast, clock, who, hours):
    token = signed_in(ctx, who)
    clock.forward(hours=hours, seconds=-1)
    assert sessions.who(ctx, token) is not None
    clock.forward(hours=hours)
    assert sessions.who(ctx, token) is None


def test_a_session_that_is_used_lives_a_month_at_most(ctx, cast, clock):
    token = signed_in(ctx)
    for _ in range(3):
        clock.forward(days=9)
        assert sessions.who(ctx, token) is not None
    clock.forward(days=4)
    assert sessions.who(ctx, token) is None


def test_a_disabled_person_is_out_on_the_next_request(ctx, cast):
    token = signed_in(ctx)
    with ctx.transaction() as db:
        db.execute(
            tables.persons.update()
            .where(tables.persons.c.email == "teacher1@x.example")
            .values(active=False)
        )
    assert sessions.who(ctx, token) is None
    with pytest.raises(NotFound):
        accounts.operator_link(ctx, "teacher1@x.example")


@pytest.mark.parametrize("token", ["", "x", "\x00", "\ud800", "é" * 5000])
def test_no_cookie_text_is_anybody(ctx, cast, token):
    assert sessions.who(ctx, token) is None
    assert accounts.link_state(ctx, token, token) is LinkState.EXPIRED


def test_secrets_are_kept_as_hashes_only(ctx, cast):
    browser = accounts.request_sign_in(ctx, "teacher1@x.example")
    link, code = mailed(ctx)
    session = accounts.sign_in(ctx, link, browser).token
    with ctx.reading() as db:
        kept = [*db.execute(sa.select(tables.sign_ins)), *db.execute(sa.select(tables.sessions))]
    text = repr([tuple(row) for row in kept])
    assert not any(secret in text for secret in (browser, link, code, session))


def test_adding_a_user_twice_is_a_conflict(ctx, cast):
    actor = accounts.add_user(ctx, "new@x.example", Role.COORDINATOR, name="Hà")
    assert [grant.role for grant in actor.grants] == [Role.COORDINATOR]
    with pytest.raises(Conflict):
        accounts.add_user(ctx, "new@x.example", Role.COORDINATOR)


def test_a_school_contact_needs_a_school_that_is_there(ctx, cast):
    contact = accounts.add_user(ctx, "new@x.example", Role.SCHOOL, school_code="B")
    assert contact.grants[0].school_id == cast["B"]
    with pytest.raises(NotFound):
        accounts.add_user(ctx, "new@x.example", Role.SCHOOL, school_code="Z")
    with pytest.raises(Invalid):
        accounts.add_user(ctx, "new@x.example", Role.TEACHER)


def test_of_codes_typed_at_once_only_five_are_looked_at(ctx, cast):
    browser = accounts.request_sign_in(ctx, "teacher1@x.example")
    gate, told = threading.Barrier(8), []

    def guess():
        gate.wait()
        try:
            accounts.sign_in_by_code(ctx, "AAAA-AAAA", browser=browser)
        except ChungTayError as refused:
            told.append(type(refused))

    guessers = [threading.Thread(target=guess) for _ in range(8)]
    for each in guessers:
        each.start()
    for each in guessers:
        each.join()
    assert (told.count(Invalid), told.count(NotFound)) == (5, 3)


def test_a_role_for_an_account_that_is_off_is_refused_whole(ctx, cast):
    with ctx.transaction() as db:
        mine = tables.persons.c.id == cast["person_teacher1"]
        db.execute(tables.persons.update().where(mine).values(active=False))
    with pytest.raises(Conflict, match="switched off"):
        accounts.add_user(ctx, "teacher1@x.example", Role.ADMIN)
    with ctx.transaction() as db:
        db.execute(tables.persons.update().where(mine).values(active=True))
    assert accounts.people_with(ctx, Role.ADMIN) == ()
