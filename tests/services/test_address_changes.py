"""Another mail address: the new mailbox says yes, the old one hears of it, nobody else learns."""

import threading

import pytest
import sqlalchemy as sa

from scheduler.errors import ChungTayError, Invalid, NotFound, TooMany
from scheduler.services import accounts, address_changes, factors, letters, outbox, sessions
from scheduler.store import roles, tables
from tests.services.test_inviting import claimed

BASE = "https://chungtay.example/address/"


def secret(ctx):
    """Of the newest link in the outbox."""
    query = sa.select(tables.outbox.c.payload).where(tables.outbox.c.kind == "new_address")
    with ctx.reading() as db:
        payload = db.scalar(query.order_by(tables.outbox.c.id.desc()).limit(1))
    return outbox.opened(ctx, payload)["url"].removeprefix(BASE)


def email(ctx, person_id):
    with ctx.reading() as db:
        row = tables.persons.c
        return db.scalar(sa.select(row.email).where(row.id == person_id))


def test_the_link_goes_to_the_new_address_and_a_word_to_the_old_one(ctx, cast):
    address_changes.ask(ctx, cast.actors["teacher1"], "Neu@x.example")
    mails = {env.address: letter for env, letter in (letters.compose(ctx, x) for x in claimed(ctx))}
    assert set(mails) == {"neu@x.example", "teacher1@x.example"}
    assert secret(ctx) in mails["neu@x.example"].text
    assert secret(ctx) not in mails["teacher1@x.example"].text
    with ctx.reading() as db:
        assert secret(ctx) not in repr(list(db.execute(sa.select(tables.address_changes))))


def test_an_address_of_somebody_else_gets_a_word_to_its_owner_and_no_link(ctx, cast):
    address_changes.ask(ctx, cast.actors["teacher1"], "teacher2@x.example")
    mails = {env.address: letter for env, letter in (letters.compose(ctx, x) for x in claimed(ctx))}
    assert set(mails) == {"teacher1@x.example", "teacher2@x.example"}
    assert all(BASE not in letter.text for letter in mails.values())


def test_the_change_signs_out_everywhere_and_spends_links_in_the_old_mailbox(ctx, cast):
    first = accounts.operator_link(ctx, "teacher1@x.example").rsplit("/", 1)[1]
    session = accounts.sign_in(ctx, first, "any").token
    address_changes.ask(ctx, cast.actors["teacher1"], "neu@x.example")
    waiting = accounts.operator_link(ctx, "teacher1@x.example").rsplit("/", 1)[1]
    assert address_changes.confirm(ctx, secret(ctx)) == "neu@x.example"
    assert email(ctx, cast["person_teacher1"]) == "neu@x.example"
    assert sessions.who(ctx, session) is None
    with pytest.raises(NotFound):
        accounts.sign_in(ctx, waiting, "any")


def test_only_the_newest_wish_counts_for_an_hour_and_once(ctx, cast, clock):
    address_changes.ask(ctx, cast.actors["teacher1"], "eins@x.example")
    older = secret(ctx)
    clock.forward(minutes=1)
    address_changes.ask(ctx, cast.actors["teacher1"], "zwei@x.example")
    with pytest.raises(NotFound):
        address_changes.confirm(ctx, older)
    clock.forward(hours=1)
    with pytest.raises(NotFound):
        address_changes.confirm(ctx, secret(ctx))
    address_changes.ask(ctx, cast.actors["teacher1"], "drei@x.example")
    address_changes.confirm(ctx, secret(ctx))
    with pytest.raises(NotFound):
        address_changes.confirm(ctx, secret(ctx))
    assert email(ctx, cast["person_teacher1"]) == "drei@x.example"


def test_an_address_that_became_somebodys_meanwhile_is_not_taken(ctx, cast):
    """Two want the same free address: whose mailbox it is says yes twice, and one gets it."""
    links = []
    for who in ("teacher1", "teacher2"):
        address_changes.ask(ctx, cast.actors[who], "neu@x.example")
        links.append(secret(ctx))
    barrier, outcomes = threading.Barrier(2), []

    def press(link):
        barrier.wait()
        try:
            address_changes.confirm(ctx, link)
            outcomes.append("taken")
        except ChungTayError:
            outcomes.append("refused")

    threads = [threading.Thread(target=press, args=(link,)) for link in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "taken"]
    kept = {email(ctx, cast[f"person_{who}"]) for who in ("teacher1", "teacher2")}
    assert "neu@x.example" in kept
    assert len(kept) == 2


def test_who_is_switched_off_takes_no_address(ctx, cast):
    address_changes.ask(ctx, cast.actors["teacher1"], "neu@x.example")
    with ctx.transaction() as db:
        roles.set_active(db, cast["person_teacher1"], active=False)
    for step in (address_changes.look, address_changes.confirm):
        with pytest.raises(NotFound):
            step(ctx, secret(ctx))
    assert email(ctx, cast["person_teacher1"]) == "teacher1@x.example"


def test_after_five_wishes_one_has_to_wait(ctx, cast):
    for n in range(5):
        address_changes.ask(ctx, cast.actors["teacher1"], f"neu{n}@x.example")
    with pytest.raises(TooMany):
        address_changes.ask(ctx, cast.actors["teacher1"], "neu@x.example")
    address_changes.ask(ctx, cast.actors["teacher2"], "neu@x.example")


@pytest.mark.parametrize("typed", ["", "x", "a@x.example, b@x.example", "TEACHER1@x.example"])
def test_what_is_no_new_address_is_refused_without_a_mail(ctx, cast, typed):
    with pytest.raises(Invalid):
        address_changes.ask(ctx, cast.actors["teacher1"], typed)
    assert claimed(ctx) == ()


@pytest.mark.parametrize("way", ["others", "one", "reset"])
def test_who_ends_all_sessions_as_the_notice_says_ends_the_change_too(ctx, cast, way):
    """Somebody at a computer that was left open asked for it."""
    me = cast.actors["teacher1"]
    left_open, own = (signed_in(ctx, me.email) for _ in range(2))
    address_changes.ask(ctx, left_open.actor, "thief@x.example")
    link = secret(ctx)
    match way:
        case "others":
            assert sessions.end_others(ctx, me, own.id) == 1
        case "one":
            sessions.end(ctx, me, left_open.id)
        case _:
            factors.reset(ctx, me.email)
    with pytest.raises(NotFound):
        address_changes.look(ctx, link)
    with pytest.raises(NotFound):
        address_changes.confirm(ctx, link)
    assert email(ctx, me.person_id) == me.email


def test_ending_sessions_ends_nobody_elses_change(ctx, cast):
    me = signed_in(ctx, "teacher1@x.example")
    address_changes.ask(ctx, me.actor, "neu@x.example")
    sessions.end_others(ctx, cast.actors["teacher2"], 0)
    assert address_changes.confirm(ctx, secret(ctx)) == "neu@x.example"


def signed_in(ctx, address):
    link = accounts.operator_link(ctx, address).rsplit("/", 1)[1]
    return sessions.who(ctx, accounts.sign_in(ctx, link, "any").token)
