"""Every route there is, asked by everybody with everything: refused or answered, never broken."""

import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute, iter_route_contexts

from scheduler.app import create_pages
from scheduler.domain.access import Grant, Role
from scheduler.store import accounts, tables
from scheduler.web import guard
from tests.web.browser import SAME_ORIGIN
from tests.web.timetable import publish

VALUES = (
    "1", "999999", "0", "-1", "1e3", "007", "9223372036854775808", "null", "NaN", "true",
    "' OR 1=1--", "%_%", "<script>alert(1)</script>", "{{7*7}}", "x" * 1000, "Hồng 🙂 \u202e",
    "a\r\nBcc: evil@x.org", "31/02/2026", "9999-12-31", "2023-W40", "..", "\ufeff", "e\u0301" * 100,
)  # fmt: skip
NAMES = (
    "email", "code", "name", "feed", "device", "next", "language", "reason", "seen", "class_name",
    "lessons_per_week", "first_day", "last_day", "priority", "seconds", "seed", "week", "school",
    "endpoint", "p256dh", "auth", "days", "slots", "show_cancelled", "address", "all_day",
    "Mon-450", "0-450", "recovery", "credential", "sealed", "role", "place", "q", "sure",
    "accept", "confirm", "role_id", "who", "words", "number", "before", "lesson", "day",
)  # fmt: skip
ROOMS = {
    "/teacher": "teacher1", "/school": "schoolA", "/coordinator": "coordinator",
    "/donor-school": "head",
}  # fmt: skip
RAW = (b"%00", b"%ED%A0%80", b"%FF%FE", b"%", b"a=1&a=2&=&&==", b"\xff\xfe")


@pytest.fixture(autouse=True)
def head(ctx, cast):
    """The head of the cast's donor school: the one role that the cast lacks."""
    with ctx.transaction() as db:
        donor = db.scalar(sa.select(tables.donor_schools.c.id))
        person = accounts.ensure_person(
            db, email="head@x.example", name="Cô head", language="vi", now=ctx.now()
        )
        grant = Grant(Role.DONOR_HEAD, cast["programme"], donor_school_id=donor)
        accounts.add_grant(db, person, grant)
        cast.actors["head"] = accounts.actor_of(db, person)


def routes(ctx):
    pages = create_pages(ctx, start_loop=False)
    found = [
        (method, context.path, context.original_route)
        for context in iter_route_contexts(pages.routes)
        if isinstance(context.original_route, APIRoute)
        for method in sorted(context.original_route.methods or ())
    ]
    assert len(found) > 30  # a test of every route must meet them
    return found


# Each address is asked some of what is odd, the next one others; each all of it under soak.
SOME = pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.soak)])


def room_of(path):
    return "/" + path.split("/")[1]


def filled(path, value):
    parts = [value if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


@SOME
@pytest.mark.parametrize("who", ["teacher1", "schoolA", "coordinator", "head"])
def test_no_input_breaks_a_page(ctx, cast, site, who, step):
    publish(ctx, cast)
    browser = site.of(cast.actors[who])
    broken = []
    for n, (method, path, _) in enumerate(routes(ctx)):
        if path.startswith(guard.API):
            continue  # tests/web/api asks it, with a token
        if path in ("/sign-out", "/readyz") or ROOMS.get(room_of(path), "teacher1") != who:
            continue  # what all share is asked by one of them
        for value in VALUES[n % step :: step]:
            address = filled(path, value.replace("/", "%2F").replace("\r\n", "%0D%0A"))
            query = dict.fromkeys(NAMES, value)
            if method == "GET":
                answer = browser.get(address, params=query)
            else:
                answer = browser.submit(address, query)
            if answer.status_code >= 500 or answer.status_code == 403:  # 403: met no page at all
                broken.append((method, address[:60], value[:20], answer.status_code))
    assert broken == []


@SOME
def test_no_bytes_break_a_form(ctx, cast, site, step):
    browser = site.of(cast.actors["coordinator"])
    headers = SAME_ORIGIN | {"content-type": "application/x-www-form-urlencoded"}
    odd = {
        "content-type": "multipart/form-data; boundary=b; charset=utf-7",
    } | SAME_ORIGIN
    part = b'--b\r\ncontent-disposition: form-data; name="email"\r\n\r\n+2AA-\r\n--b--\r\n'
    broken = []
    for n, (method, path, _) in enumerate(routes(ctx)):
        if method != "POST" or path == "/sign-out" or path.startswith(guard.API):
            continue
        address = filled(path, "1")
        begun = b"csrf=" + browser.csrf.encode()
        sent = [
            (begun + b"&email=" + raw + b"&name=" + raw, headers) for raw in RAW[n % step :: step]
        ]
        for content, named in [*sent, (part, odd), (b"{]", SAME_ORIGIN)]:
            if browser.post(address, content=content, headers=named).status_code >= 500:
                broken.append((path, content))
    assert broken == []


def test_a_visitor_is_sent_to_sign_in_from_every_page_that_is_not_public(ctx, cast, visitor):
    for method, path, _ in routes(ctx):
        if path in guard.PUBLIC:
            continue
        address = filled(path, "1")
        if path.startswith(guard.API):
            assert (path, visitor.request(method, address).status_code) == (path, 401)
            continue
        answer = visitor.get(address) if method == "GET" else visitor.submit(address)
        assert (path, answer.status_code) == (path, 303)
        assert answer.headers["location"].startswith("/sign-in")


def test_the_rooms_of_a_role_are_not_there_for_the_others(ctx, cast, site):
    browsers = {who: site.of(cast.actors[who]) for who in ROOMS.values()}
    for method, path, _ in routes(ctx):
        owner = ROOMS.get(room_of(path))
        for who, browser in browsers.items():
            if owner in (None, who):
                continue
            address = filled(path, "1")
            answer = browser.get(address) if method == "GET" else browser.submit(address)
            assert (who, path, answer.status_code) == (who, path, 404)
