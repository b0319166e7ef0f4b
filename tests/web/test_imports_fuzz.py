"""Spoilt lists at the door: no page breaks, nothing is half stored, each refusal has its place."""

import html
import re
from datetime import date
from functools import cache

import pytest
import sqlalchemy as sa

from scheduler.exchange import grids
from scheduler.store import tables
from tests.exchange.books import REQUESTS, SCHOOLS, TEACHERS, with_files
from tests.exchange.test_fuzz import variant
from tests.web.browser import SAME_ORIGIN

HERE = "/coordinator/imports"
FAULT = re.compile(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td></tr>', re.DOTALL)
# What looking at lists writes by itself.
OURS = frozenset(("uploads", "buckets", "sessions"))
_READ = cache(grids.read)


@pytest.fixture(autouse=True)
def each_file_is_read_once(monkeypatch):
    """Two of three lists are always the same, and a process for each takes its time."""
    monkeypatch.setattr(grids, "read", _READ)


def rows(ctx) -> dict[str, int]:
    with ctx.reading() as db:
        return {
            each.name: db.scalar(sa.select(sa.func.count()).select_from(each))
            for each in tables.metadata.sorted_tables
            if each.name not in OURS
        }


def parts(seed: int) -> list[tuple[str, bytes]]:
    name, data = variant(seed)
    if name in (SCHOOLS, TEACHERS, REQUESTS):
        return with_files((name, data))
    return [(name, data)]


def sent_in(desk, files):
    """The address of the preview, and the preview."""
    given = [("files", (name, data, "application/octet-stream")) for name, data in files]
    answer = desk.post(HERE, data={"csrf": desk.csrf}, files=given, headers=SAME_ORIGIN)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    return path, desk.get(path)


def check_refused(desk, files, path, page):
    faults = FAULT.findall(page.text)
    assert faults
    for where, what in faults:
        said = html.unescape(where)
        assert said.startswith(tuple(name for name, _ in files)), said
        assert what.strip().endswith("."), what
    for number in re.findall(r'/marked/(\d)"', page.text):
        assert desk.get(f"{path}/marked/{number}").status_code == 200
    assert desk.submit(path, {"seen": "x"}).status_code == 422


def tried(ctx, desk, seed) -> bool:
    """Whether the spoilt lists were taken over; asserts all that must be true either way."""
    files, before = parts(seed), rows(ctx)
    path, page = sent_in(desk, files)
    assert page.status_code == 200, seed
    seen = page.text.partition('name="seen" value="')[2].partition('"')[0]
    if "chỗ cần sửa" in page.text:
        assert not seen, seed
        check_refused(desk, files, path, page)
        assert rows(ctx) == before, seed
        return False
    if seen:
        assert rows(ctx) == before, seed
        assert desk.submit(path, {"seen": seen}).status_code == 303, seed
    assert "Mọi thứ đã được lưu rồi" in desk.get(path).text, seed
    return True


def try_all(ctx, site, cast, seeds) -> tuple[int, int]:
    """How many were taken over, and how many refused."""
    taken, past = 0, {"first_day": date(2020, 1, 6), "last_day": date(2020, 5, 31)}
    with ctx.transaction() as db:  # two terms share no day
        db.execute(tables.terms.update().values(past))
    for index, seed in enumerate(seeds):
        if index % 15 == 0:  # more than that in a minute are too many
            with ctx.transaction() as db:
                db.execute(tables.buckets.delete())
            desk = site.of(cast.actors["coordinator"])
            desk.see(HERE)
        taken += tried(ctx, desk, seed)
    return taken, len(seeds) - taken


def test_spoilt_lists_are_taken_over_whole_or_refused_at_their_cells(ctx, site, cast):
    taken, refused = try_all(ctx, site, cast, range(40))
    assert taken > 3
    assert refused > 15


@pytest.mark.soak
def test_a_thousand_spoilt_lists_are_taken_over_whole_or_refused(ctx, site, cast):
    assert sum(try_all(ctx, site, cast, range(5_000, 6_000))) == 1_000
