"""What a reader is told when something does not work: in their language, and no more."""

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from scheduler.app import create_app
from scheduler.errors import Busy, Conflict, Invalid, NotAllowed, NotFound, Stale, text
from scheduler.store.database import Database
from scheduler.web import guard, headers
from scheduler.web.guard import Signed
from scheduler.web.pages import health
from tests.web.browser import BASE, Browser

CASES = {
    "not-found": (NotFound("There is no such lesson here."), 404),
    "not-allowed": (NotAllowed("Your account may not do this."), 403),
    "invalid": (Invalid("Choose Vietnamese or English.", fields={"a": text("Fill this in.")}), 422),
    "conflict": (Conflict("This lesson was called off already."), 409),
    "stale": (Stale("This lesson was called off already."), 409),
    "busy": (Busy("The database is busy. Try again in a moment."), 503),
    "broken": (RuntimeError("a secret of the house"), 500),
}


@pytest.fixture
def broken(ctx, monkeypatch):
    """The application with routes that fail in every way."""
    router = APIRouter()
    for name, (error, _) in CASES.items():
        router.add_api_route(f"/fails/{name}", _failing(error))
        router.add_api_route(f"/api/fails/{name}", _failing(error))
    routes = [*health.router.routes, *router.routes]
    monkeypatch.setattr(health.router, "routes", routes)
    open_doors = {f"/api/fails/{name}" for name in CASES}
    monkeypatch.setattr(guard, "PUBLIC", guard.PUBLIC | open_doors)
    return create_app(ctx=ctx, start_loop=False)


def _failing(error):
    def route(_session: Signed) -> None:
        raise error

    return route


@pytest.mark.parametrize("name", CASES)
def test_each_failure_has_its_status_and_its_three_forms(ctx, cast, broken, name):
    browser = Browser(broken, ctx).arrive(cast.actors["teacher1"])
    status = CASES[name][1]
    page = browser.get(f"/fails/{name}")
    fragment = browser.get(f"/fails/{name}", headers={"hx-request": "true"})
    machine = browser.get(f"/api/fails/{name}")
    assert [each.status_code for each in (page, fragment, machine)] == [status] * 3
    assert '<html lang="vi">' in page.text
    assert "<html" not in fragment.text
    assert 'role="alert"' in fragment.text
    assert machine.headers["content-type"] == "application/problem+json"
    assert machine.json()["status"] == status
    for each in (page, fragment, machine):
        assert "secret of the house" not in each.text
        assert "Traceback" not in each.text
        assert each.headers["content-security-policy"] == headers.policy()


def test_the_words_are_in_the_language_of_the_reader(ctx, cast, broken):
    browser = Browser(broken, ctx).arrive(cast.actors["teacher1"])
    assert "Tiết này đã huỷ từ trước." in browser.get("/fails/conflict").text
    browser.submit("/language", {"language": "en"})
    assert "This lesson was called off already." in browser.get("/fails/conflict").text


def test_faults_by_field_reach_a_machine(ctx, cast, broken):
    browser = Browser(broken, ctx).arrive(cast.actors["teacher1"])
    browser.submit("/language", {"language": "en"})
    assert browser.get("/api/fails/invalid").json()["errors"] == [
        {"field": "a", "detail": "Fill this in."}
    ]


def test_whoever_must_wait_is_told_how_long(ctx, cast, broken):
    browser = Browser(broken, ctx).arrive(cast.actors["teacher1"])
    assert browser.get("/fails/busy").headers["retry-after"] == "5"


def test_a_broken_page_names_the_number_of_its_request(ctx, cast, broken):
    page = Browser(broken, ctx).arrive(cast.actors["teacher1"]).get("/fails/broken")
    assert page.headers["x-request-id"] in page.text


def test_when_the_database_breaks_there_is_still_a_page(ctx, cast, broken, monkeypatch):
    def gone(_):
        raise RuntimeError("no database")

    monkeypatch.setattr(Database, "reading", gone)
    client = TestClient(broken, base_url=BASE, raise_server_exceptions=False)
    page = client.get("/teacher", headers={"cookie": "__Host-sid=x"})
    assert page.status_code == 500
    assert '<html lang="vi">' in page.text


@pytest.mark.fault(24)
def test_a_busy_database_is_told_as_such_before_anybody_is_known(broken, monkeypatch):
    def locked(_):
        raise Busy("The database is busy. Try again in a moment.")

    monkeypatch.setattr(Database, "reading", locked)
    client = TestClient(broken, base_url=BASE, raise_server_exceptions=False)
    page = client.get("/teacher", headers={"cookie": "__Host-sid=x"})
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Cơ sở dữ liệu đang bận." in page.text


def test_a_foreign_and_an_absent_thing_are_told_alike(ctx, cast, site):
    stranger, owner = (site.of(cast.actors[who]) for who in ("teacher2", "teacher1"))
    feed = f"teacher:{cast['teacher1']}"
    owner.submit("/calendar", {"device": "apple", "feed": feed})
    assert owner.get("/calendar/links/1/end").status_code == 200
    answers = [
        stranger.get(f"/calendar/links/{link_id}/end")
        for link_id in ("1", "999", "0", "-1", "1e3", str(2**31), str(2**63), "x")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    posts = [stranger.submit(f"/calendar/links/{n}/end") for n in (1, 999)]
    assert {answer.status_code for answer in posts} == {404}
    assert len({answer.text for answer in posts}) == 1
    assert owner.get("/calendar/links/1/end").status_code == 200


def test_an_unknown_address_is_a_page_too(visitor, cast, site):
    assert visitor.get("/nothing").status_code == 404
    assert visitor.get("/api/nothing").headers["content-type"] == "application/problem+json"
    assert visitor.post("/teacher").status_code == 405
    assert site.of(cast.actors["teacher1"]).get("/nothing").status_code == 404


def test_a_fragment_for_whom_we_do_not_know_sends_the_whole_page_to_sign_in(visitor):
    answer = visitor.get("/teacher", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")
