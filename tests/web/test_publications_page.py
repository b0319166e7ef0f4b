"""What was published, undoing it, and plans side by side."""

import re

from scheduler.services import pins, publications
from tests.planning import A1, A2, B1, WEDNESDAY, draft, publish, timetable
from tests.web import cast_desk as desk

HERE = "/coordinator/publications"


def undo(browser, publication_id):
    return browser.submit(f"{HERE}/{publication_id}/undo", {}, follow_redirects=True)


def newest(ctx, cast):
    return publications.newest(ctx, cast.actors["coordinator"], cast["term"])


def rows(page):
    return re.findall(r'<tr[^>]*><th scope="row">', page.text.split("</table>")[0])


def test_nothing_published_says_what_to_do_first(cast, site):
    page = site.of(cast.actors["coordinator"]).see(HERE)
    assert "Chưa công bố gì" in page.text
    assert 'href="/coordinator/matching"' in page.text


def test_each_publication_is_a_line_and_is_undone_by_a_draft(ctx, cast, site):
    one, then = ((*each[:2], 505, "teacher1") for each in (A1, A2))
    publish(ctx, cast, draft(ctx, cast, one, then))
    publish(ctx, cast, draft(ctx, cast, (*one[:3], "teacher2"), then))
    browser = site.of(cast.actors["coordinator"])
    page = browser.see(HERE)
    assert len(rows(page)) == 2
    assert "Đổi giáo viên 1" in page.text
    page = undo(browser, newest(ctx, cast))
    assert page.url.path.startswith("/coordinator/plans/")
    assert "Cô teacher1" in page.text
    assert [x.teacher_name for x in timetable(ctx, cast)] == ["Cô teacher2", "Cô teacher1"]


def test_what_undoing_leaves_alone_is_told_with_its_reason(ctx, cast, site):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    pins.put(ctx, cast.actors["coordinator"], [timetable(ctx, cast)[0].id], "đã hẹn", None)
    page = undo(site.of(cast.actors["coordinator"]), newest(ctx, cast))
    assert page.status_code == 200
    assert "Trả lại được 1 tiết" in page.text
    assert "đang được ghim" in page.text


def test_undoing_what_is_undone_is_refused_in_words(ctx, cast, site):
    publish(ctx, cast, draft(ctx, cast, A1))
    browser = site.of(cast.actors["coordinator"])
    first = newest(ctx, cast)
    publish(ctx, cast, publications.undo(ctx, cast.actors["coordinator"], first).plan_id)
    page = undo(browser, first)
    assert page.status_code == 409
    assert 'role="alert"' in page.text


def test_the_timetable_of_an_earlier_day_is_shown_by_school(ctx, cast, clock, site):
    publish(ctx, cast, draft(ctx, cast, A1, B1))
    clock.forward(days=1)
    publish(ctx, cast, draft(ctx, cast, A1))
    browser = site.of(cast.actors["coordinator"])
    page = browser.see(HERE, params={"on": "02/10/2023"})
    assert "2 tiết" in page.text
    school = timetable(ctx, cast)[0].school_name
    page = browser.see(HERE, params={"on": "02/10/2023", "school": school})
    assert "1 tiết" in page.text
    assert WEDNESDAY.strftime("%d/%m") in page.text


def test_a_day_that_is_none_is_refused_where_it_was_typed(ctx, cast, site):
    publish(ctx, cast, draft(ctx, cast, A1))
    page = site.of(cast.actors["coordinator"]).see(HERE, params={"on": "31/02/2023"})
    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text


def test_the_list_asks_as_often_for_one_publication_as_for_three(ctx, cast, site):
    browser = site.of(cast.actors["coordinator"])
    counts = []
    for n in range(3):
        publish(ctx, cast, draft(ctx, cast, (*A1[:3], f"teacher{1 + n % 2}"), A2))
        with desk.queries(ctx) as seen:
            browser.see(HERE)
        counts.append(len(seen))
    assert counts[0] == counts[2]


def test_plans_stand_side_by_side_with_what_each_would_change(ctx, cast, site):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    one, other = draft(ctx, cast, A1), draft(ctx, cast, A1, A2, B1)
    page = site.of(cast.actors["coordinator"]).see("/coordinator/matching/compare")
    assert "3 phương án cạnh nhau" in page.text
    drop, add = (
        re.search(rf"{word}</span></th>(.*?)</tr>", page.text)[1] for word in ("Bỏ", "Thêm")
    )
    assert re.findall(r">([^<>]+)</td>", add) == ["–", "1", "–"]
    assert re.findall(r">([^<>]+)</td>", drop) == ["–", "–", "1"]
    assert all(f'value="{each}" checked' in page.text for each in (one, other))


def test_no_more_than_four_plans_are_compared_and_a_foreign_one_is_not_there(ctx, cast, site):
    browser = site.of(cast.actors["coordinator"])
    ids = [draft(ctx, cast, A1) for _ in range(5)]
    page = browser.see("/coordinator/matching/compare", params={"plan": ids})
    assert "nhiều nhất 4 phương án" in page.text
    assert browser.see("/coordinator/matching/compare", params={"plan": 999}).status_code == 404
