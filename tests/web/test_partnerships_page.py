"""Pairs of units before a coordinator."""

import re

import pytest

from scheduler.services import partnerships

HERE = "/coordinator/partnerships"
FIELDS = {
    "donor_unit": "Long Biên",
    "receiving_unit": "THCS A",
    "lessons_pledged": "40",
    "joint_sessions_pledged": "2",
    "binding": "wish",
}


@pytest.fixture
def desk(cast, site):
    browser = site.of(cast.actors["coordinator"])
    browser.see(HERE)
    return browser


def made(ctx, cast):
    return partnerships.desk(ctx, cast.actors["coordinator"]).found[0].partnership


def test_the_first_one_is_asked_for_and_then_listed_with_its_progress(ctx, cast, desk):
    assert "hiện ở đây" in desk.see(HERE).text
    page = desk.submit(HERE, FIELDS, follow_redirects=True)
    row = page.text.split("<tbody>")[1].split("</tbody>")[0]
    assert ("Long Biên" in row, "THCS A" in row, "Ưu tiên" in row) == (True, True, True)
    assert "1 cặp chưa đủ số tiết đã hứa" in page.text


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(ctx, cast, desk):
    page = desk.submit(HERE, FIELDS | {"lessons_pledged": "nhiều", "receiving_unit": ""})
    assert page.status_code == 422
    assert 'value="nhiều"' in page.text
    assert 'value="wish" checked' in page.text
    assert re.search(r'id="receiving_unit"[^>]*aria-invalid="true"', page.text)
    assert partnerships.desk(ctx, cast.actors["coordinator"]).found == ()


def test_a_change_over_a_change_is_refused_with_what_it_is_now(ctx, cast, desk):
    desk.submit(HERE, FIELDS)
    path = f"{HERE}/{made(ctx, cast).id}"
    seen = re.search(r'name="seen" value="([^"]+)"', desk.see(path).text)[1]
    assert desk.submit(path, FIELDS | {"seen": seen, "binding": "rule"}).status_code == 303
    page = desk.submit(path, FIELDS | {"seen": seen, "lessons_pledged": "50"})
    assert page.status_code == 409
    assert 'value="50"' in page.text
    assert made(ctx, cast).terms.lessons_pledged == 40


def test_an_ended_one_leaves_its_lessons(ctx, cast, desk):
    desk.submit(HERE, FIELDS)
    path = f"{HERE}/{made(ctx, cast).id}"
    assert desk.submit(f"{path}/remove").status_code == 409  # of who has not looked
    seen = re.search(r'name="seen" value="([^"]+)"', desk.see(path).text)[1]
    page = desk.submit(f"{path}/remove", {"seen": seen}, follow_redirects=True)
    assert "không còn là một cặp" in page.text
    assert partnerships.desk(ctx, cast.actors["coordinator"]).found == ()
