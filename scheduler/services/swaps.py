"""Two teachers exchange a lesson each: one proposes it, the other agrees, it is done at once."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.domain import remarks
from scheduler.domain import swaps as rules
from scheduler.domain.access import Actor, Role
from scheduler.domain.candidates import obstacles
from scheduler.domain.lessons import Deed, Lesson, LessonId, placed
from scheduler.domain.people import HalfDay, Person, PersonId, TeacherId
from scheduler.domain.plans import Change, ChangeKind
from scheduler.domain.swaps import Reply, Swap, SwapEnd, SwapId
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, Invalid, NotFound, text
from scheduler.services import links, news, programmes, timetable
from scheduler.services.context import Context
from scheduler.services.timetable import Cause
from scheduler.services.words import obstacle_words
from scheduler.store import (
    audits,
    candidates,
    lessons,
    people,
    pins,
    recipients,
    tables,
    terms,
)
from scheduler.store import swaps as rows
from scheduler.store.database import Session
from scheduler.store.visibility import sees

AT_ONCE = 100  # proposals that one beat ends


@dataclass(frozen=True, slots=True)
class Glimpse:
    """All that a teacher sees of another one's lesson."""

    lesson_id: LessonId
    teacher_name: str
    class_name: str
    school_name: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    half_day: HalfDay | None
    period: int | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as its reader sees it: what they would give and get.  `asked`: it is theirs to
    answer; `end`: how it ended."""

    swap: Swap
    person: Person
    asked: bool
    gives: Glimpse
    gets: Glimpse
    end: SwapEnd | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A proposal and one of its two teachers."""

    swap_id: SwapId
    person_id: PersonId


def of_link(ctx: Context, token: str) -> Asked:
    """What the address in a mail asks about; raises NotFound."""
    return Asked(*links.swap_subject(ctx, token))


def of_actor(actor: Actor, swap_id: SwapId) -> Asked:
    """The actor's own proposal; raises NotFound for who is no teacher."""
    if not actor.with_role(Role.TEACHER):
        raise NotFound("There is no such proposal here.")
    return Asked(swap_id, actor.person_id)


def proposal(ctx: Context, asked: Asked) -> Proposal:
    """How it stands now; looking changes nothing.  Raises NotFound."""
    with ctx.reading() as db:
        return _proposal(ctx, db, asked)


def mine(ctx: Context, actor: Actor) -> tuple[Proposal, ...]:
    """The proposals that the actor made or got, the newest first."""
    own = {grant.teacher_id for grant in actor.with_role(Role.TEACHER) if grant.teacher_id}
    with ctx.reading() as db:
        return _proposals(ctx, db, actor.person_id, rows.of_teachers(db, own))


def of_programme(ctx: Context, actor: Actor) -> tuple[Swap, ...]:
    """All proposals of the coordinator's programme, the newest first; raises NotFound else."""
    with ctx.reading() as db:
        return rows.of_programme(db, programmes.own(actor))


# -- asking


def ask(
    ctx: Context, actor: Actor, given_id: LessonId, wanted_id: LessonId, words: str = ""
) -> Proposal:
    """Propose to give one's own lesson for another teacher's; once, however often it is said.

    Raises Conflict with the sentence that says why it cannot be, before anybody is asked.
    """
    words = remarks.tidied(words)
    if fault := remarks.fault(words, needed=False):
        raise Invalid("Nothing was sent yet.", fields={"words": fault})
    now = ctx.now()
    with ctx.transaction() as db:
        given, wanted, term = pair(db, actor, given_id, wanted_id)
        rows.lock(db, (given_id, wanted_id), (given.teacher_id, wanted.teacher_id))
        given, wanted, term = pair(db, actor, given_id, wanted_id)
        known = rows.open_of(db, given_id, wanted_id)
        if known is not None:
            return _proposal(ctx, db, Asked(known.id, actor.person_id))
        _possible(db, term, given, wanted, now)
        if rows.count_open(db, given.teacher_id) >= rules.MOST_OPEN:
            raise Conflict(
                text(
                    "{most} proposals of yours wait for an answer. Take one back first.",
                    most=rules.MOST_OPEN,
                )
            )
        made = rows.add(db, given, wanted, words, now, rules.deadline(given, wanted, now))
        swap = rows.get(db, made) if made is not None else None
        if swap is None:
            raise Conflict("This swap is proposed already.")
        news.propose(ctx, db, swap, wanted.teacher_person_id)
        _record(db, now, actor.person_id, "ask_swap", swap)
        return _proposal(ctx, db, Asked(swap.id, actor.person_id))


def pair(
    db: Session, actor: Actor, given_id: LessonId, wanted_id: LessonId
) -> tuple[Lesson, Lesson, Term]:
    """One's own lesson, one of the same term, and the term; raises NotFound."""
    own = {grant.teacher_id for grant in actor.with_role(Role.TEACHER)}
    found = {x.id: x for x in lessons.find(db, ids=[given_id, wanted_id])}
    given, wanted = found.get(given_id), found.get(wanted_id)
    seen = given is not None and sees(db, actor, tables.lessons, given_id)
    if given is None or wanted is None or not seen or given.teacher_id not in own:
        raise NotFound("There is no such lesson here.")
    term = terms.of_lesson(db, given.id)
    if term is None or len(lessons.find(db, term_id=term.id, ids=list(found))) < len(found):
        raise NotFound("There is no such lesson here.")
    return given, wanted, term


def _possible(db: Session, term: Term, given: Lesson, wanted: Lesson, now: datetime) -> None:
    """Raises Conflict unless both teachers could give each other's lesson."""
    fault = rules.fault(given, wanted, pins.of_term(db, term.id, term.today(now)), now)
    if fault is not None:
        raise Conflict(fault)
    without = frozenset((given.id, wanted.id))
    for lesson, other in ((given, wanted), (wanted, given)):
        want = replace(candidates.need(db, lesson).want, without=without)
        found = candidates.find(db, term, want, now, [other.teacher_id])
        in_the_way = [obstacle_words(each) for who in found for each in obstacles(who, want)]
        if not found:
            in_the_way = [text("takes no part this term")]
        if in_the_way:
            raise Conflict(
                text(
                    "{name} cannot give the lesson of {class_name}: {why}.",
                    name=other.teacher_name,
                    class_name=lesson.class_name,
                    why=in_the_way[0],
                )
            )


# -- answering


def answer(ctx: Context, asked: Asked, said: Reply) -> Proposal:
    """Do what one of the two says, once, however often it is said; returns how it stands then.

    Raises NotFound where it is not theirs to say, Conflict when one of the two could not give the
    other's lesson any more.
    """
    now = ctx.now()
    with ctx.transaction() as db:
        swap = _proposal(ctx, db, asked).swap
        rows.lock(db, swap.lessons, (swap.asker_id, swap.asked_id))
        found = _proposal(ctx, db, asked)
        if found.asked is (said is Reply.WITHDRAW):
            raise NotFound("There is no such proposal here.")
        if found.swap.end is None:
            _end(ctx, db, found, found.end or _ENDS[said])
            if found.end is None:
                _record(db, now, asked.person_id, f"{said}_swap", swap)
        return _proposal(ctx, db, asked)


_ENDS = {
    Reply.ACCEPT: SwapEnd.AGREED,
    Reply.DECLINE: SwapEnd.DECLINED,
    Reply.WITHDRAW: SwapEnd.WITHDRAWN,
}


def _end(ctx: Context, db: Session, found: Proposal, how: SwapEnd) -> None:
    rows.end(db, found.swap.id, how, ctx.now())
    if how is SwapEnd.AGREED:
        _exchange(ctx, db, found)
    elif how in rules.SAD:
        _regret(ctx, db, found.swap)


def _exchange(ctx: Context, db: Session, found: Proposal) -> None:
    """Both lessons change hands at once; each teacher hears it with our thanks."""
    swap = found.swap
    both = {x.id: x for x in lessons.find(db, ids=swap.lessons)}
    given, wanted = both[swap.given_id], both[swap.wanted_id]
    term = terms.of_lesson(db, given.id)
    if term is None:
        raise NotFound("There is no such proposal here.")
    _possible(db, term, given, wanted, ctx.now())
    known = {placed(x): x.id for x in both.values()}
    changes = [_hand(given, swap.asked_id), _hand(wanted, swap.asker_id)]
    cause = Cause(Deed.SWAPPED, f"swapped:{swap.id}", found.person.id, found.person.name)
    timetable.carry_out(ctx, db, term, changes, known, cause)
    news.thank(ctx, db, given.id, wanted.teacher_person_id)
    news.thank(ctx, db, wanted.id, given.teacher_person_id)


def _hand(lesson: Lesson, to: TeacherId) -> Change:
    before = placed(lesson)
    return Change(ChangeKind.RESTAFFED, before, replace(before, teacher_id=to))


def _regret(ctx: Context, db: Session, swap: Swap) -> None:
    asker = recipients.of_teachers(db, [swap.asker_id])[swap.asker_id]
    news.regret(ctx, db, swap, asker.person_id)


def end_stale(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """End the proposals that nobody answered in time, or whose lessons changed; how many."""
    with ctx.reading() as db:
        found = rows.stale(db, ctx.now(), AT_ONCE)
    return sum(_end_stale(ctx, swap) for swap in found if go_on())


def _end_stale(ctx: Context, swap: Swap) -> bool:
    with ctx.transaction() as db:
        rows.lock(db, swap.lessons, (swap.asker_id, swap.asked_id))
        both = {x.id: x for x in lessons.find(db, ids=swap.lessons)}
        how = rules.ending(swap, both[swap.given_id], both[swap.wanted_id], ctx.now())
        if how is None or not rows.end(db, swap.id, how, ctx.now()):
            return False
        _regret(ctx, db, swap)
        return True


# -- how it stands


def _proposal(ctx: Context, db: Session, asked: Asked) -> Proposal:
    swap = rows.get(db, asked.swap_id)
    found = _proposals(ctx, db, asked.person_id, [swap] if swap else [])
    if not found:
        raise NotFound("There is no such proposal here.")
    return found[0]


def _proposals(
    ctx: Context, db: Session, reader: PersonId, found: Collection[Swap]
) -> tuple[Proposal, ...]:
    """These, as one of their two teachers reads them; nothing for anybody else."""
    person = people.person(db, reader)
    if person is None or not person.active:
        return ()
    sides = recipients.of_teachers(db, {who for x in found for who in (x.asker_id, x.asked_id)})
    known = {x.id: x for x in lessons.find(db, ids={each for x in found for each in x.lessons})}
    seen: list[Proposal] = []
    for swap in found:
        given, wanted = known[swap.given_id], known[swap.wanted_id]
        asker, other = sides[swap.asker_id], sides[swap.asked_id]
        end = rules.ending(swap, given, wanted, ctx.now())
        one, two = glimpse(given, asker.name), glimpse(wanted, other.name)
        if reader == other.person_id:
            seen.append(Proposal(swap, person, asked=True, gives=two, gets=one, end=end))
        elif reader == asker.person_id:
            seen.append(Proposal(swap, person, asked=False, gives=one, gets=two, end=end))
    return tuple(seen)


def glimpse(lesson: Lesson, teacher: str | None = None) -> Glimpse:
    """The lesson, with the teacher who gave it when it was proposed."""
    return Glimpse(
        lesson_id=lesson.id,
        teacher_name=teacher or lesson.teacher_name,
        class_name=lesson.class_name,
        school_name=lesson.school_name,
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        zone=lesson.zone,
        half_day=lesson.half_day,
        period=lesson.period,
    )


def _record(db: Session, now: datetime, by: PersonId, action: str, swap: Swap) -> None:
    pair = {"given": swap.given_id, "wanted": swap.wanted_id}
    audits.record(db, now, by, action, "swap", swap.id, after=pair)
