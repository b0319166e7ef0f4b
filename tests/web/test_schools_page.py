"""Schools before the coordinator: both sides as lists, one of each; a teacher's profile."""

import gzip
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.access import Grant, Role
from scheduler.domain.calendars import FeedKind
from scheduler.services import certificates, feeds
from scheduler.store import accounts, tables
from tests import outcomes
from tests.cast import T0
from tests.web.cast_desk import count, queries

SCHOOLS, DONORS, PEOPLE = (
    "/coordinator/schools",
    "/coordinator/donor-schools",
    "/coordinator/people",
)


@pytest.fixture
def desk(site, cast):
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def donor(ctx, cast):
    with ctx.reading() as db:
        return db.scalar(sa.select(tables.donor_schools.c.id))


def row(page, name: str) -> str:
    """The words of the row that begins with this name."""
    found = re.search(rf"<tr><th scope=\"row\"><a [^>]*>{name}</a>.*?</tr>", page.text, re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", " ", found[0])


def test_receiving_schools_stand_with_what_they_asked_and_who_speaks_for_them(ctx, cast, desk):
    outcomes.autumn(ctx, cast)
    page = desk.see(SCHOOLS)
    assert "2 trường tiếp nhận</h1>" in page.text
    assert re.search(r"A · Lục Yên +1 +13 +9 +Cô schoolA", row(page, "THCS A"))
    assert f'href="{PEOPLE}/{cast["person_schoolA"]}"' in page.text


@pytest.mark.parametrize("words", ["luc yen schoola", "cô SCHOOLA", "SCHOOLA@x.example"])
def test_a_school_is_found_without_marks_by_its_name_and_by_its_contact(cast, desk, words):
    page = desk.get(SCHOOLS, params={"q": words})
    assert "THCS A</a>" in page.text
    assert "THCS B</a>" not in page.text


def test_a_pledge_that_another_noted_meanwhile_is_not_written_over(cast, desk, donor, site):
    here, other = f"{DONORS}/{donor}", site.of(cast.actors["coordinator"])
    balance = "/coordinator/balance"
    label = "THCS Ái Mộ (Long Biên)"

    def seen(page) -> str:
        return re.search(r'name="seen" value="([^"]*)"', page.text)[1]

    early, wide = seen(desk.see(here)), seen(desk.see(balance))
    fields = {"lessons": "12", "seen": seen(other.see(here))}
    assert other.submit(f"{here}/pledge", fields).status_code == 303
    late = desk.submit(f"{here}/pledge", {"lessons": "33", "seen": early})
    assert late.status_code == 409
    assert f"{label} vừa được ghi 12 tiết" in late.text
    assert 'value="33"' in late.text  # what was typed is still there
    told = desk.submit(f"{balance}/pledge", {"school": label, "lessons": "33", "seen": wide})
    assert told.status_code == 409
    assert "12 tiết" in told.text
    same = desk.submit(f"{here}/pledge", {"lessons": "12", "seen": early})
    assert same.status_code == 303  # both meant the same
    again = {"lessons": "33", "seen": seen(late)}
    assert desk.submit(f"{here}/pledge", again).status_code == 303


def test_donor_schools_stand_with_their_teachers_and_pledge(ctx, cast, desk, donor):
    page = desk.see(DONORS)
    assert re.search(r"Long Biên +2 +80 theo giáo viên +0 +0", row(page, "THCS Ái Mộ"))
    assert "THCS Ái Mộ</a>" in desk.get(f"{DONORS}?q=ai mo").text
    assert "THCS Ái Mộ</a>" in desk.get(f"{DONORS}?q=teacher2").text
    assert "Không có trường nào như vậy" in desk.get(f"{DONORS}?q=khong co").text
    here = f"{DONORS}/{donor}"
    desk.see(here)
    wrong = desk.submit(f"{here}/pledge", {"lessons": "nhiều"})
    assert (wrong.status_code, 'value="nhiều"' in wrong.text) == (422, True)
    assert count(ctx, tables.school_pledges) == 0
    assert desk.submit(f"{here}/pledge", {"lessons": "33"}).status_code == 303
    assert re.search(r"Long Biên +2 +33 +0 +0", row(desk.see(DONORS), "THCS Ái Mộ"))


def test_a_school_tells_its_requests_hours_and_contacts(ctx, cast, desk):
    with ctx.transaction() as db:
        mine = tables.persons.c.id == cast["person_schoolA"]
        db.execute(tables.persons.update().where(mine).values(phone="0912 345 678"))
    page = desk.see(f"{SCHOOLS}/{cast['A']}/profile")
    for words in (
        "Lớp 7A",
        "Thiếu 13",
        "1: 07:30–08:15",
        "Cô schoolA",
        "tel:0912345678",
    ):
        assert words in page.text, words
    assert f'href="{SCHOOLS}/{cast["A"]}"' in page.text
    week = desk.see(f"{SCHOOLS}/{cast['A']}")
    assert f'href="{SCHOOLS}/{cast["A"]}/profile"' in week.text


def test_a_teacher_stands_with_promise_lessons_service_and_calendars(ctx, cast, desk, clock):
    (a, b, *_), _ = outcomes.autumn(ctx, cast)
    outcomes.hold(ctx, a)
    clock.at = a.ends_at + timedelta(days=8)
    teacher = cast.actors["teacher1"]
    certificates.issue(ctx, teacher, cast["teacher1"])
    feeds.create_link(ctx, teacher, FeedKind.TEACHER, cast["teacher1"], "điện thoại của tôi")
    with ctx.transaction() as db:
        pledge = sa.select(tables.pledges.c.id).where(
            tables.pledges.c.teacher_id == cast["teacher1"]
        )
        day = b.starts_at.date()
        db.execute(
            tables.absences.insert().values(
                pledge_id=pledge.scalar_subquery(), first_day=day, last_day=day, reason="kín"
            )
        )
    desk = desk.arrive(cast.actors["coordinator"])
    page = desk.see(f"{PEOPLE}/{cast['person_teacher1']}")
    for words in (
        "7 tiết sắp tới", "2 tiết trước đây", "1 tiết đang chờ giáo viên báo cáo",
        "2 tiết một ngày, 4 một tuần, 40 cả học kỳ", "07:00–11:30", "11/10/2023",
        "điện thoại của tôi", "chưa được đọc", "THCS Ái Mộ", "Giấy xác nhận",
    ):  # fmt: skip
        assert words in page.text, words
    assert f'href="{DONORS}/1"' in page.text
    assert "kín" not in page.text  # why somebody is away is theirs
    assert len(gzip.compress(page.content)) < 25_000


def test_who_does_not_teach_has_no_promise(cast, desk):
    page = desk.see(f"{PEOPLE}/{cast['person_schoolA']}")
    assert "Lời hứa cho" not in page.text
    assert f'href="{SCHOOLS}/{cast["A"]}/profile"' in page.text


def test_a_stranger_sees_none_of_it(site, cast, donor):
    stranger = site.of(cast.actors["stranger"])
    for path in (
        f"{SCHOOLS}/{cast['A']}/profile",
        f"{DONORS}/{donor}",
        f"{PEOPLE}/{cast['person_teacher1']}",
    ):
        assert stranger.get(path).status_code == 404
    for path in (SCHOOLS, DONORS):
        assert "THCS" not in stranger.get(path).text


def _more(ctx, cast, number: int) -> None:
    with ctx.transaction() as db:
        for n in range(number):
            school = db.execute(
                tables.receiving_schools.insert()
                .values(
                    programme_id=cast["programme"], code=f"C{n}", name=f"THCS C{n}",
                    district="Yên Bình", level="primary", rooms=1,
                )
                .returning(tables.receiving_schools.c.id)
            ).scalar_one()  # fmt: skip
            other = db.execute(
                tables.donor_schools.insert()
                .values(programme_id=cast["programme"], name=f"TH D{n}", district="Ba Đình")
                .returning(tables.donor_schools.c.id)
            ).scalar_one()
            person = accounts.ensure_person(
                db, email=f"c{n}@x.example", name=f"Cô C{n}", language="vi", now=T0
            )
            accounts.add_grant(db, person, Grant(Role.SCHOOL, cast["programme"], school_id=school))
            db.execute(
                tables.teachers.insert().values(
                    programme_id=cast["programme"], person_id=person, donor_school_id=other
                )
            )


@pytest.mark.parametrize("path", [SCHOOLS, DONORS])
def test_a_list_asks_as_often_for_many_schools_as_for_few(ctx, cast, desk, path):
    def asked() -> int:
        with queries(ctx) as said:
            page = desk.get(path)
        assert len(gzip.compress(page.content)) < 25_000
        return len(said)

    few = asked()
    _more(ctx, cast, 3)
    assert asked() == few
