"""What a token may do: by its scopes, and never more than its person."""

import re

import pytest
import sqlalchemy as sa
from fastapi import APIRouter, Depends

from scheduler.app import create_pages
from scheduler.domain import scopes
from scheduler.domain.scopes import Scope
from scheduler.services import access_tokens
from scheduler.store import tables
from scheduler.web import guard
from tests.conftest import lifted
from tests.web.api.routes import operations

V1 = "/api/v1"


@pytest.fixture
def program(ctx, cast, site):
    """`program({Scope.LESSONS_READ})`: one that comes with a coordinator's token of these."""

    def made(chosen, who="coordinator"):
        token = access_tokens.make(ctx, cast.actors[who], "sổ", 1, proved=True, scopes=chosen)
        client = site.browser()
        client.headers["authorization"] = f"Bearer {token.text}"
        return client

    return made


def test_every_operation_says_its_scope_and_is_shut_without_it(program, monkeypatch):
    lifted(monkeypatch)
    needed = {
        (method, path): told["security"][0]["token"][0] for method, path, told in operations()
    }
    assert set(needed.values()) == set(Scope)
    nouns = {Scope(each).noun for each in needed.values()}
    others = {noun: program({each for each in Scope if each.noun is not noun}) for noun in nouns}
    reader = program(scopes.READING)
    for (method, path), scope in needed.items():
        address = re.sub(r"\{\w+\}", "1", path)
        clients = [others[Scope(scope).noun], *([reader] if Scope(scope).writes else [])]
        for client in clients:
            refused = client.request(method, address, json={} if method != "GET" else None)
            assert (method, path, refused.status_code) == (method, path, 403)
            assert scope in refused.json()["detail"]
        assert Scope(scope).writes is (method != "GET"), path


def test_a_token_that_may_change_may_also_read(program, cast):
    client = program({Scope.LISTS_WRITE})
    assert client.get(f"{V1}/requests/{cast['request_7A']}").status_code == 200
    assert client.post(f"{V1}/requests/{cast['request_7A']}/withdraw").status_code == 204


def test_a_scope_gives_nothing_that_its_person_may_not(program, cast):
    assert (
        program(scopes.ALL, "schoolB").get(f"{V1}/requests/{cast['request_7A']}").status_code == 404
    )


@pytest.mark.parametrize(("reads_only", "may"), [(False, 204), (True, 403)])
def test_tokens_of_before_mean_all_or_all_that_reads(ctx, program, cast, reads_only, may):
    client = program({Scope.HOURS_READ})
    with ctx.transaction() as db:
        old = {"scopes": None, "reads_only": reads_only}
        db.execute(sa.update(tables.access_tokens).values(**old))
    request = f"{V1}/requests/{cast['request_7A']}"
    assert client.get(request).status_code == 200
    assert client.post(f"{request}/withdraw").status_code == may


def test_an_answer_that_is_kept_is_for_tokens_with_the_scope(program, cast):
    whole, other = program(scopes.ALL), program({Scope.PLANS_WRITE})
    here, key = f"{V1}/requests/{cast['request_7A']}/withdraw", {"idempotency-key": "k"}
    assert whole.post(here, headers=key).status_code == 204
    assert other.post(here, headers=key).status_code == 403
    again = whole.post(here, headers=key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (204, "true")


def test_a_route_without_a_scope_is_found_at_the_start(ctx):
    pages, careless = create_pages(ctx, start_loop=False), APIRouter()
    careless.add_api_route(
        "/api/v1/careless", lambda: None, methods=["GET"], dependencies=[Depends(guard.bearer)]
    )
    pages.include_router(careless)
    assert guard.undeclared_routes(pages) == [
        "/api/v1/careless: says not which scope a token needs"
    ]


def test_the_page_says_what_each_token_may_and_wants_a_tick(ctx, cast, site):
    browser, here = site.of(cast.actors["teacher1"]), "/account/tokens"
    page = browser.see(here)
    assert page.text.count(" checked") == len(scopes.READING)
    nothing = browser.submit(here, {"name": "sổ", "days": "30"})
    assert nothing.status_code == 422
    assert 'id="scopes-error"' in nothing.text
    browser.submit(
        here, {"name": "sổ", "days": "30", "scopes": ["hours:write", "x", "lessons:read"]}
    )
    [token] = access_tokens.mine(ctx, cast.actors["teacher1"])
    assert token.scopes == {Scope.HOURS_READ, Scope.HOURS_WRITE, Scope.LESSONS_READ}
    listed = browser.see(here).text
    assert "thay đổi: Giờ dạy và câu trả lời của riêng thầy cô" in listed
    assert "đọc: Tiết học, dạy thay, ngày nghỉ, buổi sinh hoạt chung" in listed
