"""A coordinator changes lessons by hand: a basket of moves, what it would break, and a draft."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from scheduler.domain import baskets as rules
from scheduler.domain import remarks
from scheduler.domain.access import Actor
from scheduler.domain.baskets import Add, Alter, Breach, CallOff, CautionKind, Move, Part, Result
from scheduler.domain.busy import Availability, availability
from scheduler.domain.intervals import MINUTES_A_DAY, Interval, dated
from scheduler.domain.lessons import LessonChange, LessonId
from scheduler.domain.plans import Change, Mark, Placement, Plan, PlanId, PlanOrigin
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import TermId
from scheduler.domain.weights import Charge, Weights, bill
from scheduler.errors import Conflict, Invalid, NotFound, Stale, Text, text
from scheduler.matching import explain, verify
from scheduler.matching.plan import Plan as SolverPlan
from scheduler.matching.plan import PlannedLesson
from scheduler.matching.problem import CurrentLesson, Instance, Window
from scheduler.matching.verify import Verdict
from scheduler.services import news, snapshots, standing
from scheduler.services.context import Context
from scheduler.services.standing import Placed, Standing, Told
from scheduler.store import audits, busy, lessons, pins, plans, requests, timetable
from scheduler.store.database import Session

OVER = text("Only lessons from tomorrow on are changed by hand")
OFF = text("What was called off for a day is not brought back on it")
# The engine's rules by the names that it gives them, here so that they are translated.
_TOLD = (
    text("A lesson names a request and a teacher of this term"),
    text("A lesson stands on a slot of its request"),
    text("A lesson lies within the days of its request, and not on a holiday"),
    text("A school that is closed has no lessons"),
    text("A teacher is qualified for the level"),
    text("A teacher is available for the whole lesson"),
    text("A teacher who is away gives no lessons"),
    text("A teacher with another engagement gives no lesson then"),
    text("Pinned and past lessons stay exactly as they are"),
    text("A class has one lesson of a request a day"),
    text("A request has no more lessons in a week than it asked for"),
    text("A class keeps its timetable: few weekly slots"),
    text("A class keeps its timetable: weekly slots on different weekdays"),
    text("A teacher gives one lesson at a time, and rests in between"),
    text("A teacher stays within the lessons a day"),
    text("A teacher stays within the lessons a week"),
    text("A teacher stays within the lessons of the term"),
    text("A school has a room for each lesson"),
    text("A class is in one lesson at a time"),
)
RULES = {each.msgid: each for each in (OVER, OFF, *_TOLD)}
CAUTIONS = {
    CautionKind.IF_NEEDED: text("A time that the teacher gives only if needed"),
    CautionKind.CALENDAR_UNKNOWN: text("The teacher's calendar says nothing of that time: ask"),
    CautionKind.DETACHED: text("Beside the weekly times of the class: stands alone, and stays"),
}
# The rules that a lesson beside the weekly times may break, knowingly: PROBLEM.md, rule 6.
WEEKLY = frozenset(
    {
        "A lesson stands on a slot of its request",
        "A class keeps its timetable: few weekly slots",
        "A class keeps its timetable: weekly slots on different weekdays",
    }
)
_STAY = "Pinned and past lessons stay exactly as they are"
_AS_IT_IS = WEEKLY | {_STAY}


@dataclass(frozen=True, slots=True)
class Clash:
    """A rule that the basket would break, and the lessons that break it together."""

    rule: Text
    lessons: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Caution:
    kind: CautionKind
    lesson: Told


@dataclass(frozen=True, slots=True)
class Changed:
    """A lesson before and after the basket; `before` None: a new one."""

    before: Told | None
    after: Told


@dataclass(frozen=True, slots=True)
class Check:
    """What the basket would do.  It can become a draft when there are no clashes.

    `changed` in order of time.  `before` and `after` are the costs by cause, of the schools and
    teachers that it touches; `dearer` is what the timetable would cost more.
    """

    changed: tuple[Changed, ...]
    clashes: tuple[Clash, ...]
    cautions: tuple[Caution, ...]
    dearer: float
    before: tuple[Charge, ...]
    after: tuple[Charge, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    part: Part
    state: Standing
    result: Result
    detached: frozenset[LessonId]
    check: Check


def check(ctx: Context, actor: Actor, term_id: TermId, moves: Sequence[Move]) -> Check:
    """All moves together against the rules of the engine; nothing is changed.

    Raises NotFound for what is not the term's, Invalid for a basket that says two things at once.
    """
    return _look(ctx, actor, term_id, _tidied(moves)).check


def gone(ctx: Context, actor: Actor, term_id: TermId, moves: Sequence[Alter]) -> set[LessonId]:
    """Lessons of the moves that are not in this timetable, or are for a teacher who is not here."""
    state = standing.read(ctx, actor, term_id, _part(ctx, term_id, moves))
    kept = {x.lesson_id for x in moves if x.teacher_id in {None, *state.teachers}}
    return {x.lesson_id for x in moves} - (kept & state.current.keys())


def draft(
    ctx: Context, actor: Actor, term_id: TermId, moves: Sequence[Move], note: str = ""
) -> PlanId:
    """Keep the basket as a draft, to be previewed and published like any other.

    Raises Conflict while it breaks a rule, Stale when the timetable changed meanwhile.
    """
    note = _words(note, "note", needed=False)
    moves = _tidied(moves)
    seen = _look(ctx, actor, term_id, moves)
    if seen.check.clashes:
        raise Conflict(text("This would break a rule: {rule}.", rule=seen.check.clashes[0].rule))
    whole = standing.read(ctx, actor, term_id)
    after = rules.apply(whole.current, moves).after
    snapshot, planned = whole.snapshot, SolverPlan(tuple(sorted(whole.planned(after))))
    verdict = verify.verify(whole.instance, planned, snapshot.prices)
    gaps = explain.explain(snapshot.instance, planned)
    with ctx.transaction() as db:
        now = {each: place for place, each in lessons.placements(db, term_id).items()}
        near = lessons.placements(db, term_id, part=seen.part)
        if now != whole.current or near.keys() != set(seen.state.current.values()):
            raise Stale("The timetable changed while you were looking. Look at your changes again.")
        made = plans.save(
            db,
            term_id=term_id,
            created_by=actor.person_id,
            now=ctx.now(),
            cost=verdict.cost,
            lower_bound=0.0,  # nothing was proved of it
            requested=verdict.requested,
            seconds=0.0,
            seed=0,
            input_hash=snapshot.input_hash,
            placements=_once(after.values()),
            gaps=[snapshots.gap(snapshot, gap) for gap in gaps],
            weights=snapshot.weights,
            terms=verdict.terms,
            origin=PlanOrigin.HAND,
            note=note,
            marks=_marks(seen),
        )
        told = {"moves": len(moves), "changed": len(seen.result.changed)}
        audits.record(
            db, ctx.now(), actor.person_id, "draft_by_hand", "plan", made, reason=note, after=told
        )
        return made


def _once(placements: Iterable[Placement]) -> list[Placement]:
    """A plan holds one lesson of a request a day; where the past has two, the first is kept."""
    found: dict[tuple[RequestId, date], Placement] = {}
    for place in sorted(placements):
        found.setdefault((place.request_id, place.day), place)
    return list(found.values())


def _marks(seen: _Look) -> list[Mark]:
    alone = [seen.result.after[each] for each in sorted(seen.detached)]
    found = [Mark(place.request_id, place.day) for place in alone]
    for each, reason in sorted(seen.result.called_off.items()):
        place = seen.state.current[each]
        found.append(Mark(place.request_id, place.day, reason))
    return found


def finish(
    ctx: Context,
    db: Session,
    actor: Actor,
    plan: Plan,
    changes: Sequence[Change],
    told: Sequence[LessonChange],
) -> None:
    """What publishing a plan means beside its lessons: reasons for who reads that one is called
    off, and a pin on each that stands alone, until its day.  `told`: one for each change."""
    marks = {(mark.request_id, mark.day): mark for mark in plans.marks(db, plan.id)}
    for change, done in zip(changes, told, strict=True):
        place = change.after or change.before
        mark = marks.get((place.request_id, place.day)) if place else None
        if place is None or mark is None:
            continue
        if change.after is None and mark.called_off:
            timetable.give_reason(db, done.lesson_id, mark.called_off)
            news.call_off(ctx, db, [done.lesson_id], f"plan:{plan.id}:off")
        elif change.after is not None and not mark.called_off:
            by, note = actor.person_id, plan.note
            pins.put(db, [done.lesson_id], by, note, place.day, ctx.now())


# -- looking


def _look(ctx: Context, actor: Actor, term_id: TermId, moves: Sequence[Move]) -> _Look:
    part = _part(ctx, term_id, moves)
    state = standing.read(ctx, actor, term_id, part)
    _known(state, moves)
    result = rules.apply(state.current, moves)
    held = {each for each, place in state.current.items() if place.day <= state.today}
    alone = rules.detached(result, state.asked, held | (state.pinned.keys() - result.changed))
    before, after = state.planned(state.current), state.planned(result.after)
    prices = state.snapshot.prices
    was, will = (
        verify.verify(state.instance, SolverPlan(tuple(sorted(side))), prices)
        for side in (before, after)
    )
    there = before | after
    known = _breaches(state.instance, before, there)
    found = _breaches(_with_pins(actor, state, result, alone), after, there)
    clashes = [*_of_days(state, result), *(each for each in found if rules.is_new(each, known))]
    check = Check(
        changed=tuple(_changed(state, result)),
        clashes=tuple(_clash(state, each) for each in clashes),
        cautions=tuple(_cautions(ctx, state, result, alone)),
        dearer=will.cost - was.cost,
        before=_bill(was, state.snapshot.weights),
        after=_bill(will, state.snapshot.weights),
    )
    return _Look(part, state, result, alone, check)


def _part(ctx: Context, term_id: TermId, moves: Iterable[Move]) -> Part:
    """All that the moves can touch: rules and prices look at one school or one teacher."""
    named = [each.lesson_id for each in moves if not isinstance(each, Add)]
    added = [each.request_id for each in moves if isinstance(each, Add)]
    with ctx.reading() as db:
        found = lessons.find(db, term_id=term_id, ids=named)
        asked = requests.by_ids(db, added)
    new = {x.teacher_id for x in moves if not isinstance(x, CallOff) and x.teacher_id is not None}
    return Part(
        schools=frozenset([*(x.school_id for x in found), *(x.school_id for x in asked)]),
        teachers=frozenset(new | {x.teacher_id for x in found}),
    )


def _changed(state: Standing, result: Result) -> Iterable[Changed]:
    for each in sorted(result.changed, key=lambda lesson: result.after[lesson]):
        was = state.current.get(each)
        yield Changed(state.told(each, was) if was else None, state.told(each, result.after[each]))


def _tidied(moves: Sequence[Move]) -> tuple[Move, ...]:
    if not 0 < len(moves) <= rules.MOST_MOVES:
        raise Invalid(text("Put 1 to {most} changes into the basket.", most=rules.MOST_MOVES))
    if rules.twice(moves):
        raise Invalid("The basket names a lesson twice. Keep one of the two changes.")
    times = [m.time for m in moves if not isinstance(m, CallOff) and m.time is not None]
    if any(not 0 <= at.start < at.end <= MINUTES_A_DAY for at in times):
        raise Invalid("A lesson begins before it ends, within one day.")
    return tuple(
        replace(m, reason=_words(m.reason, "reason")) if isinstance(m, CallOff) else m
        for m in moves
    )


def _words(typed: str, field: str, *, needed: bool = True) -> str:
    words = remarks.tidied(typed)
    if fault := remarks.fault(words, needed=needed):
        raise Invalid("Say in a few words why.", fields={field: fault})
    return words


def _known(state: Standing, moves: Iterable[Move]) -> None:
    for move in moves:
        lesson = None if isinstance(move, Add) else move.lesson_id
        if lesson is not None and lesson not in state.current:
            raise NotFound(text("There is no lesson {id} in this timetable.", id=lesson))
        if isinstance(move, Add) and move.request_id not in state.asked:
            raise NotFound(text("There is no request {id}.", id=move.request_id))
        teacher = None if isinstance(move, CallOff) else move.teacher_id
        if teacher is not None and teacher not in state.teachers:
            raise NotFound(text("There is no teacher {id}.", id=teacher))


def _with_pins(
    actor: Actor, state: Standing, result: Result, alone: Collection[LessonId]
) -> Instance:
    """What the timetable after the basket is held against: lessons that stand alone are pinned by
    it, and of what was pinned before, the actor may change what she pinned herself."""
    mine = {each for each, pin in state.pinned.items() if pin.owner_id == actor.person_id}
    own = mine & state.current.keys()  # one may have been called off since
    gone = [state.current[each] for each in own if result.after.get(each) != state.current[each]]
    free = {(x.request, x.day, x.start) for x in map(state.name, gone)}
    current = {
        (x.request, x.day, x.start): x
        for x in state.instance.current
        if (x.request, x.day, x.start) not in free
    }
    for each in alone:
        x = state.name(result.after[each])
        current[x.request, x.day, x.start] = CurrentLesson(
            x.request, x.day, x.start, x.end, x.teacher, pinned=True
        )
    return replace(state.instance, current=tuple(current.values()))


def _breaches(
    instance: Instance, plan: Mapping[PlannedLesson, Placed], there: Mapping[PlannedLesson, Placed]
) -> list[Breach]:
    """Every rule that the plan breaks.

    A pinned lesson may break rules about its time and its teacher, for the engine's sake: here
    only those about the weekly times, so the others are asked as if nothing were pinned.
    """
    whole = SolverPlan(tuple(sorted(plan)))
    bare = replace(instance, current=(), freeze_before=None)
    found = [v for v in verify.verify(bare, whole).violations if v.rule not in _AS_IT_IS]
    found += [v for v in verify.verify(instance, whole).violations if v.rule in _AS_IT_IS]
    return [Breach(v.rule, dict(there[x] for x in v.lessons)) for v in found]


def _of_days(state: Standing, result: Result) -> Iterable[Breach]:
    """What a publication would leave as it is, or take out again, without a word."""
    touched = [*sorted(result.changed), *sorted(result.called_off)]
    for each in touched:
        sides = [side[each] for side in (state.current, result.after) if each in side]
        if any(place.day <= state.today for place in sides):
            yield Breach(OVER.msgid, {each: sides[-1]})
    off = state.off | {
        (state.current[x].request_id, state.current[x].day) for x in result.called_off
    }
    for each in sorted(result.changed):
        place = result.after[each]
        if (place.request_id, place.day) in off:
            yield Breach(OFF.msgid, {each: place})


def _clash(state: Standing, breach: Breach) -> Clash:
    found = sorted(breach.lessons.items(), key=lambda item: (item[1].day, item[1].start, item[0]))
    return Clash(RULES[breach.rule], tuple(state.told(each, place) for each, place in found))


def _cautions(
    ctx: Context, state: Standing, result: Result, alone: Collection[LessonId]
) -> Iterable[Caution]:
    places = {each: result.after[each] for each in sorted(result.changed)}
    spans = {each: dated(p.day, p.start, p.end, state.term.zone) for each, p in places.items()}
    if not spans:
        return
    reach = Interval(min(spans.values()).start, max(s.end for s in spans.values()))
    with ctx.reading() as db:
        sources = busy.sources(db, state.term.programme_id)
        times = busy.all_times(db, state.term.programme_id, reach)
    windows = {teacher.id: teacher.available for teacher in state.instance.teachers}
    for each, place in places.items():
        who, lesson = place.teacher_id, state.told(each, place)
        if each in alone:
            yield Caution(CautionKind.DETACHED, lesson)
        free = [w for w in windows.get(state.name(place).teacher, ()) if _holds(w, place)]
        if free and all(window.if_needed for window in free):
            yield Caution(CautionKind.IF_NEEDED, lesson)
        known = availability(sources.get(who), times.get(who, ()), spans[each], ctx.now())
        if known is Availability.UNKNOWN:
            yield Caution(CautionKind.CALENDAR_UNKNOWN, lesson)


def _holds(window: Window, place: Placement) -> bool:
    return (
        window.weekday == place.day.weekday()
        and window.start <= place.start
        and place.end <= window.end
        and (window.first_day is None or window.first_day <= place.day)
        and (window.last_day is None or place.day <= window.last_day)
    )


def _bill(verdict: Verdict, weights: Weights) -> tuple[Charge, ...]:
    return bill(verdict.terms, weights, verdict.requested - verdict.taught)
