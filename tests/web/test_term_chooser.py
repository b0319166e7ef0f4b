"""While one term runs and the next is added, each page of plans says which it is about."""

from dataclasses import replace
from datetime import date

import pytest

from scheduler.domain.runs import RunId
from scheduler.services import availability, requests, runs, terms
from tests.web.cast_desk import at, draft, plain, publish
from tests.web.test_availability_page import form
from tests.web.test_hours_page import form as bells
from tests.web.test_hours_page import hidden
from tests.web.test_two_terms import DECEMBER, HK2, WEDNESDAYS, add

PAGES = {
    "coordinator": (
        "/coordinator/term", "/coordinator/matching", "/coordinator/demand",
        "/coordinator/readiness", "/coordinator/matching/compare", "/coordinator/publications",
        "/coordinator/schools/{A}/profile",
    ),
    "schoolA": ("/school/requests",),
    "teacher1": ("/teacher/availability",),
}  # fmt: skip
BOTH = [(who, path) for who, paths in PAGES.items() for path in paths]


@pytest.fixture
def both(ctx, cast, clock):
    """The old term runs in December, the new one lies ahead: their numbers."""
    publish(ctx, cast, *(at(cast, day) for day in WEDNESDAYS))
    clock.at = DECEMBER
    return cast["term"], add(ctx, cast)


def chosen(page):
    """The name of the chooser that is not a link."""
    _, _, rest = page.text.partition("Học kỳ nào")
    return rest.partition('aria-current="page">')[2].partition("<")[0]


@pytest.mark.parametrize(("who", "path"), BOTH)
def test_a_page_of_plans_shows_the_term_that_was_chosen(cast, site, both, who, path):
    old, new = both
    browser, path = site.of(cast.actors[who]), path.format(A=cast["A"])
    assert chosen(browser.see(path)) == chosen(browser.see(f"{path}?term={new}")) == "Học kỳ II"
    page = browser.see(f"{path}?term={old}")
    assert page.status_code == 200
    assert chosen(page) == "Học kỳ I"


@pytest.mark.parametrize(("who", "path"), BOTH)
def test_with_one_term_there_is_nothing_to_choose(cast, site, who, path):
    page = site.of(cast.actors[who]).see(path.format(A=cast["A"]))
    assert "Học kỳ nào" not in page.text
    assert "term=" not in page.text.replace(f"?term={cast['term']}", "")


@pytest.mark.parametrize(("who", "path"), BOTH)
def test_a_foreign_term_is_as_if_there_was_none(ctx, cast, site, both, who, path):
    browser, path = site.of(cast.actors[who]), path.format(A=cast["A"])
    foreign = browser.see(f"{path}?term={terms.add(ctx, cast.actors['stranger'], 'X', HK2)}")
    unknown = browser.see(f"{path}?term=99999")
    assert foreign.status_code == unknown.status_code == 404
    assert plain(foreign) == plain(unknown)


def test_a_run_is_of_the_term_that_its_page_showed(ctx, cast, site, both):
    old, _ = both
    desk = site.of(cast.actors["coordinator"])
    path = f"/coordinator/matching?term={old}"
    page = desk.see(path)
    assert f'action="{path}"' in page.text
    begun = desk.submit(path, {"seconds": "10", "seed": "1"})
    assert begun.headers["location"] == path
    run = runs.latest(ctx, cast.actors["coordinator"], old)
    assert run is not None
    assert "máy tìm" in plain(desk.see(path)).lower() or run.open
    runs.cancel(ctx, cast.actors["coordinator"], RunId(run.id))


def ask_for_january(cast, school, term):
    """A lesson a week for 7A, on Mondays in the first period."""
    path = f"/school/requests?term={term}"
    school.see(path)
    asked = school.submit(
        path,
        {
            "school": str(cast["A"]), "class_name": "7A", "lessons_per_week": "1",
            "first_day": "15/01/2024", "last_day": "31/05/2024", "priority": "1",
            "slot-0-450": "1",
        },
    )  # fmt: skip
    assert asked.status_code == 303, plain(asked)
    return asked


def test_requests_of_the_new_term_do_not_appear_in_the_old_one(ctx, cast, site, both):
    old, new = both
    me, school = cast.actors["schoolA"], site.of(cast.actors["schoolA"])
    before = requests.desk(ctx, me, cast["A"], old)
    asked = ask_for_january(cast, school, new)
    assert asked.headers["location"].endswith(f"term={new}")
    assert [x.request for x in requests.desk(ctx, me, cast["A"], old).lines] == [
        x.request for x in before.lines
    ]
    [line] = requests.desk(ctx, me, cast["A"], new).lines
    assert line.request.class_name == "7A"
    assert requests.desk(ctx, me, cast["A"]).lines == (line,)


def test_a_request_of_the_old_term_is_changed_in_the_old_term(ctx, cast, site, both):
    old, _ = both
    me, school = cast.actors["schoolA"], site.of(cast.actors["schoolA"])
    found = requests.desk(ctx, me, cast["A"], old).lines[0].request
    assert chosen(school.see(f"/school/requests/{found.id}/change")) == "Học kỳ I"
    done = school.submit(f"/school/requests/{found.id}/withdraw", {})
    assert done.headers["location"].endswith(f"&term={old}")


def test_a_pasted_list_is_of_the_term_that_its_page_showed(ctx, cast, site, both):
    old, new = both
    school = site.of(cast.actors["schoolA"])
    path = f"/school/requests/paste?term={new}"
    assert f'action="{path}"' in school.see(path).text
    rows = "7A\t1\t15/01/2024\t31/05/2024\tT4 sáng tiết 1\t"
    shown = school.submit(path, {"school": str(cast["A"]), "rows": rows})
    assert shown.status_code == 200, plain(shown)
    assert f'formaction="/school/requests/paste/save?term={new}"' in shown.text
    refused = school.submit(f"/school/requests/paste?term={old}",
                            {"school": str(cast["A"]), "rows": rows})  # fmt: skip
    assert 'value="all"' not in refused.text  # its days are not of that term


def test_hours_are_of_the_term_that_their_page_showed(ctx, cast, site, both):
    old, new = both
    teacher = site.of(cast.actors["teacher1"])
    before = availability.desk(ctx, cast.actors["teacher1"], old).pledge
    path = f"/teacher/availability?term={new}"
    page = teacher.see(path)
    assert f'action="{path}"' in page.text
    monday = form(page.text, **{"0m": "yes"}, level=["lower_secondary"])
    saved = teacher.submit(path, monday)
    assert saved.headers["location"] == f"/teacher/availability?saved=yes&day=2&term={new}"
    me = cast.actors["teacher1"]
    kept = {term: availability.desk(ctx, me, term).pledge for term in both}
    assert {window.weekday for window in kept[new].windows} == {0}
    assert kept[old].windows == before.windows


def test_a_draft_of_the_old_term_is_published_while_the_new_one_is_there(ctx, cast, site, both):
    old, new = both
    plan = draft(ctx, cast, *(at(cast, day, teacher=2) for day in WEDNESDAYS))
    desk = site.of(cast.actors["coordinator"])
    assert f"/coordinator/plans/{plan}" in desk.see(f"/coordinator/matching?term={old}").text
    assert f"/coordinator/plans/{plan}" not in desk.see(f"/coordinator/matching?term={new}").text
    page = desk.see(f"/coordinator/plans/{plan}")
    assert f"/coordinator/matching?term={old}" in page.text
    seen = page.text.partition('name="seen" value="')[2].partition('"')[0]
    fields = {"seen": seen} if seen else {}
    fields |= {
        "fingerprint": page.text.partition('name="fingerprint" value="')[2].partition('"')[0]
    }
    done = desk.submit(f"/coordinator/plans/{plan}/publish", fields)
    assert done.status_code == 303, plain(done)
    told = plain(desk.see(f"/coordinator/publications?term={old}"))
    assert f"Phương án {plan}" in told
    assert f"Phương án {plan}" not in plain(desk.see(f"/coordinator/publications?term={new}"))


def test_plans_of_two_terms_are_not_compared(ctx, cast, site, both):
    old, new = both
    plan = draft(ctx, cast, at(cast, WEDNESDAYS[-1], teacher=2))
    desk = site.of(cast.actors["coordinator"])
    assert chosen(desk.see(f"/coordinator/matching/compare?plan={plan}")) == "Học kỳ I"
    path = f"/coordinator/matching/compare?plan={plan}&term="
    assert desk.see(f"{path}{old}").status_code == 200
    assert desk.see(f"{path}{new}").status_code == 404


def test_a_term_that_is_over_is_read_and_not_changed(ctx, cast, site, both, clock):
    old, _ = both
    found = requests.desk(ctx, cast.actors["schoolA"], cast["A"], old).lines[0].request
    clock.at = clock.at.replace(year=2024, month=1, day=20)
    desk, school = site.of(cast.actors["coordinator"]), site.of(cast.actors["schoolA"])
    page = desk.see(f"/coordinator/matching?term={old}")
    assert "Học kỳ I (đã kết thúc)" in plain(page)
    assert "Học kỳ này đã kết thúc" in plain(page)
    assert 'name="seconds"' not in page.text
    path = f"/coordinator/matching?term={old}"
    refused = desk.submit(path, {"seconds": "10", "seed": "1"})
    assert refused.status_code == 409
    assert "Học kỳ I đã kết thúc" in plain(refused)
    taken = school.submit(f"/school/requests/{found.id}/withdraw", {})
    assert taken.status_code == 409
    left = requests.desk(ctx, cast.actors["schoolA"], cast["A"], old).lines
    assert found in [line.request for line in left]


def test_today_names_the_term_that_waits_and_how_the_next_one_stands(ctx, cast, site, both):
    _, new = both
    page = site.of(cast.actors["coordinator"]).see("/coordinator")
    assert "Học kỳ II còn ở phía trước" in plain(page)
    assert f'href="/coordinator/readiness?term={new}"' in page.text
    assert "Chưa công bố gì cho" not in plain(page)


def test_what_is_planned_ahead_follows_the_bells_too(ctx, cast, site, both):
    _, new = both
    me, school = cast.actors["schoolA"], site.of(cast.actors["schoolA"])
    ask_for_january(cast, school, new)
    [line] = requests.desk(ctx, me, cast["A"], new).lines
    ahead = replace(cast, ids={**cast.ids, "term": new, "request_7A": line.request.id})
    publish(ctx, ahead, at(ahead, date(2024, 1, 15)))
    school.see("/school/hours")
    seen = school.submit("/school/hours", bells(cast, from_day="11/12/2023"))
    assert "1 tiết của học kỳ sắp tới" in plain(seen)
    assert school.submit("/school/hours", hidden(seen)).status_code == 303
    [line] = requests.desk(ctx, me, cast["A"], new).lines
    assert [(x.start, x.end) for x in line.request.slots] == [(460, 505)]  # 07:40–08:25
