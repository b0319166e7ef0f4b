"""The outbox: everything planned ends in one state, nothing goes out twice, late or by mistake."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.domain.messages import NewMessage
from scheduler.errors import NotFound
from scheduler.services import news, outbox, sending, ways
from scheduler.services.sending import Fate
from scheduler.store import people, tables
from scheduler.store import queue as store
from tests.faults.kit import Post, announce, book, change, replan, rows, states, write

WEDNESDAY = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # 07:30 in Hà Nội, morning period 1
DAY = timedelta(days=1)
NOT_NOW = Receipt(Outcome.REFUSED_FOR_NOW, "451 try later")
NEVER = Receipt(Outcome.REFUSED, "550 no such user")
WHO_KNOWS = Receipt(Outcome.UNKNOWN, "reset after the dot")


@pytest.fixture
def due(ctx, cast, clock):
    """A lesson tomorrow: its teacher and its school are to be reminded now."""
    lesson = book(ctx, cast, WEDNESDAY)
    replan(ctx, lesson)
    clock.at = WEDNESDAY - timedelta(hours=23)
    return lesson


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


# -- what goes out


def test_a_reminder_goes_out_once_it_is_due_and_only_once(ctx, cast, clock):
    replan(ctx, book(ctx, cast, WEDNESDAY))
    post = Post()
    assert sending.send_due(ctx, post) == sending.SendSummary(0, {})
    clock.at = WEDNESDAY - timedelta(hours=23)
    assert sending.send_due(ctx, post) == sending.SendSummary(2, {Fate.SENT: 2})
    assert sending.send_due(ctx, post).claimed == 0
    assert sorted(post.recipients) == ["schoola@x.example", "teacher1@x.example"]
    assert states(ctx) == {"sent": 2, "planned": 2}
    assert (ctx.now(), 1, None) in rows(ctx, "sent_at", "attempts", "lease_token")


@pytest.mark.parametrize(
    ("language", "subjects"),
    [
        (
            "vi",
            [
                "Thứ Tư 04/10 · 07:30–08:15: Tiếng Anh 7A · THCS A · Sáng tiết 1",
                "Thứ Tư 04/10 · 07:30–08:15: Tiếng Anh 7A · THCS A · Sáng tiết 1",
                "Sắp dạy lúc 07:30: Tiếng Anh 7A · THCS A · Sáng tiết 1",
            ],
        ),
        (
            "en",
            [
                "Wed 04/10 · 07:30–08:15: English 7A · THCS A · Morning period 1",
                "Wed 04/10 · 07:30–08:15: English 7A · THCS A · Morning period 1",
                "Starting at 07:30: English 7A · THCS A · Morning period 1",
            ],
        ),
    ],
)
def test_the_ladder_reads_well_on_a_lock_screen(ctx, cast, clock, language, subjects):
    write(ctx, tables.persons, tables.persons.c.id == cast["person_teacher1"], language=language)
    replan(ctx, book(ctx, cast, WEDNESDAY))
    post = Post()
    for before in (timedelta(hours=23), timedelta(minutes=50), timedelta(minutes=10)):
        clock.at = WEDNESDAY - before
        sending.send_due(ctx, post)
    own = [m for m in post.arrived if str(m["To"]) == "Cô teacher1 <teacher1@x.example>"]
    assert [m["Subject"] for m in own] == subjects
    assert "https://chungtay.example/j/join-040030" in own[-1].get_body(("html",)).get_content()


def test_a_reminder_carries_what_mail_programs_ask_for(ctx, cast, due):
    post = Post()
    sending.send_due(ctx, post)
    mail = post.arrived[0]
    message_id = mail["Message-ID"]
    assert (message_id,) in rows(ctx, "message_id")
    assert message_id.endswith("@chungtay.example>")
    assert mail["From"] == "Chung Tay <no-reply@chungtay.example>"
    assert mail["Date"].datetime == ctx.now()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"].startswith("<https://chungtay.example/stop/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_words_are_those_of_the_moment_of_sending(ctx, cast, due):
    write(ctx, tables.classes, tables.classes.c.id == cast["7A"], name="7C")
    post = Post()
    sending.send_due(ctx, post)
    assert "Tiếng Anh 7C" in post.subjects[0]


# -- what must not go out


def test_nothing_goes_out_after_it_is_useless(ctx, cast, due, clock):
    clock.at = WEDNESDAY - timedelta(hours=2)
    post = Post()
    sending.send_due(ctx, post)
    assert post.arrived == []
    assert sending.sweep(ctx) == store.Swept(expired=2, freed=0, unknown=0, again=0)
    assert states(ctx) == {"expired": 2, "planned": 2}
    assert sending.sweep(ctx) is None


def test_what_grows_useless_in_the_worker_expires_there(ctx, cast, due, clock):
    class Slow(Post):
        def send(self, parcel: Parcel) -> Receipt:
            clock.at = WEDNESDAY - timedelta(hours=2)
            return super().send(parcel)

    assert sending.send_due(ctx, Slow()).fates == {Fate.SENT: 1, Fate.EXPIRED: 1}


def test_nothing_goes_out_while_sending_is_paused(ctx, cast, due):
    outbox.pause(ctx)
    outbox.pause(ctx)
    assert sending.send_due(ctx, Post()).claimed == 0
    assert outbox.show(ctx).paused
    outbox.resume(ctx)
    assert sending.send_due(ctx, Post()).count(Fate.SENT) == 2


@pytest.mark.fault(17)
def test_what_is_cancelled_after_the_claim_is_not_sent(ctx, cast, due):
    class Meanwhile(Post):
        def send(self, parcel: Parcel) -> Receipt:
            if not self.arrived:
                change(ctx, due, state="cancelled")
            return super().send(parcel)

    post = Meanwhile()
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 1, Fate.LEASE_LOST: 1}
    assert len(post.arrived) == 1
    assert states(ctx) == {"sent": 1, "cancelled": 3}


def test_a_lesson_that_changed_unannounced_is_not_reminded_of(ctx, cast, due, clock):
    lesson = tables.lessons
    write(ctx, lesson, lesson.c.id == due, sequence=9, state="cancelled")
    assert sending.send_due(ctx, Post()).fates == {Fate.CANCELLED: 2}
    write(ctx, lesson, lesson.c.id == due, state="scheduled")
    clock.at = WEDNESDAY - timedelta(minutes=10)
    assert sending.send_due(ctx, Post()).fates == {Fate.CANCELLED: 1}


def test_a_contact_who_left_the_school_is_not_reminded(ctx, cast, due):
    with ctx.transaction() as db:
        grant = tables.grants
        db.execute(grant.delete().where(grant.c.person_id == cast["person_schoolA"]))
    post = Post()
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 1, Fate.CANCELLED: 1}
    assert post.recipients == ["teacher1@x.example"]


@pytest.mark.fault(35)
def test_a_message_that_cannot_be_made_fails_at_once_and_alone(ctx, cast, due):
    person = tables.persons
    write(ctx, person, person.c.id == cast["person_schoolA"], email="no address at all")
    with ctx.transaction() as db:
        now = ctx.now()
        odd = NewMessage("odd", "changes", 1, now, now + DAY, payload={"lessons": [["x", "y"]]})
        outbox.plan(ctx, db, [odd])
    post = Post()
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 1, Fate.FAILED: 2}
    assert states(ctx) == {"sent": 1, "failed": 2, "planned": 2}
    errors = [error for at, error in rows(ctx, "state", "last_error") if at == "failed"]
    assert sorted(error.split("(")[0] for error in errors) == ["BadAddress", "ValueError"]


# -- what the far end says


@pytest.mark.fault(12)
def test_a_refusal_for_now_is_tried_again_after_a_pause(ctx, cast, due, clock):
    post = Post(NOT_NOW)
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 1, Fate.RETRIED: 1}
    ((waits, attempts, error),) = [
        (again - ctx.now(), tries, error)
        for at, again, tries, error in rows(ctx, "state", "next_try_at", "attempts", "last_error")
        if tries and at == "planned"
    ]
    assert (attempts, error) == (1, "451 try later")
    assert timedelta(seconds=24) <= waits <= timedelta(seconds=36)
    assert sending.send_due(ctx, post).claimed == 0
    clock.forward(seconds=36)
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 1}


def test_a_refusal_for_good_fails(ctx, cast, due):
    assert sending.send_due(ctx, Post(NEVER)).fates == {Fate.SENT: 1, Fate.FAILED: 1}
    assert ("failed", "550 no such user") in rows(ctx, "state", "last_error")


def test_while_the_relay_is_away_other_messages_lose_no_try(ctx, cast, due):
    post = Post(Receipt(Outcome.REFUSED_FOR_NOW, "no answer", relay_away=True))
    assert sending.send_due(ctx, post).fates == {Fate.RETRIED: 1, Fate.GIVEN_BACK: 1}
    assert sorted(tries for (tries,) in rows(ctx, "attempts")) == [0, 0, 0, 1]


@pytest.mark.fault(13)
def test_a_message_of_unknown_fate_is_sent_once_more_and_counted(ctx, cast, due):
    post = Post(WHO_KNOWS)
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 1, Fate.UNKNOWN: 1}
    assert states(ctx) == {"sent": 1, "unknown": 1, "planned": 2}
    assert sending.sweep(ctx) == store.Swept(expired=0, freed=0, unknown=0, again=1)
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 1}
    assert outbox.show(ctx).maybe_twice == 1
    assert len(post.arrived) == 3
    assert len({mail["Message-ID"] for mail in post.arrived}) == 2


def test_a_second_unknown_fate_is_left_at_that(ctx, cast, due):
    post = Post(WHO_KNOWS, WHO_KNOWS, WHO_KNOWS, WHO_KNOWS)
    sending.send_due(ctx, post)
    sending.sweep(ctx)
    sending.send_due(ctx, post)
    assert sending.sweep(ctx) is None
    assert states(ctx) == {"unknown": 2, "planned": 2}


def test_a_transport_that_breaks_leaves_one_unknown_and_the_rest_sent(ctx, cast, due):
    class Broken(Post):
        def send(self, parcel: Parcel) -> Receipt:
            if not self.arrived:
                self.arrived.append(parcel)
                raise RuntimeError("bug")
            return super().send(parcel)

    assert sending.send_due(ctx, Broken()).fates == {Fate.SENT: 1, Fate.UNKNOWN: 1}


# -- letting people in


def sign_in(ctx, cast):
    with ctx.transaction() as db:
        person = people.person(db, cast["person_teacher1"])
        ends = ctx.now() + timedelta(minutes=10)
        return outbox.sign_in_message(
            ctx, db, person, "https://chungtay.example/sign-in/T0k3n", "ABCDEFGH", ends
        )


def test_a_sign_in_mail_has_link_and_code_and_leaves_neither_behind(ctx, cast):
    assert sign_in(ctx, cast) == 1
    assert sign_in(ctx, cast) == 0
    post = Post()
    sending.send_due(ctx, post)
    assert post.subjects == ["Đăng nhập Chung Tay, yêu cầu lúc 06:30"]
    for kind in ("plain", "html"):
        body = post.arrived[0].get_body((kind,)).get_content()
        assert "https://chungtay.example/sign-in/T0k3n" in body
        assert "ABCD-EFGH" in body
        assert "06:40" in body
    assert rows(ctx, "state", "payload") == [("sent", {})]


def test_a_sign_in_mail_that_was_never_sent_leaves_no_secret_either(ctx, cast, clock):
    sign_in(ctx, cast)
    [(held,)] = rows(ctx, "payload")
    assert outbox.opened(ctx, held)["code"] == "ABCDEFGH"
    assert "ABCDEFGH" not in str(held)
    clock.forward(minutes=10)
    sending.sweep(ctx)
    assert rows(ctx, "state", "payload") == [("expired", {})]


def test_a_sign_in_mail_of_unknown_fate_is_not_sent_again(ctx, cast):
    sign_in(ctx, cast)
    sending.send_due(ctx, Post(WHO_KNOWS))
    assert sending.sweep(ctx) is None
    assert rows(ctx, "state", "payload") == [("unknown", {})]


def test_every_kind_of_mail_speaks_english_to_who_chose_it(ctx, cast, due):
    write(ctx, tables.persons, tables.persons.c.id > 0, language="en")
    announce(ctx, cast, 1)
    sign_in(ctx, cast)
    off = book(ctx, cast, WEDNESDAY + DAY / 48, teacher="teacher2", state="cancelled")
    with ctx.transaction() as db:
        news.call_off(ctx, db, [off], f"called_off:{off}")
    post = Post()
    sending.send_due(ctx, post)
    assert set(post.subjects) == {
        "New: Thu 02/11 · 08:30–09:15, English 7A · THCS A",
        "Sign in to Chung Tay, asked for at 08:30",
        "Called off: Wed 04/10 · 08:00–08:45, English 7A · THCS A",
        "Wed 04/10 · 07:30–08:15: English 7A · THCS A · Morning period 1",
    }
    for mail in post.arrived:
        for kind in ("plain", "html"):
            assert "Hello Cô" in mail.get_body((kind,)).get_content()


# -- looking at it


def test_the_summary_counts_by_state_and_kind(ctx, cast, due):
    sending.send_due(ctx, Post(NEVER))
    shown = outbox.show(ctx)
    assert {state: n for state, n in shown.by_state.items() if n} == {
        "planned": 2, "sent": 1, "failed": 1,
    }  # fmt: skip
    assert {kind: n for kind, n in shown.by_kind.items() if n} == {
        "day_before": 2, "hour_before": 1, "soon": 1,
    }  # fmt: skip
    assert (shown.law, shown.paused, shown.maybe_twice) == (True, False, 0)
    assert outbox.reminders_planned(ctx) == 4


def test_without_a_relay_mail_is_kept_and_can_be_read(ctx, cast, due, clock):
    assert outbox.mails(ctx) == ()
    sending.send_due(ctx, ways.mail(ctx))
    sign_in(ctx, cast)
    clock.forward(minutes=1)
    sending.send_due(ctx, ways.mail(ctx))
    mails = outbox.mails(ctx)
    assert [mail.subject[:9] for mail in mails] == ["Đăng nhập", "Thứ Tư 04", "Thứ Tư 04"]
    assert outbox.mail_kept(ctx, mails[0].name) == mails[0]
    assert "ABCD-EFGH" in mails[0].text
    for name in ("nobody", "../test", "", ".", mails[0].name + "/"):
        with pytest.raises(NotFound):
            outbox.mail_kept(ctx, name)
