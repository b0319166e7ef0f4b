"""Every route × everybody: what is not theirs is as good as not there, and nothing is changed.

The routes are the application's own; who may come in is read from their guards.  What is declared
here is the little that guards do not say.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from scheduler.domain.access import Role
from scheduler.services import feeds
from scheduler.web import guard
from tests.conftest import lifted
from tests.web import rights
from tests.web.browser import Site
from tests.web.rights import (
    ANONYMOUS,
    COORDINATOR,
    ELSEWHERE,
    FOREIGN,
    HALF,
    HEAD,
    NOBODY,
    OTHER_ADMIN,
    OTHER_HEAD,
    RIGHTFUL,
    SCHOOL_A,
    SCHOOL_B,
    STRANGER,
    TEACHER_A,
    TEACHER_B,
    Answer,
    Caller,
    Way,
    World,
)

T = TypeVar("T")

HERE = {TEACHER_B, SCHOOL_B, OTHER_HEAD}  # of A's programme, and with no part in what is A's
# What everybody of the programme knows of: they are refused there by a 403 and not by a 404.
KNOWN = {"term_id"}
# Of routes of the API whose address names no thing: whose they are; all others: coordinators'.
EVERYBODYS = {
    "/api/v1/lessons", "/api/v1/swaps", "/api/openapi.json",
    # each sees their own, be it nothing
    *(f"/api/v1/{noun}" for noun in ("programmes", "terms", "schools", "donor-schools", "classes",
                                     "requests", "teachers", "invitations")),
}  # fmt: skip
TEACHERS = {"/api/v1/records/own", "/api/v1/availability"}
# Whoever holds the paper reads what stands on it.
ON_PAPER = {"/verify/{code}", "/teacher/record/{code}/paper"}
# They end the session that asks, or reach for a far end of the wire.
SPARED = {"/sign-out", "/devices/{device_id}/test", "/teacher/busy/read"}
# Open only after something that the world has not.
AFTER_MORE = {
    "/coordinator/reports/certificates.zip",
    "/coordinator/plans/{plan_id}/supposed/{number}",
    "/coordinator/reports/papers/{paper}",
    "/coordinator/reports/papers/{paper}/file",
    "/coordinator/imports/{upload_id}/marked/{file_number}/file",
    "/api/v1/disruptions/withdraw",
    "/mail/{name}",
    "/sign-in/factor/set-up",
}
# It is put on paper, which takes seconds; tests of certificates and timetables do it.
ON_PAPER_SLOWLY = {
    "/api/v1/certificates/{code}/paper",
    "/teacher/record/{code}/paper",
    "/school/timetable.pdf",
    "/coordinator/reports.pdf",
}
# Where a teacher chooses the schools she would like to teach: she may know what they are called.
SCHOOLS_BY_NAME = "/teacher/availability"
REFUSED = {401, 403, 404}
SIGN_IN = "/sign-in"


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    lifted(monkeypatch)


@pytest.fixture
def world(ctx, cast) -> World:
    return rights.build(ctx, cast)


@pytest.fixture
def who(ctx, world) -> dict[str, Caller]:
    return rights.callers(ctx, Site(ctx), world)


@pytest.fixture
def ways(ctx) -> list[Way]:
    found = rights.ways(ctx)
    assert len(found) > 200  # a matrix of every route must meet them
    return found


def test_the_world_has_a_thing_of_every_kind_that_an_address_names(ways, world):
    unknown = {
        f"{way.path}: give rights.build a thing of A's for {{{name}}}, one line in `ids`."
        for way in ways
        for name in way.names
        if name not in world.ids
    }
    assert unknown == set()


# -- whose it is not


def test_a_page_that_is_not_theirs_is_as_good_as_not_there(ctx, world, who, ways):
    pages = [way for way in ways if not way.api and way.path not in SPARED]
    assert alone(_faults(ctx, world, who, pages)) == []


def test_an_operation_that_is_not_theirs_is_as_good_as_not_there(ctx, world, who, ways):
    operations = [way for way in ways if way.api]
    assert alone(_faults(ctx, world, who, operations)) == []


def alone(asked: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: the browser of other tests keeps a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked).result()


async def _faults(ctx, world: World, who: dict[str, Caller], ways: list[Way]) -> list[str]:
    """First what is to be refused, route by route, and that it changed nothing; then the rest."""
    found, watch, open_ = [], rights.Watch(ctx), []
    for way in ways:
        for name in _asking(way):
            if _wanted(way, name, world) is None:
                open_.append((way, name))
                continue
            found += [fault async for fault in _refused(way, who[name], world)]
        found += [f"{way.method} {way.path} changed {table}" for table in watch.changed()]
    for way, name in sorted(open_, key=lambda each: each[0].method not in guard.SAFE):
        answer = await who[name].ask(way, world.address(way), rights.body(way, world))
        found += _leaks(way, name, answer, world)
        if answer.status >= 500 and way.path not in guard.PROBES:
            found.append(f"{way.method} {way.path} for {name}: {answer.status}")
    return found


def _asking(way: Way) -> tuple[str, ...]:
    """The door answers HEAD as GET, without its body: there one who comes in is enough."""
    if way.method == "HEAD":
        return tuple(name for name in FOREIGN if _in_room(way, name))[:1]
    # Where an administrator has no more to open than anybody, it is enough to ask a coordinator.
    return (*NOBODY, *(x for x in FOREIGN if x != OTHER_ADMIN or way.api or way.roles))


async def _refused(way: Way, caller: Caller, world: World) -> AsyncIterator[str]:
    """That a thing of A's and one that is nowhere are refused alike, page and fragment."""
    wanted, body = _wanted(way, caller.name, world), rights.body(way, world)
    in_parts = way.method == "GET" and not way.api and _compared(way, caller.name)
    for fragment in (False, True) if in_parts else (False,):
        address = world.address(way)
        there = await caller.ask(way, address, body, fragment=fragment)
        got = (there.status, there.location.split("?")[0])
        if got != wanted:
            yield f"{way.method} {way.path} for {caller.name}: {got}, not {wanted}"
        for fault in _leaks(way, caller.name, there, world):
            yield fault
        if _compared(way, caller.name) and way.names:
            elsewhere = world.address(way, there=False)
            nowhere = await caller.ask(way, elsewhere, body, fragment=fragment)
            if rights.said(there, address) != rights.said(nowhere, elsewhere):
                yield f"{way.method} {way.path} tells {caller.name} that it is there"


def _compared(way: Way, name: str) -> bool:
    """Whether this one comes as far as the thing itself: the others are stopped at the door."""
    if way.method == "HEAD":
        return False
    return name in FOREIGN and (way.api or _in_room(way, name)) and not KNOWN & set(way.names)


def _leaks(way: Way, name: str, answer: Answer, world: World) -> list[str]:
    """Words of A's that somebody else was told."""
    kept = world.secrets + (world.programme if name in (*NOBODY, *ELSEWHERE) else ())
    named = {"Trường Kín"} if way.path.startswith(SCHOOLS_BY_NAME) and name == TEACHER_B else set()
    told = [word for word in kept if word in answer.text + answer.location and word not in named]
    return (
        []
        if way.path in ON_PAPER
        else [f"{way.method} {way.path} tells {name}: {word}" for word in told]
    )


def _wanted(way: Way, name: str, world: World) -> tuple[int, str] | None:
    """Status and place to which somebody without a right is sent; None: they may come in."""
    if way.public or (way.half_open and name == HALF):
        return None
    if way.api:
        return _wanted_of_api(way, name)
    if name in NOBODY:
        return (303, guard.PROOF if name == HALF else SIGN_IN)
    if way.names or not _in_room(way, name):
        return (404, "")
    return None


def _wanted_of_api(way: Way, name: str) -> tuple[int, str] | None:
    if name in NOBODY:
        return (401, "")
    if way.names:
        return (403 if KNOWN & set(way.names) and name in HERE else 404, "")
    if way.path in EVERYBODYS or (way.path in TEACHERS and name == TEACHER_B):
        return None
    if rights.names_a_thing(way):
        return (404, "")
    return None if name in ELSEWHERE and way.path not in TEACHERS else (404, "")


def _in_room(way: Way, name: str) -> bool:
    roles = {
        TEACHER_A: Role.TEACHER, TEACHER_B: Role.TEACHER, SCHOOL_A: Role.SCHOOL,
        SCHOOL_B: Role.SCHOOL, HEAD: Role.DONOR_HEAD, OTHER_HEAD: Role.DONOR_HEAD,
        COORDINATOR: Role.COORDINATOR, HALF: Role.COORDINATOR, STRANGER: Role.COORDINATOR,
        OTHER_ADMIN: Role.ADMIN,
    }  # fmt: skip
    return not way.roles or roles[name] in way.roles


# -- whose it is


def test_every_route_lets_somebody_in_whose_it_is(ctx, world, who, ways):
    """Else what is refused above would only be broken."""
    spared = SPARED | AFTER_MORE | ON_PAPER_SLOWLY | guard.PROBES
    wanted = [w for w in ways if w.path not in spared and w.method != "HEAD" and not _by_key(w)]
    # Looking first: a link that was ended has no page any more.
    wanted.sort(key=lambda way: way.method not in guard.SAFE)
    assert alone(_shut(world, who, wanted)) == []


def _by_key(way: Way) -> bool:
    """Open to whoever has the key in its address; tests of each such page hold one."""
    return way.public and bool({"token", "channel"} & set(way.names))


async def _shut(world: World, who: dict[str, Caller], ways: list[Way]) -> list[str]:
    """The routes that refuse all of those, with what they said to each."""
    found = []
    for way in ways:
        got: list[Answer] = []
        for name in (HALF, COORDINATOR) if way.half_open else RIGHTFUL:
            if _in_room(way, name) and not any(map(_let_in, got)):
                got.append(await who[name].ask(way, world.address(way), rights.body(way, world)))
        if not any(map(_let_in, got)):
            found.append(f"{way.method} {way.path}: {[answer.status for answer in got]}")
    return found


def _let_in(answer: Answer) -> bool:
    sent_away = answer.location.startswith((SIGN_IN, guard.PROOF)) and answer.status == 303
    return answer.status < 500 and answer.status not in REFUSED and not sent_away


# -- calendars, which stand in front of all that


def test_a_calendar_is_there_for_its_key_alone(ctx, world, who):
    alone(_calendars(ctx, world, who))


async def _calendars(ctx, world: World, who: dict[str, Caller]) -> None:
    first, second = (link.url.partition(".example")[2] for link in world.links)
    key, other = world.links[0].token, world.links[1].token
    unknown = await _calendar(who, first.replace(key, "k" * 43))
    assert unknown.status == 404
    for wrong in (first.replace(key, key.swapcase()), first.replace(key, key[:-1]), "/feeds/x.ics"):
        assert await _calendar(who, wrong) == unknown
    assert (await _calendar(who, first)).status == 200
    owner = world.actors[TEACHER_A]
    feeds.revoke_link(ctx, owner, world.links[0].link_id)
    ended = await _calendar(who, first)
    assert (ended.status, _secrets_in(world, ended)) == (410, [])
    rights.turn_off(ctx, owner)
    assert await _calendar(who, second) == unknown
    assert other not in unknown.text


async def _calendar(who: dict[str, Caller], address: str) -> Answer:
    return await who[ANONYMOUS].ask(Way("GET", "/feeds/", True, False, frozenset()), address)


def _secrets_in(world: World, answer: Answer) -> list[str]:
    return [word for word in world.secrets if word in answer.text]


def test_whose_account_is_turned_off_is_nobody_from_that_moment(ctx, world, who, ways):
    """By session and by token, at every route that they came in by until then."""
    rights.turn_off(ctx, world.actors[TEACHER_A])
    closed = [
        w for w in ways if w.method == "GET" and not w.public and w.path not in guard.HALF_OPEN
    ]
    found = alone(_answers(world, who[TEACHER_A], closed))
    assert {answer.status for answer in found} == {303, 401}
    assert [_secrets_in(world, answer) for answer in found if _secrets_in(world, answer)] == []


async def _answers(world: World, caller: Caller, ways: list[Way]) -> list[Answer]:
    return [await caller.ask(way, world.address(way)) for way in ways]
