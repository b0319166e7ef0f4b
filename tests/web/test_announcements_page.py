"""A coordinator's words to a part of her programme."""

import re

import pytest
import sqlalchemy as sa

from scheduler.services import announcements
from scheduler.store import tables
from tests.planning import A1, draft, publish

HERE = "/coordinator/announce"
WORDS = {"audience": "teachers", "district": "", "text": "Chào {tên} của {trường}, tuần sau nghỉ."}


@pytest.fixture
def desk(cast, site):
    browser = site.of(cast.actors["coordinator"])
    browser.see(HERE)
    return browser


def token(page):
    return re.search(r'name="token" value="([^"]+)"', page.text)[1]


def sent(ctx):
    query = sa.select(tables.outbox.c.person_id, tables.outbox.c.payload).where(
        tables.outbox.c.kind == "note"
    )
    with ctx.reading() as db:
        return {row.person_id: row.payload["words"] for row in db.execute(query)}


def test_a_look_comes_first_and_the_first_reader_is_the_example(ctx, cast, desk):
    page = desk.submit(HERE, WORDS)
    assert page.status_code == 200
    assert "Chào Cô teacher1 của" in page.text.split('class="letter"')[1].split("</div>")[0]
    assert sent(ctx) == {}


def test_each_reads_their_own_name_and_pressing_twice_sends_once(ctx, cast, desk):
    key = token(desk.submit(HERE, WORDS))
    first = desk.submit(f"{HERE}/send", WORDS | {"token": key}, follow_redirects=True)
    told = sent(ctx)
    assert told[cast["person_teacher1"]].startswith("Chào Cô teacher1 của ")
    assert f"{len(told)}" in first.text
    desk.submit(f"{HERE}/send", WORDS | {"token": key})
    with ctx.reading() as db:
        query = sa.select(sa.func.count()).where(tables.outbox.c.kind == "note")
        assert db.scalar(query) == len(told)


def test_groups_are_those_with_lessons_without_and_the_schools(ctx, cast, desk):
    publish(ctx, cast, draft(ctx, cast, A1))
    room = announcements.room(ctx, cast.actors["coordinator"])
    names = {each.value: {x.name for x in found} for each, found in room.listeners.items()}
    assert "Cô teacher1" in names["ahead"]
    assert "Cô teacher2" in names["idle"]
    assert names["ahead"] | names["idle"] == names["teachers"]
    assert not names["schools"] & names["teachers"]


def test_nobody_of_another_programme_is_written_to(ctx, cast):
    room = announcements.room(ctx, cast.actors["coordinator"])
    ids = {x.person_id for found in room.listeners.values() for x in found}
    strangers = {cast.actors[who].person_id for who in ("stranger",)}
    assert not ids & strangers


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"text": "Chào {ten}"}, "Không có gì để điền vào {ten}"),
        ({"text": " "}, "Điền vào chỗ này."),
        ({"audience": "pupils"}, "Chọn một trong các mục này."),
        ({"district": "Không Có"}, "Nhóm này không có ai"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_its_field_and_kept(ctx, desk, change, sentence):
    page = desk.submit(HERE, WORDS | change)
    assert page.status_code == 422
    assert sentence in page.text
    assert (WORDS | change)["text"].strip() in page.text
    assert sent(ctx) == {}


def test_after_three_in_a_day_nothing_more_is_sent(ctx, cast, desk):
    for n in range(4):
        words = WORDS | {"text": f"Lần {n}"}
        page = desk.submit(f"{HERE}/send", words | {"token": token(desk.submit(HERE, words))})
    assert page.status_code == 422
    assert not any(words == "Lần 3" for words in sent(ctx).values())


def test_a_token_that_no_look_gave_is_refused(ctx, desk):
    page = desk.submit(f"{HERE}/send", WORDS | {"token": "x"})
    assert (page.status_code, sent(ctx)) == (422, {})


def test_words_beyond_the_days_measure_are_kept_where_they_were_typed(ctx, cast, desk):
    for n in range(3):
        words = WORDS | {"text": f"Lần {n}"}
        desk.submit(f"{HERE}/send", words | {"token": token(desk.submit(HERE, words))})
    last = WORDS | {"text": "Lần thứ tư, chữ không được mất"}
    page = desk.submit(f"{HERE}/send", last | {"token": token(desk.submit(HERE, last))})
    assert "Lần thứ tư, chữ không được mất</textarea>" in page.text


def test_who_changed_their_way_between_two_presses_hears_it_once(ctx, cast, desk):
    key = token(desk.submit(HERE, WORDS))
    desk.submit(f"{HERE}/send", WORDS | {"token": key})
    before = sent(ctx)
    mine = tables.outbox.c.person_id == cast["person_teacher1"]
    with ctx.transaction() as db:  # as if it had gone by another way at first
        old = db.scalar(sa.select(tables.outbox.c.key).where(mine, tables.outbox.c.kind == "note"))
        other = f"{old.rpartition(':')[0]}:push"
        row = tables.outbox.update().where(mine, tables.outbox.c.kind == "note")
        db.execute(row.values(key=other, channel="push"))
    desk.submit(f"{HERE}/send", WORDS | {"token": key})
    with ctx.reading() as db:
        query = sa.select(sa.func.count()).where(tables.outbox.c.kind == "note")
        assert db.scalar(query) == len(before)
