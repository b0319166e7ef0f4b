"""Thanks and certificates in one go: looked at first, then one mail to each, once."""

import re

import pytest
import sqlalchemy as sa

from scheduler.services import certificates, sending
from scheduler.store import addresses, tables
from tests import outcomes
from tests.faults.kit import Post
from tests.web.cast_desk import count, plain, queries

CERTIFICATES = "/coordinator/reports/certificates"
HERE = f"{CERTIFICATES}/thanks"


@pytest.fixture
def autumn(ctx, cast, clock):
    (a, b, *_), (c, *_) = outcomes.autumn(ctx, cast)
    outcomes.hold(ctx, a, b, c)
    clock.forward(days=70)
    with ctx.transaction() as db:  # nobody waits for older news
        db.execute(tables.outbox.update().values(state="cancelled", lease_token=None))
    return a, b, c


@pytest.fixture
def desk(site, cast, autumn):
    return site.of(cast.actors["coordinator"])


def seen(page) -> dict[str, str]:
    return {"seen": re.search(r'name="seen" value="(\w+)"', page.text)[1]}


def thanked(ctx):
    with ctx.reading() as db:
        wanted = sa.select(tables.outbox).where(tables.outbox.c.key.like("thanks:%"))
        return db.execute(wanted.order_by(tables.outbox.c.id)).all()


def test_one_press_issues_certificates_and_thanks_each_by_name_once(ctx, desk):
    assert f'href="{HERE}"' in desk.see(CERTIFICATES).text
    page = desk.see(HERE)
    words = plain(page)
    assert "Cảm ơn 2 thầy cô" in words
    assert "Cảm ơn thầy cô vì 2 tiết" in words
    assert "XXXX-XXXX-XXXX" in words
    assert (count(ctx, tables.certificates), thanked(ctx)) == (0, [])
    done = desk.submit(HERE, seen(page))
    assert (done.status_code, done.headers["location"]) == (303, CERTIFICATES)
    assert count(ctx, tables.certificates) == len(thanked(ctx)) == 2
    again = desk.submit(HERE, seen(page))
    assert (again.status_code, len(thanked(ctx))) == (409, 2)
    assert "Tất cả những ai liên lạc được đã được cảm ơn" in plain(desk.see(HERE))


def test_the_mail_tells_figures_and_where_the_certificate_is(ctx, cast, desk):
    desk.submit(HERE, seen(desk.see(HERE)))
    post = Post()
    sending.send_due(ctx, post)
    mails = {each["To"].addresses[0].addr_spec: each for each in post.arrived}
    assert set(mails) == {"teacher1@x.example", "teacher2@x.example"}
    coordinator = cast.actors["coordinator"]
    for who, lessons, classes in (("teacher1", 2, 1), ("teacher2", 1, 1)):
        (code,) = (x.code for x in certificates.of_teacher(ctx, coordinator, cast[who]))
        mail = mails[f"{who}@x.example"]
        words = mail.get_body(("plain",)).get_content()
        assert mail["Subject"] == f"Cảm ơn thầy cô vì {lessons} tiết"
        assert f"Cô {who}" in words
        assert f"{lessons} tiết" in words
        assert f"{classes} lớp" in words
        assert f"/verify/{code}" in words


def test_who_cannot_be_reached_is_counted_before_and_not_written_to(ctx, cast, desk):
    with ctx.transaction() as db:
        persons = tables.persons
        who = cast["person_teacher1"], "teacher1@x.example"
        addresses.mark(db, *who, "550 no such user", ctx.now())
        off = persons.c.id == cast["person_teacher2"]
        db.execute(persons.update().where(off).values(active=False))
    page = plain(desk.see(HERE))
    assert "2 thầy cô không nhận được thư" in page
    assert "Cô teacher1" in page
    assert "Cô teacher2" in page
    assert "Gửi" not in page


def test_figures_that_changed_since_are_shown_before_anything_is_sent(ctx, desk, autumn):
    old = seen(desk.see(HERE))
    outcomes.end(ctx, [autumn[0]], "scheduled")
    refused = desk.submit(HERE, old)
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert thanked(ctx) == []


def test_the_page_takes_as_many_queries_for_one_teacher_as_for_two(ctx, desk, autumn):
    desk.see(HERE)
    with queries(ctx) as many:
        desk.see(HERE)
    outcomes.end(ctx, [autumn[2]], "scheduled")
    with queries(ctx) as few:
        desk.see(HERE)
    assert len(many) == len(few)


def test_who_gave_one_lesson_is_thanked_for_it_in_english_too(ctx, cast, desk):
    with ctx.transaction() as db:
        db.execute(tables.persons.update().values(language="en"))
    desk.submit(HERE, seen(desk.see(HERE)))
    post = Post()
    sending.send_due(ctx, post)
    said = sorted(each["Subject"] for each in post.arrived)
    assert said == ["Thank you for 2 lessons", "Thank you for your lesson"]
