"""A school's requests: what is refused, what enters, and how many lessons one asks for."""

import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from scheduler.domain import requests as rules
from scheduler.domain.requests import NewRequest, Slot
from scheduler.errors import Conflict, Invalid, NotFound
from scheduler.matching import problem, verify
from scheduler.services import exports, imports, requests
from scheduler.store import requests as rows
from scheduler.store import terms
from tests.cast import FIRST, LAST, gather, minutes

EXAMPLES = Path(__file__).parents[2] / "examples"
SLOT = Slot(1, minutes("08:25"), minutes("09:10"), 0)
NEW = NewRequest("7A", 1, FIRST, LAST, 1, (SLOT,))


@pytest.fixture
def cast(ctx):
    return gather(ctx)


def test_a_request_enters_as_the_classes_next_one(ctx, cast):
    requests.submit(ctx, cast.actors["schoolA"], cast["A"], NEW)
    lines = requests.desk(ctx, cast.actors["schoolA"], cast["A"]).lines
    assert [line.request.key for line in lines] == ["A/7A", "A/7A#2"]
    assert lines[1].request.slots == (SLOT,)
    assert (lines[1].wanted, lines[1].planned, lines[1].missing) == (13, 0, 13)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"class_name": "9Z"}, "class_name"),
        ({"lessons_per_week": 0}, "lessons_per_week"),
        ({"lessons_per_week": 2}, "slots"),
        ({"priority": 4}, "priority"),
        ({"last_day": date(2023, 10, 1)}, "last_day"),
        ({"first_day": date(2023, 10, 1)}, "first_day"),
        ({"slots": ()}, "slots"),
        ({"slots": (replace(SLOT, start=minutes("08:26")),)}, "slots"),
    ],
)
def test_what_cannot_be_taken_is_named_at_its_field(ctx, cast, changed, field):
    with pytest.raises(Invalid) as caught:
        requests.submit(ctx, cast.actors["schoolA"], cast["A"], replace(NEW, **changed))
    assert set(caught.value.fields) == {field}
    assert len(requests.desk(ctx, cast.actors["schoolA"], cast["A"]).lines) == 1


@pytest.mark.parametrize("who", ["teacher1", "schoolB", "stranger"])
def test_nobody_else_asks_or_takes_back_for_a_school(ctx, cast, who):
    with pytest.raises(NotFound):
        requests.submit(ctx, cast.actors[who], cast["A"], NEW)
    with pytest.raises(NotFound):
        requests.withdraw(ctx, cast.actors[who], cast["request_7A"])


def test_a_request_is_taken_back_once(ctx, cast):
    requests.withdraw(ctx, cast.actors["schoolA"], cast["request_7A"])
    assert requests.desk(ctx, cast.actors["schoolA"], cast["A"]).lines == ()
    with pytest.raises(Conflict):
        requests.withdraw(ctx, cast.actors["schoolA"], cast["request_7A"])


def test_every_request_of_the_programme_asks_for_what_the_engine_prices(ctx):
    imports.import_files(ctx, [(p.name, p.read_bytes()) for p in EXAMPLES.glob("*.xlsx")])
    with ctx.reading() as db:
        term = terms.find(db, None)
        instance = problem.parse(exports.instance(db, term, term.first_day))
        ours = {
            request.key: rules.wanted(request, term, ()) for request in rows.of_term(db, term.id)
        }
    schools = {school.id: school for school in instance.schools}
    theirs = {
        request.id: verify.asked(instance, request, schools[request.school])
        for request in instance.requests
    }
    assert ours == theirs
    assert sum(ours.values()) == 2025


def test_a_double_tap_asks_once(ctx, cast):
    barrier, made = threading.Barrier(2), []

    def tap():
        barrier.wait()
        made.append(requests.submit(ctx, cast.actors["schoolA"], cast["A"], NEW))

    taps = [threading.Thread(target=tap) for _ in range(2)]
    for each in taps:
        each.start()
    for each in taps:
        each.join()
    assert made[0] == made[1]
    assert len(requests.desk(ctx, cast.actors["schoolA"], cast["A"]).lines) == 2


def test_another_wish_of_the_same_class_is_a_request_of_its_own(ctx, cast):
    first = requests.submit(ctx, cast.actors["schoolA"], cast["A"], NEW)
    later = replace(NEW, slots=(replace(SLOT, weekday=3),))
    assert requests.submit(ctx, cast.actors["schoolA"], cast["A"], later) != first
