"""A program's day: it reads a served application by our client, changes it, and is told of it."""

import ast
import json
from datetime import timedelta
from pathlib import Path

import chungtay_client
import pytest
from chungtay_client import Client, Problem, verify_signature

from scheduler.delivery.network import Network
from scheduler.domain.webhooks import Event
from scheduler.services import access_tokens, webhook_sending, webhooks
from tests.delivery import peer
from tests.planning import A1, A2, draft

DAY = ("2023-10-02T00:00+07:00", "2023-10-31T00:00+07:00")


def test_a_program_publishes_calls_off_and_hears_of_both(served, cast):
    boss = cast.actors["coordinator"]
    token = access_tokens.issue(served, boss.email, timedelta(hours=1))
    with (
        peer.running({"/hook": peer.answer()}) as far,
        Client(served.settings.base_url, token) as program,
    ):
        there = Network(ports={"http": far.port}, allow=lambda _: True, resolve=_here)
        address = "http://hook.example/hook"
        made = webhooks.add(served, boss, "sổ", address, frozenset(Event), there)
        assert program.publish(draft(served, cast, A1, A2))["added"] == 2
        first, second = program.lessons(*DAY)
        pages = program.every("lessons", since=DAY[0], until=DAY[1], limit=1)
        assert [each["id"] for each in pages] == [first["id"], second["id"]]
        assert (first["class_name"], first["life"]) == ("7A", "scheduled")
        assert program.call_off(first["id"], "Trường nghỉ")["state"] == "cancelled"
        assert program.lesson(second["id"])["state"] == "scheduled"
        with pytest.raises(Problem) as refused:
            program.lesson(987654)
        assert (refused.value.status, refused.value.title) == (404, "Ở đây không có gì")
        webhook_sending.send_due(served, network=there)
    told = []
    for each in far.requests:
        verify_signature(made.secret, each.headers["Chungtay-Signature"], each.body)
        told.append(json.loads(each.body)["type"])
    assert told == ["lesson.created", "lesson.created", "plan.published", "lesson.cancelled"]


def _here(_name):
    return ["127.0.0.1"]


def test_a_lost_answer_and_a_busy_server_are_asked_again_under_one_key():
    busy = peer.answer(status="503 Busy", Retry_After="7", Connection="close")
    behaviours = iter([lambda _send: None, busy, peer.answer(b'{"id": 1}')])
    waits: list[float] = []
    with peer.running({"/api/v1/x": lambda send: next(behaviours)(send)}) as far:
        with Client(f"http://127.0.0.1:{far.port}", "t", sleep=waits.append) as program:
            assert program.post("x", {}) == {"id": 1}
        keys = {
            value for each in far.requests for name, value in each.headers.items()
            if name.lower() == "idempotency-key"
        }  # fmt: skip
    assert (len(far.requests), len(keys), waits) == (3, 1, [1.0, 7.0])


def test_the_client_knows_nothing_of_ours_and_is_short():
    source = Path(chungtay_client.__file__).read_text()
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [each.name for each in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert "scheduler" not in imported
    assert len(source.splitlines()) < 200
