"""What machines ask: alive, ready, and the counts."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from scheduler.services import accounts, workers
from tests.web.browser import BASE


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


@pytest.fixture
def local(site):
    return TestClient(site.app, base_url=BASE, client=("127.0.0.1", 5000))


def test_the_counts_are_for_this_machine_only(ctx, cast, local, visitor):
    accounts.request_sign_in(ctx, "teacher1@x.example")
    accounts.make_links(ctx)
    counts = local.get("/metrics").text.splitlines()
    assert 'chungtay_outbox_by_state{state="planned"} 1' in counts
    assert 'chungtay_outbox_by_kind{kind="sign_in"} 1' in counts
    assert "chungtay_outbox_law 1" in counts
    assert visitor.get("/metrics").status_code == 404
    behind_proxy = {"x-forwarded-for": "203.0.113.9"}
    assert local.get("/metrics", headers=behind_proxy).status_code == 404


def test_the_counts_tell_how_the_sending_goes(ctx, cast, local, clock):
    accounts.request_sign_in(ctx, "teacher1@x.example")
    accounts.make_links(ctx)
    clock.forward(seconds=90)
    workers.note_beat(ctx)
    counts = local.get("/metrics").text.splitlines()
    told = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in counts}
    assert {name: told[f"chungtay_outbox_{name}"] for name in (
        "queue", "late_seconds", "lease_lost", "drift_seconds", "workers", "paused",
    )} == {
        "queue": "1", "late_seconds": "90", "lease_lost": "0", "drift_seconds": "0",
        "workers": "1", "paused": "0",
    }  # fmt: skip
    assert told['chungtay_outbox_away{channel="mail"}'] == "0"


def test_a_process_whose_own_loop_hangs_is_not_ready(ctx, site, visitor):
    workers.note_beat(ctx)  # another process beats
    assert visitor.get("/readyz").status_code == 200
    site.state.is_alive = lambda: False
    assert visitor.get("/readyz").status_code == 503


@pytest.mark.parametrize("name", ["alerts.yaml", "grafana.json"])
def test_every_figure_that_is_watched_is_told(cast, local, name):
    watched = (Path(__file__).parents[2] / "deploy" / name).read_text()
    asked = set(re.findall(r"chungtay_outbox_[a-z_]+", watched))
    told = re.findall(r"^chungtay_outbox_[a-z_]+", local.get("/metrics").text, re.MULTILINE)
    assert asked
    assert asked <= set(told)
