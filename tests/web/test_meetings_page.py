"""Where lessons meet, as coordinators set it: the programme's usual place, and rooms of classes."""

import re

import pytest
import sqlalchemy as sa

from scheduler.services import joins, line
from scheduler.store import tables
from tests.web.cast_desk import WED, at, lesson_of, publish

USUAL, ROOM = "/coordinator/settings/meetings", "https://zoom.example/j/1?pwd=Ab"
PATTERN = "https://hop.example/lop-{room}"


@pytest.fixture
def desk(site, cast):
    return site.of(cast.actors["coordinator"])


def seen(page) -> str:
    return re.search(r'name="seen" value="([^"]*)"', page.text)[1]


def store(desk, path, **fields):
    return desk.submit(path, {"seen": seen(desk.see(path))} | fields)


def opened(ctx, cast, clock, klass="7A") -> str:
    """Where the link of the class's lesson leads at its time."""
    lesson = lesson_of(ctx, cast, klass)
    with ctx.reading() as db:
        mine = tables.lessons.c.id == lesson.id
        token = db.scalar(sa.select(tables.lessons.c.join_token).where(mine))
    now, clock.at = clock.at, lesson.starts_at
    url = joins.open_room(ctx, token).url
    clock.at = now
    return url


def test_the_usual_place_of_a_programme_goes_before_that_of_the_installation(
    ctx, cast, desk, clock
):
    publish(ctx, cast, at(cast, WED, klass="7A"), at(cast, WED, "08:25", klass="8B", teacher=2))
    assert "https://meet.jit.si/chungtay-{room}" in desk.see(USUAL).text
    assert store(desk, USUAL, pattern=f"  {PATTERN} ").status_code == 303
    assert PATTERN in desk.see("/coordinator/settings").text
    one, two = (opened(ctx, cast, clock, klass) for klass in ("7A", "8B"))
    assert one != two
    assert one.startswith("https://hop.example/lop-")
    assert two.startswith("https://hop.example/lop-")
    assert line.rooms(ctx, cast.actors["teacher1"]) == ("https://hop.example",)
    assert store(desk, USUAL, pattern="").status_code == 303
    assert opened(ctx, cast, clock).startswith("https://meet.jit.si/chungtay-")
    with ctx.reading() as db:
        told = tables.audits.c
        kept = db.scalars(sa.select(told.after).where(told.action == "set_meetings")).all()
    assert kept == [{"address": PATTERN}, {"address": None}]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("http://hop.example/{room}", "bắt đầu bằng https://"),
        ("https://hop.example/phong", "đúng một lần"),
        ("https://hop.example/{room}/{room}", "đúng một lần"),
        ("https://{room}.example/", "bắt đầu bằng https://"),
        ("https://hop.example/a b{room}", "bắt đầu bằng https://"),
        ("https://hop.example/{lop}{room}", "chỉ có thể có"),
        ("javascript:alert(1)//{room}", "bắt đầu bằng https://"),
        ("https://" + "x" * 500 + ".example/{room}", "bắt đầu bằng https://"),
    ],
)
def test_an_address_where_nobody_can_meet_is_refused_at_its_field(ctx, desk, typed, told):
    refused = store(desk, USUAL, pattern=typed)
    assert refused.status_code == 422
    assert told in refused.text
    assert "https://meet.jit.si/" in desk.see("/coordinator/settings").text


def test_what_another_stored_meanwhile_is_not_written_over(ctx, cast, desk):
    before = seen(desk.see(USUAL))
    assert store(desk, USUAL, pattern=PATTERN).status_code == 303
    late = desk.submit(USUAL, {"seen": before, "pattern": "https://khac.example/{room}"})
    assert late.status_code == 409
    assert PATTERN in late.text
    assert "https://khac.example/{room}" in late.text
    again = desk.submit(USUAL, {"seen": before, "pattern": PATTERN})  # pressed twice
    assert again.status_code == 303


def test_a_class_meets_in_a_room_of_its_own(ctx, cast, desk, clock):
    publish(ctx, cast, at(cast, WED))
    path, mine = f"/coordinator/schools/{cast['A']}/meetings", f"room-{cast['7A']}"
    assert path in desk.see(f"/coordinator/schools/{cast['A']}/profile").text
    before = seen(desk.see(path))
    assert store(desk, path, **{mine: ROOM}).status_code == 303
    assert ROOM in desk.see(path).text
    assert opened(ctx, cast, clock) == ROOM
    bad = store(desk, path, **{mine: "zoom"})
    assert (bad.status_code, f'id="{mine}-error"' in bad.text) == (422, True)
    late = desk.submit(path, {"seen": before, mine: "https://khac.example/1"})
    assert late.status_code == 409
    assert opened(ctx, cast, clock) == ROOM
    assert store(desk, path, **{mine: ""}).status_code == 303
    assert opened(ctx, cast, clock).startswith("https://meet.jit.si/")


def test_rooms_of_strangers_are_not_there(cast, site):
    stranger = site.of(cast.actors["stranger"])
    path = f"/coordinator/schools/{cast['A']}/meetings"
    assert stranger.see(path).status_code == 404
    stranger.see(USUAL)
    assert stranger.submit(path, {}).status_code == 404
