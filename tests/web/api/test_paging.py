"""Every long list comes in pages: all of it, nothing twice, in its order."""

import pytest

from tests.planning import A1, A2, B1, draft, publish
from tests.web.api.routes import operations
from tests.web.api.test_changing import V1, ok

SPAN = {"since": "2023-10-01T00:00:00Z", "until": "2023-12-31T00:00:00Z"}
# What belongs to one thing, or is there at this moment, comes whole.
WHOLE = {
    "/api/v1/lessons/{lesson_id}/history", "/api/v1/lessons/{lesson_id}/candidates",
    "/api/v1/lessons/{lesson_id}/partners", "/api/v1/partnerships/{partnership_id}/guests",
    "/api/v1/teachers/{teacher_id}/certificates", "/api/v1/check-ins/now",
}  # fmt: skip


@pytest.fixture
def desk(api, ctx, cast):
    for wanted in ((A1,), (A1, A2), (A1, A2, (*B1[:3], "teacher2"))):
        publish(ctx, cast, draft(ctx, cast, *wanted))
    return api("coordinator")


def pages(program, path, query):
    """The rows of each page, as its links lead on."""
    answer = program.get(f"{V1}/{path}", params={**query, "limit": 1})
    yield ok(answer)
    while onward := answer.links.get("next"):
        answer = program.get(onward["url"])
        yield ok(answer)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("lessons", SPAN),
        ("terms/{term}/plans", {}),
        ("terms/{term}/publications", {}),
        ("terms/{term}/timetable", {"on": "2023-12-01"}),
        ("people", {}),
    ],
)
def test_page_by_page_is_the_same_as_at_once(desk, cast, path, query):
    here = path.format(term=cast["term"])
    whole = ok(desk.get(f"{V1}/{here}", params=query))
    assert len(whole) >= 3
    found = list(pages(desk, here, query))
    assert [len(rows) for rows in found] == [1] * len(whole)
    assert [row for rows in found for row in rows] == whole


def test_a_list_goes_on_where_it_was_though_it_grows_meanwhile(desk, ctx, cast):
    here = f"{V1}/terms/{cast['term']}/plans"
    first = desk.get(here, params={"limit": 1})
    newer = draft(ctx, cast, A1)
    second = desk.get(first.links["next"]["url"])
    assert newer not in [each["id"] for each in ok(second)]
    assert ok(second)[0]["id"] < ok(first)[0]["id"]


def test_all_lists_that_grow_take_a_limit_and_a_cursor():
    for method, path, told in operations():
        shape = told["responses"].get("200", {}).get("content", {}).get("application/json", {})
        if method != "GET" or "items" not in shape.get("schema", {}) or path in WHOLE:
            continue
        names = {each["name"] for each in told["parameters"]}
        assert {"limit", "cursor"} <= names, path


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1-2-3", "f" * 9, "1-", "%00"])
def test_a_cursor_that_was_made_up_is_refused(desk, cast, cursor):
    refused = desk.get(f"{V1}/terms/{cast['term']}/plans", params={"cursor": cursor})
    assert refused.status_code == 422
