"""The line test in a real browser, against meeting hosts that answer, move, refuse and hang."""

import socket
import ssl
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import expect

from scheduler.clock import ShiftedClock
from tests.journeys import axe
from tests.journeys.conftest import no_complaints, serving
from tests.journeys.test_devices import entered
from tests.web.timetable import change, publish

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 800}
PLACE = "/school/line"
GOOD, FAIR = "Đường truyền này học tốt", "Học được, đôi lúc hình sẽ kém"
BAD, SHUT = "Đường truyền này quá yếu để học có hình", "Từ đây không tới được phòng học"
CUT, MANY = "Đường truyền bị ngắt", "Đã thử rất nhiều lần"
VERDICTS = (GOOD, FAIR, BAD, SHUT, CUT, MANY)
SLOW = 30_000  # ms, on a throttled line


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Moving(Answering):
    def do_GET(self):
        self.send_response(302)
        self.send_header("location", "https://elsewhere.example/")
        self.end_headers()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A key and a certificate of 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def host(certificate, handler):
    """The origin of a meeting host on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    wrapped = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    wrapped.load_cert_chain(certificate)
    server.socket = wrapped.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(5)


@contextmanager
def deaf():
    """An origin that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


def closed():
    """An origin where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"https://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def opened(browser, served, cast, certificate):
    """The school's page, its lessons in rooms of these kinds."""
    with ExitStack() as stack:

        def go(*kinds, **more):
            rooms = [
                closed() if kind == "closed"
                else stack.enter_context(deaf()) if kind == "deaf"
                else stack.enter_context(host(certificate, kind))
                for kind in kinds
            ]  # fmt: skip
            # Two weeks ahead are looked at: Wednesday this week and next.
            for lesson, room in zip(publish(served, cast, weeks=len(rooms)), rooms, strict=True):
                change(served, lesson, meeting_url=f"{room}/room")
            known = {"viewport": PHONE, "ignore_https_errors": True}
            page = entered(browser, served, cast.actors["schoolA"], **known, **more)
            page.goto(served.settings.base_url + PLACE)
            return page, rooms

        yield go


def begin(page):
    page.get_by_role("button", name="Thử đường truyền").click()


def says(page, *wanted, patience=15_000):
    """The verdicts that the page shows in the end, and no others."""
    expect(page.get_by_role("heading", name=wanted[0])).to_be_visible(timeout=patience)
    shown = [x for x in VERDICTS if page.get_by_role("heading", name=x).is_visible()]
    assert sorted(shown) == sorted(wanted)


def throttled(page, *, latency, mbits):
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    octets = mbits * 1e6 / 8
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": latency, "downloadThroughput": octets,
         "uploadThroughput": octets},
    )  # fmt: skip


def room_of(page, room):
    return page.locator(f'[data-room="{room}"]')


def test_on_a_good_line_the_school_is_told_that_a_lesson_will_run(opened):
    page, [room] = opened(Answering)
    with no_complaints(page):  # such as of a refused connection
        begin(page)
        says(page, GOOD)
    expect(room_of(page, room).get_by_text("Tới được", exact=True)).to_be_visible()
    expect(room_of(page, room).get_by_text("Không tới được")).to_be_hidden()
    expect(page.locator("#trip")).to_contain_text("ms, lâu nhất")
    expect(page.locator("#lost")).to_have_text("0 trong 20 lần hỏi")
    expect(page.locator("#rate")).to_contain_text("Mbit mỗi giây")
    expect(page.get_by_role("button", name="Thử lại")).to_be_focused()
    assert axe.violations(page) == []
    assert axe.sticking_out(page, 320) == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    says(page, GOOD)


def test_a_room_that_is_shut_out_is_told_and_one_that_sends_on_is_reached(opened):
    page, [moving, shut] = opened(Moving, "closed")
    begin(page)
    says(page, SHUT)
    expect(room_of(page, moving).get_by_text("Tới được", exact=True)).to_be_visible()
    expect(room_of(page, shut).get_by_text("Không tới được")).to_be_visible()


@pytest.mark.soak  # it waits for five seconds
def test_a_room_that_hangs_is_not_reached(opened):
    page, [room] = opened("deaf")
    begin(page)
    says(page, SHUT)
    expect(room_of(page, room).get_by_text("Không tới được")).to_be_visible()


@pytest.mark.parametrize(
    ("drops", "verdict"), [(1, FAIR), (2, BAD)], ids=["one of twenty", "two of twenty"]
)
def test_what_gets_lost_is_counted(opened, drops, verdict):
    page, _ = opened(Answering)
    asked = []

    def answer(route):
        asked.append(route)
        route.abort() if 3 <= len(asked) < 3 + drops else route.continue_()

    page.route("**/line/ping", answer)
    begin(page)
    says(page, verdict)
    assert len(asked) == 21  # one opens the connection
    expect(page.locator("#lost")).to_have_text(f"{drops} trong 20 lần hỏi")


def test_a_line_that_is_cut_and_too_many_tests_have_words_of_their_own(opened):
    page, _ = opened(Answering)
    page.route("**/line/ping", lambda route: route.abort())
    begin(page)
    says(page, CUT)
    page.unroute("**/line/ping")
    page.route("**/line/bytes", lambda route: route.fulfill(status=429))
    page.get_by_role("button", name="Thử lại").click()
    says(page, MANY)
    page.unroute("**/line/bytes")
    page.get_by_role("button", name="Thử lại").click()
    says(page, GOOD)


@pytest.mark.soak  # a slow line takes its time
@pytest.mark.parametrize(
    ("latency", "mbits", "verdict"),
    [(200, 4, FAIR), (0, 1, FAIR), (320, 4, BAD), (0, 0.4, BAD), (20, 4, GOOD)],
)
def test_a_throttled_line_is_weighed(opened, latency, mbits, verdict):
    page, _ = opened(Answering)
    throttled(page, latency=latency, mbits=mbits)
    begin(page)
    says(page, verdict, patience=SLOW)


def test_without_scripts_a_chain_of_redirects_tells_the_round_trip(browser, ctx, cast):
    publish(ctx, cast)
    moving = replace(ctx, clock=ShiftedClock.starting_at(ctx.now()))
    with serving(moving) as served:
        page = entered(
            browser, served, cast.actors["schoolA"], viewport=PHONE, java_script_enabled=False
        )
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(served.settings.base_url + PLACE)
        begin(page)
        page.wait_for_url(f"**{PLACE}?t=*")
        says(page, GOOD)
        assert sum("/line/hop?t=" in url for url in asked) == 9  # eight, and on from their page
        expect(page.get_by_text("ms, lâu nhất")).to_be_visible()
        expect(page.get_by_text("Khi không có JavaScript")).to_be_visible()
        expect(page.get_by_role("link", name="Mở trong thẻ mới")).to_be_visible()
        expect(page.get_by_role("button", name="Thử lại")).to_be_visible()
