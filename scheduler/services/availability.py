"""A teacher says when she can teach, how much and where; what is published already stays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from scheduler.domain import availability as rules
from scheduler.domain import weeks
from scheduler.domain.access import Actor, Role
from scheduler.domain.availability import Fit, Pledge, Wanted, Window
from scheduler.domain.intervals import DaySpan, minute_of
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import Level, ReceivingSchool, TeacherId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.terms import Choice as TermChoice
from scheduler.domain.terms import Term, TermId
from scheduler.domain.weeks import Choice, Half, Place
from scheduler.errors import Conflict, Invalid, NotFound, Stale, Text, text
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.services.programmes import Wanted as Chosen
from scheduler.store import audits, lessons, requests, terms
from scheduler.store import availability as rows
from scheduler.store.availability import Away, Own
from scheduler.store.database import Session

FIRST_PLEDGE = Pledge((), max_per_day=1, max_per_week=1, max_total=12)
_DEED = "set_availability"
_LIMITS = {
    "max_per_day": rules.MOST_PER_DAY,
    "max_per_week": rules.MOST_PER_WEEK,
    "max_total": rules.MOST_TOTAL,
}


@dataclass(frozen=True, slots=True)
class Former:
    """The promise of an earlier term that can be copied, and the half-days it was for."""

    term_id: TermId
    name: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """All that a teacher can choose; `week` is to hold on `days`, and says nothing about places
    that are not in it."""

    week: Mapping[Place, Choice]
    days: DaySpan
    pledge: Pledge  # limits, levels and wishes of it
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Desk:
    """The choices as they stand.  `days`: what of the term is left; `new`: nothing was promised
    yet; `outside`: her lessons ahead that lie in none of her windows; `undo`: the last change was
    her own, and nothing came after it."""

    choice: TermChoice
    days: DaySpan
    halves: tuple[Half, ...]
    week: Mapping[Place, Choice]
    pledge: Pledge
    own: Own
    new: bool
    schools: tuple[ReceivingSchool, ...]
    lessons: tuple[Lesson, ...]
    outside: tuple[Lesson, ...]
    fit: Fit
    former: Former | None
    undo: bool
    fingerprint: Fingerprint

    @property
    def term(self) -> Term:
        return self.choice.term

    @property
    def away(self) -> tuple[Away, ...]:
        return self.own.away


@dataclass(frozen=True, slots=True)
class _Held:
    """What is stored of one teacher for a term, with what decides how it is shown."""

    teacher_id: TeacherId
    choice: TermChoice
    days: DaySpan
    halves: tuple[Half, ...]
    schools: tuple[ReceivingSchool, ...]
    kept: Pledge | None
    own: Own

    @property
    def term(self) -> Term:
        return self.choice.term

    @property
    def pledge(self) -> Pledge:
        return self.kept or FIRST_PLEDGE

    @property
    def whole(self) -> DaySpan:
        return DaySpan(self.term.first_day, self.term.last_day)

    @property
    def week(self) -> dict[Place, Choice]:
        return weeks.decompose(self.pledge.windows, self.halves, self.days, self.whole)

    @property
    def fingerprint(self) -> Fingerprint:
        return rules.fingerprint(self.kept, self.own.wanted)


# -- looking


def desk(ctx: Context, actor: Actor, wanted: Chosen = None) -> Desk:
    """When the teacher who is signed in can teach in a term; raises NotFound for who is none."""
    now = ctx.now()
    with ctx.reading() as db:
        held = _held(db, actor, now, wanted)
        given = lessons.find(db, term_id=held.term.id, teacher_id=held.teacher_id, since=now)
        asked = requests.of_term(db, held.term.id)
        former = _former(db, held)
        undo = _last(db, actor, held) is not None
        pledge = held.pledge
        if held.kept is None and former:  # levels hardly ever change
            before = rows.pledge(db, former.term_id, held.teacher_id)
            pledge = replace(pledge, levels=before.levels if before else ())
    ahead = tuple(x for x in given if x.state in (LessonState.SCHEDULED, LessonState.COVER))
    return Desk(
        choice=held.choice,
        days=held.days,
        halves=held.halves,
        week=held.week,
        pledge=pledge,
        own=held.own,
        new=held.kept is None,
        schools=held.schools,
        lessons=ahead,
        outside=_outside(ahead, pledge.windows),
        fit=rules.fitting(pledge.windows, pledge.levels, asked, held.days),
        former=former,
        undo=undo,
        fingerprint=held.fingerprint,
    )


def fit(ctx: Context, actor: Actor, wish: Wish, wanted: Chosen = None) -> Fit:
    """How many classes could have this teacher if she saved these choices; nothing is changed."""
    with ctx.reading() as db:
        held = _held(db, actor, ctx.now(), wanted)
        asked = requests.of_term(db, held.term.id)
    return rules.fitting(_windows(held, wish), wish.pledge.levels, asked, held.days)


def _held(db: Session, actor: Actor, now: datetime, wanted: Chosen) -> _Held:
    mine = actor.with_role(Role.TEACHER)
    if not mine or mine[0].teacher_id is None:
        raise NotFound("This page is for volunteer teachers.")
    choice = programmes.choose(db, mine[0].programme_id, wanted, now)
    term = choice.term
    teacher = mine[0].teacher_id
    schools = terms.schools(db, term.programme_id)
    return _Held(
        teacher_id=teacher,
        choice=choice,
        days=DaySpan(min(max(term.today(now), term.first_day), term.last_day), term.last_day),
        halves=weeks.frame(bell for school in schools for bell in school.periods),
        schools=schools,
        kept=rows.pledge(db, term.id, teacher),
        own=rows.own(db, term.id, teacher),
    )


def _former(db: Session, held: _Held) -> Former | None:
    """Offered while nothing is promised for this term, or no time of it."""
    if held.pledge.windows:
        return None
    for term_id, name in rows.former_terms(db, held.term, held.teacher_id):
        before = rows.pledge(db, term_id, held.teacher_id)
        if before and before.windows:
            week = weeks.decompose(_undated(before.windows), held.halves, held.whole, held.whole)
            places = tuple(
                place for place, choice in week.items() if choice.ease is not weeks.Ease.NO
            )
            return Former(TermId(term_id), name, places)
    return None


def _outside(given: Iterable[Lesson], windows: Sequence[Window]) -> tuple[Lesson, ...]:
    return tuple(lesson for lesson in given if not rules.covers(windows, *_wall(lesson)))


def _wall(lesson: Lesson) -> tuple[date, int, int]:
    zone = ZoneInfo(lesson.zone)
    start, end = lesson.starts_at.astimezone(zone), lesson.ends_at.astimezone(zone)
    return start.date(), minute_of(start), minute_of(end)


# -- changing


def save(ctx: Context, actor: Actor, wish: Wish, seen: Fingerprint, wanted: Chosen = None) -> None:
    """Take the choices, and that the teacher stands by them; published lessons stay.

    Saving twice what is there already changes nothing.  Raises Stale when something else was
    saved since the page was shown, Invalid with the faults by form field.
    """
    with ctx.transaction() as db:
        held = _locked(db, actor, ctx.now(), wanted)
        _check_days(held.term, wish.days)
        _take(ctx, db, actor, held, replace(wish.pledge, windows=_windows(held, wish)),
              wish.wanted, seen)  # fmt: skip


def tell(
    ctx: Context,
    actor: Actor,
    pledge: Pledge,
    wanted: Wanted,
    seen: Fingerprint,
    term: Chosen = None,
) -> None:
    """As `save`, for a program that tells all weekly times itself."""
    with ctx.transaction() as db:
        held = _locked(db, actor, ctx.now(), term)
        told = replace(pledge, windows=weeks.tidy(pledge.windows, held.whole))
        _take(ctx, db, actor, held, told, wanted, seen)


def _take(
    ctx: Context,
    db: Session,
    actor: Actor,
    held: _Held,
    told: Pledge,
    wanted: Wanted,
    seen: Fingerprint,
) -> None:
    _check(held, told)
    new = replace(
        told,
        levels=tuple(level for level in Level if level in told.levels),
        absences=held.pledge.absences,
        wishes=tuple(sorted(told.wishes)),
    )
    changed = rules.fingerprint(new, wanted) != held.fingerprint
    if changed and seen != held.fingerprint:
        raise Stale("Your hours changed in the meantime, perhaps in another window.")
    if changed or held.own.confirmed_at is None:
        _keep(ctx, db, actor, held, new, wanted)


def copy_from(ctx: Context, actor: Actor, term_id: TermId, wanted: Chosen = None) -> None:
    """Promise for a term what was promised for that one: times, limits and wishes.

    Raises Conflict when some time of the term is promised already.
    """
    with ctx.transaction() as db:
        held = _locked(db, actor, ctx.now(), wanted)
        earlier = dict(rows.former_terms(db, held.term, held.teacher_id))
        before = rows.pledge(db, term_id, held.teacher_id) if term_id in earlier else None
        if before is None:
            raise NotFound("There is no such term here.")
        new = replace(before, windows=_undated(before.windows), absences=held.pledge.absences)
        if rules.fingerprint(new, held.own.wanted) == held.fingerprint:
            return
        if held.pledge.windows:
            raise Conflict("You have given hours for this term already.")
        _keep(ctx, db, actor, held, new, held.own.wanted)


def undo(ctx: Context, actor: Actor, seen: Fingerprint, wanted: Chosen = None) -> None:
    """Take the last change of one's own back, as long as nothing came after it.

    Raises Stale when something did.
    """
    with ctx.transaction() as db:
        held = _locked(db, actor, ctx.now(), wanted)
        before = _last(db, actor, held)
        if before is None or seen != held.fingerprint:
            raise Stale("Your hours changed in the meantime, perhaps in another window.")
        more, former = rules.read(before, held.pledge)
        _keep(ctx, db, actor, held, former, more)


def _undated(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Weekly times without the days of another term."""
    bare = (replace(window, first_day=None, last_day=None) for window in windows)
    return tuple(sorted(set(bare), key=lambda w: (w.weekday, w.start, w.end, w.if_needed)))


def _locked(db: Session, actor: Actor, now: datetime, wanted: Chosen) -> _Held:
    """What is stored, once nobody else can change it."""
    first = _held(db, actor, now, wanted)
    if first.term.last_day < first.term.today(now):
        raise Conflict("This term is over. Hours for the next one can be given once it is there.")
    rows.lock(db, first.term.id, first.teacher_id)
    kept = rows.pledge(db, first.term.id, first.teacher_id)
    return replace(first, kept=kept, own=rows.own(db, first.term.id, first.teacher_id))


def _windows(held: _Held, wish: Wish) -> tuple[Window, ...]:
    return weeks.compose(
        held.pledge.windows, held.halves, held.week, wish.week, wish.days, held.whole
    )


def _check(held: _Held, told: Pledge) -> None:
    found: dict[str, Text] = {}
    for name, most in _LIMITS.items():
        if not 1 <= getattr(told, name) <= most:
            found[name] = text("Write a number from {least} to {most}.", least=1, most=most)
    if not told.levels:
        found["levels"] = text("Choose at least one level.")
    if not {school.code for school in held.schools}.issuperset(told.wishes):
        found["wishes"] = text("Choose schools of the programme.")
    if found:
        raise Invalid("Some fields need another look.", fields=found)


def _check_days(term: Term, days: DaySpan) -> None:
    if days.last_day < days.first_day:
        fault = {"last_day": text("The last day is before the first day.")}
    elif days.first_day < term.first_day or term.last_day < days.last_day:
        fault = {
            "first_day": text(
                "The term runs from {first} to {last}. Choose days inside it.",
                first=term.first_day,
                last=term.last_day,
            )
        }
    else:
        return
    raise Invalid("Some fields need another look.", fields=fault)


def _keep(
    ctx: Context, db: Session, actor: Actor, held: _Held, new: Pledge, wanted: Wanted
) -> None:
    rows.revise(db, held.term.id, held.teacher_id, new, Own(wanted, ctx.now()))
    audits.record(
        db, ctx.now(), actor.person_id, _DEED, "teacher", held.teacher_id,
        before=rules.told(held.kept, held.own.wanted),
        after={**rules.told(new, wanted), **_name(held.term, rules.fingerprint(new, wanted))},
    )  # fmt: skip


# -- what the record tells


def _last(db: Session, actor: Actor, held: _Held) -> Mapping[str, object] | None:
    """How it was before the teacher's last change, if that is still how it stands."""
    line = audits.newest(db, actor.person_id, _DEED, "teacher", held.teacher_id)
    if line is None or line.after is None:
        return None
    still = _name(held.term, held.fingerprint).items() <= line.after.items()
    return line.before if still else None


def _name(term: Term, state: Fingerprint) -> dict[str, object]:
    """Which state of which promise a line of the record led to."""
    return {"term": term.id, "fingerprint": state}
