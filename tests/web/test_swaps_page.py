"""Would you swap?  Asked without signing in, and nothing happens by looking."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.services import links, swaps
from scheduler.store import tables
from tests.planning import A1, WEDNESDAY, draft, timetable
from tests.planning import publish as publish_plan
from tests.web.browser import BASE

B2 = ("request_8B", WEDNESDAY + timedelta(days=7), 505, "teacher2")


@pytest.fixture
def swap(ctx, cast):
    publish_plan(ctx, cast, draft(ctx, cast, A1, B2))
    x, y = timetable(ctx, cast)
    return swaps.ask(ctx, cast.actors["teacher1"], x.id, y.id, "Hôm đó tôi <chấm> thi").swap


@pytest.fixture
def path(ctx, cast, swap):
    return links.swap_url(ctx, swap, cast["person_teacher2"]).removeprefix(BASE)


def ends(ctx):
    with ctx.reading() as db:
        return list(db.scalars(sa.select(tables.swaps.c.end)))


def test_looking_asks_and_does_nothing(ctx, path, visitor):
    page = visitor.get(path)
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert '<html lang="vi">' in page.text
    assert "Thứ Tư 04/10 · 07:30–08:15" in page.text
    assert "Thứ Tư 11/10 · 08:25–09:10" in page.text
    assert "Cô teacher1" in page.text
    assert "tôi &lt;chấm&gt; thi" in page.text
    assert page.text.count('type="radio"') == 2
    assert " checked" not in page.text
    assert "<script" not in page.text
    assert ends(ctx) == [None]


@pytest.mark.parametrize("fields", [{}, {"answer": ""}, {"answer": "maybe"}])
def test_a_form_without_an_answer_does_nothing(ctx, path, visitor, fields):
    page = visitor.post(path, data=fields)
    assert page.status_code == 422
    assert "Chưa gửi gì cả" in page.text
    assert ends(ctx) == [None]


def test_agreeing_from_a_mail_swaps_once(ctx, path, visitor):
    for _ in range(2):
        assert visitor.post(path, data={"answer": "accept"}).headers["location"] == path
    assert ends(ctx) == ["agreed"]
    page = visitor.get(path)
    assert "<form class" not in page.text
    assert "Đã đổi tiết xong" in page.text


def test_what_stands_in_the_way_is_said_on_the_page(ctx, cast, path, visitor):
    with ctx.transaction() as db:
        db.execute(tables.pledge_levels.update().values(level="primary"))
    page = visitor.post(path, data={"answer": "accept"})
    assert page.status_code == 422
    assert "không dạy cấp học này" in page.text
    assert ends(ctx) == [None]


def test_the_asker_takes_the_proposal_back_when_signed_in(ctx, cast, site, swap):
    browser, own = site.of(cast.actors["teacher1"]), f"/teacher/swaps/{swap.id}"
    assert "Thứ Tư 04/10 · 07:30–08:15" in browser.see(own).text
    assert browser.submit(own, {"answer": "withdraw"}).status_code == 303
    assert ends(ctx) == ["withdrawn"]


def test_a_stranger_gets_nothing(ctx, cast, site, swap, visitor):
    assert visitor.get("/w/x").status_code == 404
    assert visitor.post("/w/x", data={"answer": "accept"}).status_code == 404
    for name in ("schoolA", "coordinator"):
        assert site.of(cast.actors[name]).get(f"/teacher/swaps/{swap.id}").status_code == 404
    assert ends(ctx) == [None]
