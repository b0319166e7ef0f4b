"""Every route of the API, asked by everybody with everything: refused or answered, never broken."""

import itertools

import pytest
import sqlalchemy as sa

from scheduler.store import tables
from scheduler.web import guard
from scheduler.web.api.bodies import Body
from tests.planning import A1, A2, B1, draft, publish, timetable
from tests.web.api.routes import body_schema, described, operations, resolved

JSON = {"content-type": "application/json"}
BASE = {"absence": "AbsenceIn", "closure": "ClosureIn", "storm": "StormIn"}
IN_PATH = (
    "1",
    "999999",
    "0",
    "-1",
    "1e3",
    "9223372036854775808",
    "null",
    "%F0%9F%99%82",
    "x" * 300,
)
VALUES = (
    None, True, -1, 0, 1, 2, 2**31, 10**400, 1e308, 1.5, "", "1", "a\0b", "\u202e🙂", "x" * 3000,
    "2023-10-04", "9999-12-31", "0001-01-01", "25:61", [], [None], [[[]]], {}, {"": {}},
)  # fmt: skip
QUERY = (
    "", "x", "-1", "9" * 400, "NaN", "2023-10-04", "2023-10-04T00:00:00Z",
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "1e400", "\u202e",
)  # fmt: skip
RAW = (
    b"", b"{", b"null", b"[]", b"1", b'"x"', b"NaN", b'{"a":NaN}', b"\xff\xfe\x00",
    b'{"\\ud800":1}',
    b'{"reason":"\\ud800","note":"\\udfff","lines":["\\ud800"]}', b'{"reason":"a\\u0000b"}',
    b"[" * 20_000 + b"]" * 20_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'{"lessons":[' + b"1," * 100_000 + b"1]}", b"1" * 6000,
)  # fmt: skip
# One case in so many, each route's other ones; all of them by hand.
SOME = pytest.mark.parametrize("every", [13, pytest.param(1, marks=pytest.mark.soak)])
# Here a stranger gets something of their own, with the number by which A's is asked for.
MAKING = {("POST", "/api/v1/imports"), ("POST", "/api/v1/webhooks")}
HUGE = (b'{"reason":"' + b"x" * guard.LARGEST_BODY + b'"}', b" " * (guard.LARGEST_BODY + 1))


@pytest.fixture
def world(ctx, cast):
    """Lessons of both classes, a pin's worth of numbers, and a draft: whatever 1 may name."""
    publish(ctx, cast, draft(ctx, cast, A1, (*B1[:3], "teacher2")))
    draft(ctx, cast, A1, A2)
    return timetable(ctx, cast)


def filled(path, value):
    return "/".join(value if part.startswith("{") else part for part in path.split("/"))


def examples():
    """An example of each body by its name."""
    found, left = {}, [Body]
    while left:
        kinds = left.pop().__subclasses__()
        left += kinds
        found |= {each.__name__: each.shown() for each in kinds}
    return found


def odd_bodies(schema, shown, schemas):
    """The example with one field after the other replaced by each odd value, nested ones too."""
    for name, value in itertools.product(schema["properties"], VALUES):
        yield {**shown, name: value}
    for name, inner in shown.items():
        if isinstance(inner, dict):
            part = schemas[BASE[inner["kind"]]]
            yield from ({**shown, name: each} for each in odd_bodies(part, inner, schemas))
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            part = resolved(schema["properties"][name]["items"], schemas)
            yield from ({**shown, name: [each]} for each in odd_bodies(part, inner[0], schemas))


def programs(api):
    return {who: api(who) for who in ("teacher1", "schoolA", "coordinator", "stranger")}


def asked(program, method, address, **more):
    return program.request(method, address, **more)


def broken(cases, every):
    """The cases, each a program and its request, whose answer no input may ever bring about."""
    found = []
    for who, program, method, address, more in itertools.islice(cases, 0, None, every):
        answer = program.request(method, address, **more)
        if answer.status_code >= 500 or "Traceback" in answer.text:
            found.append((who, method, address[:80], str(more)[:120], answer.status_code))
    return found


def routes_by_role(api):
    return (
        (who, program, *operation)
        for (who, program), operation in itertools.product(programs(api).items(), operations())
    )


@SOME
def test_no_number_in_a_path_and_no_query_breaks_a_route(world, api, every):
    def cases():
        for who, program, method, path, told in routes_by_role(api):
            names = [x["name"] for x in told.get("parameters", ()) if x["in"] == "query"]
            for value in IN_PATH if "{" in path else ():
                yield who, program, method, filled(path, value), {"json": {}}
            for value in QUERY if names else ():
                query = {"params": dict.fromkeys(names, value)}
                yield who, program, method, filled(path, "1"), query

    assert broken(cases(), every) == []


@SOME
def test_no_value_in_a_body_breaks_a_route(world, api, every):
    schemas, shown = described()["components"]["schemas"], examples()
    program = api("coordinator")

    def cases():
        for method, path, told in operations():
            schema = body_schema(told, schemas)
            for body in odd_bodies(schema, shown[schema["title"]], schemas) if schema else ():
                yield "coordinator", program, method, filled(path, "1"), {"json": body}

    assert broken(cases(), every) == []


@SOME
def test_no_bytes_break_a_route(world, api, every):
    def cases():
        for who, program, method, path, told in routes_by_role(api):
            for raw in RAW if "requestBody" in told else RAW[1:2]:
                yield who, program, method, filled(path, "1"), {"content": raw, "headers": JSON}

    assert broken(cases(), every) == []


def test_a_body_of_more_than_a_megabyte_is_refused_at_the_door(world, api):
    program = api("coordinator")
    writing = [each for each in operations() if "requestBody" in each[2]]
    for (method, path, _), raw in zip(writing, itertools.cycle(HUGE), strict=False):
        answer = asked(program, method, filled(path, "1"), content=raw, headers=JSON)
        assert (path, answer.status_code) == (path, 413)


def test_a_stranger_never_reads_a_name_of_the_programme_or_learns_what_is_there(world, api, cast):
    """Each example with real numbers: the same answer as with numbers of nothing."""
    names = ("7A", "8B", "THCS A", "THCS B", "Ái Mộ", "Cô teacher", "Hà Nội", "Học kỳ I")
    schemas, shown = described()["components"]["schemas"], examples()
    stranger, query = api("stranger"), {"at": "2023-10-04T00:00:00Z", "on": "2023-10-04"}
    for method, path, told in operations():
        if (method, path) in MAKING:
            continue
        schema = body_schema(told, schemas)
        body = shown[schema["title"]] if schema else None
        there = asked(stranger, method, filled(path, "1"), json=body, params=query)
        where = (method, path, there.status_code)
        assert not any(name in there.text for name in names), where
        if "{" in path:
            assert there.status_code == 404, where
            nowhere = asked(stranger, method, filled(path, "99999"), json=body, params=query)
            assert (nowhere.status_code, nowhere.text) == (404, there.text), where


def test_no_get_changes_anything(world, api, ctx, cast):
    before = timetable(ctx, cast)
    audits = counted(ctx)
    for program in programs(api).values():
        for method, path, _ in operations():
            if method == "GET":
                asked(program, method, filled(path, "1"))
    # the four tokens were noted when they were issued
    assert (timetable(ctx, cast), counted(ctx)) == (before, audits + 4)


def counted(ctx):
    """The deeds in the record; that somebody was refused is no deed."""
    deeds = sa.select(sa.func.count()).where(tables.audits.c.action != "denied")
    with ctx.reading() as db:
        return db.scalar(deeds)
