"""The promises about messages, held against what arrives and against the rows that are left."""

import copy
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from scheduler.delivery.channels import Outcome, Parcel
from scheduler.domain import news
from scheduler.domain import reminders as rules
from scheduler.domain.messages import HELD, MessageKind
from scheduler.domain.news import GATHERED_FOR, What
from scheduler.domain.reminders import Side
from scheduler.store import tables
from tests.faults.kit import read, states
from tests.services.history_model import DAY, MINUTE, STEPS, Model

NEWS = (MessageKind.CHANGES, MessageKind.CALLED_OFF)


class Laws:
    """Watches every message on its way.  `knows`: what each reader was told of a lesson;
    `unsure`: where the relay, a coordinator or a new account left that open."""

    def __init__(self, ctx, model: Model) -> None:
        self.ctx, self.model = ctx, model
        self.broken: list[str] = []
        self.copies: Counter[str] = Counter()
        self.came: set[str] = set()
        self.vague: set[str] = set()  # messages of unknown fate
        self.knows: dict[tuple[int, int], object] = {}
        self.unsure: set[tuple[int, int]] = set()
        self.unsure_people: set[int] = set()
        self.heard: set[tuple[int, int]] = set()  # by a reminder
        self.changed_at = {}

    def changed(self, lessons) -> None:
        for number, lesson in lessons.items():
            old = self.model.lessons.get(number)
            if old is None or (old.sequence, old.state) != (lesson.sequence, lesson.state):
                self.changed_at[number] = self.model.now
        self.model.lessons = lessons

    def forget(self, person: int) -> None:
        """Somebody came or went: what they were told says nothing of what they know."""
        self.unsure_people.add(person)

    def kept(self) -> Callable[[], None]:
        was = copy.deepcopy((self.model.readers, self.model.confirmed))

        def restored() -> None:
            readers, self.model.confirmed = copy.deepcopy(was)
            for person, reader in readers.items():
                self.model.readers[person].__dict__.update(reader.__dict__)
            self.unsure_people |= set(readers)
            self.vague |= {"restored"}

        return restored

    # -- what arrives

    def arrived(self, parcel: Parcel, outcome: Outcome) -> None:
        with self.ctx.reading() as db:
            row = db.execute(sa.select(tables.outbox).where(
                tables.outbox.c.message_id == parcel.message_id)).one()  # fmt: skip
        body = read(parcel).get_body(("plain",)).get_content()
        kind = MessageKind(row.kind)
        if row.useless_after <= self.model.now:
            self._broke(row, "useless")
        if kind in rules.REMINDERS:
            self._reminder(row, kind, body)
        elif kind in NEWS:
            self._news(row, kind, body, outcome)
        elif self.model.lessons[row.lesson_id].state != "cover":
            self._broke(row, "cover is no longer wanted")
        if outcome is Outcome.UNKNOWN:
            self.vague.add(row.key)
        if outcome in (Outcome.SENT, Outcome.UNKNOWN):
            self.copies[row.key] += 1
            self.came.add(row.key.rpartition(":")[0])

    def _broke(self, row, why: str) -> None:
        self.broken.append(f"{row.key} at {self.model.now:%a %d %H:%M:%S}: {why}")

    def _reminder(self, row, kind: MessageKind, body: str) -> None:
        who = self.model.readers[row.person_id]
        if not who.wants(kind):
            self._broke(row, "not wanted")
        if who.quiet(self.model.now):
            self._broke(row, "in the quiet")
        those = self.model.ahead(who, kind)
        if kind in STEPS:
            those = [x for x in those if (x.id, x.sequence) == (row.lesson_id, row.lesson_sequence)]
            useless = STEPS[kind][1]
            those = [x for x in those if x.starts_at - useless * MINUTE > self.model.now]
        else:
            begins, ends, _ = rules.day_of(row.payload)
            those = [x for x in those if begins <= x.starts_at < ends]
        if kind is DAY and those and those[-1].starts_at - 120 * MINUTE <= self.model.now:
            self._broke(row, "too near to be of use")
        if not those:
            self._broke(row, "no lesson is left")
        self.heard |= {(who.id, lesson.id) for lesson in those}
        for lesson in those:
            if self._line(who, lesson) not in body:
                self._broke(row, f"does not name {self._line(who, lesson)}")

    def _line(self, who, lesson) -> str:
        start, end = (who.local(x, lesson) for x in (lesson.starts_at, lesson.ends_at))
        return f"{start:%d/%m} · {start:%H:%M}–{end:%H:%M}"

    def _news(self, row, kind: MessageKind, body: str, outcome: Outcome) -> None:
        who = self.model.readers[row.person_id]
        if not who.on:
            self._broke(row, "the account is off")
        entries = news.read(row.payload).entries if kind is MessageKind.CHANGES else ()
        told = {e.lesson_id for e in entries if e.what is What.CHANGED} or {row.lesson_id}
        instants = [e.was for e in entries if e.was]
        instants += [self.model.lessons[x].starts_at for x in told]
        if who.quiet(self.model.now) and not self._cannot_wait(who, instants):
            self._broke(row, "in the quiet")
        twice = self.copies[row.key] or row.maybe_twice
        mentioned = 0
        for number in told:
            lesson = self.model.lessons[number]
            state = self.model.told(who, lesson)
            entry = next((e for e in entries if e.lesson_id == number), None)
            named = self._line(who, lesson) in body
            of_school = entry is not None and entry.side is Side.SCHOOL
            if named and of_school and lesson.school_id not in who.schools:
                self._broke(row, "no contact of this school any more")
            if not named and not self._was(who, lesson, entry, body):
                continue
            mentioned += 1
            same = [x for x in told if self.model.lessons[x].starts_at == lesson.starts_at]
            if state == "gone" and len(same) > 1:
                self.unsure.add((who.id, number))  # the words may be those of the other one
                continue
            if self._settled(who.id, number) and not twice:
                known = self.knows.get((who.id, number))
                unheard = known is None and (who.id, number) not in self.heard
                if known == state or (unheard and state == "gone"):
                    self._broke(row, f"no news: {known} is {state}")
            if outcome is Outcome.SENT:
                self.knows[who.id, number] = state
            elif outcome is Outcome.UNKNOWN:
                self.unsure.add((who.id, number))
            else:  # what happened in these seconds had to be told: it might have got through
                self.heard.add((who.id, number))
        if not mentioned:
            self._broke(row, "tells nothing")

    def _was(self, who, lesson, entry, body: str) -> bool:
        """Whether it names the time at which somebody knew a lesson that is theirs no more."""
        gone = self.model.told(who, lesson) == "gone" and entry and entry.was
        return bool(gone) and f"{who.local(entry.was, lesson):%d/%m · %H:%M}" in body

    def _cannot_wait(self, who, instants) -> bool:
        """Something begins before the quiet ends."""
        ends = self.model.now
        while who.quiet(ends):
            ends += MINUTE
        return any(self.model.now < at <= ends + MINUTE for at in instants)

    def _settled(self, person: int, lesson: int) -> bool:
        return person not in self.unsure_people and (person, lesson) not in self.unsure

    # -- what is left

    def hold(self, *, well: bool) -> None:
        """The laws that hold after every step."""
        states(self.ctx)
        with self.ctx.reading() as db:
            rows = db.execute(sa.select(tables.outbox)).all()
            paused = bool(db.scalar(sa.select(tables.switches.c.name).where(
                tables.switches.c.name == "sending_paused")))  # fmt: skip
        for row in rows:
            most = 1 + bool(row.maybe_twice)
            if self.copies[row.key] > most and "restored" not in self.vague:
                self._broke(row, f"{self.copies[row.key]} copies, {most} counted")
            if row.kind in NEWS and row.state in ("failed", "expired", "unknown"):
                self._in_doubt(row)
        if well and not paused:
            self._owed(rows)
        assert not self.broken, self.broken[:3]

    def _in_doubt(self, row) -> None:
        entries = news.read(row.payload).entries if row.kind == MessageKind.CHANGES else ()
        for number in {e.lesson_id for e in entries} or {row.lesson_id}:
            self.unsure.add((row.person_id, number))

    def _owed(self, rows) -> None:
        stems = {}
        for row in rows:
            stems.setdefault(row.key.rpartition(":")[0], row)
        for who in self.model.readers.values():
            for stem in self.model.owed(who):
                row = stems.get(stem)
                if stem not in self.came and not (row is not None and self._excused(row)):
                    held = (
                        f"{row.state} {row.due_at} {row.next_try_at} {row.last_error}"
                        if row
                        else "no row"
                    )
                    self.broken.append(f"{stem} at {self.model.now} did not come: {held}")
            busy = any(r.person_id == who.id and r.kind in NEWS and self._excused(r) for r in rows)
            if who.on and not busy and not who.quiet(self.model.now):
                self._all_told(who)

    def _excused(self, row) -> bool:
        """The relay said no, or a coordinator holds it, or a worker that vanished."""
        waits = row.state == "planned" and row.next_try_at > self.model.now
        tried = waits and (row.attempts > 0 or row.next_try_at >= HELD)
        return tried or row.state in ("failed", "unknown", "leased")

    def _all_told(self, who) -> None:
        for number, lesson in self.model.lessons.items():
            known, state = self.knows.get((who.id, number)), self.model.told(who, lesson)
            late = self.model.now - self.changed_at[number] >= GATHERED_FOR + timedelta(seconds=1)
            silent = known is None and state == "gone"
            ahead = lesson.starts_at > self.model.now and self._settled(who.id, number)
            if late and ahead and known != state and not silent:
                at = f"{who.id} of lesson {number} at {self.model.now}"
                self.broken.append(f"{at}: knows {known}, is {state}")

    def ended(self) -> None:
        """At the end every message is in one last state."""
        left = {s: n for s, n in states(self.ctx).items() if s in ("planned", "leased")}
        assert not left, left
