"""Everything that can happen around reminders, through the doors that people and workers use."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.domain.access import Grant, Role
from scheduler.domain.answers import Excuse, Reason, Reply
from scheduler.domain.choices import Choices
from scheduler.domain.messages import HELD, Channel
from scheduler.domain.plans import Placement
from scheduler.errors import Conflict, NotFound
from scheduler.services import (
    answers,
    backups,
    choices,
    lessons,
    links,
    mailroom,
    outbox,
    parcels,
    plans,
    recovery,
    reminders,
    sending,
)
from scheduler.services.choices import Wish
from scheduler.store import accounts, queue, switches, tables
from scheduler.store import lessons as lesson_rows
from scheduler.store import plans as plan_rows
from tests.faults.kit import let_leases_end, write
from tests.services.history_laws import Laws
from tests.services.history_model import Model, Reader

STARTS = {"request_7A": (450, 560, 1140), "request_8B": (505, 615, 1200)}
ZONES = (None, "Europe/Berlin", "America/New_York", "Australia/Sydney")
QUIETS = (None, (21 * 60, 7 * 60), (6 * 60, 8 * 60), (0, 23 * 60 + 30))
ANSWERS = {
    Receipt(Outcome.SENT, "250 ok"): 12,
    Receipt(Outcome.REFUSED_FOR_NOW, "451 later"): 2,
    Receipt(Outcome.REFUSED, "550 no"): 1,
    Receipt(Outcome.UNKNOWN, "silence"): 2,
    Receipt(Outcome.REFUSED_FOR_NOW, "no answer", relay_away=True): 1,
}
# How often each happens among a hundred steps; time goes on between all of them.
WEIGHTS = {
    "wait": 34, "publish": 16, "publish_twice": 3, "undo": 2, "call_off": 5, "confirm": 6,
    "cannot": 3, "take_back": 3, "choose": 6, "switch": 4, "join": 2, "leave": 2, "account": 2,
    "vanish": 4, "pause": 2, "resume": 2, "hold": 2, "release": 2, "keep": 4, "restore": 4,
}  # fmt: skip
MEANWHILE = ("publish", "call_off", "confirm", "cannot", "take_back", "choose", "switch")


class World:
    """One office: two teachers, two schools, a coordinator, and the relay."""

    def __init__(self, ctx, cast, clock, folder) -> None:
        self.ctx, self.cast, self.clock, self.folder = ctx, cast, clock, folder
        self.coordinator = cast.actors["coordinator"]
        who = {name: cast[f"person_{name}"] for name in ("teacher1", "teacher2")}
        readers = {person: Reader(person) for person in who.values()}
        for name in "AB":
            person = cast[f"person_school{name}"]
            readers[person] = Reader(person, {cast[name]})
        self.model = Model(clock.now(), readers)
        self.laws = Laws(ctx, self.model)
        self.plans: list[int] = []
        self.kept: Callable[[], None] | None = None

    def do(self, name: str, seed: int) -> None:
        """One step, then a beat of a worker at a relay of some mood."""
        r = random.Random(seed)
        getattr(self, name)(r)
        self.look()
        self.beat(r, well=r.random() < 0.6)

    def look(self) -> None:
        self.model.now = self.clock.now()
        with self.ctx.reading() as db:
            found = lesson_rows.find(db, term_id=self.cast["term"])
        self.laws.changed({lesson.id: lesson for lesson in found})

    # -- workers

    def beat(self, r: random.Random, *, well: bool) -> None:
        """What a worker does in a tick; where all is well, all that was owed has gone out."""
        if well:
            let_leases_end(self.ctx)
        with self.ctx.transaction() as db:
            switches.turn_off(db, switches.PLANNED_AHEAD)
            db.execute(tables.relays.delete())  # however long it was away, it is tried again
        reminders.plan_ahead(self.ctx)
        sending.sweep(self.ctx)
        post = Post(self, r, well=well)
        while sending.send_due(self.ctx, post, limit=r.choice((3, 20))).claimed:
            if post.tried > 60:  # a relay that is away gives everything back for ever
                break
        self.laws.hold(well=well)

    def vanish(self, r: random.Random) -> None:
        """A worker dies with messages in hand; perhaps one had begun, perhaps it came through."""
        with self.ctx.transaction() as db:
            held = queue.claim(
                db, Channel.MAIL, "dead", f"t{r.random()}", self.ctx.now(), 5,
                timedelta(seconds=120),
            )  # fmt: skip
        made = parcels.prepare(self.ctx, held) if held else ()
        for message, ready in zip(held, made, strict=True):
            if isinstance(ready, parcels.Ready) and r.random() < 0.5:
                with self.ctx.transaction() as db:
                    assert queue.begin_transmission(db, message)
                through = r.random() < 0.5
                self.laws.arrived(ready.parcel, Outcome.UNKNOWN if through else Outcome.REFUSED)
                return

    def wait(self, r: random.Random) -> None:
        minutes = r.choice((3, 9, 16, 16, 45, 60, 180, 600, 1300, 1440, 2000))
        self.clock.forward(minutes=minutes + r.random())

    # -- the timetable

    def publish(self, r: random.Random) -> None:
        with self.ctx.reading() as db:
            wanted = set(lesson_rows.placements(db, self.cast["term"]))
        day = self._today()
        for _ in range(r.choice((1, 1, 2, 3))):
            ahead = sorted(p for p in wanted if p.day > day)
            what = r.choice(("add", "add", "drop", "move", "restaff"))
            old = r.choice(ahead) if ahead and what != "add" else None
            new = self._place(r, wanted - {old}, what, old) if what != "drop" or not old else None
            wanted = (wanted - {old}) | ({new} if new else set())
        with self.ctx.transaction() as db:
            plan = plan_rows.save(
                db, term_id=self.cast["term"], created_by=None, now=self.ctx.now(), cost=1.0,
                lower_bound=0.0, requested=26, seconds=0.1, seed=1, input_hash="x",
                placements=sorted(wanted), gaps=[],
            )  # fmt: skip
        self._publish(plan)

    def _place(self, r, others, what, old) -> Placement | None:
        request = old.request_id if old else None
        names = [n for n in STARTS if request in (None, self.cast[n])]
        name = r.choice(names)
        teacher = self.cast[r.choice(("teacher1", "teacher2"))]
        if old and what == "restaff":
            teacher = next(t for t in (self.cast["teacher1"], self.cast["teacher2"])
                           if t != old.teacher_id)  # fmt: skip
            return Placement(old.request_id, old.day, old.start, old.end, teacher)
        day = self._today() + timedelta(days=r.choice((1, 1, 2, 2, 3, 4, 7)))
        start = r.choice(STARTS[name])
        if (self.cast[name], day) in {(p.request_id, p.day) for p in others if p}:
            return old
        return Placement(self.cast[name], day, start, start + 45, teacher)

    def _today(self) -> date:
        return self.clock.now().astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()

    def _publish(self, plan: int) -> None:
        seen = plans.preview(self.ctx, self.coordinator, plan).fingerprint
        try:
            plans.publish(self.ctx, self.coordinator, plan, seen)
        except Conflict:
            return
        self.plans.append(plan)

    def publish_twice(self, r: random.Random) -> None:
        """A change and its undoing within the gathering."""
        self.publish(r)
        self.look()
        self.clock.forward(minutes=4)
        self.undo(r)

    def undo(self, r: random.Random) -> None:
        if len(self.plans) > 1:
            self._publish(self.plans[-2])

    def call_off(self, r: random.Random) -> None:
        live = [x for x in self.model.lessons.values()
                if x.state != "cancelled" and x.starts_at > self.clock.now()]  # fmt: skip
        if live:
            lesson = min(r.sample(live, min(2, len(live))), key=lambda x: x.starts_at)
            lessons.call_off(self.ctx, self.coordinator, lesson.id, "Bão")

    # -- what readers do

    def _answer(self, r: random.Random, reply: Reply) -> None:
        live = sorted(x.starts_at for x in self.model.lessons.values()
                      if x.state != "cancelled" and x.starts_at > self.clock.now())  # fmt: skip
        for lesson in self.model.lessons.values():
            if lesson.starts_at in live[:2]:
                url = links.answer_url(self.ctx, lesson, lesson.teacher_person_id)
                asked = answers.of_link(self.ctx, url.rpartition("/")[2])
                if not self.model.readers[lesson.teacher_person_id].on:
                    with pytest.raises(NotFound):  # an account that is off opens nothing
                        answers.reply(self.ctx, asked, reply, Excuse(Reason.SICK))
                    continue
                done = answers.reply(self.ctx, asked, reply, Excuse(Reason.SICK))
                key = (lesson.id, lesson.sequence, lesson.teacher_person_id)
                (self.model.confirmed.add if done.standing == "confirmed"
                 else self.model.confirmed.discard)(key)  # fmt: skip

    def confirm(self, r: random.Random) -> None:
        self._answer(r, Reply.CONFIRM)

    def cannot(self, r: random.Random) -> None:
        self._answer(r, Reply.CANNOT)

    def take_back(self, r: random.Random) -> None:
        self._answer(r, Reply.UNDO)

    def _reader(self, r: random.Random) -> tuple[str, Reader]:
        name = r.choice(("teacher1", "teacher1", "teacher2", "schoolA", "schoolB"))
        return name, self.model.readers[self.cast[f"person_{name}"]]

    def choose(self, r: random.Random) -> None:
        name, who = self._reader(r)
        flags = {each: r.random() < 0.7 for each in ("digest", "day_before", "hour_before", "soon")}
        start, end = r.choice(QUIETS) or (None, None)
        who.choices = Choices(**flags, after_confirming=r.random() < 0.4, quiet_from=start,
                              quiet_until=end)  # fmt: skip
        who.zone = r.choice(ZONES)
        choices.save(self.ctx, self.cast.actors[name], Wish(who.choices, who.zone, "vi"))

    def switch(self, r: random.Random) -> None:
        name, who = self._reader(r)
        who.reminded = not who.reminded
        choices.switch(self.ctx, self.cast.actors[name], wanted=who.reminded)

    def account(self, r: random.Random) -> None:
        _, who = self._reader(r)
        who.on = not who.on
        write(self.ctx, tables.persons, tables.persons.c.id == who.id, active=who.on)
        self.laws.forget(who.id)

    def join(self, r: random.Random) -> None:
        """The contact of school B speaks for school A too."""
        who, school = self.model.readers[self.cast["person_schoolB"]], self.cast["A"]
        if school not in who.schools:
            grant = Grant(Role.SCHOOL, self.cast["programme"], school_id=school)
            with self.ctx.transaction() as db:
                accounts.add_grant(db, who.id, grant)
            who.schools.add(school)
            self.laws.forget(who.id)

    def leave(self, r: random.Random) -> None:
        who = self.model.readers[self.cast[f"person_school{r.choice('AB')}"]]
        row = tables.grants
        with self.ctx.transaction() as db:
            db.execute(sa.delete(row).where(
                row.c.person_id == who.id, row.c.school_id == self.cast["A"]))  # fmt: skip
        who.schools.discard(self.cast["A"])
        self.laws.forget(who.id)

    # -- what coordinators do

    def pause(self, r: random.Random) -> None:
        outbox.pause(self.ctx, self.coordinator)

    def resume(self, r: random.Random) -> None:
        outbox.resume(self.ctx, self.coordinator)

    def hold(self, r: random.Random) -> None:
        with self.ctx.reading() as db:
            ids = list(db.scalars(sa.select(tables.outbox.c.id).where(
                tables.outbox.c.state == "planned", tables.outbox.c.next_try_at < HELD,
                tables.outbox.c.programme_id.is_not(None))))  # fmt: skip
        for each in r.sample(ids, min(2, len(ids))):
            mailroom.hold(self.ctx, self.coordinator, each)

    def release(self, r: random.Random) -> None:
        with self.ctx.reading() as db:
            query = sa.select(tables.outbox.c.id).where(tables.outbox.c.next_try_at >= HELD)
            held = list(db.scalars(query))
        for each in held:
            mailroom.release(self.ctx, self.coordinator, each)

    def keep(self, _r: random.Random) -> None:
        """A backup, of the embedded database."""
        if self.ctx.database.is_sqlite:
            path = self.folder / f"{uuid4().hex}.backup"
            backups.backup(self.ctx, path)
            restored = self.laws.kept()
            self.kept = lambda: (recovery.restore(self.ctx, path), restored())

    def restore(self, r: random.Random) -> None:
        if self.kept is not None:
            self.kept()
            self.kept = None
            self.plans = []
            self.look()
            outbox.resume(self.ctx)

    # -- the end

    def drain(self) -> None:
        """Everything comes to its end."""
        r = random.Random(0)
        outbox.resume(self.ctx)
        self.release(r)
        for minutes in (0, 20, 45, 300, 1440, 1440, 15 * 1440):
            self.clock.forward(minutes=minutes)
            self.look()
            self.beat(r, well=True)
        self.laws.ended()


class Post:
    """The relay; while it has a message, the world may go on."""

    def __init__(self, world: World, r: random.Random, *, well: bool) -> None:
        self.world, self.r, self.well, self.tried = world, r, well, 0

    def send(self, parcel: Parcel) -> Receipt:
        self.tried += 1
        receipt = next(iter(ANSWERS))
        if not self.well:
            receipt = self.r.choices(list(ANSWERS), list(ANSWERS.values()))[0]
        if self.r.random() < 0.12:
            try:
                self.world.laws.arrived(parcel, receipt.outcome)
                getattr(self.world, self.r.choice(MEANWHILE))(self.r)
                self.world.look()
            except Exception as error:  # noqa: BLE001 - the sender would take it for a relay's
                self.world.laws.broken.append(f"meanwhile: {error!r}")
            return receipt
        self.world.laws.arrived(parcel, receipt.outcome)
        return receipt

    def close(self) -> None:
        pass
