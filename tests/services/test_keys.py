"""The secret key is changed while people use what it signed and sealed."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from scheduler import security
from scheduler.errors import NotFound
from scheduler.services import busy, keys, links, system
from scheduler.store import seals, tables
from tests.calendars.wire import Wire, ics
from tests.conftest import KEY
from tests.services.test_busy_calendars import connect
from tests.services.test_devices import addresses, sign_up

NEW = b"another key, also of thirty-two bytes"
TEXTS = 3  # a device, a calendar, an authenticator


@pytest.fixture
def sealed(ctx, cast):
    """One text of each kind, sealed with the key of all tests; the secret of the last one."""
    teacher = cast.actors["teacher1"]
    sign_up(ctx, teacher)
    connect(ctx, teacher, Wire(ics()))
    row = {
        "person_id": cast["person_coordinator"], "sealed_secret": security.seal(KEY, "JBSWY3DP"),
        "created_at": ctx.now(), "last_used_at": ctx.now(), "last_step": 0,
    }  # fmt: skip
    with ctx.transaction() as db:
        db.execute(tables.authenticators.insert().values(row))
    return ctx


def rotated(ctx):
    return replace(ctx, key=NEW, former_keys=(KEY,))


def dropped(ctx):
    return replace(ctx, key=NEW, former_keys=())


def opened(ctx, cast) -> tuple[int, str, bool]:
    """Devices that can be posted to, the host of the calendar, and whether the factor is read."""
    with ctx.reading() as db:
        secret = db.scalar(sa.select(tables.authenticators.c.sealed_secret))
    try:
        readable = security.unseal(ctx.keys, secret) == "JBSWY3DP"
    except security.BadSeal:
        readable = False
    host = busy.desk(ctx, cast.actors["teacher1"]).host
    return len(addresses(ctx, cast["person_teacher1"])), host, readable


def told(ctx):
    """What the doctor says of keys, and how grave it is."""
    findings = [each for each in system.doctor(ctx) if each.subject == "secrets"]
    return [(each.verdict, str(each.sentence)) for each in findings]


ALL, NONE = (1, "calendar.example", True), (0, "", False)


@pytest.mark.fault(37)
def test_what_was_sealed_is_read_until_the_old_key_goes_and_for_good_when_sealed_anew(sealed, cast):
    assert opened(sealed, cast) == ALL
    assert opened(rotated(sealed), cast) == ALL
    assert opened(dropped(sealed), cast) == NONE
    assert keys.reseal(rotated(sealed)) == TEXTS
    assert opened(dropped(sealed), cast) == ALL
    assert opened(sealed, cast) == NONE


def test_sealing_anew_twice_acts_once_and_is_noted(sealed, cast):
    assert keys.reseal(sealed) == 0
    assert keys.reseal(dropped(sealed)) == 0  # nothing opens: nothing is touched
    assert opened(sealed, cast) == ALL
    assert [keys.reseal(rotated(sealed)) for _ in range(3)] == [TEXTS, 0, 0]
    with sealed.reading() as db:
        noted = tables.audits.c.action == "reseal"
        found = db.scalars(sa.select(tables.audits.c.after).where(noted))
        assert list(found) == [{"key": security.key_id(NEW), "texts": TEXTS}]


def test_one_that_dies_in_the_middle_leaves_the_rest_for_the_next(sealed, cast, monkeypatch):
    monkeypatch.setattr(keys, "AT_ONCE", 1)
    renew, done = seals.renew, []

    def dying(db, was, becomes):
        if done:
            raise RuntimeError("the power is off")
        done.append(was)
        return renew(db, was, becomes)

    monkeypatch.setattr(seals, "renew", dying)
    with pytest.raises(RuntimeError):
        keys.reseal(rotated(sealed))
    monkeypatch.setattr(seals, "renew", renew)
    assert keys.look(rotated(sealed)).by_former == TEXTS - 1
    assert opened(rotated(sealed), cast) == ALL
    assert keys.reseal(rotated(sealed)) == TEXTS - 1
    assert opened(dropped(sealed), cast) == ALL


def test_what_was_set_meanwhile_is_not_overwritten(sealed, cast):
    with sealed.reading() as db:
        found = seals.every(db)
    teacher = cast.actors["teacher1"]
    busy.set_source(rotated(sealed), teacher, "https://newer.example/a.ics", busy.BusyChoices())
    with sealed.transaction() as db:
        renewed = [seals.renew(db, each, security.seal(NEW, "older")) for each in found]
    assert sorted(renewed) == [False, True, True]
    assert busy.desk(rotated(sealed), teacher).host == "newer.example"


def test_the_doctor_tells_fingerprints_and_when_the_old_key_can_go(sealed):
    first, second = security.key_id(KEY), security.key_id(NEW)
    good, note = system.Verdict.GOOD, system.Verdict.NOTE
    assert told(sealed) == [(good, f"The secret key is {first}.")]
    in_force = (good, f"The secret key is {second}.")
    waiting = f"Former keys: {first}. Sealed texts that need them: {TEXTS}. Run: chungtay reseal."
    assert told(rotated(sealed)) == [in_force, (note, waiting)]
    assert told(dropped(sealed)) == [
        in_force,
        (note, f"Sealed texts that none of our keys opens: {TEXTS}. Set the key that sealed them "
         "in CHUNGTAY_FORMER_SECRET_KEYS; without it their people must enter them once more."),
    ]  # fmt: skip
    keys.reseal(rotated(sealed))
    assert told(rotated(sealed)) == [
        in_force,
        (note, f"Former keys: {first}. No sealed text needs them. They can go when the links that "
         "they signed have ended."),
    ]  # fmt: skip
    assert told(dropped(sealed)) == [in_force]
    for ctx in (sealed, rotated(sealed)):
        assert KEY.decode() not in str(system.doctor(ctx))


@pytest.mark.fault(37)
def test_a_signed_link_is_read_while_its_key_is_known_and_refused_afterwards(ctx, cast):
    person = cast["person_teacher1"]
    token = links.stop_url(ctx, person).rpartition("/")[2]
    assert links.stop_subject(rotated(ctx), token) == person
    with pytest.raises(NotFound):
        links.stop_subject(dropped(ctx), token)
    newer = links.stop_url(rotated(ctx), person).rpartition("/")[2]
    assert links.stop_subject(dropped(ctx), newer) == person
    with pytest.raises(NotFound):
        links.stop_subject(ctx, newer)
