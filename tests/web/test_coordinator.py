"""The coordinator's desk: the programme, the engine, plans, publishing."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.domain.lessons import LessonState
from scheduler.domain.plans import Fix, FixKind, Gap, PlanState
from scheduler.services import lessons, plans, runs
from scheduler.services.weights import DEFAULTS
from scheduler.store import tables
from tests.cast import FIRST
from tests.web import cast_desk as desk
from tests.web.cast_desk import THU, WED

PAGES = (
    "/coordinator/term", "/coordinator/matching", "/coordinator", "/coordinator/messages",
    "/coordinator/matching/weights", "/coordinator/messages/1", "/coordinator/addresses",
    "/coordinator/write",
)  # fmt: skip


def heading(page) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.S)
    return found[1].strip() if found else ""


def plain(page) -> str:
    """What the page says, its commas where they belong."""
    return desk.plain(page).replace(" ,", ",").replace(" :", ":")


@pytest.fixture
def coordinator(site, cast):
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def timetable(ctx, cast):
    return desk.publish(ctx, cast, desk.at(cast, WED), desk.at(cast, WED, klass="8B", teacher=2))


def seen(page) -> str:
    """The fingerprint that the page's button posts."""
    return re.search(r'name="seen" value="([^"]+)"', page.text)[1]


# -- the term at a glance


def test_the_overview_says_the_databases_own_figures(cast, coordinator, timetable):
    page = coordinator.see("/coordinator/term")
    assert re.findall(r"\d+", heading(page)) == ["2", "26"]
    assert re.findall(r'class="fig"><b>(\S+)</b>', page.text) == [
        "2", "2", "2", "2", "1", "2", "2", "0",
    ]  # fmt: skip
    assert f'href="/coordinator/schools/{cast["A"]}"' in page.text
    assert page.text.count('class="btn go"') == 1


def test_the_next_step_follows_the_state_of_the_programme(ctx, cast, coordinator, clock):
    def step() -> str:
        return re.search(
            r'class="btn go" href="([^"]+)"', coordinator.see("/coordinator/term").text
        )[1]

    assert step() == "/coordinator/matching"
    first = desk.draft(ctx, cast, desk.at(cast, WED))
    assert step() == f"/coordinator/plans/{first}"
    plans.publish(
        ctx, cast.actors["coordinator"], first,
        plans.preview(ctx, cast.actors["coordinator"], first).fingerprint,
    )  # fmt: skip
    assert step() == "/coordinator/matching"
    clock.forward(minutes=5)
    second = desk.draft(ctx, cast, desk.at(cast, THU))
    assert step() == f"/coordinator/plans/{second}"


def test_a_schools_week_is_there_for_the_coordinator(ctx, cast, coordinator, timetable):
    page = coordinator.see(f"/coordinator/schools/{cast['A']}?week=2023-10-04")
    assert page.text.count('<article class="half">') == 1
    lesson = desk.lesson_of(ctx, cast)
    path = f"/coordinator/lessons/{lesson.id}/call-off"
    assert path in page.text
    assert coordinator.see(path).status_code == 200
    done = coordinator.submit(path, {"reason": "Bão"})
    assert done.headers["location"] == f"/coordinator/schools/{cast['A']}?week=2023-10-04"
    assert desk.lesson_of(ctx, cast).state is LessonState.CANCELLED


@pytest.mark.parametrize("who", ["teacher1", "schoolA"])
def test_other_roles_find_none_of_these_pages(ctx, site, cast, timetable, who):
    visitor = site.of(cast.actors[who])
    lesson = desk.lesson_of(ctx, cast)
    paths = (
        *PAGES,
        f"/coordinator/schools/{cast['A']}",
        f"/coordinator/plans/{timetable}",
        f"/coordinator/lessons/{lesson.id}/call-off",
    )
    assert [visitor.see(path).status_code for path in paths] == [404] * len(paths)
    posts = (
        "/coordinator/matching",
        "/coordinator/messages/pause",
        "/coordinator/messages/news/hold",
        "/coordinator/messages/1/stop",
        "/coordinator/addresses/1/correct",
        "/coordinator/write/send",
        f"/coordinator/plans/{timetable}/publish",
        "/coordinator/matching/weights",
        "/coordinator/matching/weights/reset",
    )
    assert [visitor.submit(path).status_code for path in posts] == [404] * len(posts)
    assert desk.count(ctx, tables.runs) == 0


def test_the_coordinator_of_another_programme_finds_nothing_of_this_one(ctx, site, cast, timetable):
    other = site.of(cast.actors["stranger"])
    run_id = desk.add_run(ctx, cast, "running", ctx.now())
    lesson = desk.lesson_of(ctx, cast)
    paths = (
        f"/coordinator/schools/{cast['A']}",
        f"/coordinator/plans/{timetable}",
        f"/coordinator/matching/runs/{run_id}",
        f"/coordinator/lessons/{lesson.id}/call-off",
    )
    assert [other.see(path).status_code for path in paths] == [404] * 4
    posts = (
        f"/coordinator/plans/{timetable}/publish",
        f"/coordinator/matching/runs/{run_id}/stop",
        f"/coordinator/matching/runs/{run_id}/cancel",
        f"/coordinator/lessons/{lesson.id}/call-off",
    )
    assert [other.submit(path, {"reason": "x"}).status_code for path in posts] == [404] * 4


# -- the engine


def test_a_run_is_queued_with_its_limit_and_seed_and_only_one_at_a_time(ctx, cast, coordinator):
    coordinator.see("/coordinator/matching")
    asked = {"seconds": "60", "seed": "7"}
    assert coordinator.submit("/coordinator/matching", asked).status_code == 303
    run = runs.latest(ctx, cast.actors["coordinator"], cast["term"])
    assert (run.seconds_limit, run.seed) == (60.0, 7)
    again = coordinator.submit("/coordinator/matching", asked)
    assert again.status_code == 409
    assert 'id="run"' in again.text
    assert desk.count(ctx, tables.runs) == 1


def test_an_odd_limit_is_refused_and_what_was_typed_stays(ctx, cast, coordinator):
    page = coordinator.submit("/coordinator/matching", {"seconds": "99999", "seed": "12x"})
    assert page.status_code == 422
    assert 'value="12x"' in page.text
    assert 'role="alert"' in page.text
    assert desk.count(ctx, tables.runs) == 0


def test_an_open_run_asks_for_itself_until_it_has_ended(ctx, cast, coordinator):
    figures = {"elapsed": 15.2, "cost": 1899.4, "taught": 20, "requested": 26}
    run_id = desk.add_run(ctx, cast, "running", ctx.now(), **figures)
    path = f"/coordinator/matching/runs/{run_id}"
    fragment = coordinator.see(path, headers={"hx-request": "true"})
    assert fragment.text.lstrip().startswith("<section")
    assert f'hx-get="{path}" hx-trigger="every 2s"' in fragment.text
    assert re.findall(r"<b>(\S+)</b>", fragment.text) == ["20", "1.899"]
    whole = coordinator.see(path)
    assert "<noscript><meta" in whole.text
    assert "<!doctype html>" in whole.text
    with ctx.transaction() as db:
        db.execute(tables.runs.update().values(state="cancelled"))
    ended = coordinator.see(path, headers={"hx-request": "true"})
    assert "hx-trigger" not in ended.text
    assert 'hx-swap-oob="innerHTML:#status"' in ended.text


HISTORY = [[0.2, 9000.0, 0], [1.0, 2600.0, 900.0], [9.0, 1950.0, 1400.0], [15.2, 1900.0, 1425.0]]
FIGURES = {
    "elapsed": 15.2, "cost": 1900.0, "taught": 20, "requested": 26, "bound": 1425.0,
    "moves_per_second": 51234.5, "history": HISTORY,
}  # fmt: skip


def buttons(page) -> set[str]:
    return set(re.findall(r'action="/coordinator/matching/runs/\d+/(\w+)"', page.text))


def test_a_running_run_shows_what_is_proved_and_how_cost_and_bound_went(ctx, cast, coordinator):
    desk.add_run(ctx, cast, "running", ctx.now(), **FIGURES)
    page = coordinator.see("/coordinator/matching")
    figures = re.findall(r'class="fig"><b>([^<]+)</b>', page.text)
    assert figures == ["20", "1.900", "25\N{NO-BREAK SPACE}%", "51.234"]
    title = re.search(r"<title id=\"course\">([^<]*)</title>", page.text)[1]
    assert re.findall(r"[\d.]*\d", title) == ["9.000", "1.900", "15", "1.425"]
    assert page.text.count('<path class="bound"') == page.text.count('<path class="cost"') == 1
    assert buttons(page) == {"stop", "cancel"}
    assert "<details" not in page.text  # it would close every two seconds


def test_a_run_that_proved_nothing_yet_shows_no_gap(ctx, cast, coordinator):
    started = FIGURES | {"bound": 0.0, "history": [[0.2, 9000.0, 0], [1.0, 2600.0, 0]]}
    desk.add_run(ctx, cast, "running", ctx.now(), **started)
    page = coordinator.see("/coordinator/matching")
    assert re.findall(r'class="fig"><b>([^<]+)</b>', page.text) == ["20", "1.900", "51.234"]
    assert 'class="bound"' not in page.text


@pytest.mark.parametrize("wish", ["stop", "cancel"])
def test_a_run_can_be_stopped_with_a_plan_and_without(ctx, cast, coordinator, wish):
    run_id = desk.add_run(ctx, cast, "running", ctx.now(), **FIGURES)
    coordinator.see("/coordinator/matching")
    done = coordinator.submit(f"/coordinator/matching/runs/{run_id}/{wish}")
    assert done.status_code == 303
    run = runs.get(ctx, cast.actors["coordinator"], run_id)
    assert (run.stop_asked, run.cancel_asked) == (wish == "stop", wish == "cancel")
    page = coordinator.see("/coordinator/matching")
    assert buttons(page) == ({"cancel"} if wish == "stop" else set())


def test_a_waiting_run_has_nothing_to_keep_and_can_only_be_called_off(ctx, cast, coordinator):
    desk.add_run(ctx, cast, "queued", ctx.now())
    assert buttons(coordinator.see("/coordinator/matching")) == {"cancel"}


def test_a_run_that_has_ended_cannot_be_stopped_any_more(ctx, cast, coordinator):
    run_id = desk.add_run(ctx, cast, "cancelled", ctx.now())
    page = coordinator.see("/coordinator/matching")
    assert buttons(page) == set()
    for wish in ("stop", "cancel"):
        done = coordinator.submit(f"/coordinator/matching/runs/{run_id}/{wish}")
        back = f"/coordinator/matching?term={cast['term']}"
        assert (done.status_code, done.headers["location"]) == (303, back)


@pytest.mark.parametrize(
    ("stopped", "heading"),
    [(False, "Đã tìm được phương án"), (True, "Đã dừng: phương án tốt nhất tìm được vẫn giữ")],
)
def test_an_ended_run_leads_to_its_draft_and_tells_its_course_in_numbers(
    ctx, cast, coordinator, stopped, heading
):
    plan_id = desk.draft(ctx, cast, desk.at(cast, WED))
    run_id = desk.add_run(
        ctx, cast, "done", ctx.now(), plan_id=plan_id, stop_asked=stopped, **FIGURES
    )
    page = coordinator.see(f"/coordinator/matching/runs/{run_id}")
    assert heading in page.text
    assert f'href="/coordinator/plans/{plan_id}"' in page.text
    rows = re.findall(r'<td class="num">([^<]+)</td>', page.text)
    assert rows[:3] == ["0,2", "9.000", "–"]
    assert rows[-3:] == ["15,2", "1.900", "1.425"]
    plan = coordinator.see(f"/coordinator/plans/{plan_id}")
    assert f'href="/coordinator/matching/runs/{run_id}"' in plan.text


def test_a_failed_run_says_why_in_the_readers_language(ctx, cast, coordinator):
    why = {"msgid": "Lessons that are pinned or past break rules together.", "values": {}}
    desk.add_run(ctx, cast, "failed", ctx.now(), error=why)
    page = coordinator.see("/coordinator/matching")
    assert "Các tiết đã ghim hoặc đã qua vi phạm quy tắc khi đi cùng nhau." in page.text


def test_what_a_failed_run_left_is_text_not_markup(ctx, cast, coordinator):
    desk.add_run(ctx, cast, "failed", ctx.now(), error={"msgid": "<b>100%</b> {x}", "values": {}})
    page = coordinator.see("/coordinator/matching")
    assert page.status_code == 200
    assert "&lt;b&gt;100%&lt;/b&gt;" in page.text


def test_plans_are_listed_with_cost_bound_and_gap(ctx, cast, coordinator, timetable):
    other = desk.draft(ctx, cast, desk.at(cast, THU))
    page = coordinator.see("/coordinator/matching")
    rows = re.findall(r"<tr.*?</tr>", page.text, re.S)[1:]
    assert [f"/coordinator/plans/{x}" in rows[n] for n, x in enumerate((other, timetable))] == [
        True,
        True,
    ]
    assert "1.250" in rows[0]
    assert "1.000" in rows[0]
    assert "20\N{NO-BREAK SPACE}%" in rows[0]


# -- plans


def test_a_plan_shows_its_difference_line_by_line(ctx, cast, coordinator, timetable):
    moved = desk.at(cast, THU, "08:25")
    weekly = [desk.at(cast, WED + timedelta(days=7 * n), klass="8B", teacher=1) for n in range(4)]
    plan_id = desk.draft(ctx, cast, moved, *weekly)
    page = coordinator.see(f"/coordinator/plans/{plan_id}")
    assert re.findall(r"\d+", heading(page)) == ["5"]
    rows = re.findall(r"<tr><td>.*?</tr>", page.text, re.S)
    assert len(rows) == 3
    by_sign = {re.search(r'aria-hidden="true">(.)</span>', row)[1]: row for row in rows}
    assert set(by_sign) == {"→", "⇄", "+"}
    assert "Thứ Tư 04/10" in by_sign["→"]
    assert "08:25–09:10" in by_sign["→"]
    assert "Cô teacher2" in by_sign["⇄"]
    assert "từ 11/10" in by_sign["+"]
    assert page.text.count("btn go") == 1


def test_a_plan_says_why_lessons_stay_without_a_teacher(ctx, cast, coordinator):
    gap = Gap(
        cast["request_7A"], WED - timedelta(days=2), 1,
        {"not_qualified": 120, "not_available": 67, "term_limit": 16},
    )  # fmt: skip
    plan_id = desk.draft(ctx, cast, desk.at(cast, WED), gaps=(gap,))
    page = coordinator.see(f"/coordinator/plans/{plan_id}")
    sentence = re.search(r"203 .*?16 [^<]*", page.text)[0]
    assert re.findall(r"\d+", sentence) == ["203", "120", "67", "16"]
    assert "<details" not in page.text


def test_a_plan_says_what_would_cover_a_class_once_for_all_its_weeks(ctx, cast, coordinator):
    monday, request = WED - timedelta(days=2), cast["request_7A"]
    slot = Fix(FixKind.SLOT, 2, weekday=3, start=505, end=550, free=7)
    window = Fix(FixKind.WINDOW, 1, cast["teacher1"], 1, 500, 535)
    limit = Fix(FixKind.WEEK_LIMIT, 3, cast["teacher2"], limit=5)
    gaps = tuple(
        Gap(request, monday + timedelta(days=7 * n), 1, {"free": 1, "not_available": 4},
            (cast["request_8B"],), fixes)
        for n, fixes in enumerate(((slot, window), (limit, window), (replace(slot, covers=3),)))
    )  # fmt: skip
    plan_id = desk.draft(ctx, cast, desk.at(cast, WED), gaps=gaps)
    text = plain(coordinator.see(f"/coordinator/plans/{plan_id}"))
    assert (
        "5 giáo viên: 4 bận giờ đó, 1 rảnh nhưng lớp khác cần hơn. "
        "Những người dạy được lúc ấy đang dạy 8B (THCS B)."
    ) in text
    assert (
        "Nếu lớp 7A học thêm được vào Thứ Năm, sáng tiết 2 (08:25), "
        "có 7 giáo viên dạy được: đủ 3 tiết còn thiếu. Hỏi trường, Lớp 7A "
        "Thử xem, Lớp 7A Nếu Cô teacher1 dạy thêm được vào Thứ Ba 08:20–08:55: được 1 trên 3 tiết. "
        "Hỏi Cô teacher1, Lớp 7A Thử xem, Lớp 7A Cách khác, Lớp 7A "
        "Nếu Cô teacher2 nhận 5 tiết mỗi tuần: đủ 3 tiết còn thiếu."
    ) in text


@pytest.mark.parametrize(
    ("covers", "missing", "free", "sentence"),
    [
        (1, 1, 1, "taught on Thursday, morning period 2 (08:25), one teacher could come: "
                  "this covers the lesson."),
        (5, 5, 7, "7 teachers could come: this covers all 5 lessons."),
        (1, 5, 7, "7 teachers could come: this covers one lesson of 5."),
        (2, 5, 7, "7 teachers could come: this covers 2 lessons of 5."),
    ],
)  # fmt: skip
def test_fixes_count_right_in_english(ctx, cast, coordinator, covers, missing, free, sentence):
    slot = Fix(FixKind.SLOT, covers, weekday=3, start=505, end=550, free=free)
    gap = Gap(cast["request_7A"], WED - timedelta(days=2), missing, {"free": 1}, (), (slot,))
    plan_id = desk.draft(ctx, cast, desk.at(cast, WED), gaps=(gap,))
    coordinator.submit("/language", {"language": "en"})
    text = plain(coordinator.see(f"/coordinator/plans/{plan_id}"))
    assert sentence in text
    assert "One teacher: 1 is free and needed more elsewhere." in text


ALL_FIXES = (
    Fix(FixKind.SLOT, 1, weekday=3, start=505, end=550),
    Fix(FixKind.WINDOW, 1, weekday=3, start=505, end=550),
    Fix(FixKind.DAY_LIMIT, 1), Fix(FixKind.WEEK_LIMIT, 1), Fix(FixKind.TERM_LIMIT, 1),
    Fix(FixKind.MAKE_UP, 1, day=THU, start=505, end=550), Fix(FixKind.ROOM, 1),
    Fix(FixKind.NEW_TEACHER, 1),
)  # fmt: skip


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_kind_of_fix_is_a_sentence_even_with_the_least_known(
    ctx, cast, coordinator, language
):
    gap = Gap(cast["request_7A"], WED - timedelta(days=2), 1, {"free": 1}, (), ALL_FIXES)
    plan_id = desk.draft(ctx, cast, desk.at(cast, WED), gaps=(gap,))
    coordinator.submit("/language", {"language": language})
    page = coordinator.see(f"/coordinator/plans/{plan_id}")
    cell = re.search(r"<td><div class=\"stack tight\">(.*?)</td>", page.text, re.S)[1]
    sentences = re.findall(r"<p>(.*?)</p>", cell, re.S)
    assert len(set(sentences)) == len(FixKind)
    assert "None" not in cell


def test_a_plan_says_what_it_costs_and_the_weights_it_was_made_with(ctx, cast, coordinator):
    chosen = replace(DEFAULTS, handover=90)
    terms = {"unmet": 24000.0, "handover": 180.0, "rank": 0.0, "load": 77.4}
    plan_id = desk.draft(ctx, cast, desk.at(cast, WED), weights=chosen, terms=terms)
    page = coordinator.see(f"/coordinator/plans/{plan_id}")
    bill = re.search(r"<table class=\"sm\">.*?</table>", page.text, re.S)[0]
    assert re.findall(r'<td class="num">([^<]+)</td>', bill) == ["24.000", "180", "77"]
    assert "25 tiết không có giáo viên" in bill
    assert "2 lần đổi giáo viên giữa chừng" in bill
    assert "90 thay vì 60 như thường lệ" in page.text


def test_a_plan_older_than_weights_says_nothing_of_them(ctx, cast, coordinator):
    page = coordinator.see(f"/coordinator/plans/{desk.draft(ctx, cast, desk.at(cast, WED))}")
    assert 'id="bill"' not in page.text
    assert 'id="weights"' not in page.text


def test_long_differences_come_in_pages_of_fifty(ctx, cast, coordinator):
    singles = [
        desk.at(cast, FIRST + timedelta(days=n), f"{6 + n // 6:02d}:{n % 6}0") for n in range(60)
    ]
    plan_id = desk.draft(ctx, cast, *singles)
    path = f"/coordinator/plans/{plan_id}"
    rows = [
        coordinator.see(f"{path}?page={page}").text.count('class="sign add"') for page in (1, 2, 9)
    ]
    assert rows == [51, 11, 11]  # one more each: the sum above the table
    assert f'href="{path}?page=2"' in coordinator.see(path).text
    assert coordinator.see(f"{path}?page=0").status_code == 422


def test_a_plan_is_published_as_it_was_seen_and_only_once(ctx, cast, coordinator):
    plan_id = desk.draft(ctx, cast, desk.at(cast, WED), desk.at(cast, WED, klass="8B", teacher=2))
    path = f"/coordinator/plans/{plan_id}"
    fields = {"seen": seen(coordinator.see(path))}
    first = coordinator.submit(f"{path}/publish", fields)
    assert (first.status_code, first.headers["location"]) == (303, path)
    second = coordinator.submit(f"{path}/publish", fields)
    assert second.status_code == 409
    assert desk.count(ctx, tables.publications) == 1
    assert desk.count(ctx, tables.lessons) == 2
    after = coordinator.see(path)
    assert 'name="seen"' not in after.text
    assert "btn go" not in after.text


def test_an_old_look_is_refused_with_the_new_difference(ctx, cast, coordinator, timetable):
    plan_id = desk.draft(ctx, cast, desk.at(cast, THU))
    path = f"/coordinator/plans/{plan_id}"
    old = seen(coordinator.see(path))
    lesson = desk.lesson_of(ctx, cast, "8B")
    lessons.call_off(ctx, cast.actors["coordinator"], lesson.id, "Mưa")
    refused = coordinator.submit(f"{path}/publish", {"seen": old})
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert re.findall(r"\d+", heading(refused)) == ["1"]
    assert seen(refused) != old
    assert desk.count(ctx, tables.publications) == 1
    again = coordinator.submit(f"{path}/publish", {"seen": seen(refused)})
    assert again.status_code == 303


def test_the_plan_before_can_be_published_again(ctx, cast, coordinator, timetable):
    desk.publish(ctx, cast, desk.at(cast, THU))
    path = f"/coordinator/plans/{timetable}"
    page = coordinator.see(path)
    done = coordinator.submit(f"{path}/publish", {"seen": seen(page)})
    assert done.status_code == 303
    found = plans.preview(ctx, cast.actors["coordinator"], timetable)
    assert (found.plan.state, found.changes) == (PlanState.PUBLISHED, 0)


def test_a_plan_that_changes_nothing_offers_no_button_and_says_why(
    ctx, cast, coordinator, timetable
):
    plan_id = desk.draft(ctx, cast, desk.at(cast, WED), desk.at(cast, WED, klass="8B", teacher=2))
    page = coordinator.see(f"/coordinator/plans/{plan_id}")
    assert 'aria-disabled="true"' in page.text
    assert 'name="seen"' not in page.text


# -- lists


@pytest.mark.parametrize("path", PAGES[:2])
def test_a_list_takes_as_many_queries_for_three_rows_as_for_one(ctx, cast, coordinator, path):
    desk.draft(ctx, cast, desk.at(cast, WED))
    coordinator.see(path)
    with desk.queries(ctx) as one:
        coordinator.see(path)
    for day in (WED, THU):
        desk.draft(ctx, cast, desk.at(cast, day))
        desk.ask(ctx, cast)
    with desk.queries(ctx) as three:
        coordinator.see(path)
    assert len(three) == len(one)


def test_a_plan_takes_as_many_queries_for_three_changes_as_for_one(ctx, cast, coordinator):
    small = desk.draft(ctx, cast, desk.at(cast, WED))
    large = desk.draft(
        ctx, cast, desk.at(cast, WED), desk.at(cast, THU, "08:25"),
        desk.at(cast, WED, klass="8B", teacher=2),
    )  # fmt: skip
    counts = []
    for plan_id in (small, large):
        with desk.queries(ctx) as made:
            coordinator.see(f"/coordinator/plans/{plan_id}")
        counts.append(len(made))
    assert counts[0] == counts[1]
