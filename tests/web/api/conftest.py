from datetime import timedelta

import pytest

from scheduler.services import access_tokens


@pytest.fixture
def api(site, ctx, cast):
    """`api("teacher1")`: a program that has the access token of one of the cast."""

    def program(who: str, life: timedelta = timedelta(hours=1)):
        client = site.browser()
        token = access_tokens.issue(ctx, cast.actors[who].email, life)
        client.headers["authorization"] = f"Bearer {token}"
        return client

    return program
