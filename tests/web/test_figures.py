"""What Prometheus reads: who may, what is told, and that no key is in it."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from scheduler.domain.calendars import FeedKind
from scheduler.domain.runs import Point, Standing
from scheduler.domain.vitals import Disk
from scheduler.services import accounts, feeds, runs, vitals, workers
from scheduler.services.context import Context
from scheduler.store import runs as run_rows
from scheduler.store import switches
from scheduler.store.database import Database
from scheduler.web import figures
from scheduler.web.tallies import BOUNDS, Tally
from tests.web.browser import BASE, Site

DEPLOY = Path(__file__).parents[2] / "deploy"
TOOK = "chungtay_http_request_duration_seconds"
PROXY = "10.0.0.1"


def reader(ctx, address: str = "127.0.0.1", **settings: str) -> TestClient:
    site = Site(replace(ctx, settings=ctx.settings.model_copy(update=settings)))
    return TestClient(site.app, base_url=BASE, client=(address, 5000))


@pytest.fixture
def local(site):
    yield TestClient(site.app, base_url=BASE, client=("127.0.0.1", 5000))
    site.app.close()  # it listens for changes of feeds


def told(client) -> dict[tuple[str, ...], float]:
    """Each value by its name and labels; the number of the process is left out."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, *(v for k, v in sorted(sample.labels.items()) if k != "pid")): sample.value
        for family in families
        for sample in family.samples
    }


def counts(found: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """Answers by method, route and status."""
    return {key[1:]: n for key, n in found.items() if key[0] == f"{TOOK}_count"}


# -- who may read it


def test_the_figures_are_for_this_machine_only(cast, local, visitor):
    assert local.get("/metrics").status_code == 200
    assert visitor.get("/metrics").status_code == 404
    for header in ("x-forwarded-for", "forwarded"):
        behind_proxy = {header: "203.0.113.9"}
        assert local.get("/metrics", headers=behind_proxy).status_code == 404


@pytest.mark.parametrize("address", ["192.0.2.7", "192.0.2.255", "2001:db8::1"])
def test_readers_may_be_named(ctx, cast, address):
    readers = "192.0.2.0/24, 2001:db8::1"
    assert reader(ctx, address, metrics_readers=readers).get("/metrics").status_code == 200
    assert reader(ctx, address).get("/metrics").status_code == 404
    elsewhere = reader(ctx, "198.51.100.1", metrics_readers=readers)
    refused, nowhere = elsewhere.get("/metrics"), elsewhere.get("/nothing-of-the-kind")
    assert (refused.status_code, refused.headers["content-type"]) == (
        nowhere.status_code, nowhere.headers["content-type"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("peer", "forwarded", "status"),
    [
        (PROXY, "192.0.2.7", 200),
        (PROXY, "198.51.100.1", 404),
        (PROXY, "192.0.2.7, 198.51.100.1", 404),  # the first is what anybody may have written
        (PROXY, "127.0.0.1", 404),  # the loopback of another machine
        ("192.0.2.8", "192.0.2.7", 404),  # a proxy that nobody named: who knows for whom
        ("127.0.0.1", "127.0.0.1", 404),
    ],
)
def test_behind_a_proxy_the_real_address_counts(ctx, cast, peer, forwarded, status):
    client = reader(ctx, peer, metrics_readers="192.0.2.0/24", trusted_proxies=PROXY)
    assert client.get("/metrics", headers={"x-forwarded-for": forwarded}).status_code == status


# -- what is told


def test_the_messages_are_counted(ctx, cast, local):
    accounts.request_sign_in(ctx, "teacher1@x.example")
    accounts.make_links(ctx)
    found = told(local)
    assert found["chungtay_outbox_by_state", "planned"] == 1
    assert found["chungtay_outbox_by_kind", "sign_in"] == 1
    assert found["chungtay_outbox_law",] == 1


def test_it_is_told_how_the_sending_goes(ctx, cast, local, clock):
    accounts.request_sign_in(ctx, "teacher1@x.example")
    accounts.make_links(ctx)
    clock.forward(seconds=90)
    workers.note_beat(ctx)
    found = told(local)
    assert {name: found[f"chungtay_outbox_{name}",] for name in (
        "queue", "late_seconds", "leases_lost_total", "drift_seconds", "workers", "paused",
    )} == {
        "queue": 1, "late_seconds": 90, "leases_lost_total": 0, "drift_seconds": 0,
        "workers": 1, "paused": 0,
    }  # fmt: skip
    assert found["chungtay_outbox_away", "mail"] == 0
    [beat] = [value for key, value in found.items() if key[0] == "chungtay_worker_beat_age_seconds"]
    assert 0 <= beat < 60


def test_answers_are_counted_by_the_template_of_their_route(cast, local, site):
    browser = site.of(cast.actors["coordinator"])
    before = counts(told(local))
    for path in ("/teacher", "/coordinator/people/99", "/api/v1/lessons", "/static/app.js"):
        browser.get(path)
    browser.head("/healthz")
    browser.get("/nothing/lan@x.example")
    browser.submit("/language", {"language": "en"})
    browser.get("/j/idHwW5hVEH81yZfdxCfe1dHT")
    browser.request("LAN@X.EXAMPLE", "/healthz")
    browser.get("/healthz", headers={"cookie": "x" * 5000})
    browser.get("/", headers={"host": "evil.example"})
    after = counts(told(local))
    assert {key: n - before.get(key, 0) for key, n in after.items() if n != before.get(key)} == {
        ("GET", "/teacher", "4xx"): 1,
        ("GET", "/coordinator/people/{person_id}", "4xx"): 1,
        ("GET", "/api/v1/lessons", "4xx"): 1,
        ("GET", "/static/{path}", "2xx"): 1,
        ("HEAD", "/healthz", "2xx"): 1,
        ("GET", "(none)", "4xx"): 3,
        ("POST", "/language", "3xx"): 1,
        ("GET", "/j/{token}", "4xx"): 1,
        ("(other)", "/healthz", "4xx"): 1,
        ("GET", "/metrics", "2xx"): 1,
    }


def test_durations_are_a_histogram_that_adds_up(local):
    local.get("/healthz")
    found = told(local)
    of_health = [
        (float(key[1]), n)
        for key, n in found.items()
        if key[0] == f"{TOOK}_bucket" and key[3] == "/healthz"
    ]
    assert [bound for bound, _ in of_health] == [*BOUNDS, float("inf")]
    assert [n for _, n in of_health] == sorted(n for _, n in of_health)
    assert of_health[-1][1] == counts(found)["GET", "/healthz", "2xx"] == 1
    assert 0 < found[f"{TOOK}_sum", "GET", "/healthz", "2xx"] < 30


def link(ctx, cast) -> feeds.NewLink:
    teacher = cast.actors["teacher1"]
    return feeds.create_link(ctx, teacher, FeedKind.TEACHER, cast["teacher1"], "phone")


def test_reads_of_calendars_are_counted_by_answer(ctx, cast, local, site):
    made, client = link(ctx, cast), site.browser()
    path = made.url.removeprefix(BASE)
    tag = client.get(path).headers["etag"]
    for _ in range(3):
        client.get(path, headers={"if-none-match": tag})
    client.get("/feeds/b7Qw-ZkT2_xN9vLmR4cHs6JpF0gVaE1uDiO8tKyXfWz/lessons.ics")
    client.request("LAN@X.EXAMPLE", path)
    feeds.revoke_link(ctx, cast.actors["teacher1"], made.link_id)
    client.get(path)
    found = told(local)
    reads = {key[1]: n for key, n in found.items() if key[0] == "chungtay_feed_reads_total"}
    assert reads == {"200": 1, "304": 3, "404": 1, "405": 1, "410": 1}
    assert {key: n for key, n in counts(found).items() if "feeds" in key[1]} == {
        ("GET", "/feeds/{token}/{name}", "2xx"): 1,
        ("GET", "/feeds/{token}/{name}", "3xx"): 3,
        ("GET", "/feeds/{token}/{name}", "4xx"): 2,
        ("(other)", "/feeds/{token}/{name}", "4xx"): 1,
    }


def test_no_key_and_no_name_is_in_it(ctx, cast, local, site):
    made, client = link(ctx, cast), site.browser()
    door = accounts.operator_link(ctx, "teacher1@x.example").removeprefix(BASE)
    client.get(made.url.removeprefix(BASE))
    client.get(door)
    client.get("/sign-in?email=teacher1@x.example")
    page = local.get("/metrics").text
    for secret in (made.token, door.rpartition("/")[2], "teacher1", "x.example", "testclient"):
        assert secret not in page


def test_each_process_says_which_it_is(local):
    local.get("/healthz")
    families = text_string_to_metric_families(local.get("/metrics").text)
    own = {f.name for f in families for sample in f.samples if sample.labels.get("pid")}
    assert {
        TOOK,
        "chungtay_pool_in_use",
        "process_resident_memory_bytes",
        "process_open_fds",
    } <= own
    assert f'pid="{os.getpid()}"' in local.get("/metrics").text


def test_a_newer_reader_gets_openmetrics(local):
    answer = local.get(
        "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"}
    )
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    names = {family.name for family in read_openmetrics(answer.text)}
    assert {"chungtay_outbox_leases_lost", "chungtay_build", TOOK} <= names


def test_a_database_that_does_not_answer_is_told():
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    page, _ = figures.exposed(None, vitals.Here(away.pools(), Disk(1, 2)), Tally(), "")
    assert "chungtay_database_up 0.0" in page.decode()
    assert "chungtay_outbox" not in page.decode()


# -- what is watched


@pytest.fixture
def at_work(ctx: Context, cast, local):
    """A house of which everything is told: a search goes on, a backup was made, pages are read."""
    runs.start(ctx, cast.actors["coordinator"], cast["term"], 60.0)
    standing = Standing(1.0, 1000.0, 25, 26, 900.0, 5.0)
    with ctx.transaction() as db:
        run = run_rows.claim(db, "token", runs.LEASE)
        run_rows.progress(db, run.id, "token", runs.LEASE, standing, [Point(1.0, 1000.0, 900.0)])
        switches.turn_on(db, switches.BACKED_UP, "1000 x")
    local.get(link(ctx, cast).url.removeprefix(BASE))
    workers.note_beat(ctx)
    local.get("/healthz")
    return local


def test_the_search_that_goes_on_is_told(cast, at_work):
    found, term = told(at_work), str(cast["term"])
    assert found["chungtay_runs", "running"] == 1
    assert found["chungtay_run_cost", term] == 1000
    assert found["chungtay_run_bound", term] == 900
    assert found["chungtay_run_gap_ratio", term] == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["alerts.yaml", "grafana.json"])
def test_every_figure_that_is_watched_is_told(ctx, at_work, name):
    watched = (DEPLOY / name).read_text()
    asked = set(re.findall(r"\b(?:chungtay|process)_[a-z_]+\b", watched))
    names = {key[0] for key in told(at_work)}
    assert asked
    if not ctx.database.is_sqlite:  # its log is no file of ours
        asked.discard("chungtay_database_wal_bytes")
    assert asked <= names
