"""Whose address counts: the nearest that is not ours, and nothing that a client can write."""

from ipaddress import ip_address, ip_network

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from scheduler.app import create_app
from scheduler.config import load
from scheduler.services import accounts, outbox
from scheduler.services.context import Context
from scheduler.store import tables
from scheduler.web import proxies
from tests.conftest import KEY
from tests.web.browser import BASE, SAME_ORIGIN

OURS = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("127.0.0.1"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1,10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", ["198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, evil\r\n, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["fe80::1%6.6.6.6"], "10.0.0.1"),
        ("10.0.0.1", [","], "10.0.0.1"),
        ("10.0.0.1", ["1," * 50_000 + "198.51.100.1"], "198.51.100.1"),
        ("testclient", ["198.51.100.1"], "testclient"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_the_address_of_a_client(peer, forwarded, found):
    assert proxies.client(peer, forwarded, OURS) == found


addresses = st.ip_addresses().map(lambda found: getattr(found, "ipv4_mapped", None) or found)
strangers = addresses.filter(
    lambda found: not any(found in net for net in OURS if net.version == found.version)
)
own = st.sampled_from(["10.0.0.1", "10.200.3.4", "fd00::5", "127.0.0.1"])


@given(peer=own, client=strangers, written=st.lists(st.text()), between=st.lists(own, max_size=15))
def test_nothing_that_a_client_writes_changes_whose_address_it_is(peer, client, written, between):
    """It may send any headers of its own; our proxies add to the last, each whom it heard."""
    first, last = written[:-1], [*written[-1:], str(client), *between]
    assert proxies.client(peer, [*first, ", ".join(last)], OURS) == str(client)


@given(peer=strangers, written=st.lists(st.text()))
def test_who_comes_without_a_proxy_of_ours_is_who_it_is(peer, written):
    assert proxies.client(str(peer), written, OURS) == str(peer)


@given(peer=own, written=st.lists(st.text() | addresses.map(str)))
def test_what_is_found_is_always_an_address(peer, written):
    assert ip_address(proxies.client(peer, written, OURS))


def behind(ctx: Context, tmp_path, trusted: str) -> TestClient:
    """The application as a browser at 198.51.100.1 meets it through a proxy at 10.0.0.1."""
    settings = load(
        _env_file=None, var_dir=tmp_path, base_url=BASE, trusted_proxies=trusted,
        secret_key=KEY.decode(),
    )  # fmt: skip
    app = create_app(ctx=Context(settings, ctx.database, ctx.clock, KEY), start_loop=False)
    client = TestClient(app, base_url=BASE, client=("10.0.0.1", 9), follow_redirects=False)
    client.headers["x-forwarded-for"] = "6.6.6.6, 198.51.100.1"
    return client


@pytest.mark.parametrize(
    ("trusted", "noted"), [("", "10.0.0.1"), ("127.0.0.1, 10.0.0.0/24", "198.51.100.1")]
)
def test_the_record_names_the_client_behind_a_proxy_of_ours(ctx, cast, tmp_path, trusted, noted):
    client = behind(ctx, tmp_path, trusted)
    path = accounts.operator_link(ctx, "teacher1@x.example").removeprefix(BASE)
    client.get(path)
    assert client.post(path, headers=SAME_ORIGIN).status_code == 303
    with ctx.reading() as db:
        assert set(db.scalars(sa.select(tables.audit_origins.c.address))) == {noted}


def test_what_a_proxy_says_of_host_and_scheme_counts_for_nothing(ctx, cast, tmp_path):
    client = behind(ctx, tmp_path, "10.0.0.1")
    told = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "forwarded": "host=e"}
    page = client.get("/teacher", headers=told)
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/teacher")
    assert page.headers["strict-transport-security"]
    assert client.get("/sign-in", headers=told | {"host": "evil.example"}).status_code == 400
    assert "evil.example" not in client.get("/sign-in", headers=told).text
    fields = {"email": "teacher1@x.example"}
    assert client.post("/sign-in", data=fields, headers=told | SAME_ORIGIN).status_code == 202
    accounts.make_links(ctx)
    with ctx.reading() as db:
        payload = db.scalar(sa.select(tables.outbox.c.payload))
    assert outbox.opened(ctx, payload)["url"].startswith(f"{BASE}/sign-in/")


@pytest.mark.parametrize("value", ["proxy.example", "10.0.0.1/33", "*", "10.0.0.1/8", "fe80::%a/x"])
def test_a_proxy_is_named_by_its_address(value):
    with pytest.raises(ValueError, match="write addresses or networks"):
        load(_env_file=None, trusted_proxies=f"127.0.0.1, {value}")
