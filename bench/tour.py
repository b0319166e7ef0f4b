"""Every page of the application with an example to look at, for each kind of reader.

The pages are the route table's own, so that a new one is taken by itself: its example is the first
row of the table that its address names (`lesson_id`: lessons) whose page that reader is shown.
Where that picks badly, `_chosen` has a better row first.  What has no example is told by name.
"""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from itertools import islice, product

import httpx2
import sqlalchemy as sa

from bench.scene import (
    ASKED,
    COORDINATOR,
    HEAD,
    SCHOOL,
    SETTING_UP,
    SHOWING,
    SWAPPING,
    TEACHER,
    VISITOR,
    Seeds,
    enter,
)
from scheduler.domain.access import Actor, Role
from scheduler.services import outbox
from scheduler.services.context import Context
from scheduler.services.presses import Paper
from scheduler.store import lessons, tables
from scheduler.web import guard
from tests.web.rights import Way, ways

# Whose pages are taken for a role; the later ones only where the first has nothing to look at.
READERS: dict[Role, tuple[str, ...]] = {
    Role.TEACHER: (TEACHER, ASKED, SWAPPING),
    Role.SCHOOL: (SCHOOL,),
    Role.DONOR_HEAD: (HEAD,),
    Role.COORDINATOR: (COORDINATOR,),
}
NO_PAGES = {
    "/",  # sends everybody on
    "/coordinator/messages/forecast",  # a part of a page
    "/teacher/record/{code}/paper",  # a paper
    "/coordinator/reports.pdf",  # another
    "/coordinator/reports/certificates.zip",  # many
    "/coordinator/reports/papers/{paper}/file",  # all of these in one
    "/coordinator/imports/{upload_id}/marked/{file_number}",  # a workbook, while it is short
    "/coordinator/imports/{upload_id}/marked/{file_number}/file",  # a longer one
    "/line/ping",  # asked by a script
    "/line/hop",  # sends everybody on
    "/school/requests/{request_id}/fix",  # the example programme lacks no lesson
    "/coordinator/plans/{plan_id}/gaps/{request_id}/ask",  # nor does it here
    "/coordinator/readiness/silent",  # everybody of the example programme has said when
    *guard.PROBES,  # read by machines
}
# What a page must be told to have something to show: the word in its query, and the word in an
# address whose row that is.
ASKED_FOR = {"/coordinator/write": ("to", "person_id")}
MOST_TRIED = 12  # rows of a table, until one is found that the reader may see
PATIENCE = 300.0  # seconds: a page that takes long is one to see
PAGE = "text/html"
# Each time another connection: the server may be about to close one that waited.
FRESH = httpx2.Limits(max_keepalive_connections=0)

# The media type of what a reader is shown at an address; empty where they are not.
Ask = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Stop:
    """A page as one reader is shown it; `path`: as the route table has it."""

    path: str
    address: str
    reader: str
    kind: str = PAGE

    @property
    def name(self) -> str:
        """For a file; the numbers of examples are not in it."""
        bare = re.sub(r"[{}]", "", self.path).strip("/").replace("/", "-")
        return f"{self.reader}-{bare or 'home'}"


@dataclass(frozen=True, slots=True)
class Tour:
    stops: tuple[Stop, ...]
    lacking: tuple[str, ...]  # routes that no reader was shown
    cookies: dict[str, str]  # the secret of each reader's session

    @property
    def once(self) -> tuple[Stop, ...]:
        """Each page for its first reader alone."""
        return tuple({stop.path: stop for stop in reversed(self.stops)}.values())[::-1]


# -- where the tour leads


def plan(ctx: Context, seeds: Seeds, only: Container[str] | None = None) -> Tour:
    """The tour of a running server; asks it for each page until one is shown.

    `only`: the routes that are of interest; None: all.
    """
    cookies = enter(ctx, seeds.people)
    name = guard.cookie_name(ctx.settings, "sid")
    with httpx2.Client(base_url=ctx.settings.base_url, limits=FRESH, timeout=PATIENCE) as client:

        def ask(reader: str, address: str) -> str:
            sent = {"cookie": f"{name}={cookies[reader]}"} if reader in cookies else {}
            answer = client.get(address, headers=sent)
            kind = answer.headers.get("content-type", "bytes").partition(";")[0]
            return kind if answer.status_code == 200 else ""

        return walk(ctx, seeds, cookies, ask, only)


def walk(
    ctx: Context,
    seeds: Seeds,
    cookies: dict[str, str],
    ask: Ask,
    only: Container[str] | None = None,
) -> Tour:
    stops: list[Stop] = []
    lacking: list[str] = []
    for way in ways(ctx):
        if way.method != "GET" or way.api or way.path in NO_PAGES:
            continue
        if only is not None and way.path not in only:
            continue
        found = [stop for group in _groups(way) for stop in _first(ctx, seeds, way, group, ask)]
        stops += [stop for stop in found if stop.kind == PAGE]
        lacking += [] if found else [way.path]
    return Tour(tuple(stops), tuple(lacking), cookies)


def _groups(way: Way) -> tuple[tuple[str, ...], ...]:
    """The readers that a page has; of each group the first who is shown something."""
    if way.half_open:
        return ((SETTING_UP if "set-up" in way.path else SHOWING,),)
    if way.public:
        return ((VISITOR, COORDINATOR),)
    return tuple(who for role, who in READERS.items() if not way.roles or role in way.roles)


def _first(
    ctx: Context, seeds: Seeds, way: Way, readers: tuple[str, ...], ask: Ask
) -> Iterator[Stop]:
    for reader in readers:
        for address in islice(_addresses(ctx, seeds, way, reader), MOST_TRIED):
            kind = ask(reader, address)
            if kind:
                yield Stop(way.path, address, reader, kind)
                return


def _addresses(ctx: Context, seeds: Seeds, way: Way, reader: str) -> Iterator[str]:
    if way.path in seeds.keyed:
        yield seeds.keyed[way.path]
        return
    if way.path in ASKED_FOR:
        word, name = ASKED_FOR[way.path]
        yield from (f"{way.path}?{word}={row}" for row in _rows(ctx, name))
        return
    rows = [_chosen(ctx, seeds, way, reader, name) for name in way.names]
    for chosen in product(*rows):
        address = way.path
        for name, value in zip(way.names, chosen, strict=True):
            address = re.sub(rf"\{{{name}[^}}]*\}}", str(value), address)
        yield address


def _chosen(ctx: Context, seeds: Seeds, way: Way, reader: str, name: str) -> list[object]:
    """What may stand for this word, best first."""
    if name == "code":
        return [seeds.code]
    if name == "webhook_id":
        return _rows(ctx, "webhook_endpoint")
    if name == "closure_id":
        return _rows(ctx, "closed_day")
    if name == "paper":
        return [Paper.CERTIFICATES.value]
    if name == "name":
        return [mail.name for mail in outbox.mails(ctx)]
    if name == "lesson_id":
        return _lessons(ctx, seeds.people[reader], behind="report" in way.path)
    if way.path == "/coordinator/people/{person_id}":
        return [seeds.people[TEACHER].person_id]  # whose page has most on it
    if name == "request_id":
        school = seeds.people[reader].grants[0].school_id
        return _of(ctx, tables.requests, _of_school(school), "id")
    if {"person_id", "grant_id"} <= set(way.names):
        grant = seeds.people[TEACHER].grants[0]
        return _of(ctx, tables.grants, tables.grants.c.teacher_id == grant.teacher_id, name)
    return _rows(ctx, name)


def _of_school(school_id: int | None) -> sa.ColumnElement[bool]:
    own = sa.select(tables.classes.c.id).where(tables.classes.c.school_id == school_id)
    return tables.requests.c.class_id.in_(own)


def _lessons(ctx: Context, actor: Actor, *, behind: bool) -> list[object]:
    """Those of the reader that are still to come, or the last that were given."""
    grant = actor.grants[0]
    with ctx.reading() as db:
        found = lessons.find(db, teacher_id=grant.teacher_id, school_id=grant.school_id)
    past = [x.id for x in found if x.starts_at < ctx.now()][::-1]
    ahead = [x.id for x in found if x.starts_at > ctx.now()]
    return [*past, *ahead] if behind else [*ahead, *past]


def _of(ctx: Context, table: sa.Table, where: sa.ColumnElement[bool], name: str) -> list[object]:
    column = table.c.id if name in ("id", "grant_id") else table.c[name]
    with ctx.reading() as db:
        return list(db.scalars(sa.select(column).where(where)))


def _rows(ctx: Context, name: str) -> list[object]:
    """Numbers of rows of the table that the word names."""
    noun = name.removesuffix("_id")
    plurals = (noun, f"{noun}s", f"{noun}es", f"{noun[:-1]}ies", "outbox" * (noun == "message"))
    known = tables.metadata.tables
    named = [known[each] for each in plurals if each in known]
    named += [
        t for key, t in known.items() if key.endswith(tuple(f"_{each}" for each in plurals[1:4]))
    ]
    with ctx.reading() as db:
        return [
            row
            for table in named
            if "id" in table.c
            for row in db.scalars(sa.select(table.c.id).order_by(table.c.id).limit(MOST_TRIED))
        ]
