"""Settings: the days of a term change as they were seen, and no lesson falls out of it."""

import re
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from scheduler.domain.intervals import DaySpan
from scheduler.domain.requests import NewRequest, Slot
from scheduler.services import exports, imports, public_holidays
from scheduler.store import availability, requests, tables, terms
from tests.cast import T0, minutes
from tests.web.cast_desk import WED, at, draft, publish, queries

HERE = "/coordinator/settings"


@pytest.fixture
def desk(site, cast):
    return site.of(cast.actors["coordinator"])


def seen(page) -> str:
    return page.text.partition('name="seen" value="')[2].partition('"')[0]


def given(page, **fields):
    kept = {
        "name": "Học kỳ I", "first_day": "02/10/2023", "last_day": "31/12/2023",
        "gap_minutes": "10", "holidays": "", "seen": seen(page),
    }  # fmt: skip
    return kept | fields


def term(ctx, cast):
    with ctx.reading() as db:
        return terms.get(db, cast["term"])


def test_holidays_are_typed_a_day_a_line_and_kept_in_order(ctx, cast, desk):
    path = f"{HERE}/terms/{cast['term']}"
    page = desk.see(path)
    holidays = "20/11/2023\n04/10/2023; 20/11/2023"
    assert desk.submit(path, given(page, holidays=holidays)).status_code == 303
    assert term(ctx, cast).holidays == (date(2023, 10, 4), date(2023, 11, 20))
    assert "20/11/2023\n" not in desk.see(HERE).text
    assert "2 ngày" in desk.see(HERE).text
    with ctx.reading() as db:
        line = tables.audits.c
        said = db.execute(sa.select(line.before, line.after).where(line.action == "change_term"))
        [(before, after)] = said.all()
    assert (before["holidays"], after["holidays"]) == ([], ["2023-10-04", "2023-11-20"])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"holidays": "31/09/2023"}, "“31/09/2023”: Tháng 9 chỉ có 30 ngày"),
        ({"holidays": "01/01/2024"}, "không nằm trong học kỳ: 01/01/2024"),
        ({"last_day": "01/10/2023"}, "trước ngày đầu"),
        ({"last_day": "31/12/2025"}, "nhiều nhất 400 ngày"),
        ({"last_day": "03/10/2023"}, "1 tiết nằm ngoài những ngày này"),
        ({"gap_minutes": "lâu"}, "từ 0 đến 240"),
        ({"name": ""}, "Điền"),
    ],
)
def test_a_term_that_cannot_be_is_refused_and_nothing_is_stored(ctx, cast, desk, fields, told):
    publish(ctx, cast, at(cast, WED))
    before, path = term(ctx, cast), f"{HERE}/terms/{cast['term']}"
    refused = desk.submit(path, given(desk.see(path), **fields))
    assert (refused.status_code, told in refused.text) == (422, True), refused.text
    for value in fields.values():
        assert value in refused.text  # what was typed is still there
    assert term(ctx, cast) == before


def test_what_another_stored_meanwhile_is_not_written_over(ctx, cast, desk, site):
    path = f"{HERE}/terms/{cast['term']}"
    mine = given(desk.see(path), holidays="20/11/2023")
    other = site.of(cast.actors["coordinator"])
    other.submit(path, given(other.see(path), holidays="21/11/2023"))
    refused = desk.submit(path, mine)
    assert (refused.status_code, "đã đổi trong lúc chị đang xem" in refused.text) == (409, True)
    assert "21/11/2023" in refused.text.split('id="refused"')[1].split("</div>")[0]
    assert "20/11/2023</textarea>" in refused.text  # what was typed is still there
    assert term(ctx, cast).holidays == (date(2023, 11, 21),)


def test_a_lesson_on_a_new_holiday_stays_and_is_told(ctx, cast, desk):
    publish(ctx, cast, at(cast, WED))
    path = f"{HERE}/terms/{cast['term']}"
    desk.submit(path, given(desk.see(path), holidays=f"{WED:%d/%m/%Y}"))
    assert "1 tiết sắp tới rơi vào ngày nghỉ" in desk.see(HERE).text


def test_a_strangers_term_is_not_there(site, cast):
    stranger = site.of(cast.actors["stranger"])
    path = f"{HERE}/terms/{cast['term']}"
    assert stranger.get(path).status_code == 404
    stranger.see(HERE)
    assert stranger.submit(path, {"name": "x"}).status_code == 404


def test_settings_ask_as_often_for_many_terms_as_for_one(ctx, cast, desk):
    def asked() -> int:
        with queries(ctx) as said:
            assert desk.get(HERE).status_code == 200
        return len(said)

    one = asked()
    with ctx.transaction() as db:
        for n in (1, 2):
            days = {"first_day": date(2024, n, 1), "last_day": date(2024, n, 20)}
            db.execute(
                tables.terms.insert().values(
                    programme_id=cast["programme"],
                    code=f"T{n}",
                    name=f"T{n}",
                    gap_minutes=5,
                    **days,
                )
            )
    assert asked() == one


def test_a_plan_made_before_the_days_changed_publishes_no_lesson_on_a_holiday(ctx, cast, desk):
    made = draft(ctx, cast, at(cast, WED))
    path = f"{HERE}/terms/{cast['term']}"
    desk.submit(path, given(desk.see(path), holidays=f"{WED:%d/%m/%Y}"))
    plan = f"/coordinator/plans/{made}"
    refused = desk.submit(f"{plan}/publish", {"seen": seen(desk.see(plan))})
    assert refused.status_code == 409
    assert "Ngày của học kỳ đã đổi" in refused.text


# -- shortening


def late(ctx, cast):
    """A request and an absence of the last days of the term."""
    days, start = (date(2023, 12, 18), date(2023, 12, 31)), minutes("08:25")
    new = NewRequest("8B", 1, *days, 2, (Slot(3, start, start + 45, 0),))
    with ctx.transaction() as db:
        found = requests.insert(db, cast["term"], cast["8B"], new, T0, None)
        availability.go_away(db, cast["term"], cast["teacher1"], DaySpan(*days), "về quê")
        over = DaySpan(date(2023, 12, 8), date(2023, 12, 14))
        availability.go_away(db, cast["term"], cast["teacher2"], over, "")
    return found


def test_shortening_a_term_says_what_it_cuts_and_cuts_it_once_agreed(ctx, cast, desk):
    found, path = late(ctx, cast), f"{HERE}/terms/{cast['term']}"
    fields = given(desk.see(path), last_day="10/12/2023")
    page = desk.submit(path, fields)
    assert page.status_code == 200
    assert "2 đăng ký sẽ được rút ngắn" in page.text
    assert "1 đăng ký không còn ngày nào" in page.text
    assert "1 lần báo bận" in page.text
    assert term(ctx, cast).last_day == date(2023, 12, 31)
    agreed = page.text.partition('name="agreed" value="')[2].partition('"')[0]
    assert desk.submit(path, fields | {"agreed": "x" * 16}).status_code == 200
    for _ in range(2):  # pressed twice
        assert desk.submit(path, fields | {"agreed": agreed}).status_code in (200, 303)
    assert term(ctx, cast).last_day == date(2023, 12, 10)
    with ctx.reading() as db:
        left = requests.of_term(db, cast["term"])
        away = availability.pledges(db, cast["term"])
        line = tables.audits.c
        [after] = db.scalars(sa.select(line.after).where(line.action == "change_term"))
    assert {each.last_day for each in left} == {date(2023, 12, 10)}
    assert found not in {each.id for each in left}
    assert [len(away[cast[f"teacher{n}"]].absences) for n in (1, 2)] == [0, 1]
    cut = [cast["request_7A"], cast["request_8B"]]
    assert (after["requests_cut"], after["requests_withdrawn"]) == (cut, [found])


def test_lists_of_a_shortened_term_come_in_again_as_they_went_out(ctx, cast, desk):
    late(ctx, cast)
    path, coordinator = f"{HERE}/terms/{cast['term']}", cast.actors["coordinator"]
    fields = given(desk.see(path), last_day="10/12/2023")
    agreed = desk.submit(path, fields).text.partition('name="agreed" value="')[2].partition('"')[0]
    assert desk.submit(path, fields | {"agreed": agreed}).status_code == 303
    books = list(exports.export_workbooks(ctx, actor=coordinator).items())
    assert imports.import_files(ctx, books, actor=coordinator).changes_nothing


# -- a new term


SPRING = {
    "code": "HK2", "name": "Học kỳ II", "first_day": "15/01/2024", "last_day": "31/05/2024",
    "gap_minutes": "10", "holidays": "",
}  # fmt: skip


def terms_of(ctx, cast):
    with ctx.reading() as db:
        return terms.of_programme(db, cast["programme"])


def test_a_term_is_added_by_hand_with_the_public_holidays_left_ticked(ctx, cast, desk):
    path = f"{HERE}/terms"
    assert path in desk.see(HERE).text
    assert 'value="10"' in desk.see(path).text  # the rest that the term before has
    shown = desk.submit(path, SPRING | {"show": "yes"})
    assert shown.status_code == 200
    for name in ("Thứ Bảy 10/02/2024: Tết Nguyên Đán", "18/04/2024: Ngày Giỗ Tổ Hùng Vương"):
        assert name in shown.text
    ticks = re.findall(r'name="public" value="([^"]+)" checked', shown.text)
    assert ticks[0] == "08/02/2024"
    assert len(terms_of(ctx, cast)) == 1
    kept = [tick for tick in ticks if tick != "29/04/2024"]
    fields = SPRING | {"public": kept, "holidays": "22/04/2024"}
    for _ in range(2):  # pressed twice
        assert desk.submit(path, fields).status_code == 303
    new, old = terms_of(ctx, cast)
    assert (new.code, new.name, new.gap_minutes, old.code) == ("HK2", "Học kỳ II", 10, "HK1")
    assert date(2024, 4, 29) not in new.holidays
    assert {date(2024, 2, 10), date(2024, 4, 22)} <= set(new.holidays)
    assert len(new.holidays) == len(kept) + 1
    assert "Học kỳ II" in desk.see("/coordinator/matching").text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"code": "HK1"}, "Học kỳ I đã có mã này"),
        ({"code": ""}, "Điền"),
        ({"first_day": "31/12/2023"}, "hai học kỳ không có ngày chung"),
        ({"last_day": "14/01/2024"}, "trước ngày đầu"),
        ({"last_day": "31/12/2025", "show": "yes"}, "Thêm học kỳ"),
        ({"first_day": "15/13/2024", "show": "yes"}, "02/10/2023"),
        ({"public": "lâu lắm"}, "“lâu lắm”"),
    ],
)
def test_a_new_term_that_cannot_be_is_refused_at_its_field(ctx, cast, desk, fields, told):
    desk.see(f"{HERE}/terms")
    refused = desk.submit(f"{HERE}/terms", SPRING | fields)
    assert (refused.status_code, told in refused.text) == (422, True), refused.text
    assert len(terms_of(ctx, cast)) == 1


def test_public_holidays_of_a_term_are_ticked_into_its_own(ctx, cast, desk):
    path = f"{HERE}/terms/{cast['term']}"
    change_days = given(desk.see(path), last_day="31/01/2024")
    assert desk.submit(path, change_days).status_code == 303
    page = desk.see(path)
    assert "01/01/2024: Tết Dương lịch" in page.text
    assert 'value="01/01/2024" checked' not in page.text
    fields = given(page, last_day="31/01/2024", public="01/01/2024")
    assert desk.submit(path, fields).status_code == 303
    assert term(ctx, cast).holidays == (date(2024, 1, 1),)
    assert 'name="public"' not in desk.see(path).text


def test_holidays_have_names_in_both_languages_and_an_unknown_country_has_none(ctx):
    days = DaySpan(date(2024, 4, 17), date(2024, 4, 28))
    [kings] = public_holidays.within(ctx, days)
    assert kings.day == date(2024, 4, 18)
    assert kings.names == {
        "vi": "Ngày Giỗ Tổ Hùng Vương", "en": "Hung Kings' Commemoration Day",
    }  # fmt: skip
    elsewhere = ctx.settings.model_copy(update={"country": "Atlantis"})
    assert public_holidays.within(replace(ctx, settings=elsewhere), days) == ()
