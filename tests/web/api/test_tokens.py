"""What is no good access token: told so by 401, and by nothing else."""

from datetime import timedelta

import pytest

from scheduler.security import Purpose, sign_link
from tests.conftest import KEY
from tests.test_security import HOSTILE

PATH = "/api/openapi.json"
# A client of HTTP sends no such letters, or the door refuses them before anybody reads them.
SENDABLE = {name: text for name, text in HOSTILE.items() if text.isprintable() and text.isascii()}


@pytest.fixture
def asked(site):
    client = site.browser()

    def ask(authorization: str):
        return client.get(PATH, headers={"authorization": authorization})

    return ask


def test_every_hostile_token_is_refused_alike(asked):
    answers = {name: asked(f"Bearer {text}") for name, text in SENDABLE.items()}
    assert {name for name, answer in answers.items() if answer.status_code != 401} == set()
    assert len({answer.text for answer in answers.values()}) == 1
    assert {answer.headers["www-authenticate"] for answer in answers.values()} == {"Bearer"}
    kinds = {answer.headers["content-type"] for answer in answers.values()}
    assert kinds == {"application/problem+json"}


def test_a_signed_text_for_anything_else_is_no_token(ctx, cast, api, asked):
    good = api("teacher1").headers["authorization"].removeprefix("Bearer ")
    assert asked(f"Bearer {good}").status_code == 200
    person, hour = str(cast["person_teacher1"]), timedelta(hours=1)
    for purpose in set(Purpose) - {Purpose.ACCESS}:
        text = sign_link(KEY, purpose, person, ctx.now(), hour)
        assert asked(f"Bearer {text}").status_code == 401
    for kind in ("Basic", "Bearer:", "Token", "", "Bearer Bearer"):
        assert asked(f"{kind} {good}").status_code == 401


def test_a_cookie_is_no_token_and_a_token_no_cookie(cast, site, api):
    browser = site.of(cast.actors["teacher1"])
    assert browser.get("/teacher").status_code == 200
    assert browser.get(PATH).status_code == 401
    good = api("teacher1").headers["authorization"]
    stranger = site.browser()
    for headers in ({"cookie": f"__Host-sid={good.split()[1]}"}, {"authorization": good}):
        assert stranger.get("/teacher", headers=headers).status_code == 303
