"""The weights of a programme: chosen by its coordinator, recorded, and taken back."""

from dataclasses import asdict, replace

import pytest
import sqlalchemy as sa

from scheduler.errors import Invalid, NotAllowed, NotFound
from scheduler.services import weights
from scheduler.services.weights import DEFAULTS
from scheduler.store import tables

DEAR = replace(DEFAULTS, handover=90)


def audited(ctx):
    query = sa.select(tables.audits).where(tables.audits.c.action == "choose_weights")
    with ctx.reading() as db:
        return db.execute(query).all()


def test_a_programme_starts_with_the_prices_of_the_problem(ctx, cast):
    found = weights.of_programme(ctx, cast.actors["coordinator"], cast["programme"])
    assert (found.weights, found.own) == (DEFAULTS, False)
    assert asdict(DEFAULTS) == {
        "unmet": 1000, "handover": 60, "extra_teacher": 30, "rank": 5, "if_needed": 15,
        "not_preferred": 10, "load": 100, "changed_teacher": 80, "changed_time": 120,
    }  # fmt: skip


def test_what_is_chosen_stays_and_can_be_taken_back(ctx, cast):
    coordinator, programme = cast.actors["coordinator"], cast["programme"]
    weights.choose(ctx, coordinator, programme, DEAR)
    chosen = weights.of_programme(ctx, coordinator, programme)
    assert (chosen.weights, chosen.own) == (DEAR, True)
    weights.reset(ctx, coordinator, programme)
    back = weights.of_programme(ctx, coordinator, programme)
    assert (back.weights, back.own) == (DEFAULTS, False)


def test_each_choice_is_recorded_once_with_before_and_after(ctx, cast):
    coordinator, programme = cast.actors["coordinator"], cast["programme"]
    for _ in range(2):
        weights.choose(ctx, coordinator, programme, DEAR)
    (line,) = audited(ctx)
    assert (line.person_id, line.subject, line.subject_id) == (
        cast["person_coordinator"], "programme", programme,
    )  # fmt: skip
    assert (line.before["handover"], line.after["handover"]) == (60, 90)


def test_odd_weights_are_refused_and_nothing_is_kept(ctx, cast):
    coordinator, programme = cast.actors["coordinator"], cast["programme"]
    with pytest.raises(Invalid) as caught:
        weights.choose(ctx, coordinator, programme, replace(DEFAULTS, load=-1, rank=100_001))
    assert set(caught.value.fields) == {"load", "rank"}
    assert not weights.of_programme(ctx, coordinator, programme).own
    assert audited(ctx) == []


@pytest.mark.parametrize(
    ("who", "error"), [("stranger", NotFound), ("teacher1", NotAllowed), ("schoolA", NotAllowed)]
)
def test_nobody_else_sees_or_changes_them(ctx, cast, who, error):
    actor, programme = cast.actors[who], cast["programme"]
    for ask in (
        lambda: weights.of_programme(ctx, actor, programme),
        lambda: weights.choose(ctx, actor, programme, DEAR),
        lambda: weights.reset(ctx, actor, programme),
    ):
        with pytest.raises(error):
            ask()
    assert audited(ctx) == []
