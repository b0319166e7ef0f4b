"""A page of one programme costs the same however many others are in the installation."""

from functools import partial

import pytest

from bench import clones, work
from scheduler.domain.access import Role
from tests.conftest import lifted
from tests.web import rights
from tests.web.rights import COORDINATOR, HEAD, SCHOOL_A, TEACHER_A

OTHERS = 40
# Steps of SQLite's machine: as for a handful of rows of each other programme, in tables so small
# that it prefers to read them whole.
SPARE = 80 * OTHERS
# It says how many messages all programmes have together.
OF_ALL = {"/coordinator/messages"}
WHOSE = {
    Role.TEACHER: TEACHER_A,
    Role.SCHOOL: SCHOOL_A,
    Role.DONOR_HEAD: HEAD,
    Role.COORDINATOR: COORDINATOR,
}
SLOW_PAPERS = (".pdf", ".zip", "/paper", "/file")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_page_reads_what_other_programmes_have(ctx, cast, site, monkeypatch):
    lifted(monkeypatch)
    world = rights.build(ctx, cast)
    browsers = {role: site.of(rights.now(ctx, world.actors[name])) for role, name in WHOSE.items()}
    asked = [
        (role, world.address(way))
        for way in rights.ways(ctx)
        for role in WHOSE
        if way.method == "GET" and not way.api and not way.public and not way.half_open
        if role in way.roles or (not way.roles and role is Role.TEACHER)
        if not way.path.endswith(SLOW_PAPERS) and way.path not in OF_ALL
    ]

    def costs() -> dict[tuple[Role, str], tuple[int, int]]:
        found = {}
        for role, address in asked:
            ask = partial(browsers[role].get, address)
            ask()
            with work.watched(ctx) as statements:
                steps = work.steps(ctx, ask)
            found[role, address] = statements.queries, steps
        return found

    one = costs()
    clones.multiply(ctx, range(1, OTHERS + 1))
    many = costs()
    assert [x for x in asked if many[x][0] > one[x][0]] == []
    grown = {x: many[x][1] - one[x][1] for x in asked if many[x][1] > one[x][1] + SPARE}
    assert grown == {}
