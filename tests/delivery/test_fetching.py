"""Calendars of other houses are read from the public internet only, whole, in time and size."""

import gzip
import logging
import ssl
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from scheduler.delivery import fetching
from scheduler.delivery import network as networks
from scheduler.delivery.fetching import Refused, fetch
from scheduler.delivery.network import Address, Network, is_public
from scheduler.domain.busy import Fetched
from tests.delivery import peer
from tests.delivery.peer import Behaviour, Peer, answer, dripping, moved, running

NOW = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"
HEAD = b"HTTP/1.1 200 OK\r\n"
NAME = "calendar.test"

NOT_ALLOWED = (
    "This address is not allowed. A calendar has a public https address, without a name, a password"
    " or a port in it. Copy it again from your calendar."
)
UNCLEAR = "The calendar's server could not be reached or understood."
LATE = "The calendar took longer than 10 seconds to answer."
LARGE = "The calendar is larger than 5 MB."


def here(address: Address) -> bool:
    """In these tests 127.0.0.1 and 127.0.0.9 play the public internet; all others stay closed."""
    return str(address) in ("127.0.0.1", "127.0.0.9")


def network(port: int, *found: str, secure_port: int = 443) -> Network:
    """Every name has the addresses `found`, at first 127.0.0.1."""
    return Network(
        allow=here,
        ports={"http": port, "https": secure_port},
        resolve=lambda host: found or ("127.0.0.1",),
    )


@pytest.fixture
def paths() -> dict[str, Behaviour]:
    return {"/a.ics": answer(CALENDAR, ETag='"one"', Last_Modified="Tue, 01 Sep 2026 05:00:00 GMT")}


@pytest.fixture
def server(paths: dict[str, Behaviour]) -> Iterator[Peer]:
    with running(paths) as peer:
        yield peer


Read = Callable[[str], Fetched | None]


@pytest.fixture
def read(server: Peer) -> Read:
    """Reads a path of the server."""

    def of(path: str) -> Fetched | None:
        address = f"http://{NAME}{path}"
        return fetch(address, etag=None, last_modified=None, now=NOW, network=network(server.port))

    return of


def get(address: str, way: Network, etag: str | None = None) -> Fetched | None:
    return fetch(address, etag=etag, last_modified=None, now=NOW, network=way)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return str(refused.value)


def test_calendar_is_read_with_its_marks(server: Peer, read: Read) -> None:
    changed = "Tue, 01 Sep 2026 05:00:00 GMT"
    assert read("/a.ics") == Fetched(CALENDAR, '"one"', changed, NOW)
    [request] = server.requests
    assert request.headers == {
        "Host": f"{NAME}:{server.port}",
        "User-Agent": "Mozilla/5.0 (compatible; ChungTay calendar reader)",
        "Accept": "text/calendar, */*;q=0.5",
        "Accept-Encoding": "gzip",
        "Connection": "close",
    }


def test_unchanged_calendar_is_none_when_its_marks_are_sent(
    server: Peer, paths: dict[str, Behaviour]
) -> None:
    paths["/a.ics"] = answer(status="304 Not Modified")
    way, changed = network(server.port), "Tue, 01 Sep 2026 05:00:00 GMT"
    address = f"http://{NAME}/a.ics"
    assert fetch(address, etag='W/"x"', last_modified=changed, now=NOW, network=way) is None
    sent = server.requests[0].headers
    assert (sent["If-None-Match"], sent["If-Modified-Since"]) == ('W/"x"', changed)
    assert "trouble" in refusal(lambda: get(address, way))  # nobody asked for a difference


def test_proxies_of_the_environment_are_not_asked(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    found = read("/a.ics")
    assert found is not None
    assert found.body == CALENDAR


def test_packed_calendar_is_unpacked(read: Read, paths: dict[str, Behaviour]) -> None:
    large = CALENDAR + b"X" * 1_000_000
    paths["/z"] = answer(gzip.compress(large), Content_Encoding="gzip")
    found = read("/z")
    assert found is not None
    assert found.body == large


def test_a_mark_that_cannot_be_sent_back_is_dropped(
    read: Read, paths: dict[str, Behaviour]
) -> None:
    paths["/e"] = answer(CALENDAR, ETag="x" * 501, Last_Modified="caf\xe9")
    assert read("/e") == Fetched(CALENDAR, None, None, NOW)


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        (answer(b""), "The calendar's server sent nothing."),
        (answer(b" \r\n"), "The calendar's server sent nothing."),
        (
            answer(b"\n<!DOCTYPE html><p>Sign in</p>"),
            "This address leads to a web page, not to a calendar.",
        ),
        (answer(b"BEGIN:VCARD\r\n"), "What is at this address is not a calendar."),
        (answer(b"<>BEGIN:VCALENDAR\r\n"), "What is at this address is not a calendar."),
        (answer(CALENDAR, Content_Encoding="br"), "What is at this address is not a calendar."),
        (
            answer(status="401 Unauthorized", WWW_Authenticate="Basic"),
            "The calendar is closed to us. Share it by a secret address and use that one.",
        ),
        (answer(status="410 Gone"), "There is no calendar at this address any more."),
        (
            answer(status="500 Oh"),
            "The calendar's server has trouble of its own (answer 500).",
        ),
        (answer(CALENDAR + b"X" * 50_000_000), LARGE),
        (answer(gzip.compress(CALENDAR + bytes(500_000_000), 1), Content_Encoding="gzip"), LARGE),
        (answer(gzip.compress(CALENDAR)[:-9], Content_Encoding="gzip"), UNCLEAR),
        (answer(CALENDAR, Content_Encoding="gzip"), UNCLEAR),
        (answer(gzip.compress(CALENDAR) * 2, Content_Encoding="gzip"), UNCLEAR),
        (lambda send: send(HEAD + b"Content-Length: 90\r\n\r\n" + CALENDAR), UNCLEAR),
        (lambda send: send(HEAD + b"X: y\r\n" * 200 + b"\r\n" + CALENDAR), UNCLEAR),
        (lambda send: send(b"SSH-2.0-OpenSSH_9.6\r\n"), UNCLEAR),
        (lambda send: None, UNCLEAR),
    ],
    ids=range(18),
)
def test_what_is_no_whole_calendar_is_refused(
    read: Read, paths: dict[str, Behaviour], behaviour: Behaviour, sentence: str
) -> None:
    paths["/bad"] = behaviour
    assert refusal(lambda: read("/bad")) == sentence


def test_byte_order_mark_and_blank_lines_are_no_harm(
    read: Read, paths: dict[str, Behaviour]
) -> None:
    paths["/b"] = answer(b"\xef\xbb\xbf\r\n" + CALENDAR)
    found = read("/b")
    assert found is not None
    assert found.body.endswith(CALENDAR)


@pytest.mark.parametrize(
    "behaviour",
    [
        dripping(HEAD + b"Content-Length: 100000\r\n\r\nBEGIN:VCALENDAR\r\n", b"X"),
        dripping(HEAD, b"X: y\r\n", every=0.2),
        dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nX\r\n"),
        dripping(b"H"),
        dripping(b"HTTP/1.1 100 Continue\r\n\r\n"),
        lambda send: time.sleep(2),
    ],
    ids=["body", "headers", "chunks", "first line", "endless 100", "silence"],
)
def test_slow_answer_is_cut_when_the_time_in_all_is_over(
    read: Read,
    paths: dict[str, Behaviour],
    behaviour: Behaviour,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.5)
    paths["/slow"] = behaviour
    began = time.monotonic()
    assert "took longer than" in refusal(lambda: read("/slow"))
    assert 0.4 < time.monotonic() - began < 1.5


def test_each_hop_shares_the_time_in_all(
    read: Read, paths: dict[str, Behaviour], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.5)

    def slowly(send: peer.Send) -> None:
        time.sleep(0.2)
        moved("/on")(send)

    paths["/on"] = slowly
    assert "took longer than" in refusal(lambda: read("/on"))


def test_ten_seconds_are_the_end() -> None:
    with running({"/": dripping(HEAD + b"\r\nBEGIN:VCALENDAR\r\n", b"X", every=1)}) as server:
        began = time.monotonic()
        assert refusal(lambda: get(f"http://{NAME}/", network(server.port))) == LATE
        assert 9.9 < time.monotonic() - began < 11


def test_silent_resolver_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.3)

    def asleep(host: str) -> list[str]:
        time.sleep(2)
        return ["127.0.0.1"]

    way = Network(allow=here, resolve=asleep)
    began = time.monotonic()
    assert "took longer than" in refusal(lambda: get("https://a.test/", way))
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "to", ["/a.ics", "//other.test:PORT/a.ics", "http://other.test:PORT/a.ics"]
)
def test_redirect_is_followed(
    server: Peer, read: Read, paths: dict[str, Behaviour], to: str
) -> None:
    paths["/r"] = moved(to.replace("PORT", str(server.port)))
    found = read("/r")
    assert found is not None
    assert found.body == CALENDAR
    assert [each.path for each in server.requests] == ["/r", "/a.ics"]


@pytest.mark.parametrize("hops", [5, 6])
def test_five_redirects_are_followed_and_no_more(
    server: Peer, read: Read, paths: dict[str, Behaviour], hops: int
) -> None:
    paths.update({f"/{n}": moved(f"/{n - 1}") for n in range(1, hops + 1)})
    paths["/0"] = answer(CALENDAR)
    if hops == 5:
        assert read("/5") == Fetched(CALENDAR, None, None, NOW)
    else:
        assert "without an end" in refusal(lambda: read("/6"))
    assert len(server.requests) == 6


def test_redirect_in_a_circle_ends(server: Peer, read: Read, paths: dict[str, Behaviour]) -> None:
    paths["/loop"] = moved("/loop")
    assert "without an end" in refusal(lambda: read("/loop"))
    assert len(server.requests) == 6


PRIVATE = [
    "127.0.0.2",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "169.254.169.254",
    "10.0.0.1",
    "2130706434",
    "0x7f.2",
    "127.2",
    "localhost",
    "0.0.0.0",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
]


@pytest.mark.parametrize("host", PRIVATE)
def test_redirect_to_a_private_place_is_refused_before_it_is_asked(host: str) -> None:
    """The first hop is let in by hand; what it points to meets the rule of the public internet."""
    seen: list[str] = []

    def only_first(address: Address) -> bool:
        seen.append(str(address))
        return len(seen) == 1 or is_public(address)

    paths: dict[str, Behaviour] = {}
    with running(paths) as server:
        way = Network(allow=only_first, ports={"http": server.port})
        paths["/"] = moved(f"http://{host}:{server.port}/")
        assert refusal(lambda: get("http://127.0.0.1/", way)) == NOT_ALLOWED
        assert len(server.requests) == 1
    assert len(seen) >= 2


@pytest.mark.parametrize("host", ["127.0.0.1", *PRIVATE])
def test_private_place_is_refused_by_default(host: str) -> None:
    for scheme in ("https", "http", "webcal"):
        found = refusal(
            lambda s=scheme: fetch(f"{s}://{host}/", etag=None, last_modified=None, now=NOW)
        )
        assert found == NOT_ALLOWED


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("2002:808:808::1", True),
        ("224.0.1.1", False),
        ("ff0e::1", False),
        ("255.255.255.255", False),
        ("100.64.0.1", False),
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("198.18.0.1", False),
        ("240.0.0.1", False),
        ("::", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::808:808", False),
        ("2002:a00:1::1", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),  # Teredo, its server public
        ("2001:0:808:808:8000:63bf:f7f7:f7f7", False),  # Teredo to 8.8.8.8, of no use either way
        ("2001:db8::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("fec0::1", False),
    ],
)
def test_public_addresses_are_told_from_the_rest(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


def test_name_with_one_private_address_is_refused(server: Peer) -> None:
    way = network(server.port, "127.0.0.1", "127.0.0.2")
    assert refusal(lambda: get(f"http://{NAME}/a.ics", way)) == NOT_ALLOWED
    assert server.requests == []


def test_name_that_changes_its_address_leads_to_the_one_that_was_checked(server: Peer) -> None:
    """A private server at the second answer stays unread, for the name is asked once."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    with running({"/a.ics": answer(CALENDAR)}, "127.0.0.2", server.port) as private:
        way = Network(allow=here, ports={"http": server.port}, resolve=lambda host: answers.pop(0))
        found = get(f"http://{NAME}/a.ics", way)
        assert (found is not None, answers) == (True, [["127.0.0.2"]])
        assert (len(server.requests), private.requests) == (1, [])
        # Asked anew for the next reading, or the next hop, the name is checked anew.
        assert refusal(lambda: get(f"http://{NAME}/a.ics", way)) == NOT_ALLOWED
        assert private.requests == []


def test_second_address_is_tried_when_the_first_is_closed(server: Peer) -> None:
    found = get(f"http://{NAME}/a.ics", network(server.port, "127.0.0.9", "127.0.0.1"))
    assert found is not None
    assert found.body == CALENDAR


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "ftp://a.test/",
        "file:///etc/passwd",
        "gopher://a.test/",
        "https:///path",
        "https://a.test:nine/",
        "https://a..test/",
        "https://a b.test/",
        "https://[::1%25lo]/",
        "https://[::1/",
        "https://a.test/" + "x" * 2000,
        "https://me:secret@a.test/",
        "https://user:pw@127.0.0.1/",
        "https://a.test\\@127.0.0.1/",
        "https://a.test:22/",
        "https://a.test:80/",
        "http://a.test:443/",
    ],
)
def test_address_that_may_not_be_asked_is_refused_unasked(address: str) -> None:
    asked: list[str] = []
    way = Network(resolve=lambda host: asked.append(host) or [])
    assert refusal(lambda: get(address, way)) == NOT_ALLOWED
    assert asked == []


INWARDS = [
    "http://169.254.169.254/latest/meta-data/",
    "http://127.1/",
    "http://[::ffff:10.0.0.1]/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://localtest.me/",
    "https://user:pw@localtest.me/",
    "https://localtest.me:22/",
    "file:///etc/passwd",
    "gopher://localtest.me/",
]


@pytest.mark.parametrize("address", INWARDS)
def test_every_way_into_the_house_meets_one_sentence_in_no_time(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is connected to, so nothing can be learnt from the words or from the time."""
    lines: list[object] = []
    monkeypatch.setattr(networks, "create_connection", lambda *to, **_: lines.append(to))

    def names(host: str) -> Sequence[str]:
        return ["127.0.0.1"] if host == "localtest.me" else networks.resolve(host)

    began = time.monotonic()
    assert refusal(lambda: get(address, Network(resolve=names))) == NOT_ALLOWED
    assert (lines, time.monotonic() - began < 0.5) == ([], True)


@pytest.mark.parametrize("address", ["http://10.0.0.1:PORT/", "http://localtest.me:PORT/"])
def test_redirect_inwards_is_refused_as_the_address_itself_would_be(
    address: str, server: Peer, paths: dict[str, Behaviour]
) -> None:
    paths["/r"] = moved(address.replace("PORT", str(server.port)))
    answers = {NAME: ["127.0.0.1"], "localtest.me": ["127.0.0.2"], "10.0.0.1": ["10.0.0.1"]}
    way = Network(allow=here, ports={"http": server.port}, resolve=answers.__getitem__)
    assert refusal(lambda: get(f"http://{NAME}/r", way)) == NOT_ALLOWED
    assert [request.path for request in server.requests] == ["/r"]


def test_host_of_the_house_is_read_when_the_operator_named_it_and_no_other(
    server: Peer, paths: dict[str, Behaviour]
) -> None:
    """By its name alone: its bare address and other names of the same machine stay closed."""
    way = Network(ports={"http": server.port}, resolve=lambda host: ["127.0.0.1"])
    inside = frozenset({"calendar.school.internal"})

    def ask(address: str) -> Fetched | None:
        return fetch(address, etag=None, last_modified=None, now=NOW, inside=inside, network=way)

    found = ask("http://Calendar.School.internal/a.ics")
    assert found is not None
    assert found.body == CALENDAR
    paths["/r"] = moved(f"http://other.school.internal:{server.port}/a.ics")
    for address in (
        "http://127.0.0.1/a.ics",
        "http://other.school.internal/a.ics",
        "http://calendar.school.internal.evil.test/a.ics",
        "http://calendar.school.internal/r",
    ):
        assert refusal(lambda where=address: ask(where)) == NOT_ALLOWED
    assert [request.path for request in server.requests] == ["/a.ics", "/r"]


def test_letters_of_other_alphabets_are_sent_as_the_web_writes_them(
    server: Peer, paths: dict[str, Behaviour]
) -> None:
    paths["/l%E1%BB%8Bch%20d%E1%BA%A1y.ics?a=%C3%B4&b=%20"] = answer(CALENDAR)
    asked: list[str] = []

    def note(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    way = Network(allow=here, ports={"http": server.port}, resolve=note)
    assert get(" http://lịch.test/lịch dạy.ics?a=ô&b=%20#top ", way) is not None
    assert asked == ["lịch.test".encode("idna").decode()]


Trust = tuple[ssl.SSLContext, ssl.SSLContext]  # of the server, of its reader


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return peer.certificate(tmp_path_factory.mktemp("tls"), NAME)


def secure(port: int, plain: int, context: ssl.SSLContext) -> Network:
    return Network(
        allow=here,
        ports={"https": port, "http": plain},
        resolve=lambda host: ["127.0.0.1"],
        authorities=lambda: context,
    )


def test_encrypted_calendar_is_read_by_its_name_at_the_checked_address(
    paths: dict[str, Behaviour], trust: Trust, server: Peer
) -> None:
    with running(paths, secured=trust[0]) as sealed:
        paths["/r"] = moved(f"https://{NAME}:{sealed.port}/a.ics")
        way = secure(sealed.port, server.port, trust[1])
        for address in (f"https://{NAME}/a.ics", f"webcal://{NAME}/r", f"http://{NAME}/r"):
            found = get(address, way)
            assert found is not None
            assert found.body == CALENDAR


def test_downgrade_from_https_to_http_is_refused(
    paths: dict[str, Behaviour], trust: Trust, server: Peer
) -> None:
    paths["/down"] = moved(f"http://{NAME}:{server.port}/a.ics")
    with running(paths, secured=trust[0]) as sealed:
        way = secure(sealed.port, server.port, trust[1])
        found = refusal(lambda: get(f"https://{NAME}/down", way))
        assert found == "The calendar is passed on to an address without encryption."
    assert server.requests == []


def test_certificate_of_another_name_or_of_nobody_is_refused(
    paths: dict[str, Behaviour], trust: Trust
) -> None:
    doubt = "The calendar's server could not prove that it is the one of this address."
    with running(paths, secured=trust[0]) as sealed:
        way = secure(sealed.port, 80, trust[1])
        assert refusal(lambda: get("https://other.test/a.ics", way)) == doubt
        assert refusal(lambda: get("https://127.0.0.1/a.ics", way)) == doubt
        unknown = Network(allow=here, ports=way.ports, resolve=way.resolve)
        assert refusal(lambda: get(f"https://{NAME}/a.ics", unknown)) == doubt
        assert sealed.requests == []


def test_address_is_in_no_sentence_and_no_log(
    server: Peer, paths: dict[str, Behaviour], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    paths["/secret-path"] = moved("http://127.0.0.2/secret-path")
    paths["/secret-gone"] = answer(status="404 Not Found")
    way = network(server.port)
    for address in (
        f"http://{NAME}/secret-path",
        f"http://{NAME}/secret-gone",
        "http://secret-host:x/",
        "http://secret-user:secret-word@a.test/",
    ):
        said = refusal(lambda where=address: get(where, way))
        assert "secret" not in said
        assert NAME not in said
    assert "secret" not in caplog.text


def test_memory_stays_small_when_a_bomb_is_read(read: Read, paths: dict[str, Behaviour]) -> None:
    bomb = gzip.compress(CALENDAR + bytes(300_000_000), 9)
    paths["/bomb"] = answer(bomb, Content_Encoding="gzip")
    tracemalloc.start()
    try:
        assert refusal(lambda: read("/bomb")) == LARGE
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()
