"""What will end says so long before."""

from datetime import date

import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.testclient import TestClient

from scheduler.web import api
from scheduler.web.api.retiring import Retiring

SINCE, UNTIL = date(2026, 1, 1), date(2026, 7, 2)


def test_a_route_that_will_end_says_when_and_what_takes_its_place():
    app, end = FastAPI(), Retiring(SINCE, UNTIL, "/api/v1/new")

    @app.get("/old", deprecated=True, dependencies=[Depends(end)])
    def old() -> int:
        return 1

    told = TestClient(app).get("/old").headers
    assert told["deprecation"] == "@1767225600"
    assert told["sunset"] == "Thu, 02 Jul 2026 00:00:00 GMT"
    assert told["link"] == '</api/v1/new>; rel="successor-version"'


def test_less_than_half_a_year_of_notice_is_refused():
    with pytest.raises(ValueError, match="half a year"):
        Retiring(SINCE, date(2026, 6, 30), "/api/v1/new")


def test_every_route_that_is_called_deprecated_says_when_it_ends():
    for found in iter_route_contexts(api.rooms.routes):
        route = found.original_route
        if isinstance(route, APIRoute) and route.deprecated:
            ends = [each.dependency for each in route.dependencies]
            assert any(isinstance(each, Retiring) for each in ends), found.path
