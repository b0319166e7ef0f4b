"""Joint sessions before coordinators, and before those whom they invite."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.access import Grant, Role
from scheduler.domain.intervals import DaySpan
from scheduler.domain.joint_sessions import Answer
from scheduler.domain.lessons import LessonState
from scheduler.services import joint_attendance, joint_sessions, partnerships, sending
from scheduler.store import accounts, availability, tables
from tests import standins
from tests.faults.kit import Post, book
from tests.web.cast_desk import queries
from tests.web.test_partnerships_page import FIELDS as PAIR

PAIRS = "/coordinator/partnerships"
STARTS = datetime(2023, 10, 5, 7, 0, tzinfo=UTC)  # Thursday, 14:00 in Hà Nội
TOLD = {
    "title": "Dạy ngữ âm",
    "day": "05/10/2023",
    "starts": "14:00",
    "ends": "15:30",
    "meeting_url": "",
}


@pytest.fixture
def desk(cast, site):
    browser = site.of(cast.actors["coordinator"])
    browser.see(PAIRS)
    browser.submit(PAIRS, PAIR)
    return browser


@pytest.fixture
def everybody(cast):
    return [cast[f"person_{name}"] for name in ("teacher1", "teacher2", "schoolA")]


@pytest.fixture
def path(ctx, cast, desk, everybody):
    """Of a session on Thursday that invites both volunteers and school A."""
    answer = desk.submit(new(ctx, cast), TOLD | {"people": everybody})
    assert answer.status_code == 303
    return answer.headers["location"]


def new(ctx, cast) -> str:
    pair = partnerships.desk(ctx, cast.actors["coordinator"]).found[0].partnership
    return f"{PAIRS}/{pair.id}/sessions"


def seen(browser, path) -> dict[str, str]:
    return {"seen": re.search(r'name="seen" value="([^"]+)"', browser.see(path).text)[1]}


def opened(ctx, cast, path):
    number = int(path.rsplit("/", 1)[1])
    return joint_sessions.look(ctx, cast.actors["coordinator"], number)


def ticked(page) -> set[int]:
    return set(map(int, re.findall(r'name="people" value="(\d+)" checked', page.text)))


# -- planning


def test_a_session_invites_both_sides_unless_somebody_is_unticked(ctx, cast, desk, everybody):
    page = desk.see(new(ctx, cast))
    assert ticked(page) == set(everybody)
    some = everybody[1:]
    page = desk.submit(new(ctx, cast), TOLD | {"people": some}, follow_redirects=True)
    assert "Đã mời 2 người" in page.text
    assert "Thứ Năm 05/10" in desk.see(new(ctx, cast).removesuffix("/sessions")).text
    found = opened(ctx, cast, str(page.url.path))
    assert (found.session.starts_at, found.session.ends_at) == (
        STARTS, STARTS + timedelta(minutes=90),
    )  # fmt: skip
    assert {each.person_id for each in found.invited} == set(some)


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(ctx, cast, desk):
    wrong = TOLD | {"ends": "13:00", "meeting_url": "javascript:alert(1)", "people": "abc"}
    page = desk.submit(new(ctx, cast), wrong)
    assert page.status_code == 422
    assert re.search(r'id="ends"[^>]*aria-invalid="true"', page.text)
    assert re.search(r'id="meeting_url"[^>]*aria-invalid="true"', page.text)
    assert 'value="Dạy ngữ âm"' in page.text
    page = desk.submit(new(ctx, cast), TOLD | {"day": "01/10/2023"})
    assert re.search(r'id="day"[^>]*aria-invalid="true"', page.text)
    past = partnerships.desk(ctx, cast.actors["coordinator"]).found[0]
    assert past.sessions.ahead == 0


def test_who_is_away_or_teaches_then_is_named_once_and_may_be_invited_anyway(
    ctx, cast, desk, everybody
):
    book(ctx, cast, STARTS + timedelta(minutes=30))
    with ctx.transaction() as db:
        span = DaySpan(STARTS.date(), STARTS.date())
        availability.go_away(db, cast["term"], cast["teacher2"], span, "hội thi")
    page = desk.submit(new(ctx, cast), TOLD | {"people": everybody})
    assert (page.status_code, "hội thi" in page.text) == (200, False)
    warned = re.search(r'name="warned" value="([^"]+)"', page.text)[1]
    note = re.search(r'id="warnings".*?</div>', page.text, re.S)[0]
    assert "Bận cả ngày hôm đó: Cô teacher2" in note
    assert "Có tiết dạy hoặc cuộc họp khác lúc đó: Cô teacher1" in note
    again = TOLD | {"people": everybody, "warned": warned}
    assert desk.submit(new(ctx, cast), again).status_code == 303


def test_a_plan_sent_twice_is_one_session(ctx, cast, desk, path, everybody):
    again = desk.submit(new(ctx, cast), TOLD | {"people": everybody})
    assert (again.status_code, again.headers["location"]) == (303, path)
    assert partnerships.desk(ctx, cast.actors["coordinator"]).found[0].sessions.ahead == 1


# -- changing


def test_a_session_is_moved_and_those_let_go_keep_no_answer(ctx, cast, desk, path, everybody):
    joint_attendance.answer(
        ctx, cast.actors["teacher1"], opened(ctx, cast, path).session.id, Answer.COMING
    )
    page = desk.see(f"{path}/change")
    assert 'value="14:00"' in page.text
    told = TOLD | {"starts": "16:00", "ends": "17:00", "people": everybody[:2]}
    page = desk.submit(f"{path}/change", told | seen(desk, path), follow_redirects=True)
    assert "16:00–17:00" in page.text
    found = opened(ctx, cast, path)
    assert (found.session.sequence, found.session.moved_from) == (1, STARTS)
    assert [each.answer for each in found.invited] == [None, None]  # it was about another time
    assert len(found.invited) == 2


def test_a_change_over_a_change_is_refused_with_what_it_is_now(ctx, cast, site, desk, path):
    other = site.of(cast.actors["coordinator"])
    mark = seen(desk, path)
    other.see(path)
    off = {"reason": "Mất điện"} | mark
    assert other.submit(f"{path}/call-off", off).status_code == 303
    page = desk.submit(f"{path}/change", TOLD | {"title": "Khác", "people": 1} | mark)
    assert page.status_code in (409, 422)
    page = desk.submit(f"{path}/call-off", {"reason": "Bão"} | mark)
    assert page.status_code == 409
    assert "Mất điện" in page.text
    assert opened(ctx, cast, path).session.cancel_reason == "Mất điện"


def test_calling_off_wants_a_reason_and_can_be_undone(ctx, cast, desk, path):
    page = desk.submit(f"{path}/call-off", seen(desk, path))
    assert (page.status_code, 'aria-invalid="true"' in page.text) == (422, True)
    desk.submit(f"{path}/call-off", {"reason": "Mất điện"} | seen(desk, path))
    assert opened(ctx, cast, path).session.off
    desk.submit(f"{path}/restore", seen(desk, path))
    found = opened(ctx, cast, path).session
    assert (found.state, found.sequence, found.cancel_reason) == (LessonState.SCHEDULED, 2, "")


def test_a_partnership_that_still_means_to_meet_cannot_be_ended(ctx, cast, desk, path):
    pair = new(ctx, cast).removesuffix("/sessions")
    page = desk.submit(f"{pair}/remove", seen(desk, pair))
    assert page.status_code == 409
    desk.submit(f"{path}/call-off", {"reason": "Mất điện"} | seen(desk, path))
    assert desk.submit(f"{pair}/remove", seen(desk, pair)).status_code == 303
    assert desk.see(path).status_code == 404


# -- those who are invited


@pytest.mark.parametrize(("who", "room"), [("teacher1", "/teacher"), ("schoolA", "/school")])
def test_whoever_is_invited_sees_it_and_says_whether_they_come(ctx, cast, site, path, who, room):
    browser = site.of(cast.actors[who])
    page = browser.see(room)
    assert "Dạy ngữ âm" in page.text
    assert f"/j/{opened(ctx, cast, path).session.join_token}" in page.text
    here = f"{room}/joint-sessions/{path.rsplit('/', 1)[1]}"
    assert browser.submit(here, {"say": "coming"}).status_code == 303
    assert "1 người sẽ dự" in browser.see(room).text
    browser.submit(here, {"say": "undo"})
    browser.submit(here, {"say": "cannot"})
    assert "Không dự được" in browser.see(room).text
    mine = {each.person_id: each.answer for each in opened(ctx, cast, path).invited}
    assert mine[cast[f"person_{who}"]] is Answer.CANNOT


def test_who_is_not_invited_sees_nothing_of_it(ctx, cast, site, path):
    number = path.rsplit("/", 1)[1]
    other = site.of(cast.actors["schoolB"])
    assert "Dạy ngữ âm" not in other.see("/school").text
    answer = other.submit(f"/school/joint-sessions/{number}", {"say": "coming"})
    assert answer.status_code == 404
    assert site.of(cast.actors["stranger"]).see(path).status_code == 404
    assert site.of(cast.actors["teacher1"]).see(path).status_code == 404


def test_the_pages_ask_as_much_of_the_database_for_three_sessions_as_for_one(
    ctx, cast, site, desk, path, everybody
):
    rooms = {"coordinator": [PAIRS, new(ctx, cast).removesuffix("/sessions")],
             "teacher1": ["/teacher", "/teacher/lessons"], "schoolA": ["/school"]}  # fmt: skip
    browsers = {who: site.of(cast.actors[who]) for who in rooms}

    def count() -> list[int]:
        found = []
        for who, pages in rooms.items():
            for page in pages:
                with queries(ctx) as asked:
                    assert browsers[who].see(page).status_code == 200
                found.append(len(asked))
        return found

    count()
    one = count()
    for day in ("06/10/2023", "09/10/2023"):
        desk.submit(new(ctx, cast), TOLD | {"day": day, "people": everybody})
    assert count() == one


# -- the door, and who came


def test_its_link_opens_its_room_and_says_when_it_is_called_off(ctx, cast, clock, desk, path):
    token = opened(ctx, cast, path).session.join_token
    assert "Buổi sinh hoạt chuyên môn diễn ra" in desk.see(f"/j/{token}").text
    clock.at = STARTS
    door = desk.get(f"/j/{token}")
    assert (door.status_code, door.headers["location"][:24]) == (302, "https://meet.jit.si/chun")
    clock.at = STARTS - timedelta(hours=2)
    desk.arrive(cast.actors["coordinator"])
    desk.submit(f"{path}/call-off", {"reason": "Mất điện"} | seen(desk, path))
    assert "Mất điện" in desk.see(f"/j/{token}").text


def test_who_came_counts_for_the_pledge_and_in_the_report(ctx, cast, clock, site, path, everybody):
    clock.at = STARTS + timedelta(hours=2)
    desk = site.of(cast.actors["coordinator"])
    mark = seen(desk, path)
    assert desk.submit(f"{path}/came", mark).status_code == 422
    page = desk.submit(f"{path}/came", {"people": everybody[:2]} | mark, follow_redirects=True)
    assert "2 / 3 người đã dự" in page.text
    again = desk.submit(f"{path}/came", {"people": everybody[:1]} | mark)
    assert again.status_code == 409  # somebody noted it before
    progress = partnerships.desk(ctx, cast.actors["coordinator"]).found[0]
    assert (progress.sessions.held, progress.sessions.ahead) == (1, 0)
    report = desk.see("/coordinator/reports").text
    assert re.search(r"Sinh hoạt chuyên môn đã diễn ra</dt><dd>1<", report)
    assert re.search(r"Lượt người dự</dt><dd>2<", report)
    desk.submit(f"{path}/came", {"went": "no"} | seen(desk, path))
    assert opened(ctx, cast, path).session.state is LessonState.NOT_HELD


def test_the_record_knows_who_planned_and_called_it_off(ctx, cast, desk, path):
    desk.submit(f"{path}/call-off", {"reason": "Mất điện"} | seen(desk, path))
    number = path.rsplit("/", 1)[1]
    page = desk.see(f"/coordinator/record?subject=joint_session&number={number}").text
    assert "Lên lịch một buổi sinh hoạt chuyên môn" in page
    assert "Huỷ một buổi sinh hoạt chuyên môn" in page


def test_without_a_room_of_its_own_it_meets_where_its_programme_does(
    ctx, cast, clock, desk, path, everybody
):
    place = "/coordinator/settings/meetings"
    desk.submit(place, {"pattern": "https://hop.example/lop-{room}"} | seen(desk, place))
    page = desk.see(f"{path}/change")
    assert re.search(r'id="meeting_url"[^>]*value=""', page.text)
    token = opened(ctx, cast, path).session.join_token
    clock.at = STARTS
    assert desk.get(f"/j/{token}").headers["location"].startswith("https://hop.example/lop-")
    clock.at = STARTS - timedelta(hours=3)
    desk.arrive(cast.actors["coordinator"])
    own = {"meeting_url": "https://zoom.example/j/1", "people": everybody}
    desk.submit(f"{path}/change", TOLD | own | seen(desk, path))
    clock.at = STARTS
    assert desk.get(f"/j/{token}").headers["location"] == "https://zoom.example/j/1"


def test_the_coordinators_day_asks_who_came_until_it_is_noted_or_two_weeks_are_over(
    ctx, cast, clock, site, path, everybody
):
    number = path.rsplit("/", 1)[1]
    link = f'href="/coordinator/joint-sessions/{number}#how"'
    over = STARTS + timedelta(minutes=90)

    def asked(at):
        clock.at = at
        return link in site.of(cast.actors["coordinator"]).see("/coordinator").text

    assert not asked(over - timedelta(minutes=1))
    assert asked(over)
    assert asked(over + timedelta(days=13, hours=23))
    assert not asked(over + timedelta(days=14))
    clock.at = over
    desk = site.of(cast.actors["coordinator"])
    page = desk.see("/coordinator").text
    assert "Dạy ngữ âm" in page
    assert 'id="how"' in desk.see(path).text
    desk.submit(f"{path}/came", {"people": everybody} | seen(desk, path))
    assert not asked(over)


# -- what strangers tried


def test_warnings_that_no_longer_hold_are_not_asked_about_again(ctx, cast, desk, everybody):
    book(ctx, cast, STARTS + timedelta(minutes=30))
    page = desk.submit(new(ctx, cast), TOLD | {"people": everybody})
    warned = re.search(r'name="warned" value="([^"]+)"', page.text)[1]
    free = {"starts": "16:00", "ends": "17:00", "people": everybody, "warned": warned}
    assert desk.submit(new(ctx, cast), TOLD | free).status_code == 303


@pytest.mark.parametrize("day", ["01/01/0001", "31/12/9999", "05/10/2053"])
def test_a_day_that_nobody_can_mean_is_refused_at_its_field(ctx, cast, desk, everybody, day):
    page = desk.submit(new(ctx, cast), TOLD | {"day": day, "people": everybody})
    assert page.status_code == 422
    assert re.search(r'id="day"[^>]*aria-invalid="true"', page.text)


@pytest.mark.parametrize("url", ["https://zoom.example/phòng-họp", "https://zoom.example/{lop}"])
def test_a_room_is_an_address_as_those_of_classes_are(ctx, cast, desk, everybody, url):
    page = desk.submit(new(ctx, cast), TOLD | {"meeting_url": url, "people": everybody})
    assert page.status_code == 422
    assert re.search(r'id="meeting_url"[^>]*aria-invalid="true"', page.text)


def test_a_partnership_stays_until_everybody_knows_that_its_session_is_off(
    ctx, cast, clock, site, desk, path
):
    go_out(ctx, clock)
    desk.submit(f"{path}/call-off", {"reason": "Mất điện"} | seen(desk, path))
    pair = new(ctx, cast).removesuffix("/sessions")
    page = desk.submit(f"{pair}/remove", seen(desk, pair))
    assert (page.status_code, "chưa được báo" in page.text) == (409, True)
    subjects = go_out(ctx, clock)
    assert [what.startswith("Huỷ buổi sinh hoạt") for what in subjects] == [True] * 3
    assert desk.submit(f"{pair}/remove", seen(desk, pair)).status_code == 303


def test_a_partnership_that_has_met_stays_for_the_records_of_who_came(
    ctx, cast, clock, site, path, everybody
):
    clock.at = STARTS + timedelta(hours=2)
    desk = site.of(cast.actors["coordinator"])
    desk.submit(f"{path}/came", {"people": everybody} | seen(desk, path))
    pair = new(ctx, cast).removesuffix("/sessions")
    page = desk.submit(f"{pair}/remove", seen(desk, pair))
    assert (page.status_code, "đã sinh hoạt chuyên môn với nhau" in page.text) == (409, True)
    desk.submit(f"{path}/came", {"went": "no"} | seen(desk, path))
    assert desk.submit(f"{pair}/remove", seen(desk, pair)).status_code == 303


def test_who_has_two_roles_sees_each_session_where_it_invites_them(ctx, cast, site, path):
    with ctx.transaction() as db:
        grant = Grant(Role.SCHOOL, cast["programme"], school_id=cast["B"])
        accounts.add_grant(db, cast["person_teacher1"], grant)
    both = site.of(cast.actors["teacher1"])
    assert "Dạy ngữ âm" in both.see("/teacher").text
    assert "Dạy ngữ âm" in both.see("/teacher/lessons").text
    assert "Dạy ngữ âm" not in both.see("/school").text


def test_an_answer_to_what_was_called_off_meanwhile_is_told_so(ctx, cast, site, desk, path):
    browser = site.of(cast.actors["teacher1"])
    browser.see("/teacher")
    desk.submit(f"{path}/call-off", {"reason": "Mất điện"} | seen(desk, path))
    here = f"/teacher/joint-sessions/{path.rsplit('/', 1)[1]}"
    page = browser.submit(here, {"say": "coming"}, follow_redirects=True)
    assert "không cần trả lời nữa" in page.text
    assert "Mất điện" in page.text
    assert [x.answer for x in opened(ctx, cast, path).invited] == [None] * 3


def test_what_was_called_off_stays_off_once_its_time_has_come(ctx, cast, clock, site, desk, path):
    desk.submit(f"{path}/call-off", {"reason": "Mất điện"} | seen(desk, path))
    clock.at = STARTS
    late = site.of(cast.actors["coordinator"])
    mark = seen_mark(ctx, cast, path)
    assert late.see(path).text.count("/restore") == 0
    assert late.submit(f"{path}/restore", mark).status_code == 409
    assert late.submit(f"{path}/came", {"people": 1} | mark).status_code == 409
    assert opened(ctx, cast, path).session.off


def go_out(ctx, clock) -> list[str]:
    """The subjects of everything that leaves within the next quarter of an hour."""
    clock.forward(minutes=16)
    post = Post()
    while sending.send_due(ctx, post).claimed:
        pass
    return post.subjects


def seen_mark(ctx, cast, path) -> dict[str, str]:
    return {"seen": opened(ctx, cast, path).marker}


def test_the_head_of_a_donor_school_sees_the_sessions_of_her_teachers(ctx, cast, site, desk, path):
    with ctx.reading() as db:
        mine = tables.teachers.c.id == cast["teacher1"]
        school = db.scalar(sa.select(tables.teachers.c.donor_school_id).where(mine))
    hers = site.of(head_of(ctx, cast, "ai-mo@x.example", school))
    page = hers.see("/donor-school").text
    assert "Dạy ngữ âm" in page
    assert "Cô teacher1" in page
    assert "/j/" not in page
    khac = standins.school(ctx, cast, "THCS Khác")
    other = site.of(head_of(ctx, cast, "khac@x.example", khac))
    assert "Dạy ngữ âm" not in other.see("/donor-school").text


def head_of(ctx, cast, email, school):
    with ctx.transaction() as db:
        person = accounts.ensure_person(
            db, email=email, name="Cô Hiệu", language="vi", now=ctx.now()
        )
        grant = Grant(Role.DONOR_HEAD, cast["programme"], donor_school_id=school)
        accounts.add_grant(db, person, grant)
        return accounts.actor_of(db, person)


def test_today_and_the_heads_page_ask_as_much_for_three_sessions_as_for_one(
    ctx, cast, clock, site, desk, path, everybody
):
    with ctx.reading() as db:
        mine = tables.teachers.c.id == cast["teacher1"]
        school = db.scalar(sa.select(tables.teachers.c.donor_school_id).where(mine))
    hers = site.of(head_of(ctx, cast, "ai-mo@x.example", school))

    def asked(browser, page) -> int:
        browser.see(page)
        with queries(ctx) as found:
            assert browser.see(page).status_code == 200
        return len(found)

    def late() -> int:
        now, clock.at = clock.at, STARTS + timedelta(hours=8)
        count = asked(site.of(cast.actors["coordinator"]), "/coordinator")
        clock.at = now
        return count

    one = asked(hers, "/donor-school"), late()
    desk = site.of(cast.actors["coordinator"])
    for hour in (16, 17):
        told = {"starts": f"{hour}:00", "ends": f"{hour}:30", "people": everybody}
        assert desk.submit(new(ctx, cast), TOLD | told).status_code == 303
    assert (asked(hers, "/donor-school"), late()) == one
