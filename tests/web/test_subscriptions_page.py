"""Which calendars keep up: the coordinator's page, and the warnings before a late change."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.calendars import FeedKind
from scheduler.services import feeds
from scheduler.store import feed_links
from scheduler.store import subscriptions as store
from scheduler.web.pages import subscriptions as page_of_calendars
from tests.web import cast_desk as desk
from tests.web.cast_desk import WED
from tests.web.test_coordinator import plain


@pytest.fixture
def coordinator(site, cast):
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def timetable(ctx, cast):
    return desk.publish(ctx, cast, desk.at(cast, WED), desk.at(cast, WED, klass="8B", teacher=2))


def subscribe(ctx, cast, who: str, kind: str, owner: str, client: str, at=None) -> None:
    link = feeds.create_link(ctx, cast.actors[who], FeedKind(kind), cast[owner], "máy")
    if at is not None:
        with ctx.transaction() as db:
            feed_links.stamp_reads(db, {link.link_id: (1, at, client)})


def counts(page) -> dict[str, int]:
    found = re.findall(r'<h2 id="g-(\w+)">.*?</span>\s*(\d+)</h2>', page.text, re.S)
    return {standing: int(count) for standing, count in found}


def test_an_empty_programme_says_what_will_be_here(coordinator, cast):
    assert "Chưa ai có tiết dạy sắp tới" in coordinator.see("/coordinator/calendars").text


def test_people_are_told_apart_by_what_their_calendars_have_read(
    ctx, cast, site, coordinator, timetable, clock
):
    before = ctx.now() - timedelta(minutes=1)
    subscribe(ctx, cast, "teacher1", "teacher", "teacher1", "Google", before)
    subscribe(ctx, cast, "teacher2", "teacher", "teacher2", "Apple", ctx.now())
    subscribe(ctx, cast, "schoolA", "class", "7A", "Apple", before)
    page = coordinator.see("/coordinator/calendars")
    assert counts(page) == {"none": 1, "in_time": 2, "read": 1}
    assert "1 trên 4 người đã đọc" in plain(page)
    clock.at = desk.lesson_of(ctx, cast).starts_at - timedelta(hours=10)
    with ctx.transaction() as db:
        feed_links.stamp_reads(db, {1: (1, ctx.now() - timedelta(hours=1), "Google")})
    desk.publish(ctx, cast, desk.at(cast, WED, "08:25"), desk.at(cast, WED, klass="8B", teacher=2))
    late = site.of(cast.actors["coordinator"]).see("/coordinator/calendars")
    assert counts(late)["late"] == 1
    assert f'href="/coordinator/write?to={cast["person_teacher1"]}"' in late.text


def test_only_coordinators_see_who_reads_what(cast, site, coordinator, timetable):
    for who in ("teacher1", "schoolA"):
        assert site.of(cast.actors[who]).get("/coordinator/calendars").status_code == 404
    assert "teacher1" in coordinator.see("/coordinator/calendars").text
    stranger = site.of(cast.actors["stranger"]).see("/coordinator/calendars")
    assert stranger.status_code == 200
    assert "teacher1" not in stranger.text


def test_the_number_of_queries_does_not_grow_with_people_and_links(ctx, cast, timetable):
    def queries() -> tuple[int, int]:
        seen = []
        with ctx.reading() as db:
            sa.event.listen(db.connection(), "before_cursor_execute", lambda *a: seen.append(a[2]))
            found = store.subscribers(db, cast["programme"], ctx.now())
        return len(seen), sum(len(who.links) for who in found)

    subscribe(ctx, cast, "teacher1", "teacher", "teacher1", "Google", ctx.now())
    one = queries()
    subscribe(ctx, cast, "teacher2", "teacher", "teacher2", "Google", ctx.now())
    subscribe(ctx, cast, "schoolA", "class", "7A", "Apple", ctx.now())
    assert one == (4, 1)
    assert queries() == (4, 3)


def test_calling_off_warns_of_a_calendar_that_will_not_show_it_in_time(
    ctx, cast, site, coordinator, timetable, clock
):
    lesson = desk.lesson_of(ctx, cast)
    where = f"/coordinator/lessons/{lesson.id}/call-off"
    warning = "sẽ không kịp hiện thay đổi này"
    subscribe(ctx, cast, "teacher1", "teacher", "teacher1", "Google", ctx.now())
    assert warning not in coordinator.see(where).text
    clock.at = lesson.starts_at - timedelta(hours=10)
    with ctx.transaction() as db:
        feed_links.stamp_reads(db, {1: (1, ctx.now(), "Google")})
    assert warning in site.of(cast.actors["coordinator"]).see(where).text


def test_a_preview_names_whose_calendar_will_not_show_it_in_time(ctx, cast, site, timetable, clock):
    clock.at = desk.lesson_of(ctx, cast).starts_at - timedelta(hours=20)
    subscribe(ctx, cast, "teacher2", "teacher", "teacher2", "Apple", ctx.now())
    new = desk.draft(ctx, cast, desk.at(cast, WED, "08:25"), desk.at(cast, WED, "08:25", "8B", 2))
    page = plain(site.of(cast.actors["coordinator"]).see(f"/coordinator/plans/{new}"))
    assert "1 người có thể chưa biết kịp Cô teacher1 Danh sách cần gọi" in page


def test_a_large_group_is_shown_in_part_and_leads_to_all_of_it(
    ctx, cast, coordinator, timetable, monkeypatch
):
    monkeypatch.setattr(page_of_calendars, "AT_FIRST", 1)
    monkeypatch.setattr(page_of_calendars, "AT_ONCE", 2)
    front = coordinator.see("/coordinator/calendars")
    assert counts(front) == {"none": 4}
    assert front.text.count('name="to"') == 1
    assert "Xem cả 4 người" in front.text
    second = coordinator.see("/coordinator/calendars?group=none&page=2")
    names = set(re.findall(r'name="to" value="(\d+)"', second.text))
    assert len(names) == 2
    assert names.isdisjoint(re.findall(r'name="to" value="(\d+)"', front.text))
    assert 'href="/coordinator/calendars?group=none&amp;page=1#list"' in second.text
    assert counts(coordinator.see("/coordinator/calendars?group=read&page=9")) == {}
