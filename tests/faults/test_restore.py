"""The journal of sent messages, and a restore that sends nothing again."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.delivery import journal
from scheduler.delivery.journal import Journal
from scheduler.errors import NotFound
from scheduler.services import backups, outbox, recovery, sending
from scheduler.services.sending import Fate
from tests.faults.kit import Post, announce, rows, states

AT = datetime(2023, 10, 1, 23, 30, tzinfo=UTC)


def test_the_journal_tells_what_was_sent_and_when(tmp_path):
    notes = Journal(tmp_path / "sent")
    notes.note("a", AT)
    notes.note("b", AT + timedelta(days=31))
    notes.close()
    found = journal.files(tmp_path / "sent")
    assert [path.name for path in found] == ["2023-10.log", "2023-11.log"]
    assert journal.read(found) == {"a": AT, "b": AT + timedelta(days=31)}
    assert journal.files(tmp_path / "nowhere") == ()


@pytest.mark.parametrize("torn", [b"b", b"b\t2023-10-0", b"b\t", b"\xff\xfe\t2023-10-01"])
def test_a_torn_last_line_spoils_no_other(tmp_path, torn):
    path = tmp_path / "2023-10.log"
    path.write_bytes(b"a\t2023-10-01T23:30:00+00:00\n" + torn)
    notes = Journal(tmp_path)
    notes.note("c", AT)
    notes.close()
    assert journal.read([path]) == {"a": AT, "c": AT}


def test_a_journal_that_cannot_be_written_ends_the_sending(ctx, cast, caplog):
    announce(ctx, cast, 3)
    ctx.settings.var_dir.mkdir(parents=True, exist_ok=True)
    ctx.settings.journal_dir.write_text("no folder")
    assert sending.send_due(ctx, Post()).fates == {Fate.SENT: 1, Fate.GIVEN_BACK: 2}
    assert "cannot be written" in caplog.text


@pytest.mark.fault(30)
def test_after_a_restore_nothing_goes_out_twice(ctx, cast, clock, tmp_path, postgresql_programs):
    announce(ctx, cast, 6)
    post = Post()
    sending.send_due(ctx, post, limit=2)
    backups.backup(ctx, tmp_path / "state.backup")
    sending.send_due(ctx, post, limit=3)
    done = recovery.restore(ctx, tmp_path / "state.backup")
    assert (done.replayed, done.expired, done.waiting) == (3, 0, 1)
    shown = outbox.show(ctx)
    assert (shown.paused, shown.pause_reason, shown.law) == (True, "restored", True)
    assert sending.send_due(ctx, post).claimed == 0
    outbox.resume(ctx)
    sending.send_due(ctx, post)
    copies = [mail["Message-ID"] for mail in post.arrived]
    assert (len(copies), len(set(copies))) == (6, 6)
    assert {at for (at,) in rows(ctx, "sent_at")} == {ctx.now()}


@pytest.mark.fault(30)
def test_a_restore_expires_what_is_past(ctx, cast, clock, tmp_path, postgresql_programs):
    announce(ctx, cast, 2)
    backups.backup(ctx, tmp_path / "state.backup")
    clock.forward(days=8)
    done = recovery.restore(ctx, tmp_path / "state.backup")
    assert (done.replayed, done.expired, done.waiting) == (0, 2, 0)


def test_the_journal_of_another_machine_is_replayed(ctx, cast, tmp_path):
    announce(ctx, cast, 3)
    (first,), (second,), _ = rows(ctx, "key")
    path = tmp_path / "other.log"
    path.write_text("".join(f"{key}\t{AT.isoformat()}\n" for key in (first, second, "unknown")))
    assert outbox.replay(ctx, [path]) == 2
    assert outbox.replay(ctx, [path]) == 0
    assert states(ctx) == {"sent": 2, "planned": 1}
    with pytest.raises(NotFound, match="There is no file"):
        outbox.replay(ctx, [tmp_path / "nowhere.log"])
