"""Traces: none unless asked for, and then without a key, a name or an address."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from opentelemetry.trace import StatusCode

from scheduler import logs, tracing, tracing_otlp
from scheduler.domain.calendars import FeedKind
from scheduler.security import digest
from scheduler.services import accounts, feeds, runs
from tests.conftest import KEY
from tests.web.collector import collecting

MAIL = "teacher1@x.example"
FOREIGN = f"00-{'ab' * 16}-{'cd' * 8}-01"
FEED = "GET /feeds/{token}/{name}"


def environment(ctx, port: int, endpoint: str) -> dict[str, str]:
    """Of a served house whose clock stands where the test's does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return kept | {
        "CHUNGTAY_DATABASE_URL": ctx.database.url, "CHUNGTAY_SECRET_KEY": KEY.decode(),
        "CHUNGTAY_VAR_DIR": str(ctx.settings.var_dir), "CHUNGTAY_CLOCK": ctx.now().isoformat(),
        "CHUNGTAY_BASE_URL": f"http://127.0.0.1:{port}", "CHUNGTAY_LOG_FORMAT": "json",
        "CHUNGTAY_TICK_SECONDS": "0.5", "OTEL_BSP_SCHEDULE_DELAY": "200",
        tracing.SETTING: endpoint,
    }  # fmt: skip


@contextmanager
def serving(ctx, endpoint: str, log: Path) -> Iterator[httpx2.Client]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "scheduler", "serve", "--port", str(port)],
            env=environment(ctx, port, endpoint), stderr=told,
        )  # fmt: skip
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            _wait(process, client)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(90)


def _wait(process: "subprocess.Popen[bytes]", client: httpx2.Client) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            client.get("/healthz")
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("it does not answer")


def test_a_served_house_traces_what_it_does_and_tells_nothing_of_anybody(ctx, cast, tmp_path):
    teacher, coordinator = cast.actors["teacher1"], cast.actors["coordinator"]
    link = feeds.create_link(ctx, teacher, FeedKind.TEACHER, cast["teacher1"], "phone")
    door = accounts.operator_link(ctx, MAIL).rpartition("/")[2]
    forged = f"x{door[1:]}"
    runs.start(ctx, coordinator, cast["term"], 1.0)
    with collecting() as collector, serving(ctx, collector.address, tmp_path / "log") as client:
        feed = f"/feeds/{link.token}/lich.ics"
        tag = client.get(feed).headers["etag"]
        assert client.get(feed, headers={"if-none-match": tag}).status_code == 304
        client.get(f"/sign-in/{door}")
        client.get(f"/sign-in/{forged}")
        client.post("/sign-in", data={"email": MAIL})
        answer = client.get(f"/help?who={MAIL}", headers={"user-agent": MAIL})
        client.get(f"/nothing/{MAIL}")
        client.request("PURGE", f"/api/v1/lessons/{door}", headers={"traceparent": FOREIGN})
        collector.wait_for(
            FEED, "GET /sign-in/{token}", "POST /sign-in", "GET /help", "GET (none)", "tick",
            "matching run", "runs.execute", "feeds.render_dirty",
        )  # fmt: skip
    [told] = collector.named("GET /help")
    assert {a.key: a.value.string_value or a.value.int_value for a in told.attributes} == {
        "http.request.method": "GET", "http.route": "/help", "http.response.status_code": 200,
        "chungtay.request_id": answer.headers["x-request-id"],
    }  # fmt: skip
    assert [each["service.name"] for each in collector.resources[:1]] == ["chungtay"]
    for span in collector.spans:
        assert {each.key for each in span.attributes} <= tracing_otlp.ALLOWED
        assert span.trace_id.hex() not in FOREIGN
        assert (len(span.events), len(span.links), span.status.message) == (0, 0, "")
    secrets = (link.token, digest(link.token), door, forged, "teacher1", "x.example", "lich.ics")
    for secret in (*secrets, "PURGE", KEY.decode(), "127.0.0.1"):
        assert secret.encode() not in collector.octets


def test_a_line_of_the_log_bears_the_number_of_its_trace(monkeypatch):
    record = logging.makeLogRecord({"msg": "said"})
    assert "trace" not in json.loads(logs.Json().format(record))
    with collecting() as collector:
        monkeypatch.setattr(tracing, "_tracer", tracing_otlp.start(collector.address))
        with tracing.span("tick"):
            line = json.loads(logs.Json().format(record))
        assert "trace" not in json.loads(logs.Json().format(record))
        tracing.close()
        assert line["trace"] == collector.named("tick")[0].trace_id.hex()


def test_of_what_breaks_only_that_it_did_is_told(monkeypatch):
    with collecting() as collector:
        monkeypatch.setattr(tracing, "_tracer", tracing_otlp.start(collector.address))
        with pytest.raises(ValueError, match="teacher1"), tracing.span("plans.publish"):
            raise ValueError(f"{MAIL} cannot be read")
        tracing.close()
    [span] = collector.named("plans.publish")
    assert (span.status.code, span.status.message) == (StatusCode.ERROR.value, "")
    assert MAIL.encode() not in collector.octets


def test_what_a_careless_hand_adds_does_not_leave(monkeypatch):
    with collecting() as collector:
        made = tracing_otlp.start(collector.address)
        with made._tracer.start_as_current_span("GET /help") as span:
            span.set_attributes({"url.path": f"/help?{MAIL}", "http.route": "/help"})
            span.add_event(MAIL)
        made.close()
    [told] = collector.named("GET /help")
    assert [each.key for each in told.attributes] == ["http.route"]
    assert MAIL.encode() not in collector.octets


# -- only on demand


def said(program: str, **more: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=kept | more, capture_output=True, text=True, check=True
    )
    return done.stdout + done.stderr


def test_nothing_is_loaded_unless_it_is_asked_for():
    program = (
        "import sys; from scheduler import app, tracing; tracing.set_up(); tracing.close(); "
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exp',"
        " 'scheduler.tracing_'))], tracing.is_on())"
    )
    assert said(program) == "[] False\n"


def test_where_it_is_not_installed_one_sentence_says_so():
    program = (
        "import sys; sys.modules['opentelemetry.sdk'] = None; "
        "from scheduler import logs, tracing; logs.set_up('plain'); "
        "tracing.set_up(); print(tracing.is_on())"
    )
    out, err = said(program, **{tracing.SETTING: "http://127.0.0.1:1"}).splitlines()
    assert out == "False"
    assert err.endswith(
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, and nothing here can send traces: none are sent. "
        "Install it with: pip install 'chungtay[telemetry]'"
    )
