"""The log: a line an event, whatever was typed; no secret, whoever says it."""

import json
import logging
import secrets
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import logs, security
from scheduler.logs import Json, Plain
from scheduler.origin import Origin, coming_from
from tests.test_security import KEY, NOW

FORGED = "Hồng\r\n2026-01-01 INFO all is well\x1b[31m\x9b\u2028\u202e\0"


def record(message: str, *values: object, **more: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "scheduler.web", "levelno": logging.WARNING, "levelname": "WARNING",
         "msg": message, "args": values, "created": NOW.timestamp(), **more}
    )  # fmt: skip
    return made


def test_a_line_is_an_object_with_the_number_of_its_request():
    with coming_from(Origin("abc123", "203.0.113.9")):
        line = Json().format(record("%s came", "Hồng", plan=7, kind=None))
    assert json.loads(line) == {
        "time": "2023-10-02T06:30:00.000+00:00", "level": "warning", "logger": "scheduler.web",
        "message": "Hồng came", "request": "abc123", "plan": 7, "kind": "None",
    }  # fmt: skip


def test_a_line_for_people_says_the_same():
    with coming_from(Origin("abc123")):
        line = Plain().format(record("%s came", "Hồng", plan=7))
    assert line == (
        "2023-10-02T06:30:00.000+00:00 warning  scheduler.web [abc123] Hồng came plan=7"
    )


@pytest.mark.parametrize("form", [Json, Plain])
@given(said=st.text() | st.just(FORGED))
def test_nobody_forges_a_line_or_colours_the_terminal(form, said):
    line = form().format(record("from %s", said, agent=said))
    assert line.isprintable()
    if form is Json:
        assert logs.redacted(said) == json.loads(line)["agent"]


def failed(secret: str) -> logging.LogRecord:
    try:
        raise ValueError(f"cannot read {secret}\nINFO all is well")
    except ValueError:
        return record("broke", exc_info=sys.exc_info())


def test_a_traceback_stays_below_its_line_and_tells_no_secret():
    token = security.new_token()
    lines = Plain().format(failed(f"https://x.example/feeds/{token}/a.ics")).split("\n")
    assert lines[0].endswith("broke")
    assert all(line.startswith("  ") and line.isprintable() for line in lines[1:])
    assert "ValueError: cannot read https://x.example/feeds/[redacted]/a.ics" in lines[-2]
    told = json.loads(Json().format(failed(token)))
    assert token not in str(told)
    assert "Traceback" in told["traceback"]


SECRETS = {
    "an opaque token": security.new_token(),
    "its digest": security.digest("x"),
    "a signed link": security.sign_link(KEY, security.Purpose.ACCESS, "7", NOW, timedelta(days=1)),
    "a cut off link": security.sign_link(KEY, security.Purpose.ACCESS, "7", NOW, timedelta(1))[:80],
    "a sealed text": security.seal(KEY, "https://x.example/a"),
    "a key made by us": "0f" * 32,
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("around", ["{}", "GET /j/{}?or={} HTTP", "Bearer {}", "'token': '{}'"])
def test_what_looks_like_a_secret_is_left_out(secret, around):
    said = around.replace("{}", secret)
    for form in (Json(), Plain()):
        line = form.format(record(said, more=said))
        assert secret.strip("=") not in line
        assert "[redacted]" in line


def test_the_address_of_a_room_is_left_out():
    token = secrets.token_urlsafe(18)
    said = f"GET https://chungtay.example/j/{token} HTTP"
    assert logs.redacted(said) == "GET https://chungtay.example/j/[redacted] HTTP"


def test_a_password_in_an_address_is_left_out():
    said = "postgresql+psycopg://chungtay:hunter2@db.example:5432/chungtay is away"
    assert logs.redacted(said) == "postgresql+psycopg://[redacted]@db.example:5432/chungtay is away"


def test_words_numbers_and_paths_stay_as_they_are():
    for said in (
        "/tmp/var/chungtay.db", "https://chungtay.example/coordinator/plans/12",
        "scheduler/services/publications.py", "127.0.0.1:1234 - \"GET /verify/ABCD-EFGH HTTP/1.1\"",
        "a@x.example", "run 12 went to another worker; this one's plan is dropped",
    ):  # fmt: skip
        assert logs.redacted(said) == said
