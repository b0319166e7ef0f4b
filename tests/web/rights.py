"""The world of the matrix of rights: who asks, what is A's, and how every route is asked.

Whoever adds a route with a new word in its address adds one line to `ids` in `build`: the number of
A's own thing.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi.routing import APIRoute, iter_route_contexts

from scheduler.app import create_pages
from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.busy import BusyChoices
from scheduler.domain.calendars import FeedKind
from scheduler.domain.joint_sessions import Wish
from scheduler.domain.messages import MessageKind, NewMessage
from scheduler.domain.partnerships import Binding, PartnershipId, Terms
from scheduler.domain.webhooks import Event
from scheduler.exchange import opened
from scheduler.exchange.grids import Grid
from scheduler.services import (
    access_tokens,
    accounts,
    busy,
    cover,
    devices,
    feeds,
    joint_sessions,
    outbox,
    partnerships,
    pins,
    runs,
    swaps,
    webhooks,
)
from scheduler.services.context import Context
from scheduler.services.feeds import NewLink
from scheduler.store import accounts as account_rows
from scheduler.store import tables, uploads
from scheduler.web import guard
from tests.cast import FIRST, LAST, T0, Cast
from tests.delivery.browsers import Browser as Keys
from tests.faults.kit import write
from tests.planning import A1, A2, WEDNESDAY, draft, publish, timetable
from tests.standins import asked, join, put, school
from tests.web import rights_accounts
from tests.web.api.routes import body_schema, described
from tests.web.browser import BASE, SAME_ORIGIN, Browser, Site

WEEK = timedelta(days=7)
THIRDS = [("request_7A", WEDNESDAY + n * WEEK, 450, "third") for n in (2, 3, 4)]
PAIR = Terms("Long Biên", "Lục Yên", 40, 2, Binding.NONE)
CODE = "KHEP-KHEP-KHEP"
HOOK = "https://hook.example/kin-kin-kin"
CALENDAR = "https://calendar.example/private/kin-kin-kin/basic.ics"

# Rows that looking or being refused may write: who was here, and what was tried.
NOTED = {"audits", "audit_origins", "audit_seals", "buckets"}
NOTED_IN = {"sessions": {"seen_at", "address"}, "access_tokens": {"last_used_at"}}

ANONYMOUS, DISABLED, HALF = "anonymous", "disabled", "half"  # nobody, as far as pages are concerned
TEACHER_A, SCHOOL_A, COORDINATOR = "teacher1", "schoolA", "coordinator"  # whose the things are
HEAD = "head"  # of teacher A's own school
TEACHER_B, SCHOOL_B, OTHER_HEAD = "teacher2", "schoolB", "otherHead"
STRANGER, OTHER_ADMIN = "stranger", "otherAdmin"  # they run another programme
NOBODY = (ANONYMOUS, DISABLED, HALF)
RIGHTFUL = (TEACHER_A, SCHOOL_A, HEAD, COORDINATOR)
ELSEWHERE = (STRANGER, OTHER_ADMIN)
FOREIGN = (TEACHER_B, SCHOOL_B, OTHER_HEAD, *ELSEWHERE)


# -- every route


class Way(NamedTuple):
    """One method of one route; `roles` that its room is for, empty: for all who are signed in."""

    method: str
    path: str
    public: bool
    half_open: bool
    roles: frozenset[Role]

    @property
    def api(self) -> bool:
        return self.path.startswith(guard.API)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\{(\w+)[^}]*\}", self.path))


def ways(ctx: Context) -> list[Way]:
    """Every method of every route, HEAD too, as the application itself has them."""
    found = []
    for context in iter_route_contexts(create_pages(ctx, start_loop=False).routes):
        route, path = context.original_route, str(context.path)
        if isinstance(route, APIRoute):
            methods = set(route.methods or ())
            methods |= {"HEAD"} if "GET" in methods else set()
            here = (path in guard.PUBLIC, path in guard.HALF_OPEN, _roles(route))
            found += [Way(method, path, *here) for method in sorted(methods)]
    return found


def _roles(route: APIRoute) -> frozenset[Role]:
    """The roles that a guard among the route's dependencies asks for."""
    found: set[Role] = set()
    for call in guard._calls(route.dependant):
        if getattr(call, "__qualname__", "").startswith(guard._with_role.__name__):
            found |= set(call.__closure__[0].cell_contents)
    return frozenset(found)


# -- what is A's


@dataclass
class World:
    """`ids`: the word in an address and the number of A's object; `secrets`: words only A reads."""

    ids: dict[str, object]
    secrets: tuple[str, ...]
    programme: tuple[str, ...]  # what no stranger to the programme reads
    actors: dict[str, Actor]
    links: list[NewLink]
    wanted: int  # another teacher's lesson, which A may ask to swap for
    by_path: dict[str, dict[str, object]]
    keys: dict[str, str]  # of public pages, by their path

    def address(self, way: Way, *, there: bool = True) -> str:
        """A's object, or one that is nowhere."""
        ids = self.ids | self.by_path.get(way.path, {})
        path = way.path
        for name in way.names:
            nowhere = 987654 if isinstance(ids[name], int) else "NICH-TSDA-XXXX"
            path = re.sub(rf"\{{{name}[^}}]*\}}", str(ids[name] if there else nowhere), path)
        return path


def build(ctx: Context, cast: Cast) -> World:
    """One thing of each kind that belongs to A, in a programme with others beside it."""
    cast.ids["third"] = join(ctx, cast, "third")
    actors = dict(cast.actors) | _more_people(ctx, cast)
    _name(ctx, cast)
    rights_accounts.factor(ctx, actors[HALF])
    one, coordinator = actors[TEACHER_A], actors[COORDINATOR]
    publish(ctx, cast, draft(ctx, cast, A1, A2, *THIRDS))
    lesson, given, wanted, open_, free = timetable(ctx, cast)
    third = _actor(ctx, "third@x.example")
    swap = swaps.ask(ctx, third, wanted.id, given.id, "lời kín đổi tiết").swap
    own = swaps.ask(ctx, one, given.id, free.id, "lời kín").swap
    cover.ask(ctx, coordinator, open_.id, "lý do kín")
    if not any(each.teacher_id == cast["teacher1"] for each in asked(ctx, open_.id)):
        cover.offer(ctx, coordinator, open_.id, cast["teacher1"])
    offer = next(x.id for x in asked(ctx, open_.id) if x.teacher_id == cast["teacher1"])
    pins.put(ctx, coordinator, [lesson.id], "ghim kín")
    busy.set_source(ctx, one, CALENDAR, BusyChoices())
    told = Keys().subscription("https://push.test/kin")
    devices.sign_up(ctx, one, told.endpoint, told.p256dh, told.auth, "Android Chrome/126")
    links = [
        feeds.create_link(ctx, one, FeedKind.TEACHER, cast["teacher1"], f"máy kín {n}")
        for n in (1, 2)
    ]
    mine = {name: now(ctx, actors[name]) for name in RIGHTFUL}
    owned = rights_accounts.own(ctx, cast, mine, _donor(ctx, cast))
    ids = owned.ids | {
        "lesson_id": lesson.id,
        "offer_id": offer,
        "swap_id": swap.id,
        "link_id": links[0].link_id,
        "device_id": devices.mine(ctx, one)[0].id,
        "request_id": cast["request_7A"],
        "school_id": cast["A"],
        "donor_school_id": _donor(ctx, cast),
        "person_id": cast["person_teacher1"],
        "teacher_id": cast["teacher1"],
        "run_id": runs.start(ctx, coordinator, cast["term"], 1.0),
        "plan_id": draft(ctx, cast, A1, A2),
        "publication_id": _only(ctx, tables.publications),
        "term_id": cast["term"],
        "number": 1,
        "partnership_id": (pair := partnerships.add(ctx, coordinator, PAIR)),
        "joint_session_id": _session(ctx, cast, pair),
        "absence_id": _kept(ctx, cast, "absences"),
        "closure_id": _kept(ctx, cast, "closed_days"),
        "upload_id": _upload(ctx, cast),
        "webhook_id": (hook := _webhook(ctx, coordinator)),
        "delivery_id": _only_of(ctx, tables.webhook_deliveries, hook),
        "file_number": 0,
        "message_id": _message(ctx, cast),
        "code": CODE,
        "token": "khong-co-chia-khoa-nao-nhu-the",
        "name": "khong-co.eml",
        "channel": "sms",
        "paper": "certificates",
    }
    _certificate(ctx, cast)
    with ctx.reading() as db:
        tokens = db.scalars(sa.select(tables.lessons.c.join_token)).all()
    secrets = (
        "Cô Kín", "kin@x.example", "0900000001", "Trường Kín", "Lớp Kín", "kín", CODE, CALENDAR,
        *tokens, *(link.token for link in links), told.endpoint,
        *owned.secrets, HOOK,
    )  # fmt: skip
    programme = (
        "Hà Nội – Yên Bái",
        "Cô teacher2",
        "Cô third",
        "THCS B",
        "Trường Cánh Buồm",
        "Lớp Tám",
    )
    by_path = owned.by_path | {
        "/coordinator/settings/webhooks/{webhook_id}/remove": {
            "webhook_id": _webhook(ctx, coordinator)
        },
        "/api/v1/webhooks/{webhook_id}": {"webhook_id": _webhook(ctx, coordinator)},
        "/coordinator/addresses/{person_id}/try": {"person_id": third.person_id},
        "/calendar/links/{link_id}/renew": {"link_id": links[1].link_id},
        "/api/v1/swaps/{swap_id}/withdraw": {"swap_id": own.id},
        "/api/v1/lessons/{lesson_id}/cover/offers/{teacher_id}/accept": {"lesson_id": open_.id},
        "/api/v1/lessons/{lesson_id}/cover/offers/{teacher_id}/decline": {"lesson_id": open_.id},
    }
    return World(ids, secrets, programme, actors, links, free.id, by_path, owned.keys)


def _kept(ctx: Context, cast: Cast, table: str) -> int:
    """The last day of the term, on which A's teacher is away or A's school is closed."""
    with ctx.transaction() as db:
        pledge = sa.select(tables.pledges.c.id).where(
            tables.pledges.c.teacher_id == cast["teacher1"]
        )
        whose = {
            "absences": {"pledge_id": db.scalar(pledge)},
            "closed_days": {"school_id": cast["A"]},
        }
        days = {"first_day": LAST, "last_day": LAST, "reason": "ngày kín"}
        return put(db, table, **whose[table], **days)


def _only(ctx: Context, table: sa.Table) -> int:
    with ctx.reading() as db:
        return db.scalars(sa.select(table.c.id)).one()


def _more_people(ctx: Context, cast: Cast) -> dict[str, Actor]:
    """Two heads of donor schools, a teacher whose account is off, a term for the stranger."""
    other = school(ctx, cast, "Trường khác")
    foreign = cast.actors[STRANGER].grants[0].programme_id
    people = {
        HEAD: Grant(Role.DONOR_HEAD, cast["programme"], donor_school_id=_donor(ctx, cast)),
        OTHER_HEAD: Grant(Role.DONOR_HEAD, cast["programme"], donor_school_id=other),
        DISABLED: Grant(Role.COORDINATOR, cast["programme"]),
        HALF: Grant(Role.COORDINATOR, cast["programme"]),
        OTHER_ADMIN: Grant(Role.ADMIN, foreign),
    }
    with ctx.transaction() as db:
        for name, grant in people.items():
            person = put(
                db, "persons", email=f"{name.lower()}@x.example", name=f"Bác {name}", phone="",
                language="vi", active=True, reminders=True, created_at=T0,
            )  # fmt: skip
            account_rows.add_grant(db, person, grant)
        put(
            db, "terms", programme_id=foreign, code="HK1", name="Term", first_day=FIRST,
            last_day=LAST, gap_minutes=10,
        )  # fmt: skip
        # Nobody asks teacher B to stand in for A: then some of A's were hers to read.
        db.execute(tables.availability.delete().where(_times_of(cast["teacher2"])))
    return {name: _actor(ctx, f"{name.lower()}@x.example") for name in people}


def _times_of(teacher_id: int) -> sa.ColumnElement[bool]:
    pledges = tables.pledges
    own = sa.select(pledges.c.id).where(pledges.c.teacher_id == teacher_id)
    return tables.availability.c.pledge_id.in_(own)


def _donor(ctx: Context, cast: Cast) -> int:
    row = tables.teachers.c
    with ctx.reading() as db:
        return db.scalars(sa.select(row.donor_school_id).where(row.id == cast["teacher1"])).one()


def _actor(ctx: Context, email: str) -> Actor:
    with ctx.reading() as db:
        person = db.scalar(sa.select(tables.persons.c.id).where(tables.persons.c.email == email))
        found = account_rows.actor_of(db, person)
    assert found is not None
    return found


def _name(ctx: Context, cast: Cast) -> None:
    """Words that stand nowhere else."""
    people, schools, classes = tables.persons, tables.receiving_schools, tables.classes
    mine = people.c.id == cast["person_teacher1"]
    write(ctx, people, mine, name="Cô Kín", email="kin@x.example", phone="0900000001")
    fault = {"mail_fault": "550 5.1.1 hộp thư kín", "mail_fault_at": ctx.now()}
    write(ctx, people, sa.or_(mine, people.c.email == "third@x.example"), **fault)
    write(ctx, schools, schools.c.id == cast["A"], name="Trường Kín")
    donors = tables.donor_schools
    write(ctx, donors, donors.c.id == _donor(ctx, cast), name="Trường Cánh Buồm")
    write(ctx, classes, classes.c.id == cast["7A"], name="Lớp Kín")
    write(ctx, classes, classes.c.id == cast["8B"], name="Lớp Tám")


def _message(ctx: Context, cast: Cast) -> int:
    note = NewMessage(
        key="note:kin", kind=MessageKind.NOTE, person_id=cast["person_teacher1"],
        due_at=ctx.now() + timedelta(hours=1), useless_after=ctx.now() + WEEK,
        programme_id=cast["programme"],
        payload={"words": "tin nhắn kín", "name": "Cô Kín", "email": "kin@x.example"},
    )  # fmt: skip
    with ctx.transaction() as db:
        outbox.plan(ctx, db, [note])
        row = tables.outbox.c
        return int(db.scalars(sa.select(row.id).where(row.key == "note:kin")).one())


def _session(ctx: Context, cast: Cast, partnership: PartnershipId) -> int:
    """One that invites teacher A and school A alone."""
    people = frozenset(cast[f"person_{name}"] for name in (TEACHER_A, SCHOOL_A))
    starts = ctx.now() + timedelta(days=3)
    wish = Wish("chuyên đề kín", starts, starts + timedelta(hours=1), None, people)
    return joint_sessions.plan(ctx, cast.actors[COORDINATOR], partnership, wish)


def _webhook(ctx: Context, coordinator: Actor) -> int:
    """A program that is told, with one delivery that ended."""
    made = webhooks.add(ctx, coordinator, "sổ kín", HOOK, frozenset(Event))
    webhooks.test(ctx, coordinator, made.endpoint_id)
    row = tables.webhook_deliveries
    write(ctx, row, row.c.endpoint_id == made.endpoint_id, state="failed")
    return made.endpoint_id


def _only_of(ctx: Context, table: sa.Table, endpoint_id: int) -> int:
    with ctx.reading() as db:
        return db.scalars(sa.select(table.c.id).where(table.c.endpoint_id == endpoint_id)).one()


def _upload(ctx: Context, cast: Cast) -> int:
    """A list that the coordinator has looked at and not taken over, with a fault in it."""
    cells = ((1, ("Mã trường", "Buổi", "Tiết", "Bắt đầu", "Kết thúc")), (2, ("kín", "Trưa")))
    sheets = opened.packed([("kín.xlsx", (Grid("Khung giờ", cells),))])
    with ctx.transaction() as db:
        person = cast["person_coordinator"]
        return uploads.add(db, cast["programme"], person, ctx.now(), "0" * 64, sheets)


def _certificate(ctx: Context, cast: Cast) -> None:
    with ctx.transaction() as db:
        put(
            db, "certificates", code=CODE, teacher_id=cast["teacher1"], first_day=FIRST,
            last_day=LAST, name="Cô Kín", school="THCS Ái Mộ", programme="P", lessons=1,
            minutes=45, months=[], issued_at=ctx.now(),
        )  # fmt: skip


# -- who asks


# What forms of rooms are sent filled in with: else they might be refused for what is missing.
FIELDS = {
    "email": "khac@x.example",
    "answer": "accept",
    "reason": "bận",
    "seconds": "1",
    "sure": "1",
}


class Answer(NamedTuple):
    status: int
    text: str
    location: str


@dataclass
class Caller:
    """Somebody at the door: with a browser's cookies at pages, with a token at the API."""

    name: str
    app: Any
    cookies: str
    csrf: str
    token: str = ""

    async def ask(
        self, way: Way, address: str, body: object = None, *, fragment: bool = False
    ) -> Answer:
        """Straight to the application: a test client changes threads seven times a request."""
        query, content, headers = b"", b"", {"host": "chungtay.example", "cookie": self.cookies}
        headers |= SAME_ORIGIN | ({"hx-request": "1"} if fragment else {})
        if way.api:
            query = urlencode(_query(way)).encode()
            headers |= {"authorization": f"Bearer {self.token}"} if self.token else {}
            headers["content-type"] = "application/json"
            content = json.dumps(body).encode() if body is not None else b""
        elif way.method not in ("GET", "HEAD"):
            headers["content-type"] = "application/x-www-form-urlencoded"
            fields = {} if way.public else FIELDS
            content = urlencode(fields | {"csrf": self.csrf}).encode()
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "https",
            "method": way.method, "path": address, "raw_path": address.encode(),
            "query_string": query, "root_path": "", "client": ("203.0.113.7", 1),
            "server": ("chungtay.example", 443),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        return await _answer(self.app, scope, content)


async def _answer(app: Any, scope: dict[str, Any], content: bytes) -> Answer:
    told: list[dict[str, Any]] = []
    given = iter([{"type": "http.request", "body": content, "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(given, None) or await asyncio.Future()  # and the client stays

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    await app(scope, receive, send)
    headers = {name.decode(): value.decode("latin-1") for name, value in told[0]["headers"]}
    text = b"".join(each["body"] for each in told[1:]).decode("utf-8", "replace")
    return Answer(told[0]["status"], text, headers.get("location", ""))


def callers(ctx: Context, site: Site, world: World) -> dict[str, Caller]:
    found = {ANONYMOUS: Caller(ANONYMOUS, site.app, "", "")}
    for name in (DISABLED, HALF, *RIGHTFUL, *FOREIGN):
        browser, person = site.browser(), now(ctx, world.actors[name])
        _sign_in(ctx, browser, person, prove=name != HALF)
        cookies = "; ".join(f"{each.name}={each.value}" for each in browser.cookies.jar)
        found[name] = Caller(name, site.app, cookies, browser.csrf)
        # What is half open lets nobody in at the API: cookies count for nothing there.
        if name != HALF:
            found[name].token = access_tokens.issue(ctx, person.email, timedelta(hours=1))
    turn_off(ctx, world.actors[DISABLED])
    return found


def turn_off(ctx: Context, actor: Actor) -> None:
    write(ctx, tables.persons, tables.persons.c.id == actor.person_id, active=False)


def now(ctx: Context, actor: Actor) -> Actor:
    """The same person as the database has them by now."""
    with ctx.reading() as db:
        found = account_rows.actor_of(db, actor.person_id)
    assert found is not None
    return found


def _sign_in(ctx: Context, browser: Browser, actor: Actor, *, prove: bool) -> None:
    path = accounts.operator_link(ctx, actor.email).removeprefix(BASE)
    browser.see(path)
    assert browser.submit(path).status_code == 303
    if prove:
        browser.prove()
    # Of a page that every signed-in person has, even half of one.
    browser.see("/calendar" if prove else guard.PROOF)


# -- what is sent, and what stays as it was


@cache
def _query(way: Way) -> dict[str, str]:
    """Whatever the route may be told in its query, in the form that its description says."""
    method = "get" if way.method == "HEAD" else way.method.lower()
    told = described()["paths"].get(way.path, {}).get(method, {})
    names = [each["name"] for each in told.get("parameters", ()) if each["in"] == "query"]
    instants = {each["name"] for each in told.get("parameters", ()) if "date-time" in str(each)}
    days = {"since": "2023-10-01", "until": "2023-12-31", "at": "2023-10-04", "on": "2023-10-04"}
    return {
        name: f"{days[name]}T00:00:00Z" if name in instants else days[name]
        for name in names
        if name in days
    }


@cache
def _examples() -> dict[tuple[str, str], Any]:
    """Of each writing operation of the API the example that its description shows."""
    schemas, found = described()["components"]["schemas"], {}
    for path, methods in described()["paths"].items():
        for method, told in methods.items():
            schema = body_schema(told, schemas)
            if schema:
                found[method.upper(), path] = schema["examples"][0]
    return found


def body(way: Way, world: World) -> Any:
    """The operation's example, about A's things; None: it takes no body."""
    return _of_a(_examples().get((way.method, way.path)), _mine(world))


def names_a_thing(way: Way) -> bool:
    """Whether the body, and nothing in the address, says whose thing it is about."""
    shown = str(_examples().get((way.method, way.path)))
    things = ("given", "teacher", "lessons", "school", "schools")
    return not way.names and any(f"'{name}':" in shown for name in things)


def _mine(world: World) -> dict[str, Any]:
    lesson, ids = world.ids["lesson_id"], world.ids
    return {
        "lesson": lesson, "lessons": [lesson], "given": lesson, "wanted": world.wanted,
        "teacher": ids["teacher_id"], "schools": [ids["school_id"]],
        "school": "Trường Cánh Buồm (Long Biên)", "partnership": ids["partnership_id"],
        "donor_school": "Trường Cánh Buồm (Long Biên)",
    }  # fmt: skip


def _of_a(shown: Any, mine: dict[str, Any]) -> Any:
    if isinstance(shown, list):
        return [_of_a(each, mine) for each in shown]
    if not isinstance(shown, dict):
        return shown
    same = {name for name in shown if type(mine.get(name)) is type(shown[name])}
    return {name: mine[name] if name in same else _of_a(shown[name], mine) for name in shown}


def stored(ctx: Context) -> dict[str, int]:
    """A fingerprint of every table but those that note who was here."""
    with ctx.reading() as db:
        return {
            table.name: hash(tuple(sorted(map(repr, db.execute(_lasting(table))))))
            for table in tables.metadata.sorted_tables
            if table.name not in NOTED
        }


def _lasting(table: sa.Table) -> sa.Select[Any]:
    noted = NOTED_IN.get(table.name, set())
    return sa.select(*(column for column in table.c if column.name not in noted))


class Watch:
    """Says what changed in the database: it looks only when somebody wrote."""

    _WRITING = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)")

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.wrote = False
        self.before = stored(ctx)
        sa.event.listen(ctx.database.writer, "before_cursor_execute", self._see)

    def _see(self, _connection, _cursor, statement: str, *_more: object) -> None:
        found = self._WRITING.match(statement)
        self.wrote = self.wrote or bool(found and found[1] not in NOTED)

    def changed(self) -> list[str]:
        """The tables that are not as they were when it was last asked."""
        if not self.wrote:
            return []
        before, self.before, self.wrote = self.before, stored(self.ctx), False
        return [name for name in before if before[name] != self.before[name]]


_OF_THIS_REQUEST = (re.compile(r'name="csrf" value="[^"]*"'), re.compile(r"\b[0-9a-f]{12}\b"))


def said(answer: Answer, address: str) -> tuple[int, str, str]:
    """The answer without its form token, its number and the address that was asked."""
    text = answer.text
    for each in _OF_THIS_REQUEST:
        text = each.sub("", text)
    return answer.status, text.replace(address, "HERE"), answer.location.replace(address, "HERE")
