"""Two requests with one Idempotency-Key at the same moment, over a real wire: done once."""

import threading

import httpx2
import pytest

from scheduler.services import webhooks
from tests.journeys.conftest import serving

PATH = "/api/v1/webhooks"
WISH = {"name": "Sổ", "address": "https://hook.example/x", "events": ["lesson.moved"]}


@pytest.fixture
def served(ctx):
    with serving(ctx) as ours:
        yield ours.settings.base_url


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.fault(18)
def test_what_comes_twice_at_once_is_done_once(ctx, cast, api, served, turn):
    token = api("coordinator").headers["authorization"]
    headers = {"authorization": token, "idempotency-key": f"k{turn}"}
    answers, barrier = [], threading.Barrier(4)

    def ask():
        with httpx2.Client(base_url=served, headers=headers, timeout=30) as client:
            barrier.wait()
            answers.append(client.post(PATH, json=WISH))

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert len(webhooks.listed(ctx, cast.actors["coordinator"])) == 1
    done = [each for each in answers if each.status_code == 201]
    assert {each.status_code for each in answers} <= {201, 409}
    assert sum("idempotency-replayed" not in each.headers for each in done) == 1
    assert len({each.text for each in done}) == 1
