"""Some lines of a plan: a draft of their own, refused when they cannot stand without the rest."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.domain.plans import ChangeKind, PlanOrigin
from scheduler.errors import Invalid, NotFound, Stale
from scheduler.services import acceptances, exports, pins, plans, publications
from scheduler.services.context import Context
from scheduler.store import lessons as lesson_rows
from scheduler.store import plans as plan_rows
from tests.matching import verify_plan
from tests.planning import WEDNESDAY, draft, publish, timetable

SLOTS = ((0, 505), (1, 450), (1, 560))  # days after Wednesday, minute: what both classes accept


def at(klass, week, slot, teacher):
    after, start = SLOTS[slot]
    return (f"request_{klass}", WEDNESDAY + timedelta(days=7 * week + after), start, teacher)


A, A_NEXT = at("7A", 0, 0, "teacher1"), at("7A", 1, 0, "teacher1")
B = at("8B", 0, 0, "teacher2")


def lines(ctx, cast, plan_id):
    return plans.preview(ctx, cast.actors["coordinator"], plan_id).lines


def accept(ctx, cast, plan_id, *chosen):
    actor = cast.actors["coordinator"]
    return acceptances.accept(ctx, actor, plan_id, [line.id for line in chosen])


def drafts_of(ctx, cast):
    with ctx.reading() as db:
        return len(plan_rows.of_term(db, cast["term"]))


def test_one_line_of_two_becomes_a_draft_of_its_own(ctx, cast):
    coordinator = cast.actors["coordinator"]
    publish(ctx, cast, draft(ctx, cast, A, A_NEXT, B))
    both = draft(
        ctx, cast, (*A[:3], "teacher2"), (*A_NEXT[:3], "teacher2"), at("8B", 0, 1, "teacher2")
    )
    other, move = lines(ctx, cast, both)
    assert (move.kind, other.kind, other.count) == (ChangeKind.MOVED, ChangeKind.RESTAFFED, 2)
    assert [line.id for line in lines(ctx, cast, both)] == [other.id, move.id]
    made = accept(ctx, cast, both, move)
    seen = plans.preview(ctx, coordinator, made)
    assert ([line.id for line in seen.lines], seen.plan.origin) == ([move.id], PlanOrigin.ACCEPTED)
    assert (seen.plan.taught, seen.plan.requested) == (3, 26)
    assert seen.plan.cost == pytest.approx(sum(seen.plan.terms.values()), abs=0.01)
    plans.publish(ctx, coordinator, made, seen.fingerprint)
    assert [(x.class_name, x.teacher_id, x.sequence) for x in timetable(ctx, cast)] == [
        ("7A", cast["teacher1"], 0),
        ("8B", cast["teacher2"], 1),
        ("7A", cast["teacher1"], 0),
    ]
    assert [line.id for line in lines(ctx, cast, both)] == [other.id]


def test_a_draft_of_the_same_lines_is_made_once_however_often_pressed(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A, B))
    both = draft(ctx, cast, (*A[:3], "teacher2"), at("8B", 0, 1, "teacher2"))
    both_lines = lines(ctx, cast, both)
    count = drafts_of(ctx, cast)
    with ThreadPoolExecutor(2) as hands:
        made = set(hands.map(lambda _: accept(ctx, cast, both, *both_lines), range(2)))
    assert made | {accept(ctx, cast, both, *both_lines)} == made
    assert (len(made), drafts_of(ctx, cast)) == (1, count + 1)
    publish(ctx, cast, made.pop())
    again = draft(ctx, cast, A, B)
    accept(ctx, cast, again, *lines(ctx, cast, again))  # of another timetable: a new draft
    assert drafts_of(ctx, cast) == count + 3


def test_half_a_swap_is_refused_with_the_rule_and_both_lessons(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A, B))
    swap = draft(ctx, cast, (*A[:3], "teacher2"), (*B[:3], "teacher1"))
    one, other = lines(ctx, cast, swap)
    count = drafts_of(ctx, cast)
    with pytest.raises(Invalid, match="without others") as refused:
        accept(ctx, cast, swap, one)
    rule = "A teacher gives one lesson at a time, and rests in between"
    assert {str(problem) for problem in refused.value.problems} == {
        f"A/7A, 2023-10-04 08:25, Cô teacher2: {rule}",
        f"B/8B, 2023-10-04 08:25, Cô teacher2: {rule}",
    }
    assert drafts_of(ctx, cast) == count
    publish(ctx, cast, accept(ctx, cast, swap, one, other))
    assert [x.teacher_name for x in timetable(ctx, cast)] == ["Cô teacher2", "Cô teacher1"]


def test_half_a_move_of_a_class_is_refused_as_a_class_keeps_its_timetable(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A, A_NEXT))
    moved = draft(ctx, cast, at("7A", 0, 1, "teacher1"), at("7A", 1, 1, "teacher2"))
    first, _ = lines(ctx, cast, moved)
    with pytest.raises(Invalid) as refused:
        accept(ctx, cast, moved, first)
    assert "A class keeps its timetable" in str(refused.value.problems[0])


def test_a_rule_that_is_broken_already_is_in_nobodys_way(ctx, cast):
    late, later = (
        ("request_7A", WEDNESDAY + timedelta(days=7 * n), 700, "teacher1") for n in (0, 1)
    )
    publish(ctx, cast, draft(ctx, cast, A_NEXT, late, B))
    plan = draft(ctx, cast, A_NEXT, late, (*B[:3], "teacher1"))
    (line,) = lines(ctx, cast, plan)
    accept(ctx, cast, plan, line)
    worse = draft(
        ctx, cast, A_NEXT, late, B, (*later[:1], later[1] + timedelta(days=7), *later[2:])
    )
    with pytest.raises(Invalid):
        accept(ctx, cast, worse, *lines(ctx, cast, worse))


def test_a_line_on_a_pinned_lesson_is_refused(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A, B))
    plan = draft(ctx, cast, A, at("8B", 0, 1, "teacher2"))
    pins.put(ctx, cast.actors["coordinator"], [timetable(ctx, cast)[1].id], "đã hẹn")
    with pytest.raises(Invalid) as refused:
        accept(ctx, cast, plan, *lines(ctx, cast, plan))
    assert "Pinned and past lessons stay exactly as they are" in str(refused.value.problems)


def test_lines_that_are_not_there_and_no_lines_at_all_are_refused(ctx, cast):
    coordinator = cast.actors["coordinator"]
    plan = draft(ctx, cast, A)
    with pytest.raises(Invalid, match="at least one"):
        acceptances.accept(ctx, coordinator, plan, [])
    (line,) = lines(ctx, cast, plan)
    with pytest.raises(Stale):
        acceptances.accept(ctx, coordinator, plan, [line.id, "x"])
    for who in ("teacher1", "schoolA", "stranger"):
        with pytest.raises(NotFound):
            acceptances.accept(ctx, cast.actors[who], plan, [line.id])


def test_nothing_is_saved_when_the_timetable_changes_meanwhile(ctx, cast):
    plan, other = draft(ctx, cast, A), draft(ctx, cast, B)

    class Late(Context):
        """Somebody publishes just before its transaction."""

        def transaction(self):
            publish(ctx, cast, other)
            return ctx.transaction()

    late = Late(ctx.settings, ctx.database, ctx.clock, ctx.key)
    count = drafts_of(ctx, cast)
    with pytest.raises(Stale):
        accept(late, cast, plan, *lines(ctx, cast, plan))
    assert drafts_of(ctx, cast) == count


# -- laws


@st.composite
def timetables(draw):
    """Four weeks of both classes that keep every rule: a class its slot, teachers by lot."""
    slots = {klass: draw(st.integers(0, 2)) for klass in ("7A", "8B")}
    found = []
    for week in range(4):
        who = {klass: draw(st.sampled_from([None, "teacher1", "teacher2"])) for klass in slots}
        if slots["7A"] == slots["8B"] and who["7A"] == who["8B"]:
            who["8B"] = None
        found += [at(klass, week, slots[klass], who[klass]) for klass in slots if who[klass]]
    return found


SHARED = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])


def in_force(ctx, cast):
    with ctx.reading() as db:
        return set(lesson_rows.placements(db, cast["term"]))


def revisions(ctx, cast):
    return {x.id: x.sequence for x in timetable(ctx, cast)}


def referee(ctx, cast, plan_id):
    """What the reference reading of the rules says of a plan."""
    instance = exports.export_instance(ctx)
    instance["freeze_before"] = "2023-10-03"
    classes = {cast["request_7A"]: "A/7A", cast["request_8B"]: "B/8B"}
    teachers = {cast[f"teacher{n}"]: f"teacher{n}@x.example" for n in (1, 2)}
    with ctx.reading() as db:
        placements = plan_rows.placements(db, plan_id)
    given = [
        {
            "request": classes[p.request_id], "date": p.day.isoformat(),
            "start": f"{p.start // 60:02d}:{p.start % 60:02d}",
            "end": f"{p.end // 60:02d}:{p.end % 60:02d}", "teacher": teachers[p.teacher_id],
        }
        for p in placements
    ]  # fmt: skip
    return verify_plan.verify(instance, {"lessons": given})


@SHARED
@given(now=timetables(), then=timetables(), data=st.data())
def test_no_choice_of_lines_ever_breaks_a_rule(ctx, cast, now, then, data):
    publish(ctx, cast, draft(ctx, cast, *now))
    plan = draft(ctx, cast, *then)
    offered = lines(ctx, cast, plan)
    if not offered:
        return
    chosen = data.draw(st.lists(st.sampled_from(offered), min_size=1, unique_by=lambda x: x.id))
    count = drafts_of(ctx, cast)
    try:
        made = accept(ctx, cast, plan, *chosen)
    except Invalid:
        assert drafts_of(ctx, cast) == count
    else:
        verdict = referee(ctx, cast, made)
        assert verdict["valid"], verdict
        with ctx.reading() as db:
            assert plan_rows.get(db, made).cost == pytest.approx(verdict["cost"], abs=0.01)
        assert {x.id for x in lines(ctx, cast, made)} == {x.id for x in chosen}
    whole = accept(ctx, cast, plan, *offered)
    with ctx.reading() as db:
        assert plan_rows.placements(db, whole) == plan_rows.placements(db, plan)


@SHARED
@given(one=timetables(), two=timetables())
def test_undo_gives_the_same_placements_back_and_no_revision_ever_falls(ctx, cast, one, two):
    coordinator = cast.actors["coordinator"]
    publish(ctx, cast, draft(ctx, cast, *one))
    before, seen = in_force(ctx, cast), revisions(ctx, cast)
    ctx.clock.forward(seconds=1)
    changed = publish(ctx, cast, draft(ctx, cast, *two)).changes
    for _ in range(2):
        now = revisions(ctx, cast)
        assert all(now[lesson] >= was for lesson, was in seen.items())
        seen, between = now, in_force(ctx, cast)
        if not changed:
            break
        spoilt = publications.newest(ctx, coordinator, cast["term"])
        undoing = publications.undo(ctx, coordinator, spoilt)
        assert (undoing.lessons, undoing.left) == (len(changed), ())
        publish(ctx, cast, undoing.plan_id)
        assert in_force(ctx, cast) == before
        before = between
