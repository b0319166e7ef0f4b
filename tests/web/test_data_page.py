"""What is kept of people, shown to anybody; and one's own data, copied and taken away."""

import json
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from scheduler.domain.retention import PROCESSORS, RULES
from scheduler.services import own_data
from scheduler.store import audits, tables
from tests.web.timetable import publish

DOCS = Path(__file__).parents[2] / "docs" / "privacy.md"


def audited(ctx, action):
    with ctx.reading() as db:
        query = sa.select(tables.audits.c.reason).where(tables.audits.c.action == action)
        return list(db.scalars(query))


def test_the_docs_and_the_page_name_every_rule_and_processor(cast, visitor):
    docs = DOCS.read_text()
    visitor.cookies.set("__Host-lang", "en")
    page = visitor.get("/privacy")
    assert page.status_code == 200
    for said in (*((r.what, r.told, r.why) for r in RULES), *((p.who, p.what) for p in PROCESSORS)):
        for words in said:
            assert str(words) in docs
            assert str(words) in page.text


def test_every_page_leads_to_what_is_kept(visitor):
    assert 'href="/privacy"' in visitor.get("/sign-in").text
    assert "Chúng tôi biết gì về thầy cô" in visitor.get("/privacy").text


def test_a_person_takes_a_copy_and_the_record_says_so(ctx, cast, site):
    browser = site.of(cast.actors["teacher1"])
    browser.see("/account/data")
    answer = browser.submit("/account/data/copy")
    assert answer.headers["content-disposition"] == 'attachment; filename="chung-tay.json"'
    assert answer.headers["cache-control"] == "no-store"
    kept = json.loads(answer.content)["kept"]
    assert [row["email"] for row in kept["persons"]] == ["teacher1@x.example"]
    assert len(audited(ctx, "copy_data")) == 1


def test_who_has_lessons_ahead_is_led_to_leaving(ctx, cast, site):
    publish(ctx, cast)
    browser = site.of(cast.actors["teacher1"])
    page = browser.see("/account/data")
    assert "/account/leave" in page.text
    assert "/account/data/erase" not in page.text
    assert browser.submit("/account/data/erase").status_code == 409


def test_a_person_goes_after_a_second_look_and_is_signed_out(ctx, cast, site):
    browser = site.of(cast.actors["teacher2"])
    assert "/account/data/erase" in browser.see("/account/data").text
    assert "teacher2@x.example" in browser.see("/account/data/erase").text
    assert browser.submit("/account/data/erase").headers["location"] == "/account/data"
    ctx.clock.forward(hours=2)
    assert own_data.erase_asked(ctx) == 1
    assert browser.get("/account/data").headers["location"].startswith("/sign-in")


def test_a_coordinator_reads_the_record_and_a_lesson_on_a_day(ctx, cast, site):
    [lesson] = publish(ctx, cast)
    browser = site.of(cast.actors["coordinator"])
    page = browser.get("/coordinator/record", params={"action": "publish"})
    assert "Công bố một phương án" in page.text
    assert "Cô coordinator" in page.text
    wrong = browser.get("/coordinator/record", params={"first_day": "31/02/2023"})
    assert wrong.status_code == 422
    ask = {"lesson": f"https://chungtay.example/school/lessons/{lesson.id}/call-off",
           "day": "02/10/2023"}  # fmt: skip
    then = browser.get("/coordinator/record/lesson", params=ask)
    assert (then.status_code, "Cuối ngày" in then.text) == (200, True)
    stranger = site.of(cast.actors["stranger"])
    assert stranger.get("/coordinator/record/lesson", params=ask).status_code == 404
    assert "Công bố một phương án</th>" not in stranger.get("/coordinator/record").text


def test_a_line_early_in_the_morning_leads_to_that_very_day(ctx, cast, site, clock):
    publish(ctx, cast)
    clock.at = datetime(2023, 10, 3, 23, 30, tzinfo=UTC)  # half past six of the next day there
    with ctx.transaction() as db:
        audits.record(db, ctx.now(), None, "call_off", "lesson", 1)
    page = site.of(cast.actors["coordinator"]).get("/coordinator/record?action=call_off")
    assert "lesson=1&amp;day=04%2F10%2F2023" in page.text


def test_what_a_person_may_not_do_is_noted_by_its_route(ctx, cast, site):
    browser = site.of(cast.actors["teacher1"])
    browser.csrf = "wrong"
    assert browser.submit("/account/data/erase").status_code == 403
    assert audited(ctx, "denied") == ["POST /account/data/erase"]
    assert site.browser().submit("/account/data/erase").status_code == 303
    assert len(audited(ctx, "denied")) == 1
