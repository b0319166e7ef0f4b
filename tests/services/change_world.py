"""An office in which everything happens to a published timetable, through the doors of people."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from scheduler import failpoints
from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.domain.access import Actor
from scheduler.domain.lessons import Lesson
from scheduler.domain.plans import Placement, PlanId
from scheduler.errors import ChungTayError
from scheduler.matching import verify
from scheduler.matching.plan import Plan
from scheduler.services import cover, plans, reminders, sending, snapshots, swaps, waves
from scheduler.services.plans import Preview
from scheduler.store import accounts, tables
from scheduler.store import lessons as lesson_rows
from scheduler.store import plans as plan_rows
from tests.faults.kit import let_leases_end, write
from tests.services.change_laws import Laws
from tests.services.change_model import HOME, Reader
from tests.standins import join, put, school

DAY = timedelta(days=1)
FIRST, LAST = date(2023, 10, 2), date(2023, 11, 19)
STARTS = (430, 450, 505, 560)
LENGTH = 45
SLOTS = ((2, 505), (3, 450), (3, 560))  # what the cast's classes accept
FAILING = ("after_offer_ended", "after_lessons", "after_history", "after_news", "after_hand_over",
           "after_thanks", "after_claim", "after_prepare", "after_begin", "after_send",
           "after_mark")  # fmt: skip


@dataclass(frozen=True)
class Office:
    """Five teachers of two donor schools, three classes of two schools, and who acts for them."""

    term: int
    coordinator: Actor
    stranger: Actor
    teachers: dict[int, Actor]
    schools: dict[int, Actor]
    requests: tuple[int, ...]


def gather(ctx, cast) -> Office:
    """The cast and three more teachers, one of them with little time; a class more in school A,
    which wants two lessons a week; seven weeks."""
    second = school(ctx, cast, "THCS Gia Thụy")
    more = [join(ctx, cast, "ba", second), join(ctx, cast, "tu", max_per_day=1),
            join(ctx, cast, "nam", second, max_per_day=1, max_per_week=2, max_total=5)]  # fmt: skip
    with ctx.transaction() as db:
        klass = put(db, "classes", school_id=cast["A"], name="9C", level="lower_secondary",
                    pupils=30)  # fmt: skip
        asked = put(
            db, "requests", class_id=klass, term_id=cast["term"], number=1, lessons_per_week=2,
            first_day=FIRST, last_day=LAST, priority=1, created_at=ctx.now(),
        )  # fmt: skip
        for rank, (weekday, start) in enumerate(SLOTS):
            put(db, "request_slots", request_id=asked, weekday=weekday, start_minute=start,
                end_minute=start + LENGTH, rank=rank)  # fmt: skip
        for table in (tables.terms, tables.requests):
            db.execute(table.update().values(last_day=LAST))
        people = dict(
            db.execute(sa.select(tables.teachers.c.id, tables.teachers.c.person_id)).all()
        )
        actors = {
            teacher: accounts.actor_of(db, people[teacher])
            for teacher in (cast["teacher1"], cast["teacher2"], *more)
        }
    cover.automatic(ctx, cast.actors["coordinator"], on=True)
    return Office(
        term=cast["term"],
        coordinator=cast.actors["coordinator"],
        stranger=cast.actors["stranger"],
        teachers=actors,
        schools={cast[name]: cast.actors[f"school{name}"] for name in "AB"},
        requests=(cast["request_7A"], cast["request_8B"], asked),
    )


class World:
    """One office on its way.  `may_break`: hard rules that the present step may break, for it
    told so, or is about to; `done` and `refused` count what happened."""

    def __init__(self, ctx, office: Office, clock, begun: "World | None" = None) -> None:
        self.ctx, self.office, self.clock = ctx, office, clock
        readers = [Reader(a.person_id, teacher_id=t) for t, a in office.teachers.items()]
        readers += [Reader(a.person_id, school_id=s) for s, a in office.schools.items()]
        self.readers = {reader.id: reader for reader in readers}
        self.laws = Laws(ctx, office.term, self.readers, office.coordinator.person_id)
        self.may_break: frozenset[str] = frozenset()
        self.seen: tuple[Preview, frozenset[Placement]] | None = None
        self.disruptions: list = []
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        if begun is None:
            self.begin()
        else:  # its database was put back to where this one began
            self.laws.knows |= begun.laws.knows
            self.laws.changed_at |= begun.laws.changed_at

    def do(self, name: str, move: Callable[["World", random.Random], None], seed: int) -> None:
        """One step of somebody, then a beat of a worker."""
        self._attempt(name, move, random.Random(seed))
        self.beat()

    def crash(self, name: str, move: Callable[["World", random.Random], None], seed: int) -> None:
        """The process dies somewhere within a step, or within the beat; then it is tried again."""
        r = random.Random(seed)
        with self._failing(r):
            if r.random() < 0.7:
                self._attempt(f"crashed {name}", move, random.Random(seed))
            else:
                with suppress(failpoints.Failure):
                    self._work()
        self.laws.hold(self.may_break)
        self.do(name, move, seed)

    def _attempt(self, name: str, move, r: random.Random) -> None:
        self.may_break = frozenset()
        try:
            move(self, r)
            self.done[name] += 1
        except ChungTayError as error:
            self.refused[f"{name}: {type(error).__name__}"] += 1
        except failpoints.Failure:
            self.refused[f"{name}: crash"] += 1

    @contextmanager
    def _failing(self, r: random.Random) -> Iterator[None]:
        """Fails at a place with a name, or at some statement: between any two of them."""
        if r.random() < 0.5:
            failpoints.arm(f"{r.choice(FAILING)}:raise:{r.choice((1, 1, 2))}")
            yield
            failpoints._armed.clear()
            return
        left = [r.randrange(1, 70)]

        def count(*_: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise failpoints.Failure

        engine = self.ctx.database.writer
        sa.event.listen(engine, "before_cursor_execute", count)
        try:
            yield
        finally:
            sa.event.remove(engine, "before_cursor_execute", count)

    # -- workers

    def beat(self) -> None:
        """What a worker does; then all who should know do."""
        self._work()
        self.laws.hold(self.may_break)
        self.laws.all_told()

    def _work(self) -> None:
        let_leases_end(self.ctx)
        waves.advance(self.ctx)
        swaps.end_stale(self.ctx)
        reminders.plan_ahead(self.ctx)
        sending.sweep(self.ctx)
        while sending.send_due(self.ctx, Post(self.laws)).claimed:
            pass

    # -- what the moves need

    def begin(self) -> None:
        """Four weeks are published, by whoever has time, and everybody is told."""
        r = random.Random(1)
        wanted: set[Placement] = set()
        for request, slots in zip(self.office.requests, (SLOTS[1:2], SLOTS[1:2], SLOTS[::2]),
                                  strict=True):  # fmt: skip
            for week in range(5):
                for weekday, start in slots:
                    day = FIRST + (7 * week + weekday) * DAY
                    for teacher in r.sample(sorted(self.office.teachers), 2):
                        place = Placement(request, day, start, start + LENGTH, teacher)
                        if not self.new_faults(wanted, wanted | {place}):
                            wanted.add(place)
                            break
        self.publish(self.save(wanted))
        self.laws.hold()  # it changed now
        self.clock.forward(minutes=16)
        self.beat()
        assert len(wanted) > 15

    def new_faults(self, before: set[Placement], after: set[Placement]) -> bool:
        snapshot = snapshots.take(self.ctx, self.office.term)
        was, now = (
            verify.verify(snapshot.instance, Plan(snapshot.planned(each))).violations
            for each in (before, after)
        )
        return any(v not in was for v in now)

    def save(self, wanted: set[Placement]) -> PlanId:
        with self.ctx.transaction() as db:
            return plan_rows.save(
                db, term_id=self.office.term, created_by=None, now=self.ctx.now(), cost=1.0,
                lower_bound=0.0, requested=26, seconds=0.1, seed=1, input_hash="x",
                placements=sorted(wanted), gaps=[],
            )  # fmt: skip

    def publish(self, plan: PlanId) -> None:
        actor = self.office.coordinator
        plans.publish(self.ctx, actor, plan, plans.preview(self.ctx, actor, plan).fingerprint)

    def placements(self) -> set[Placement]:
        with self.ctx.reading() as db:
            return set(lesson_rows.placements(db, self.office.term))

    def later(self) -> frozenset[Placement]:
        """What a publication could change: the timetable from tomorrow on."""
        return frozenset(p for p in self.placements() if p.day > self.today)

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(HOME).date()

    def some(self, r: random.Random, *states: str, ahead: bool = True) -> Lesson | None:
        """A lesson in one of these states that has not begun, mostly one of the next; or has."""
        now = self.clock.now()
        found = sorted(
            (x for x in self.laws.now.lessons.values()
             if x.state in states and (x.starts_at > now) is ahead),
            key=lambda x: (abs(x.starts_at - now), x.id),
        )  # fmt: skip
        return r.choice(found[:6] if r.random() < 0.6 else found) if found else None

    def asked(self) -> list[tuple[Lesson, int]]:
        """The lessons that teachers may still take over, and those teachers."""
        lesson_of = {call.id: call.lesson_id for call in self.laws.now.calls}
        return [
            (self.laws.now.lessons[lesson_of[offer.call_id]], offer.teacher_id)
            for offer in self.laws.now.offers
            if offer.ended_at is None
        ]

    def turn(self, person: int, *, on: bool) -> None:
        write(self.ctx, tables.persons, tables.persons.c.id == person, active=on)
        self.readers[person].on = on
        self.laws.unsure_people.add(person)


class Post:
    """A relay that takes everything."""

    def __init__(self, laws: Laws) -> None:
        self.laws = laws

    def send(self, parcel: Parcel) -> Receipt:
        try:
            self.laws.arrived(parcel)
        except Exception as error:  # noqa: BLE001 - the sender would take it for a relay's
            self.laws.broken.append(f"on arrival: {error!r}")
        return Receipt(Outcome.SENT, "250 ok")

    def close(self) -> None:
        pass


def pick(r: random.Random, found: Sequence):
    return r.choice(sorted(found)) if found else None
