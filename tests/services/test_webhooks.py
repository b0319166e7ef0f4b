"""Programs that are told of changes: at least once, of each lesson in order, signed, and kept out
of the house."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from chungtay_client import BadSignature, verify_signature

from scheduler.delivery import posting
from scheduler.delivery.network import Network
from scheduler.domain import webhooks as rules
from scheduler.domain.lessons import Cause, Deed
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.domain.webhooks import DeliveryState, Event, Trouble
from scheduler.errors import Conflict, Invalid, NotFound
from scheduler.services import (
    cover,
    keys,
    lessons,
    outbox,
    reports,
    restores,
    retention,
    sides,
    webhook_sending,
    webhooks,
)
from scheduler.store import history, tables, webhook_events
from scheduler.store import webhooks as rows
from tests.delivery import peer
from tests.planning import A1, A2, B1, WEDNESDAY, draft, publish, timetable

ALL = frozenset(Event)
HERE = "/su-kien"
MOVED = ("request_7A", WEDNESDAY, 505, "teacher1")
OTHER = ("request_7A", WEDNESDAY, 505, "teacher2")


@pytest.fixture
def far():
    """A program on this machine that takes what it is told."""
    with peer.running({HERE: peer.answer(b"ok")}) as found:
        yield found


@pytest.fixture
def boss(cast):
    return cast.actors["coordinator"]


def network(far) -> Network:
    return Network(allow=lambda _: True, ports={"http": far.port}, resolve=lambda _: ["127.0.0.1"])


@pytest.fixture
def hook(ctx, boss, far):
    return add(ctx, boss, far)


def add(ctx, boss, far, events=ALL, name="Sổ trường"):
    address = f"http://hook.example{HERE}"
    return webhooks.add(ctx, boss, name, address, events, network(far))


def send(ctx, far, **more):
    return webhook_sending.send_due(ctx, network=network(far), **more)


def heard(far) -> list[dict]:
    return [json.loads(each.body) for each in far.requests]


def kinds(far) -> list[str]:
    return [each["type"] for each in heard(far)]


def way(ctx, boss, hook):
    return webhooks.desk(ctx, boss, hook.endpoint_id)


def put(ctx, cast, *wanted):
    publish(ctx, cast, draft(ctx, cast, *wanted))
    return timetable(ctx, cast)


def test_a_publication_is_told_lesson_by_lesson_and_as_a_whole(ctx, cast, boss, far, hook):
    (lesson,) = put(ctx, cast, A1)
    assert send(ctx, far) == 2
    new, plan = heard(far)
    told = {"id": lesson.id, "uid": lesson.uid, "sequence": 0, "term": "HK1", "school": "A",
            "class": {"id": cast["7A"], "name": "7A"}, "state": "scheduled",
            "teacher": cast["teacher1"], "starts_at": "2023-10-04T07:30:00+07:00",
            "ends_at": "2023-10-04T08:15:00+07:00"}  # fmt: skip
    assert new == {
        "id": new["id"], "type": "lesson.created", "at": "2023-10-02T06:30:00+07:00",
        "programme": "P", "lesson": told,
    }  # fmt: skip
    assert plan["plan"] == {
        "id": 1, "publication": 1, "term": "HK1", "kept": 0,
        "added": 1, "moved": 0, "restaffed": 0, "dropped": 0,
    }  # fmt: skip
    head = far.requests[0].headers
    assert head["Chungtay-Event-Id"] == new["id"]
    verify_signature(hook.secret, head["Chungtay-Signature"], far.requests[0].body)
    with pytest.raises(BadSignature):
        verify_signature(hook.secret, head["Chungtay-Signature"], far.requests[0].body + b" ")
    with pytest.raises(BadSignature):
        verify_signature("other", head["Chungtay-Signature"], far.requests[0].body)
    late = datetime.now(UTC).timestamp() + 600
    with pytest.raises(BadSignature):
        verify_signature(hook.secret, head["Chungtay-Signature"], far.requests[0].body, now=late)
    assert send(ctx, far) == 0


def test_every_way_in_which_a_lesson_changes_is_told(ctx, cast, clock, boss, far, hook):
    put(ctx, cast, A1)
    put(ctx, cast, MOVED)
    (lesson,) = put(ctx, cast, OTHER)
    clock.forward(minutes=1)
    lessons.call_off(ctx, boss, lesson.id, "Trường nghỉ")
    restores.restore(ctx, boss, lesson.id)
    cover.ask(ctx, boss, lesson.id, "ốm")
    cover.take(ctx, boss, lesson.id, cast["teacher1"], "qua điện thoại")
    cover.ask(ctx, boss, lesson.id, "ốm")
    cover.close(ctx, boss, lesson.id)
    clock.at = lesson.ends_at + timedelta(minutes=1)
    for who, side in (("teacher1", Side.TEACHER), ("schoolA", Side.SCHOOL)):
        speaker = sides.of_actor(ctx, cast.actors[who], lesson.id, side)
        reports.report(ctx, speaker, Report(held=False, cause=Cause.POWER, note="mất điện"))
    send(ctx, far)
    mine = [each for each in heard(far) if each["type"] != "plan.published"]
    assert [each["type"] for each in mine] == [
        "lesson.created", "lesson.moved", "lesson.restaffed", "lesson.cancelled",
        "lesson.restored", "cover.sought", "cover.found", "lesson.restaffed", "cover.sought",
        "cover.ended", "report.given", "report.given", "report.settled",
    ]  # fmt: skip
    moved, staffed = mine[1:3]
    assert (moved["before"]["starts_at"], moved["lesson"]["starts_at"]) == (
        "2023-10-04T07:30:00+07:00", "2023-10-04T08:25:00+07:00",
    )  # fmt: skip
    assert (staffed["before"]["teacher"], staffed["lesson"]["teacher"]) == (
        cast["teacher1"], cast["teacher2"],
    )  # fmt: skip
    assert mine[6]["cover"] == {"end": "taken", "asked_by": cast["teacher2"]}
    assert mine[6]["lesson"]["teacher"] == cast["teacher1"]
    assert (mine[9]["cover"]["end"], mine[9]["lesson"]["state"]) == ("withdrawn", "scheduled")
    assert mine[10]["report"] == {
        "side": "teacher", "held": False, "minutes_late": 0, "cause": "power",
    }  # fmt: skip
    assert mine[-1]["lesson"]["state"] == "not_held"
    said = b"".join(each.body for each in far.requests).decode()
    for word in ("Cô teacher", "x.example", "ốm", "mất điện", "Trường nghỉ", "điện thoại"):
        assert word not in said


def test_only_what_was_wished_for_is_told_and_only_of_ones_own_programme(ctx, cast, boss, far):
    add(ctx, boss, far, {Event.LESSON_CANCELLED})
    add(ctx, cast.actors["stranger"], far, ALL, "Khác")
    (lesson,) = put(ctx, cast, A1)
    assert send(ctx, far) == 0
    lessons.call_off(ctx, boss, lesson.id, "nghỉ")
    send(ctx, far)
    assert kinds(far) == ["lesson.cancelled"]


def _half(ctx, lesson):
    with ctx.transaction() as db:
        row = tables.lessons
        db.execute(row.update().where(row.c.id == lesson.id).values(state="cancelled"))
        history.note(db, [lesson.id], Deed.CALLED_OFF, None, ctx.now())
        raise RuntimeError


def test_a_change_that_is_undone_is_told_to_nobody(ctx, cast, boss, far, hook):
    (lesson,) = put(ctx, cast, A1)
    send(ctx, far)
    with pytest.raises(RuntimeError):
        _half(ctx, lesson)
    assert send(ctx, far) == 0


def test_one_that_fails_is_tried_again_and_later_events_of_the_lesson_wait(
    ctx, cast, clock, boss, far, hook
):
    first, _second = put(ctx, cast, A1, B1)
    send(ctx, far)
    far.requests.clear()
    clock.forward(minutes=1)
    far.paths[HERE] = peer.answer(b"h\xc3\xa0ng \x00 \xe2\x80\xae \xff" + b"x" * 9000, "500 No")
    lessons.call_off(ctx, boss, first.id, "nghỉ")
    restores.restore(ctx, boss, first.id)
    lessons.call_off(ctx, boss, _second.id, "nghỉ")
    assert send(ctx, far) == 2  # the second event of the first lesson waits
    assert [each["lesson"]["id"] for each in heard(far)] == [first.id, _second.id]
    seen = way(ctx, boss, hook).deliveries[2]
    assert (seen.state, seen.attempts, seen.trouble, seen.status) == (
        DeliveryState.WAITING, 1, Trouble.ANSWER, 500,
    )  # fmt: skip
    assert seen.said.startswith("hàng")
    assert seen.said.isprintable()
    assert len(seen.said) <= rules.LONGEST_SAID
    assert send(ctx, far) == 0
    far.paths[HERE] = peer.answer()
    clock.forward(seconds=16)
    send(ctx, far)
    told = [(each["lesson"]["id"], each["type"]) for each in heard(far)]
    assert [kind for lesson, kind in told if lesson == first.id] == [
        "lesson.cancelled", "lesson.cancelled", "lesson.restored",
    ]  # fmt: skip
    ids = [each["id"] for each in heard(far) if each["lesson"]["id"] == first.id]
    assert ids[0] == ids[1]
    assert far.requests[0].body == next(
        each.body for each in far.requests[2:] if json.loads(each.body)["id"] == ids[0]
    )


def test_an_answer_that_is_lost_or_slow_is_asked_for_again(
    ctx, cast, clock, boss, far, hook, monkeypatch
):
    monkeypatch.setattr(posting, "SECONDS", 0.3)
    put(ctx, cast, A1)
    ways = (lambda _send: None, peer.dripping(b"H", every=0.1, most=20), peer.moved(f"{HERE}2"))
    for n, behaviour in enumerate(ways):
        far.paths[HERE] = behaviour
        send(ctx, far)
        clock.forward(hours=n + 1)
    far.paths[HERE] = peer.answer()
    send(ctx, far)
    counted = Counter(each["id"] for each in heard(far))
    assert sorted(counted.values()) == [2, 4]  # after three in a row it is left alone
    assert {each.path for each in far.requests} == {HERE}  # no redirect was followed
    assert {each.state for each in way(ctx, boss, hook).deliveries} == {DeliveryState.DELIVERED}


def test_by_chance_every_event_arrives_and_of_each_lesson_in_order(
    ctx, cast, clock, boss, far, hook
):
    """A receiver that fails, loses answers and works, in turn; two workers take turns as well."""
    one, two = put(ctx, cast, A1, B1)
    for _ in range(4):
        for lesson in (one, two):
            lessons.call_off(ctx, boss, lesson.id, "nghỉ")
            restores.restore(ctx, boss, lesson.id)
    behaviours = [peer.answer(status="503 Busy"), lambda _send: None, peer.answer()]
    for n in range(120):
        far.paths[HERE] = behaviours[(n * 7 + n // 5) % 3]
        send(ctx, far, limit=1 + n % 2)
        clock.forward(seconds=5 + (n * 13) % 40)
    far.paths[HERE] = peer.answer()
    while way(ctx, boss, hook).shown.endpoint.waiting:
        clock.forward(minutes=15)
        send(ctx, far)
    for each in far.requests:
        verify_signature(hook.secret, each.headers["Chungtay-Signature"], each.body)
    for lesson in (one, two):
        mine = [x for x in heard(far) if x.get("lesson", {}).get("id") == lesson.id]
        sequences = [x["lesson"]["sequence"] for x in mine]
        assert sequences == sorted(sequences)  # tries that failed among them
        assert set(sequences) == set(range(9))
        assert len({x["id"] for x in mine}) == 9


def test_after_a_day_it_is_given_up_and_sent_again_on_demand(ctx, cast, clock, boss, far, hook):
    far.paths[HERE] = peer.answer(status="500 No")
    put(ctx, cast, A1, A2)
    for _ in range(200):
        send(ctx, far)
        clock.forward(minutes=15)
    found = way(ctx, boss, hook)
    assert {each.state for each in found.deliveries} == {DeliveryState.FAILED}
    assert found.shown.endpoint.failing_since is not None
    assert found.shown.endpoint.failed == 3
    tried = len(far.requests)
    assert 3 * 8 < tried < 3 * 14
    far.paths[HERE] = peer.answer()
    far.requests.clear()
    webhooks.again(ctx, boss, hook.endpoint_id, found.deliveries[-1].id)
    webhooks.again(ctx, boss, hook.endpoint_id, found.deliveries[-1].id)
    assert send(ctx, far) == 1
    assert way(ctx, boss, hook).shown.endpoint.failing_since is None
    assert webhooks.again_all(ctx, boss, hook.endpoint_id) == 2
    assert webhooks.again_all(ctx, boss, hook.endpoint_id) == 0
    send(ctx, far)
    assert kinds(far) == ["lesson.created", "lesson.created", "plan.published"]
    assert way(ctx, boss, hook).shown.endpoint.failed == 0


def test_a_receiver_that_is_away_is_left_alone_for_a_while(ctx, cast, clock, boss, far, hook):
    far.paths[HERE] = lambda _send: None
    weeks = [("request_7A", WEDNESDAY + n * timedelta(days=7), 450, "teacher1") for n in range(8)]
    put(ctx, cast, *weeks)
    assert send(ctx, far) == rules.PATIENCE
    assert send(ctx, far) == 0
    clock.forward(seconds=31)
    assert send(ctx, far) == 1
    assert send(ctx, far) == 0


def test_after_a_change_of_secrets_both_are_good_for_a_day(ctx, cast, clock, boss, far, hook):
    fresh = webhooks.rotate(ctx, boss, hook.endpoint_id)
    assert fresh.secret != hook.secret
    with pytest.raises(Conflict):
        webhooks.rotate(ctx, boss, hook.endpoint_id)
    webhooks.test(ctx, boss, hook.endpoint_id)
    send(ctx, far)
    signed = far.requests[0].headers["Chungtay-Signature"]
    assert signed.count("v1=") == 2
    for secret in (hook.secret, fresh.secret):
        verify_signature(secret, signed, far.requests[0].body)
    clock.forward(hours=25)
    webhooks.test(ctx, boss, hook.endpoint_id)
    send(ctx, far)
    signed = far.requests[1].headers["Chungtay-Signature"]
    verify_signature(fresh.secret, signed, far.requests[1].body)
    with pytest.raises(BadSignature):
        verify_signature(hook.secret, signed, far.requests[1].body)


def test_while_it_is_paused_nothing_goes_and_nothing_is_lost(ctx, cast, clock, boss, far, hook):
    webhooks.pause(ctx, boss, hook.endpoint_id)
    put(ctx, cast, A1)
    assert send(ctx, far) == 0
    clock.forward(days=3)
    webhooks.resume(ctx, boss, hook.endpoint_id)
    assert send(ctx, far) == 2
    outbox.pause_after_restore(ctx)  # of all sending
    webhooks.test(ctx, boss, hook.endpoint_id)
    assert send(ctx, far) == 0


def test_one_that_is_taken_away_is_told_nothing_more(ctx, cast, boss, far, hook):
    put(ctx, cast, A1)
    assert webhooks.remove(ctx, boss, hook.endpoint_id) == "Sổ trường"
    assert send(ctx, far) == 0
    with pytest.raises(NotFound):
        way(ctx, boss, hook)
    with ctx.reading() as db:
        for table in (tables.webhook_deliveries, tables.webhook_secrets):
            assert db.scalar(sa.select(sa.func.count()).select_from(table)) == 0


@pytest.mark.parametrize("who", ["teacher1", "schoolA", "stranger"])
def test_it_is_there_for_the_programmes_own_coordinator_alone(ctx, cast, boss, far, hook, who):
    put(ctx, cast, A1)
    (first, *_rest) = way(ctx, boss, hook).deliveries
    actor, mine = cast.actors[who], hook.endpoint_id
    for ask in (
        lambda: webhooks.desk(ctx, actor, mine),
        lambda: webhooks.told(ctx, actor, mine, first.id),
        lambda: webhooks.change(ctx, actor, mine, "x", ALL),
        lambda: webhooks.rotate(ctx, actor, mine),
        lambda: webhooks.pause(ctx, actor, mine),
        lambda: webhooks.resume(ctx, actor, mine),
        lambda: webhooks.again(ctx, actor, mine, first.id),
        lambda: webhooks.again_all(ctx, actor, mine),
        lambda: webhooks.test(ctx, actor, mine),
        lambda: webhooks.remove(ctx, actor, mine),
    ):
        with pytest.raises(NotFound):
            ask()


@pytest.mark.parametrize(
    "address",
    [
        "http://hook.example/", "https://u:p@hook.example/", "https://hook.example:8443/", "",
        "ftp://hook.example/", "https://", "https://hook.example/a b", "https://hook.example/ế",
        "https://hook.example/" + "x" * 2000,
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_asked_is_refused_at_its_field(ctx, boss, address):
    with pytest.raises(Invalid) as refused:
        webhooks.add(ctx, boss, "x", address, ALL)
    assert set(refused.value.fields) == {"address"}


@pytest.mark.parametrize("inner", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1"])
def test_a_name_that_leads_into_the_house_is_not_asked(ctx, boss, far, inner):
    made = webhooks.add(ctx, boss, "x", "https://hook.example/", ALL)
    webhooks.test(ctx, boss, made.endpoint_id)
    within = Network(ports={"https": far.port}, resolve=lambda _: [inner])
    assert webhook_sending.send_due(ctx, network=within) == 1
    (told,) = way(ctx, boss, made).deliveries
    assert (told.trouble, far.requests) == (Trouble.ADDRESS, [])


def test_secrets_are_sealed_and_sealed_anew_with_a_new_key(ctx, boss, far, hook):
    with ctx.reading() as db:
        stored = "\n".join(
            repr(tuple(row))
            for table in tables.metadata.sorted_tables
            for row in db.execute(sa.select(table))
        )
    assert hook.secret not in stored
    assert "hook.example" not in stored
    assert keys.look(ctx).sealed == 2


def test_what_is_older_than_a_month_goes(ctx, cast, clock, boss, far, hook):
    webhooks.test(ctx, boss, hook.endpoint_id)
    clock.forward(days=29)
    webhooks.test(ctx, boss, hook.endpoint_id)
    clock.forward(days=2)
    retention.run(ctx)
    assert len(way(ctx, boss, hook).deliveries) == 1


def test_a_programme_has_so_many_and_no_more(ctx, boss, far):
    for n in range(rules.MOST_ENDPOINTS):
        add(ctx, boss, far, name=f"{n}")
    with pytest.raises(Conflict):
        add(ctx, boss, far)
    assert len(webhooks.listed(ctx, boss)) == rules.MOST_ENDPOINTS


def test_what_a_worker_that_vanished_had_taken_goes_when_its_lease_ends(
    ctx, cast, clock, boss, far, hook
):
    webhooks.test(ctx, boss, hook.endpoint_id)
    with ctx.transaction() as db:
        lost = rows.claim(db, ctx.now(), webhook_sending.LEASE)
    assert send(ctx, far) == 0
    clock.at += webhook_sending.LEASE
    assert send(ctx, far) == 1
    with ctx.transaction() as db:  # and whoever comes back late changes nothing
        assert not rows.delivered(db, lost, 200, "", ctx.now())
        assert not rows.failed(db, lost, Trouble.AWAY, None, "", ctx.now())
    (told,) = way(ctx, boss, hook).deliveries
    assert (told.state, told.attempts) == (DeliveryState.DELIVERED, 2)


def test_taking_a_receiver_away_undoes_no_change_that_is_told_at_that_moment(
    ctx, cast, boss, far, hook
):
    """On the engine that lets two write at once."""
    if ctx.database.is_sqlite:
        pytest.skip("one writer at a time")
    (lesson,) = put(ctx, cast, A1)

    def change():
        with ctx.transaction() as db:
            webhook_events.cover_sought(db, lesson.id, ctx.now())

    with ThreadPoolExecutor(1) as other:
        with ctx.transaction() as db:
            rows.lock(db, hook.endpoint_id)
            rows.remove(db, hook.endpoint_id)
            told = other.submit(change)
            assert not wait([told], timeout=0.3).done
        assert told.result(timeout=10) is None
    assert webhooks.listed(ctx, boss) == ()
