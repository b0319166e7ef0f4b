"""A school's hours page: bell times with a preview of what moves, closed days, and who may."""

import re
from datetime import timedelta

import pytest

from scheduler.domain.lessons import LessonState
from scheduler.store import terms
from tests.web import cast_desk as desk
from tests.web.cast_desk import WED

NEXT = WED + timedelta(days=7)
BELLS = {"1": ("07:40", "08:25"), "2": ("8h35", "9.20"), "3": ("09:30", "10:15")}


def form(cast, bells=BELLS, **more):
    typed = {f"start-morning-{n}": start for n, (start, _) in bells.items()}
    typed |= {f"end-morning-{n}": end for n, (_, end) in bells.items()}
    rest = {"rooms": "1", "from_day": "09/10/2023", "reason": "Giờ mùa đông"}
    return typed | rest | {"school": str(cast["A"])} | more


def hidden(page) -> dict[str, str]:
    """The fields that a page's form sends again."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    return {name: value for name, value in found if name not in ("csrf", "language", "next")}


def status(page) -> str:
    return re.search(r'role="status">(.*?)</div>', page.text, re.S)[1]


def lessons_of(ctx, cast):
    with ctx.reading() as db:
        return [f"{x.starts_at:%d %H:%M}" for x in desk.lessons.find(db, class_id=cast["7A"])]


@pytest.fixture
def timetable(ctx, cast):
    return desk.publish(ctx, cast, desk.at(cast, WED), desk.at(cast, NEXT))


@pytest.fixture
def school(site, cast):
    return site.of(cast.actors["schoolA"])


def test_the_page_shows_the_bells_and_the_next_monday(school):
    page = school.see("/school/hours")
    assert 'name="start-morning-1" value="07:30"' in page.text
    assert 'name="end-morning-3" value="10:05"' in page.text
    assert 'name="start-morning-5" value=""' in page.text  # an empty row to write a new one
    assert 'value="09/10/2023"' in page.text
    assert 'aria-current="page"' in page.text


def test_new_bells_are_seen_first_and_then_ring(ctx, cast, school, timetable):
    school.see("/school/hours")
    seen = school.submit("/school/hours", form(cast))
    assert seen.status_code == 200
    assert "1 tiết dời theo" in seen.text
    assert "07:40–08:25" in seen.text
    assert "Cô teacher1" in seen.text
    assert lessons_of(ctx, cast) == ["04 00:30", "11 00:30"]  # nothing is changed yet
    done = school.submit("/school/hours", hidden(seen))
    assert (done.status_code, done.headers["location"]) == (
        303, f"/school/hours?school={cast['A']}",
    )  # fmt: skip
    assert "09/10/2023" in status(school.see(done.headers["location"]))
    assert lessons_of(ctx, cast) == ["04 00:30", "11 00:40"]
    assert "Sáng tiết 1" in school.see("/school?week=2023-10-04").text  # by the bells of its day


def test_what_was_typed_stays_with_the_fault_at_its_field(ctx, cast, school):
    school.see("/school/hours")
    wrong = BELLS | {"2": ("8 giờ", "09:20")}
    page = school.submit("/school/hours", form(cast, wrong, rooms="0"))
    assert page.status_code == 422
    assert 'href="#start-morning-2"' in page.text
    assert 'id="start-morning-2-error"' in page.text
    assert 'href="#rooms"' in page.text
    assert 'value="8 giờ"' in page.text


def test_a_lesson_that_cannot_move_along_is_asked_about(ctx, cast, school, timetable):
    early = {"1": ("06:30", "07:15"), "2": ("08:35", "09:20"), "3": ("09:30", "10:15")}
    school.see("/school/hours")
    seen = school.submit("/school/hours", form(cast, early))
    lesson = desk.lesson_of(ctx, cast).id + 1
    assert f'name="fate-{lesson}" value="keep"' in seen.text
    page = school.submit("/school/hours", hidden(seen))
    assert page.status_code == 422
    assert f'href="#fate-{lesson}"' in page.text
    assert lessons_of(ctx, cast) == ["04 00:30", "11 00:30"]
    done = school.submit("/school/hours", hidden(seen) | {f"fate-{lesson}": "keep"})
    assert done.status_code == 303
    assert lessons_of(ctx, cast) == ["04 00:30", "11 00:30"]


def test_a_preview_that_is_out_of_date_is_shown_anew(ctx, cast, school, timetable):
    school.see("/school/hours")
    seen = hidden(school.submit("/school/hours", form(cast)))
    with ctx.transaction() as db:
        terms.set_rooms(db, cast["A"], 3)
    page = school.submit("/school/hours", seen)
    assert page.status_code == 409
    assert 'role="alert"' in page.text
    assert lessons_of(ctx, cast) == ["04 00:30", "11 00:30"]


# -- closed days


CLOSED = {"first_day": "11/10/2023", "last_day": "", "closed_reason": "Hội thao"}


def test_closed_days_show_what_becomes_of_their_lessons_and_then_hold(ctx, cast, school, timetable):
    school.see("/school/hours")
    seen = school.submit("/school/hours/closed", CLOSED | {"school": str(cast["A"])})
    assert seen.status_code == 200
    assert "Cô teacher1" in seen.text
    assert lessons_of(ctx, cast)[1] == "11 00:30"
    done = school.submit("/school/hours/closed", hidden(seen))
    assert done.status_code == 303
    assert lessons_of(ctx, cast)[1] != "11 00:30"
    page = school.see(done.headers["location"])
    assert "Hội thao" in page.text


def test_a_lesson_may_be_called_off_instead_of_moving(ctx, cast, school, timetable):
    school.see("/school/hours")
    seen = school.submit("/school/hours/closed", CLOSED | {"school": str(cast["A"])})
    off = re.search(r'name="off" value="(\d+)"', seen.text)[1]
    assert school.submit("/school/hours/closed", hidden(seen) | {"off": off}).status_code == 303
    with ctx.reading() as db:
        lesson = desk.lessons.get(db, int(off))
    assert (lesson.state, lesson.cancel_reason) == (LessonState.CANCELLED, "Hội thao")


def test_closed_days_are_opened_again_once(ctx, cast, school):
    school.see("/school/hours")
    fields = CLOSED | {"school": str(cast["A"])}
    school.submit("/school/hours/closed", hidden(school.submit("/school/hours/closed", fields)))
    days = {"school": str(cast["A"]), "first_day": "11/10/2023", "last_day": "11/10/2023"}
    assert school.submit("/school/hours/closed/withdraw", days).status_code == 303
    assert "Hội thao" not in school.see("/school/hours").text
    assert school.submit("/school/hours/closed/withdraw", days).status_code == 404


def test_closed_days_that_cannot_be_are_refused_at_their_field(cast, school):
    school.see("/school/hours")
    wrong = {"first_day": "31/09/2023", "closed_reason": "", "school": str(cast["A"])}
    page = school.submit("/school/hours/closed", wrong)
    assert page.status_code == 422
    assert 'href="#first_day"' in page.text
    assert 'href="#closed_reason"' in page.text


def test_another_schools_hours_are_not_there(ctx, site, cast, timetable):
    for who in ("schoolB", "stranger", "teacher1"):
        other = site.of(cast.actors[who])
        assert other.see(f"/school/hours?school={cast['A']}").status_code == 404
        for path, fields in (
            ("/school/hours", form(cast)),
            ("/school/hours/closed", CLOSED | {"school": str(cast["A"])}),
            ("/school/hours/closed/withdraw", CLOSED | {"school": str(cast["A"])}),
        ):
            assert other.submit(path, fields).status_code == 404
        assert lessons_of(ctx, cast) == ["04 00:30", "11 00:30"]
