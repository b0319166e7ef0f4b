"""Whoever asks for a link is answered alike; a beat finds out whose address it was."""

import threading
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa

from scheduler.domain.accounts import LinkState
from scheduler.errors import ChungTayError, Invalid, NotFound
from scheduler.jobs.senders import Senders
from scheduler.jobs.tick import tick
from scheduler.origin import Origin, coming_from
from scheduler.services import accounts, outbox, own_data
from scheduler.store import tables
from tests.services.test_accounts import mailed, messages

KNOWN, NOBODY = "teacher1@x.example", "zyx@nowhere.example"


@contextmanager
def told(ctx):
    """What the database is told while this lasts, without its values."""
    said = []

    def note(_connection, _cursor, statement, _values, _context, _many):
        said.append(statement)

    engines = (ctx.database.writer, ctx.database.reader)
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    yield said
    for engine in engines:
        sa.event.remove(engine, "before_cursor_execute", note)


def kept(ctx, table=tables.sign_ins):
    with ctx.reading() as db:
        return [dict(row._mapping) for row in db.execute(sa.select(table))]


def everything(ctx):
    return repr([kept(ctx, table) for table in tables.metadata.tables.values()])


def typed(ctx, code, browser):
    with suppress(ChungTayError):
        return accounts.sign_in_by_code(ctx, code, browser=browser)


def switch_off(ctx, cast):
    with ctx.transaction() as db:
        mine = tables.persons.c.id == cast["person_teacher1"]
        db.execute(tables.persons.update().where(mine).values(active=False))


def asked_and_typed(ctx, email, beat):
    """What the database is told of two requests and of codes typed in both browsers."""
    with told(ctx) as said:
        browsers = [accounts.request_sign_in(ctx, email) for _ in range(2)]
    if beat:
        accounts.make_links(ctx)
    with told(ctx) as more:
        for browser in browsers:
            for _ in range(6):
                typed(ctx, "AAAAAAAA", browser)
    return said, more


@pytest.mark.parametrize("beat", [True, False])
def test_asking_and_wrong_codes_cost_the_same_about_somebody_and_about_nobody(ctx, cast, beat):
    about_somebody = asked_and_typed(ctx, KNOWN, beat)
    assert about_somebody == asked_and_typed(ctx, NOBODY, beat)
    assert min(map(len, about_somebody)) > 0


def test_the_next_beat_mails_the_link(ctx, cast):
    browser = accounts.request_sign_in(ctx, KNOWN)
    assert kept(ctx, tables.outbox) == []
    done = tick(ctx, Senders(ctx, {}))
    assert done.failed == ()
    assert len(kept(ctx, tables.outbox)) == 1
    token, code = mailed(ctx)
    assert accounts.link_state(ctx, token, browser) is LinkState.READY
    assert typed(ctx, code, browser).actor == cast.actors["teacher1"]


def test_nothing_of_an_unknown_address_stays_after_the_beat(ctx, cast, clock):
    with coming_from(Origin("req", "198.51.100.77")):
        accounts.request_sign_in(ctx, NOBODY)
    assert NOBODY in everything(ctx)
    accounts.make_links(ctx)
    assert "nowhere" not in everything(ctx)
    [row] = kept(ctx)
    assert (row["email"], row["person_id"], row["address"]) == (None, None, "")
    clock.forward(minutes=10)
    accounts.make_links(ctx)
    assert kept(ctx) == []


def test_what_a_known_address_leaves_is_the_link_alone(ctx, cast, clock):
    with coming_from(Origin("req", "198.51.100.77")):
        accounts.request_sign_in(ctx, KNOWN)
    clock.forward(minutes=11)
    accounts.make_links(ctx)  # it waited for too long
    assert (messages(ctx), kept(ctx)) == (0, [])
    accounts.request_sign_in(ctx, KNOWN)
    accounts.make_links(ctx)
    [row] = kept(ctx)
    found = row["person_id"], row["email"], row["address"], row["request_id"]
    assert found == (cast["person_teacher1"], None, "", "")


def test_the_record_says_from_where_it_was_asked(ctx, cast):
    for email in (KNOWN, NOBODY):
        with coming_from(Origin("r-" + email[:3], "198.51.100.77")):
            accounts.request_sign_in(ctx, email)
    accounts.make_links(ctx)
    lines = [(x["action"], x["subject_id"], x["request_id"]) for x in kept(ctx, tables.audits)]
    assert lines == [
        ("asked_for_link", cast["person_teacher1"], "r-tea"),
        ("asked_for_link", None, "r-zyx"),
    ]
    assert [x["address"] for x in kept(ctx, tables.audit_origins)] == ["198.51.100.77"] * 2


def test_of_many_requests_before_a_beat_the_newest_is_answered(ctx, cast):
    browsers = [accounts.request_sign_in(ctx, KNOWN) for _ in range(3)]
    accounts.request_sign_in(ctx, "teacher2@x.example")
    assert accounts.make_links(ctx) == 2
    [mine] = [x for x in kept(ctx, tables.outbox) if x["person_id"] == cast["person_teacher1"]]
    code = outbox.opened(ctx, mine["payload"])["code"]
    for browser in browsers[:2]:
        with pytest.raises(NotFound):
            accounts.sign_in_by_code(ctx, code, browser=browser)
    assert typed(ctx, code, browsers[2]).actor == cast.actors["teacher1"]


def test_a_link_of_the_operator_and_one_asked_for_end_each_other(ctx, cast):
    handed = accounts.operator_link(ctx, KNOWN).rsplit("/", 1)[1]
    browser = accounts.request_sign_in(ctx, KNOWN)
    assert accounts.link_state(ctx, handed, "") is LinkState.READY
    token, _ = mailed(ctx)
    assert accounts.link_state(ctx, handed, "") is LinkState.EXPIRED
    accounts.operator_link(ctx, KNOWN)
    assert accounts.link_state(ctx, token, browser) is LinkState.EXPIRED


def test_a_newer_request_ends_older_ones_from_before_the_key_was_changed(ctx, cast):
    browser = accounts.request_sign_in(ctx, KNOWN)
    token, _ = mailed(ctx)
    newer = replace(ctx, key=b"quite another key of thirty-two bytes", former_keys=(ctx.key,))
    accounts.request_sign_in(newer, KNOWN)
    accounts.make_links(newer)
    assert accounts.link_state(newer, token, browser) is LinkState.EXPIRED


def test_processes_at_once_send_one_mail_for_each_wish(ctx, cast):
    for who in ("teacher1", "teacher2", "schoolA", "teacher1"):
        accounts.request_sign_in(ctx, f"{who}@x.example")
    barrier, sent = threading.Barrier(4), []

    def beat():
        barrier.wait()
        sent.append(accounts.make_links(ctx))

    threads = [threading.Thread(target=beat) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(sent), sum(sent), messages(ctx)) == (4, 3, 3)
    assert len(kept(ctx, tables.audits)) == 4


def test_who_was_switched_off_before_the_beat_gets_no_mail(ctx, cast):
    accounts.request_sign_in(ctx, KNOWN)
    switch_off(ctx, cast)
    assert accounts.make_links(ctx) == 0
    assert messages(ctx) == 0


def test_five_codes_typed_before_the_mail_came_end_the_request(ctx, cast):
    browser = accounts.request_sign_in(ctx, KNOWN)
    for _ in range(5):
        with pytest.raises(Invalid):
            accounts.sign_in_by_code(ctx, "AAAAAAAA", browser=browser)
    with pytest.raises(NotFound):
        accounts.sign_in_by_code(ctx, "AAAAAAAA", browser=browser)
    assert messages(ctx) == 0


def test_a_wish_that_no_beat_saw_is_erased_with_its_person(ctx, cast):
    accounts.request_sign_in(ctx, KNOWN)
    own_data.erase(ctx, cast["person_teacher1"])
    assert kept(ctx) == []


@contextmanager
def breaking(ctx, word):
    """Whatever is asked of the database about this word fails."""

    def fail(_connection, _cursor, _statement, values, _context, _many):
        if word in repr(values):
            raise RuntimeError(word)

    sa.event.listen(ctx.database.writer, "before_cursor_execute", fail)
    yield
    sa.event.remove(ctx.database.writer, "before_cursor_execute", fail)


def test_a_wish_that_cannot_be_granted_keeps_nobody_else_waiting(ctx, cast, caplog):
    for email in (KNOWN, "teacher2@x.example"):
        accounts.request_sign_in(ctx, email)
    with breaking(ctx, KNOWN):
        assert accounts.make_links(ctx) == 1
    [sent] = kept(ctx, tables.outbox)
    assert sent["person_id"] == cast["person_teacher2"]
    [line] = [x for x in caplog.records if x.name == accounts.__name__]
    assert line.exc_info[0] is RuntimeError
    assert KNOWN not in line.getMessage()
    assert accounts.make_links(ctx) == 1  # it was not lost


def test_a_beat_that_is_to_stop_leaves_the_rest_to_the_next(ctx, cast):
    for who in ("teacher1", "teacher2"):
        accounts.request_sign_in(ctx, f"{who}@x.example")
    answers = iter([True, False])
    assert accounts.make_links(ctx, lambda: next(answers)) == 1
    assert accounts.make_links(ctx) == 1
    assert accounts.make_links(ctx) == 0
