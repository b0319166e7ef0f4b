"""One lesson on the coordinator's desk: cover, verdict, pin, history, and changes by hand."""

import gzip
import re
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.cover import OfferEnd
from scheduler.domain.lessons import Cause, LessonState
from scheduler.domain.reports import Report
from scheduler.services import cover, lessons, pins, reports, sides
from scheduler.store import tables
from scheduler.web.pages import basket
from tests.faults.kit import book, write
from tests.standins import asked, call, cannot, get, join, neighbour, school
from tests.web import cast_desk as desk
from tests.web.cast_desk import WED, plain, queries

START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # Wednesday 07:30 in Hà Nội
DESK = "/coordinator/lessons"


@pytest.fixture
def coordinator(site, cast, clock):
    clock.at = START - timedelta(hours=20)
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def lesson(ctx, cast, coordinator):
    desk.publish(ctx, cast, desk.at(cast, WED))
    return desk.lesson_of(ctx, cast).id


def hidden(page, path, name) -> str:
    """What the form that posts there sends along."""
    form = page.text.partition(f'action="{path}"')[2].partition("</form>")[0]
    return re.search(rf'name="{name}" value="([^"]*)"', form)[1]


def went(answer, lesson) -> bool:
    return (answer.status_code, answer.headers.get("location")) == (303, f"{DESK}/{lesson}")


# -- what stands there


def test_the_page_says_who_where_and_what_became_of_it(ctx, cast, coordinator, lesson):
    people = tables.persons
    write(ctx, people, people.c.id == cast["person_teacher1"], phone="0912 345 678")
    page = coordinator.see(f"{DESK}/{lesson}")
    said = plain(page)
    for part in (
        "Thứ Tư 04/10 · 07:30–08:15", "Tiếng Anh 7A · Sáng tiết 1 · THCS A, Lục Yên",
        "Cô teacher1 (THCS Ái Mộ)", "THCS A · Cô schoolA", "chưa xác nhận", "Công bố",
    ):  # fmt: skip
        assert part in said
    assert 'href="tel:0912345678"' in page.text
    assert f'href="/coordinator/write?to={cast["person_schoolA"]}"' in page.text
    token = get(ctx, lesson).join_token
    assert f'href="/j/{token}"' in page.text
    assert len(gzip.compress(page.content, 6)) < 8_000


def test_it_is_reached_from_the_schools_week(cast, coordinator, lesson):
    page = coordinator.see(f"/coordinator/schools/{cast['A']}?week=2023-10-04")
    assert f'href="{DESK}/{lesson}"' in page.text


def test_a_lesson_as_it_stood_on_a_day(ctx, cast, coordinator, lesson, clock):
    lessons.call_off(ctx, cast.actors["coordinator"], lesson, "bão")
    clock.forward(days=1)
    then = plain(
        coordinator.arrive(cast.actors["coordinator"]).see(f"{DESK}/{lesson}?on=02/10/2023")
    )
    assert "Cuối ngày Thứ Hai 02/10/2023 Lúc đó chưa có tiết dạy này." in then
    later = plain(coordinator.see(f"{DESK}/{lesson}?on=03/10/2023"))
    assert "Cuối ngày Thứ Ba 03/10/2023" in later
    assert "Cô coordinator huỷ: bão" in later
    odd = coordinator.see(f"{DESK}/{lesson}?on=31/02/2023")
    assert odd.status_code == 422
    assert 'href="#on"' in odd.text


# -- cover


def test_a_search_is_begun_and_ended_by_hand(ctx, cast, coordinator, lesson):
    page = coordinator.see(f"{DESK}/{lesson}")
    assert f'action="{DESK}/{lesson}/cover/stop"' not in page.text
    empty = coordinator.submit(f"{DESK}/{lesson}/cover/ask", {"ask_reason": " "})
    assert empty.status_code == 422
    assert 'href="#ask_reason"' in empty.text
    assert went(coordinator.submit(f"{DESK}/{lesson}/cover/ask", {"ask_reason": "ốm"}), lesson)
    assert get(ctx, lesson).state is LessonState.COVER
    page = coordinator.see(f"{DESK}/{lesson}")
    assert "Cô teacher1 xin nghỉ lúc Thứ Ba 03/10 · 11:30: ốm" in plain(page)
    again = coordinator.submit(f"{DESK}/{lesson}/cover/ask", {"ask_reason": "ốm"})
    assert (again.status_code, 'role="alert"' in again.text) == (409, True)
    assert went(coordinator.submit(f"{DESK}/{lesson}/cover/stop"), lesson)
    assert get(ctx, lesson).state is LessonState.SCHEDULED
    assert coordinator.submit(f"{DESK}/{lesson}/cover/stop").status_code == 409


def test_waves_are_shown_and_the_next_one_is_opened_once(ctx, cast, coordinator, lesson):
    far = join(ctx, cast, "far", school(ctx, cast, "THCS Xa"))
    cannot(ctx, cast, lesson)  # a colleague is asked at once, the far one is not
    page = coordinator.see(f"{DESK}/{lesson}")
    said = plain(page)
    assert (
        "Đợt 2 · đồng nghiệp của giáo viên Thứ Ba 03/10 · 11:30, hạn 15:30. đã mời 1 người" in said
    )
    assert page.text.count('aria-current="step"') == 1
    assert "Mời thêm 1 người ngay" in said
    path = f"{DESK}/{lesson}/cover/next"
    seen = {"asked": hidden(page, path, "asked")}
    assert went(coordinator.submit(path, seen), lesson)
    assert [x.teacher_id for x in asked(ctx, lesson)] == [cast["teacher2"], far]
    stale = coordinator.submit(path, seen)
    assert stale.status_code == 409
    assert "Đã có người khác được mời trong lúc chị đang xem" in plain(stale)
    nobody = coordinator.submit(path, {"asked": "2"})
    assert nobody.status_code == 409
    assert len(asked(ctx, lesson)) == 2


def test_one_is_asked_by_hand_and_answers_by_telephone(ctx, cast, coordinator, lesson):
    coordinating = cast.actors["coordinator"]
    cover.automatic(ctx, coordinating, on=False)
    cover.ask(ctx, coordinating, lesson, "ốm")
    path = f"{DESK}/{lesson}/cover"
    page = coordinator.see(f"{DESK}/{lesson}")
    assert hidden(page, f"{path}/offer", "teacher") == str(cast["teacher2"])
    who = {"teacher": str(cast["teacher2"])}
    assert went(coordinator.submit(f"{path}/offer", who), lesson)
    twice = coordinator.submit(f"{path}/offer", who)
    assert twice.status_code == 409
    assert "Cô teacher2 đã được hỏi" in plain(twice)
    assert "Đã mời 11:30" in plain(coordinator.see(f"{DESK}/{lesson}"))
    assert coordinator.submit(f"{path}/answer", who | {"said": "perhaps"}).status_code == 422
    assert went(coordinator.submit(f"{path}/answer", who | {"said": "decline"}), lesson)
    assert [x.end for x in asked(ctx, lesson)] == [OfferEnd.DECLINED]
    late = coordinator.submit(f"{path}/answer", who | {"said": "accept"})
    assert late.status_code == 409
    assert get(ctx, lesson).teacher_id == cast["teacher1"]


def test_a_lesson_is_given_over_by_telephone_unless_somebody_took_it(
    ctx, cast, coordinator, lesson
):
    third = join(ctx, cast, "third")
    cannot(ctx, cast, lesson)
    path = f"{DESK}/{lesson}/cover/take"
    was = {"was": hidden(coordinator.see(f"{DESK}/{lesson}"), path, "was")}
    given = was | {"teacher": str(third), "take_reason": "đã gọi"}
    short = coordinator.submit(path, given | {"take_reason": ""})
    assert short.status_code == 422
    assert f'<option value="{third}" selected>' in short.text
    assert coordinator.submit(path, given | {"teacher": ""}).status_code == 422
    assert went(coordinator.submit(path, given), lesson)
    assert get(ctx, lesson).teacher_id == third
    stale = coordinator.submit(path, given | {"teacher": str(cast["teacher2"])})
    assert stale.status_code == 409
    assert get(ctx, lesson).teacher_id == third


def test_the_class_joins_another_lesson(ctx, cast, coordinator, lesson):
    host = neighbour(ctx, cast, START + timedelta(minutes=55))
    cannot(ctx, cast, lesson)
    page = coordinator.see(f"{DESK}/{lesson}")
    path = f"{DESK}/{lesson}/cover/merge"
    into = {"into": hidden(page, path, "into")}
    assert into == {"into": str(host)}
    assert went(coordinator.submit(path, into), lesson)
    assert get(ctx, lesson).merged_into_id == host
    assert coordinator.submit(path, into).status_code == 409


def test_all_searches_are_listed_the_soonest_deadline_first(ctx, cast, coordinator, lesson):
    assert "Chưa có tiết nào cần người dạy thay" in plain(coordinator.see("/coordinator/covers"))
    later = book(ctx, cast, START + timedelta(days=7))
    join(ctx, cast, "third")
    cover.ask(ctx, cast.actors["coordinator"], later, "ốm")
    cannot(ctx, cast, lesson)
    page = coordinator.see("/coordinator/covers")
    found = re.findall(rf"{DESK}/(\d+)#cover", page.text)
    due = {str(x): call(ctx, x).look_at for x in (lesson, later)}
    assert found == sorted(due, key=due.__getitem__)
    assert "2 tiết đang tìm người dạy thay" in plain(page)
    assert coordinator.submit("/coordinator/covers/automatic", {"on": "no"}).status_code == 303
    assert cover.automatic(ctx, cast.actors["coordinator"]) is False


# -- how it went


def test_sides_that_differ_are_settled_once(ctx, cast, coordinator, lesson, clock):
    clock.at = START + timedelta(hours=1)
    coordinator.arrive(cast.actors["coordinator"])
    said = (("teacher1", Report(True)), ("schoolA", Report(False, cause=Cause.POWER)))
    for who, told in said:
        reports.report(ctx, sides.of_actor(ctx, cast.actors[who], lesson), told)
    page = coordinator.see(f"{DESK}/{lesson}")
    assert "Giáo viên báo Đã dạy" in plain(page)
    assert "Nhà trường báo Không diễn ra: Mất điện" in plain(page)
    path = f"{DESK}/{lesson}/settle"
    verdict = {
        "went": "not_held", "cause": "power", "note": "đã gọi hai bên",
        "seen": hidden(page, path, "seen"),
    }  # fmt: skip
    wrong = coordinator.submit(path, verdict | {"note": "", "cause": ""})
    assert wrong.status_code == 422
    assert {"#note", "#cause"} & set(re.findall(r'href="(#\w+)"', wrong.text))
    assert went(coordinator.submit(path, verdict), lesson)
    assert (get(ctx, lesson).state, get(ctx, lesson).cause) == (LessonState.NOT_HELD, Cause.POWER)
    stale = coordinator.submit(path, verdict | {"went": "held"})
    assert stale.status_code == 409
    assert get(ctx, lesson).state is LessonState.NOT_HELD


def test_the_board_leads_to_the_verdict_it_asked_for(ctx, cast, coordinator, lesson, clock):
    clock.at = START + timedelta(minutes=10)
    coordinator.arrive(cast.actors["coordinator"])
    page = coordinator.see(f"{DESK}/{lesson}?went=not_held")
    assert 'id="went-not_held" value="not_held" checked' in page.text
    assert "Ai dạy được?" in plain(page)  # a missing teacher may be replaced by telephone


# -- a pin


def test_a_lesson_is_pinned_with_a_note_and_a_last_day(ctx, cast, coordinator, lesson):
    path = f"{DESK}/{lesson}/pin"
    past = coordinator.submit(path, {"pin_note": "dự giờ", "pin_until": "01/10/2023"})
    assert past.status_code == 422
    assert 'href="#pin_until"' in past.text
    assert 'value="dự giờ"' in past.text
    told = {"pin_note": "dự giờ", "pin_until": "04/10/2023"}
    assert went(coordinator.submit(path, told), lesson)
    page = plain(coordinator.see(f"{DESK}/{lesson}"))
    assert "Cô coordinator đã ghim: dự giờ Đến hết Thứ Tư 04/10/2023." in page
    assert went(coordinator.submit(f"{DESK}/{lesson}/unpin"), lesson)
    assert pins.of_lesson(ctx, cast.actors["coordinator"], lesson) is None


# -- changes by hand


def test_changes_gather_in_a_basket_and_become_a_draft(ctx, cast, coordinator, lesson):
    path = f"{DESK}/{lesson}/change"
    page = coordinator.see(path)
    assert f'name="teacher" value="{cast["teacher2"]}"' in page.text
    nothing = coordinator.submit(path, {"teacher": "keep", "time": "keep"})
    assert nothing.status_code == 422
    moved = {"teacher": str(cast["teacher2"]), "time": "keep"}
    done = coordinator.submit(path, moved)
    assert done.headers["location"] == "/coordinator/basket"
    basket = coordinator.see("/coordinator/basket")
    said = plain(basket)
    assert "1 thay đổi trong giỏ" in said
    assert "Không vi phạm quy tắc nào." in said
    assert get(ctx, lesson).teacher_id == cast["teacher1"]
    seen = {"seen": hidden(basket, "/coordinator/basket/draft", "seen"), "note": "xin đổi"}
    assert coordinator.submit("/coordinator/basket/draft", seen | {"seen": "x"}).status_code == 409
    made = coordinator.submit("/coordinator/basket/draft", seen)
    assert re.fullmatch(r"/coordinator/plans/\d+", made.headers["location"])
    draft = coordinator.see(made.headers["location"])
    assert 'aria-hidden="true">⇄</span>' in draft.text
    assert "xin đổi" in draft.text
    assert "Giỏ đang trống" in plain(coordinator.see("/coordinator/basket"))


def test_a_basket_that_breaks_a_rule_says_which_and_makes_no_draft(ctx, cast, coordinator, lesson):
    book(ctx, cast, START, "8B", "teacher2")
    coordinator.submit(f"{DESK}/{lesson}/change", {"teacher": str(cast["teacher2"])})
    page = coordinator.see("/coordinator/basket")
    assert "Sẽ vi phạm" in plain(page)
    assert 'aria-disabled="true"' in page.text
    seen = f"{lesson}.{cast['teacher2']}.0.0.0"
    assert coordinator.submit("/coordinator/basket/draft", {"seen": seen}).status_code == 409
    out = coordinator.submit("/coordinator/basket/remove", {"lesson": str(lesson)})
    assert out.status_code == 303
    assert "Giỏ đang trống" in plain(coordinator.see("/coordinator/basket"))


def test_a_change_that_can_do_nothing_any_more_is_taken_out_alone(ctx, cast, coordinator, lesson):
    other = book(ctx, cast, START, "8B", "teacher2")
    for each, who in ((lesson, "teacher2"), (other, "teacher1")):
        coordinator.submit(f"{DESK}/{each}/change", {"teacher": str(cast[who])})
    lessons.call_off(ctx, cast.actors["coordinator"], lesson, "bão")
    page = coordinator.see("/coordinator/basket")
    said = plain(page)
    assert "2 thay đổi trong giỏ" in said
    assert "1 thay đổi không còn tác dụng" in said
    assert "8B" in said
    assert "/coordinator/basket/draft" not in page.text
    assert hidden(page, "/coordinator/basket/remove", "lesson") == str(lesson)
    coordinator.submit("/coordinator/basket/remove", {"lesson": str(lesson)})
    left = coordinator.see("/coordinator/basket")
    assert "1 thay đổi trong giỏ" in plain(left)
    assert "không còn tác dụng" not in plain(left)


def test_a_basket_of_which_nothing_can_be_done_can_be_emptied(ctx, cast, coordinator, lesson):
    coordinator.submit(f"{DESK}/{lesson}/change", {"teacher": str(cast["teacher2"])})
    lessons.call_off(ctx, cast.actors["coordinator"], lesson, "bão")
    page = coordinator.see("/coordinator/basket")
    seen = {"seen": hidden(page, "/coordinator/basket/empty", "seen")}
    coordinator.submit("/coordinator/basket/empty", seen)
    assert "Giỏ đang trống" in plain(coordinator.see("/coordinator/basket"))


def test_what_another_tab_put_in_is_not_emptied_unseen(ctx, cast, coordinator, lesson):
    other = book(ctx, cast, START, "8B", "teacher2")
    coordinator.submit(f"{DESK}/{lesson}/change", {"teacher": str(cast["teacher2"])})
    page = coordinator.see("/coordinator/basket")
    seen = {"seen": hidden(page, "/coordinator/basket/empty", "seen")}
    coordinator.submit(f"{DESK}/{other}/change", {"teacher": str(cast["teacher1"])})
    refused = coordinator.submit("/coordinator/basket/empty", seen)
    assert refused.status_code == 409
    assert "2 thay đổi trong giỏ" in plain(refused)
    assert "2 thay đổi trong giỏ" in plain(coordinator.see("/coordinator/basket"))


def test_a_full_basket_says_so_and_keeps_what_is_in_it(cast, coordinator, lesson):
    me, most = cast["person_coordinator"], basket.MOST
    longest = [f"{2**31 - 1 - n}.{2**31 - 1}.2023-10-05.1395.1440" for n in range(most)]
    kept = f"{me}~{'_'.join(longest)}"
    assert len(kept) < 3000  # a browser throws a cookie of more than 4096 away, unsaid
    coordinator.cookies.set("__Host-basket", kept, domain="chungtay.example", path="/")
    refused = coordinator.submit(f"{DESK}/{lesson}/change", {"teacher": str(cast["teacher2"])})
    assert refused.status_code == 422
    assert f"Giỏ đã đầy: trong giỏ có {most} thay đổi" in plain(refused)
    assert f'value="{cast["teacher2"]}" checked' in refused.text
    assert f"{most} thay đổi trong giỏ" in plain(coordinator.see("/coordinator/basket"))


@pytest.mark.parametrize(
    "kept", ["x", "{me}~", "{me}~1.2", "{me}~0.0.0.0.0", "{me}~1.x.0.0.0", "999~1.2.0.0.0"]
)
def test_a_basket_that_we_did_not_write_is_empty(cast, coordinator, kept):
    kept = kept.format(me=cast["person_coordinator"])
    coordinator.cookies.set("__Host-basket", kept, domain="chungtay.example", path="/")
    assert "Giỏ đang trống" in plain(coordinator.see("/coordinator/basket"))


# -- figures


@pytest.mark.parametrize("path", ["/coordinator/covers", DESK])
def test_as_many_queries_for_three_as_for_one(ctx, cast, coordinator, lesson, path):
    address = f"{DESK}/{lesson}" if path == DESK else path
    cannot(ctx, cast, lesson)
    coordinator.see(address)
    with queries(ctx) as one:
        coordinator.see(address)
    for n, name in enumerate(("x", "y"), start=1):
        join(ctx, cast, name)
        later = book(ctx, cast, START + timedelta(days=7 * n))
        cover.ask(ctx, cast.actors["coordinator"], later, "ốm")
    with queries(ctx) as three:
        coordinator.see(address)
    assert len(three) == len(one)
