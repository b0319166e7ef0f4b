"""The page of a draft that no search made, and of one that a pin stands in the way of."""

from scheduler.services import pins, publications
from tests.planning import A1, A2, draft, publish, timetable


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
