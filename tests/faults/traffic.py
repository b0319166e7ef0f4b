"""A programme's traffic for drills: people who look, calendars that read, lessons that change.

What clients see is written down: each answer with its time, and for each calendar whether it told
of a change that was confirmed before it was asked.
"""

import gzip
import http.client
import json
import random
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from scheduler.domain.access import Actor, Role
from scheduler.domain.calendars import FeedKind
from scheduler.domain.lessons import Lesson
from scheduler.errors import Busy
from scheduler.services import access_tokens, accounts, demo, feeds
from scheduler.services.context import Context
from scheduler.store import feed_cache, lessons
from scheduler.web import feeds as feed_app

PATIENCE = 30.0  # seconds that a client waits for an answer
DOOR_PATIENCE = 3.0  # and for somebody to be there at all
NO_ANSWER = 0  # the status of a request to which nobody said anything
# The oldest that a calendar may be, of what was confirmed before it was asked for: where nobody
# hears of changes, a process goes by what it knew for that long (feed_cache.py).  Who waited for
# the newest as long as the patience lasts is given what there is (web/feeds.py): counted apart.
PROMISED = feed_cache.LIFETIME
TEACHERS, SCHOOLS = 12, 5
CALENDARS = 2  # of each of them
PAGES = {
    Role.TEACHER: ("/teacher", "/teacher/lessons", "/teacher/availability", "/calendar"),
    Role.SCHOOL: ("/school", "/school/requests", "/school/hours", "/calendar"),
    Role.COORDINATOR: (
        "/coordinator", "/coordinator/week", "/coordinator/balance", "/coordinator/messages",
        "/coordinator/covers", "/coordinator/people",
    ),
}  # fmt: skip
_UID = re.compile(r"^UID:lesson-([^@\r\n]+)@.*$", re.MULTILINE)
_SEQUENCE = re.compile(r"^SEQUENCE:(\d+)", re.MULTILINE)

Address = tuple[str, int]
Place = Callable[[], AbstractContextManager[object]]  # where a thread's sockets are made


class Answer(NamedTuple):
    """What came back; `status` is NO_ANSWER when nothing did."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Asked(NamedTuple):
    """One request as a client remembers it; `began` is on the clock that never jumps."""

    kind: str
    path: str
    status: int
    began: float
    seconds: float


class Late(NamedTuple):
    """A calendar that did not tell of a change: its age when the read began, and what was read."""

    age: float
    host: Address
    answer: Answer

    @property
    def waited(self) -> bool:
        """It took all the patience that there is for a newer one."""
        return self.answer.seconds >= feed_app.PATIENCE


@dataclass
class Ledger:
    """What was asked, and which revision of each lesson has been confirmed since when."""

    asked: list[Asked] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    read: int = 0  # calendars that were held against the confirmed changes
    _confirmed: dict[str, list[tuple[int, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def confirm(self, uid: str, sequence: int) -> None:
        with self._lock:
            self._confirmed[uid].append((sequence, time.monotonic()))

    @property
    def changes(self) -> int:
        return sum(map(len, self._confirmed.values()))

    def check(self, told: Mapping[str, int], began: float, host: Address, answer: Answer) -> None:
        """Hold a calendar that was asked for then against what had been confirmed."""
        with self._lock:
            self.read += 1
            for uid in self._confirmed.keys() & told.keys():
                missed = [at for seq, at in self._confirmed[uid] if told[uid] < seq and at < began]
                if missed:
                    self.late.append(Late(began - min(missed), host, answer))

    def oldest(self, *, waited: bool) -> float:
        """Seconds; 0 when none was out of date."""
        return max((each.age for each in self.late if each.waited is waited), default=0.0)

    def of(self, *kinds: str) -> list[Asked]:
        return [each for each in self.asked if each.kind in kinds]

    def statuses(self) -> Counter[int]:
        return Counter(each.status for each in self.asked)

    def faults(self) -> list[Asked]:
        """Answers that no client should ever see: a 5xx that is no request for patience."""
        return [each for each in self.asked if each.status >= 500 and each.status != 503]


def p99(seconds: Sequence[float]) -> float:
    """In the same unit; 0 of nothing."""
    found = sorted(seconds)
    return found[min(len(found) - 1, int(len(found) * 0.99))] if found else 0.0


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in, and a program of theirs."""

    role: Role
    actor: Actor
    token: str
    session: str


@dataclass(frozen=True)
class People:
    """Who takes part, and the paths of their calendars."""

    persons: tuple[Person, ...]
    calendars: tuple[str, ...]

    def of(self, role: Role) -> list[Person]:
        return [person for person in self.persons if person.role is role]


def invite(ctx: Context) -> People:
    """Sign in some people of the example programme, each with calendars."""
    wanted = {Role.TEACHER: TEACHERS, Role.SCHOOL: SCHOOLS}
    actors = [(role, x) for role, n in wanted.items() for x in accounts.people_with(ctx, role)[:n]]
    actors.append((Role.COORDINATOR, accounts.operator(ctx)))
    persons = tuple(_person(ctx, role, actor) for role, actor in actors)
    calendars = [_calendar(ctx, person, n) for person in persons for n in range(CALENDARS)]
    return People(persons, tuple(calendars))


def _person(ctx: Context, role: Role, actor: Actor) -> Person:
    key = accounts.operator_link(ctx, actor.email, demo.LINK_LIFE).rpartition("/")[2]
    session = accounts.sign_in(ctx, key, "", "Chrome/126 Android").token
    token = access_tokens.issue(ctx, actor.email, timedelta(days=3))
    return Person(role, actor, token, session)


def _calendar(ctx: Context, person: Person, number: int) -> str:
    grant = person.actor.with_role(person.role)[0]
    kind, owner = {
        Role.TEACHER: (FeedKind.TEACHER, grant.teacher_id),
        Role.SCHOOL: (FeedKind.SCHOOL, grant.school_id),
        Role.COORDINATOR: (FeedKind.PROGRAMME, grant.programme_id),
    }[person.role]
    link = feeds.create_link(ctx, person.actor, kind, owner or 0, f"máy {number}")
    return urlsplit(link.url).path


class Client:
    """Asks one of several hosts; after no answer, or a busy one, the next, as a proxy would.

    Each request takes a line of its own: that costs the server most, and no line is found dead.
    """

    def __init__(self, ledger: Ledger, hosts: Sequence[Address], base_url: str) -> None:
        self.ledger = ledger
        self.hosts = hosts
        self.base = urlsplit(base_url)
        self.turn = random.Random(id(self)).randrange(len(hosts))
        self.cookie = "__Host-sid" if self.base.scheme == "https" else "sid"

    @property
    def host(self) -> Address:
        return self.hosts[self.turn % len(self.hosts)]

    def ask(
        self,
        kind: str,
        path: str,
        method: str = "GET",
        body: object = None,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        began = time.monotonic()
        answer = self._once(path, method, body, headers)
        self.ledger.asked.append(Asked(kind, path, answer.status, began, answer.seconds))
        if answer.status in (NO_ANSWER, 503):
            self.turn += 1
        return answer

    def _once(self, path: str, method: str, body: object, headers: Mapping[str, str]) -> Answer:
        began, data = time.monotonic(), json.dumps(body).encode() if body is not None else None
        told = {
            "host": self.base.netloc, "connection": "close", "accept-encoding": "gzip", **headers,
        }  # fmt: skip
        if data is not None:
            told["content-type"] = "application/json"
        line = http.client.HTTPConnection(*self.host, timeout=DOOR_PATIENCE)
        try:
            line.connect()
            line.sock.settimeout(PATIENCE)
            line.request(method, path, data, told)
            got = line.getresponse()
            said, found = got.read(), {k.lower(): v for k, v in got.getheaders()}
            if found.get("content-encoding") == "gzip":
                said = gzip.decompress(said)
            return Answer(got.status, found, said, time.monotonic() - began)
        except (OSError, http.client.HTTPException):
            return Answer(NO_ANSWER, {}, b"", time.monotonic() - began)
        finally:
            line.close()


@dataclass
class Traffic:
    """Threads that ask until they are told to stop; rates are requests a second, all together."""

    ctx: Context
    people: People
    ledger: Ledger
    hosts: Sequence[Address]
    place: Place = nullcontext
    page_rate: float = 3.0
    read_rate: float = 6.0
    change_rate: float = 0.2
    seed: int = 1
    over: threading.Event = field(default_factory=threading.Event)
    broken: list[BaseException] = field(default_factory=list)
    sessions: dict[Person, str] = field(init=False)  # the secret that each would bring now

    def __post_init__(self) -> None:
        self.sessions = {person: person.session for person in self.people.persons}

    @contextmanager
    def flowing(self) -> Iterator["Traffic"]:
        """Traffic while the block runs; an error of a thread is raised at its end."""
        parts = (self._look, self._look, self._read, self._change)
        threads = [threading.Thread(target=self._part, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        if self.broken:
            raise self.broken[0]

    def _part(self, work: Callable[[], None]) -> None:
        try:
            with self.place():
                work()
        except BaseException as error:
            self.broken.append(error)
            raise

    def _client(self) -> Client:
        return Client(self.ledger, self.hosts, self.ctx.settings.base_url)

    # -- people who look

    def _look(self) -> None:
        dice, client = random.Random(threading.get_ident()), self._client()
        while not self.over.wait(dice.expovariate(self.page_rate / 2)):
            person = dice.choice(self.people.persons)
            cookie = {"cookie": f"{client.cookie}={self.sessions[person]}"}
            answer = client.ask("page", dice.choice(PAGES[person.role]), headers=cookie)
            given = re.match(f"{client.cookie}=([^;]+)", answer.headers.get("set-cookie", ""))
            if given:  # a session has a new secret each day
                self.sessions[person] = given[1]
            if answer.status not in (200, NO_ANSWER, 500, 503):
                raise AssertionError((answer.status, person.role, answer.body[:300]))

    # -- calendars that read

    def _read(self) -> None:
        """Each calendar in turn: with the tag of what it has, and held against what changed."""
        client, kept = self._client(), dict[str, tuple[str, dict[str, int]]]()
        paths, number = list(self.people.calendars), 0
        random.Random(self.seed).shuffle(paths)
        while not self.over.wait(1 / self.read_rate):
            path = paths[number % len(paths)]
            number += 1
            tag, told = kept.get(path, ("", {}))
            host, began = client.host, time.monotonic()
            answer = client.ask("feed", path, headers={"if-none-match": tag} if tag else {})
            if answer.status == 200:
                told = sequences(answer.body.decode())
                kept[path] = answer.headers["etag"], told
            if answer.status in (200, 304):
                self.ledger.check(told, began, host, answer)

    # -- lessons that change

    def _change(self) -> None:
        dice, client = random.Random(self.seed), self._client()
        deeds = (self._call_off, self._call_off, self._cannot, self._report)
        while not self.over.wait(dice.expovariate(self.change_rate)):
            with suppress(Busy):  # we look into the database ourselves, and it may be away
                dice.choice(deeds)(dice, client)

    def _post(self, client: Client, person: Person, path: str, body: object) -> Answer:
        return client.ask(
            "change", f"/api/v1{path}", "POST", body, {"authorization": f"Bearer {person.token}"}
        )

    def _call_off(self, dice: random.Random, client: Client) -> None:
        """A coordinator cancels a lesson of somebody whose calendar is read here."""
        coordinator, teacher = self.people.of(Role.COORDINATOR)[0], self._teacher(dice)
        now = self.ctx.now()
        ahead = [x for x in self._lessons(teacher) if x.starts_at > now + timedelta(days=2)]
        if not ahead:
            return
        lesson = dice.choice(ahead)
        path = f"/lessons/{lesson.id}/call-off"
        answer = self._post(client, coordinator, path, {"reason": "Nhà trường thi học kỳ"})
        if answer.status == 200:
            done = json.loads(answer.body)
            self.ledger.confirm(done["uid"], done["sequence"])

    def _cannot(self, dice: random.Random, client: Client) -> None:
        """A teacher cannot come within two days: somebody else is looked for."""
        teacher, now = self._teacher(dice), self.ctx.now()
        near = [x for x in self._lessons(teacher) if now < x.starts_at < now + timedelta(days=2)]
        if near:
            path = f"/lessons/{dice.choice(near).id}/answer"
            self._post(client, teacher, path, {"reply": "cannot", "reason": "sick", "words": "sốt"})

    def _report(self, dice: random.Random, client: Client) -> None:
        """A teacher tells how a lesson went."""
        teacher, now = self._teacher(dice), self.ctx.now()
        past = [x for x in self._lessons(teacher) if x.ends_at < now]
        if past:
            self._post(client, teacher, f"/lessons/{dice.choice(past).id}/reports", {"held": True})

    def _teacher(self, dice: random.Random) -> Person:
        return dice.choice(self.people.of(Role.TEACHER))

    def _lessons(self, teacher: Person) -> list[Lesson]:
        grant = teacher.actor.with_role(Role.TEACHER)[0]
        with self.ctx.reading() as db:
            found = lessons.find(db, teacher_id=grant.teacher_id)
        return [lesson for lesson in found if lesson.state == "scheduled"]


def sequences(calendar: str) -> dict[str, int]:
    """The revision of each lesson in a calendar, by its uid."""
    events = calendar.replace("\r\n ", "").split("BEGIN:VEVENT")[1:]
    found = ((_UID.search(each), _SEQUENCE.search(each)) for each in events)
    return {uid[1]: int(number[1]) for uid, number in found if uid and number}
