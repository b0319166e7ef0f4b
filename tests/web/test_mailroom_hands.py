"""A hand in the mailroom: what failed is sent again, news is read, held or hurried."""

import re
from datetime import date, timedelta

import pytest

from scheduler.delivery.channels import Outcome, Receipt
from scheduler.services import sending
from scheduler.store import tables
from tests.faults.kit import Post, book, change, replan, rows, states, write
from tests.web import cast_desk as desk
from tests.web.test_coordinator import plain
from tests.web.test_mailroom_page import (
    DAY,
    HERE,
    LESSON,
    add,
    audited,
    fail,
    listed,
    row_of,
    set_row,
)


@pytest.fixture
def coordinator(site, cast):
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def lesson(ctx, cast):
    """Its teacher has three reminders to come, its school one."""
    booked = book(ctx, cast, LESSON)
    replan(ctx, booked)
    return booked


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


# -- again


def test_what_failed_is_sent_again_once_however_often_pressed(ctx, cast, coordinator, lesson):
    first = rows(ctx, "id")[0][0]
    fail(ctx, first)
    coordinator.see(f"{HERE}/{first}")
    answers = [coordinator.submit(f"{HERE}/{first}/again") for _ in range(2)]
    assert {each.headers["location"] for each in answers} == {f"{HERE}/5"}
    assert row_of(ctx, 5, "key", "due_at", "useless_after") == (
        row_of(ctx, first, "key")[0].replace(":mail", ":again1:mail"), ctx.now(), LESSON,
    )  # fmt: skip
    assert len(audited(ctx, "send_again")) == 1
    assert sending.send_due(ctx, Post(Receipt(Outcome.REFUSED, "550 no"))).claimed == 1
    once_more = coordinator.submit(f"{HERE}/5/again")
    assert row_of(ctx, int(once_more.headers["location"].rsplit("/")[-1]), "key")[0].endswith(
        ":again2:mail"
    )
    shown = coordinator.see(f"{HERE}/{first}").text
    assert f'href="{HERE}/5"' in shown
    assert f'href="{HERE}/{first}"' in coordinator.see(f"{HERE}/5").text


def test_only_what_did_not_arrive_is_sent_again(ctx, cast, coordinator, lesson):
    first = rows(ctx, "id")[0][0]
    coordinator.see(HERE)
    for state in ("planned", "sent", "cancelled"):
        set_row(ctx, first, state=state, sent_at=ctx.now() if state == "sent" else None)
        assert coordinator.submit(f"{HERE}/{first}/again").status_code == 409
    assert len(rows(ctx, "id")) == 4


def test_a_reminder_is_not_sent_again_when_the_lesson_has_begun_or_changed(
    ctx, cast, coordinator, lesson, clock
):
    first = rows(ctx, "id")[0][0]
    set_row(ctx, first, state="expired")
    coordinator.see(HERE)
    clock.at = LESSON
    browser = coordinator.arrive(cast.actors["coordinator"])
    refused = browser.submit(f"{HERE}/{first}/again")
    assert refused.status_code == 409
    assert "Gửi lại tin này không giúp được ai" in refused.text
    assert 'aria-disabled="true"' in browser.see(f"{HERE}/{first}").text
    clock.at = LESSON - DAY
    change(ctx, lesson, starts_at=LESSON + DAY, ends_at=LESSON + DAY + timedelta(minutes=45))
    assert browser.submit(f"{HERE}/{first}/again").status_code == 409
    assert all("again" not in key for (key,) in rows(ctx, "key"))


def test_a_reminder_that_came_too_late_for_its_rung_still_helps_before_the_lesson(
    ctx, cast, coordinator, lesson, clock
):
    clock.at = LESSON - timedelta(minutes=90)
    first = min(rows(ctx, "id", "useless_after"), key=lambda row: row[1])
    assert first[1] < ctx.now()
    sending.sweep(ctx)
    browser = coordinator.arrive(cast.actors["coordinator"])
    assert browser.submit(f"{HERE}/{first[0]}/again").status_code == 303
    assert sending.send_due(ctx, Post()).count(sending.Fate.SENT) >= 1


# -- news before it goes


@pytest.fixture
def news(ctx, cast):
    """A publication that its two teachers and two schools hear of in fifteen minutes."""
    plan = desk.publish(
        ctx, cast, desk.at(cast, date(2023, 10, 4)),
        desk.at(cast, date(2023, 10, 4), klass="8B", teacher=2),
    )  # fmt: skip
    due = ctx.now() + timedelta(minutes=15)
    row = tables.outbox
    write(
        ctx, row, row.c.kind == "changes",
        programme_id=cast["programme"], due_at=due, next_try_at=due,
    )  # fmt: skip
    return plan


def test_a_publications_news_can_be_read_before_it_goes(ctx, cast, coordinator, news):
    for path in (HERE, f"/coordinator/plans/{news}"):
        page = coordinator.see(path)
        assert "4 tin báo thay đổi sẽ được gửi từ Thứ Hai 02/10, 06:45" in plain(page)
    read = re.search(r'href="(/coordinator/messages\?kind=changes[^"#]*)#list"', page.text)[1]
    assert len(listed(coordinator.see(read.replace("&amp;", "&")))) == 4


def test_held_news_waits_until_it_is_let_go(ctx, cast, coordinator, news, clock):
    reminders = [row for row in rows(ctx, "kind", "next_try_at") if row[0] != "changes"]
    coordinator.see(HERE)
    coordinator.submit(f"{HERE}/news/hold")
    assert [row for row in rows(ctx, "kind", "next_try_at") if row[0] != "changes"] == reminders
    clock.forward(minutes=20)
    assert sending.send_due(ctx, Post()).claimed == 0
    page = coordinator.see(HERE)
    assert "4 tin báo thay đổi đang được giữ lại" in plain(page)
    assert "Chưa gửi, đang giữ lại" in plain(coordinator.see(f"{HERE}?kind=changes"))
    coordinator.submit(f"{HERE}/news/release")
    assert sending.send_due(ctx, Post()).count(sending.Fate.SENT) == 4
    ((who, subject, _),) = audited(ctx, "hold_news")
    assert (who, subject) == (cast["person_coordinator"], cast["programme"])


def test_held_news_that_nobody_lets_go_expires_like_any_other(ctx, cast, coordinator, news, clock):
    coordinator.see(HERE)
    coordinator.submit(f"{HERE}/news/hold")
    clock.forward(days=8)
    sending.sweep(ctx)
    assert {state for kind, state in rows(ctx, "kind", "state") if kind == "changes"} == {"expired"}


def test_news_can_be_hurried(ctx, cast, coordinator, news):
    coordinator.see(HERE)
    coordinator.submit(f"{HERE}/news/now")
    assert sending.send_due(ctx, Post()).count(sending.Fate.SENT) == 4


def test_one_message_is_held_and_let_go(ctx, cast, coordinator, clock):
    message, other = (
        add(ctx, cast, "m", kind="note", payload={"words": "a", "name": "b", "email": "c"}),
        add(ctx, cast, "n", kind="note", payload={"words": "a", "name": "b", "email": "c"}),
    )
    coordinator.see(HERE)
    coordinator.submit(f"{HERE}/{message}/hold")
    sending.send_due(ctx, Post())
    assert [row_of(ctx, each, "state")[0] for each in (message, other)] == ["planned", "sent"]
    assert coordinator.submit(f"{HERE}/{other}/hold").status_code == 409
    coordinator.submit(f"{HERE}/{message}/release")
    sending.send_due(ctx, Post())
    assert row_of(ctx, message, "state") == ("sent",)
