"""Feeds over HTTP, as calendar clients ask for them."""

import dataclasses
import gzip
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime

import httpx2
import pytest
import sqlalchemy as sa
import uvicorn
from calendars.seed import MONDAY, World

from scheduler.domain.calendars import FeedKind
from scheduler.services import feeds
from scheduler.store import feeds as store
from scheduler.store import tables
from scheduler.store.database import Database
from scheduler.web import feeds as web
from scheduler.web.feeds import FeedApp
from scheduler.web.headers import shared


async def _elsewhere(scope, receive, send):
    if scope["type"] == "lifespan":
        for _ in range(2):
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
        return
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"pages"})


@pytest.fixture
def world(database) -> World:
    return World(database).plant().story()


@pytest.fixture
def server(ctx, caplog) -> Iterator[httpx2.Client]:
    """A client of a real server, which logs all it can."""
    caplog.set_level(logging.DEBUG)
    with serving(ctx) as client:
        yield client


@contextmanager
def serving(ctx) -> Iterator[httpx2.Client]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(FeedApp(_elsewhere, ctx), log_config=None, access_log=True)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        while not running.started:
            time.sleep(0.005)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        headers = {"accept-encoding": "identity"}
        try:
            with httpx2.Client(base_url=address, headers=headers) as client:
                yield client
        finally:
            running.should_exit = True
            thread.join()


def subscribe(ctx, world, who="lan", kind="teacher", owner="lan"):
    return feeds.create_link(ctx, world.actor(who), FeedKind(kind), world.ids[owner], "máy")


def written_reads(ctx, world, total: int) -> list[int]:
    """The reads of each of Lan's links, once so many are written: the server may be at it too."""
    for _ in range(500):
        feeds.write_reads(ctx)
        found = sorted(link.reads for link in feeds.links_of(ctx, world.actor("lan")))
        if sum(found) >= total:
            break
        time.sleep(0.01)
    return found


def path_of(link) -> str:
    return link.url.removeprefix("https://chungtay.example")


@pytest.fixture
def path(ctx, world) -> str:
    return path_of(subscribe(ctx, world))


def test_a_feed_is_rendered_on_its_first_read(ctx, server, path):
    answer = server.get(path)
    assert answer.status_code == 200
    assert answer.content.startswith(b"BEGIN:VCALENDAR\r\n")
    etag = answer.headers["etag"]
    assert dict(answer.headers) == {
        "date": answer.headers["date"],
        "server": "uvicorn",
        "etag": etag,
        "last-modified": "Sun, 01 Oct 2023 23:30:00 GMT",
        "vary": "Accept-Encoding",
        "cache-control": "private, max-age=0, must-revalidate",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex",
        **shared(ctx.settings),
        "content-type": "text/calendar; charset=utf-8",
        "content-disposition": 'inline; filename="co-lan-chung-tay.ics"; '
        "filename*=UTF-8''co-lan-chung-tay.ics",
        "content-length": str(len(answer.content)),
    }
    assert server.get(path).content == answer.content


def test_head_has_the_headers_of_get_and_no_body(server, path):
    get, head = server.get(path), server.head(path)
    assert head.content == b""
    assert head.headers == get.headers | {"date": head.headers["date"]}


def test_gzip_comes_only_when_asked_for_and_under_its_own_tag(server, path):
    plain = server.get(path)
    for unasked in ("", "*", "br", "gzip;q=0", "deflate, gzip; q=0.0"):
        answer = server.get(path, headers={"accept-encoding": unasked})
        assert "content-encoding" not in answer.headers
    with server.stream("GET", path, headers={"accept-encoding": "br, gzip;q=0.5"}) as zipped:
        raw = b"".join(zipped.iter_raw())
    assert zipped.headers["content-encoding"] == "gzip"
    assert int(zipped.headers["content-length"]) == len(raw)
    assert gzip.decompress(raw) == plain.content
    assert zipped.headers["etag"] == plain.headers["etag"][:-1] + '-gz"'
    assert zipped.headers["vary"] == "Accept-Encoding"


SECOND = timedelta(seconds=1)


def conditions(etag: str, changed):
    """Request headers, and whether the copy they speak of is still right."""

    def date(moment):
        return format_datetime(moment, usegmt=True)

    good, bad = {"if-none-match": etag}, {"if-none-match": '"old"'}
    return [
        (good, 304),
        ({"if-none-match": "W/" + etag}, 304),
        ({"if-none-match": f'"a", W/"b" ,{etag}'}, 304),
        ({"if-none-match": "*"}, 304),
        (bad, 200),
        ({"if-none-match": etag.strip('"')}, 200),
        ({"if-none-match": ""}, 200),
        ({"if-none-match": ',,;"'}, 200),
        ({"if-modified-since": date(changed)}, 304),
        ({"if-modified-since": date(changed - SECOND)}, 200),
        ({"if-modified-since": date(changed + 3600 * SECOND)}, 200),  # a day that never was yet
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": "Mon, 99 Foo 2023 99:99:99 GMT"}, 200),
        ({"if-modified-since": ""}, 200),
        (bad | {"if-modified-since": date(changed)}, 200),
        (good | {"if-modified-since": date(changed - 99 * SECOND)}, 304),
        (good | {"if-modified-since": "nonsense"}, 304),
        ({"range": "bytes=0-9"}, 200),
        ({"accept": "application/calendar+json"}, 200),
    ]


def test_a_client_that_has_the_newest_copy_is_told_so_and_no_other(server, path, ctx, clock):
    fresh = server.get(path)
    etag, changed = fresh.headers["etag"], ctx.now()
    for method in ("GET", "HEAD"):
        for headers, status in conditions(etag, changed):
            clock.forward(minutes=1)  # as often as is allowed
            answer = server.request(method, path, headers=headers)
            assert (headers, answer.status_code) == (headers, status)
            assert answer.headers["etag"] == etag
            assert answer.headers["last-modified"] == fresh.headers["last-modified"]
            assert answer.headers["vary"] == "Accept-Encoding"
            if status == 304:
                assert answer.content == b""
                assert "content-type" not in answer.headers
    zipped = server.get(path, headers={"if-none-match": etag, "accept-encoding": "gzip"})
    assert (zipped.status_code, zipped.headers["etag"]) == (304, etag)


def test_after_any_change_the_tag_differs_and_the_time_grows(
    server, path, ctx, world, clock, monkeypatch
):
    monkeypatch.setattr(web, "PATIENCE", 20.0)  # on a busy machine it would get the older one
    seen = [server.get(path)]
    changes = [
        lambda: world.alter(tables.persons, world.ids["person lan"], name="Cô Lan Hương"),
        lambda: world.alter(tables.receiving_schools, world.ids["to_hieu"], name="Trường Tô Hiệu"),
        lambda: world.alter(tables.lessons, 1, state="cancelled", sequence=1),
        lambda: world.lesson("lan", "7A", MONDAY + timedelta(days=50)),
    ]
    for change in changes:
        change()
        with ctx.transaction() as db:
            store.mark_all_dirty(db)
        seen.append(server.get(path, headers={"if-none-match": seen[-1].headers["etag"]}))
    clock.forward(days=70)  # the window rolls
    seen.append(server.get(path, headers={"if-none-match": seen[-1].headers["etag"]}))
    assert [answer.status_code for answer in seen] == [200] * 6
    assert len({answer.headers["etag"] for answer in seen}) == 6
    times = [answer.headers["last-modified"] for answer in seen]
    assert len(set(times)) == 6
    assert times[:5] == [f"Sun, 01 Oct 2023 23:30:0{n} GMT" for n in range(5)]


def test_probing_methods_get_a_polite_no(server, path):
    for method, status in [
        ("OPTIONS", 204), ("PROPFIND", 405), ("REPORT", 405), ("POST", 405), ("PUT", 405),
        ("DELETE", 405), ("PATCH", 405), ("PROPPATCH", 405),
    ]:  # fmt: skip
        for where in (path, "/feeds/unknown/x.ics", "/feeds/"):
            answer = server.request(method, where)
            assert (method, answer.status_code) == (method, status)
            assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
            assert answer.content == b""


def test_what_leads_nowhere_looks_the_same_everywhere(server, path, ctx, world):
    token = path.split("/")[2]
    minh = path_of(subscribe(ctx, world, "minh", owner="minh"))
    assert server.get(minh).status_code == 200
    world.alter(tables.persons, world.ids["person minh"], active=False)
    nowhere = [
        "/feeds/", "/feeds/x", "/feeds/x/", "/feeds//lich.ics", f"/feeds/{'A' * 43}/lich.ics",
        f"/feeds/{token.swapcase()}/lich.ics", f"/feeds/{token}%00/lich.ics",
        f"/feeds/%00{token}/lich.ics", f"/feeds/{token[:-1]}/lich.ics", f"/feeds/{token}",
        f"/feeds/{token}/", f"/feeds/{token}/lich.xml", f"/feeds/{'A' * 10_000}/lich.ics",
        "/feeds/%ff%fe/lich.ics", "/feeds/../feeds/x.ics", f"/feeds/{token}';--/lich.ics", minh,
    ]  # fmt: skip
    answers = [server.get(where) for where in nowhere]
    assert {(a.status_code, a.content) for a in answers} == {
        (404, b"There is no calendar at this address.\n")
    }
    assert len({str({**a.headers, "date": ""}) for a in answers}) == 1
    assert all("set-cookie" not in a.headers for a in answers)


def test_any_file_name_leads_to_the_feed_and_no_header_is_smuggled(server, path):
    token = path.split("/")[2]
    answer = server.get(f"/feeds/{token}/L%E1%BB%8Bch%0d%0aSet-Cookie:%20x=%22y.ics")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-disposition"] == (
        'inline; filename="lich-set-cookie-x-y.ics"; '
        "filename*=UTF-8''L%E1%BB%8Bch%0D%0ASet-Cookie%3A%20x%3D%22y.ics"
    )


def test_an_ended_link_is_refused_on_the_next_request_and_forgotten_after_a_month(
    server, ctx, world, clock
):
    link, other = subscribe(ctx, world), subscribe(ctx, world)
    assert server.get(path_of(link)).status_code == 200
    feeds.revoke_link(ctx, world.actor("lan"), link.link_id)
    ended = server.get(path_of(link))
    assert ended.status_code == 410
    assert "Liên kết lịch này đã ngừng." in ended.text
    assert server.get(path_of(other)).status_code == 200
    clock.forward(days=31)
    gone = server.get(path_of(link))
    assert (gone.status_code, gone.text) == (404, "There is no calendar at this address.\n")


def test_an_answer_given_before_is_not_given_again_once_anything_changed(server, ctx, world, clock):
    link = subscribe(ctx, world)
    path = path_of(link)

    def ask(etag=None, **more):
        headers = {"accept-encoding": "gzip"} | ({"if-none-match": etag} if etag else {})
        return server.get(path, headers=headers | more)

    first = ask()
    etag = first.headers["etag"]
    assert [ask().content for _ in range(3)] == [first.content] * 3
    assert [ask(etag).status_code for _ in range(3)] == [304] * 3
    world.alter(tables.lessons, 1, state="cancelled", sequence=1)
    with ctx.transaction() as db:
        store.mark_all_dirty(db)
    changed = ask(etag)
    assert (changed.status_code, changed.headers["etag"] == etag) == (200, False)
    assert ask().headers["etag"] == changed.headers["etag"]
    assert (
        ask(etag, **{"accept-encoding": "identity"}).headers["etag"][:-1] + '-gz"'
        == (changed.headers["etag"])
    )
    clock.forward(days=70)
    assert ask(changed.headers["etag"]).status_code == 200
    assert written_reads(ctx, world, 11) == [11]
    feeds.revoke_link(ctx, world.actor("lan"), link.link_id)
    assert (ask().status_code, ask(etag).status_code) == (410, 410)


def test_a_link_may_leave_a_last_event_behind(server, ctx, world):
    link = subscribe(ctx, world)
    feeds.revoke_link(ctx, world.actor("lan"), link.link_id, farewell=True)
    ended = server.get(path_of(link))
    assert (ended.status_code, ended.headers["content-type"][:13]) == (410, "text/calendar")
    assert ended.content.count(b"BEGIN:VEVENT") == 1
    assert "[ĐÃ NGỪNG]" in ended.text


def test_jcal_has_a_url_and_a_tag_of_its_own(server, path):
    plain = server.get(path)
    jcal = server.get(path.removesuffix(".ics") + ".json")
    assert jcal.headers["content-type"] == "application/calendar+json"
    assert jcal.json()[0] == "vcalendar"
    assert len(jcal.json()[2]) == plain.content.count(b"BEGIN:VEVENT")
    tag = jcal.headers["etag"]
    assert tag == plain.headers["etag"][:-1] + '-j"'
    for given, status in ((tag, 304), (plain.headers["etag"], 200)):
        again = server.get(path.removesuffix(".ics") + ".json", headers={"if-none-match": given})
        assert again.status_code == status
    assert server.get(path, headers={"if-none-match": tag}).status_code == 200


def test_gzip_can_be_switched_off_for_all(ctx, path):
    plain = dataclasses.replace(ctx, settings=ctx.settings.model_copy(update={"feed_gzip": False}))
    with serving(plain) as client:
        answer = client.get(path, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.content.startswith(b"BEGIN:VCALENDAR")


def test_a_link_read_too_often_is_told_when_to_come_again_and_others_are_not(
    server, ctx, world, clock
):
    path, other = path_of(subscribe(ctx, world)), path_of(subscribe(ctx, world))
    etag = server.get(path).headers["etag"]
    again = {"if-none-match": etag}
    asked = [("HEAD", {}), ("GET", again)] * 9 + [("GET", {})]
    assert [server.request(m, path, headers=h).status_code for m, h in asked] == [200, 304] * 9 + [
        200
    ]
    clock.forward(seconds=15)
    refused = server.get(path, headers=again)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "45")
    assert "etag" not in refused.headers
    assert server.head(path).status_code == 429
    assert server.get(other).status_code == 200
    clock.forward(seconds=45)
    assert server.get(path, headers=again).status_code == 304
    assert server.get(path).status_code == 429
    assert written_reads(ctx, world, 22) == [1, 21]


def test_what_another_process_gave_of_a_link_counts_here_too(server, ctx, world, clock):
    """Each counts for itself, and hears of the others when it writes down its reads."""
    path = path_of(subscribe(ctx, world))
    other = dataclasses.replace(ctx, database=Database(ctx.settings.database))
    with serving(other) as second:
        for _ in range(12):
            assert [each.get(path).status_code for each in (server, second)] == [200, 200]
        feeds.write_reads(ctx)
        feeds.write_reads(other)
        assert server.get(path).status_code == 200  # it wrote first, and knows of its own only
        assert second.get(path).status_code == 429
        clock.forward(seconds=60)
        feeds.write_reads(ctx)
        assert [each.get(path).status_code for each in (server, second)] == [429, 429]
        clock.forward(seconds=300)
        assert server.get(path).status_code == 200
    other.database.close()


def test_an_ended_or_unknown_link_is_never_asked_to_wait(server, ctx, world):
    link = subscribe(ctx, world)
    feeds.revoke_link(ctx, world.actor("lan"), link.link_id)
    unknown = f"/feeds/{'A' * 43}/lich.ics"
    assert {server.get(path_of(link)).status_code for _ in range(30)} == {410}
    assert {server.get(unknown).status_code for _ in range(30)} == {404}


def test_no_log_line_holds_a_token(server, ctx, world, caplog):
    link = subscribe(ctx, world)
    path = path_of(link)
    for method in ("GET", "HEAD", "OPTIONS", "PROPFIND"):
        server.request(method, path + "?again=" + link.token)
    feeds.revoke_link(ctx, world.actor("lan"), link.link_id)
    server.get(path)
    said = [record for record in caplog.records if not record.name.startswith("http")]
    lines = [f"{record.getMessage()} {record.args}" for record in said]
    assert sum("GET /feeds/[redacted]" in line or "/feeds/%5B" in line for line in lines) >= 3
    assert not [line for line in lines if link.token in line]


def test_when_and_by_whom_a_link_was_read_is_written_down_once_a_minute(
    server, ctx, world, clock, database
):
    link = subscribe(ctx, world)
    for _ in range(3):
        server.get(path_of(link), headers={"user-agent": "iOS/17.1 dataaccessd/1.0"})
    feeds.flush_reads(ctx)
    assert feeds.links_of(ctx, world.actor("lan"))[0].reads == 0
    clock.forward(seconds=60)
    feeds.flush_reads(ctx)
    (seen,) = feeds.links_of(ctx, world.actor("lan"))
    assert (seen.reads, seen.client) == (3, "Apple")
    assert seen.last_read_at == clock.now() - timedelta(seconds=60)
    server.get(path_of(link), headers={"user-agent": "Google-Calendar-Importer"})
    feeds.write_reads(ctx)
    (seen,) = feeds.links_of(ctx, world.actor("lan"))
    assert (seen.reads, seen.client, seen.last_read_at) == (4, "Google", clock.now())


def test_a_feed_that_cannot_be_rendered_is_served_as_it_was(server, path, ctx, monkeypatch):
    before = server.get(path)
    with ctx.transaction() as db:
        store.mark_all_dirty(db)

    def fails(*_args):
        raise RuntimeError("the far end of the wire")

    monkeypatch.setattr(feeds.lessons, "find", fails)
    after = server.get(path)
    assert (after.status_code, after.content) == (200, before.content)


def test_a_broken_database_asks_for_patience(server, path, ctx, caplog):
    with ctx.database.migrating() as connection:
        connection.execute(sa.text("ALTER TABLE feed_links RENAME TO mislaid"))
        connection.commit()
    answer = server.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    lines = [x.getMessage() for x in caplog.records if not x.name.startswith("http")]
    assert any("could not be read" in line for line in lines)
    assert path.split("/")[2] not in "".join(lines)


def test_robots_may_read_feeds_and_nothing_else(server):
    answer = server.get("/robots.txt")
    assert answer.text == "User-agent: *\nAllow: /feeds/\nDisallow: /\n"


def test_everything_else_goes_to_the_pages(server):
    for where in ("/", "/feed", "/feeds", "/teacher/feeds/x.ics"):
        assert (server.get(where).status_code, server.get(where).text) == (418, "pages")
