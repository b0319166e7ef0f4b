"""The door: other sites' forms, headers, bodies, cookies and hosts; and every route's own rule."""

from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from scheduler.app import create_app, create_pages
from scheduler.config import load
from scheduler.services import accounts
from scheduler.services.context import Context
from scheduler.web import guard, shell
from scheduler.web.pages import health
from tests.web.browser import BASE, SAME_ORIGIN

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def test_every_route_says_who_may_come_in(ctx):
    assert guard.undeclared_routes(create_pages(ctx, start_loop=False)) == []


def test_a_route_without_a_rule_or_with_an_unchecked_form_is_found(ctx):
    pages, careless = create_pages(ctx, start_loop=False), APIRouter()
    careless.add_api_route("/careless", lambda: None, methods=["GET"])
    careless.add_api_route("/language", lambda: None, methods=["PUT"])
    pages.include_router(careless)
    assert guard.undeclared_routes(pages) == [
        "/careless: says not who may come in",
        "/language: its form is not checked",
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://chungtay.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": BASE, "sec-fetch-site": "cross-site"},
    ],
)
def test_a_form_of_another_site_is_refused(cast, site, headers):
    browser = site.of(cast.actors["teacher1"])
    fields = {"csrf": browser.csrf, "language": "en"}
    assert browser.post("/language", data=fields, headers=headers).status_code == 403
    assert '<html lang="vi">' in browser.get("/teacher").text


@pytest.mark.parametrize("csrf", [None, "", "wrong", "é", "x" * 5000])
def test_a_form_without_the_token_of_its_session_is_refused(cast, site, csrf):
    browser = site.of(cast.actors["teacher1"])
    fields = {"language": "en"} | ({} if csrf is None else {"csrf": csrf})
    assert browser.post("/language", data=fields, headers=SAME_ORIGIN).status_code == 403
    stranger = site.of(cast.actors["teacher2"])
    fields = {"language": "en", "csrf": stranger.csrf}
    assert browser.post("/language", data=fields, headers=SAME_ORIGIN).status_code == 403
    assert '<html lang="vi">' in browser.get("/teacher").text


def test_a_browser_that_names_no_origin_may_post_with_the_token(cast, site):
    browser = site.of(cast.actors["teacher1"])
    fields = {"csrf": browser.csrf, "language": "en"}
    assert browser.post("/language", data=fields).status_code == 303


def test_from_the_page_of_a_secret_link_an_old_browser_says_null(cast, site, ctx):
    """No-referrer makes it say so; the cookie, which other sites cannot send along, vouches."""
    link = accounts.operator_link(ctx, "teacher1@x.example").removeprefix(BASE)
    browser, other_site = site.browser(), site.browser()
    assert other_site.post(link, data={}, headers={"origin": "null"}).status_code == 403
    browser.see(link)
    assert browser.post(link, data={}, headers={"origin": "null"}).status_code == 303


def test_the_headers_of_a_page(cast, site):
    headers = site.of(cast.actors["teacher1"]).get("/teacher").headers
    wanted = {
        "content-security-policy": POLICY,
        "strict-transport-security": "max-age=31536000",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }
    assert {name: headers[name] for name in wanted} == wanted
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/sign-in/token", "/j/token", "/stop/token"])
def test_a_page_whose_address_is_a_secret_sends_no_referrer(visitor, path):
    headers = visitor.get(path).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-robots-tag"] == "noindex"


def test_cookies_are_bound_to_the_host_over_https(cast, site):
    browser = site.browser()
    browser.see("/sign-in")
    made = browser.submit("/sign-in", {"email": "a@x.example"}).headers["set-cookie"].lower()
    assert made.startswith("__host-pending=")
    for word in ("secure", "httponly", "samesite=lax", "path=/"):
        assert word in made.split("; ")


EVERYWHERE = {
    "/sign-in": 200, "/teacher": 303, "/nothing": 404, "/api/openapi.json": 401,
    "/static/chungtay.css": 200, "/robots.txt": 200, "/feeds/x/lich.ics": 404, "/healthz": 200,
    "/static/no.css": 404, "/j/a%00b": 400, "/sw.js": 200,
}  # fmt: skip


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_has_the_headers_of_the_house(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == EVERYWHERE[path]
    wanted = {
        "content-security-policy": POLICY,
        "strict-transport-security": "max-age=31536000",
        "x-content-type-options": "nosniff",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    }
    assert {name: answer.headers.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_what_describes_the_api_is_for_programs_with_a_token_only(visitor, path):
    assert visitor.get(path).status_code == 404
    assert visitor.get("/api/openapi.json").status_code == 401


def test_without_https_there_is_no_promise_of_it(database, clock, tmp_path):
    settings = load(_env_file=None, var_dir=tmp_path, base_url="http://127.0.0.1:8000")
    ctx = Context(settings, database, clock, b"k" * 32)
    client = TestClient(create_app(ctx=ctx, start_loop=False), base_url="http://localhost:8000")
    page = client.post("/language", data={"language": "en"}, follow_redirects=False)
    assert page.headers["set-cookie"].startswith("lang=en;")
    assert "secure" not in page.headers["set-cookie"].lower()
    assert "strict-transport-security" not in page.headers


def test_files_of_ours_are_kept_for_a_year_by_their_hash(visitor):
    page = visitor.get("/sign-in").text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    kept = visitor.get(address).headers["cache-control"]
    assert kept == "public, max-age=31536000, immutable"
    assert visitor.get("/static/chungtay.css").headers["cache-control"] == "public, max-age=3600"
    assert visitor.get("/static/../guard.py").status_code == 404
    assert visitor.get("/static/nothing.css").headers["cache-control"] == "no-store"


def test_a_page_names_nothing_that_its_policy_forbids(cast, site):
    for path in ("/teacher", "/teacher/lessons", "/calendar"):
        page = site.of(cast.actors["teacher1"]).get(path).text
        assert " style=" not in page
        assert "<style" not in page
        assert "onclick" not in page
        assert page.count("<script src=") == page.count("<script")


def test_a_body_over_a_megabyte_is_refused_stated_or_counted(visitor):
    large = b"email=" + b"x" * (1024 * 1024)
    kind = {"content-type": "application/x-www-form-urlencoded"} | SAME_ORIGIN
    assert visitor.post("/sign-in", content=large, headers=kind).status_code == 413
    pieces = iter([large[:500_000], large[500_000:]])
    assert visitor.post("/sign-in", content=pieces, headers=kind).status_code == 413


def drip(ctx, piece: bytes, every: float) -> int:
    """The status of a form that comes piece by piece, in seconds `every` apart, without an end."""
    fields = [(b"host", b"chungtay.example"), (b"origin", BASE.encode())]
    form = (b"content-type", b"application/x-www-form-urlencoded")
    scope = {
        "type": "http", "method": "POST", "path": "/sign-in", "raw_path": b"/sign-in",
        "query_string": b"", "headers": [*fields, form], "client": ("127.0.0.1", 9),
        "scheme": "https", "server": ("chungtay.example", 443), "http_version": "1.1",
    }  # fmt: skip
    said = []

    async def receive():
        await anyio.sleep(every)
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message):
        said.append(message)

    app = create_app(ctx=ctx, start_loop=False)
    with ThreadPoolExecutor(1) as thread:  # in this one a browser of other tests may have its loop
        thread.submit(anyio.run, app, scope, receive, send).result()
    headers = dict(said[0]["headers"])
    assert headers[b"connection"] == b"close"
    return said[0]["status"]


def test_a_body_that_drips_is_ended_and_one_that_comes_slowly_but_surely_is_waited_for(
    ctx, monkeypatch
):
    monkeypatch.setattr(shell, "PATIENCE", 0.1)
    assert drip(ctx, b"x", every=0.02) == 408
    assert drip(ctx, b"", every=60) == 408
    monkeypatch.setattr(shell, "LEAST_RATE", 1024 * 1024)
    assert drip(ctx, b"x" * 100_000, every=0.02) == 413  # all the way to the limit of its size


def test_headers_have_a_largest_size(visitor):
    assert visitor.get("/healthz", headers={"cookie": "a=" + "x" * 4095}).status_code == 431
    two = [("cookie", "a=" + "x" * 3000), ("cookie", "b=" + "x" * 3000)]
    assert visitor.get("/sign-in", headers=two).status_code == 431
    assert visitor.get("/sign-in", headers={"x-odd": "x" * 33_000}).status_code == 431
    assert visitor.get("/sign-in", headers={"x-odd": "x" * 20_000}).status_code == 200


def test_no_header_makes_another_method_of_a_request(cast, site):
    browser = site.of(cast.actors["teacher1"])
    for name in ("x-http-method-override", "x-http-method", "x-method-override"):
        got = browser.get("/sign-out", headers={name: "POST"} | SAME_ORIGIN)
        assert got.status_code == browser.get("/sign-out").status_code == 405
        assert browser.get("/teacher", headers={name: "DELETE"}).status_code == 200


def test_whoever_tries_codes_of_papers_must_wait(ctx, cast, visitor):
    statuses = [visitor.get("/verify/AAAA-AAAA-AAAA").status_code for _ in range(31)]
    assert statuses == [404] * 30 + [429]
    assert visitor.get("/verify/AAAA-AAAA-AAAA").headers["retry-after"] == "10"
    assert visitor.get("/sign-in").status_code == 200


def test_too_many_fields_or_a_file_are_refused(visitor):
    many = "&".join(f"f{n}=1" for n in range(1001))
    kind = {"content-type": "application/x-www-form-urlencoded"} | SAME_ORIGIN
    assert visitor.post("/sign-in", content=many, headers=kind).status_code == 400
    files = {"email": ("a.txt", b"a@x.example")}
    assert visitor.post("/sign-in", files=files, headers=SAME_ORIGIN).status_code == 400


@pytest.mark.parametrize(
    "value", ["x", "x" * 3000, "\"'; DROP", "é", "%00", "a\tb", "=", "1" * 43, '"\\000"']
)
def test_a_cookie_that_is_not_ours_is_nobody(visitor, value):
    page = visitor.get("/teacher", headers={"cookie": f"__Host-sid={value}".encode()})
    assert page.status_code == 303


@pytest.mark.parametrize("name", ["__Host-sid", "other"])
def test_a_cookie_that_no_browser_would_keep_is_too_large(visitor, name):
    cookies = {"cookie": f"lang=vi; {name}={'x' * 5000}; a=b"}
    for path in ("/teacher", "/sign-in", "/api/v1/terms"):
        assert visitor.get(path, headers=cookies).status_code == 431
    few = "; ".join(f"c{n}={'x' * 1000}" for n in range(4))
    assert visitor.get("/sign-in", headers={"cookie": few}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("chungtay.example", 200), ("CHUNGTAY.example:443", 200), ("evil.example", 400),
     ("127.0.0.1", 400), ("", 400), ("[", 400), ("evil.example@chungtay.example", 400),
     ("chungtay.example/evil.example", 400), ("chungtay.example, evil.example", 400),
     ("chungtay.example?", 400), ("chungtay.example#", 400), ("chungtay.example:x", 400),
     ("chungtay.example:99999", 400)],
)  # fmt: skip
def test_only_the_configured_host_is_answered(visitor, host, status):
    assert visitor.get("/sign-in", headers={"host": host}).status_code == status
    assert visitor.get("/healthz", headers={"host": host}).status_code == 200


def test_without_a_configured_host_only_names_that_nobody_can_own(database, clock, tmp_path):
    settings = load(_env_file=None, var_dir=tmp_path)
    ctx = Context(settings, database, clock, b"k" * 32)
    client = TestClient(create_app(ctx=ctx, start_loop=False))
    hosts = ("localhost:8000", "192.168.1.7:8000", "[::1]:8000", "web:8000", "evil.example")
    statuses = [client.get("/sign-in", headers={"host": host}).status_code for host in hosts]
    assert statuses == [200, 200, 200, 200, 400]


def test_trace_and_nul_are_refused_at_once(visitor):
    assert visitor.request("TRACE", "/sign-in").status_code == 405
    assert visitor.request("CONNECT", "/sign-in").status_code == 405
    assert visitor.get("/j/a%00b").status_code == 400
    assert visitor.get("/sign-in?next=%00").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/teacher/lessons/1/answer", "GET, HEAD, POST"),
        ("GET", "/sign-out", "POST"),
        ("DELETE", "/healthz", "GET, HEAD"),
        ("TRACE", "/sign-in", "GET, HEAD, POST"),
        ("POST", "/static/chungtay.css", "GET, HEAD"),
        ("PATCH", "/api/v1/lessons/1/brief", "GET, HEAD, PUT"),
        ("TRACE", "/api/v1/lessons/1/pin", "DELETE"),
    ],
)
def test_a_wrong_method_is_told_all_the_right_ones(cast, visitor, method, path, allowed):
    """RFC 9110: a program that asks again knows how; the first of two routes is not the whole."""
    refused = visitor.request(method, path, headers=SAME_ORIGIN)
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)


def test_a_program_reads_of_every_refusal_in_the_form_that_was_promised(visitor):
    refused = visitor.get("/api/v1/lessons?since=a%00b")
    assert (refused.status_code, refused.headers["content-type"]) == (
        400,
        "application/problem+json",
    )
    assert refused.json()["status"] == 400


def test_with_a_careless_route_there_is_no_application(ctx, monkeypatch):
    careless = APIRouter()
    careless.add_api_route("/careless", lambda: None, methods=["GET"])
    monkeypatch.setattr(health.router, "routes", [*health.router.routes, *careless.routes])
    with pytest.raises(RuntimeError, match="/careless: says not who may come in"):
        create_app(ctx=ctx, start_loop=False)


def test_a_coordinator_by_mailbox_alone_sees_nothing_but_the_way_to_the_second_factor(cast, site):
    browser = site.browser()
    path = accounts.operator_link(site.ctx, cast.actors["coordinator"].email).removeprefix(BASE)
    browser.see(path)
    browser.submit(path)
    for page in ("/coordinator", "/calendar", "/coordinator/messages"):
        refused = browser.get(page)
        assert (refused.status_code, refused.headers["location"]) == (303, guard.PROOF)
    assert browser.get("/mail").status_code == 404
    assert browser.get("/coordinator", headers={"hx-request": "1"}).status_code == 401
    browser.prove()
    assert browser.get("/coordinator").status_code == 200
