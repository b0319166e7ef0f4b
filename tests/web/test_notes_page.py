"""A coordinator's own words: previewed, sent once, and only to people of her programme."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from scheduler.domain.access import Grant, Role
from scheduler.errors import Invalid, NotAllowed
from scheduler.services import accounts as signing
from scheduler.services import addresses, notes, sending
from scheduler.store import accounts, tables
from tests.faults.kit import Post, book, replan, rows, states, write
from tests.web import cast_desk as desk
from tests.web.test_coordinator import heading, plain
from tests.web.test_mailroom_page import LESSON, audited, fail, row_of, set_row

WRITE = "/coordinator/write"
WORDS = "Chào cô,\r\n\r\nMai lớp học ở phòng máy.\r\nCảm ơn cô!"


@pytest.fixture
def coordinator(site, cast):
    return site.of(cast.actors["coordinator"])


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def hidden(page, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page.text)[1]


# -- a few lines


def test_a_note_is_previewed_and_sent_once_however_often_pressed(ctx, cast, coordinator):
    to = [str(cast["person_teacher1"]), str(cast["person_schoolA"])]
    page = coordinator.see(f"{WRITE}?to={to[0]}&to={to[1]}")
    assert heading(page) == "Viết cho 2 người"
    assert "Không nêu tên học sinh" in page.text
    preview = coordinator.submit(WRITE, {"to": to, "text": WORDS})
    assert (preview.status_code, states(ctx)) == (200, {})
    assert (
        '<div class="letter">Chào cô,\n\nMai lớp học ở phòng máy.\nCảm ơn cô!</div>' in preview.text
    )
    fields = {"to": to, "text": WORDS, "token": hidden(preview, "token")}
    for _ in range(2):
        assert coordinator.submit(f"{WRITE}/send", fields).status_code == 303
    assert {row[:3] for row in rows(ctx, "kind", "programme_id", "state", "id")} == {
        ("note", cast["programme"], "planned")
    }
    assert len(audited(ctx, "write_note")) == 2
    post = Post()
    assert sending.send_due(ctx, post).count(sending.Fate.SENT) == 2
    assert sorted(post.recipients) == ["schoola@x.example", "teacher1@x.example"]
    for kind in ("plain", "html"):
        body = post.arrived[0].get_body((kind,)).get_content()
        assert "Mai lớp học ở phòng máy." in body
        assert "coordinator@x.example" in body
        assert "Cô coordinator" in body
    assert "Cô coordinator" in post.subjects[0]


def test_the_readers_language_frames_the_words(ctx, cast):
    write(ctx, tables.persons, tables.persons.c.id == cast["person_teacher1"], language="en")
    actor = cast.actors["coordinator"]
    notes.send(ctx, actor, [cast["person_teacher1"]], "<b>Hi</b> & bye", "t" * 20)
    post = Post()
    sending.send_due(ctx, post)
    assert post.subjects == ["A word from Cô coordinator, coordinator of Chung Tay"]
    assert "&lt;b&gt;Hi&lt;/b&gt; &amp; bye" in post.arrived[0].get_body(("html",)).get_content()
    assert "<b>Hi</b> & bye" in post.arrived[0].get_body(("plain",)).get_content()


def test_words_that_cannot_be_sent_are_refused_and_stay_on_the_page(ctx, cast, coordinator):
    coordinator.see(WRITE + f"?to={cast['person_teacher1']}")
    for words in ("", " \n ", "x" * 1001, "a\u202eb", "a\x07b"):
        page = coordinator.submit(WRITE, {"to": str(cast["person_teacher1"]), "text": words})
        assert page.status_code == 422
        assert words.strip() in page.text
        assert 'id="text-error"' in page.text
        assert 'name="token"' not in page.text
    assert rows(ctx, "id") == []


def test_nobody_of_another_programme_is_written_to(ctx, cast, site, coordinator):
    stranger = cast["person_stranger"]
    assert coordinator.see(f"{WRITE}?to={stranger}").status_code == 404
    both = {"to": [str(stranger), str(cast["person_teacher1"])], "text": "x", "token": "t" * 20}
    coordinator.see("/coordinator/messages")
    assert coordinator.submit(f"{WRITE}/send", both).status_code == 404
    assert coordinator.submit(f"{WRITE}/send", both | {"to": "x"}).status_code == 404
    assert coordinator.see(WRITE).status_code == 422
    other = site.of(cast.actors["stranger"])
    assert other.submit(f"{WRITE}/send", both | {"to": both["to"][1]}).status_code == 404
    assert rows(ctx, "id") == []


def test_two_hundred_notes_a_day_are_enough(ctx, cast, coordinator, clock, monkeypatch):
    monkeypatch.setattr(notes, "MOST_A_DAY", 3)
    actor, people = cast.actors["coordinator"], [cast["person_teacher1"], cast["person_teacher2"]]
    assert notes.send(ctx, actor, people, "x", "a" * 20) == 2
    coordinator.see("/coordinator/messages")
    fields = {"to": list(map(str, people)), "text": "x", "token": "b" * 20}
    refused = coordinator.submit(f"{WRITE}/send", fields)
    assert refused.status_code == 409
    assert "Mỗi ngày chị viết được 3 tin" in refused.text
    assert len(rows(ctx, "id")) == len(audited(ctx, "write_note")) == 2
    clock.forward(hours=25)
    assert notes.send(ctx, actor, people, "x", "b" * 20) == 2


# -- addresses that take no mail


@pytest.fixture
def bounced(ctx, cast, clock):
    """The reminders of a lesson did not reach its teacher, whose address is gone."""
    person = tables.persons
    replan(ctx, book(ctx, cast, LESSON))
    for message_id, who in rows(ctx, "id", "person_id"):
        if who == cast["person_teacher1"]:
            fail(ctx, message_id)
    write(
        ctx, person, person.c.id == cast["person_teacher1"], phone="0912 345 678",
        mail_fault="550 5.1.1 no such user", mail_fault_at=ctx.now() - timedelta(hours=1),
    )  # fmt: skip
    return cast["person_teacher1"]


def test_a_fault_is_a_task_with_all_that_is_needed_to_mend_it(
    ctx, cast, site, coordinator, bounced
):
    for path in ("/coordinator", "/coordinator/messages"):
        assert "1 địa chỉ không nhận được thư" in plain(coordinator.see(path))
    said = plain(coordinator.see("/coordinator/addresses"))
    for part in (
        "Cô teacher1", "THCS Ái Mộ", "teacher1@x.example", "0912 345 678",
        "Thứ Hai 02/10 · 05:30", "Địa chỉ này không còn nữa.", "Nhắc trước một ngày",
    ):  # fmt: skip
        assert part in said
    stranger = site.of(cast.actors["stranger"])
    assert "teacher1" not in stranger.see("/coordinator/addresses").text
    for act in ("correct", "try"):
        path = f"/coordinator/addresses/{bounced}/{act}"
        assert stranger.submit(path, {"email": "evil@x.example"}).status_code == 404


def test_a_corrected_address_gets_what_is_still_useful(ctx, cast, coordinator, bounced, clock):
    clock.at = LESSON - timedelta(hours=1)  # the reminder of the day before is of no use any more
    browser = coordinator.arrive(cast.actors["coordinator"])
    path = f"/coordinator/addresses/{bounced}"
    done = browser.submit(f"{path}/correct", {"email": " Lan@Truong.example "})
    assert done.status_code == 303
    assert "Gửi lại: 2" in plain(browser.see("/coordinator/addresses"))
    kinds = sorted(k for k, key in rows(ctx, "kind", "key") if ":again1:" in key)
    assert kinds == ["hour_before", "soon"]
    post = Post()
    sending.send_due(ctx, post)
    assert post.recipients.count("lan@truong.example") == 2
    with ctx.reading() as db:
        assert addresses.count(ctx, cast.actors["coordinator"]) == 0
        assert accounts.actor_of(db, bounced).email == "lan@truong.example"
    assert audited(ctx, "correct_address") == [(cast["person_coordinator"], bounced, "")]
    assert browser.submit(f"{path}/correct", {"email": "b@x.example"}).status_code == 404


def test_an_address_that_cannot_be_is_refused_and_stays(ctx, cast, coordinator, bounced):
    coordinator.see("/coordinator/addresses")
    unsendable = "làn@x.example"
    for typed in ("no address", "teacher1@x.example", "TEACHER2@x.example", unsendable, ""):
        page = coordinator.submit(f"/coordinator/addresses/{bounced}/correct", {"email": typed})
        assert page.status_code == 422
        assert f'value="{typed}"' in page.text
        assert f'id="email-{bounced}-error"' in page.text
    assert addresses.count(ctx, cast.actors["coordinator"]) == 1


def test_two_people_are_not_given_one_address_at_the_same_moment(ctx, cast, bounced):
    other = cast["person_teacher2"]
    person = tables.persons
    write(ctx, person, person.c.id == other, mail_fault="550", mail_fault_at=ctx.now())
    both = Barrier(2)

    def correct(who):
        both.wait()
        try:
            return addresses.correct(ctx, cast.actors["coordinator"], who, "one@x.example")
        except Invalid as refused:
            return set(refused.fields)

    with ThreadPoolExecutor(2) as hands:
        done = list(hands.map(correct, (bounced, other)))
    assert [each for each in done if isinstance(each, set)] == [{"email"}]
    assert addresses.count(ctx, cast.actors["coordinator"]) == 1


def test_a_link_that_went_to_the_old_address_opens_nothing(ctx, cast, site, coordinator, bounced):
    visitor = site.browser()
    visitor.see("/sign-in")
    visitor.submit("/sign-in", {"email": "teacher1@x.example"})
    signing.make_links(ctx)
    addresses.correct(ctx, cast.actors["coordinator"], bounced, "lan@truong.example")
    with ctx.reading() as db:
        tries = db.execute(
            tables.sign_ins.select().where(tables.sign_ins.c.person_id == bounced)
        ).all()
    assert [row.tries_left for row in tries] == [0]


def test_what_was_made_for_the_old_address_is_not_sent_there(ctx, cast, bounced):
    actor = cast.actors["coordinator"]
    for token, who in (
        ("a" * 20, bounced),
        ("b" * 20, bounced),
        ("c" * 20, cast["person_teacher2"]),
    ):
        notes.send(ctx, actor, [who], "x", token)
    waits, goes, other = (row[0] for row in rows(ctx, "id", "kind") if row[1] == "note")
    lease = {"state": "leased", "lease_token": "t", "lease_until": ctx.now()}
    for message_id in (waits, goes, other):
        set_row(ctx, message_id, **lease)
    set_row(ctx, goes, phase="transmitting")
    addresses.correct(ctx, actor, bounced, "lan@truong.example")
    tokens = [row_of(ctx, each, "lease_token")[0] for each in (waits, goes, other)]
    assert tokens == [None, "t", "t"]


def test_the_key_to_a_desk_is_not_changed_from_another_desk(ctx, cast, coordinator, bounced):
    with ctx.transaction() as db:
        accounts.add_grant(db, bounced, Grant(Role.COORDINATOR, cast["programme"]))
    assert 'aria-disabled="true"' in coordinator.see("/coordinator/addresses").text
    with pytest.raises(NotAllowed):
        addresses.correct(ctx, cast.actors["coordinator"], bounced, "evil@x.example")
    assert addresses.count(ctx, cast.actors["coordinator"]) == 1


def test_an_address_is_believed_once_more(ctx, cast, coordinator, bounced):
    coordinator.see("/coordinator/addresses")
    assert coordinator.submit(f"/coordinator/addresses/{bounced}/try").status_code == 303
    assert "Mọi địa chỉ đều nhận được thư" in coordinator.see("/coordinator/addresses").text
    assert row_of(ctx, 1, "state") == ("failed",)
    assert audited(ctx, "try_address") == [(cast["person_coordinator"], bounced, "")]


def test_three_faults_take_as_many_queries_as_one(ctx, cast, coordinator, bounced):
    coordinator.see("/coordinator/addresses")
    with desk.queries(ctx) as one:
        coordinator.see("/coordinator/addresses")
    person = tables.persons
    write(ctx, person, person.c.id > 0, mail_fault="550 no", mail_fault_at=ctx.now())
    with desk.queries(ctx) as more:
        page = coordinator.see("/coordinator/addresses")
    assert page.text.count('<section class="card"') > 3
    assert len(more) == len(one)
