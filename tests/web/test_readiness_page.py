"""Who is ready for the next search; a reminder to exactly those who are not, once a day."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler.domain.readiness import Stand
from scheduler.errors import Stale
from scheduler.services import readiness
from scheduler.store import tables
from scheduler.web.pages import readiness as readiness_page
from tests.faults.kit import rows, states
from tests.web import cast_desk as desk
from tests.web.test_mailroom_page import audited

HERE = "/coordinator/readiness"


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


@pytest.fixture
def coordinator(site, cast):
    return site.of(cast.actors["coordinator"])


def silence(ctx, cast, teacher: str = "teacher1") -> None:
    """This teacher has no time of any week."""
    with ctx.transaction() as db:
        mine = tables.pledges.select().with_only_columns(tables.pledges.c.id)
        pledge = db.scalar(mine.where(tables.pledges.c.teacher_id == cast[teacher]))
        db.execute(tables.availability.delete().where(tables.availability.c.pledge_id == pledge))


def confirm(ctx, cast, teacher: str) -> None:
    with ctx.transaction() as db:
        mine = tables.pledges.c.teacher_id == cast[teacher]
        db.execute(tables.pledges.update().where(mine).values(confirmed_at=ctx.now()))


def seen(page) -> str:
    return re.search(r'name="seen" value="([^"]*)"', page.text)[1]


def test_it_counts_who_has_answered_and_names_the_others_by_school(ctx, cast, coordinator):
    silence(ctx, cast)
    page = coordinator.see(HERE)
    assert page.status_code == 200
    assert "0 trên 2 giáo viên đã sẵn sàng" in page.text
    assert "THCS Ái Mộ (Long Biên)" in page.text
    assert "1 trường còn người chưa trả lời" in page.text
    for n in (1, 2):
        assert f'href="/coordinator/people/{cast[f"person_teacher{n}"]}"' in page.text
    for stand in ("silent", "unconfirmed"):
        assert f'href="{HERE}/{stand}"' in page.text


def test_when_all_have_answered_the_search_can_begin(ctx, cast, coordinator):
    confirm(ctx, cast, "teacher1")
    confirm(ctx, cast, "teacher2")
    page = coordinator.see(HERE)
    assert "Mọi người đã trả lời" in page.text
    assert 'href="/coordinator/matching"' in page.text
    answer = coordinator.get(f"{HERE}/silent")
    assert answer.headers["location"] == HERE


def test_who_left_is_waited_for_no_more(ctx, cast, coordinator):
    with ctx.transaction() as db:
        mine = tables.teachers.c.id == cast["teacher1"]
        db.execute(tables.teachers.update().where(mine).values(left_at=ctx.now()))
    assert "0 trên 1 giáo viên đã sẵn sàng" in coordinator.see(HERE).text


def test_the_reminder_is_shown_with_its_count_before_it_goes(ctx, cast, coordinator):
    silence(ctx, cast)
    page = coordinator.see(f"{HERE}/silent")
    assert "Nhắc 1 giáo viên" in page.text
    assert "https://chungtay.example/teacher/availability" in page.text
    assert "Cô teacher1" in page.text
    assert "Cô teacher2" not in page.text
    assert rows(ctx, "id") == []


def test_it_goes_to_exactly_those_once_however_often_pressed(ctx, cast, coordinator):
    page = coordinator.see(f"{HERE}/unconfirmed")
    for _ in range(2):
        answer = coordinator.submit(f"{HERE}/unconfirmed", {"seen": seen(page)})
        assert answer.headers["location"] == HERE
    there = {cast["person_teacher1"], cast["person_teacher2"]}
    assert set(rows(ctx, "kind", "person_id")) == {("note", person) for person in there}
    assert len(audited(ctx, "nudge")) == 1
    again = coordinator.see(f"{HERE}/unconfirmed")
    assert "Hôm nay tất cả đã được nhắc" in again.text
    assert 'aria-disabled="true"' in again.text


def test_tomorrow_they_may_be_reminded_again(ctx, cast, clock):
    actor = cast.actors["coordinator"]
    for sent in (2, 0):
        found = readiness.preview(ctx, actor, Stand.UNCONFIRMED)
        assert readiness.send(ctx, actor, Stand.UNCONFIRMED, found.seen) == sent
    clock.forward(days=1)
    found = readiness.preview(ctx, actor, Stand.UNCONFIRMED)
    assert readiness.send(ctx, actor, Stand.UNCONFIRMED, found.seen) == 2


def test_who_answers_in_between_stops_the_send_and_is_seen(ctx, cast, coordinator):
    page = coordinator.see(f"{HERE}/unconfirmed")
    confirm(ctx, cast, "teacher1")
    answer = coordinator.submit(f"{HERE}/unconfirmed", {"seen": seen(page)})
    assert answer.status_code == 409
    assert "Có người vừa trả lời trong lúc chị đang xem" in answer.text
    assert "Cô teacher1" not in answer.text
    assert rows(ctx, "id") == []
    assert coordinator.submit(f"{HERE}/unconfirmed", {"seen": seen(answer)}).status_code == 303
    assert rows(ctx, "person_id") == [(cast["person_teacher2"],)]


def test_two_who_press_at_once_send_one(ctx, cast):
    actor = cast.actors["coordinator"]
    found = readiness.preview(ctx, actor, Stand.UNCONFIRMED)

    def press(_n: int) -> int:
        return readiness.send(ctx, actor, Stand.UNCONFIRMED, found.seen)

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(press, range(2))) == 2
    assert len(rows(ctx, "id")) == 2


def test_each_reads_it_in_her_own_language(ctx, cast):
    with ctx.transaction() as db:
        mine = tables.persons.c.id == cast["person_teacher1"]
        db.execute(tables.persons.update().where(mine).values(language="en"))
    actor = cast.actors["coordinator"]
    found = readiness.preview(ctx, actor, Stand.UNCONFIRMED)
    readiness.send(ctx, actor, Stand.UNCONFIRMED, found.seen)
    words = {person: payload["words"] for person, payload in rows(ctx, "person_id", "payload")}
    assert words[cast["person_teacher1"]].startswith("Thank you for taking part.")
    assert words[cast["person_teacher2"]].startswith("Cảm ơn thầy cô đã tham gia.")


def test_an_old_look_is_refused_and_another_word_is_no_page(ctx, cast, coordinator):
    with pytest.raises(Stale):
        readiness.send(ctx, cast.actors["coordinator"], Stand.UNCONFIRMED, "")
    assert coordinator.see(f"{HERE}/ready").status_code == 404
    assert coordinator.see(f"{HERE}/nobody").status_code == 404


def test_another_programme_is_neither_seen_nor_reminded(ctx, site, cast):
    stranger = site.of(cast.actors["stranger"])
    for answer in (
        stranger.see(HERE),
        stranger.see(f"{HERE}/unconfirmed"),
        stranger.submit(f"{HERE}/unconfirmed", {"seen": "x"}),
    ):  # it has no term yet
        assert answer.headers["location"] == "/coordinator/imports"
    assert rows(ctx, "id") == []


def test_it_takes_as_many_queries_for_one_teacher_as_for_two(ctx, cast, coordinator):
    confirm(ctx, cast, "teacher1")
    coordinator.see(HERE)
    with desk.queries(ctx) as one:
        coordinator.see(HERE)
    silence(ctx, cast)
    with desk.queries(ctx) as two:
        coordinator.see(HERE)
    assert len(two) == len(one)


def test_many_schools_stand_on_several_pages(cast, coordinator, monkeypatch):
    monkeypatch.setattr(readiness_page, "SCHOOLS_AT_ONCE", 1)
    assert len(re.findall(r'<th scope="row">', coordinator.see(HERE).text)) == 1
    beyond = coordinator.see(f"{HERE}?page=9")
    assert beyond.status_code == 200
    assert "<th scope" not in beyond.text.partition("<tbody>")[2]
