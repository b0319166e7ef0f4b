"""The coordinator's mailroom: what goes out and when, what became of it, and a hand in it."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from scheduler.domain.messages import MessageKind, NewMessage
from scheduler.services import accounts, outbox, sending
from scheduler.store import switches, tables
from tests.faults.kit import Post, book, replan, rows, states, write
from tests.web import cast_desk as desk
from tests.web.test_coordinator import heading, plain

LESSON = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # Wednesday, 07:30 in Hà Nội
HERE = "/coordinator/messages"
DAY = timedelta(days=1)


@pytest.fixture
def coordinator(site, cast):
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def stranger(site, cast):
    return site.of(cast.actors["stranger"])


@pytest.fixture
def lesson(ctx, cast):
    """Its teacher has three reminders to come, its school one."""
    booked = book(ctx, cast, LESSON)
    replan(ctx, booked)
    return booked


def add(ctx, cast, key: str, *, kind="changes", who="teacher1", due=None, **more) -> int:
    """A message of the programme about changes, unless told otherwise."""
    now = ctx.now()
    values = {
        "key": key, "kind": MessageKind(kind), "person_id": cast[f"person_{who}"],
        "due_at": due or now, "useless_after": now + 7 * DAY,
        "programme_id": cast["programme"], "payload": {"side": "teacher", "lessons": []},
    } | more  # fmt: skip
    with ctx.transaction() as db:
        outbox.plan(ctx, db, [NewMessage(**values)])
    return next(id_ for id_, known in rows(ctx, "id", "key") if known == key)


def row_of(ctx, message_id: int, *columns: str) -> tuple:
    return next(row[1:] for row in rows(ctx, "id", *columns) if row[0] == message_id)


def set_row(ctx, message_id: int, **values) -> None:
    write(ctx, tables.outbox, tables.outbox.c.id == message_id, **values)


def fail(ctx, message_id: int, reply: str = "550 5.1.1 no such user") -> None:
    set_row(ctx, message_id, state="failed", last_error=reply, attempts=1)


def listed(page) -> list[int]:
    return [int(n) for n in re.findall(r'<a href="/coordinator/messages/(\d+)">', page.text)]


def audited(ctx, action: str) -> list[tuple]:
    with ctx.reading() as db:
        wanted = tables.audits.c
        query = sa.select(wanted.person_id, wanted.subject_id, wanted.reason)
        return [tuple(row) for row in db.execute(query.where(wanted.action == action))]


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


# -- the headline


def test_an_empty_mailroom_says_what_will_be_here(coordinator):
    page = coordinator.see(HERE)
    assert heading(page) == "Mọi việc ổn: không có tin nào đang chờ gửi"
    assert "Tin nhắn của chương trình sẽ hiện ở đây" in page.text


def test_the_headline_says_what_goes_out_next_and_when(ctx, cast, coordinator, lesson):
    due = min(at for (at,) in rows(ctx, "due_at"))
    page = coordinator.see(HERE)
    local = due + timedelta(hours=7)
    assert f"{local:%d/%m} · {local:%H:%M}" in heading(page)
    assert "Nhắc trước một ngày" in plain(page)


PAUSES = {
    "on": "Không thư nào được gửi cho đến khi cho gửi tiếp",
    "hand": "Không thư nào được gửi cho đến khi cho gửi tiếp",
    "restored": "Dữ liệu vừa được khôi phục từ bản sao lưu",
    "clock": "Đồng hồ của máy đã nhảy",
}


def test_a_pause_says_why_it_is_and_what_to_look_at(ctx, coordinator):
    outbox.pause(ctx)
    for value, said in PAUSES.items():
        row = tables.switches
        write(ctx, row, row.c.name == switches.SENDING_PAUSED, value=value)
        page = coordinator.see(HERE)
        assert heading(page) == "Đang tạm dừng gửi thư"
        assert said in plain(page)
    coordinator.submit(f"{HERE}/resume")
    assert not outbox.show(ctx).paused
    coordinator.submit(f"{HERE}/pause")
    assert outbox.show(ctx).paused


# -- sums and lists


def test_sums_by_kind_and_state_lead_to_their_messages(ctx, cast, coordinator, lesson):
    gone = add(ctx, cast, "gone")
    fail(ctx, gone)
    page = coordinator.see(HERE)
    table = re.search(r'<h2 id="sums">.*?</table>', page.text, re.S)[0]
    links = re.findall(r'<td class="num"[^>]*><a href="([^"#]+)#list">(\d+)</a>', table)
    assert [int(count) for _, count in links] == [2, 1, 1, 1]
    for href, count in links:
        assert len(listed(coordinator.see(href.replace("&amp;", "&")))) == int(count)
    assert listed(coordinator.see(f"{HERE}?kind=changes&state=failed")) == [gone]


def test_messages_are_found_by_a_name_without_its_marks(ctx, cast, coordinator, lesson):
    person = tables.persons
    write(ctx, person, person.c.id == cast["person_schoolA"], name="Đỗ Thị Ánh Nguyệt")
    found = listed(coordinator.see(f"{HERE}?who=do+nguyet"))
    assert [row_of(ctx, each, "person_id") for each in found] == [(cast["person_schoolA"],)]
    assert len(listed(coordinator.see(f"{HERE}?who=TEACHER1@x"))) == 3
    assert listed(coordinator.see(f"{HERE}?who=nobody")) == []


def test_messages_are_found_by_the_day_in_the_programmes_zone(ctx, cast, coordinator):
    late = add(ctx, cast, "late", due=datetime(2023, 10, 4, 16, 59, tzinfo=UTC))
    add(ctx, cast, "next day", due=datetime(2023, 10, 4, 17, 0, tzinfo=UTC))
    assert listed(coordinator.see(f"{HERE}?day=04/10/2023")) == [late]
    odd = coordinator.see(f"{HERE}?day=31/02/2023")
    assert odd.status_code == 422
    assert 'value="31/02/2023"' in odd.text


def pages_of(coordinator, path: str) -> list[list[int]]:
    found = []
    while path:
        page = coordinator.see(path)
        found.append(listed(page))
        more = re.search(r'href="([^"]+)#list">Xem tiếp', page.text)
        path = unquote(more[1].replace("&amp;", "&")) if more else ""
    return found


def test_a_long_list_goes_on_where_it_ended(ctx, cast, coordinator):
    ids = [add(ctx, cast, f"n{n}", due=ctx.now() + timedelta(minutes=n // 3)) for n in range(65)]
    down = [ids[:-31:-1], ids[-31:-61:-1], ids[4::-1]]
    assert pages_of(coordinator, HERE) == down
    assert pages_of(coordinator, f"{HERE}?state=planned") == [ids[:30], ids[30:60], ids[60:]]
    write(ctx, tables.outbox, tables.outbox.c.id > 0, state="sent", sent_at=ctx.now())
    assert pages_of(coordinator, f"{HERE}?state=sent") == down


def test_a_place_that_no_list_gave_begins_at_the_beginning(ctx, cast, coordinator):
    one = add(ctx, cast, "one")
    no_row = f"1.{2**31}"
    for after in ("x", "1.", "9" * 19 + ".1", no_row, "1.9999999999", "-1.2", "²3.4"):
        for state in ("planned", ""):
            page = coordinator.see(HERE, params={"state": state, "after": after})
            assert (page.status_code, listed(page)) == (200, [one])


def test_three_messages_take_as_many_queries_as_one(ctx, cast, coordinator):
    first = add(ctx, cast, "a")
    paths = (HERE, f"{HERE}?state=planned&who=co&kind=changes&day=02/10/2023", f"{HERE}/{first}")

    def queries() -> list[int]:
        counts = []
        for path in paths:
            with desk.queries(ctx) as made:
                coordinator.see(path)
            counts.append(len(made))
        return counts

    coordinator.see(HERE)
    once = queries()
    replan(ctx, book(ctx, cast, LESSON))
    add(ctx, cast, "b", who="schoolA")
    assert queries() == once


def test_lists_walk_along_an_index(ctx, cast, coordinator):
    if not ctx.database.is_sqlite:
        pytest.skip("PostgreSQL chooses by the number of rows")
    with desk.queries(ctx) as made:
        coordinator.see(f"{HERE}?state=planned")
        coordinator.see(f"{HERE}?who=teacher1")
    lists = [each for each in made if "person_email" in each and "LIMIT" in each]
    with ctx.reading() as db:
        plans = []
        for statement in lists:
            values = tuple("planned" for _ in range(statement.count("?")))
            found = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.append(" ".join(row[3] for row in found))
    assert len(plans) == 4
    for plan in plans:
        assert re.search(r"outbox USING (INDEX|INTEGER PRIMARY KEY)|SCAN outbox\b(?! USING)", plan)
        assert "TEMP B-TREE" not in plan


# -- who sees what


def test_a_stranger_sees_and_moves_none_of_it(ctx, cast, coordinator, stranger, lesson):
    message = add(ctx, cast, "mine")
    page = stranger.see(HERE)
    assert page.status_code == 200
    assert listed(page) == []
    assert "teacher1" not in page.text
    assert "5 tin trong tất cả các chương trình" in plain(page)
    assert stranger.see(f"{HERE}/{message}").status_code == 404
    for act in ("now", "hold", "release", "again"):
        assert stranger.submit(f"{HERE}/{message}/{act}").status_code == 404
    assert stranger.submit(f"{HERE}/{message}/stop", {"reason": "x"}).status_code == 404
    before = rows(ctx, "state", "due_at", "next_try_at")
    stranger.submit(f"{HERE}/news/hold")
    stranger.submit(f"{HERE}/news/now")
    assert rows(ctx, "state", "due_at", "next_try_at") == before


def test_a_message_that_lets_somebody_in_is_nobodys_to_see(ctx, cast, coordinator):
    coordinator.submit("/sign-in", {"email": "teacher1@x.example"})
    accounts.make_links(ctx)
    secret = add(ctx, cast, "secret", kind="sign_in", payload={"url": "U", "code": "ABCDEFGH"})
    assert len(rows(ctx, "id")) == 2
    set_row(ctx, secret, programme_id=cast["programme"])  # not even then
    page = coordinator.see(HERE)
    assert listed(page) == []
    assert "ABCDEFGH" not in page.text
    for (message_id,) in rows(ctx, "id"):
        assert coordinator.see(f"{HERE}/{message_id}").status_code == 404
    assert coordinator.submit(f"{HERE}/{secret}/again").status_code == 404


# -- one message


def test_a_message_shows_its_letter_without_the_readers_own_links(ctx, cast, coordinator, lesson):
    first = rows(ctx, "id")[0][0]
    page = coordinator.see(f"{HERE}/{first}")
    assert "Tiếng Anh 7A" in page.text
    assert "https://chungtay.example/stop/…" in page.text
    assert not re.search(r"chungtay\.example/(stop|j)/[A-Za-z0-9_-]", page.text)


def test_a_message_whose_lesson_changed_has_nothing_left_to_tell(ctx, cast, coordinator, lesson):
    first = rows(ctx, "id")[0][0]
    row = tables.lessons
    write(ctx, row, row.c.id == lesson, sequence=9)
    page = coordinator.see(f"{HERE}/{first}")
    assert page.status_code == 200
    assert "Không còn gì để báo nữa" in page.text


def test_a_message_that_cannot_be_made_still_has_a_page(ctx, cast, coordinator):
    odd = add(ctx, cast, "odd", payload={"lessons": [["x", "y"]]})
    assert coordinator.see(f"{HERE}/{odd}").status_code == 200


REPLIES = {
    "550 5.1.1 <x@y>: no such user": "Địa chỉ này không còn nữa.",
    "552 5.2.2 over quota": "Hộp thư đã đầy.",
    "554 5.7.1 rejected": "Máy chủ thư coi thư của chúng ta là thư rác và đã từ chối.",
    "BadAddress('x')": "Địa chỉ này không viết đúng dạng địa chỉ thư.",
    "<script>alert(1)</script>": "Điều cần báo đã thay đổi trước khi gửi.",
}


def test_a_reply_is_told_in_plain_words(ctx, cast, coordinator):
    message = add(ctx, cast, "m")
    for reply, said in REPLIES.items():
        fail(ctx, message, reply)
        for path in (HERE, f"{HERE}/{message}"):
            page = coordinator.see(path)
            assert said in plain(page)
            assert "<script>alert" not in page.text


def test_the_way_through_the_channels_is_shown_in_order(ctx, cast, coordinator):
    mail = add(ctx, cast, "m:mail")
    fail(ctx, mail)
    push = add(ctx, cast, "m:push", channel="push")
    sms = add(ctx, cast, "m:sms", channel="sms")
    set_row(ctx, push, follows_id=mail)
    set_row(ctx, sms, follows_id=push)
    add(ctx, cast, "another")
    page = coordinator.see(f"{HERE}/{push}")
    way = re.search(r"<ol.*?</ol>", page.text, re.S)[0]
    assert re.findall(r'messages/(\d+)"', way) == [str(mail), str(sms)]
    assert way.index("Qua thư") < way.index("trình duyệt") < way.index("tin nhắn")


def test_a_planned_message_is_brought_forward(ctx, cast, coordinator, lesson):
    first = rows(ctx, "id")[0][0]
    coordinator.see(f"{HERE}/{first}")
    done = coordinator.submit(f"{HERE}/{first}/now")
    assert (done.status_code, done.headers["location"]) == (303, f"{HERE}/{first}")
    post = Post()
    assert sending.send_due(ctx, post).count(sending.Fate.SENT) == 1
    assert row_of(ctx, first, "state", "sent_at") == ("sent", ctx.now())
    assert audited(ctx, "send_now") == [(cast["person_coordinator"], first, "")]
    assert coordinator.submit(f"{HERE}/{first}/now").status_code == 409


def test_a_stopped_message_is_not_sent_and_the_reason_stays(ctx, cast, coordinator):
    message = add(ctx, cast, "m")
    coordinator.see(f"{HERE}/{message}")
    empty = coordinator.submit(f"{HERE}/{message}/stop", {"reason": " "})
    assert empty.status_code == 422
    assert 'id="reason-error"' in empty.text
    done = coordinator.submit(f"{HERE}/{message}/stop", {"reason": "Đã gọi điện"})
    assert done.status_code == 303
    post = Post()
    sending.send_due(ctx, post)
    assert post.arrived == []
    assert row_of(ctx, message, "state") == ("cancelled",)
    assert audited(ctx, "stop_message") == [(cast["person_coordinator"], message, "Đã gọi điện")]
    page = coordinator.see(f"{HERE}/{message}")
    assert "Điều phối viên đã dừng tin này." in page.text
    assert "Đã gọi điện" in page.text
    assert coordinator.submit(f"{HERE}/{message}/stop", {"reason": "x"}).status_code == 409


def test_a_claimed_message_can_be_stopped_until_it_is_on_its_way(ctx, cast, site):
    message = add(ctx, cast, "m", payload={"words": "x", "name": "y", "email": "z"}, kind="note")
    other = add(ctx, cast, "n", payload={"words": "x", "name": "y", "email": "z"}, kind="note")
    browser = site.of(cast.actors["coordinator"])
    browser.see(f"{HERE}/{message}")

    class Meanwhile(Post):
        def send(self, parcel):
            if not self.arrived:
                answers.append(browser.submit(f"{HERE}/{message}/stop", {"reason": "x"}))
                answers.append(browser.submit(f"{HERE}/{other}/stop", {"reason": "x"}))
            return super().send(parcel)

    answers = []
    post = Meanwhile()
    sending.send_due(ctx, post)
    assert [each.status_code for each in answers] == [409, 303]
    assert (len(post.arrived), states(ctx)) == (1, {"sent": 1, "cancelled": 1})
