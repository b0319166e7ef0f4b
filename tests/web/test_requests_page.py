"""The requests of a school: the list, asking, changing, what helps, pasting, taking back."""

import gzip
import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from scheduler.domain import requests as rules
from scheduler.domain.plans import Fix, FixKind, Gap
from scheduler.domain.requests import Slot
from scheduler.services import plans, requests
from scheduler.store import tables
from tests.cast import minutes
from tests.web import cast_desk as desk
from tests.web.cast_desk import THU, WED

NEW = {
    "class_name": "7A",
    "lessons_per_week": "1",
    "first_day": "09/10/2023",
    "last_day": "24/12/2023",
    "priority": "1",
    f"slot-2-{minutes('07:30')}": "2",
    f"slot-4-{minutes('09:20')}": "1",
}
MORE = Fix(FixKind.SLOT, 1, weekday=3, start=minutes("08:25"), end=minutes("09:10"), free=2)
MAKE_UP = Fix(FixKind.MAKE_UP, 1, day=date(2023, 10, 12), start=450, end=495)


@pytest.fixture
def timetable(ctx, cast):
    """Two lessons of 7A in the present week and one in the next; one of school B."""
    return desk.publish(
        ctx,
        cast,
        desk.at(cast, WED),
        desk.at(cast, THU, "08:25"),
        desk.at(cast, WED + timedelta(days=7)),
        desk.at(cast, WED, klass="8B", teacher=2),
    )


@pytest.fixture
def school(site, cast):
    return site.of(cast.actors["schoolA"])


def lack(ctx, cast, *fixes: Fix) -> None:
    """A timetable in which 7A lacks a lesson, with these ways out."""
    gap = Gap(cast["request_7A"], WED - timedelta(days=2), 1, {"free": 1}, (), fixes)
    plan_id = desk.draft(ctx, cast, gaps=(gap,))
    who = cast.actors["coordinator"]
    plans.publish(ctx, who, plan_id, plans.preview(ctx, who, plan_id).fingerprint)


class Forms(HTMLParser):
    """The forms of a page: where each goes, and what it sends when nothing is touched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.list = self.area = ""
        self.feed(text)

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in pairs}
        if tag == "form":
            self.found.append((given["action"], {}))
        elif tag == "select":
            self.list = given["name"]
            self.found[-1][1][self.list] = ""
        elif tag == "option" and "selected" in given:
            self.found[-1][1][self.list] = given["value"]
        elif tag == "textarea":
            self.area = given["name"]
            self.found[-1][1][self.area] = ""
        elif tag == "input" and (given.get("type") != "radio" or "checked" in given):
            self.found[-1][1][given["name"]] = given["value"]

    def handle_data(self, data: str) -> None:
        if self.area:
            self.found[-1][1][self.area] += data

    def handle_endtag(self, tag: str) -> None:
        self.area = "" if tag == "textarea" else self.area


def form_of(page, action: str = "/school/requests") -> tuple[str, dict[str, str]]:
    """The one form of the page with this address, whatever term it is for."""
    (found,) = [each for each in Forms(page.text).found if each[0].partition("?")[0] == action]
    return found


def said(page) -> str:
    """The page's words without its marks, in single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"</?span[^>]*>", "", page.text)).split())


def flash(page) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", re.search(
        r'role="status">(.*?)</div>\n', page.text, re.S)[1]).split())  # fmt: skip


def test_the_desk_shows_each_request_with_what_is_planned(ctx, cast, school, timetable):
    page = school.see("/school/requests")
    (line,) = requests.desk(ctx, cast.actors["schoolA"], cast["A"]).lines
    assert line.planned + line.missing == 13
    assert f"Thiếu {line.missing}" in page.text
    assert f"{line.planned}/13 tiết" in page.text
    assert "Cô teacher1" in page.text
    assert '<option value="7A">7A</option>' in page.text
    assert "8B" not in said(page)  # a form's token may hold such letters


def test_the_desk_says_why_lessons_are_missing_and_names_no_volunteer(ctx, cast, school, site):
    fixes = (
        Fix(FixKind.SLOT, 1, weekday=3, start=minutes("08:25"), end=minutes("09:10"), free=2),
        Fix(FixKind.WINDOW, 1, cast["teacher1"], 1, 500, 535),
        Fix(FixKind.WEEK_LIMIT, 1, cast["teacher2"], limit=37),
        Fix(FixKind.ROOM, 1, limit=2),
    )
    gap = Gap(
        cast["request_7A"], WED - timedelta(days=2), 1, {"free": 1, "not_qualified": 40},
        (cast["request_8B"],), fixes,
    )  # fmt: skip
    other = Gap(cast["request_8B"], WED - timedelta(days=2), 1, {"away": 99})
    plan_id = desk.draft(ctx, cast, gaps=(gap, other))
    assert "41 giáo viên" not in school.see("/school/requests").text  # a draft is nobody's business
    coordinator = cast.actors["coordinator"]
    seen = plans.preview(ctx, coordinator, plan_id)
    plans.publish(ctx, coordinator, plan_id, seen.fingerprint)
    page = school.see("/school/requests")
    text = page.text
    assert "41 giáo viên: 40 không dạy cấp này, 1 rảnh nhưng lớp khác cần hơn." in text
    assert "sáng tiết 2 (08:25), có 2 giáo viên dạy được" in text
    assert "Nếu một giáo viên dạy thêm được vào" in text
    assert "Nếu có giáo viên nhận thêm tiết mỗi tuần" in text
    assert "Nếu trường nhận được 2 tiết trực tuyến cùng lúc" in text
    for hidden in ("Cô teacher", "37 tiết", "8B", "THCS B", "99 giáo viên"):
        assert hidden not in said(page)
    assert "99 giáo viên" in site.of(cast.actors["schoolB"]).see("/school/requests").text


def test_what_has_been_filled_since_says_no_more_why_it_was_missing(ctx, cast, school):
    gap = Gap(cast["request_7A"], WED - timedelta(days=2), 1, {"away": 41})
    days = [WED + timedelta(days=7 * n) for n in range(13)]
    plan_id = desk.draft(ctx, cast, *(desk.at(cast, day) for day in days), gaps=(gap,))
    coordinator = cast.actors["coordinator"]
    plans.publish(
        ctx, coordinator, plan_id, plans.preview(ctx, coordinator, plan_id).fingerprint
    )  # fmt: skip
    assert "41 giáo viên" not in school.see("/school/requests").text


def test_a_request_is_taken_in_with_its_slots_by_preference(ctx, cast, school):
    school.see("/school/requests")
    done = school.submit("/school/requests", NEW | {"school": str(cast["A"])})
    assert (done.status_code, done.headers["location"]) == (
        303, f"/school/requests?school={cast['A']}",
    )  # fmt: skip
    new = desk.asked(ctx, cast)[-1]
    assert (new.class_name, new.lessons_per_week, new.priority) == ("7A", 1, 1)
    assert f"{new.first_day} {new.last_day}" == "2023-10-09 2023-12-24"
    early, late = minutes("07:30"), minutes("09:20")
    assert new.slots == (Slot(4, late, late + 45, 0), Slot(2, early, early + 45, 1))


def test_what_was_typed_stays_when_the_form_is_refused(ctx, cast, school):
    typed = NEW | {"school": str(cast["A"]), "last_day": "31/11/2023", "lessons_per_week": "2"}
    page = school.submit("/school/requests", typed)
    assert page.status_code == 422
    assert 'value="31/11/2023"' in page.text
    assert 'value="09/10/2023"' in page.text
    assert '<option value="7A" selected>' in page.text
    assert '<option value="2" selected>' in page.text
    assert form_of(page)[1] | {"slot-4-560": "1", "slot-2-450": "2"} == form_of(page)[1]
    assert 'href="#last_day"' in page.text
    assert 'id="last_day-error"' in page.text
    assert len(desk.asked(ctx, cast)) == 1


def test_a_request_without_slots_is_sent_back_to_the_grid(ctx, cast, school):
    bare = {name: value for name, value in NEW.items() if not name.startswith("slot")}
    page = school.submit("/school/requests", bare | {"school": str(cast["A"])})
    assert page.status_code == 422
    assert 'href="#slots"' in page.text
    assert 'id="slots-error"' in page.text


def test_a_cell_with_a_foreign_number_is_refused(ctx, cast, school):
    foreign = {f"slot-2-{minutes('07:30')}": "7", "school": str(cast["A"])}
    assert school.submit("/school/requests", NEW | foreign).status_code == 422
    assert len(desk.asked(ctx, cast)) == 1


def test_every_cell_of_the_grid_has_a_name(school):
    page = school.see("/school/requests")
    names = re.findall(r'<select class="pick" name="slot-\d-\d+" aria-label="([^"]+)"', page.text)
    assert len(names) == len(set(names)) == 6 * 3
    assert names[1] == "Thứ Ba, sáng tiết 1, 07:30–08:15"


def test_a_request_is_withdrawn_once(ctx, cast, school):
    school.see("/school/requests")
    path = f"/school/requests/{cast['request_7A']}/withdraw"
    fields = {"school": str(cast["A"])}
    assert school.submit(path, fields).status_code == 303
    assert desk.asked(ctx, cast) == ()
    assert school.submit(path, fields).status_code == 409


def test_a_school_without_bell_times_is_told_what_is_missing(ctx, cast, school):
    with ctx.transaction() as db:
        db.execute(tables.periods.delete())
    page = school.see("/school/requests")
    assert page.status_code == 200
    assert 'action="/school/requests?' not in page.text


# -- the list


def test_requests_that_lack_lessons_come_first_eight_to_a_page(ctx, cast, school):
    days = [WED + timedelta(days=7 * n) for n in range(13)]
    desk.publish(ctx, cast, *(desk.at(cast, day) for day in days))
    for _ in range(9):
        desk.ask(ctx, cast)
    page = school.see("/school/requests")
    assert "10 đăng ký, 130 tiết. Còn 117 tiết chưa có giáo viên." in said(page)
    ids = [int(n) for n in re.findall(r'<li id="r-(\d+)"', page.text)]
    assert len(ids) == 8
    assert cast["request_7A"] not in ids
    assert f'href="/school/requests?school={cast["A"]}&amp;page=2">Sau<' in page.text
    page = school.see(f"/school/requests?school={cast['A']}&page=2")
    rest = [int(n) for n in re.findall(r'<li id="r-(\d+)"', page.text)]
    assert (len(rest), rest[-1]) == (2, cast["request_7A"])
    assert ">Sau<" not in page.text
    assert said(school.see("/school/requests?page=99")) == said(page)


def test_a_complete_request_says_so_and_gives_no_reason(ctx, cast, school):
    days = [WED + timedelta(days=7 * n) for n in range(13)]
    desk.publish(ctx, cast, *(desk.at(cast, day) for day in days))
    page = school.see("/school/requests")
    assert "Đủ 13/13 tiết" in said(page)
    assert "Tiết nào cũng đã có giáo viên." in page.text
    assert "Vì sao" not in page.text


def test_the_page_with_fourteen_requests_weighs_less_than_12_kb(ctx, cast, school):
    lack(ctx, cast, MORE, MAKE_UP, Fix(FixKind.NEW_TEACHER, 1))
    for _ in range(13):
        desk.ask(ctx, cast)
    assert len(gzip.compress(school.see("/school/requests").content, 6)) < 12_000


# -- asking and changing


def taps(before: dict[str, str], after: dict[str, str]) -> int:
    """What it takes by hand: a list opens and closes, a radio is one; nothing is typed."""
    changed = {name for name in after if before.get(name, "") != after[name]}
    assert not changed & {"first_day", "last_day"}
    return sum(1 if name == "priority" else 2 for name in changed)


def test_two_lessons_a_week_are_asked_for_in_twelve_taps_and_nothing_typed(ctx, cast, school):
    page = school.see("/school/requests")
    action, before = form_of(page, "/school/requests")
    wanted = {
        "class_name": "7A", "lessons_per_week": "2", "slot-1-450": "1", "slot-3-450": "1",
    }  # fmt: skip
    new_request_link, send = 1, 1
    assert new_request_link + taps(before, before | wanted) + send <= 12
    assert school.submit(action, before | wanted).status_code == 303
    asked = desk.asked(ctx, cast)[-1]
    assert (asked.lessons_per_week, len(asked.slots)) == (2, 2)
    assert (asked.first_day, asked.last_day) == (date(2023, 10, 2), date(2023, 12, 31))


def test_a_change_begins_from_what_is_asked_and_saves_what_was_chosen(ctx, cast, school):
    (before,) = desk.asked(ctx, cast)
    path = f"/school/requests/{before.id}/change"
    assert f'href="{path}"' in school.see("/school/requests").text
    action, fields = form_of(school.see(path), path)
    assert school.submit(action, fields).status_code == 303
    assert desk.asked(ctx, cast) == (before,)
    action, fields = form_of(school.see(path), path)
    free = next(name for name, value in fields.items() if name.startswith("slot") and not value)
    done = school.submit(action, fields | {free: "3", "priority": "2"})
    assert done.headers["location"] == f"/school/requests?school={cast['A']}"
    assert "Đã sửa: lớp 7A." in flash(school.see("/school/requests"))
    (after,) = desk.asked(ctx, cast)
    weekday, start = map(int, free.split("-")[1:])
    assert set(after.slots) - set(before.slots) == {Slot(weekday, start, start + 45, 2)}
    assert after.priority == 2


def test_more_ranks_than_three_of_a_workbook_survive_a_change(ctx, cast, school):
    (before,) = desk.asked(ctx, cast)
    late = Slot(4, minutes("09:20"), minutes("09:20") + 45, 5)
    new = replace(rules.as_asked(before), slots=(*before.slots, late))
    requests.change(ctx, cast.actors["schoolA"], before.id, new, rules.seen_as(before))
    path = f"/school/requests/{before.id}/change"
    action, fields = form_of(school.see(path), path)
    school.submit(action, fields | {"priority": "3"})
    assert late in desk.asked(ctx, cast)[0].slots


def test_a_change_of_what_changed_meanwhile_keeps_the_choice_and_says_so(ctx, cast, school):
    (before,) = desk.asked(ctx, cast)
    path = f"/school/requests/{before.id}/change"
    action, fields = form_of(school.see(path), path)
    new = replace(rules.as_asked(before), priority=3)
    requests.change(ctx, cast.actors["schoolA"], before.id, new, rules.seen_as(before))
    page = school.submit(action, fields | {"lessons_per_week": "1", "priority": "2"})
    assert page.status_code == 409
    assert 'role="alert"' in page.text
    action, kept = form_of(page, path)
    assert kept["priority"] == "2"
    assert school.submit(action, kept).status_code == 303
    assert desk.asked(ctx, cast)[0].priority == 2


def test_a_change_that_cannot_be_goes_back_to_its_field(ctx, cast, school):
    (before,) = desk.asked(ctx, cast)
    path = f"/school/requests/{before.id}/change"
    action, fields = form_of(school.see(path), path)
    page = school.submit(action, fields | {"lessons_per_week": "6"})
    assert page.status_code == 422
    assert 'href="#slots"' in page.text
    assert form_of(page, path)[1]["lessons_per_week"] == "6"
    assert desk.asked(ctx, cast) == (before,)


def test_a_full_period_names_the_class_in_it_and_cannot_be_chosen(ctx, cast, school):
    with ctx.transaction() as db:
        db.execute(tables.receiving_schools.update().values(rooms=1))
    days = [WED + timedelta(days=7 * n) for n in range(13)]
    desk.publish(ctx, cast, *(desk.at(cast, day) for day in days))
    page = school.see("/school/requests")
    assert "Kín phòng: lớp 7A" in said(page)
    assert 'name="slot-2-450"' not in page.text
    assert "slot-2-450" in form_of(
        school.see(f"/school/requests/{cast['request_7A']}/change"),
        f"/school/requests/{cast['request_7A']}/change",
    )[1]  # fmt: skip


def test_the_choice_so_far_is_counted_and_says_where_teachers_are_free(ctx, cast, school):
    fields = {"school": str(cast["A"]), "lessons_per_week": "2", "class_name": "7A"}
    school.see("/school/requests")
    page = school.submit("/school/requests/hint", fields | {"slot-1-450": "1", "slot-1-505": "2"})
    assert "Đã chọn 2 khung giờ ở 1 ngày." in said(page)
    assert "2 tiết mỗi tuần cần khung giờ ở 2 ngày khác nhau." in said(page)
    assert re.search(
        r"Giáo viên trung học cơ sở rảnh nhiều nhất vào Thứ \S+, \S+ tiết \d", said(page)
    )
    assert "<h1" not in page.text
    assert "Chưa chọn khung giờ nào." in said(school.submit("/school/requests/hint", fields))


# -- what helps


def test_a_fix_is_confirmed_taken_up_and_undone(ctx, cast, school):
    lack(ctx, cast, MORE)
    (before,) = desk.asked(ctx, cast)
    path = f"/school/requests/{before.id}/fix"
    page = school.see("/school/requests")
    assert f'href="{path}?kind=slot"' in page.text
    assert "Thêm Thứ Năm, sáng tiết 2 (08:25)" in said(page)
    action, fields = form_of(school.see(f"{path}?kind=slot"), path)
    assert desk.asked(ctx, cast) == (before,)
    for _ in range(2):
        done = school.submit(action, fields)
        assert done.headers["location"] == (
            f"/school/requests?school={cast['A']}&term={cast['term']}#r-{before.id}"
        )  # fmt: skip
    assert desk.asked(ctx, cast)[0].slots[-1].start == MORE.start
    page = school.see("/school/requests")
    assert "Đã xin cho lớp 7A." in flash(page)
    undo, fields = form_of(page, f"{path}/undo")
    assert school.submit(undo, fields).status_code == 303
    assert desk.asked(ctx, cast) == (before,)


def test_a_make_up_lesson_is_asked_for_beside_the_weekly_request(ctx, cast, school):
    lack(ctx, cast, MAKE_UP)
    path = f"/school/requests/{cast['request_7A']}/fix"
    assert "Xin học bù Thứ Năm 12/10" in said(school.see("/school/requests"))
    action, fields = form_of(school.see(f"{path}?kind=make_up"), path)
    school.submit(action, fields)
    assert [x.first_day for x in desk.asked(ctx, cast)][-1] == MAKE_UP.day


def test_the_fragment_of_a_fix_is_what_its_page_includes(ctx, cast, school):
    lack(ctx, cast, MORE)
    path = f"/school/requests/{cast['request_7A']}/fix?kind=slot"
    page, part = school.see(path), school.see(path, headers={"hx-request": "true"})
    assert f'id="fix-{cast["request_7A"]}"' in part.text
    assert part.text.strip() in page.text
    assert "<h1" not in part.text


def test_a_fix_of_a_timetable_that_is_no_more_is_refused_with_what_helps_now(ctx, cast, school):
    lack(ctx, cast, MORE)
    path = f"/school/requests/{cast['request_7A']}/fix"
    action, fields = form_of(school.see(f"{path}?kind=slot"), path)
    lack(ctx, cast, replace(MORE, weekday=1))
    page = school.submit(action, fields)
    assert page.status_code == 409
    assert "Thêm Thứ Ba, sáng tiết 2" in said(page)
    lack(ctx, cast, MAKE_UP)
    assert school.submit(action, fields).status_code == 409
    assert len(desk.asked(ctx, cast)[0].slots) == 3


def test_where_others_must_act_the_reason_stands_in_the_buttons_place(ctx, cast, school):
    lack(ctx, cast, Fix(FixKind.WINDOW, 1, cast["teacher1"], 1, 500, 535))
    page = school.see("/school/requests")
    assert "Chỉ giáo viên mới đổi được điều này" in page.text
    assert "/fix?kind=" not in page.text
    lack(ctx, cast, replace(MAKE_UP, day=date(2023, 10, 2)))
    page = school.see("/school/requests")
    assert "Ngày đó đã qua." in page.text
    assert "/fix?kind=" not in page.text


# -- taken back


def test_what_was_taken_back_can_be_asked_for_again(ctx, cast, school):
    before = desk.asked(ctx, cast)
    page = school.see("/school/requests")
    action, fields = form_of(page, f"/school/requests/{cast['request_7A']}/withdraw")
    school.submit(action, fields)
    page = school.see("/school/requests")
    assert "Đã rút đăng ký lớp 7A." in flash(page)
    assert 'class="empty"' in page.text
    action, fields = form_of(page, f"/school/requests/{cast['request_7A']}/restore")
    assert school.submit(action, fields).status_code == 303
    assert desk.asked(ctx, cast) == before


# -- pasting

PASTED = "7A\t2\t\t\tT2 sáng tiết 1; T6 sáng 3\n7A#2\t1\t09/10/2023\t24/12/2023\tT5 sáng 2"


def test_pasted_rows_are_shown_as_understood_and_saved_after_that(ctx, cast, school):
    before = desk.asked(ctx, cast)
    assert f"/school/requests/paste?school={cast['A']}" in school.see("/school/requests").text
    action, fields = form_of(school.see("/school/requests/paste"), "/school/requests/paste")
    page = school.submit(action, fields | {"rows": PASTED})
    assert "Mới: 1 · thay đổi: 1 · như cũ: 0. Chưa lưu gì." in said(page)
    assert "Thứ Năm, sáng tiết 2 08:25–09:10" in said(page)
    assert desk.asked(ctx, cast) == before
    _, fields = form_of(page, "/school/requests/paste")
    done = school.submit("/school/requests/paste/save", fields | {"which": "all"})
    assert done.headers["location"] == f"/school/requests?school={cast['A']}"
    assert "Mới: 1, thay đổi: 1, bỏ lại: 0." in flash(school.see("/school/requests"))
    assert len(desk.asked(ctx, cast)) == 2


def test_a_faulty_row_says_where_and_the_others_are_saved_when_that_is_chosen(ctx, cast, school):
    school.see("/school/requests/paste")
    typed = PASTED + "\n7A#3\tnhiều\t09/10/2023\t24/12/2023\tT5 sáng 9"
    fields = {"school": str(cast["A"]), "rows": typed}
    page = school.submit("/school/requests/paste", fields)
    assert "1 dòng cần sửa" in said(page)
    assert "Dòng 3, cột B (Số tiết/tuần)" in said(page)
    assert "Dòng 3, cột E (Tiết mong muốn)" in said(page)
    _, fields = form_of(page, "/school/requests/paste")
    assert fields["rows"].split() == typed.split()
    refused = school.submit("/school/requests/paste/save", fields | {"which": "all"})
    assert refused.status_code == 422
    assert len(desk.asked(ctx, cast)) == 1
    school.submit("/school/requests/paste/save", fields | {"which": "sound"})
    assert len(desk.asked(ctx, cast)) == 2


def test_what_is_pasted_and_cannot_be_read_stays_in_the_field_with_the_reason(cast, school):
    school.see("/school/requests/paste")
    fields = {"school": str(cast["A"]), "rows": "Lớp\tSố tiết/tuần"}
    for path in ("/school/requests/paste", "/school/requests/paste/save"):
        page = school.submit(path, fields)
        assert page.status_code == 422
        assert 'href="#rows"' in page.text
        assert 'id="rows-error"' in page.text
        assert "Lớp\tSố tiết/tuần</textarea>" in page.text


def test_a_preview_that_is_no_more_true_is_not_saved(ctx, cast, school):
    school.see("/school/requests/paste")
    fields = {"school": str(cast["A"]), "rows": PASTED}
    _, seen = form_of(school.submit("/school/requests/paste", fields), "/school/requests/paste")
    requests.withdraw(ctx, cast.actors["schoolA"], cast["request_7A"])
    page = school.submit("/school/requests/paste/save", seen | {"which": "all"})
    assert page.status_code == 409
    assert "Mới: 2" in said(page)
    assert desk.asked(ctx, cast) == ()
