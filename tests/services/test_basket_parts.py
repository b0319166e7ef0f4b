"""A basket is checked by the part of the term that it touches: as if by the whole of it."""

import random
from datetime import timedelta

import pytest

from scheduler.domain.baskets import Add, Alter, CallOff, Time
from scheduler.domain.intervals import monday
from scheduler.services import accounts, baskets, demo, standing
from scheduler.store import terms

BASKETS = 40


@pytest.fixture
def whole(ctx):
    """A coordinator of the example programme, its term, and how its timetable stands."""
    demo.build(ctx, 1)
    actor = accounts.operator(ctx)
    with ctx.reading() as db:
        term = terms.find(db, None)
    ctx.clock.at = demo.STARTS + timedelta(days=20)
    return actor, term.id, standing.read(ctx, actor, term.id)


def basket(chance, state):
    """Some moves: near to what can be, and some that cannot."""
    ahead = [each for each, place in sorted(state.current.items()) if place.day > state.today]
    takers = sorted(state.takes_part)
    first = state.current[chance.choice(ahead)]
    near = [x for x in ahead if abs((state.current[x].day - first.day).days) < 9]
    moves = []
    for each in chance.sample(near, min(len(near), chance.randint(1, 6))):
        place = state.current[each]
        asked = state.asked[place.request_id]
        slot = chance.choice(asked.slots)
        day = monday(place.day) + timedelta(days=slot.weekday + 7 * chance.choice((0, 0, 0, 1)))
        time = Time(day, slot.start, slot.end)
        who = chance.choice([chance.choice(takers), place.teacher_id])
        match chance.randrange(6):
            case 0:
                moves.append(CallOff(each, "Trường bận"))
            case 1:
                moves.append(Add(asked.id, time, who))
            case 2:
                moves.append(Alter(each, who))
            case 3:
                moves.append(Alter(each, None, time))
            case 4:
                other = state.current[chance.choice(near)]
                moves.append(Alter(each, other.teacher_id, Time(other.day, other.start, other.end)))
            case _:
                moves.append(Alter(each, who, time))
    return moves


def told(check):
    return (
        check.changed,
        sorted((c.rule.msgid, repr(c.lessons)) for c in check.clashes),
        check.cautions,
    )


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_part_of_the_term_finds_what_the_whole_finds(ctx, whole, monkeypatch):
    actor, term_id, state = whole
    part_of = baskets._part
    differ = []
    for seed in range(BASKETS):
        moves = basket(random.Random(seed), state)
        monkeypatch.setattr(baskets, "_part", part_of)
        part = baskets.check(ctx, actor, term_id, moves)
        monkeypatch.setattr(baskets, "_part", lambda *_: None)
        all_ = baskets.check(ctx, actor, term_id, moves)
        if told(part) != told(all_) or part.dearer != pytest.approx(all_.dearer):
            differ.append((seed, moves, part.dearer, all_.dearer, told(part)[1], told(all_)[1]))
    assert differ == []
