"""A programme's nouns for programs: page by page, filtered, and each sees their own."""

import pytest
from chungtay_client import Client, Problem

from tests.standins import join

NOUNS = ("programmes", "terms", "schools", "donor-schools", "classes", "requests", "teachers")


@pytest.fixture
def client(api):
    """Our own client over the same application."""

    def of(who):
        inner = api(who)
        token = inner.headers["authorization"].removeprefix("Bearer ")
        made = Client("https://chungtay.example", token, transport=inner._transport)
        made.waits = []
        made._sleep = made.waits.append
        return made

    return of


def test_a_coordinator_reads_every_noun_of_the_programme(client, cast):
    desk = client("coordinator")
    assert desk.get("programmes") == [
        {"id": 1, "code": "P", "name": "Hà Nội – Yên Bái", "zone": "Asia/Ho_Chi_Minh"}
    ]
    assert desk.get("terms") == [
        {"id": cast["term"], "programme": 1, "code": "HK1", "name": "Học kỳ I",
         "first_day": "2023-10-02", "last_day": "2023-12-31"}
    ]  # fmt: skip
    assert [each["code"] for each in desk.get("schools")] == ["A", "B"]
    assert [each["name"] for each in desk.get("donor-schools")] == ["THCS Ái Mộ"]
    assert [each["name"] for each in desk.get("classes", school=cast["B"])] == ["8B"]
    (asked,) = desk.get("requests", school=cast["A"], term=cast["term"])
    assert asked == {
        "id": cast["request_7A"], "term": cast["term"], "school": cast["A"],
        "class_id": cast["7A"], "number": 1, "lessons_per_week": 1, "first_day": "2023-10-02",
        "last_day": "2023-12-31", "priority": 1, "withdrawn": False,
    }  # fmt: skip
    assert [each["name"] for each in desk.get("teachers")] == ["Cô teacher1", "Cô teacher2"]
    assert desk.get("schools", district="Lục Yên") != []
    assert desk.get("schools", district="Hà Giang") == []


def test_long_lists_are_read_page_by_page_and_nothing_twice(client, ctx, cast):
    for n in range(5):
        join(ctx, cast, f"thêm{n}")
    desk = client("coordinator")
    names = [each["id"] for each in desk.every("teachers", limit=2)]
    assert names == [each["id"] for each in desk.get("teachers")]
    assert len(names) == 7
    assert len(desk.get("teachers", limit=2)) == 2


def test_a_school_and_a_teacher_see_their_own_and_a_stranger_nothing(client, cast):
    school, lan = client("schoolA"), client("teacher1")
    assert [each["code"] for each in school.get("schools")] == ["A"]
    assert [each["name"] for each in school.get("classes")] == ["7A"]
    assert [each["school"] for each in school.get("requests")] == [cast["A"]]
    assert (school.get("teachers"), school.get("donor-schools")) == ([], [])
    assert [each["name"] for each in lan.get("teachers")] == ["Cô teacher1"]
    assert lan.get("schools") == []
    stranger = client("stranger")
    for noun in NOUNS:
        assert stranger.get(noun) in ([], [{"id": 2, "code": "O", "name": "Other", "zone": "UTC"}])


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"cursor": "z"}, {"school": 0}, {"cursor": "f" * 9}]
)
def test_what_no_page_has_is_refused_by_field(client, query):
    with pytest.raises(Problem) as refused:
        client("coordinator").get("classes", **query)
    assert refused.value.status == 422
    assert set(refused.value.errors) == set(query)
