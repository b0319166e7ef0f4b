"""The page of a draft that no search made, and of one that a pin stands in the way of."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.plans import ChangeKind, Fix, FixKind, Gap
from scheduler.services import pins, plans, publications, runs
from scheduler.store import addresses, tables
from tests.planning import A1, A2, B1, draft, publish, timetable
from tests.web import cast_desk as desk


def lines(ctx, cast, plan_id):
    return plans.preview(ctx, cast.actors["coordinator"], plan_id).lines


def test_a_pinned_lesson_stands_in_the_way_and_says_whose_it_is(ctx, cast, site):
    coordinator = cast.actors["coordinator"]
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    lesson = timetable(ctx, cast)[0]
    pins.put(ctx, coordinator, [lesson.id], "hẹn với cô hiệu trưởng", None)
    other = draft(ctx, cast, (*A1[:3], "teacher2"), A2)
    browser = site.of(coordinator)
    page = browser.see(f"/coordinator/plans/{other}")
    assert "hẹn với cô hiệu trưởng · Cô coordinator" in page.text
    assert "btn go" not in page.text
    pins.remove(ctx, coordinator, [lesson.id])
    page = browser.see(f"/coordinator/plans/{other}")
    assert "hẹn với" not in page.text
    assert page.text.count("btn go") == 1


def test_a_draft_without_a_search_claims_no_bound(ctx, cast, site):
    coordinator = cast.actors["coordinator"]
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    undone = publications.undo(ctx, coordinator, publications.of_term(
        ctx, coordinator, cast["term"]
    )[0].publication.id)  # fmt: skip
    browser = site.of(coordinator)
    page = browser.see(f"/coordinator/plans/{undone.plan_id}")
    assert "Lập bằng tay, không qua tìm kiếm" in page.text
    assert "Cận dưới" not in page.text.split("worth")[1]
    listed = browser.see("/coordinator/matching").text
    assert ">–</td>" in listed.split(f"/coordinator/plans/{undone.plan_id}")[0]


def tick(page, *left):
    """The form of the lines as it would be sent, without these lines ticked."""
    shown = re.findall(r'name="shown" value="([^"]+)"', page.text)
    seen = re.search(r'name="seen" value="([^"]+)"', page.text)[1]
    kept = [line for n, line in enumerate(shown) if n not in left]
    return {"seen": seen, "shown": shown, "line": kept}


def test_what_is_left_unticked_stays_as_it_is_published(ctx, cast, site):
    first, then, other = (
        (*A1[:2], 505, "teacher1"),
        (*A2[:2], 505, "teacher1"),
        (*B1[:3], "teacher2"),
    )
    publish(ctx, cast, draft(ctx, cast, first, then))
    both = draft(ctx, cast, first, (*then[:3], "teacher2"), other)
    browser = site.of(cast.actors["coordinator"])
    page = browser.see(f"/coordinator/plans/{both}")
    adds = [line.kind is ChangeKind.ADDED for line in lines(ctx, cast, both)]
    fields = tick(page, adds.index(True))
    answer = browser.submit(f"/coordinator/plans/{both}/accept", fields)
    made = int(answer.headers["location"].rsplit("/")[-1])
    assert made != both
    assert [line.kind for line in lines(ctx, cast, made)] == [ChangeKind.RESTAFFED]


def test_leaving_nothing_out_is_refused_in_words_and_keeps_the_ticks(ctx, cast, site):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    both = draft(ctx, cast, (*A1[:3], "teacher2"), A2, B1)
    browser = site.of(cast.actors["coordinator"])
    page = browser.see(f"/coordinator/plans/{both}")
    path = f"/coordinator/plans/{both}/accept"
    same = browser.submit(path, tick(page))
    assert same.status_code == 422
    assert "Hãy bỏ dấu ở những dòng muốn giữ" in same.text
    none = browser.submit(path, tick(page, 0, 1))
    assert none.status_code == 422
    assert "checked" not in none.text.split("<tbody>")[1].split("</tbody>")[0]


def test_lines_that_changed_while_she_looked_are_shown_anew(ctx, cast, site):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    both = draft(ctx, cast, (*A1[:3], "teacher2"), A2, B1)
    browser = site.of(cast.actors["coordinator"])
    page = browser.see(f"/coordinator/plans/{both}")
    publish(ctx, cast, draft(ctx, cast, A1, A2, B1))
    answer = browser.submit(f"/coordinator/plans/{both}/accept", tick(page, 0))
    assert answer.status_code == 409
    assert "Lịch dạy đã thay đổi trong lúc đang xem" in answer.text


def test_who_is_told_is_named_with_the_way_and_whom_to_call(ctx, cast, site):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    other = draft(ctx, cast, (*A1[:3], "teacher2"), A2)
    with ctx.transaction() as db:
        addresses.mark(
            db, cast["person_teacher2"], cast.actors["teacher2"].email, "no such user", ctx.now()
        )
    browser = site.of(cast.actors["coordinator"])
    page = browser.see(f"/coordinator/plans/{other}/told")
    urgent, told = page.text.split('id="sure-h"')
    assert ("Cô teacher2" in urgent, "no such user" in urgent) == (True, True)
    assert "Cô teacher1" in told
    assert "Cô teacher2" in browser.see(f"/coordinator/plans/{other}").text.split("<aside")[1]


def test_a_school_without_a_contact_is_told_by_telephone(ctx, cast, site):
    publish(ctx, cast, draft(ctx, cast, A1))
    other = draft(ctx, cast, A1, B1)
    with ctx.transaction() as db:
        db.execute(sa.delete(tables.grants).where(tables.grants.c.school_id == cast["B"]))
    page = site.of(cast.actors["coordinator"]).see(f"/coordinator/plans/{other}/told")
    assert "Không ai được báo" in page.text.split('id="sure-h"')[0]


def test_a_run_may_be_told_how_much_it_may_change(ctx, cast, site):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    browser = site.of(cast.actors["coordinator"])
    fields = {
        "seconds": "30",
        "seed": "1",
        "most_lessons": "4",
        "most_teachers": "",
        "from_day": "",
    }
    assert browser.submit("/coordinator/matching", fields | {"from_day": "1"}).status_code == 422
    assert browser.submit("/coordinator/matching", fields).status_code == 303
    run = runs.latest(ctx, cast.actors["coordinator"], cast["term"])
    assert (run.scope.most_lessons, run.scope.most_teachers, run.scope.from_day) == (4, None, None)


SLOT = Fix(FixKind.SLOT, 1, weekday=3, start=505, end=550, free=7)


def lacking(ctx, cast, fix):
    gap = Gap(cast["request_7A"], A1[1] - timedelta(days=2), 1, {"free": 1}, (), (fix,))
    plan_id = desk.draft(ctx, cast, desk.at(cast, A1[1]), gaps=(gap,))
    return f"/coordinator/plans/{plan_id}/gaps/{cast['request_7A']}/ask?kind={fix.kind}"


@pytest.mark.parametrize(
    ("fix", "who", "words"),
    [
        (SLOT, "schoolA", "Nếu lớp 7A học thêm được vào Thứ Năm, sáng tiết 2 (08:25)"),
        (
            Fix(FixKind.WEEK_LIMIT, 1, 1, limit=5),
            "teacher1",
            "Nếu Cô teacher1 nhận 5 tiết mỗi tuần: đủ",
        ),
    ],
)
def test_whoever_could_mend_a_gap_is_asked_in_words_to_start_from(ctx, cast, site, fix, who, words):
    path = lacking(ctx, cast, fix)
    browser = site.of(cast.actors["coordinator"])
    plan = browser.see(path.partition("/gaps/")[0])
    assert path in plan.text.replace("&amp;", "&")
    page = browser.see(path)
    assert cast.actors[who].name in page.text.split("</h1>")[0]
    written = page.text.split("<textarea")[1].split("</textarea>")[0]
    assert words in written
    assert "<span" not in written


def test_a_way_that_the_plan_does_not_have_is_not_asked_for(ctx, cast, site):
    path = lacking(ctx, cast, SLOT)
    browser = site.of(cast.actors["coordinator"])
    gone = browser.see(path.replace("slot", "room"), follow_redirects=True)
    assert (gone.status_code, gone.url.path) == (200, path.partition("/gaps/")[0])
    assert "không còn cách ấy" in gone.text
    assert browser.see(path.replace("slot", "nothing")).status_code in (404, 422)
    assert site.of(cast.actors["teacher1"]).see(path).status_code == 404
