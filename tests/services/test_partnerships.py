"""Partnerships of a programme, their progress, and what a search makes of them."""

from dataclasses import replace

import pytest

from scheduler.domain.partnerships import Binding, Terms
from scheduler.errors import Invalid, NotFound, Stale
from scheduler.services import partnerships, plans, runs, snapshots
from scheduler.store import plans as plan_rows
from tests.planning import A1, A2, draft, publish

TERMS = Terms("THCS Ái Mộ (Long Biên)", "THCS A", 4, 1, Binding.NONE)


def bind(ctx, cast, binding, receiver="THCS A"):
    told = replace(TERMS, binding=binding, receiving_unit=receiver)
    return partnerships.add(ctx, cast.actors["coordinator"], told)


def searched(ctx, cast):
    """Lessons by class of a new draft, and its plan's id."""
    started = runs.start(ctx, cast.actors["coordinator"], cast["term"], 1.0)
    plan_id = runs.work_here(ctx, started).plan_id
    with ctx.reading() as db:
        placed = plan_rows.placements(db, plan_id)
    classes = {cast["request_7A"]: "7A", cast["request_8B"]: "8B"}
    return sorted({classes[each.request_id] for each in placed}), plan_id


def test_progress_counts_what_is_held_and_to_come_between_the_two(ctx, cast):
    coordinator = cast.actors["coordinator"]
    bind(ctx, cast, Binding.NONE)
    bind(ctx, cast, Binding.NONE, "THCS B")
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    found = {
        x.partnership.terms.receiving_unit: x for x in partnerships.desk(ctx, coordinator).found
    }
    assert (found["THCS A"].held, found["THCS A"].ahead, found["THCS A"].share) == (0, 2, 0.5)
    assert (found["THCS B"].ahead, found["THCS B"].share) == (0, 0.0)


def test_without_a_rule_both_schools_are_taught_and_with_one_the_partner_alone(ctx, cast):
    assert searched(ctx, cast)[0] == ["7A", "8B"]
    bind(ctx, cast, Binding.RULE)
    assert searched(ctx, cast)[0] == ["7A"]


def test_who_is_kept_elsewhere_is_not_said_to_teach_another_level(ctx, cast):
    bind(ctx, cast, Binding.RULE)
    _, plan_id = searched(ctx, cast)
    gap = next(
        x for x in plans.preview(ctx, cast.actors["coordinator"], plan_id).gaps
        if x.request.class_name == "8B"
    )  # fmt: skip
    assert gap.reasons[snapshots.BOUND] >= 2
    assert "not_qualified" not in gap.reasons


def test_a_wish_is_told_the_engine_as_a_preferred_school(ctx, cast):
    bind(ctx, cast, Binding.WISH)
    teachers = snapshots.take(ctx, cast["term"]).instance.teachers
    assert {each.preferred_schools for each in teachers} == {("A",)}
    assert searched(ctx, cast)[0] == ["7A", "8B"]


def test_a_search_without_bonds_reads_the_instance_as_it_was(ctx, cast):
    before = snapshots.take(ctx, cast["term"]).input_hash
    bind(ctx, cast, Binding.NONE)
    assert snapshots.take(ctx, cast["term"]).input_hash == before


def test_the_same_pair_is_refused_and_so_are_units_that_are_not_there(ctx, cast):
    coordinator = cast.actors["coordinator"]
    bind(ctx, cast, Binding.NONE)
    with pytest.raises(Invalid) as refused:
        bind(ctx, cast, Binding.WISH)
    assert set(refused.value.fields) == {"receiving_unit"}
    with pytest.raises(Invalid) as refused:
        partnerships.add(ctx, coordinator, replace(TERMS, donor_unit="X", receiving_unit="Y"))
    assert set(refused.value.fields) == {"donor_unit", "receiving_unit"}


def test_a_change_needs_what_it_is_now_and_doing_it_twice_is_no_fault(ctx, cast):
    coordinator = cast.actors["coordinator"]
    made = bind(ctx, cast, Binding.NONE)
    more = replace(TERMS, lessons_pledged=9)
    partnerships.change(ctx, coordinator, made, more, TERMS)
    partnerships.change(ctx, coordinator, made, more, TERMS)
    with pytest.raises(Stale):
        partnerships.change(ctx, coordinator, made, replace(TERMS, lessons_pledged=7), TERMS)
    assert partnerships.get(ctx, coordinator, made).terms == more


def test_strangers_and_teachers_see_none(ctx, cast):
    made = bind(ctx, cast, Binding.NONE)
    for who in ("teacher1", "schoolA", "stranger"):
        with pytest.raises(NotFound):
            partnerships.get(ctx, cast.actors[who], made)
        with pytest.raises(NotFound):
            partnerships.remove(ctx, cast.actors[who], made, TERMS)
