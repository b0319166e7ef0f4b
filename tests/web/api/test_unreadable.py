"""A program is told field by field what is wrong with what it sent, in its person's language."""

import pytest
import sqlalchemy as sa

from scheduler.store import tables

PINS = "/api/v1/pins"
ABSENT = "/api/v1/disruptions/preview"


def sent(program, path, body):
    answer = program.post(path, json=body)
    assert answer.headers["content-type"] == "application/problem+json"
    faults = {each["field"]: each["detail"] for each in answer.json().get("errors", ())}
    return answer.status_code, faults


@pytest.fixture
def english(api, ctx, cast):
    with ctx.transaction() as db:
        person = tables.persons.c.id == cast["person_coordinator"]
        db.execute(sa.update(tables.persons).where(person).values(language="en"))
    return api("coordinator")


def test_each_field_of_a_body_is_named_with_a_sentence(english):
    body = {"lessons": [1, "2", 0, 3.5, 2**31], "until": "02/10/2023", "notes": "x"}
    assert sent(english, PINS, body) == (
        422,
        {
            "lessons.1": "Write a whole number.",
            "lessons.2": "Not below 1.",
            "lessons.3": "Write a whole number.",
            "lessons.4": "Not above 2,147,483,647.",
            "note": "Fill this in.",
            "notes": "There is no such field.",
            "until": "Write the day like this: 2023-10-02.",
        },
    )
    assert english.post(PINS, json=body).json()["detail"] == "Go back and look at what was typed."


def test_a_line_break_is_refused_where_one_line_is_asked_for(english):
    for words in ("Hi\r\nBcc: evil@x.org", "Hi\u2028there"):
        status, faults = sent(english, PINS, {"lessons": [1], "note": words})
        assert (status, faults) == (422, {"note": "Write this on one line."})


def test_they_are_told_in_the_language_of_whose_token_it_is(api):
    status, faults = sent(api("coordinator"), PINS, {"lessons": []})
    assert (status, faults) == (422, {"lessons": "Ít nhất 1 mục.", "note": "Điền vào chỗ này."})


DEEP = [
    ({"kind": "flood"}, "disruption", "Write one of these: 'absence', 'closure', 'storm'."),
    (
        {"kind": "absence", "teacher": True},
        "disruption.absence.teacher",
        "Write a whole number.",
    ),
    (
        {"kind": "storm", "first_day": "1999-12-31"},
        "disruption.storm.first_day",
        "Choose years from 2000 to 2100.",
    ),
    ({"kind": "storm", "last_day": 1696204800}, "disruption.storm.last_day", None),
    ({"kind": "storm", "last_day": "2023-02-30"}, "disruption.storm.last_day", None),
    (
        {"kind": "storm", "everywhere": "yes"},
        "disruption.storm.everywhere",
        "Write true or false.",
    ),
    (
        {"kind": "storm", "reason": "a\0b"},
        "disruption.storm.reason",
        "This holds signs that cannot be stored.",
    ),
    ({"kind": "storm", "reason": "x" * 2001}, "disruption.storm.reason", None),
    ({"kind": "storm", "codes": "A"}, "disruption.storm.codes", "Write a list."),
    ([], "disruption", "Write an object."),
]


def test_a_fault_deep_inside_is_named_by_its_path(english):
    for body, field, sentence in DEEP:
        status, faults = sent(english, ABSENT, {"disruption": body})
        assert (status, field in faults) == (422, True), faults
        assert sentence in (None, faults[field])


def test_what_is_no_json_is_told_as_such(english):
    for content in (b"{", b"", b"\xff\xfe", b'{"a":1}}'):
        answer = english.post(PINS, content=content, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422), content
    answer = english.post(PINS, content=b"{", headers={"content-type": "application/json"})
    assert answer.json()["errors"] == [
        {"field": "body", "detail": "Đây không phải là JSON."}  # read before the token is
    ]


def test_names_that_no_answer_could_hold_do_not_break_it(english):
    for name in (b"\\ud800", b"\\u202e", b"\\u0000", b"x" * 5000):
        body = b'{"' + name + b'": 1}'
        answer = english.post(PINS, content=body, headers={"content-type": "application/json"})
        fields = [each["field"] for each in answer.json()["errors"]]
        assert answer.status_code == 422
        assert all(field.isascii() and len(field) <= 100 for field in fields), fields


def test_a_reader_is_told_no_more_than_can_be_read(english):
    body = dict.fromkeys((f"f{n}" for n in range(1000)), 1)
    assert len(english.post(PINS, json=body).json()["errors"]) == 50


def test_faults_of_a_query_are_named_too(english):
    answer = english.get("/api/v1/lessons", params={"since": "2023-10-02"})
    assert {each["field"]: each["detail"] for each in answer.json()["errors"]} == {
        "since": "Write an instant with its zone, like 2023-10-02T07:30+07:00.",
        "until": "Fill this in.",
    }
    far = english.get("/api/v1/fairness", params={"weeks": "9" * 5000, "until": "0001-01-01"})
    assert [each["field"] for each in far.json()["errors"]] == ["weeks", "until"]


def test_rules_that_services_find_broken_are_named_place_by_place(english, cast):
    body = {"moves": [{"lesson": 999, "teacher": "x@y.example"}, {"request": "A/9Z"}]}
    answer = english.post(f"/api/v1/terms/{cast['term']}/baskets/check", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "move 1", "detail": "there is no lesson 999"},
        {"field": "move 2", "detail": "there is no request A/9Z"},
    ]
