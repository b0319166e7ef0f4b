"""What machines ask: alive and ready."""

from scheduler.services import workers


def test_alive_is_said_with_the_version_whatever_else(visitor):
    assert visitor.get("/healthz").json() == {"status": "ok", "version": "0.1.0"}


def test_ready_needs_a_beat_within_the_last_minute(ctx, visitor):
    assert visitor.get("/readyz").status_code == 503
    workers.note_beat(ctx)
    assert visitor.get("/readyz").json() == {"status": "ready"}


def test_ready_needs_the_schema_that_we_know(ctx, visitor, monkeypatch):
    workers.note_beat(ctx)
    with ctx.transaction() as db:
        db.connection().exec_driver_sql("UPDATE alembic_version SET version_num = 'other'")
    answer = visitor.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_process_whose_own_loop_hangs_is_not_ready(ctx, site, visitor):
    workers.note_beat(ctx)  # another process beats
    assert visitor.get("/readyz").status_code == 200
    site.state.is_alive = lambda: False
    assert visitor.get("/readyz").status_code == 503
