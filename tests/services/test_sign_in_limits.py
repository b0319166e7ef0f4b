"""Who asks or types too often is told when to come back; failures are in the record."""

from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.accounts import LinkState
from scheduler.errors import ChungTayError, Invalid, NotFound, TooMany
from scheduler.origin import Origin, coming_from
from scheduler.services import accounts
from scheduler.store import tables
from tests.services.test_accounts import mailed, messages

KNOWN = "teacher1@x.example"


def asked(ctx, email, address="198.51.100.7"):
    """As if a beat came between two requests."""
    with coming_from(Origin("r", address)):
        browser = accounts.request_sign_in(ctx, email)
    accounts.make_links(ctx)
    return browser


def typed(ctx, code, address="198.51.100.7", **where):
    with coming_from(Origin("r", address)):
        return accounts.sign_in_by_code(ctx, code, **where)


def record(ctx):
    query = sa.select(tables.audits.c.action, tables.audits.c.person_id, tables.audits.c.subject_id)
    with ctx.reading() as db:
        return [tuple(row) for row in db.execute(query.order_by(tables.audits.c.id))]


@pytest.mark.parametrize("email", [KNOWN, "nobody@x.example"])
def test_the_sixth_request_for_a_mailbox_is_one_too_many_known_or_not(ctx, cast, clock, email):
    for n in range(5):
        asked(ctx, email if n % 2 else email.upper(), f"198.51.100.{n}")
    sent = messages(ctx)
    assert sent == (5 if email == KNOWN else 0)
    with pytest.raises(TooMany) as refused:
        asked(ctx, email, "198.51.100.9")
    assert refused.value.retry_after == 180
    assert messages(ctx) == sent
    clock.forward(minutes=3)
    asked(ctx, email, "198.51.100.9")


def test_a_link_sent_before_the_limit_was_met_still_signs_in(ctx, cast):
    browsers = [asked(ctx, KNOWN, f"198.51.100.{n}") for n in range(5)]
    token, _ = mailed(ctx)
    for _ in range(3):
        with pytest.raises(TooMany):
            asked(ctx, KNOWN, "203.0.113.1")
    assert accounts.link_state(ctx, token, browsers[-1]) is LinkState.READY
    assert accounts.sign_in(ctx, token, browsers[-1]).actor == cast.actors["teacher1"]


def test_the_21st_request_of_an_address_is_one_too_many_and_others_go_on(ctx, cast):
    for n in range(20):
        asked(ctx, f"somebody{n}@x.example")
    with pytest.raises(TooMany) as refused:
        asked(ctx, KNOWN)
    assert refused.value.retry_after == 45
    assert messages(ctx) == 0
    asked(ctx, KNOWN, "198.51.100.8")
    assert messages(ctx) == 1


def test_neighbours_in_one_ipv6_network_count_together(ctx, cast):
    for n in range(20):
        asked(ctx, f"somebody{n}@x.example", f"2001:db8:0:1::{n:x}")
    with pytest.raises(TooMany):
        asked(ctx, KNOWN, "2001:db8:0:1:ffff::1")
    asked(ctx, KNOWN, "2001:db8:0:2::1")


def test_what_is_no_address_costs_no_try(ctx, cast):
    for _ in range(30):
        with pytest.raises(Invalid):
            asked(ctx, "no address")
    asked(ctx, KNOWN)


def test_codes_are_typed_twenty_times_from_an_address_and_no_more(ctx, cast, clock):
    for _ in range(20):
        with pytest.raises(NotFound):
            typed(ctx, "AAAAAAAA", browser="of nobody")
    browser = asked(ctx, KNOWN)
    token, code = mailed(ctx)
    with pytest.raises(TooMany) as refused:
        typed(ctx, code, browser=browser)
    assert refused.value.retry_after == 45
    assert accounts.link_state(ctx, token, browser) is LinkState.READY
    clock.forward(seconds=45)
    assert typed(ctx, code, browser=browser).actor == cast.actors["teacher1"]


def test_failures_are_noted_with_the_person_where_there_is_one_and_with_no_address_else(ctx, cast):
    me = cast["person_teacher1"]
    asked(ctx, "nobody@x.example")
    browser = asked(ctx, KNOWN)
    token, _ = mailed(ctx)
    with pytest.raises(Invalid):
        typed(ctx, "AAAAAAAA", token=token)
    with pytest.raises(NotFound):
        typed(ctx, "AAAAAAAA", browser="of nobody")
    accounts.sign_in(ctx, token, browser)
    for press in (
        lambda: accounts.sign_in(ctx, token, browser),
        lambda: typed(ctx, "A", token=token),
    ):
        with pytest.raises(NotFound):
            press()
    assert record(ctx) == [
        ("asked_for_link", None, None),
        ("asked_for_link", None, me),
        ("wrong_code", None, me),
        ("dead_link", None, None),
        ("signed_in", me, me),
        ("dead_link", None, me),
        ("dead_link", None, me),
    ]
    with ctx.reading() as db:
        lines = [tuple(row) for row in db.execute(sa.select(tables.audits))]
        buckets = list(db.scalars(sa.select(tables.buckets.c.name)))
    assert "nobody" not in repr(lines)
    assert not any("x.example" in name or "198.51" in name for name in buckets)


def test_a_dead_link_pressed_without_end_does_not_flood_the_record(ctx, cast, clock):
    browser = asked(ctx, KNOWN)
    token, _ = mailed(ctx)
    clock.forward(minutes=11)
    for _ in range(60):
        with suppress(ChungTayError):
            accounts.sign_in(ctx, token, browser)
    assert [line[0] for line in record(ctx)].count("dead_link") == 20


def test_a_link_that_was_never_sent_is_in_no_record(ctx, cast):
    for _ in range(3):
        with pytest.raises(NotFound):
            accounts.sign_in(ctx, "never sent", "any")
    assert record(ctx) == []


def test_an_operator_without_an_address_meets_no_limit_of_addresses(ctx, cast):
    for n in range(25):
        accounts.request_sign_in(ctx, f"somebody{n}@x.example")


@pytest.mark.parametrize(
    "address",
    ["TEACHER1@X.EXAMPLE", " teacher1@x.example\t", "Teacher1@x.Example"],
)
def test_an_address_is_the_same_however_it_is_cased(ctx, cast, address):
    asked(ctx, address)
    assert messages(ctx) == 1


def test_an_international_domain_is_the_same_in_letters_and_in_punycode(ctx, cast):
    with ctx.transaction() as db:
        mine = tables.persons.c.id == cast["person_teacher1"]
        kept = accounts.clean_email("lan@Trường.example")
        db.execute(tables.persons.update().where(mine).values(email=kept))
    for written in ("lan@trường.example", "LAN@TRƯỜNG.example", "lan@xn--trng-rib8295b.example"):
        assert accounts.clean_email(written) == kept, written
    asked(ctx, "lan@TRƯỜNG.example")
    assert messages(ctx) == 1


@pytest.mark.parametrize(
    "address",
    ["teacher1@х.example", "teacher1@x.exаmple", "teacher1+a@x.example", "teacher.1@x.example",
     "teacher1@x.example.org"],
)  # fmt: skip
def test_an_address_that_only_looks_like_somebodys_is_nobodys(ctx, cast, address):
    """Cyrillic х and а; a plus and a dot are letters like others."""
    asked(ctx, address)
    assert messages(ctx) == 0


def test_a_plus_address_that_somebody_gave_is_theirs(ctx, cast):
    with ctx.transaction() as db:
        mine = tables.persons.c.id == cast["person_teacher1"]
        db.execute(tables.persons.update().where(mine).values(email="a+1@x.example"))
    for address in ("A+1@x.example", "a@x.example", "a+2@x.example"):
        asked(ctx, address)
    assert messages(ctx) == 1


@pytest.mark.parametrize("length", [255, 10_000])
def test_an_address_longer_than_any_can_be_is_said_to_be_none(ctx, cast, length):
    address = ("a." * length)[: length - len("@x.example") - 1] + "b@x.example"
    with pytest.raises(Invalid):
        asked(ctx, address)
    assert record(ctx) == []


def test_the_retry_time_is_the_time_of_the_next_try(ctx, cast, clock):
    for n in range(5):
        asked(ctx, KNOWN, f"198.51.100.{n}")
    clock.forward(seconds=61)
    with pytest.raises(TooMany) as refused:
        asked(ctx, KNOWN)
    clock.at += timedelta(seconds=refused.value.retry_after)
    asked(ctx, KNOWN)
